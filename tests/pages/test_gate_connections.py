"""What a server does with connections whose request does not arrive: a real one, in a thread."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Callable, Iterator

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from uvicorn.protocols.http.h11_impl import H11Protocol

from pages._ui.routes.connections import Connections, bound

WHOLE = b"GET / HTTP/1.1\r\nHost: here\r\n\r\n"
HALF = b"GET / HTTP/1.1\r\nHost: here\r\n"


async def hello(_request: Request) -> PlainTextResponse:
    return PlainTextResponse("hello")


class Here:
    """A server on a port of its own.

    Args:
        connections: how many, and how long they wait.
    """

    def __init__(self, connections: Connections) -> None:
        protocol = type("Bounded", (H11Protocol,), {})
        bound(protocol, connections)
        app = Starlette(routes=[Route("/", hello)])
        self._server = uvicorn.Server(
            uvicorn.Config(app, http=protocol, lifespan="off", log_level="critical")
        )
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        asyncio.run(self._server.serve([self._listener]))

    def connect(self, data: bytes = b"") -> socket.socket:
        opened = socket.create_connection(self._listener.getsockname(), timeout=20)
        self._open.append(opened)
        opened.sendall(data)
        return opened

    def stop(self) -> None:
        for opened in self._open:
            opened.close()
        self._server.should_exit = True
        self._thread.join(20)


def answer(opened: socket.socket) -> bytes:
    """What arrives until the server ends the connection or has answered; empty if it answers nothing."""
    got = b""
    with contextlib.suppress(ConnectionError):
        while b"hello" not in got and (part := opened.recv(65_536)):
            got += part
    return got


@pytest.fixture
def serve() -> Iterator[Callable[[Connections], Here]]:
    servers: list[Here] = []

    def start(connections: Connections) -> Here:
        servers.append(Here(connections))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


def test_a_head_that_never_ends_is_cut_off(serve: Callable[[Connections], Here]):
    opened = serve(Connections(10)).connect(HALF)
    with contextlib.suppress(ConnectionError):  # it is ended while it still sends
        for _ in range(70):
            opened.sendall(b"X-More: " + b"x" * 1014 + b"\r\n")
    assert b"hello" not in answer(opened)


def test_a_head_that_does_not_arrive_is_not_waited_for(serve: Callable[[Connections], Here]):
    here = serve(Connections(10, seconds=0.05))
    for sent in (b"", HALF):
        assert answer(here.connect(sent)) == b""


def test_a_second_head_that_does_not_arrive_is_not_waited_for(serve: Callable[[Connections], Here]):
    opened = serve(Connections(10, seconds=0.05)).connect(WHOLE)
    assert b"hello" in answer(opened)
    opened.sendall(HALF)
    assert answer(opened) == b""


def test_a_thousand_half_requests_keep_nobody_out(serve: Callable[[Connections], Here]):
    here = serve(Connections(20))
    for _ in range(100):
        here.connect(HALF)
    assert b"hello" in answer(here.connect(WHOLE))


def test_connections_that_have_been_answered_keep_nobody_out(serve: Callable[[Connections], Here]):
    here = serve(Connections(20))
    for _ in range(30):
        assert b"hello" in answer(here.connect(WHOLE))


def test_a_request_that_takes_its_time_is_answered_while_others_wait(serve: Callable[[Connections], Here]):
    here = serve(Connections(20, seconds=5))
    opened = here.connect(HALF)
    for _ in range(10):
        here.connect(HALF)
    opened.sendall(b"\r\n")
    assert b"hello" in answer(opened)
