"""A server that speaks the OpenAI chat API on a real socket, as well or as badly as a test says."""

from __future__ import annotations

import json
import select
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any

PATIENCE = 20.0  # seconds that a broken test waits


class Talk:
    """One question, and the way to answer it.

    Args:
        handler: of the request.
        model: the server.
    """

    def __init__(self, handler: BaseHTTPRequestHandler, model: FakeModel) -> None:
        self._handler, self._model = handler, model
        self.path, self.headers = handler.path, dict(handler.headers)
        length = int(handler.headers.get("Content-Length", 0))
        self.body: dict[str, Any] = json.loads(handler.rfile.read(length)) if length else {}

    @property
    def text(self) -> str:
        """The prompt that was sent."""
        return str(json.loads(self.body["messages"][1]["content"])["text"])

    def raw(self, data: bytes) -> None:
        self._handler.wfile.write(data)
        self._handler.wfile.flush()

    def head(self, status: int = 200, kind: str = "text/event-stream", **headers: str) -> None:
        lines = [f"HTTP/1.1 {status} Status", f"Content-Type: {kind}", "Connection: close"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        self.raw("\r\n".join([*lines, "", ""]).encode())

    def words(self, *pieces: str) -> None:
        """Send further words of a stream."""
        for piece in pieces:
            event = {"choices": [{"index": 0, "delta": {"content": piece}, "finish_reason": None}]}
            self.raw(f"data: {json.dumps(event)}\n\n".encode("utf-8", "surrogatepass"))

    def end(self, reason: str = "stop") -> None:
        self.raw(f'data: {{"choices": [{{"delta": {{}}, "finish_reason": "{reason}"}}]}}\n\n'.encode())
        self.raw(b"data: [DONE]\n\n")

    def is_over(self, seconds: float) -> bool:
        """Whether the test goes on within so many seconds."""
        return self._model.go_on.wait(seconds)

    def wait(self) -> None:
        """Say nothing until the test goes on, or until whoever asked has gone."""
        while not self._model.go_on.is_set():
            readable, _, _ = select.select([self._handler.connection], [], [], 0.01)
            if readable and not self._handler.connection.recv(1):
                self._model.left.set()
                return


Behave = Callable[[Talk], None]


class FakeModel:
    """The server.

    Args:
        behave: how it answers the next questions; may be replaced at any time.
    """

    def __init__(self, behave: Behave) -> None:
        self.behave = behave
        self.asked: list[Talk] = []
        # Somebody has asked; it goes on; whoever asked has left.
        self.came, self.go_on, self.left = Event(), Event(), Event()
        model = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                talk = Talk(self, model)
                model.asked.append(talk)
                model.came.set()
                try:
                    model.behave(talk)
                except ConnectionError:  # who asked has gone, and had not read everything
                    model.left.set()
                self.close_connection = True

            def do_GET(self) -> None:
                self.do_POST()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                """Say nothing."""

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 64

        self._server = Server(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}/v1"
        self._thread = Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        self.go_on.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(PATIENCE)


@contextmanager
def fake_model(behave: Behave) -> Iterator[FakeModel]:
    model = FakeModel(behave)
    try:
        yield model
    finally:
        model.close()


# -- ways to behave ----------------------------------------------------------------------------------------


def streams(*pieces: str, reason: str = "stop") -> Behave:
    def behave(talk: Talk) -> None:
        talk.head()
        talk.words(*pieces)
        talk.end(reason)

    return behave


def answers_at_once(text: str) -> Behave:
    """Ignores that a stream was asked for."""

    def behave(talk: Talk) -> None:
        said = {"choices": [{"message": {"role": "assistant", "content": text}, "finish_reason": "stop"}]}
        talk.head(kind="application/json; charset=utf-8")
        talk.raw(json.dumps(said, indent=2).encode())

    return behave


def refuses(
    status: int, body: str = '{"error": {"message": "sk-secret is wrong"}}', **headers: str
) -> Behave:
    def behave(talk: Talk) -> None:
        talk.head(status, "application/json", **headers)
        talk.raw(body.encode())

    return behave


def says_nothing(talk: Talk) -> None:
    talk.wait()


def begins_and_waits(*pieces: str) -> Behave:
    def behave(talk: Talk) -> None:
        talk.head()
        talk.words(*pieces)
        talk.wait()

    return behave


def drips_its_head(talk: Talk) -> None:
    for number in range(100_000):
        talk.raw(b"HTTP/1.1 200 OK\r\n" if not number else b"X")
        if talk.is_over(0.001):
            return


def breaks_off(*pieces: str) -> Behave:
    """Announces more than it sends."""

    def behave(talk: Talk) -> None:
        talk.head(Content_Length="100000")
        talk.words(*pieces)

    return behave


def raw_answer(data: bytes, kind: str = "text/event-stream") -> Behave:
    def behave(talk: Talk) -> None:
        talk.head(kind=kind)
        talk.raw(data)

    return behave


def never_ends(talk: Talk) -> None:
    talk.head()
    for _ in range(100_000):
        talk.words("word " * 50)


def in_turn(*ways: Behave) -> Behave:
    """Behaves each time in the next way, in the end always in the last one."""
    left: Sequence[Behave] = list(ways)

    def behave(talk: Talk) -> None:
        nonlocal left
        way, left = left[0], left[1:] or left[:1]
        way(talk)

    return behave
