"""How choices give way: always legal, never more than must be, and what was touched last wins."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kling import CameraControl, Shot, TextToVideo, catalog
from kling.camera_control import CAMERA_AXES, CAMERA_TYPES
from kling.catalog import Model
from kling.studio.prompting.draft import (
    AUTOMATIC,
    CUTS,
    MOST_TAKES,
    OTHER,
    OTHER_DURATIONS,
    OTHER_MODES,
    OTHER_RATIOS,
    STORYBOARD,
    Draft,
    choices_for,
    clamp,
    merge,
    snap_to_model,
    sync_camera_words,
)
from tests.kling.tools import law
from tests.studio.prompting import legal

CHOICES = ("mode", "duration", "aspect_ratio", "sound", "camera")
TEXTS = {"prompt", "negative_prompt", "multi_prompt"}
OURS = {"callback_url", "external_task_id"}  # no fields of the form
OPTIONS = TextToVideo.FIELDS.keys() - TEXTS - OURS - {"watermark_info"}
MODELS = [*catalog().models, OTHER]

shots = st.lists(
    st.builds(Shot, prompt=st.just("A fox"), duration=st.integers(1, 15).map(str)), min_size=1, max_size=6
).map(tuple)
drafts = st.builds(
    Draft,
    prompt=st.just("A fox"),
    model=st.sampled_from(MODELS),
    other_model=st.just("kling-v9"),
    mode=st.sampled_from(OTHER_MODES),
    duration=st.sampled_from(OTHER_DURATIONS),
    aspect_ratio=st.sampled_from(OTHER_RATIOS),
    sound=st.booleans(),
    set_cfg_scale=st.booleans(),
    camera=st.sampled_from([AUTOMATIC, *CAMERA_TYPES]),
    camera_axis=st.sampled_from(CAMERA_AXES),
    cut=st.sampled_from(CUTS),
    shots=shots,
    takes=st.integers(1, MOST_TAKES),
)
touched = st.sets(st.sampled_from([*CHOICES, "model", "shots"]), max_size=2)


def broken(draft: Draft) -> set[str]:
    """Return the options that are wrong, as a sandbox takes them: it may serve retired models."""
    return {problem.field.split("[")[0] for problem in draft.request().problems(retired_ok=True)} & OPTIONS


def difference(one: Draft, two: Draft) -> set[str]:
    return {name for name in CHOICES if getattr(one, name) != getattr(two, name)}


@law
@given(draft=drafts, last=touched)
def test_what_the_form_holds_is_always_legal(draft: Draft, last: set[str]):
    fitted, _ = snap_to_model(draft, last)
    assert broken(fitted) == set()


@law
@given(draft=drafts, last=touched)
def test_a_legal_draft_is_left_alone(draft: Draft, last: set[str]):
    fitted, _ = snap_to_model(draft, last)
    again, changes = snap_to_model(fitted)
    assert (again, changes) == (fitted, ())


@law
@given(draft=drafts, last=touched)
def test_the_changes_tell_exactly_what_moved(draft: Draft, last: set[str]):
    fitted, changes = snap_to_model(draft, last)
    assert {change.field for change in changes} == difference(draft, fitted)
    assert all(
        (change.old, change.new) == (getattr(draft, change.field), getattr(fitted, change.field))
        for change in changes
    )
    same = {field.name for field in fields(Draft)} - {*CHOICES, "shots"}
    assert all(getattr(draft, name) == getattr(fitted, name) for name in same)


@law
@given(draft=drafts.filter(lambda draft: draft.cut != STORYBOARD), last=touched)
def test_no_legal_draft_is_nearer(draft: Draft, last: set[str]):
    """Against every legal draft of the model: none keeps more of what was touched, or moves fewer choices."""
    fitted, _ = snap_to_model(draft, last)

    def cost(other: Draft) -> tuple[int, int]:
        moved = difference(draft, other)
        return len(moved & last), len(moved)

    offered = choices_for(draft.known)
    for mode, duration, ratio, loud, camera in product(
        {*offered["mode"], draft.mode},
        {*offered["duration"]},
        offered["aspect_ratio"],
        (False, True),
        (AUTOMATIC, draft.camera),
    ):
        other = replace(draft, mode=mode, duration=duration, aspect_ratio=ratio, sound=loud, camera=camera)
        if cost(other) < cost(fitted):
            assert broken(other)


@law
@given(draft=drafts, last=touched)
def test_shots_add_up_wherever_they_can(draft: Draft, last: set[str]):
    fitted, _ = snap_to_model(draft, last)
    if fitted.is_storyboard:
        total = sum(int(shot.duration) for shot in fitted.shots)
        allowed = choices_for(fitted.known)["duration"]
        assert str(total) == fitted.duration or ("shots" in last and str(total) not in allowed)
        assert [shot.prompt for shot in fitted.shots] == [shot.prompt for shot in draft.shots]


@pytest.mark.parametrize("model", catalog().models)
@pytest.mark.parametrize("field", ["mode", "duration", "aspect_ratio"])
def test_whatever_a_model_offers_can_be_chosen_and_stays(model: str, field: str):
    for start, value in product(
        (Draft(model=model), Draft(model=model, sound=True), Draft(model=model, camera="forward_up")),
        choices_for(catalog().models[model])[field],
    ):
        before, _ = snap_to_model(start)
        after, _ = snap_to_model(replace(before, **{field: value}), {field})  # type: ignore[arg-type]
        assert getattr(after, field) == value
        assert broken(after) <= {"prompt"}


@pytest.mark.parametrize(("old", "new"), list(product(MODELS, MODELS)))
def test_from_every_model_to_every_other_one(old: str, new: str):
    start, _ = snap_to_model(
        Draft(prompt="A fox", model=old, other_model="kling-v9", sound=True, duration="10")
    )
    fitted, _ = snap_to_model(replace(start, model=new), {"model"})
    assert fitted.model == new
    assert broken(fitted) == set()
    back, _ = snap_to_model(replace(fitted, model=old), {"model"})
    assert (
        back.duration == start.duration
        or start.duration not in choices_for(catalog().models.get(new))["duration"]
    )


@pytest.mark.parametrize("model", [model for model in catalog().models.values() if model.retired])
def test_a_retired_model_stays_chosen_and_a_real_key_refuses_it_with_the_living_one_to_use(model: Model):
    fitted, _ = snap_to_model(Draft(prompt="A fox", model=model.name), {"model"})
    assert fitted.model == model.name
    (problem,) = fitted.request().problems()
    assert problem.field == "model_name"
    living, _ = snap_to_model(replace(fitted, model=model.successor), {"model"})
    assert f"use {catalog().models[model.successor].title} ({model.successor})" in problem.message
    assert living.request().problems() == ()


def test_of_equally_small_moves_the_cheaper_is_made():
    loud = Draft(model="kling-v3", mode="std", sound=True)
    fitted, changes = snap_to_model(replace(loud, model="kling-v2-6"), {"model"})
    assert (fitted.mode, fitted.sound) == ("std", False)
    assert [change.field for change in changes] == ["sound"]


@law
@given(draft=drafts)
def test_what_a_model_does_not_take_is_kept_and_comes_back(draft: Draft):
    there, _ = snap_to_model(replace(draft, model="kling-v2-5-turbo"), {"model"})
    assert not there.request().multi_shot
    assert there.words().cfg_scale is None
    assert (there.cut, [shot.prompt for shot in there.shots]) == (
        draft.cut,
        [shot.prompt for shot in draft.shots],
    )


@pytest.mark.parametrize("first_frame", ["", "0a" * 32])
@pytest.mark.parametrize("model", MODELS)
def test_each_field_of_the_form_is_sent_or_not_shown(model: str, first_frame: str):
    switches: dict[str, Any] = {field.name: True for field in fields(Draft) if field.default is False}
    draft = Draft(
        **switches,
        prompt="A fox",
        negative_prompt="rain",
        model=model,
        other_model="kling-v9",
        camera="down_back",
        cut=STORYBOARD,
        first_frame=first_frame,
    )
    hidden = {name for name in TextToVideo.FIELDS if not draft.can_send(name)}
    hidden |= set() if draft.is_storyboard else {"multi_prompt"}
    hidden |= set() if draft.known is None or draft.known.takes_mode else {"mode"}
    assert TextToVideo.FIELDS.keys() - OURS - draft.request().to_wire().keys() <= hidden
    assert replace(draft, first_frame="").request() == replace(draft, first_frame="").words()


@law
@given(draft=drafts, last=touched)
def test_a_draft_comes_back_from_json_and_from_its_request(draft: Draft, last: set[str]):
    fitted, _ = snap_to_model(draft, last)
    assert Draft.from_json(fitted.to_json()) == fitted
    assert Draft.from_request(fitted.request()).request() == fitted.request()


def test_the_legal_requests_of_these_tests_have_every_field():
    blank, varied = TextToVideo().to_wire(), set[str]()

    @law
    @given(legal.requests())
    def look(request: TextToVideo) -> None:
        varied.update(name for name, value in request.to_wire().items() if value != blank.get(name))

    look()
    assert varied == TextToVideo.FIELDS.keys() - OURS


@law
@given(legal.requests())
def test_a_draft_of_a_request_asks_for_the_same_in_every_field(request: TextToVideo):
    draft = Draft.from_request(request)
    mode = request.mode if request.mode in {None, *OTHER_MODES} else "std"
    assert draft.request() == replace(request, mode=mode)


@law
@given(
    stored=st.dictionaries(
        st.sampled_from(sorted(Draft().to_json())) | st.text(),
        st.recursive(
            st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
            lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
            max_leaves=4,
        ),
    )
)
def test_no_stored_object_breaks_the_form(stored: dict[str, object]):
    draft, _ = snap_to_model(Draft.from_json(stored))
    assert broken(draft) <= {"model_name"}
    assert draft == clamp(draft)


def test_no_field_of_a_draft_is_none():
    assert None not in Draft().to_json().values()


def test_a_stored_draft_without_a_field_gets_its_default_whatever_that_is():
    @dataclass(frozen=True, slots=True, kw_only=True)
    class Later(Draft):
        later: int | None = None

    assert Later.from_json({"prompt": "A fox"}) == Later(prompt="A fox")


@pytest.mark.parametrize("field", ["cfg_scale", "camera_value"])
@pytest.mark.parametrize("number", [10**400, -(10**400)])
def test_a_number_that_no_float_holds_becomes_the_default(field: str, number: int):
    assert Draft.from_json({field: number}) == Draft()


def test_a_request_of_an_unknown_model_keeps_its_name():
    request = TextToVideo(
        prompt="A fox", model_name="kling-v9", mode=None, duration="20", aspect_ratio="21:9"
    )
    draft = Draft.from_request(request)
    assert (draft.model, draft.other_model) == (OTHER, "kling-v9")
    assert draft.request() == request


def test_a_camera_movement_of_a_request_fills_the_form():
    pan = CameraControl(type="simple", config={"pan": -3, "tilt": 0})
    draft = Draft.from_request(
        TextToVideo(prompt="A fox", model_name="kling-v1", camera_control=pan), parent="v1"
    )
    assert (draft.camera, draft.camera_axis, draft.camera_value, draft.parent) == (
        "simple",
        "pan",
        -3.0,
        "v1",
    )
    assert draft.retired


def moving(model: str, prompt: str = "A fox", **values: object) -> Draft:
    return Draft(model=model, prompt=prompt, **values)  # type: ignore[arg-type]


@pytest.mark.parametrize("preset", [name for name in CAMERA_TYPES if name != "simple"])
def test_a_model_without_camera_control_is_told_in_words_and_one_with_it_by_the_field(preset: str):
    start = moving("kling-v3", camera=preset)
    said = sync_camera_words(start, {"camera"})
    assert said.prompt.startswith("A fox. The camera ")
    assert said.words().camera_control is None
    first, _ = snap_to_model(replace(said, model="kling-v1"), {"model"})
    assert first.camera == preset
    told = sync_camera_words(first, {"model"})
    assert told.prompt == "A fox."
    assert told.words().camera_control == CameraControl(type=preset)
    again = sync_camera_words(snap_to_model(replace(told, model="kling-v2-6"), {"model"})[0], {"model"})
    assert again.prompt == said.prompt


def test_beside_a_picture_the_move_is_told_in_words():
    start = moving(OTHER, other_model="kling-v9", camera="down_back")
    assert sync_camera_words(start, {"camera"}) == start
    begun = sync_camera_words(replace(start, first_frame="0a" * 32), {"first_frame"})
    assert begun.prompt == "A fox. The camera moves backward and down steadily."
    assert "camera_control" not in begun.request().to_wire()
    without = sync_camera_words(replace(begun, first_frame=""), {"first_frame"})
    assert without.prompt == "A fox."
    assert without.words().camera_control == CameraControl(type="down_back")


def test_words_stay_where_the_movement_had_to_give_way():
    said = sync_camera_words(moving("kling-v3", camera="forward_up", duration="10", mode="pro"), {"camera"})
    first, _ = snap_to_model(replace(said, model="kling-v1"), {"model"})
    assert first.camera == AUTOMATIC
    assert sync_camera_words(first, {"model"}).prompt == said.prompt


def test_an_edited_prompt_moves_the_camera():
    said = sync_camera_words(
        moving("kling-v3", camera="simple", camera_axis="pan", camera_value=-5.0), {"camera"}
    )
    assert "pans left" in said.prompt
    turned = sync_camera_words(
        replace(said, prompt=said.prompt.replace("pans left steadily", "tilts up quickly")), {"prompt"}
    )
    assert (turned.camera, turned.camera_axis, turned.camera_value) == ("simple", "tilt", 8.0)
    gone = sync_camera_words(replace(said, prompt="A fox"), {"prompt"})
    assert (gone.camera, gone.prompt) == (AUTOMATIC, "A fox")


@law
@given(
    draft=drafts,
    last=st.sets(st.sampled_from(["prompt", "model", "camera", "camera_value"]), max_size=2),
    words=st.text(),
)
def test_speaking_loses_no_word_and_does_not_repeat_itself(draft: Draft, last: set[str], words: str):
    fitted, _ = snap_to_model(replace(draft, prompt=words), last)
    said = sync_camera_words(fitted, last)
    assert said.prompt.startswith(words)
    assert sync_camera_words(said, ()) == said
    assert snap_to_model(said)[0] == said


@law
@given(
    st.lists(
        st.fixed_dictionaries({"mode": st.sampled_from(OTHER_MODES), "sound": st.booleans()}),
        min_size=3,
        max_size=3,
    )
)
def test_a_page_that_was_behind_changes_only_what_was_changed_on_it(three):
    sent, shown, kept = (Draft(**values) for values in three)
    merged = merge(sent, shown, kept)
    for name in ("mode", "sound"):
        mine, theirs = getattr(sent, name), getattr(kept, name)
        assert getattr(merged, name) == (theirs if mine == getattr(shown, name) else mine)
    assert merge(shown, shown, kept) == kept
