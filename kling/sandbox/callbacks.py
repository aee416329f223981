"""Callbacks: who is told what, and how it is signed (S2 callbacks; Standard Webhooks)."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import hmac
import json
import logging
import ssl
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote, urlsplit

from kling.sandbox.engine import Engine
from kling.sandbox.loopback import is_loopback
from kling.sandbox.responses import callback_body
from kling.sandbox.store import Task

PAUSES = (1.0, 2.0, 4.0)  # seconds before another try; nobody documents Kling's
USER_AGENT = "kling-sandbox-callback"
_PATIENCE = 5.0
_URL_CHARACTERS = "/?%:@!$&'()*+,;=~"
_LOOK_EVERY = 0.2

log = logging.getLogger(__name__)

Send = Callable[[str, Mapping[str, str], bytes], Awaitable[int]]


def read_secret(secret: str) -> bytes:
    """Return the key in a secret.

    Raises:
        ValueError: it is no base64 after an optional `whsec_`.
    """
    return base64.b64decode(secret.removeprefix("whsec_"), validate=True)


def signature(secret: str, webhook_id: str, timestamp: int, body: bytes) -> str:
    """Return the header `webhook-signature` of a callback.

    Args:
        secret: `whsec_` and the key in base64.
        webhook_id: the header of this name.
        timestamp: the header of this name, in seconds.
        body: as sent, to the byte.
    """
    key = read_secret(secret)
    digest = hmac.new(key, f"{webhook_id}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"


def next_status(task: Task, now: int) -> str | None:
    """Return the status that a task's callback URL is to be told next, or None for nothing new."""
    current = task.status(now)
    match task.told:
        case "":
            return "submitted"
        case "submitted" if task.finished_at is not None and task.finished_at > task.start_at:
            return "processing"
        case "submitted" | "processing" if current != task.told:
            return current
    return None


@dataclass(kw_only=True)
class Callbacks:
    """Tells callback URLs of every change, one call after the other for each task.

    Args:
        engine: whose tasks it watches.
        now: seconds since the epoch.
        secret: `whsec_…`, to sign with; empty: callbacks are not signed.
        anywhere: whether callbacks may leave this machine.
        send: POSTs and returns the HTTP status.
        sleep: waits for seconds.
        note: is told of each try: task, status, and what came of it.
    """

    engine: Engine
    now: Callable[[], float] = time.time
    secret: str = field(default="", repr=False)
    anywhere: bool = False
    send: Send | None = None
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    note: Callable[[Task, str, str], None] = lambda _task, _status, _result: None

    def __post_init__(self) -> None:
        self._wake = asyncio.Event()
        self._busy: dict[str, asyncio.Task[None]] = {}
        self._send = self.send or self._post

    def wake(self) -> None:
        """Say that there may be a new task."""
        self._wake.set()

    async def run(self) -> None:
        """Tell until cancelled. As long as no task has a callback URL, this waits and does nothing."""
        try:
            while True:
                waiting = self.look()
                self._wake.clear()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), _LOOK_EVERY if waiting else None)
        finally:
            for telling in self._busy.values():
                telling.cancel()

    def look(self) -> bool:
        """Start to tell what is new; return whether some task still has something to tell, now or later."""
        moment = self.engine.clock(self.now())
        self.engine.store.settle(moment)
        untold = self.engine.store.untold()
        for task in untold:
            status = next_status(task, moment)
            if status is not None and task.task_id not in self._busy:
                self._busy[task.task_id] = asyncio.create_task(self._tell(task, status))
        return bool(untold)

    async def _tell(self, task: Task, status: str) -> None:
        body = json.dumps(callback_body(task, status)).encode()
        url = str(task.request["callback_url"])
        try:
            for pause in (*PAUSES, None):
                result = await self._try(url, self._headers(task, status, body), body)
                self.note(task, status, result)
                if result == "ok" or result.startswith("dropped") or pause is None:
                    break
                await self.sleep(pause)
            self.engine.store.mark_told(task.task_id, status)
        finally:
            self._busy.pop(task.task_id, None)
            self._wake.set()

    async def _try(self, url: str, headers: Mapping[str, str], body: bytes) -> str:
        try:
            status = await asyncio.wait_for(self._send(url, headers, body), _PATIENCE)
        except PermissionError as error:
            return f"dropped: {error}"
        except (OSError, ValueError, TimeoutError) as error:
            return f"failed: {type(error).__name__} {error}"
        return "ok" if 200 <= status < 300 else f"failed: HTTP {status}"

    def _headers(self, task: Task, status: str, body: bytes) -> dict[str, str]:
        headers = {"content-type": "application/json; charset=utf-8", "user-agent": USER_AGENT}
        if self.secret:
            webhook_id = f"{task.task_id}-{status}"
            timestamp = int(self.now())
            headers |= {"webhook-id": webhook_id, "webhook-timestamp": str(timestamp)}
            headers["webhook-signature"] = signature(self.secret, webhook_id, timestamp, body)
        return headers

    async def _post(self, url: str, headers: Mapping[str, str], body: bytes) -> int:
        """POST without following anything, to the address that was checked."""
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise PermissionError("callback_url is no http or https URL")
        port = parts.port or (443 if parts.scheme == "https" else 80)
        found = await asyncio.get_running_loop().getaddrinfo(parts.hostname, port)
        address = str(found[0][4][0])
        if not self.anywhere and not is_loopback(address):
            raise PermissionError(f"{address} is not on this machine")
        secured = parts.scheme == "https"
        reader, writer = await asyncio.open_connection(
            address,
            port,
            ssl=ssl.create_default_context() if secured else None,
            server_hostname=parts.hostname if secured else None,
        )
        try:
            target = quote(
                f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}", safe=_URL_CHARACTERS
            )
            lines = [f"POST {target} HTTP/1.1", f"host: {quote(parts.netloc.rpartition('@')[2], safe=':[]')}"]
            lines += [f"{name}: {value}" for name, value in headers.items()]
            lines += [f"content-length: {len(body)}", "connection: close", "", ""]
            writer.write("\r\n".join(lines).encode() + body)
            await writer.drain()
            return int((await reader.readline()).split(maxsplit=2)[1])
        except IndexError as error:
            raise ConnectionError("no HTTP answer") from error
        finally:
            writer.close()
