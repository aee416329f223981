"""Gives each request an id, which its answer and every line of the log about it carry; counts connections."""

from __future__ import annotations

import logging
import secrets
import time
from collections import Counter
from dataclasses import dataclass, field

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kling.studio.logs import request_id

log = logging.getLogger(__name__)

HEADER = "X-Request-Id"
SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}


@dataclass(slots=True)
class Counts:
    """What passed here since the server started. Changed on the event loop only."""

    sockets: int = 0
    requests: Counter[str] = field(default_factory=Counter)


COUNTS = Counts()  # of this server


class RequestIds:
    """ASGI middleware, the outermost: what others refuse has an id and a line too.

    A line is written for each request that changes something or is refused. It has no query, because that may
    hold what somebody has typed.

    Args:
        app: what is served.
        counts: where connections are counted.
    """

    def __init__(self, app: ASGIApp, counts: Counts = COUNTS) -> None:
        self._app, self._counts = app, counts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http":
            await self._http(scope, receive, send)
        elif scope["type"] == "websocket":
            request_id.set(secrets.token_hex(8))
            self._counts.sockets += 1
            try:
                await self._app(scope, receive, send)
            finally:
                self._counts.sockets -= 1
        else:
            await self._app(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        began, status, own_id = time.perf_counter(), 0, secrets.token_hex(8)
        request_id.set(own_id)

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)[HEADER] = own_id
            await send(message)

        try:
            await self._app(scope, receive, send_with_id)
        finally:
            self._counts.requests[f"{status // 100}xx" if status else "broken"] += 1
            if scope["method"] not in SAFE_METHODS or not 0 < status < 400:
                facts = {"status": status, "ms": round((time.perf_counter() - began) * 1000)}
                log.info("%s %s", scope["method"][:20], scope["path"][:300], extra={"facts": facts})
