"""Video to audio: which videos it takes, what it costs, and what it gives."""

from __future__ import annotations

from typing import Any

import pytest

from kling.sandbox import contract
from kling.sandbox.contract import VIDEO_TO_AUDIO
from tests.sandbox.conftest import base64_of, picture

DAY_MS = 24 * 3600 * 1000


def video_of(bench, **fields: Any) -> str:
    """Return the id of a finished video."""
    task_id = bench.create(**fields)["task_id"]
    bench.finish()
    return str(bench.task(task_id)["task_result"]["videos"][0]["id"])


def sound_of(bench, **fields: Any) -> Any:
    """Make sound, and return the finished task."""
    task_id = bench.made(VIDEO_TO_AUDIO, fields)["task_id"]
    bench.finish()
    return bench.call("GET", f"{VIDEO_TO_AUDIO}/{task_id}").body["data"]


@pytest.mark.parity("audio-result", "audio-price", "video-source")
def test_a_video_gets_its_sound(bench):
    video = video_of(bench)
    task = sound_of(
        bench,
        video_id=video,
        sound_effect_prompt="Steps in snow",
        bgm_prompt="Piano",
        external_task_id="mine",
    )
    assert task["task_status"] == "succeed"
    assert task["final_unit_deduction"] == "0.25"
    assert task["task_info"]["parent_video"] == {
        "id": video,
        "url": f"http://127.0.0.1/clips/8{video[1:]}.mp4",
        "duration": "5",
    }
    (clip,), (sound,) = task["task_result"]["videos"], task["task_result"]["audios"]
    assert clip["url"].endswith(f"/clips/{task['task_id']}.mp4")
    assert [sound[name].rsplit(".", 1)[1] for name in ("url_mp3", "url_wav")] == ["mp3", "wav"]
    assert {sound["duration_mp3"], sound["duration_wav"], clip["duration"]} == {"5"}
    again = sound_of(bench, video_id=clip["id"])
    assert again["task_info"]["parent_video"]["id"] == clip["id"]


@pytest.mark.parity("tasks-both")
def test_the_newer_generation_shows_it_too(bench):
    task_id = sound_of(bench, video_id=video_of(bench))["task_id"]
    (task,) = bench.tasks(task_id)
    assert [output["type"] for output in task["outputs"]] == ["video", "audio"]
    assert task["billing"] == [{"charge_type": "unit", "amount": "0.25", "package_type": "audio"}]
    assert bench.ask("/tasks", {}).body["data"]["result"][0]["id"] == task_id
    videos = [{"key": "product_type", "values": ["video"]}]
    assert bench.ask("/tasks", {"filters": videos}).body["data"]["count"] == 1


def test_a_video_of_the_newer_generation_and_of_a_picture_get_sound(bench):
    new = bench.made("/text-to-video/kling-3.0", {"prompt": "A fox", "settings": {"duration": 3}})["id"]
    old = bench.made(
        "/v1/videos/image2video", {"model_name": "kling-v3", "prompt": "x", "image": base64_of(picture())}
    )
    bench.finish()
    assert (
        sound_of(bench, video_id=bench.tasks(new)[0]["outputs"][0]["id"])["task_result"]["videos"][0][
            "duration"
        ]
        == "3"
    )
    assert sound_of(bench, video_id=f"9{old['task_id'][1:]}")["task_status"] == "succeed"


@pytest.mark.parametrize(
    ("rule", "fields"),
    [
        ("video-source", {}),
        ("video-source", {"video_id": "", "video_url": ""}),
        ("video-source", {"video_id": "{video}", "video_url": "https://example.com/a.mp4"}),
        ("video-known", {"video_id": "900000000000000001"}),
        ("video-known", {"video_id": "x"}),
    ],
)
@pytest.mark.parity("video-source", "video-known")
def test_a_video_that_is_not_there_is_refused(bench, rule, fields):
    video = video_of(bench)
    answer = bench.ask(VIDEO_TO_AUDIO, {name: text.format(video=video) for name, text in fields.items()})
    assert (answer.status, answer.body["code"]) == (400, 1201)
    assert contract.RULES[rule].message.split("{")[0] in answer.body["message"]


@pytest.mark.parity("video-known")
def test_a_video_is_taken_for_30_days_once_it_is_made(bench):
    running = bench.create()["task_id"]
    assert bench.ask(VIDEO_TO_AUDIO, {"video_id": f"9{running[1:]}"}).body["code"] == 1201
    video = video_of(bench)
    bench.engine.advance(29 * DAY_MS)
    sound_of(bench, video_id=video)
    bench.engine.advance(2 * DAY_MS)
    assert "30 days" in bench.ask(VIDEO_TO_AUDIO, {"video_id": video}).body["message"]


@pytest.mark.parity("video-length")
def test_a_video_must_last_3_to_20_seconds(bench, monkeypatch):
    shortest = video_of(bench, model_name="kling-v3", duration="3")
    assert sound_of(bench, video_id=shortest)["task_status"] == "succeed"
    monkeypatch.setitem(contract.ALL_MODELS["video-to-audio"], "seconds", [4, 20])
    assert "not 3" in bench.ask(VIDEO_TO_AUDIO, {"video_id": shortest}).body["message"]


@pytest.mark.parity("video-url")
def test_a_url_is_an_own_clip_or_is_not_fetched(bench):
    video = video_of(bench, model_name="kling-v3", duration="4")
    own = sound_of(bench, video_url=f"http://localhost:1/clips/8{video[1:]}.mp4")
    assert own["task_info"]["parent_video"]["id"] == video
    for url in ("https://example.com/a.mp4", "http://[", "nonsense"):
        other = sound_of(bench, video_url=url)
        assert other["task_info"]["parent_video"] == {"id": "", "url": url, "duration": "5"}


@pytest.mark.parametrize("field", ["sound_effect_prompt", "bgm_prompt"])
def test_words_are_limited_and_may_ask_for_a_code(bench, field):
    video = video_of(bench)
    assert bench.ask(VIDEO_TO_AUDIO, {"video_id": video, field: "x" * 201}).body["message"].startswith(field)
    assert bench.ask(VIDEO_TO_AUDIO, {"video_id": video, field: "sandbox-1301"}).body["code"] == 1301
    bench.made(VIDEO_TO_AUDIO, {"video_id": video, field: "x" * 200, "asmr_mode": True})


@pytest.mark.parity("audio-slot")
def test_it_has_slots_of_its_own_and_the_ids_of_the_account(bench):
    video = video_of(bench)
    bench.change(concurrency=1)
    bench.create(external_task_id="mine")
    assert bench.ask(VIDEO_TO_AUDIO, {"video_id": video, "external_task_id": "mine"}).body["code"] == 1201
    bench.made(VIDEO_TO_AUDIO, {"video_id": video})
    assert bench.ask(VIDEO_TO_AUDIO, {"video_id": video}).body["code"] == 1303


def test_its_results_are_cleared_after_30_days(bench):
    task = sound_of(bench, video_id=video_of(bench))
    bench.engine.advance(31 * DAY_MS)
    cleared = bench.call("GET", f"{VIDEO_TO_AUDIO}/{task['task_id']}").body["data"]
    assert cleared["task_result"] == {"videos": [], "audios": []}
    assert bench.call("GET", VIDEO_TO_AUDIO).body["data"] == [cleared]
