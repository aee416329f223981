"""A batch as one draft."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kling import Shot, TextToVideo
from kling.studio.prompting.batch import draft_of_batch
from kling.studio.prompting.matrix import combine

FOX = TextToVideo(prompt="A fox in red, at dawn", negative_prompt="blur")


def test_a_batch_of_alternatives_is_the_prompt_with_its_braces():
    batch = [
        replace(FOX, prompt=f"A {animal} in red, at {time}") for animal in ("fox", "owl") for time in "xy"
    ]
    draft = draft_of_batch(batch, parent="job1")
    assert draft is not None
    assert draft.prompt == "A {fox|owl} in red, at {x|y}"
    assert (draft.variations, draft.as_typed, draft.takes, draft.parent) == (True, False, 1, "job1")
    assert [row.request for row in combine(draft.request()).rows] == batch


def test_rows_that_were_not_ticked_stay_out():
    texts = ["A red fox at dawn", "A red fox at noon", "A grey fox at noon"]
    draft = draft_of_batch([replace(FOX, prompt=text) for text in texts])
    assert draft is not None
    assert [row.request.prompt for row in combine(draft.request()).rows] == texts


def test_choices_that_were_combined_and_takes_come_back():
    batch = [
        replace(FOX, prompt=f"A {animal}", aspect_ratio=ratio, external_task_id=f"{animal}{ratio}{take}")
        for animal in ("fox", "owl")
        for ratio in ("16:9", "9:16")
        for take in range(2)
    ]
    draft = draft_of_batch(batch)
    assert draft is not None
    assert (draft.prompt, draft.aspect_ratios, draft.takes) == ("A {fox|owl}", ("16:9", "9:16"), 2)


def test_takes_of_one_request_make_no_variations():
    draft = draft_of_batch([FOX, FOX, FOX])
    assert draft is not None
    assert (draft.takes, draft.variations, draft.prompt) == (3, False, FOX.prompt)


def test_shots_that_differ_get_braces_in_their_own_place():
    shots = (Shot(prompt="A fox", duration="3"), Shot(prompt="It runs", duration="2"))
    board = TextToVideo(model_name="kling-v3", multi_shot=True, shot_type="customize", multi_prompt=shots)
    other = replace(board, multi_prompt=(replace(shots[0], prompt="An owl"), shots[1]))
    draft = draft_of_batch([board, other])
    assert draft is not None
    assert [shot.prompt for shot in draft.shots] == ["{A fox|An owl}", "It runs"]


@pytest.mark.parametrize(
    "batch",
    [
        [FOX, FOX, replace(FOX, prompt="An owl")],  # unequal numbers of takes
        [FOX, replace(FOX, sound="on", mode="pro")],  # the sound cannot vary in one draft
        [FOX, replace(FOX, prompt="An owl", aspect_ratio="1:1")],  # two of four combinations
    ],
)
def test_a_batch_that_no_draft_orders_is_none(batch: list[TextToVideo]):
    assert draft_of_batch(batch) is None
