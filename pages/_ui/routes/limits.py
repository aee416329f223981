"""Bounds of what is open at once, and of what a request brings.

Whoever is signed in is counted as that person, so that nobody takes another's share. Of others the address
counts, but only where it can be believed: behind a proxy everybody has the proxy's.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from starlette.types import Message, Receive, Scope

from pages._ui.routes.refusals import Refusal

SOCKETS_EACH, SOCKETS = 128, 1024  # a tab has two
REQUESTS_EACH, REQUESTS = 64, 512  # under way at the same moment
HEADERS = 64 * 1024  # bytes of all headers of a request
STRANGERS = 256  # requests of all who have no session: others always have room
UNREAD = 60.0  # seconds in which a stranger has to take a part of an answer
UNFINISHED = 128  # bodies that are still arriving; those of strangers are counted apart


class OpenCounts:
    """Counts what is open, for each owner and in all.

    Args:
        each: the most that one owner may have.
        most: the most that all may have together.
    """

    def __init__(self, each: int, most: int) -> None:
        self._each, self._most = each, most
        self._open: Counter[str] = Counter()
        self._all = 0

    @contextmanager
    def one(self, owner: str) -> Iterator[None]:
        """Count one more for as long as the context lasts.

        Args:
            owner: whose it is; empty for somebody who cannot be told from others.

        Raises:
            Refusal: there is no room for it.
        """
        if self._all >= self._most or (owner and self._open[owner] >= self._each):
            raise Refusal(429, "Too much at once. Try again in a moment.", code=1013, is_broken_off=True)
        self._all += 1
        self._open[owner] += 1
        try:
            yield
        finally:
            self._all -= 1
            self._open[owner] -= 1
            if not self._open[owner]:
                del self._open[owner]


class Bodies:
    """Bodies that are still arriving. Where there are too many, the oldest of who has most is given up.

    So who opens hundreds of requests and never ends them loses their own.

    Args:
        most: that may be arriving at the same time.
    """

    def __init__(self, most: int = UNFINISHED) -> None:
        self._most = most
        self._waiting: dict[Body, str] = {}  # whose each is, the oldest first

    @contextmanager
    def of(
        self, owner: str, scope: Scope, receive: Receive, *, most: int, seconds: float
    ) -> Iterator[Receive]:
        """Give the `receive` with which a request is read.

        Args:
            owner: whose it is; empty for somebody who cannot be told from others.
            scope: of the request.
            receive: of the server.
            most: bytes that are taken.
            seconds: in which all of it has to arrive.

        Raises:
            Refusal: it says itself that it is too long.
        """
        length = announced_length(scope)
        if length == 0:
            yield receive
            return
        if length is not None and length > most:
            raise _too_long(most)
        if len(self._waiting) >= self._most:
            self._give_up_one(owner)
        body = Body(receive, most=most, seconds=seconds, done=self._discard)
        self._waiting[body] = owner
        try:
            yield body
        finally:
            self._discard(body)

    def _give_up_one(self, newcomer: str) -> None:
        has_most = Counter([*self._waiting.values(), newcomer]).most_common(1)[0][0]
        next(body for body, owner in self._waiting.items() if owner == has_most).give_up()

    def _discard(self, body: Body) -> None:
        self._waiting.pop(body, None)


class Body:
    """A `receive` that raises once a body is too long or too late.

    Args:
        receive: of the server.
        most: bytes that are taken.
        seconds: in which all of it has to arrive.
        done: called once nothing more of it is waited for.
    """

    def __init__(self, receive: Receive, *, most: int, seconds: float, done: Callable[[Body], None]) -> None:
        self._receive, self._most, self._done = receive, most, done
        self._ends = asyncio.get_running_loop().time() + seconds
        self._timeout: asyncio.Timeout | None = None
        self._got = 0
        self._is_whole = False

    async def __call__(self) -> Message:
        """Return the next part.

        Raises:
            Refusal: it is too long, or too late.
        """
        if self._is_whole:
            return await self._receive()
        try:
            async with asyncio.timeout_at(self._ends) as self._timeout:
                message = await self._receive()
        except TimeoutError:
            self._done(self)
            words = "The body of this request took too long to arrive."
            raise Refusal(408, words, is_broken_off=True) from None
        self._timeout = None
        self._got += len(message.get("body", b""))
        if self._got > self._most:
            self._done(self)
            raise _too_long(self._most)
        if not message.get("more_body", False):
            self._is_whole = True
            self._done(self)
        return message

    def give_up(self) -> None:
        """Let it raise at once, because its place is needed."""
        self._ends = 0.0
        if self._timeout is not None:
            self._timeout.reschedule(0.0)
        self._done(self)


def announced_length(scope: Scope) -> int | None:
    """Return how long a request says that its body is, None if it has one and does not say."""
    for name, value in scope["headers"]:
        if name == b"content-length":
            return int(value) if value.isdigit() else 0
        if name == b"transfer-encoding":
            return None
    return 0


def _too_long(most: int) -> Refusal:
    size = f"{most // 2**20:,} MB" if most >= 2**20 else f"{most // 1024:,} kB"
    words = f"The body of this request is too long: it may have {size}." if most else "There is no body here."
    return Refusal(413, words, is_broken_off=True)
