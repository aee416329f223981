"""The route for callbacks: what it takes for a hint, what it refuses, and that it believes nothing."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect
from starlette.testclient import TestClient

from kling import TextToVideo
from kling.sandbox.callbacks import signature
from kling.sandbox.responses import callback_body
from kling.studio.orders import Press
from kling.studio.service import Studio
from kling.studio.settings import Settings
from pages._ui import context
from pages._ui.routes import callbacks, gate
from pages._ui.routes.hosts import known_hosts
from tests.studio.clips import tiny_clip
from tests.studio.fakes import order_one
from tests.studio.in_process import InProcess, Wire, engine_at

PUBLIC = "https://studio.example"
SECRET = "whsec_" + base64.b64encode(b"a key of the webhook").decode()
LEGACY = {"task_id": "800", "task_status": "succeed", "task_info": {"external_task_id": "ours"}}
NEW = {"id": "800", "status": "succeeded", "external_id": "ours", "outputs": []}


@pytest.fixture
def hints(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """What reached the studio."""
    heard: list[tuple[str, str]] = []
    studio.settings = replace(studio.settings, public_url=PUBLIC, receives_callbacks=True)
    monkeypatch.setattr(studio.poller, "wake_for", lambda *ids: heard.append(ids))
    return heard


@pytest.fixture
def post(hints: list[tuple[str, str]]) -> Iterator[Callable[..., Any]]:  # noqa: ARG001 - it opens the route
    app = Starlette(routes=callbacks.routes(), middleware=gate.middleware(context.studio().settings))
    with TestClient(app, base_url=PUBLIC) as kling:

        def send(body: object, **headers: str) -> Any:
            content = body if isinstance(body, bytes) else json.dumps(body).encode()
            return kling.post("/callbacks", content=content, headers=headers)

        yield send


def signed(body: bytes, *, secret: str = SECRET, age: int = 0) -> dict[str, str]:
    now = int(time.time()) - age
    return {
        "webhook-id": "1",
        "webhook-timestamp": str(now),
        "webhook-signature": signature(secret, "1", now, body),
    }


@pytest.mark.parametrize("body", [LEGACY, NEW])
def test_both_bodies_are_hints(post, hints, body):
    assert post(body).status_code == 200
    assert hints == [("ours", "800")]


def test_a_task_that_nobody_knows_is_answered_like_any_other(post, studio, monkeypatch):
    monkeypatch.undo()  # the studio's own `hint`
    studio.settings = replace(studio.settings, public_url=PUBLIC, receives_callbacks=True)
    before = studio.ledger.jobs()
    answer = post({"id": "404", "status": "succeeded", "external_id": "../../etc/passwd"})
    assert (answer.status_code, answer.content) == (200, b"")
    assert studio.ledger.jobs() == before


def test_with_a_secret_only_its_signature_opens(post, hints, studio):
    studio.settings = replace(studio.settings, webhook_secret=SECRET)
    body = json.dumps(LEGACY).encode()
    other = "whsec_" + base64.b64encode(b"another key").decode()
    for headers in ({}, signed(body, secret=other), signed(body, age=301), signed(body + b" ")):
        assert post(body, **headers).status_code == 401
    assert hints == []
    assert post(body, **signed(body)).status_code == 200
    assert hints == [("ours", "800")]


def test_without_a_secret_a_signed_one_is_taken_too(post, hints):
    body = json.dumps(NEW).encode()
    assert post(body, **signed(body)).status_code == 200
    assert len(hints) == 1


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"{}", b"\xff", b"[" * 60_000])
def test_what_is_no_callback_is_said(post, hints, body):
    assert post(body).status_code == 400
    assert hints == []


def test_a_body_of_64_kilobytes_is_taken_and_no_longer_one(post, hints):
    room = callbacks.LIMIT - len(json.dumps(LEGACY | {"x": ""}))
    assert post(LEGACY | {"x": "a" * room}).status_code == 200
    assert post(LEGACY | {"x": "a" * (room + 1)}).status_code == 413
    assert len(hints) == 1


def test_a_page_of_another_site_cannot_send_one(post, hints):
    assert post(LEGACY, origin="https://evil.example").status_code == 403
    assert hints == []


def test_without_a_public_address_there_is_no_such_route(post, hints, studio):
    studio.settings = replace(studio.settings, receives_callbacks=False)
    assert post(LEGACY).status_code == 404
    assert hints == []


def test_nothing_but_a_post_is_answered(post):
    app = Starlette(routes=callbacks.routes())
    assert TestClient(app).get("/callbacks").status_code == 405
    assert post(LEGACY).status_code == 200


def test_a_callback_makes_the_look_come_earlier_and_the_look_decides(tmp_path: Path):
    """The whole way: the sandbox's own callback, the route, the poller, on one clock that stands still."""
    now = [1_795_000_000.0]
    engine = engine_at(now[0])
    wire = Wire(engine, tiny_clip(tmp_path / "tiny.mp4"), lambda: now[0])
    account = InProcess(wire, monotonic=lambda: now[0])
    account.is_sandbox = False  # Kling's pace: seconds between two looks
    studio = Studio(
        Settings(
            data_dir=tmp_path,
            public_url=PUBLIC,
            receives_callbacks=True,
            callback_url=f"{PUBLIC}/callbacks",
        ),
        connection=account,
        clock=lambda: now[0],
        monotonic=lambda: now[0],
        run=lambda call: call(),
    )
    context.install(studio)
    app = Starlette(routes=callbacks.routes(), middleware=gate.middleware(context.studio().settings))
    studio.poller.step()
    while studio.scan.is_running:  # the comparison at the start: its calls are none of a task's
        now[0] += 2.5
        studio.poller.step()
    with TestClient(app, base_url=PUBLIC) as kling:
        job_id = order_one(studio, TextToVideo(prompt="A fox"), Press(person="", session="")).id
        task = engine.store.find(job_id)
        assert task is not None
        assert task.request["callback_url"] == f"{PUBLIC}/callbacks"
        studio.poller.step()
        now[0] += 3.5  # the task is done, and the next look is not due
        calls = account.wire.calls
        studio.poller.step()
        assert account.wire.calls == calls
        lie = callback_body(task, "succeed") | {"task_status": "failed", "task_result": {}}
        assert kling.post("/callbacks", json=lie).status_code == 200
        studio.poller.step()
        found = studio.ledger.get(job_id)
    context.install(None)
    studio.stop()
    assert found is not None
    assert found.state == "succeed"
    assert found["file"]


class Slow:
    """A request whose body does not come."""

    def __init__(self, *, gone: bool) -> None:
        self.gone = gone

    async def stream(self) -> Any:
        import asyncio

        yield b"{"
        if self.gone:
            raise ClientDisconnect
        await asyncio.Future[None]()


@pytest.mark.parametrize(("gone", "status"), [(True, 400), (False, 408)])
@pytest.mark.usefixtures("hints")
def test_a_body_that_stays_away_holds_nothing_for_long(monkeypatch, gone, status):
    import asyncio

    monkeypatch.setattr(callbacks, "BODY_TIMEOUT", 0.001)
    slow: Any = Slow(gone=gone)
    assert asyncio.run(callbacks.callback(slow)).status_code == status


def test_a_refusal_is_logged_once_for_each_reason(post, caplog):
    callbacks.log_refusal.cache_clear()
    for _ in range(3):
        post(b"{")
    assert [record.levelname for record in caplog.records if record.name == callbacks.__name__] == ["WARNING"]


@pytest.mark.parametrize(
    ("address", "allowed", "public", "names"),
    [
        ("127.0.0.1", [], "", {"localhost", "127.0.0.1"}),
        ("127.0.0.1", [], "https://studio.example:8443", {"localhost", "127.0.0.1", "studio.example"}),
        ("127.0.0.1", ["other.corp"], PUBLIC, {"localhost", "127.0.0.1", "other.corp", "studio.example"}),
        ("0.0.0.0", [], PUBLIC, {"studio.example", "192.0.2.7:8501"}),
        ("0.0.0.0", ["other.corp"], PUBLIC, {"other.corp", "studio.example"}),
    ],
)
def test_the_public_name_is_one_of_the_servers(monkeypatch, address, allowed, public, names):
    options = {
        "server.address": address,
        "server.allowedHosts": allowed,
        "browser.serverAddress": "localhost",
    }
    monkeypatch.setattr(st, "get_option", options.__getitem__)
    assert all(map(known_hosts(public).accept, names))
    assert not known_hosts(public).accept("evil.example")
