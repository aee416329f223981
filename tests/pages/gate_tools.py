"""A gate with people in front of an app that answers everything, and requests without a server in between."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
import streamlit as st
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket, WebSocketDisconnect

from kling.studio.identity.roles import ROLES, Role, User
from kling.studio.service import Studio
from kling.studio.sign_in_settings import SignInSettings
from pages._ui.routes import cookies, gate
from pages._ui.routes.paths import DOORS, Door

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
SECRET = "a secret of the proxy, long enough"
FROM_PROXY = {
    "X-Forwarded-For": "198.51.100.7",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "studio.example",
}


@dataclass
class Place:
    """Where the studio stands.

    Args:
        name: of the place.
        address: that the server is bound to.
        public_url: where people reach it.
        base: the path below which it answers.
        here: what a browser has in its address.
        headers: that each request carries.
    """

    name: str
    address: str = "0.0.0.0"
    public_url: str = ""
    base: str = ""
    here: str = "http://192.0.2.7:8501"
    headers: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.name


PLACES = [
    Place("on the network"),
    Place("below a path", base="/studio"),
    Place(
        "behind a proxy that ends TLS",
        address="127.0.0.1",
        public_url="https://studio.example",
        here="http://studio.example",
        headers=FROM_PROXY,
    ),
    Place(
        "below a path behind a proxy that ends TLS",
        address="127.0.0.1",
        public_url="https://studio.example",
        base="/studio",
        here="http://studio.example",
        headers=FROM_PROXY,
    ),
]
LOCAL = Place("this machine alone", address="127.0.0.1", here="http://localhost:8501")


class Everything:
    """An app that answers every path, and notes who asked it for what."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, User | None, dict[str, str]]] = []
        self.routes = [
            Route("/{path:path}", self.answer, methods=METHODS),
            WebSocketRoute("/{path:path}", self.socket),
        ]

    async def answer(self, request: Request) -> Response:
        self.asked.append((request.url.path, request.state.user, dict(request.headers)))
        body = await request.body()
        return PlainTextResponse(f"{len(body)} bytes")

    async def socket(self, socket: WebSocket) -> None:
        self.asked.append((socket.url.path, socket.state.user, dict(socket.headers)))
        await socket.accept()
        await socket.send_text("open")
        try:
            while True:
                await socket.receive_bytes()
        except WebSocketDisconnect:
            pass


class Team:
    """A studio at a place, with a person of each role.

    Args:
        studio: that is running.
        place: where it stands.
        monkeypatch: for the options of the server.
        people: whether there are any.
        proxy_secret: of the proxy in front.
        doors: every way in.
        allowed: further names of the server.
    """

    def __init__(
        self,
        studio: Studio,
        place: Place,
        monkeypatch: pytest.MonkeyPatch,
        *,
        people: bool = True,
        proxy_secret: str = "",
        doors: Iterable[Door] = DOORS,
        allowed: Sequence[str] = (),
    ) -> None:
        options = {
            "server.address": place.address,
            "server.allowedHosts": list(allowed),
            "browser.serverAddress": "localhost",
            "server.baseUrlPath": place.base,
        }
        monkeypatch.setattr(st, "get_option", options.__getitem__)
        self.place, self.studio = place, studio
        studio.settings = replace(
            studio.settings, public_url=place.public_url, sign_in=SignInSettings(proxy_secret=proxy_secret)
        )
        self.behind = Everything()
        self.app = Starlette(routes=self.behind.routes, middleware=gate.middleware(studio.settings, doors))
        self.people: dict[Role, User] = {}
        self.tokens: dict[Role, str] = {}
        for role in ROLES if people else ():
            person = studio.state.people.from_outside("oidc", f"the {role}", f"The {role}", role, "none")
            self.people[role] = person.user
            self.tokens[role] = studio.state.sessions.begin(person, "oidc", "a browser")

    def client(self, role: Role | None = None) -> TestClient:
        """A browser of somebody, None for nobody; use it in a `with` where sockets are opened."""
        client = TestClient(
            self.app,
            base_url=self.place.here,
            follow_redirects=False,
            headers={**self.place.headers, **self.cookie(role)},
        )
        client.headers.pop("accept")
        return client

    def cookie(self, role: Role | None) -> dict[str, str]:
        """The header that carries somebody's session."""
        return {"Cookie": f"{cookies.session_cookie_name()}={self.tokens[role]}"} if role else {}

    def ask(self, client: TestClient, method: str, path: str, **headers: str) -> int:
        """Ask for a path below the base; return the status, 101 for a socket that opened."""
        path = self.place.base + path
        if method != "SOCKET":
            return client.request(method, path, headers=headers).status_code
        try:
            with client.websocket_connect(
                self.place.here.replace("http", "ws") + path, headers={**client.headers, **headers}
            ) as socket:
                assert socket.receive_text() == "open"
        except WebSocketDisconnect as refused:
            assert refused.code in {1008, 1013}  # noqa: PT017 - a socket that opened is no error
            return 403
        return 101


@dataclass
class Asked:
    """One request to an app, without a server: its body arrives as a test says.

    Args:
        app: asked.
        path: asked for.
        headers: that it carries.
        method: of it.
        client: the address that it comes from.
        lines: further headers, whose names may stand there already.
        is_read: whoever asks takes the answer; else the server waits with its first part.
        body: what has arrived of its body.
        sent: what it was answered.
    """

    app: Any
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    method: str = "POST"
    client: str = "127.0.0.1"
    lines: Sequence[tuple[str, str]] = ()
    is_read: bool = True
    body: asyncio.Queue[dict[str, Any]] = field(default_factory=asyncio.Queue)
    sent: list[dict[str, Any]] = field(default_factory=list)

    @property
    def status(self) -> int:
        return int(self.sent[0]["status"]) if self.sent else 0

    def bring(self, data: bytes, *, more: bool = False) -> None:
        self.body.put_nowait({"type": "http.request", "body": data, "more_body": more})

    async def run(self, **more: object) -> int:
        scope: dict[str, Any] = {
            "type": "http",
            "http_version": "1.1",
            "method": self.method,
            "path": self.path,
            "raw_path": self.path.encode(),
            "query_string": b"",
            "scheme": "http",
            "server": ("127.0.0.1", 8501),
            "client": (self.client, 50_000),
            "headers": [
                (name.lower().encode(), value.encode())
                for name, value in (*self.headers.items(), *self.lines)
            ],
            "state": {},
            **more,
        }

        async def send(message: dict[str, Any]) -> None:
            self.sent.append(message)
            if not self.is_read:
                await asyncio.Event().wait()

        await self.app(scope, self.body.get, send)
        return self.status


def at_once(scene: Callable[[], Any]) -> Any:
    """Run a scene on an event loop of its own."""
    return asyncio.run(scene())
