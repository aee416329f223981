"""Which host names mean this machine, and which requests come from web pages of others.

A hostile web page can give a name of its own the address 127.0.0.1, and so reach a sandbox on this machine
(DNS rebinding). Its requests then have that name in the header Host. Requests of a page to another origin
have the header Origin.
"""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send


def is_loopback(host: str) -> bool:
    """Return whether a host name or an address can only mean this machine. No name is looked up."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def hostname(request: HTTPConnection) -> str:
    """Return the name or the address in the header Host, without the port; empty if there is none."""
    try:
        return urlsplit(f"//{request.headers.get('host', '')}").hostname or ""
    except ValueError:
        return ""


class OriginGuard:
    """ASGI middleware that refuses requests of web pages of another origin.

    Args:
        app: the application behind it.
        loopback_only: whether the sandbox listens on a loopback address only. Then a Host that does not mean
            this machine is refused, too.
    """

    def __init__(self, app: ASGIApp, *, loopback_only: bool) -> None:
        self._app = app
        self._loopback_only = loopback_only

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: D102 -- of ASGI
        problem = self._problem(HTTPConnection(scope)) if scope["type"] in {"http", "websocket"} else ""
        if problem and scope["type"] == "http":
            await JSONResponse({"problem": problem}, 403)(scope, receive, send)
        elif problem:
            await send({"type": "websocket.close", "code": 1008})
        else:
            await self._app(scope, receive, send)

    def _problem(self, request: HTTPConnection) -> str:
        if self._loopback_only and not is_loopback(hostname(request)):
            return "This sandbox listens on this machine only: reach it as 127.0.0.1, [::1] or localhost."
        own = f"{request.url.scheme}://{request.headers.get('host', '')}"
        if request.headers.get("origin", own) != own:
            return "This sandbox answers no web page of another origin."
        return ""
