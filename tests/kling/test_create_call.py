"""The create call on the wire: path, headers and every field as the official page has them."""

from __future__ import annotations

import pytest

from kling import CameraControl, Shot, TextToVideo
from tests.kling.loopback import task
from tests.kling.tools import KEY

PROMPT = (
    "A cute little rabbit wearing glasses, sitting at a table, reading a newspaper, "
    "with a cup of cappuccino on the table"
)


@pytest.fixture
def sent(server, connect):
    """Create a task and return the body as the server saw it; retired models have fields of their own."""
    client = connect(retired_ok=True)

    def create(**fields):
        server.says(task())
        client.create(TextToVideo(**fields))
        return server.seen[-1].json

    return create


def test_the_call_is_the_documented_one(server, client):
    server.says(task())
    client.create(TextToVideo(prompt=PROMPT))
    (seen,) = server.seen
    assert (seen.method, seen.target) == ("POST", "/v1/videos/text2video")
    assert seen.headers["content-type"] == "application/json"
    assert seen.headers["authorization"] == f"Bearer {KEY}"


def test_the_official_example_goes_out_as_it_stands(sent):
    body = sent(
        model_name="kling-v2-6", prompt=PROMPT, duration="5", mode="pro", sound="on", aspect_ratio="1:1"
    )
    assert body == {  # its empty strings say nothing and are left out
        "model_name": "kling-v2-6",
        "prompt": PROMPT,
        "duration": "5",
        "mode": "pro",
        "sound": "on",
        "aspect_ratio": "1:1",
    }


def test_every_field_goes_out_under_its_documented_name(sent):
    body = sent(
        model_name="kling-v1",
        prompt="A fox",
        negative_prompt="rain",
        mode="std",
        duration="5",
        aspect_ratio="9:16",
        cfg_scale=0.7,
        camera_control=CameraControl(type="simple", config={"zoom": -2.5}),
        watermark=True,
        callback_url="https://studio.example/hook",
        external_task_id="job-1",
    )
    assert body == {
        "model_name": "kling-v1",
        "prompt": "A fox",
        "negative_prompt": "rain",
        "mode": "std",
        "duration": "5",
        "aspect_ratio": "9:16",
        "cfg_scale": 0.7,
        "camera_control": {
            "type": "simple",
            "config": {"horizontal": 0, "vertical": 0, "pan": 0, "tilt": 0, "roll": 0, "zoom": -2.5},
        },
        "watermark_info": {"enabled": True},
        "callback_url": "https://studio.example/hook",
        "external_task_id": "job-1",
    }


def test_the_official_storyboard_goes_out_as_it_stands(sent):
    seconds = ("2", "3", "3", "3", "3", "1")
    body = sent(
        model_name="kling-v3",
        mode="pro",
        sound="on",
        aspect_ratio="9:16",
        duration="15",
        multi_shot=True,
        shot_type="customize",
        multi_prompt=tuple(Shot(prompt=f"shot of {second}", duration=second) for second in seconds),
    )
    assert body == {
        "model_name": "kling-v3",
        "prompt": "",
        "mode": "pro",
        "sound": "on",
        "aspect_ratio": "9:16",
        "duration": "15",
        "multi_shot": True,
        "shot_type": "customize",
        "multi_prompt": [
            {"index": index, "prompt": f"shot of {second}", "duration": second}
            for index, second in zip(range(1, 7), seconds, strict=True)
        ],
    }


def test_a_camera_preset_goes_out_without_a_config(sent):
    body = sent(prompt="x", model_name="kling-v1", camera_control=CameraControl(type="forward_up"))
    assert body["camera_control"] == {"type": "forward_up"}


def test_the_model_is_named_even_when_nobody_chose_one(sent):
    assert sent(prompt="x")["model_name"] == "kling-v2-6"


def test_a_model_without_modes_is_sent_none(sent):
    assert "mode" not in sent(prompt="x", model_name="kling-v2-master", mode=None)


def test_what_is_left_open_for_an_unknown_model_is_left_out(sent):
    body = sent(prompt="x", model_name="kling-new", mode="", aspect_ratio="", shot_type="")
    assert body == {"model_name": "kling-new", "prompt": "x", "duration": "5"}


@pytest.mark.parametrize(
    "prompt", ["狐狸 🦊 im Schnee\n\tzweite Zeile", '"}, {"prompt": "', "<b>&amp;</b>", "NA"]
)
def test_a_prompt_arrives_as_it_was_written(prompt, sent):
    assert sent(prompt=prompt, negative_prompt=prompt)["prompt"] == prompt


def test_a_scale_of_zero_is_sent(sent):
    assert sent(prompt="x", model_name="kling-v3", cfg_scale=0)["cfg_scale"] == 0
