"""The sandbox as a web application: HTTP around the engine, and the clips with Range."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import time
import uuid
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect
from starlette.requests import Request as HTTPRequest
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from kling.sandbox.callbacks import Callbacks
from kling.sandbox.calls import longest_body
from kling.sandbox.clips import Clips
from kling.sandbox.control import Controlled, routes
from kling.sandbox.engine import Answer, Engine, Request, refused_answer
from kling.sandbox.faults import with_fault
from kling.sandbox.loopback import OriginGuard
from kling.sandbox.render_queue import RenderQueue
from kling.sandbox.task import Task

_CLIP = re.compile(r"(\d{18})(?:(-watermark)?\.(mp4)|\.(mp3|wav))")
_MEDIA_TYPES = {".mp4": "video/mp4", ".mp3": "audio/mpeg", ".wav": "audio/wav"}
_HOST = re.compile(r"[A-Za-z0-9.:_\[\]-]{1,255}")
_RANGE = re.compile(r"(\d{1,15})-(\d{0,15})|-\d{1,15}")
_JOURNAL = 1000  # entries
_SHOWN = 4000  # bytes or characters of one value in the journal
_MAX_BRACKETS = 100  # in a body that the journal shows as JSON

log = logging.getLogger(__name__)


class SandboxApp:
    """The sandbox as a web application; the attribute `asgi` is what an ASGI server runs.

    Args:
        engine: answers the calls of the API.
        clips: the folder of the clips that are downloaded.
        now: returns seconds since the epoch.
        secret: callbacks are signed with it; empty: they are not signed.
        anywhere: whether callbacks may go to other machines.
        loopback_only: whether the server listens on a loopback address only; other names are then refused.
    """

    def __init__(
        self,
        engine: Engine,
        clips: Clips,
        now: Callable[[], float] = time.time,
        *,
        secret: str = "",
        anywhere: bool = False,
        loopback_only: bool = True,
    ) -> None:
        self.engine = engine
        self.clips = clips
        self.now = now
        self.journal: deque[dict[str, Any]] = deque(maxlen=_JOURNAL)
        self.render_queue = RenderQueue(engine.store, clips, lambda: engine.clock(now()))
        self.callbacks = Callbacks(
            engine=engine, now=now, secret=secret, anywhere=anywhere, record=self._record_callback
        )
        self.asgi = Starlette(
            routes=[
                *routes(Controlled(engine, clips, now, self.journal)),
                Route("/clips/{name}", _Endpoint(self.clip), methods=["GET", "HEAD"]),
                Route("/{path:path}", _Endpoint(self.api)),
            ],
            middleware=[Middleware(OriginGuard, loopback_only=loopback_only)],
            lifespan=self._lifespan,
        )

    @asynccontextmanager
    async def _lifespan(self, _app: Starlette) -> AsyncIterator[None]:
        self.render_queue.start()
        sending = asyncio.create_task(self.callbacks.run())
        try:
            yield
        finally:
            sending.cancel()
            with suppress(asyncio.CancelledError):
                await sending
            await self.render_queue.stop()

    async def clip(self, request: HTTPRequest) -> ASGIApp:
        """Answer with a clip, or with the part of it that is asked for."""
        name = _CLIP.fullmatch(request.path_params["name"])
        task = self.engine.clip(name[1], self.now()) if name else None
        path = None
        if name and task and name[4]:
            path = self.clips.find_sound(task, name[4])
        elif name and task and (task.watermarked or not name[2]):
            path = self.clips.find(task, watermark=bool(name[2]))
        if task is None or path is None:
            self._record(request, status=404)
            return PlainTextResponse("There is no such clip, or it was cleared.\n", status_code=404)
        if not _is_range(request.headers.get("range", "bytes=0-")):
            _remove_range(request.scope)  # RFC 9110, 14.2: a Range that cannot be read is ignored
        plan = self.engine.plans.take("clip", task.task_id, task.external_task_id)
        self._record(request, status=200, fault=plan.fault)
        return with_fault(FileResponse(path, media_type=_MEDIA_TYPES[path.suffix]), plan, request)

    async def api(self, request: HTTPRequest) -> ASGIApp:
        """Answer one call of the API."""
        call_id = str(uuid.uuid4())
        most = longest_body(request.scope["path"])
        body = await _body(request, most)
        if body is None:
            answer = refused_answer(1200, f"body: must be at most {most} bytes", call_id)
        else:
            answer = self._handle(request, body, call_id)
        seen = {"body": _readable(body or b""), "code": answer.body["code"]}
        self._record(request, status=answer.status, fault=answer.plan.fault, **seen)
        if request.method == "POST":
            await self.render_queue.wake()
            self.callbacks.wake()
        return with_fault(JSONResponse(answer.body, status_code=answer.status), answer.plan, request)

    def _handle(self, request: HTTPRequest, body: bytes, call_id: str) -> Answer:
        call = Request(
            method=request.method,
            path=request.scope["path"],
            query=dict(request.query_params),
            headers=dict(request.headers),
            body=body,
            id=call_id,
            base_url=_base_url(request),
        )
        try:
            return self.engine.handle(call, self.now())
        except Exception:
            log.exception("a request failed in the sandbox itself")
            return refused_answer(5000, "The sandbox itself failed; its log says why", call_id)

    def _record(self, request: HTTPRequest, **seen: Any) -> None:
        kind = "jwt" if "." in request.headers.get("authorization", "") else "api key"
        self.journal.append(
            {
                "kind": "request",
                "at": int(self.now() * 1000),
                "method": request.method,
                "path": request.scope["path"][:_SHOWN],
                "query": dict(request.query_params),
                # only headers that are named here, so that no credential gets into the journal
                "headers": {
                    name: request.headers[name][:_SHOWN]
                    for name in ("host", "user-agent", "content-type", "content-length")
                    if name in request.headers
                },
                "authorization": kind if "authorization" in request.headers else None,
            }
            | seen
        )

    def _record_callback(self, task: Task, status: str, result: str) -> None:
        seen = {"task_id": task.task_id, "external_task_id": task.external_task_id, "task_status": status}
        self.journal.append({"kind": "callback", "at": int(self.now() * 1000), **seen, "result": result})


class _Endpoint:
    """A route that takes every method and may answer with any ASGI app.

    The engine refuses wrong methods itself, with the API's own answer.
    """

    def __init__(self, answer: Callable[[HTTPRequest], Awaitable[ASGIApp]]) -> None:
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with suppress(ClientDisconnect):  # then there is nobody to answer
            response = await self._answer(HTTPRequest(scope, receive))
            await response(scope, receive, send)


async def _body(request: HTTPRequest, most: int) -> bytes | None:
    """Return the whole body, or None as soon as it is too large."""
    chunks = bytearray()
    async for chunk in request.stream():
        chunks += chunk
        if len(chunks) > most:
            return None
    return bytes(chunks)


def _base_url(request: HTTPRequest) -> str:
    host = request.headers.get("host", "")
    if not _HOST.fullmatch(host):
        host = ":".join(map(str, request.scope.get("server") or ("127.0.0.1", 80)))
    return f"{request.scope['scheme']}://{host}"


def _readable(body: bytes) -> Any:
    """Return a body as the journal shows it: as JSON if it is small and simple, else the start of it."""
    if len(body) <= _SHOWN and body.count(b"[") + body.count(b"{") <= _MAX_BRACKETS:
        with suppress(ValueError):
            parsed = json.loads(body)
            json.dumps(
                parsed, ensure_ascii=False, allow_nan=False
            ).encode()  # fails for what the journal could not send
            return parsed
    return body[:_SHOWN].decode("utf-8", "replace")


def _is_range(header: str) -> bool:
    unit, _, ranges = header.partition("=")
    found = [_RANGE.fullmatch(part.strip()) for part in ranges.split(",")]
    return unit == "bytes" and all(one and not (one[2] and int(one[2]) < int(one[1])) for one in found)


def _remove_range(scope: Scope) -> None:
    scope["headers"] = [(name, value) for name, value in scope["headers"] if name != b"range"]
