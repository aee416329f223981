"""The way to Kling's text-to-video API: one method a call, on `requests`.

Source: kling-text2video.txt. Nothing here repeats a create call: what to do after a lost answer is for the
caller to decide, with `find`. One thing is sent twice: a request refused for the times of its token.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from http.cookiejar import DefaultCookiePolicy
from pathlib import Path
from typing import Any
from urllib.parse import quote

import requests
import urllib3
from requests.auth import AuthBase

from kling import wire
from kling.auth import Credentials, Signer
from kling.errors import (
    AuthFailed,
    DownloadBroken,
    InvalidRequest,
    MaybeSent,
    NotSent,
    Rejected,
    ServerTrouble,
    SlowDown,
    TaskFailed,
    TransportError,
    WaitTimeout,
)
from kling.models import Problem, Status, Task, TextToVideo

SINGAPORE = "https://api-singapore.klingai.com"
PATH = "/v1/videos/text2video"
CONNECT_TIMEOUT, READ_TIMEOUT = 5.0, 30.0  # seconds
ANSWER_LIMIT = 32 * 2**20  # bytes; a page of 500 tasks is about one megabyte
MAX_PAGE, MAX_PAGE_SIZE = 1000, 500
NOT_FOUND_CODES = frozenset({1201, 1203})  # observed: 1201 "Task not found by id/external id"
MAX_REDIRECTS = 3

_NEVER_CONNECTED = (
    urllib3.exceptions.NewConnectionError,
    urllib3.exceptions.NameResolutionError,
    urllib3.exceptions.ConnectTimeoutError,
)


class Client:
    """A connection to one account. Safe to share between threads.

    Args:
        credentials: an `ApiKey` or a `KeyPair`.
        base_url: the region's host; keys are regional (kling-api.md, section 2).
        connect_timeout, read_timeout: seconds; a whole answer has `read_timeout` as well.
        clock: Unix seconds, for tokens.
        monotonic: seconds that never jump, for deadlines.
        sleep: how `wait` pauses.
    """

    def __init__(
        self,
        credentials: Credentials,
        *,
        base_url: str = SINGAPORE,
        connect_timeout: float = CONNECT_TIMEOUT,
        read_timeout: float = READ_TIMEOUT,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self.timeout = (connect_timeout, read_timeout)
        self._signer = Signer(credentials)
        self._clock, self._monotonic, self._sleep = clock, monotonic, sleep
        self._api = _session()
        self._files = _session()  # result files: another host, which must never see the credentials

    def __repr__(self) -> str:
        return f"Client({self.base_url!r})"

    def close(self) -> None:
        """Close the connections that are kept open."""
        self._api.close()
        self._files.close()

    def submit(self, request: TextToVideo) -> Task:
        """Create a task, with one POST.

        Raises:
            InvalidRequest: the request breaks a rule; it was not sent.
            NotSent: it did not reach the API; it may be sent again.
            MaybeSent: it may have run; `find` its external_task_id before anything else.
            APIError: refused; `may_have_run` says whether a task may exist all the same.
        """
        if problems := request.problems():
            raise InvalidRequest(problems)
        return wire.task(*self._call("POST", PATH, json=request.to_wire()))

    def get(self, task_id: str) -> Task:
        """Return a task by Kling's id or by ours: both stand in the same place of the path.

        Raises:
            Rejected: 1201 or 1203, there is no such task.
            KlingError: as for every call.
        """
        if not task_id:
            raise InvalidRequest([Problem("task_id", "Name the task.")])
        return wire.task(*self._call("GET", f"{PATH}/{quote(task_id, safe='')}"))

    def find(self, external_task_id: str) -> Task | None:
        """Return the task that carries our id, or None if the account has none.

        A look-up has one parameter, so an answer that rejects it can only mean that there is no such task.

        Raises:
            KlingError: nothing is known; None is only returned when the API said so.
        """
        try:
            return self.get(external_task_id)
        except Rejected as error:
            if error.code in NOT_FOUND_CODES:
                return None
            raise

    def list(self, *, page_num: int = 1, page_size: int = 30) -> tuple[Task, ...]:
        """Return one page of the account's tasks, in an order that is not documented.

        Args:
            page_num: 1 to 1000.
            page_size: 1 to 500.

        Raises:
            InvalidRequest: a number is out of its range; nothing was asked.
            KlingError: as for every call.
        """
        if not 1 <= page_num <= MAX_PAGE:
            raise InvalidRequest([Problem("pageNum", f"Pages are numbered 1 to {MAX_PAGE}.")])
        if not 1 <= page_size <= MAX_PAGE_SIZE:
            raise InvalidRequest([Problem("pageSize", f"A page has 1 to {MAX_PAGE_SIZE} tasks.")])
        return wire.tasks(*self._call("GET", PATH, params={"pageNum": page_num, "pageSize": page_size}))

    def tasks(self, *, page_size: int = 100) -> Iterator[Task]:
        """Yield every task of the account, asking for a page at a time until one is not full."""
        for page_num in range(1, MAX_PAGE + 1):
            page = self.list(page_num=page_num, page_size=page_size)
            yield from page
            if len(page) < page_size:
                return

    def wait(
        self,
        task_id: str,
        *,
        timeout: float = 1800,
        on_change: Callable[[Task], None] | None = None,
    ) -> Task:
        """Return the task once it has succeeded, looking every 2 s at first and every 15 s later.

        A look that fails for a passing reason is repeated; the task itself is not touched by any of this.

        Args:
            task_id: Kling's id or ours.
            timeout: seconds.
            on_change: told of each new state.

        Raises:
            TaskFailed: it ended as failed.
            WaitTimeout: it is still running.
            KlingError: the API refuses to tell.
        """
        deadline = self._monotonic() + timeout
        task: Task | None = None
        pause = 2.0
        while True:
            try:
                seen = self.get(task_id)
            except (TransportError, SlowDown, ServerTrouble):
                seen = None
            if seen is not None:
                if on_change and (task is None or task.task_status != seen.task_status):
                    on_change(seen)
                task = seen
                if task.task_status == Status.FAILED:
                    raise TaskFailed(task)
                if task.terminal:
                    return task
            if self._monotonic() + pause > deadline:
                raise WaitTimeout(task_id, task)
            self._sleep(pause)
            pause = min(pause * 1.25, 15.0)

    def download(
        self,
        url: str,
        to: Path,
        *,
        max_bytes: int = 2 * 2**30,
        may_open: Callable[[str], None] | None = None,
        timeout: float = 900,
    ) -> int:
        """Save a result file, whole or not at all: it gets its name once every byte is on the disk.

        Args:
            url: from `Video.url`; the credentials are not sent there.
            to: where it goes; a half-written file beside it ends in `.part`.
            max_bytes: a larger file is refused.
            may_open: called with each address before it is opened, redirects included; raises to refuse it.
            timeout: seconds for the whole file.

        Returns:
            Its size in bytes.

        Raises:
            DownloadBroken: it is gone, too large, or not whole; the task, asked for again, has a new url.
            TransportError: there was no answer.
        """
        part = to.with_name(to.name + ".part")
        deadline = self._monotonic() + timeout
        try:
            with self._open_file(url, may_open) as response, part.open("wb") as file:
                length = response.headers.get("Content-Length", "")
                expected = int(length) if length.isdecimal() else None
                if expected is not None and expected > max_bytes:
                    raise DownloadBroken(f"The file has {expected:,} bytes and {max_bytes:,} are allowed.")
                size = 0
                for chunk in _chunks(response, 2**20, deadline, self._monotonic):
                    size += len(chunk)
                    if size > max_bytes:
                        raise DownloadBroken(f"The file has more than the {max_bytes:,} bytes allowed.")
                    file.write(chunk)
                if expected is not None and size != expected:
                    raise DownloadBroken(f"{size:,} of {expected:,} bytes arrived.")
                file.flush()
                os.fsync(file.fileno())
            part.replace(to)
            _sync_folder(to.parent)
        except _TROUBLE as error:
            raise _transport_error(error) from error
        finally:
            part.unlink(missing_ok=True)
        return size

    def _open_file(self, url: str, may_open: Callable[[str], None] | None) -> requests.Response:
        for _ in range(MAX_REDIRECTS + 1):
            if may_open:
                may_open(url)
            response = self._files.get(url, timeout=self.timeout, stream=True, allow_redirects=False)
            if not response.is_redirect:
                if response.status_code != requests.codes.ok:
                    response.close()
                    raise DownloadBroken(
                        f"The file's host answered HTTP {response.status_code}.", status=response.status_code
                    )
                return response
            url = requests.compat.urljoin(url, response.headers["Location"])
            response.close()
        raise DownloadBroken("The file's host redirects too often.")

    def _call(self, method: str, path: str, **arguments: Any) -> tuple[Any, str]:
        try:
            return self._send(method, path, **arguments)
        except AuthFailed as error:
            # Refused before it ran, and a new token may be accepted: the one thing that is sent twice.
            if error.code not in {1003, 1004} or not self._signer.renew(not_yet_valid=error.code == 1003):
                raise
        return self._send(method, path, **arguments)

    def _send(self, method: str, path: str, **arguments: Any) -> tuple[Any, str]:
        deadline = self._monotonic() + self.timeout[1]
        try:
            with self._api.request(
                method,
                self.base_url + path,
                auth=_Bearer(self._signer.bearer(self._clock())),
                headers={"Content-Type": "application/json"},  # listed as required, also for GET
                timeout=self.timeout,
                stream=True,
                allow_redirects=False,  # the credentials stay with the host that they were meant for
                **arguments,
            ) as response:
                body = b""
                for chunk in _chunks(response, 2**16, deadline, self._monotonic):
                    body += chunk
                    if len(body) > ANSWER_LIMIT:
                        raise MaybeSent("The answer is far too large to be one of Kling's.")
        except _TROUBLE as error:
            raise _transport_error(error) from error
        return wire.decipher(response.status_code, response.headers, body, self._clock())


# What requests lets through of urllib3 and of bad addresses stands here beside its own exceptions.
_TROUBLE = (requests.RequestException, urllib3.exceptions.HTTPError, UnicodeError)


class _Bearer(AuthBase):
    """Sets the header by itself; without an `auth`, requests would put in what it finds in a .netrc file."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


class _NoCredentials(AuthBase):
    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        return request


def _session() -> requests.Session:
    session = requests.Session()
    session.auth = _NoCredentials()
    session.cookies.set_policy(_NO_COOKIES)
    adapter = requests.adapters.HTTPAdapter(max_retries=0, pool_maxsize=16)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session


_NO_COOKIES = DefaultCookiePolicy(allowed_domains=[])


def _chunks(
    response: requests.Response, size: int, deadline: float, monotonic: Callable[[], float]
) -> Iterator[bytes]:
    """Yield the body as it comes, so that a body that dribbles cannot hold a thread past the deadline."""
    while chunk := response.raw.read1(size, decode_content=True):
        yield chunk
        if monotonic() > deadline:
            raise MaybeSent("The answer took too long to arrive.")


def _transport_error(error: Exception) -> TransportError:
    """Tell what never left this machine from what may have arrived (anchors.md, 4.2)."""
    cause: Any = error.args[0] if error.args else None
    reason = getattr(cause, "reason", cause)
    invalid = isinstance(
        error, requests.exceptions.InvalidURL | requests.exceptions.MissingSchema | UnicodeError
    )
    never = (
        invalid
        or isinstance(error, requests.exceptions.ConnectTimeout | requests.exceptions.InvalidSchema)
        or isinstance(reason, _NEVER_CONNECTED)
        or "CERTIFICATE_VERIFY_FAILED" in str(error)
    )
    text = _without_addresses(reason if isinstance(reason, Exception) else error)
    if never:
        return NotSent(f"Kling could not be reached: {text}")
    return MaybeSent(f"The connection broke before the answer was complete: {text}")


def _without_addresses(error: Exception) -> str:
    """Name the kind of fault only: texts of urllib3 hold objects' addresses and whole signed links."""
    names = {
        "NewConnectionError": "the connection was refused",
        "NameResolutionError": "the host's name is not known",
        "ConnectTimeoutError": "connecting took too long",
        "ReadTimeoutError": "the answer took too long",
        "ReadTimeout": "the answer took too long",
        "ProtocolError": "the connection was closed",
        "RemoteDisconnected": "the connection was closed",
        "IncompleteRead": "only a part of the answer came",
        "SSLError": "the certificate or the encryption failed",
    }
    return names.get(type(error).__name__, type(error).__name__)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
