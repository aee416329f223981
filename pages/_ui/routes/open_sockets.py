"""Open WebSockets: closed within a moment when the session that opened them has ended."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from starlette.concurrency import run_in_threadpool
from starlette.types import Message, Receive, Send

from kling.studio.service import Studio
from kling.studio.state.records import StateError

log = logging.getLogger(__name__)

LOOK_AGAIN = 15.0  # seconds: a session may also end without a change that is told


class OpenSocket:
    """One WebSocket on its way between the server and a route.

    Args:
        receive: of the server.
        send: of the server.
        is_still_allowed: whether it may stay open; asked after each change of a session.
        set_cookie: a `Set-Cookie` for the handshake; empty if there is none.
    """

    def __init__(
        self, receive: Receive, send: Send, is_still_allowed: Callable[[], bool], set_cookie: str = ""
    ) -> None:
        self._receive, self._send = receive, send
        self._is_still_allowed, self._set_cookie = is_still_allowed, set_cookie
        self._is_accepted = self._is_over = False

    async def receive(self) -> Message:
        """Return the next message. Pages send none as text, and Streamlit would log a traceback for each."""
        message = await self._receive()
        if message.get("text") is not None:
            await self.close(1003)
        return {"type": "websocket.disconnect", "code": 1008} if self._is_over else message

    async def send(self, message: Message) -> None:
        """Send a message of the route."""
        if self._is_over:
            raise OSError  # Starlette and Streamlit take it for a page that has gone, in silence
        if message["type"] == "websocket.accept":
            self._is_accepted = True
            if self._set_cookie:
                headers = [*message.get("headers", ()), (b"set-cookie", self._set_cookie.encode())]
                message = {**message, "headers": headers}
        elif message["type"] == "websocket.close":
            self._is_over = True
        await self._send(message)

    async def close(self, code: int) -> None:
        """End it; nothing happens if it has ended."""
        if self._is_accepted and not self._is_over:
            self._is_over = True
            with suppress(Exception):  # the page has gone meanwhile
                await self._send({"type": "websocket.close", "code": code})

    def has_ended(self) -> bool:
        """Whether who opened it may no longer have it."""
        try:
            return not self._is_still_allowed()
        except StateError as error:
            log.warning("Whether a session has ended cannot be looked up: %s", error)
            return False


class OpenSockets:
    """All of them, and the task that looks after them while there is one."""

    def __init__(self) -> None:
        self._open: set[OpenSocket] = set()
        self._task: asyncio.Task[None] | None = None
        self._closing: set[asyncio.Task[None]] = set()

    @contextmanager
    def one(self, studio: Studio, opened: OpenSocket) -> Iterator[None]:
        """Look after a socket for as long as the context lasts."""
        self._open.add(opened)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._watch(studio), name="sockets")
        try:
            yield
        finally:
            self._open.discard(opened)
            if not self._open and self._task is not None:
                self._task.cancel()
                self._task = None

    async def _watch(self, studio: Studio) -> None:
        loop, changed = asyncio.get_running_loop(), asyncio.Event()
        unsubscribe: Callable[[], None] | None = None

        def notify() -> None:
            with suppress(RuntimeError):  # the loop has ended
                loop.call_soon_threadsafe(changed.set)

        try:
            while True:
                if unsubscribe is None:
                    with suppress(StateError):
                        unsubscribe = await run_in_threadpool(lambda: studio.state.sessions.subscribe(notify))
                with suppress(TimeoutError):
                    await asyncio.wait_for(changed.wait(), LOOK_AGAIN)
                changed.clear()
                for opened in filter(OpenSocket.has_ended, self._open):
                    # A page that reads nothing holds nobody up.
                    task = asyncio.create_task(opened.close(1008))
                    self._closing.add(task)
                    task.add_done_callback(self._closing.discard)
        finally:
            if unsubscribe:
                unsubscribe()
