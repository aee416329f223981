"""Callbacks: what they say, in which sequence they come, how they are signed, and where they may go."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import pytest

from kling.sandbox import contract
from kling.sandbox.callbacks import PAUSES, USER_AGENT, Callbacks, Send, post, signature
from kling.sandbox.calls import Request
from tests.sandbox.conftest import Bench

URL = "http://127.0.0.1:9/callbacks?key=1"
SECRET = "whsec_dGVzdHNlY3JldHRlc3RzZWNyZXR0ZXN0c2VjcmV0MTI="


@pytest.mark.parity("callback-signature")
def test_the_official_test_vector():
    body = (
        b'{"id":"1234567890","status":"succeeded","message":"",'
        b'"create_time":1781080778802,"update_time":1781080794151}'
    )
    expected = "v1,UsKlJP00XoQyOn410NM9xv34sP+Gl0jnOO9Lcpr7NJ4="
    assert signature(SECRET, "9876543210", 1781080794, body) == expected


class Listener:
    """A callback URL that gives these answers, an HTTP status or an error each, and then 200.

    With `send` the callbacks go where that sends them instead.
    """

    def __init__(
        self, bench: Bench, *answers: int | Exception, send: Send | None = None, **options: Any
    ) -> None:
        self.bench = bench
        self.answers = list(answers)
        self.heard: list[tuple[str, Mapping[str, str], Any]] = []
        self.slept: list[float] = []
        self.callbacks = Callbacks(
            engine=bench.engine,
            now=lambda: bench.now,
            send=send or self.send,
            sleep=self.sleep,
            record=lambda _task, status, result: self.results.append((status, result)),
            **options,
        )
        self.results: list[tuple[str, str]] = []

    async def send(self, url: str, headers: Mapping[str, str], body: bytes) -> int:
        self.heard.append((url, headers, json.loads(body)))
        answer = self.answers.pop(0) if self.answers else 200
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)

    def listen(self) -> None:
        """Send callbacks until none is due at this moment."""

        async def listen() -> None:
            while True:
                before = len(self.results)
                self.callbacks.send_due()
                await self.callbacks.wait_until_sent()
                if len(self.results) == before:
                    return

        asyncio.run(listen())

    @property
    def statuses(self):
        return [body["task_status"] for _, _, body in self.heard]


@pytest.mark.parity("callback-body")
def test_every_change_is_reported_once_and_in_sequence(bench):
    listener = Listener(bench)
    task_id = bench.create(callback_url=URL, external_task_id="mine", watermark_info={"enabled": True})[
        "task_id"
    ]
    bench.create()
    listener.listen()
    assert listener.statuses == ["submitted"]
    bench.later(1)
    listener.listen()
    listener.listen()
    assert listener.statuses == ["submitted", "processing"]
    bench.finish()
    listener.listen()
    assert listener.statuses == ["submitted", "processing", "succeed"]
    assert listener.callbacks.send_due() is False
    for url, headers, body in listener.heard:
        assert url == URL
        assert headers == {"content-type": "application/json; charset=utf-8", "user-agent": USER_AGENT}
        assert list(contract.problems("Callback", body)) == []
        assert (body["task_id"], body["task_info"]) == (task_id, {"external_task_id": "mine"})
    assert [body["updated_at"] - body["created_at"] for _, _, body in listener.heard] == [0, 700, 3000]
    assert listener.heard[-1][2]["final_unit_deduction"] == "1.5"
    assert list(listener.heard[-1][2]["task_result"]["videos"][0]) == ["id", "url", "duration"]


@pytest.mark.parity("newer-callback")
def test_the_newer_generation_has_a_body_of_its_own(bench):
    listener = Listener(bench)
    options = {"callback_url": URL, "external_task_id": "mine", "watermark_info": {"enabled": True}}
    made = bench.made("/text-to-video/kling-3.0", {"prompt": "A fox", "options": options})
    bench.draw()
    bench.later(60)
    listener.listen()
    bodies = [body for _, _, body in listener.heard]
    assert [body["status"] for body in bodies] == ["submitted", "processing", "succeeded"]
    assert [body["update_time"] - body["create_time"] for body in bodies] == [0, 700, 3000]
    assert [len(body["outputs"]) for body in bodies] == [len(body["billing"]) for body in bodies] == [0, 0, 1]
    for body in bodies:
        assert list(contract.problems("NewerTask", body)) == []
        assert (body["id"], body["external_id"]) == (made["id"], "mine")


@pytest.mark.parametrize("fault", ["cash", "cash-only", "cash-mixed"])
def test_an_account_pays_in_callbacks_as_in_queries(bench, fault):
    bench.change(faults=frozenset({fault}))
    listener = Listener(bench)
    older = bench.create(callback_url=URL)["task_id"]
    newer = bench.made("/text-to-video/kling-3.0", {"prompt": "A fox", "options": {"callback_url": URL}})[
        "id"
    ]
    bench.draw()
    bench.later(60)
    listener.listen()
    (listed,) = bench.call("GET", "/tasks", task_ids=newer).body["data"]
    heard = {body.get("task_id") or body["id"]: body for _, _, body in listener.heard}
    assert heard[newer]["billing"] == listed["billing"]
    query = Request(
        method="GET",
        path=f"/v1/videos/text2video/{older}",
        query={},
        headers={"authorization": bench.authorization},
        body=b"",
    )
    asked = bench.engine.handle(query, bench.now).body["data"]
    names = ("final_unit_deduction", "final_balance_deduction")
    assert [heard[older].get(name) for name in names] == [asked.get(name) for name in names]
    assert asked["final_balance_deduction"]["quota"] != "0"


def test_a_callback_about_sound_has_the_sound(bench):
    listener = Listener(bench)
    video = bench.create()["task_id"]
    bench.finish()
    bench.made("/v1/audio/video-to-audio", {"video_id": f"9{video[1:]}", "callback_url": URL})
    bench.draw()
    bench.later(60)
    listener.listen()
    results = [body["task_result"] for _, _, body in listener.heard]
    assert [(len(one["videos"]), len(one["audios"])) for one in results] == [(0, 0), (0, 0), (1, 1)]


def test_changes_that_nobody_looked_for_are_reported_afterwards(bench):
    listener = Listener(bench)
    bench.create(callback_url=URL, prompt="sandbox-failed")
    bench.later(60)
    listener.listen()
    assert listener.statuses == ["submitted", "processing", "failed"]
    assert [body["task_status_msg"] != "" for _, _, body in listener.heard] == [False, False, True]


def test_with_a_secret_callbacks_are_signed(bench):
    listener = Listener(bench, secret=SECRET)
    bench.create(callback_url=URL)
    listener.listen()
    _, headers, body = listener.heard[0]
    raw = json.dumps(body).encode()
    assert headers["webhook-timestamp"] == str(int(bench.now))
    assert headers["webhook-signature"] == signature(SECRET, headers["webhook-id"], int(bench.now), raw)


@pytest.mark.parity("callback-retries")
def test_a_callback_that_fails_is_tried_again_and_then_dropped(bench):
    listener = Listener(bench, 500, ConnectionRefusedError("nobody"), 302, TimeoutError(), 200)
    bench.create(callback_url=URL)
    listener.listen()
    assert listener.slept == list(PAUSES)
    assert [result.split(":")[0] for _, result in listener.results] == ["failed"] * 4
    bench.later(1)
    listener.listen()
    assert listener.results[-1] == ("processing", "ok")
    assert len({headers.get("webhook-id") for _, headers, _ in listener.heard}) == 1


@pytest.mark.parity("callback-hosts")
@pytest.mark.parametrize(
    "url", ["http://192.0.2.1/", "http://[2001:db8::1]/", "ftp://127.0.0.1/", "nonsense", "http://"]
)
def test_callbacks_stay_on_this_machine(bench, url):
    listener = Listener(bench, send=post)
    bench.create(callback_url=url)
    listener.listen()
    assert listener.results[0][1].startswith("dropped")


@pytest.mark.parametrize("url", ["http://127.0.0.1:99999/", "http://[", "http://127.0.0.1:1/"])
def test_a_url_that_cannot_be_reached_stops_nothing(bench, url):
    listener = Listener(bench, send=post)
    bench.create(callback_url=url)
    listener.listen()
    assert listener.results[-1][1].startswith(("failed", "dropped"))


def test_a_callback_is_an_ordinary_post():
    received = []

    async def serve(reader, writer):
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        received.append((head, await reader.readexactly(length)))
        writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        await writer.drain()
        writer.close()

    async def send() -> int:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        url = f"http://127.0.0.1:{port}/a b\r\nx: y?q=1 2"
        status = await post(url, {"content-type": "application/json"}, b"{}")
        server.close()
        return status

    assert asyncio.run(send()) == 204
    head, body = received[0]
    assert head.startswith(b"POST /a%20bx:%20y?q=1%202 HTTP/1.1\r\nhost: 127.0.0.1:")
    assert body == b"{}"
