"""A server on loopback that answers as it is told, also in ways that no decent server would.

    with Loopback() as server:
        server.says(reply({"code": 0, "data": []}), reset_after_reading)
        ...
        server.seen[0].path

An answer is a function of the connection; True keeps the connection open. The last one is repeated.
"""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True)
class Seen:
    """One request as it arrived."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    connection: int

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.target).query))

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def bearer(self) -> str:
        return self.headers["authorization"].removeprefix("Bearer ")


@dataclass
class Connection:
    """What an answer gets: the socket, and an event that is set when the server closes."""

    socket: socket.socket
    closing: threading.Event


Answer = Callable[[Connection], bool]


def raw(*pieces: bytes, keep: bool = False) -> Answer:
    def answer(connection: Connection) -> bool:
        for piece in pieces:
            connection.socket.sendall(piece)
        return keep

    return answer


def reply(
    content: Any = None,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    length: int | None = None,
) -> Answer:
    """Answer with JSON, or with bytes as they are; a `length` that is not the true one is a lie."""
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    fields = {"Content-Length": str(len(body) if length is None else length), **(headers or {})}
    head = f"HTTP/1.1 {status} Whatever\r\n" + "".join(f"{k}: {v}\r\n" for k, v in fields.items())
    return raw(head.encode("latin-1") + b"\r\n" + body, keep=length is None)


def task(status: str = "submitted", *, task_id: str = "7", **fields: Any) -> Answer:
    data = {"task_id": task_id, "task_status": status, **fields}
    return reply({"code": 0, "message": "SUCCEED", "request_id": "r-1", "data": data})


def refusal(code: Any, *, status: int = 400, message: str = "no", **headers: str) -> Answer:
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    return reply({"code": code, "message": message, "request_id": "r-2"}, status=status, headers=fields)


def hang_up(_connection: Connection) -> bool:
    """End without a word."""
    return False


def reset_after_reading(connection: Connection) -> bool:
    connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return False


def silence(connection: Connection) -> bool:
    """Say nothing until the server closes."""
    connection.closing.wait()
    return False


def half_then_silence(connection: Connection) -> bool:
    connection.socket.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{"code": 0')
    return silence(connection)


def dribble(connection: Connection) -> bool:
    """Send a body that goes on for as long as somebody reads it."""
    connection.socket.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while not connection.closing.is_set():
        connection.socket.sendall(b"1\r\nx\r\n")
    return False


def relay(one: socket.socket, other: socket.socket) -> None:
    """Carry bytes both ways until either side ends, as a proxy's tunnel does."""

    def carry(source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while piece := source.recv(2**16):
                target.sendall(piece)
        with contextlib.suppress(OSError):
            target.shutdown(socket.SHUT_RDWR)

    back = threading.Thread(target=carry, args=(other, one), daemon=True)
    back.start()
    carry(one, other)
    back.join(120)


class Loopback:
    """The server. Answers are given in order; `resets_before_reading` closes before it reads anything."""

    def __init__(self, *, tls: ssl.SSLContext | None = None, resets_before_reading: bool = False) -> None:
        self.seen: list[Seen] = []
        self._answers: list[Answer] = []  # none: it hangs up
        self._lock = threading.Condition()
        self._closing = threading.Event()
        self._tls, self._resets = tls, resets_before_reading
        self._connections: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.netloc = f"127.0.0.1:{self.port}"
        self.url = f"http{'s' if tls else ''}://{self.netloc}"
        self._spawn(self._accept)

    def says(self, *answers: Answer) -> None:
        self._answers.extend(answers)

    def says_only(self, *answers: Answer) -> None:
        """Forget the answers that were to come, and give these."""
        self._answers[:] = answers

    def wait_for(self, number: int) -> None:
        """Wait until so many requests have been read: a client may give up before that."""
        with self._lock:
            assert self._lock.wait_for(lambda: len(self.seen) >= number, 120)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self._connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(120)

    def _next(self) -> Answer:
        if not self._answers:
            return hang_up
        return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]

    def _spawn(self, work: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                if self._resets:
                    connection.recv(1, socket.MSG_PEEK)  # there is a request, and nobody reads it
                    reset_after_reading(Connection(connection, self._closing))
                    connection.close()
                    continue
                self._connections.append(connection)
                self._spawn(self._serve, connection, len(self._connections))

    def _serve(self, connection: socket.socket, number: int) -> None:
        with contextlib.suppress(OSError), connection:
            wrapped = self._tls.wrap_socket(connection, server_side=True) if self._tls else connection
            with wrapped, wrapped.makefile("rb") as lines:
                while (seen := _read(lines, number)) is not None:
                    with self._lock:
                        self.seen.append(seen)
                        self._lock.notify_all()
                        answer = self._next()
                    if not answer(Connection(wrapped, self._closing)):
                        return


def _read(lines: Any, number: int) -> Seen | None:
    words = lines.readline().decode("latin-1").split()
    if len(words) != 3:
        return None
    headers = {}
    while (line := lines.readline().decode("latin-1").strip()) != "":
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    return Seen(words[0], words[1], headers, lines.read(int(headers.get("content-length", 0))), number)
