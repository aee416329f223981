"""A request and the JSON of its create call: each comes back from the other, and no JSON breaks it."""

from __future__ import annotations

import json
from dataclasses import fields, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kling import CameraControl, InvalidRequest, Problem, Shot, TextToVideo
from kling.request_body import MOST_NOTES, NAME_LIMIT, TEXT_LIMIT, Reader
from tests.kling.tools import law
from tests.studio.prompting import legal

NUMBERS = st.integers() | st.floats() | st.just(10**400)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=8,
)
INNER = ("type", "config", "pan", "enabled", "index", "prompt", "duration")
VALUES = JSON | st.recursive(
    JSON,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(INNER), inner, max_size=4),
    max_leaves=8,
)
NAMES = st.sampled_from([*TextToVideo.FIELDS, "image", "seed"]) | st.text(max_size=80)
BODIES = st.dictionaries(NAMES, VALUES, max_size=12)


@law
@given(legal.requests(), st.sampled_from(["", "https://studio.example/hook"]), st.sampled_from(["", "job-1"]))
def test_every_request_that_can_be_sent_comes_back_from_its_body(request_, callback_url, task_id):
    request_ = replace(request_, callback_url=callback_url, external_task_id=task_id)
    assert not request_.problems(retired_ok=True)
    body = json.loads(json.dumps(request_.to_wire()))
    parsed = TextToVideo.from_wire(body)
    assert (parsed.request, parsed.unknown, parsed.unusable) == (request_, (), ())
    assert parsed.request.to_wire() == body
    assert body.keys() <= TextToVideo.FIELDS.keys()


@settings(law, max_examples=50)  # each body has up to twelve fields
@given(BODIES)
def test_whatever_the_body_holds_there_is_a_request_and_short_notes(body):
    parsed = TextToVideo.from_wire(body)
    assert len(parsed.unknown) <= MOST_NOTES
    assert len(parsed.unusable) <= MOST_NOTES
    assert all(len(name) <= NAME_LIMIT + 40 for name in parsed.unknown)
    parsed.request.problems()
    json.dumps(parsed.request.to_wire(), allow_nan=False)
    assert TextToVideo.from_wire(parsed.request.to_wire()).request == parsed.request


@settings(law, max_examples=30)
@given(JSON.filter(lambda body: not isinstance(body, dict)))
def test_what_is_no_object_is_an_invalid_request(body):
    with pytest.raises(InvalidRequest, match="JSON object"):
        TextToVideo.from_wire(body)


def test_each_field_of_a_request_has_one_of_the_body():
    own = {field.name for field in fields(TextToVideo)} - {"watermark"} | {"watermark_info"}
    assert own == TextToVideo.FIELDS.keys()


def test_what_is_left_out_is_empty_and_not_a_default():
    request = TextToVideo.from_wire({}).request
    assert (request.model_name, request.mode, request.duration, request.aspect_ratio) == ("", None, "", "")
    assert (request.sound, request.cfg_scale, request.camera_control) == ("off", None, None)


def test_what_is_unknown_or_unusable_is_named_with_its_place():
    body = {
        "image": "https://…",
        "cfg_scale": "1",
        "prompt": ["x"],
        "camera_control": {"type": "simple", "config": {"pan": "1", "zoom": 2}, "speed": 1},
        "multi_prompt": [{"prompt": "a", "voice": 1}, "b"],
        "watermark_info": {"enabled": 1, "text": "me"},
    }
    parsed = TextToVideo.from_wire(body)
    assert parsed.unknown == (
        "image",
        "camera_control.speed",
        "multi_prompt[1].voice",
        "watermark_info.text",
    )
    assert parsed.unusable == (
        Problem("prompt", "has to be text in quotes."),
        Problem("cfg_scale", "has to be a number."),
        Problem("camera_control.config.pan", "has to be a number."),
        Problem("multi_prompt[2]", "has to be an object with index, prompt and duration."),
        Problem("watermark_info.enabled", "has to be true or false."),
    )
    assert parsed.request.camera_control == CameraControl(type="simple", config={"zoom": 2})
    assert parsed.request.multi_prompt == (Shot(prompt="a", duration=""),)


def test_a_number_is_taken_for_a_text_and_shots_are_put_in_their_order():
    shots = [{"index": 2, "prompt": "two", "duration": 3}, {"index": 1, "prompt": "one", "duration": "2"}]
    request = TextToVideo.from_wire({"duration": 5, "multi_prompt": shots}).request
    assert request.duration == "5"
    assert request.multi_prompt == (Shot(prompt="one", duration="2"), Shot(prompt="two", duration="3"))


@pytest.mark.parametrize(("value", "number"), [(7, 7), (7.0, 7), (0, 0), (-1, -1), (None, None)])
def test_a_whole_number_may_be_written_with_a_point(value, number):
    reader = Reader({"n": value}, ("n",))
    assert repr((reader.whole_number("n"), reader.unusable)) == repr((number, []))


@pytest.mark.parametrize("value", [7.5, "7", True, [7], 10**400, 1e300, float("inf"), float("nan")])
def test_what_is_no_whole_number_is_left_out_and_noted(value):
    reader = Reader({"n": value}, ("n",))
    assert reader.whole_number("n") is None
    assert reader.unusable == [Problem("n", "has to be a whole number.")]


@pytest.mark.parametrize("config", [None, "None", {}, {"pan": 0, "zoom": 0}])
def test_a_preset_may_say_in_any_way_that_it_has_no_config(config):
    body = {"camera_control": {"type": "down_back", "config": config}}
    assert TextToVideo.from_wire(body).request.camera_control == CameraControl(type="down_back")


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({"prompt": "x" * (TEXT_LIMIT + 1)}, "prompt"),
        ({"duration": 10**400}, "duration"),
        ({"cfg_scale": 10**400}, "cfg_scale"),
        ({"cfg_scale": float("nan")}, "cfg_scale"),
        ({"multi_prompt": [{}] * 101}, "multi_prompt"),
        ({"camera_control": {"config": {str(axis): 1 for axis in range(101)}}}, "camera_control.config"),
    ],
)
def test_what_is_endless_is_left_out(body, problem):
    parsed = TextToVideo.from_wire(body)
    assert [each.field for each in parsed.unusable] == [problem]
    assert len(str(parsed.request)) < 1000


def test_equal_movements_are_equal_however_they_are_written():
    still = CameraControl(type="simple", config={"zoom": 3, "pan": 0})
    assert still == CameraControl(type="simple", config={"zoom": 3})


def test_no_mode_and_an_empty_one_are_the_same_request():
    assert TextToVideo(mode="", shot_type="") == TextToVideo(mode=None)
