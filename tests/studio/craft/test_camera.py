"""Camera moves as words: one sentence each, found again, and drawn by the sandbox as the same move."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kling import CameraControl, TextToVideo
from kling.models import CAMERA_AXES, CAMERA_TYPES
from kling.sandbox.draw.camera import REST, Pose, spoken, waypoints
from kling.sandbox.draw.words import read as scene
from kling.studio.craft import camera
from tests.kling.tools import law
from tests.studio.craft.legal import TEXT, cameras

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
    sentence = camera.words(control)
    understood = camera.read(sentence)
    assert understood is not None
    assert understood.type == control.type
    drawn = spoken(scene(f"A quiet lake at noon. {sentence}").camera)
    assert drawn == waypoints(understood.type, understood.config)
    ordered = waypoints(control.type, control.config)
    assert ordered is not None
    assert [signs(pose) for pose in drawn] == [signs(pose) for pose in ordered]


def test_every_move_and_strength_has_a_sentence_of_its_own():
    sentences = {camera.words(control) for control in SIMPLE + PRESETS}
    assert len(sentences) == 6 * 2 * 3 + 4
    assert camera.words(SIMPLE[0]) == "The camera moves left slowly."
    assert camera.words(CameraControl(type="simple", config={"zoom": 9})) == "The camera zooms out quickly."


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
    assert camera.words(control) == ""
    assert camera.write_into("A fox", control) == "A fox"


@given(TEXT, cameras(), cameras())
@law
def test_the_move_is_replaced_and_found_again(prompt, first, second):
    once = camera.write_into(prompt, first)
    assert once.startswith(prompt)
    assert camera.words(first) in once
    twice = camera.write_into(once, second)
    assert twice == camera.write_into(prompt, second)
    found = camera.read(twice)
    assert found is not None
    assert camera.words(found) == camera.words(second)
    moved = TextToVideo(prompt="x", model_name="kling-v1", camera_control=found)
    assert moved.problems(retired_ok=True) == ()
    assert camera.write_into(twice, None).removesuffix(".").rstrip(" ") == prompt.removesuffix(".").rstrip(
        " "
    )


def test_it_stands_where_it_stood():
    slow, fast = (CameraControl(type="simple", config={"pan": value}) for value in (2, -9))
    text = f"A fox. {camera.words(slow)} Snow falls. {camera.words(fast)}"
    assert camera.write_into(text, fast) == f"A fox. {camera.words(fast)} Snow falls."
    assert camera.write_into(text, None) == "A fox. Snow falls."
    assert camera.read(text) == slow
    assert camera.read("The camera pans left.") is None


@given(st.text())
@law
def test_a_prompt_without_such_a_sentence_is_left_alone(prompt):
    assert camera.write_into(prompt, None) == prompt
    assert camera.read(prompt) is None
