"""Camera moves as words: one sentence each, found again, and drawn by the sandbox as the same move."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kling import CameraControl, TextToVideo
from kling.camera_control import CAMERA_AXES, CAMERA_TYPES
from kling.sandbox.renderer.camera import REST, Pose, path_from_control, path_from_words
from kling.sandbox.renderer.prompt_reader import read_scene as scene
from kling.studio.prompting import camera_words
from tests.kling.tools import law
from tests.studio.prompting.legal import TEXT, cameras

STRENGTHS = {"slowly": 2, "steadily": 5, "quickly": 9}
SIMPLE = [
    CameraControl(type="simple", config={axis: sign * value})
    for axis in CAMERA_AXES
    for sign in (-1, 1)
    for value in STRENGTHS.values()
]
PRESETS = [CameraControl(type=name) for name in CAMERA_TYPES if name != "simple"]


def signs(pose: Pose) -> dict[str, bool]:
    return {
        name: getattr(pose, name) > getattr(REST, name)
        for name in Pose.__slots__
        if getattr(pose, name) != getattr(REST, name)
    }


@pytest.mark.parametrize("control", SIMPLE + PRESETS, ids=str)
def test_the_sandbox_draws_the_sentence_as_the_same_move(control):
    sentence = camera_words.move_in_words(control)
    understood = camera_words.find_move(sentence)
    assert understood is not None
    assert understood.type == control.type
    drawn = path_from_words(scene(f"A quiet lake at noon. {sentence}").camera)
    assert drawn == path_from_control(understood.type, understood.config)
    ordered = path_from_control(control.type, control.config)
    assert ordered is not None
    assert [signs(pose) for pose in drawn] == [signs(pose) for pose in ordered]


def test_every_move_and_strength_has_a_sentence_of_its_own():
    sentences = {camera_words.move_in_words(control) for control in SIMPLE + PRESETS}
    assert len(sentences) == 6 * 2 * 3 + 4
    assert camera_words.move_in_words(SIMPLE[0]) == "The camera moves left slowly."
    assert (
        camera_words.move_in_words(CameraControl(type="simple", config={"zoom": 9}))
        == "The camera zooms out quickly."
    )


@pytest.mark.parametrize(
    "control",
    [
        CameraControl(type="simple"),
        CameraControl(type="simple", config={"pan": 0, "zoom": 0}),
        CameraControl(type="simple", config={"dolly": 3}),
        CameraControl(type="other", config={"pan": 3}),
    ],
)
def test_what_is_no_move_has_no_words(control):
    assert camera_words.move_in_words(control) == ""
    assert camera_words.with_move("A fox", control) == "A fox"


@given(TEXT, cameras(), cameras())
@law
def test_the_move_is_replaced_and_found_again(prompt, first, second):
    once = camera_words.with_move(prompt, first)
    assert once.startswith(prompt)
    assert camera_words.move_in_words(first) in once
    twice = camera_words.with_move(once, second)
    assert twice == camera_words.with_move(prompt, second)
    found = camera_words.find_move(twice)
    assert found is not None
    assert camera_words.move_in_words(found) == camera_words.move_in_words(second)
    moved = TextToVideo(prompt="x", model_name="kling-v1", camera_control=found)
    assert moved.problems(retired_ok=True) == ()
    assert camera_words.with_move(twice, None).removesuffix(".").rstrip(" ") == prompt.removesuffix(
        "."
    ).rstrip(" ")


def test_it_stands_where_it_stood():
    slow, fast = (CameraControl(type="simple", config={"pan": value}) for value in (2, -9))
    text = f"A fox. {camera_words.move_in_words(slow)} Snow falls. {camera_words.move_in_words(fast)}"
    assert camera_words.with_move(text, fast) == f"A fox. {camera_words.move_in_words(fast)} Snow falls."
    assert camera_words.with_move(text, None) == "A fox. Snow falls."
    assert camera_words.find_move(text) == slow
    assert camera_words.find_move("The camera pans left.") is None


@given(st.text())
@law
def test_a_prompt_without_such_a_sentence_is_left_alone(prompt):
    assert camera_words.with_move(prompt, None) == prompt
    assert camera_words.find_move(prompt) is None
