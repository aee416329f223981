"""Drafts with pictures: what they ask for, and how they come back from the log, code and templates."""

from __future__ import annotations

import ast
import json
from dataclasses import replace

import pytest

from kling.catalog import catalog
from kling.image_to_video import ImageToVideo
from kling.studio.prompting import export_request
from kling.studio.prompting.batch import draft_of_batch
from kling.studio.prompting.draft import Draft, snap_to_model
from kling.studio.prompting.import_request import parse_request
from kling.studio.prompting.matrix import combine
from kling.studio.state.team_templates import body_of

FIRST, LAST = "a" * 64, "b" * 64
DRAFT = Draft(prompt="The ball rolls", first_frame=FIRST, last_frame=LAST, mode="pro")


def test_a_picture_makes_it_a_request_of_image_to_video_and_the_price_stays():
    request = DRAFT.request()
    assert isinstance(request, ImageToVideo)
    assert (request.image, request.image_tail, request.problems()) == (FIRST, LAST, ())
    assert request.units() == replace(DRAFT, first_frame="", last_frame="").request().units()


def test_a_last_frame_moves_the_choices_with_which_the_model_takes_none():
    fitted, moved = snap_to_model(replace(DRAFT, mode="std"), {"last_frame"})
    assert (fitted.mode, [change.field for change in moved]) == ("pro", ["mode"])
    silent, _ = snap_to_model(replace(DRAFT, sound=True), {"last_frame"})
    assert (silent.sound, silent.mode, silent.request().problems()) == (False, "pro", ())


@pytest.mark.parametrize(
    "draft", [DRAFT, replace(DRAFT, last_frame=""), replace(DRAFT, model="kling-3.0-turbo")]
)
def test_a_draft_with_pictures_comes_back_from_its_request_and_from_the_store(draft: Draft):
    draft = replace(draft, sound=draft.words().sound == "on")
    assert Draft.from_request(draft.request()) == draft
    assert Draft.from_json(json.loads(json.dumps(draft.to_json()))) == draft


def test_what_is_no_name_of_a_picture_is_dropped_from_a_stored_draft():
    stored = DRAFT.to_json() | {"first_frame": "../../etc/passwd", "continues": True, "parent": "x"}
    found = Draft.from_json(stored)
    assert (found.first_frame, found.continues, found.last_frame) == ("", False, LAST)
    assert not isinstance(found.request(), ImageToVideo)


def test_variations_keep_the_picture_and_leave_out_models_that_take_none():
    models = ("kling-v2-6", "kling-v3", "kling-v1")
    table = combine(replace(DRAFT, last_frame="").request(), models=models, retired_ok=True)
    assert {row.request.model_name for row in table.rows} == {"kling-v2-6", "kling-v3"}
    assert all(isinstance(row.request, ImageToVideo) and row.request.image == FIRST for row in table.rows)
    (left_out,) = table.left_out
    assert any("animates no pictures" in problem.message for problem in left_out.problems)


def test_a_batch_with_a_picture_is_remade_as_one_draft():
    first = replace(DRAFT, last_frame="").request()
    again = draft_of_batch([first, replace(first, prompt="The ball jumps")])
    assert again is not None
    assert (again.first_frame, again.variations) == (FIRST, True)


@pytest.mark.parametrize("model", ["kling-v2-6", "kling-v3", "kling-3.0-turbo"])
def test_code_reads_the_pictures_from_files_and_json_names_them(model: str):
    rule = catalog().models[model].image
    draft = replace(DRAFT, model=model, last_frame=LAST if rule and rule.last_frame else "")
    request = draft.request()
    files = {FIRST: "it's a ball.png", LAST: "end.jpg"}
    program = export_request.to_python(request, files=files)
    ast.parse(program)
    assert 'picture("it\'s a ball.png")' in program
    assert FIRST not in program
    assert "$(base64 < 'it'\"'\"'s a ball.png' | tr -d '\\n')" in export_request.to_curl(request, files=files)
    back = parse_request(export_request.to_json(request))
    assert (back.request, back.notes) == (request, ())
    assert body_of(json.dumps(request.to_wire())) == request


def test_a_picture_that_is_not_kept_here_is_left_out_of_an_import_and_noted():
    found = parse_request(
        json.dumps({"prompt": "x", "model_name": "kling-v3", "image": "https://a.example/b.png"})
    )
    assert not isinstance(found.request, ImageToVideo)
    assert any(note.startswith("image ") for note in found.notes)
