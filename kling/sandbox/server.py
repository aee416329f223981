"""The door: HTTP around the engine, clips with Range, and the control plane."""

from __future__ import annotations

import logging
import re
import time
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.requests import Request as HTTPRequest
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from kling.sandbox.clips import Clips, Easel
from kling.sandbox.engine import Engine, Request, refused_answer

MAX_BODY = 1 << 20
_CLIP = re.compile(r"(\d{18})(-watermark)?\.mp4")
_HOST = re.compile(r"[A-Za-z0-9.:_\[\]-]{1,255}")

log = logging.getLogger(__name__)


class Door:
    """The sandbox as a web application: `door.app` is its ASGI app.

    Args:
        engine: that answers.
        clips: that are downloaded.
        now: seconds since the epoch.
    """

    def __init__(self, engine: Engine, clips: Clips, now: Callable[[], float] = time.time) -> None:
        self.engine = engine
        self.clips = clips
        self.now = now
        self.easel = Easel(engine.store, clips, lambda: engine.clock(now()))
        self.app = Starlette(
            routes=[
                Route("/_sandbox/health", self.health),
                Route("/clips/{name}", self.clip),
                Route("/{path:path}", _AnyMethod(self.api)),
            ],
            lifespan=self._lifespan,
        )

    @asynccontextmanager
    async def _lifespan(self, _app: Starlette) -> AsyncIterator[None]:
        self.easel.start()
        try:
            yield
        finally:
            await self.easel.stop()

    async def health(self, _request: HTTPRequest) -> Response:
        """Say that the sandbox is there."""
        store = self.engine.store
        return JSONResponse({"status": "ok", "tasks": store.last, "open": sum(store.open.values())})

    async def clip(self, request: HTTPRequest) -> Response:
        """Send a clip, or the part of it that is asked for."""
        name = _CLIP.fullmatch(request.path_params["name"])
        task = self.engine.clip(name[1], self.now()) if name else None
        if name is None or task is None:
            return PlainTextResponse("There is no such clip, or it was cleared.\n", status_code=404)
        path = self.clips.path(task, watermark=bool(name[2]))
        if not path.exists():
            return PlainTextResponse("There is no such clip.\n", status_code=404)
        return FileResponse(path, media_type="video/mp4")

    async def api(self, request: HTTPRequest) -> Response:
        """Answer one call of the API."""
        call_id = str(uuid.uuid4())
        body = await _body(request)
        try:
            if body is None:
                answer = refused_answer(1200, f"body: must be at most {MAX_BODY} bytes", call_id)
            else:
                call = Request(
                    method=request.method,
                    path=request.url.path,
                    query=dict(request.query_params),
                    headers=dict(request.headers),
                    body=body,
                    id=call_id,
                    base_url=_base_url(request),
                )
                answer = self.engine.handle(call, self.now())
        except Exception:
            log.exception("a request failed in the sandbox itself")
            answer = refused_answer(5000, "The sandbox itself failed; its log says why", call_id)
        if request.method == "POST":
            await self.easel.wake()
        return JSONResponse(answer.body, status_code=answer.status)


class _AnyMethod:
    """A route for every method: the API answers also those that it does not have."""

    def __init__(self, answer: Callable[[HTTPRequest], object]) -> None:
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response: Response = await self._answer(HTTPRequest(scope, receive))  # type: ignore[misc]
        await response(scope, receive, send)


async def _body(request: HTTPRequest) -> bytes | None:
    """Return the whole body, or None as soon as it is too large."""
    chunks = bytearray()
    async for chunk in request.stream():
        chunks += chunk
        if len(chunks) > MAX_BODY:
            return None
    return bytes(chunks)


def _base_url(request: HTTPRequest) -> str:
    host = request.headers.get("host", "")
    if not _HOST.fullmatch(host):
        host = ":".join(map(str, request.scope.get("server") or ("127.0.0.1", 80)))
    return f"{request.url.scheme}://{host}"
