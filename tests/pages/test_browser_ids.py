"""The cookie of a browser: signed, exchanged once for one of an older version, and never waited for."""

from __future__ import annotations

import asyncio
import json
import threading
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.responses import HTMLResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from kling.studio.identity.roles import Action
from kling.studio.service import Studio
from kling.studio.state import drafts
from kling.studio.state.faults import FILE
from pages._ui.routes import gate
from pages._ui.routes.cookies import BROWSER_COOKIE
from pages._ui.routes.paths import Door

HERE = "http://localhost:8501"
PAGE = {"Accept": "text/html"}
OLD, DRAFT = "a" * 32, "0" * 20


async def page(_request: Any) -> HTMLResponse:
    return HTMLResponse("<p>page</p>")


@pytest.fixture
def app(studio: Studio) -> Starlette:
    doors = [Door("/page", Action.LOOK)]
    return Starlette(routes=[Route("/page", page)], middleware=gate.middleware(studio.settings, doors))


def visit(app: Starlette, cookie: str) -> str:
    """Open a page with a cookie; return the one that the browser has afterwards."""
    with TestClient(app, base_url=HERE) as browser:
        answer = browser.get("/page", headers=PAGE | {"Cookie": f"{BROWSER_COOKIE}={cookie}"})
        assert answer.status_code == 200
        return str(answer.cookies.get(BROWSER_COOKIE, cookie))


def test_an_id_that_the_studio_made_stays(studio: Studio, app: Starlette):
    cookie = studio.state.browsers.new()
    assert visit(app, cookie) == cookie


def test_a_made_up_id_is_replaced_by_one_of_ours(studio: Studio, app: Starlette):
    for made_up in ("", OLD, f"{OLD}.{'0' * 64}"):
        assert studio.state.browsers.verify(visit(app, made_up))


def test_a_cookie_of_an_older_version_gets_its_drafts_once(
    studio: Studio, app: Starlette, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(drafts, "EXCHANGE_SECONDS", 0.0)
    (tmp_path / "drafts").mkdir()
    old = {"browser": OLD, "fields": {"prompt": "A fox"}, "made": ["v1"]}
    (tmp_path / "drafts" / f"{DRAFT}.json").write_text(json.dumps(old))
    first, second = visit(app, OLD), visit(app, OLD)
    verify, store = studio.state.browsers.verify, studio.state.drafts
    assert store.open(DRAFT, verify(first)).made == ("v1",)
    assert store.open(DRAFT, verify(second)).made == ()
    assert visit(app, first) == first


def test_a_database_that_does_not_answer_leaves_the_browser_its_cookie(studio: Studio, app: Starlette):
    studio.state.stop()
    (studio.settings.data_dir / FILE).unlink()  # where there is one, nobody gets a page before it answers
    assert visit(app, OLD) == OLD


async def answer_to(app: Starlette, cookie: str) -> list[str]:
    """Ask for the page without a server in between; return the names of the answer's headers."""
    names: list[str] = []
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/page",
        "query_string": b"",
        "scheme": "http",
        "headers": [
            (b"host", b"localhost:8501"),
            (b"accept", b"text/html"),
            (b"cookie", f"{BROWSER_COOKIE}={cookie}".encode()),
        ],
    }

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b""}

    async def send(message: Any) -> None:
        names.extend(name.decode() for name, _ in message.get("headers", ()))

    await app(scope, receive, send)
    return names


def test_others_are_served_while_one_browser_s_exchange_waits_for_the_database(
    studio: Studio, app: Starlette, monkeypatch: pytest.MonkeyPatch
):
    known, goes_on = studio.state.browsers.new(), threading.Event()
    real = studio.state.cookie_for

    def slow(cookie: str) -> str:
        assert goes_on.wait(120)
        return real(cookie)

    monkeypatch.setattr(studio.state, "cookie_for", slow)

    async def both() -> tuple[list[str], list[str]]:
        waiting = asyncio.create_task(answer_to(app, OLD))
        await asyncio.sleep(0)
        served = await answer_to(app, known)
        assert not waiting.done()
        goes_on.set()
        return served, await waiting

    served, late = asyncio.run(both())
    assert "set-cookie" not in served
    assert "set-cookie" in late
