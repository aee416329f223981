"""What a server does with connections whose request does not arrive: a real one, in a thread."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from pages._ui.routes.connections import SMALL, Connections, Messages, bound
from tests.pages.conftest import ROOT

WHOLE = b"GET / HTTP/1.1\r\nHost: here\r\n\r\n"
HALF = b"GET / HTTP/1.1\r\nHost: here\r\n"


async def hello(_request: Request) -> PlainTextResponse:
    return PlainTextResponse("hello")


async def echo(socket: WebSocket) -> None:
    await socket.accept()
    with contextlib.suppress(WebSocketDisconnect):
        while True:
            await socket.send_text(str(len(await socket.receive_bytes())))


class Here:
    """A server on a port of its own.

    Args:
        connections: how many, and how long they wait.
        messages: how much of them.
    """

    def __init__(self, connections: Connections, messages: Messages | None = None) -> None:
        http = type("Http", (H11Protocol,), {})
        sockets = type("Sockets", (WebSocketsSansIOProtocol,), {})
        bound(http, connections)
        bound(sockets, messages or Messages())
        app = Starlette(routes=[Route("/", hello), WebSocketRoute("/echo", echo)])
        config = uvicorn.Config(app, http=http, ws=sockets, lifespan="off", log_level="critical")
        self._server = uvicorn.Server(config)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        asyncio.run(self._server.serve([self._listener]))

    def connect(self, data: bytes = b"") -> socket.socket:
        opened = socket.create_connection(self._listener.getsockname(), timeout=120)
        self._open.append(opened)
        opened.sendall(data)
        return opened

    @property
    def echo(self) -> str:
        host, port = self._listener.getsockname()
        return f"ws://{host}:{port}/echo"

    def stop(self) -> None:
        for opened in self._open:
            opened.close()
        self._server.should_exit = True
        self._thread.join(120)


def answer(opened: socket.socket) -> bytes:
    """What arrives until the server ends the connection or has answered; empty if it answers nothing."""
    got = b""
    with contextlib.suppress(ConnectionError):
        while b"hello" not in got and (part := opened.recv(65_536)):
            got += part
    return got


@pytest.fixture
def serve() -> Iterator[Callable[..., Here]]:
    servers: list[Here] = []

    def start(*watchers: Any) -> Here:
        servers.append(Here(*watchers))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


def test_a_head_that_never_ends_is_cut_off(serve: Callable[..., Here]):
    opened = serve(Connections(10)).connect(HALF)
    with contextlib.suppress(ConnectionError):  # it is ended while it still sends
        for _ in range(70):
            opened.sendall(b"X-More: " + b"x" * 1014 + b"\r\n")
    assert b"hello" not in answer(opened)


def test_a_head_that_does_not_arrive_is_not_waited_for(serve: Callable[..., Here]):
    here = serve(Connections(10, seconds=0.05))
    for sent in (b"", HALF):
        assert answer(here.connect(sent)) == b""


def test_a_second_head_that_does_not_arrive_is_not_waited_for(serve: Callable[..., Here]):
    opened = serve(Connections(10, seconds=0.05)).connect(WHOLE)
    assert b"hello" in answer(opened)
    opened.sendall(HALF)
    assert answer(opened) == b""


def test_a_thousand_half_requests_keep_nobody_out(serve: Callable[..., Here]):
    here = serve(Connections(20))
    for _ in range(100):
        here.connect(HALF)
    assert b"hello" in answer(here.connect(WHOLE))


def test_connections_that_have_been_answered_keep_nobody_out(serve: Callable[..., Here]):
    here = serve(Connections(20))
    for _ in range(30):
        assert b"hello" in answer(here.connect(WHOLE))


def test_a_request_that_takes_its_time_is_answered_while_others_wait(serve: Callable[..., Here]):
    here = serve(Connections(20, seconds=5))
    opened = here.connect(HALF)
    for _ in range(10):
        here.connect(HALF)
    opened.sendall(b"\r\n")
    assert b"hello" in answer(opened)


def open_echo(here: Here) -> ClientConnection:
    return connect(here.echo, close_timeout=0.05)


def send_half(opened: ClientConnection, size: int, sent: int) -> None:
    """Send the first bytes of a message of some size."""
    head = b"\x82\xff" + size.to_bytes(8) + bytes(4)  # binary, masked with zeros
    opened.socket.sendall(head + bytes(sent))


def test_messages_that_never_end_take_no_more_than_their_bound(serve: Callable[..., Here]):
    here = serve(Connections(100), Messages(most=10 * SMALL))
    with contextlib.ExitStack() as stack:
        opened = [stack.enter_context(open_echo(here)) for _ in range(12)]
        for each in opened:
            send_half(each, 8 * SMALL, 2 * SMALL)
        with open_echo(here) as page:
            page.send(bytes(4 * SMALL))
            assert page.recv(timeout=120) == str(4 * SMALL)
        with pytest.raises(ConnectionClosed):
            opened[0].recv(timeout=120)


def test_messages_that_arrive_slowly_arrive(serve: Callable[..., Here]):
    here = serve(Connections(100), Messages(most=10 * SMALL))
    for _ in range(5):
        with open_echo(here) as opened:
            send_half(opened, 2 * SMALL, SMALL)
            opened.socket.sendall(bytes(SMALL))
            assert opened.recv(timeout=120) == str(2 * SMALL)
            for _ in range(8):  # in one connection one after the other: what has arrived counts no more
                opened.send(bytes(3 * SMALL))
                assert opened.recv(timeout=120) == str(3 * SMALL)


def test_a_server_may_open_as_many_files_as_the_system_lets_it():
    program = (
        "import resource\n"
        "from pages._ui.routes.connections import prepare_server\n"
        "_, hard = resource.getrlimit(resource.RLIMIT_NOFILE)\n"
        "hard = min(hard, 4096)\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))\n"
        "prepare_server()\n"
        "assert resource.getrlimit(resource.RLIMIT_NOFILE) == (hard, hard)\n"
    )
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True, timeout=120)
