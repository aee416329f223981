"""A studio with its gate and the routes of signing in, and browsers before it."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from html import unescape
from typing import Any

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket, WebSocketDisconnect

from kling.studio.identity.passwords import Passwords
from kling.studio.identity.person import Person
from kling.studio.service import Studio
from kling.studio.sign_in_settings import SignInSettings
from kling.studio.state.shared import SharedState
from pages._ui.address import base_path
from pages._ui.routes import gate, invited, live, public_files, sign_in, sign_in_oidc, sign_out

HERE = "http://localhost:8501"
PAGE = {"Accept": "text/html,application/xhtml+xml"}
PASSWORD = "correct horse battery"
COOKIE = "studio_session"


def cheap_passwords() -> Passwords:
    """Return hashes that take no time, for tests that are not about that."""
    return Passwords(PasswordHash((Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1),)))


def whoami(request: Request) -> Response:
    user = request.state.user
    return PlainTextResponse(f"{user.name}, {user.role}")


async def stream(socket: WebSocket) -> None:
    await socket.accept(socket.scope["subprotocols"][0] if socket.scope["subprotocols"] else None)
    await socket.send_text(socket.headers["x-studio-person"])
    await socket.receive()


@dataclass
class Site:
    """The whole server but Streamlit, for browsers of one address.

    Args:
        studio: behind it.
        url: at which browsers reach it.
    """

    studio: Studio
    url: str = HERE

    def __post_init__(self) -> None:
        base = base_path()
        self.app = Starlette(
            routes=[
                Route(f"{base}/", whoami),
                Route(f"{base}/history", whoami),
                WebSocketRoute(f"{base}/_stcore/stream", stream),
                *invited.routes(),
                *live.routes(),
                *public_files.routes(),
                *sign_in.routes(),
                *sign_in_oidc.routes(),
                *sign_out.routes(),
            ],
            middleware=gate.middleware(self.studio.settings),
        )

    def browser(self, *, headers: Mapping[Any, Any] | None = None, url: str = "") -> TestClient:
        """Return a browser that has been nowhere, and follows no redirect by itself."""
        browser = TestClient(self.app, base_url=url or self.url, headers=PAGE, follow_redirects=False)
        browser.headers.update(headers or {})
        return browser

    def person(self, name: str = "Anna", role: str = "maker") -> Person:
        return self.studio.state.people.add(name, role, password=PASSWORD)


def site_of(
    studio: Studio, sign_in: SignInSettings | None = None, *, url: str = HERE, **settings: Any
) -> Site:
    """Return the server of a studio.

    Args:
        studio: its state is replaced by one with cheap passwords.
        sign_in: the ways in.
        url: at which browsers reach it.
        settings: others of the studio.
    """
    sign_in = sign_in or SignInSettings()
    studio.settings = replace(studio.settings, sign_in=sign_in, **settings)
    studio.state.stop()
    studio.state = SharedState(
        studio.settings.data_dir,
        clock=time.time,
        monotonic=time.monotonic,
        session_hours=sign_in.hours,
        idle_hours=sign_in.idle_hours,
        passwords=cheap_passwords(),
    )
    return Site(studio, url)


def enter(
    browser: TestClient, name: str = "Anna", password: str = PASSWORD, to: str = "", base: str = ""
) -> Any:
    """Send the form of the sign-in page."""
    return browser.post(f"{base}/sign-in", data={"name": name, "password": password, "to": to})


def words(answer: Any) -> str:
    """Return what a page says, without its markup."""
    text = re.sub(r"<(script|style|title)\b.*?</\1>|<[^>]+>", " ", answer.text, flags=re.DOTALL)
    return " ".join(unescape(text).split())


def signed_in(answer: Any) -> bool:
    """Whether an answer leads on with a new session."""
    set_cookie = answer.headers.get("set-cookie", "")
    return answer.status_code == 303 and re.search(rf"{COOKIE}=[\w-]{{43}};", set_cookie) is not None


def closed_with(socket: Any) -> int:
    """Return the code with which the server ends a socket."""
    try:
        while True:
            socket.receive_text()
    except WebSocketDisconnect as closed:
        return closed.code
