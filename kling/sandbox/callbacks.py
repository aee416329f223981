"""Callbacks: a POST to a task's callback URL at each change of its status (S2 callbacks).

They are signed as Standard Webhooks describes it.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import hmac
import json
import ssl
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from urllib.parse import quote, urlsplit

from kling.sandbox.callback_bodies import body_of
from kling.sandbox.engine import Engine
from kling.sandbox.loopback import is_loopback
from kling.sandbox.task import Task

PAUSES = (1.0, 2.0, 4.0)  # seconds before another try; nobody documents Kling's
USER_AGENT = "kling-sandbox-callback"
_TIMEOUT = 5.0  # seconds for one try
_URL_CHARACTERS = "/?%:@!$&'()*+,;=~"
_INTERVAL = 0.2  # seconds between two looks for changes, while a callback is still to be sent

Send = Callable[[str, Mapping[str, str], bytes], Awaitable[int]]


async def post(url: str, headers: Mapping[str, str], body: bytes, *, anywhere: bool = False) -> int:
    """POST without following redirects, and return the HTTP status.

    The connection goes to the very address that was checked; a name is not looked up a second time.

    Args:
        url: from a request, so nothing in it is trusted.
        headers: by name.
        body: sent as it is.
        anywhere: whether the address may be one of another machine.

    Raises:
        PermissionError: the URL is no http or https URL, or its address is not allowed.
        OSError: there was no answer.
        ValueError: the URL, or the answer, cannot be read.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise PermissionError("callback_url is no http or https URL")
    port = parts.port or (443 if parts.scheme == "https" else 80)
    found = await asyncio.get_running_loop().getaddrinfo(parts.hostname, port)
    address = str(found[0][4][0])
    if not anywhere and not is_loopback(address):
        raise PermissionError(f"{address} is not on this machine")
    secured = parts.scheme == "https"
    reader, writer = await asyncio.open_connection(
        address,
        port,
        ssl=ssl.create_default_context() if secured else None,
        server_hostname=parts.hostname if secured else None,
    )
    try:
        target = quote(f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}", safe=_URL_CHARACTERS)
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


def decode_secret(secret: str) -> bytes:
    """Return the key in a secret.

    Args:
        secret: the key in base64, with or without `whsec_` before it.

    Raises:
        ValueError: it is no base64.
    """
    return base64.b64decode(secret.removeprefix("whsec_"), validate=True)


def signature(secret: str, webhook_id: str, timestamp: int, body: bytes) -> str:
    """Return the header `webhook-signature` of a callback.

    Args:
        secret: `whsec_` and the key in base64.
        webhook_id: the value of the header `webhook-id`.
        timestamp: the value of the header `webhook-timestamp`, in seconds.
        body: exactly the bytes that are sent.
    """
    key = decode_secret(secret)
    digest = hmac.new(key, f"{webhook_id}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"


def next_status(task: Task, now: int) -> str | None:
    """Return the status of the next callback about a task, or None if none is due at a time (ms)."""
    current = task.status(now)
    match task.last_callback_status:
        case "":
            return "submitted"
        case "submitted" if task.finished_at is not None and task.finished_at > task.start_at:
            return "processing"
        case "submitted" | "processing" if current != task.last_callback_status:
            return current
    return None


@dataclass(kw_only=True)
class Callbacks:
    """Sends a callback for every change of a task that has a callback URL, one at a time for each task.

    Args:
        engine: the engine whose tasks are watched.
        now: returns seconds since the epoch.
        secret: `whsec_…`, with which callbacks are signed; empty: they are not signed.
        anywhere: whether callbacks may go to other machines.
        send: POSTs and returns the HTTP status; None: `post`.
        sleep: waits for some seconds.
        record: is called after each try with the task, the status and the result.
    """

    engine: Engine
    now: Callable[[], float] = time.time
    secret: str = field(default="", repr=False)
    anywhere: bool = False
    send: Send | None = None
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    record: Callable[[Task, str, str], None] = lambda _task, _status, _result: None

    def __post_init__(self) -> None:
        self._wake = asyncio.Event()
        self._sending: dict[str, asyncio.Task[None]] = {}  # by task_id
        self._send = self.send or partial(post, anywhere=self.anywhere)

    def wake(self) -> None:
        """Look for changes at once: there may be a new task."""
        self._wake.set()

    async def run(self) -> None:
        """Send callbacks until cancelled. While no callback is to come, this only waits for `wake`."""
        try:
            while True:
                more_to_come = self.send_due()
                self._wake.clear()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), _INTERVAL if more_to_come else None)
        finally:
            for sending in self._sending.values():
                sending.cancel()

    def send_due(self) -> bool:
        """Start to send the callbacks that are due; return whether any callback is still to come."""
        moment = self.engine.clock(self.now())
        self.engine.store.finish_due(moment)
        waiting = self.engine.store.awaiting_callbacks()
        for task in waiting:
            status = next_status(task, moment)
            if status is not None and task.task_id not in self._sending:
                self._sending[task.task_id] = asyncio.create_task(self._deliver(task, status))
        return bool(waiting)

    async def wait_until_sent(self) -> None:
        """Wait until each callback that is being sent has arrived or was given up."""
        await asyncio.gather(*self._sending.values())

    async def _deliver(self, task: Task, status: str) -> None:
        body = json.dumps(body_of(task, status, self.engine.settings.faults)).encode()
        url = str(task.request["callback_url"])
        try:
            for pause in (*PAUSES, None):
                result = await self._try(url, self._headers(task, status, body), body)
                self.record(task, status, result)
                if result == "ok" or result.startswith("dropped") or pause is None:
                    break
                await self.sleep(pause)
            self.engine.store.mark_callback(task.task_id, status)
        finally:
            self._sending.pop(task.task_id, None)
            self._wake.set()

    async def _try(self, url: str, headers: Mapping[str, str], body: bytes) -> str:
        try:
            status = await asyncio.wait_for(self._send(url, headers, body), _TIMEOUT)
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
