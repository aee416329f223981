"""The real sandbox engine behind the real client, without sockets: the wire fails on purpose only."""

from __future__ import annotations

import io
import json
import time
from collections import deque
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import requests
import urllib3
from requests.adapters import BaseAdapter, HTTPAdapter

from kling import ApiKey, Client, KeyPair
from kling.auth import Credentials
from kling.download import Downloader
from kling.sandbox.auth import Keys
from kling.sandbox.engine import Answer, Engine, Request
from kling.sandbox.pace import Pace
from kling.sandbox.settings import Settings
from kling.sandbox.store import Store, Task
from kling.transport import RequestsTransport

URL = "http://sandbox.test"
KEYS = KeyPair("machine", "a-secret-key-of-32-bytes-at-least")
KEY = ApiKey("api-key-kling-machine")  # of the same account; opens the newer generation, too
ALL_KEYS = Keys(access_key=KEYS.access_key, secret_key=KEYS.secret_key, api_key=KEY.key)
NOT_SENT = ("refused", "no-host", "connect-timeout")
LOST_BEFORE = ("reset-before", "code-5000", "code-5001", "code-5002")
LOST_AFTER = ("reset-after", "timeout", "late", "empty", "garbage", "html-502", "short", "no-task-id")
LATE = 9.0  # seconds until a request arrives whose sender has given up already
REFUSED = ("code-1002", "code-1302", "code-1303", "code-1102", "code-1103", "code-1301", "code-1200")
OF_CLIPS = ("truncated", "expired-url", "html-clip")


class Killed(BaseException):
    """The process ends here: nothing after this line runs."""


class Wire(BaseAdapter):
    """requests' way to an engine in this process.

    Args:
        engine: that answers.
        clip: bytes of the one clip that every task has, or what makes those of a task.
        clock: Unix seconds.
    """

    def __init__(
        self, engine: Engine, clip: bytes | Callable[[Task], bytes], clock: Callable[[], float]
    ) -> None:
        super().__init__()
        self.engine, self.clip, self.clock = engine, clip, clock
        self.faults: deque[str] = deque()  # of the next calls, whatever they are
        self.clip_faults: deque[str] = deque()  # of the next downloads
        self.kill_at = ""
        self.calls = 0
        self._late: list[tuple[float, requests.PreparedRequest]] = []

    def deliver(self) -> None:
        """Let the requests arrive that were held up on their way."""
        late, self._late = self._late, []
        for due, request in late:
            if due <= self.clock():
                self._answer(request, "")
            else:
                self._late.append((due, request))

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        self.calls += 1
        if self.kill_at == "before-call":
            self.kill_at = ""
            raise Killed
        faults = self.clip_faults if self.clip_faults and "/clips/" in str(request.url) else self.faults
        fault = faults.popleft() if faults else ""
        _raise_unsent(fault, request)
        if fault == "late":
            self._late.append((self.clock() + LATE, request))
            raise requests.ReadTimeout
        response = self._answer(request, fault)
        if self.kill_at == "after-call":
            self.kill_at = ""
            raise Killed
        if fault == "reset-after":
            raise requests.ConnectionError(
                urllib3.exceptions.ProtocolError("aborted", ConnectionResetError())
            )
        if fault == "timeout":
            raise requests.ReadTimeout
        return response

    def close(self) -> None:
        """Nothing is open."""

    def _answer(self, request: requests.PreparedRequest, fault: str) -> requests.Response:
        parts = urlsplit(str(request.url))
        now = self.clock()
        if parts.path.startswith("/clips/"):
            return self._clip(request, parts.path, fault, now)
        body = request.body or b""
        if fault.startswith("code-"):
            code = int(fault.removeprefix("code-"))
            status = {5: 500, 10: 401}.get(code // (1000 if code >= 5000 else 100), 429)
            return respond(
                request, status, json.dumps({"code": code, "message": "as planned", "request_id": "r"})
            )
        read = Request(
            method=str(request.method),
            path=unquote(parts.path),
            query=dict(parse_qsl(parts.query)),
            headers={name.lower(): value for name, value in request.headers.items()},
            body=body if isinstance(body, bytes) else body.encode(),
            base_url=f"{parts.scheme}://{parts.netloc}",
        )
        answer = self.ask(read, fault, now)
        text = json.dumps(answer.body)
        spoiled = {
            "empty": "",
            "garbage": '\x00{"code": 0, <<',
            "html-502": "<html>Bad Gateway</html>",
            "short": text[: len(text) // 2],
            "no-task-id": '{"code": 0, "message": "SUCCEED", "data": {}}',
        }
        return respond(request, 502 if fault == "html-502" else answer.status, spoiled.get(fault, text))

    def ask(self, request: Request, fault: str, now: float) -> Answer:  # noqa: ARG002 - for those who inherit
        """Return what the API answers."""
        answer = self.engine.handle(request, now)
        for task in iter(self.engine.store.undrawn, None):
            self.engine.store.mark_ready(task.task_id, self.engine.clock(now))
        return answer

    def clip_of(self, task_id: str, now: float) -> Task | None:
        """Return the task whose clip may be downloaded."""
        return self.engine.clip(task_id, now)

    def _clip(
        self, request: requests.PreparedRequest, path: str, fault: str, now: float
    ) -> requests.Response:
        task_id = path.removeprefix("/clips/")[:18]
        task = self.clip_of(task_id, now)
        if fault == "expired-url" or task is None:
            return respond(request, 403, "<Error/>")
        if fault in {"html-clip", "html-502"}:
            return respond(request, 200, "<html>Please sign in</html>")
        whole = self.clip(task) if callable(self.clip) else self.clip
        sent = whole[: len(whole) // 2] if fault in {"truncated", "short", "empty"} else whole
        return respond(request, 200, sent, length=len(whole) if fault == "short" else None)


def _raise_unsent(fault: str, request: requests.PreparedRequest) -> None:
    pool: Any = None
    reasons: dict[str, Exception] = {
        "refused": urllib3.exceptions.NewConnectionError(pool, "refused"),
        "no-host": urllib3.exceptions.NameResolutionError("sandbox.test", pool, OSError("no host")),  # type: ignore[arg-type]
    }
    if fault in reasons:
        raise requests.ConnectionError(
            urllib3.exceptions.MaxRetryError(pool, request.url or "", reasons[fault])
        )
    if fault == "connect-timeout":
        raise requests.ConnectTimeout
    if fault == "reset-before":
        raise requests.ConnectionError(urllib3.exceptions.ProtocolError("aborted", ConnectionResetError()))


def respond(
    request: requests.PreparedRequest, status: int, body: str | bytes, *, length: int | None = None
) -> requests.Response:
    """Make the response that requests would have made of these bytes."""
    data = body.encode() if isinstance(body, str) else body
    headers = {"Content-Length": str(len(data) if length is None else length)}
    raw = urllib3.HTTPResponse(io.BytesIO(data), headers=headers, status=status, preload_content=False)
    return HTTPAdapter().build_response(request, raw)


class InProcess:
    """A connection to an engine in this process: a sandbox, as far as the studio can tell.

    Args:
        wire: the way to it.
        credentials, base_url: those of a real account; by default it is a sandbox.
        clock: Unix seconds, for tokens; by default the wire's.
        monotonic: seconds that never jump; by default the real ones.
    """

    def __init__(
        self,
        wire: Wire,
        *,
        credentials: Credentials | None = None,
        base_url: str = URL,
        clock: Callable[[], float] | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.wire = wire
        self.is_sandbox, self.is_asleep = credentials is None, False
        self._client = Client(
            credentials or KEY,
            base_url=base_url,
            clock=clock or wire.clock,
            monotonic=monotonic,
            # Proxies mean nothing to the wire, and reading the environment takes longer than an answer.
            transport=RequestsTransport(adapter=wire, monotonic=monotonic, trust_env=False),
            downloader=Downloader(base_url, timeout=(5.0, 30.0), monotonic=monotonic, adapter=wire),
        )

    def client(self) -> Client:
        return self._client

    def start(self) -> None:
        """Nothing to start."""

    def stop(self) -> None:
        self._client.close()


def engine_at(now: float, *, concurrency: int = 3, pace: Pace | None = None) -> Engine:
    """Make an engine of its own, with the keys of `InProcess`."""
    return Engine(Store(), Settings(keys=ALL_KEYS, concurrency=concurrency, pace=pace or Pace()), now)
