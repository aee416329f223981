"""The request of video to audio."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kling import ApiKey, Client, InvalidRequest, VideoToAudio
from kling.endpoint import VIDEO_TO_AUDIO, endpoint_of
from tests.kling.tools import law
from tests.transport import Transport, answer

GOOD = VideoToAudio(video_id="9", sound_effect_prompt="steps in snow", external_task_id="job-7")


def fields(request: VideoToAudio) -> list[str]:
    return [problem.field for problem in request.problems()]


def test_it_goes_to_its_own_endpoint_without_a_model():
    task = {"task_id": "7", "task_status": "submitted", "task_info": {"external_task_id": "job-7"}}
    transport = Transport(answer({"code": 0, "data": task}))
    assert Client(ApiKey("key"), transport=transport).create(GOOD).task_id == "7"
    [call] = transport.sent
    assert call.path == "/v1/audio/video-to-audio"
    assert call.json == {
        "video_id": "9",
        "sound_effect_prompt": "steps in snow",
        "external_task_id": "job-7",
    }
    assert endpoint_of(GOOD) is VIDEO_TO_AUDIO


def test_every_length_costs_the_same():
    assert GOOD.units() == Decimal("0.25")


@pytest.mark.parametrize(
    ("change", "refused"),
    [
        ({}, []),
        ({"video_id": ""}, ["video_id"]),
        ({"video_id": "", "video_url": "https://example.com/fox.mp4"}, []),
        ({"video_url": "https://example.com/fox.mp4"}, ["video_id"]),
        ({"video_id": "", "video_url": "fox.mp4"}, ["video_url"]),
        ({"video_id": "", "video_url": "http://example.com/fox.mp4"}, ["video_url"]),
        ({"video_id": "9" * 129}, ["video_id"]),
        ({"video_id": "9\n"}, ["video_id"]),
        ({"sound_effect_prompt": "x" * 200, "bgm_prompt": "x" * 200}, []),
        ({"sound_effect_prompt": "x" * 201}, ["sound_effect_prompt"]),
        ({"bgm_prompt": "x" * 201}, ["bgm_prompt"]),
        ({"sound_effect_prompt": ""}, []),
        ({"external_task_id": "a b"}, ["external_task_id"]),
    ],
)
def test_the_rules_of_the_page_hold(change, refused):
    values = {"video_id": "9", "sound_effect_prompt": "steps", **change}
    assert fields(VideoToAudio(**values)) == refused


@law
@given(
    st.builds(
        VideoToAudio,
        video_id=st.sampled_from(["", "9"]),
        video_url=st.sampled_from(["", "https://example.com/fox.mp4"]),
        sound_effect_prompt=st.text(max_size=20),
        bgm_prompt=st.text(max_size=20),
        asmr_mode=st.booleans(),
        callback_url=st.sampled_from(["", "https://example.com/cb"]),
        external_task_id=st.sampled_from(["", "job-7"]),
    )
)
def test_reading_a_body_is_the_inverse_of_writing_it(request):
    parsed = VideoToAudio.from_wire(request.to_wire())
    assert (parsed.request, parsed.unknown, parsed.unusable) == (request, (), ())


def test_a_body_that_is_no_object_is_refused():
    with pytest.raises(InvalidRequest):
        VideoToAudio.from_wire([])
