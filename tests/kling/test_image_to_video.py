"""The request of image to video: its rules, its JSON both ways, and its pictures."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kling import ApiKey, Client, ImageToVideo, InvalidRequest, Shot, catalog
from tests.kling.tools import law
from tests.transport import Transport, answer

FRAME = "https://example.com/fox.png"
GOOD = ImageToVideo(image=FRAME, prompt="It runs")
PICTURE = b"a picture"
NAME = hashlib.sha256(PICTURE).hexdigest()
LIVING = [model for model in catalog().models.values() if not model.retired]


def fields(request: ImageToVideo) -> list[str]:
    return [problem.field for problem in request.problems()]


def connect() -> tuple[Client, Transport]:
    transport = Transport(answer({"code": 0, "data": {"task_id": "7", "task_status": "submitted"}}))
    return Client(ApiKey("key"), base_url="https://kling.test", transport=transport), transport


@pytest.mark.parametrize("model", LIVING, ids=lambda model: model.name)
def test_every_living_model_animates_a_picture_at_the_price_of_its_videos(model):
    request = replace(GOOD, model_name=model.name)
    assert request.problems() == ()
    assert request.units() == model.modes["std"].units_per_second * 5


def test_a_model_that_animates_none_is_refused_with_the_one_to_use():
    assert "model_name" in fields(replace(GOOD, model_name="kling-v1"))


def test_the_first_frame_is_required_even_with_a_last_one():
    assert fields(ImageToVideo(prompt="It runs", image_tail=FRAME, mode="pro")) == ["image"]


@pytest.mark.parametrize(
    ("model", "mode", "sound", "refused"),
    [
        ("kling-v3", "std", "on", []),
        ("kling-v3", "4k", "off", []),
        ("kling-v2-6", "pro", "off", []),
        ("kling-v2-6", "std", "off", ["image_tail"]),
        ("kling-v2-6", "pro", "on", ["sound"]),
        ("kling-v2-5-turbo", "pro", "off", []),
        ("kling-v2-5-turbo", "std", "off", ["image_tail"]),
        ("kling-3.0-turbo", "pro", "off", ["image_tail"]),
        ("kling-of-tomorrow", "pro", "on", []),
    ],
)
def test_a_last_frame_is_taken_as_the_map_of_abilities_says(model, mode, sound, refused):
    request = replace(GOOD, model_name=model, mode=mode, sound=sound, image_tail=FRAME)
    assert fields(request) == refused


@pytest.mark.parametrize(
    ("image", "words"),
    [
        ("data:image/png;base64,AAAA", "without"),
        ("fox.png", "https address"),
        ("ftp://example.com/fox.png", "https address"),
        ("http://example.com/fox.png", "https address"),
        ("https://exa mple.com/fox.png", "https address"),
        ("A" * 13_400_000, "larger than 10 MB"),
    ],
    ids=["data", "file", "ftp", "http", "blank", "large"],
)
def test_what_names_no_picture_is_refused(image, words):
    [problem] = replace(GOOD, image=image).problems()
    assert problem.field == "image"
    assert words in problem.message


@pytest.mark.parametrize("image", [FRAME, NAME, base64.b64encode(PICTURE).decode()])
def test_an_address_a_name_and_bytes_are_pictures(image):
    assert replace(GOOD, image=image, image_tail=image, mode="pro").problems() == ()


def test_the_rules_of_text_to_video_hold_for_the_words():
    assert fields(replace(GOOD, prompt="", mode="8k", duration="7")) == ["prompt", "mode", "duration"]
    assert fields(replace(GOOD, model_name="kling-3.0-turbo", prompt="x" * 2501)) == ["prompt"]
    assert fields(replace(GOOD, model_name="kling-v3", prompt="x" * 3072)) == []


def test_the_body_has_no_aspect_ratio():
    assert GOOD.to_wire() == {
        "model_name": "kling-v2-6",
        "prompt": "It runs",
        "mode": "std",
        "duration": "5",
        "image": FRAME,
    }


REQUESTS = st.builds(
    ImageToVideo,
    image=st.sampled_from([FRAME, NAME]),
    image_tail=st.sampled_from(["", FRAME, NAME]),
    prompt=st.text(max_size=20),
    model_name=st.sampled_from([model.name for model in LIVING]),
    negative_prompt=st.sampled_from(["", "rain"]),
    mode=st.sampled_from([None, "std", "pro", "4k"]),
    duration=st.sampled_from(["5", "10"]),
    sound=st.sampled_from(["on", "off"]),
    multi_shot=st.booleans(),
    shot_type=st.sampled_from([None, "customize", "intelligence"]),
    multi_prompt=st.lists(st.builds(Shot, prompt=st.text(max_size=9), duration=st.just("2")), max_size=3).map(
        tuple
    ),
    watermark=st.booleans(),
    callback_url=st.sampled_from(["", "https://example.com/cb"]),
    external_task_id=st.sampled_from(["", "job-7"]),
)


@law
@given(REQUESTS)
def test_reading_a_body_is_the_inverse_of_writing_it(request):
    parsed = ImageToVideo.from_wire(request.to_wire())
    assert (parsed.request, parsed.unknown, parsed.unusable) == (request, (), ())


@pytest.mark.parametrize("body", [None, [], "text"])
def test_a_body_that_is_no_object_is_refused(body):
    with pytest.raises(InvalidRequest):
        ImageToVideo.from_wire(body)


def test_a_shot_switch_in_quotes_as_in_the_official_sample_is_noted_and_not_taken():
    parsed = ImageToVideo.from_wire({**GOOD.to_wire(), "multi_shot": "true"})
    assert [problem.field for problem in parsed.unusable] == ["multi_shot"]


# -- sending -------------------------------------------------------------------------------------------------


def test_the_bytes_of_a_picture_take_the_place_of_its_name():
    client, transport = connect()
    request = replace(GOOD, image=NAME, image_tail=FRAME, mode="pro")
    client.create(request, picture_bytes={NAME: PICTURE}.__getitem__)
    [call] = transport.sent
    assert call.path == "/v1/videos/image2video"
    assert call.json == {
        **request.to_wire(),
        "image": base64.b64encode(PICTURE).decode(),
    }


@pytest.mark.parametrize("picture_bytes", [None, {}.__getitem__])
def test_a_picture_that_is_not_there_any_more_is_not_sent_as_its_name(picture_bytes):
    client, transport = connect()
    with pytest.raises(InvalidRequest, match="not there any more"):
        client.create(replace(GOOD, image=NAME), picture_bytes=picture_bytes)
    assert transport.sent == []


def test_a_request_that_names_a_picture_costs_the_same():
    assert replace(GOOD, image=NAME).units() == Decimal("1.5")
