"""The client and the sandbox read the documentation apart from each other; here they meet."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kling import CameraControl, Shot, TextToVideo
from kling.endpoint import ENDPOINTS, AnyRequest, Endpoint, endpoint_of
from kling.image_to_video import ImageToVideo
from kling.newer_wire import FIELDS as NEWER_FIELDS
from kling.sandbox import contract
from kling.sandbox.calls import Request, parse_call
from kling.sandbox.refusals import Refused
from kling.sandbox.settings import Settings
from kling.text_to_video import RANGES
from kling.video_to_audio import VideoToAudio
from tests.sandbox.conftest import base64_of, picture

FIVE = (Shot(prompt="A fox wakes", duration="2"), Shot(prompt="It runs", duration="3"))
ZOOM = CameraControl(type="simple", config={"zoom": 3})


def tidy(request: TextToVideo) -> TextToVideo:
    """Return a request without the fields that have no effect, which only the client refuses."""
    if contract.MODELS.get(request.model_name, {}).get("ignores_mode"):
        request = replace(request, mode=None)
    if not request.multi_shot:
        request = replace(request, shot_type=None)
    return request if request.shot_type == "customize" else replace(request, multi_prompt=())


def refusal(request: AnyRequest, retired: str, endpoint: Endpoint | None = None) -> str | None:
    """Return why the sandbox refuses what the client sends, or None."""
    endpoint = endpoint or endpoint_of(request)
    call = endpoint.dialect.create_call(endpoint.path, request.to_wire())
    headers = {"content-type": "application/json"}
    sent = Request(method=call.method, path=call.path, headers=headers, body=json.dumps(call.json).encode())
    try:
        assert parse_call(sent, Settings(strict=True, retired=retired)).name == "create"
    except Refused as refused:
        return refused.message
    return None


def is_lost(request: TextToVideo) -> bool:
    """Return whether the newer generation has no field for a part of a request, and cannot refuse it."""
    if endpoint_of(request).api == "v1":
        return False
    said = request.mode in {"std", "pro", "4k"} and request.duration.isdigit()
    return (
        bool(request.to_wire().keys() - NEWER_FIELDS)
        or not said
        or (request.multi_shot and not request.multi_prompt)
    )


def agree(request: AnyRequest, retired: str = "refuse", *, lost: bool = False) -> None:
    """Check that both ends refuse a request, or that neither does."""
    problems = request.problems(retired_ok=retired == "serve")
    if lost and problems:
        return
    refused = refusal(request, retired)
    assert bool(problems) == (refused is not None), (problems, refused, request)


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
    "model_name": st.sampled_from([*contract.MODELS, "kling-3.0-turbo"]),
    "negative_prompt": st.sampled_from(["", "", "dogs", "x" * 2501]),
    "mode": st.sampled_from(["std", "std", "pro", "4k", "max"]),
    "duration": st.sampled_from(["5", "5", "10", "3", "15", "16", "", "5s"]),
    "aspect_ratio": st.sampled_from(["16:9", "16:9", "9:16", "1:1", "4:3"]),
    "sound": st.sampled_from(["off", "off", "on"]),
    **{name: st.sampled_from([None, None, *ends, ends[0] - 1, ends[1] + 1]) for name, ends in RANGES.items()},
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
    fields_of = contract.OPENAPI["components"]["schemas"]
    assert fields_of["CreateImageTask"]["properties"].keys() >= ImageToVideo.FIELDS.keys()
    assert fields_of["CreateAudioTask"]["properties"].keys() == VideoToAudio.FIELDS.keys()


@settings(max_examples=400, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(request=requests, retired=st.sampled_from(["serve", "refuse"]))
def test_what_the_client_lets_through_the_sandbox_takes_and_nothing_else(request, retired):
    agree(request, retired, lost=is_lost(request))


PICTURE = base64_of(picture())
images = st.sampled_from(
    ["https://example.com/a.png", PICTURE, PICTURE, "", "data:image/png;base64,AAAA", "?"]
)
image_requests = st.builds(
    ImageToVideo,
    image=images,
    image_tail=st.just("") | images,
    **{
        name: FIELDS[name]
        for name in (
            *("prompt", "negative_prompt", "mode", "duration", "sound", "watermark"),
            *("multi_shot", "shot_type", "multi_prompt"),
        )
    },
    model_name=st.sampled_from(
        ["kling-v3", "kling-v2-6", "kling-v2-5-turbo", "kling-3.0-turbo", "kling-v1-6"]
    ),
)


def tidy_image(request: ImageToVideo) -> ImageToVideo:
    words = tidy(request.words)
    return replace(request, mode=words.mode, shot_type=words.shot_type, multi_prompt=words.multi_prompt)


@settings(max_examples=200, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(request=image_requests.map(tidy_image))
def test_what_the_client_lets_through_with_pictures_the_sandbox_takes_and_nothing_else(request):
    agree(request, lost=is_lost(request.words))


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: endpoint.name)
def test_the_sandbox_has_every_endpoint_of_the_client(endpoint):
    made: dict[type, AnyRequest] = {
        TextToVideo: TextToVideo(prompt="A fox"),
        ImageToVideo: ImageToVideo(prompt="A fox", image=PICTURE),
        VideoToAudio: VideoToAudio(video_id="1"),
    }
    request = made[endpoint.request]
    assert request.problems() == ()
    assert refusal(request, "refuse", endpoint) is None


@settings(max_examples=100, deadline=None, derandomize=True)
@given(
    request=st.builds(
        VideoToAudio,
        video_id=st.sampled_from(["", "", "1"]),
        video_url=st.sampled_from(["", "https://example.com/a.mp4"]),
        sound_effect_prompt=st.sampled_from(["", "rain", "x" * 200, "x" * 201]),
        bgm_prompt=st.sampled_from(["", "piano", "x" * 201]),
        asmr_mode=st.booleans(),
    )
)
def test_both_agree_on_what_video_to_audio_takes(request):
    agree(request)


@pytest.mark.parametrize("model_name", [*contract.MODELS, "kling-3.0-turbo"])
@pytest.mark.parametrize("mode", ["std", "pro", "4k"])
@pytest.mark.parametrize("sound", ["off", "on"])
@pytest.mark.parametrize("duration", ["3", "5", "10"])
@pytest.mark.parametrize("retired", ["serve", "refuse"])
def test_both_agree_on_what_each_model_takes(model_name, mode, sound, duration, retired):
    request = TextToVideo(prompt="A fox", model_name=model_name, mode=mode, sound=sound, duration=duration)
    request = tidy(request)
    agree(request, retired)
