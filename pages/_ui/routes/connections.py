"""Bounds of what no application hears of: requests and messages that have not arrived whole.

uvicorn has none, and Streamlit passes no options on to it, so methods of its protocols are wrapped here.
Where there is too much, the connection that has waited longest for the rest is dropped: so who opens a
thousand and ends none takes the place of their own.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from functools import cache
from typing import Any, Protocol

from pages._ui import context

HEAD_SECONDS = 15.0  # in which the head of a request has to arrive
HEAD_BYTES = 64 * 1024  # that are read of a request before its head is whole
MOST = 4096  # connections
RESERVED = 256  # handles that stay for files, children and calls to Kling
WANTED = 16_384  # handles, if the system allows so many
SMALL = 64 * 1024  # bytes of a message that has not arrived whole; less is not counted
UNFINISHED = 64 * 2**20  # bytes of such messages, all together


class Watcher(Protocol):
    """Hears of each connection of a protocol."""

    def made(self, connection: Any) -> None:
        """Hear of a new one."""

    def received(self, connection: Any, size: int) -> None:
        """Hear that `size` bytes have come and were worked off."""

    def over(self, connection: Any) -> None:
        """Hear that one has ended."""


class ServerConnection(Protocol):
    """What is used of uvicorn's protocols, `H11Protocol` and `HttpToolsProtocol`."""

    connections: set[Any]
    transport: asyncio.Transport
    cycle: Any


class Connections:
    """Which connections wait for a request.

    Args:
        most: connections of all kinds.
        seconds: that one waits.
    """

    def __init__(self, most: int, seconds: float = HEAD_SECONDS) -> None:
        self._most, self._seconds = most, seconds
        self._waiting: dict[ServerConnection, int] = {}  # how much it has sent, the longest-waiting first

    def made(self, connection: ServerConnection) -> None:
        """Count a new one, and drop one if there are too many."""
        if len(connection.connections) > self._most:
            idle = (each for each in connection.connections if _is_idle(each))
            dropped = next(iter(self._waiting), None) or next(idle, connection)
            self.over(dropped)
            dropped.transport.abort()
        if not connection.transport.is_closing():
            self._wait(connection)

    def received(self, connection: ServerConnection, size: int) -> None:
        """Look what `size` bytes have brought: the rest of a head, or only more of it."""
        under_way = connection.cycle is not None and not connection.cycle.response_complete
        if under_way or connection not in connection.connections:  # the second: it has become a WebSocket
            self.over(connection)
            return
        if connection not in self._waiting:
            self._wait(connection)
        self._waiting[connection] += size
        if self._waiting[connection] > HEAD_BYTES:
            connection.transport.abort()

    def over(self, connection: ServerConnection) -> None:
        """Count it no more."""
        self._waiting.pop(connection, None)

    def _wait(self, connection: ServerConnection) -> None:
        self._waiting[connection] = 0
        asyncio.get_running_loop().call_later(self._seconds, self._late, connection, connection.cycle)

    def _late(self, connection: ServerConnection, cycle: object) -> None:
        if connection in self._waiting and connection.cycle is cycle:
            connection.transport.abort()


class Messages:
    """Messages of WebSockets that have not arrived whole; the server keeps what has come of them.

    Args:
        most: bytes, all together.
    """

    def __init__(self, most: int = UNFINISHED) -> None:
        self._most = most
        self._sizes: dict[Any, int] = {}
        self._large: dict[Any, int] = {}  # those that count, the longest-waiting first

    def made(self, connection: Any) -> None:
        """Nothing has come yet."""

    def received(self, connection: Any, size: int) -> None:
        """Look what `size` bytes have brought: the rest of a message, or only more of it."""
        if connection.read_paused:  # until the application has taken the message
            self._forget(connection)
            return
        size = self._sizes[connection] = self._sizes.get(connection, 0) + size
        if size > SMALL:
            self._large[connection] = size
            if sum(self._large.values()) > self._most:
                dropped = next(iter(self._large))
                dropped.transport.abort()
                self.over(dropped)

    def over(self, connection: Any) -> None:
        """Count it no more, and free what has come: the connection itself may stay in memory for long."""
        self._forget(connection)
        connection.frames.clear()
        connection.conn.reader.buffer.clear()

    def _forget(self, connection: Any) -> None:
        self._sizes.pop(connection, None)
        self._large.pop(connection, None)


def _is_idle(connection: Any) -> bool:
    """Whether a connection is kept open after an answer, for another request."""
    cycle = getattr(connection, "cycle", None)
    return cycle is not None and cycle.response_complete


def bound(protocol: type[Any], watcher: Watcher) -> None:
    """Let a watcher hear of every connection of a server's protocol.

    Args:
        protocol: of uvicorn; its methods are replaced.
        watcher: counts them.
    """
    made, received, lost = protocol.connection_made, protocol.data_received, protocol.connection_lost

    def connection_made(self: Any, transport: asyncio.Transport) -> None:
        made(self, transport)
        watcher.made(self)

    def data_received(self: Any, data: bytes) -> None:
        received(self, data)
        watcher.received(self, len(data))

    def connection_lost(self: Any, error: Exception | None) -> None:
        watcher.over(self)
        lost(self, error)

    for method in (connection_made, data_received, connection_lost):
        setattr(protocol, method.__name__, method)


def before_closing(protocol: type[Any], call: Callable[[], None]) -> None:
    """Have something called when the server begins to stop: it then waits for answers that are under way.

    Args:
        protocol: of uvicorn; its method is replaced.
        call: is called for each connection that is open.
    """
    shut = protocol.shutdown

    def shutdown(self: Any) -> None:
        call()
        shut(self)

    protocol.shutdown = shutdown


def _end_questions() -> None:
    with contextlib.suppress(RuntimeError):  # there is no studio any more
        context.studio().assistant.stop()


@cache
def prepare_server() -> None:
    """Bound the connections of this process's server, and let it have more of them."""
    from uvicorn.protocols.http.auto import AutoHTTPProtocol
    from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

    bound(AutoHTTPProtocol, Connections(min(MOST, _raise_limit() - RESERVED)))
    bound(WebSocketsSansIOProtocol, Messages())
    before_closing(AutoHTTPProtocol, _end_questions)


def _raise_limit() -> int:
    """Let this process open more files, as far as it may; return how many it can."""
    try:
        import resource
    except ImportError:  # not on every system
        return MOST
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = WANTED if hard == resource.RLIM_INFINITY else min(WANTED, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
            soft = wanted
    return WANTED if soft == resource.RLIM_INFINITY else soft
