"""The web application: hosts, Range of clips, hostile bodies, control plane, faults without raw sockets."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from kling.sandbox import contract
from kling.sandbox.app import SandboxApp
from kling.sandbox.auth import API_KEY
from kling.sandbox.callbacks import USER_AGENT
from kling.sandbox.calls import MAX_BODY, longest_body
from kling.sandbox.clips import Clips
from kling.sandbox.contract import TEXT_TO_VIDEO
from tests.sandbox.conftest import picture

CLIP = bytes(range(256)) * 4
REQUEST = {"model_name": "kling-v2-6", "prompt": "A fox in the snow", "external_task_id": "mine"}


@pytest.fixture
def sandbox(bench, tmp_path):
    return SandboxApp(bench.engine, Clips(folder=tmp_path, style="drawn"), lambda: bench.now)


@pytest.fixture
def web(sandbox):
    """A caller on this machine; without lifespan, so that nothing is drawn."""
    headers = {"Authorization": f"Bearer {API_KEY}"}
    return TestClient(sandbox.asgi, "http://127.0.0.1:4242", headers=headers, client=("127.0.0.1", 5000))


@pytest.fixture
def anywhere(bench, sandbox):
    """A caller of the same sandbox that listens on more than a loopback address."""
    wide = SandboxApp(bench.engine, sandbox.clips, lambda: bench.now, loopback_only=False)
    headers = {"Authorization": f"Bearer {API_KEY}"}
    return TestClient(wide.asgi, "http://sandbox.example", headers=headers, client=("10.0.0.9", 5000))


@pytest.fixture
def clip(bench, web, sandbox):
    """The path of a finished clip's URL."""
    task_id = web.post(TEXT_TO_VIDEO, json=REQUEST).json()["data"]["task_id"]
    sandbox.clips.path(bench.engine.store.find(task_id)).write_bytes(CLIP)
    bench.finish()
    return f"/clips/{task_id}.mp4"


def test_a_clip_is_at_the_url_of_the_task(web, clip):
    video = web.get(f"{TEXT_TO_VIDEO}/mine").json()["data"]["task_result"]["videos"][0]
    assert video["url"] == f"http://127.0.0.1:4242{clip}"
    answer = web.get(video["url"], headers={"Authorization": ""})
    assert (answer.status_code, answer.content) == (200, CLIP)
    assert answer.headers["content-type"] == "video/mp4"
    assert answer.headers["accept-ranges"] == "bytes"


@pytest.mark.parametrize("host", ["localhost:4242", "sandbox.example", "[::1]:4242", "10.0.0.1"])
def test_clip_urls_follow_the_host_that_the_client_used(anywhere, clip, host):
    task = anywhere.get(f"{TEXT_TO_VIDEO}/mine", headers={"Host": host}).json()["data"]
    assert task["task_result"]["videos"][0]["url"] == f"http://{host}{clip}"


@pytest.mark.parametrize("host", ["a/b", "x y", "user@host", "<script>", '"'])
@pytest.mark.usefixtures("clip")
def test_a_host_that_is_none_gets_into_no_url(anywhere, host):
    task = anywhere.get(f"{TEXT_TO_VIDEO}/mine", headers={"Host": host}).json()["data"]
    assert host not in task["task_result"]["videos"][0]["url"]


@pytest.mark.parametrize(
    ("asked", "status", "content", "content_range"),
    [
        ("bytes=0-9", 206, CLIP[:10], "bytes 0-9/1024"),
        ("bytes=1000-", 206, CLIP[1000:], "bytes 1000-1023/1024"),
        ("bytes=-24", 206, CLIP[-24:], "bytes 1000-1023/1024"),
        ("bytes=0-9999", 206, CLIP, "bytes 0-1023/1024"),
        ("bytes=1024-", 416, None, "bytes */1024"),
        ("bytes=-0", 416, None, "bytes */1024"),
        ("bytes=9-1", 200, CLIP, None),
        ("lines=1-2", 200, CLIP, None),
        ("bytes=x", 200, CLIP, None),
        ("bytes=-", 200, CLIP, None),
    ],
)
def test_a_range_of_a_clip(web, clip, asked, status, content, content_range):  # noqa: PLR0917 -- fixtures and cases
    answer = web.get(clip, headers={"Range": asked})
    assert answer.status_code == status
    assert answer.headers.get("content-range") == content_range
    if content is not None:
        assert answer.content == content
        assert int(answer.headers["content-length"]) == len(content)


def test_several_ranges_come_as_one_answer(web, clip):
    answer = web.get(clip, headers={"Range": "bytes=0-1,100-101"})
    assert answer.status_code == 206
    assert answer.headers["content-type"].startswith("multipart/byteranges")


def test_the_sound_of_a_task_of_video_to_audio_is_served_and_no_other(bench, web, sandbox, clip):
    asked = {"video_id": f"9{clip[8:25]}"}
    task_id = web.post("/v1/audio/video-to-audio", json=asked).json()["data"]["task_id"]
    task = bench.engine.store.find(task_id)
    for path in (
        sandbox.clips.path(task),
        sandbox.clips.sound(task, "mp3"),
        sandbox.clips.sound(task, "wav"),
    ):
        path.write_bytes(path.suffix.encode())
    assert web.get(f"/clips/{task_id}.mp3").status_code == 404, "it is not finished"
    bench.finish()
    kinds = {"mp4": "video/mp4", "mp3": "audio/mpeg", "wav": "audio/wav"}
    for kind, media_type in kinds.items():
        answer = web.get(f"/clips/{task_id}.{kind}")
        assert (answer.content, answer.headers["content-type"]) == (f".{kind}".encode(), media_type)
    assert web.get(clip.replace("mp4", "mp3")).status_code == 404
    assert web.get(f"/clips/{task_id}-watermark.mp3").status_code == 404
    web.post("/_sandbox/reset")
    assert list(sandbox.clips.folder.iterdir()) == []


@pytest.mark.parity("bodies-of-pictures")
@pytest.mark.parametrize(
    ("path", "most"),
    [
        ("/text-to-video/kling-3.0", MAX_BODY),
        ("/v1/videos/image2video", 28 << 20),
        ("/image-to-video/kling-3.0", 70 << 20),
    ],
)
def test_bodies_with_pictures_may_be_larger(path, most):
    assert longest_body(path) == longest_body(f"{path}/") == most


def test_a_picture_of_several_megabytes_is_taken(web):
    noise = base64.b64encode(picture(2000, 1500, "JPEG") + bytes(3 << 20)).decode()
    body = {"contents": [{"type": "prompt", "text": "Snow"}, {"type": "first_frame", "url": noise}]}
    assert web.post("/image-to-video/kling-3.0", json=body).json()["code"] == 0
    assert web.post("/text-to-video/kling-3.0", json=body).json()["code"] == 1200


def test_head_says_how_long_a_clip_is(web, clip):
    answer = web.head(clip)
    assert (answer.status_code, answer.headers["content-length"], answer.content) == (200, "1024", b"")


def test_a_range_of_a_clip_that_changed_is_the_whole_clip(web, clip):
    etag = web.head(clip).headers["etag"]
    assert web.get(clip, headers={"Range": "bytes=0-9", "If-Range": etag}).status_code == 206
    assert web.get(clip, headers={"Range": "bytes=0-9", "If-Range": '"another"'}).status_code == 200


@pytest.mark.parametrize(
    "name",
    [
        "..%2Fsandbox.sqlite",
        "../sandbox.sqlite",
        "x.mp4",
        "drawing-{id}.mp4",
        "{id}.mp4%00",
        "{id}",
        "{id}-watermark.mp4",
    ],
)
def test_nothing_but_clips_is_served(web, clip, name):
    answer = web.get(f"/clips/{name.format(id=clip[7:25])}")
    assert answer.status_code in {401, 404}
    assert web.post(clip).status_code in {401, 404, 405}


def test_a_clip_of_an_earlier_run_in_the_other_style_is_still_served(web, clip, sandbox):
    sandbox.clips = Clips(folder=sandbox.clips.folder, style="tiny")
    assert web.get(clip).content == CLIP


def test_a_watermarked_clip_is_served_only_to_tasks_that_asked_for_it(web, clip, sandbox):
    tiny = Clips(folder=sandbox.clips.folder, style="tiny")
    tiny.path(sandbox.engine.store.find("mine")).write_bytes(CLIP)
    assert web.get(clip.replace(".mp4", "-watermark.mp4")).status_code == 404


def test_a_clip_that_is_not_finished_is_not_served(web, sandbox, bench):
    task_id = web.post(TEXT_TO_VIDEO, json=REQUEST).json()["data"]["task_id"]
    sandbox.clips.path(bench.engine.store.find(task_id)).write_bytes(CLIP)
    assert web.get(f"/clips/{task_id}.mp4").status_code == 404


def test_a_body_that_is_too_large_is_refused(web):
    answer = web.post(TEXT_TO_VIDEO, content=b" " * (MAX_BODY + 1))
    assert answer.json()["code"] == 1200
    assert "body" in answer.json()["message"]


def test_an_error_in_the_sandbox_itself_is_still_an_answer_of_the_api(web, sandbox, monkeypatch):
    monkeypatch.setattr(sandbox.engine, "handle", None)
    answer = web.post(TEXT_TO_VIDEO, json=REQUEST)
    assert (answer.status_code, answer.json()["code"]) == (500, 5000)
    assert list(contract.problems("ErrorAnswer", answer.json())) == []


def test_each_answer_has_a_request_id_of_its_own(web):
    assert web.get(TEXT_TO_VIDEO).json()["request_id"] != web.get(TEXT_TO_VIDEO).json()["request_id"]


def test_health_and_the_contract_are_open_to_all(anywhere):
    assert anywhere.get("/_sandbox/health").json() == {"status": "ok", "tasks": 0, "open": 0}
    assert anywhere.get("/_sandbox/openapi.json").json() == contract.OPENAPI


EVERY_ROUTE = [
    ("POST", TEXT_TO_VIDEO),
    ("GET", TEXT_TO_VIDEO),
    ("GET", f"{TEXT_TO_VIDEO}/mine"),
    ("GET", "/account/costs"),
    ("GET", "/clips/800000000000000001.mp4"),
    ("GET", "/_sandbox/health"),
    ("GET", "/_sandbox/openapi.json"),
    ("POST", "/_sandbox/plan"),
    ("GET", "/"),
]


@pytest.mark.parity("loopback-hosts")
@pytest.mark.parametrize(("method", "path"), EVERY_ROUTE)
@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "rebound.example:4242"},
        {"Host": "127.0.0.1.rebound.example"},
        {"Host": "localhost.rebound.example:4242"},
        {"Host": "10.0.0.9:4242"},
        {"Host": "0.0.0.0:4242"},
        {"Host": ""},
        {"Host": "[["},
        {"Host": "rebound.example:4242", "Origin": "http://rebound.example:4242"},
        {"Origin": "http://evil.example"},
        {"Origin": "http://127.0.0.1:8501"},
        {"Origin": "http://127.0.0.1"},
        {"Origin": "https://127.0.0.1:4242"},
        {"Origin": "null"},
        {"Origin": ""},
    ],
    ids=lambda headers: " ".join(f"{name} {value}" for name, value in headers.items()),
)
def test_a_web_page_of_somebody_else_reaches_nothing(web, sandbox, method, path, headers):
    answer = web.request(method, path, headers=headers, json=REQUEST if method == "POST" else None)
    assert answer.status_code == 403
    assert list(answer.json()) == ["problem"]
    assert sandbox.engine.store.count_by_external_task_id() == {}
    assert list(sandbox.journal) == []


@pytest.mark.parametrize("host", ["127.0.0.1:4242", "127.0.0.7", "localhost:4242", "LOCALHOST", "[::1]:4242"])
def test_every_loopback_name_is_answered_and_its_own_origin(web, host):
    for headers in ({"Host": host}, {"Host": host, "Origin": f"http://{host}"}):
        assert web.get(TEXT_TO_VIDEO, headers=headers).json()["code"] == 0


def test_on_other_addresses_any_host_is_answered_but_no_other_origin(anywhere):
    assert anywhere.get(TEXT_TO_VIDEO).json()["code"] == 0
    assert anywhere.get(TEXT_TO_VIDEO, headers={"Origin": "http://sandbox.example"}).json()["code"] == 0
    assert anywhere.get(TEXT_TO_VIDEO, headers={"Origin": "http://evil.example"}).status_code == 403


def test_no_web_page_opens_a_socket(web):
    with (
        pytest.raises(WebSocketDisconnect),
        web.websocket_connect("/", headers={"Origin": "http://evil.example"}),
    ):
        pass


@pytest.mark.parametrize(
    ("url", "peer", "headers"),
    [
        ("http://127.0.0.1:1", "10.0.0.9", {}),
        ("http://rebound.example:1", "127.0.0.1", {}),
        ("http://127.0.0.1:1", "127.0.0.1", {"Origin": "http://evil.example"}),
        ("http://127.0.0.1:1", "127.0.0.1", {"Host": "[["}),
        ("http://127.0.0.1:1", "127.0.0.1", {"User-Agent": USER_AGENT}),
    ],
)
def test_the_control_plane_answers_this_machine_only(sandbox, url, peer, headers):
    web = TestClient(sandbox.asgi, url, client=(peer, 5000), headers=headers)
    for method, path in (("POST", "reset"), ("POST", "plan"), ("GET", "journal"), ("GET", "accepted")):
        assert web.request(method, f"/_sandbox/{path}").status_code == 403


def test_reset_deletes_tasks_and_clips(web, clip, sandbox):
    assert web.post("/_sandbox/reset").status_code == 200
    assert web.get("/_sandbox/journal").json() == []
    assert web.get(clip).status_code == 404
    assert list(sandbox.clips.folder.iterdir()) == []


def test_the_clock_can_be_advanced(web, clip):
    before = web.get("/_sandbox/clock").json()["now"]
    assert web.post("/_sandbox/clock", json={"advance_days": 31}).json()["now"] == before + 31 * 86_400_000
    assert web.get(clip).status_code == 404
    refused: tuple[object, ...] = (
        {"advance_days": -1},
        {"advance_days": "1"},
        {},
        [],
        {"advance_seconds": 1e300},
        {"x": 1},
    )
    for wrong in refused:
        assert web.post("/_sandbox/clock", json=wrong).status_code == 400


@pytest.mark.parametrize(
    "plan",
    [
        [],
        {"on": "nothing"},
        {"code": 42},
        {"fault": "fire"},
        {"pace": "slowly"},
        {"pace": "seconds:1.2.3"},
        {"x": 1},
    ],
)
def test_a_plan_that_is_none_is_refused(web, plan):
    answer = web.post("/_sandbox/plan", json=plan)
    assert answer.status_code == 400
    assert answer.json()["problem"]


def test_the_journal_tells_requests_without_credentials(web):
    web.post(
        TEXT_TO_VIDEO, json=REQUEST, headers={"Authorization": "Bearer a.very.secret", "Cookie": "secret"}
    )
    web.get(TEXT_TO_VIDEO, params={"pageNum": 2})
    first, second = web.get("/_sandbox/journal").json()
    assert (first["method"], first["path"], first["body"], first["code"]) == (
        "POST",
        TEXT_TO_VIDEO,
        REQUEST,
        1002,
    )
    assert (second["query"], second["code"]) == ({"pageNum": "2"}, 0)
    assert "secret" not in json.dumps([first, second])


def test_the_journal_tells_downloads(web, clip):
    web.get(clip)
    seen = [(entry["path"], entry["status"]) for entry in web.get("/_sandbox/journal").json()]
    assert seen[-1] == (clip, 200)


def test_the_journal_can_be_read_whatever_was_sent(web):
    for body in (
        b'{"prompt": "\\ud800"}',
        b'{"a": NaN}',
        b"[" * 900,
        b"\xff",
        b'{"a":' * 90 + b"1" + b"}" * 90,
    ):
        web.post(TEXT_TO_VIDEO, content=body)
    assert len(web.get("/_sandbox/journal").json()) == 5


def test_a_lag_planned_here_hides_a_task_that_is_counted(web):
    web.post("/_sandbox/plan", json={"on": "create", "lag": 60})
    task_id = web.post(TEXT_TO_VIDEO, json=REQUEST).json()["data"]["task_id"]
    assert web.get(f"{TEXT_TO_VIDEO}/{task_id}").json()["code"] == 1201
    assert web.get("/_sandbox/accepted").json()["by_external_task_id"] == {"mine": 1}
    assert web.post("/_sandbox/clock", json={"advance_seconds": 60}).status_code == 200
    assert web.get(f"{TEXT_TO_VIDEO}/{task_id}").json()["data"]["task_status"] == "processing"
    assert [web.post("/_sandbox/plan", json={"lag": lag}).status_code for lag in (-1, "1", 1e9)] == [400] * 3


def test_accepted_counts_what_was_really_created(web):
    web.post("/_sandbox/plan", json={"on": "create", "fault": "html-502"})
    assert web.post(TEXT_TO_VIDEO, json=REQUEST).status_code == 502
    assert web.post(TEXT_TO_VIDEO, json=REQUEST).json()["code"] == 1201
    web.post(TEXT_TO_VIDEO, json=REQUEST | {"external_task_id": ""})
    expected = {"total": 2, "without_id": 1, "by_external_task_id": {"mine": 1}}
    assert web.get("/_sandbox/accepted").json() == expected


def planned(web: TestClient, **plan: Any) -> None:
    assert web.post("/_sandbox/plan", json=plan).json()["waiting"]


def test_spoiled_bodies(web):
    web.post(TEXT_TO_VIDEO, json=REQUEST)
    planned(web, on="query", fault="empty")
    assert web.get(f"{TEXT_TO_VIDEO}/mine").content == b""
    planned(web, on="query", fault="garbage")
    with pytest.raises((UnicodeDecodeError, json.JSONDecodeError)):
        web.get(f"{TEXT_TO_VIDEO}/mine").json()
    planned(web, on="query", fault="unknown-status")
    assert web.get(f"{TEXT_TO_VIDEO}/mine").json()["data"]["task_status"] == "reviewing"
    planned(web, on="query", fault="html-404")
    assert web.get(f"{TEXT_TO_VIDEO}/mine").status_code == 404
    planned(web, on="any", fault="code-text", times=2)
    assert web.get(f"{TEXT_TO_VIDEO}/mine").json()["code"] == "0"
    assert web.get(f"{TEXT_TO_VIDEO}/nobody").json()["code"] == "1201"
    planned(web, on="query", fault="extra-fields")
    assert "new_field" in web.get(f"{TEXT_TO_VIDEO}/mine").json()["data"]
    assert list(contract.problems("TaskAnswer", web.get(f"{TEXT_TO_VIDEO}/mine").json())) == []


def test_slow_and_dribbled_answers_are_whole_in_the_end(web, clip):
    good = web.get(f"{TEXT_TO_VIDEO}/mine").json()["data"]
    for fault in ("slow", "dribble"):
        planned(web, on="query", fault=fault, seconds=0.001)
        assert web.get(f"{TEXT_TO_VIDEO}/mine").json()["data"] == good
        planned(web, on="clip", fault=fault, seconds=0.001)
        assert web.get(clip).content == CLIP


def test_pages_in_another_order(web):
    ids = [
        web.post(TEXT_TO_VIDEO, json=REQUEST | {"external_task_id": ""}).json()["data"]["task_id"]
        for _ in range(6)
    ]
    planned(web, on="list", fault="other-order", times=2)
    pages = [
        [
            task["task_id"]
            for task in web.get(TEXT_TO_VIDEO, params={"pageNum": n, "pageSize": 3}).json()["data"]
        ]
        for n in (1, 2)
    ]
    assert sorted(pages[0]) == ids[:3]
    assert sorted(pages[1]) == ids[3:]
    assert pages[0] + pages[1] != ids


def test_spoiled_clips(web, clip):
    planned(web, on="clip", fault="truncated-video", external_task_id="mine")
    assert web.get(clip).content == CLIP[:512]
    planned(web, on="clip", fault="expired-url")
    assert web.get(clip).status_code == 403
    assert web.get(clip).content == CLIP


@pytest.mark.parametrize(
    ("fault", "changed"),
    [
        ("wrong-duration", {"seconds": 6}),
        ("wrong-size", {"width": 960, "height": 540}),
        ("wrong-aspect", {"width": 1080}),
        ("wrong-fps", {"fps": 12}),
        ("no-sound", {"sound": False}),
    ],
)
def test_a_clip_can_be_ordered_wrong(web, bench, sandbox, fault, changed):
    planned(web, on="create", fault=fault)
    web.post(TEXT_TO_VIDEO, json=REQUEST | {"mode": "pro", "sound": "on"})
    drawn = sandbox.clips.spec(bench.engine.store.find("mine"))
    right = {"seconds": 5, "width": 1920, "height": 1080, "fps": 24, "sound": True}
    assert {name: getattr(drawn, name) for name in right} == right | changed


def test_a_clip_can_have_sound_that_nobody_ordered(web, bench, sandbox):
    planned(web, on="create", fault="unexpected-sound")
    web.post(TEXT_TO_VIDEO, json=REQUEST)
    assert sandbox.clips.spec(bench.engine.store.find("mine")).sound


def test_a_raw_fault_without_the_proxy_says_so(web):
    planned(web, on="create", fault="reset")
    answer = web.post(TEXT_TO_VIDEO, json=REQUEST)
    assert answer.status_code == 500
    assert "kling.sandbox.proxy" in answer.json()["message"]
    assert web.get(f"{TEXT_TO_VIDEO}/mine").json()["code"] == 0
