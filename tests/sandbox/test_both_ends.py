"""The client and the sandbox read the documentation apart from each other; here they meet."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kling import CameraControl, Shot, TextToVideo
from kling.sandbox import contract
from kling.sandbox.rules import Refused, parse_request

FIVE = (Shot(prompt="A fox wakes", duration="2"), Shot(prompt="It runs", duration="3"))
ZOOM = CameraControl(type="simple", config={"zoom": 3})


def tidy(request: TextToVideo) -> TextToVideo:
    """Return a request without the fields that have no effect, which only the client refuses."""
    if contract.MODELS[request.model_name].get("ignores_mode"):
        request = replace(request, mode=None)
    if not request.multi_shot:
        request = replace(request, shot_type=None)
    return request if request.shot_type == "customize" else replace(request, multi_prompt=())


def refusal(request: TextToVideo, retired: str) -> str | None:
    """Return why the sandbox refuses what the client sends, or None."""
    try:
        parse_request(
            json.dumps(request.to_wire()).encode(), contract.TEXT_TO_VIDEO, strict=True, retired=retired
        )
    except Refused as refused:
        return refused.message
    return None


shots = st.builds(
    Shot, prompt=st.sampled_from(["A fox", "", "x" * 512, "x" * 513]), duration=st.sampled_from("12350")
)
cameras = st.builds(
    CameraControl,
    type=st.sampled_from(["simple", "down_back", "spin"]),
    config=st.dictionaries(st.sampled_from(["zoom", "pan"]), st.sampled_from([0, 5, -10, 10.5]), max_size=2),
)
FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "prompt": st.sampled_from(["A fox", "A fox", "A fox", "", "   ", "x" * 2500, "x" * 2501]),
    "model_name": st.sampled_from(list(contract.MODELS)),
    "negative_prompt": st.sampled_from(["", "", "dogs", "x" * 2501]),
    "mode": st.sampled_from(["std", "std", "pro", "4k", "max"]),
    "duration": st.sampled_from(["5", "5", "10", "3", "15", "16", "", "5s"]),
    "aspect_ratio": st.sampled_from(["16:9", "16:9", "9:16", "1:1", "4:3"]),
    "sound": st.sampled_from(["off", "off", "on"]),
    "cfg_scale": st.sampled_from([None, None, 0, 0.5, 1, -0.1, 1.5]),
    "camera_control": st.none() | st.none() | cameras,
    "multi_shot": st.booleans(),
    "shot_type": st.sampled_from(["customize", "customize", "intelligence", None, "auto"]),
    "multi_prompt": st.lists(shots, max_size=7).map(tuple) | st.just(FIVE),
    "watermark": st.booleans(),
}
requests = st.builds(TextToVideo, **FIELDS).map(tidy)


def test_both_ends_meet_in_every_field_and_in_no_other():
    of_one_task = {"callback_url", "external_task_id"}  # of no model, so no model refuses them
    assert FIELDS.keys() | of_one_task == {field.name for field in fields(TextToVideo)}
    properties = contract.OPENAPI["components"]["schemas"]["CreateTask"]["properties"]
    assert properties.keys() == TextToVideo.FIELDS.keys()


@settings(max_examples=600, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(request=requests, retired=st.sampled_from(["serve", "refuse"]))
def test_what_the_client_lets_through_the_sandbox_takes_and_nothing_else(request, retired):
    problems, refused = request.problems(retired_ok=retired == "serve"), refusal(request, retired)
    assert bool(problems) == (refused is not None), (problems, refused, request)


@pytest.mark.parametrize("model_name", contract.MODELS)
@pytest.mark.parametrize("mode", ["std", "pro", "4k"])
@pytest.mark.parametrize("sound", ["off", "on"])
@pytest.mark.parametrize("duration", ["3", "5", "10"])
@pytest.mark.parametrize("retired", ["serve", "refuse"])
def test_both_agree_on_what_each_model_takes(model_name, mode, sound, duration, retired):
    request = TextToVideo(prompt="A fox", model_name=model_name, mode=mode, sound=sound, duration=duration)
    request = tidy(request)
    problems, refused = request.problems(retired_ok=retired == "serve"), refusal(request, retired)
    assert bool(problems) == (refused is not None), (problems, refused)
