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
from urllib.parse import quote, urljoin

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
from kling.rules import id_problem

SINGAPORE = "https://api-singapore.klingai.com"
PATH = "/v1/videos/text2video"
CONNECT_TIMEOUT, READ_TIMEOUT = 5.0, 30.0  # seconds
ANSWER_LIMIT = 32 * 2**20  # bytes; a page of 500 tasks is about one megabyte
MAX_PAGE, MAX_PAGE_SIZE = 1000, 500
NOT_FOUND_CODES = frozenset({1201, 1203})  # observed: 1201 "Task not found by id/external id"
MAX_REDIRECTS = 3
LOOPBACK = ("http://127.0.0.1", "http://localhost", "http://[::1]")

_NEVER_STARTED = (
    requests.exceptions.ConnectTimeout,
    requests.exceptions.InvalidURL,
    requests.exceptions.MissingSchema,
    requests.exceptions.InvalidSchema,
    UnicodeError,
)
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
        connect_timeout, read_timeout: seconds; the whole body of an answer has `read_timeout` as well.
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
        # A proxy that the environment names leads out of this machine, never to a sandbox on it.
        environment = not self.base_url.startswith(LOOPBACK)
        self._api = _Session(trust_env=environment)
        self._files = _Session(
            trust_env=environment
        )  # result files: another host, which must never see the credentials

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
            InvalidRequest: there can be no such id; nothing was asked.
            Rejected: 1201 or 1203, there is no such task.
            KlingError: as for every call.
        """
        if problem := id_problem(task_id) if task_id else "Name the task.":
            raise InvalidRequest([Problem("task_id", problem)])
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
        return wire.tasks(*self._page(page_num, page_size))

    def tasks(self, *, page_size: int = 100) -> Iterator[Task]:
        """Yield every task of the account, asking for a page at a time until one is not full."""
        for page_num in range(1, MAX_PAGE + 1):
            data, request_id = self._page(page_num, page_size)
            yield from wire.tasks(data, request_id)
            if len(data) < page_size:
                return

    def _page(self, page_num: int, page_size: int) -> tuple[Any, str]:
        if not 1 <= page_num <= MAX_PAGE:
            raise InvalidRequest([Problem("pageNum", f"Pages are numbered 1 to {MAX_PAGE}.")])
        if not 1 <= page_size <= MAX_PAGE_SIZE:
            raise InvalidRequest([Problem("pageSize", f"A page has 1 to {MAX_PAGE_SIZE} tasks.")])
        return self._call("GET", PATH, params={"pageNum": page_num, "pageSize": page_size})

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
            left = deadline - self._monotonic()
            if left <= 0:
                raise WaitTimeout(task_id, task)
            self._sleep(min(pause, left))
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
            OSError: the disk did not take it.
        """
        part = to.with_name(to.name + ".part")
        deadline = self._monotonic() + timeout
        with self._open_file(url, may_open) as response:
            expected = response.raw.length_remaining  # what is missing at the end, urllib3 notices
            if expected is not None and expected > max_bytes:
                raise DownloadBroken(f"The file has {expected:,} bytes and {max_bytes:,} are allowed.")
            try:
                size = 0
                with part.open("wb") as file:
                    for chunk in _chunks(response, 2**20, deadline, self._monotonic):
                        size += len(chunk)
                        if size > max_bytes:
                            raise DownloadBroken(f"The file has more than the {max_bytes:,} bytes allowed.")
                        file.write(chunk)
                    file.flush()
                    os.fsync(file.fileno())
                part.replace(to)
            except (urllib3.exceptions.HTTPError, _TooSlow) as error:
                raise DownloadBroken(f"Only a part of the file arrived: {_kind(error)}.") from None
            finally:
                part.unlink(missing_ok=True)
        sync_folder(to.parent)
        return size

    def _open_file(self, url: str, may_open: Callable[[str], None] | None) -> requests.Response:
        for _ in range(MAX_REDIRECTS + 1):
            if may_open:
                may_open(url)
            try:
                response = self._files.get(
                    url, headers={"Accept-Encoding": "identity"}, timeout=self.timeout, stream=True
                )
            except _TROUBLE as error:
                raise _transport_error(error) from None
            if not response.is_redirect:
                if response.status_code != requests.codes.ok:
                    response.close()
                    raise DownloadBroken(
                        f"The file's host answered HTTP {response.status_code}.", status=response.status_code
                    )
                return response
            response.close()
            try:
                url = urljoin(url, response.headers["Location"])
            except ValueError:
                raise DownloadBroken("The file's host redirects to something that is no address.") from None
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
        token = self._signer.bearer(self._clock())
        try:
            with self._api.request(
                method,
                self.base_url + path,
                auth=_Bearer(token),
                headers={"Content-Type": "application/json"},  # listed as required, also for GET
                timeout=self.timeout,
                stream=True,
                **arguments,
            ) as response:
                body = bytearray()
                deadline = self._monotonic() + self.timeout[1]
                for chunk in _chunks(response, 2**16, deadline, self._monotonic):
                    body += chunk
                    if len(body) > ANSWER_LIMIT:
                        raise MaybeSent("The answer is far too large to be one of Kling's.")
        except _TROUBLE as error:
            raise _transport_error(error) from None
        return wire.decipher(response.status_code, response.headers, bytes(body), self._clock())


class _TooSlow(Exception):
    """A body dribbled on past its deadline."""


# OSError: requests' own exceptions, and a missing CA bundle. The others are what requests lets through.
# Never chained: the texts of these exceptions hold whole signed links.
_TROUBLE = (OSError, urllib3.exceptions.HTTPError, UnicodeError, _TooSlow)


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


class _Session(requests.Session):
    """Sends what it is given, once, to where it is told: no .netrc, no cookies, no resends, no redirects."""

    def __init__(self, *, trust_env: bool) -> None:
        super().__init__()
        self.trust_env = trust_env
        self.auth = _NoCredentials()
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        adapter = requests.adapters.HTTPAdapter(max_retries=0, pool_maxsize=16)
        self.mount("https://", adapter)
        self.mount("http://", adapter)

    def get_redirect_target(self, resp: requests.Response) -> None:  # noqa: ARG002
        """Take a redirect as an answer like any other.

        With `allow_redirects=False`, requests still reads its whole body and prepares the next request,
        whose faults would look as if the first had never been sent.
        """
        return


def _chunks(
    response: requests.Response, size: int, deadline: float, monotonic: Callable[[], float]
) -> Iterator[bytes]:
    """Yield the body as it comes, so that a body that dribbles cannot hold a thread past the deadline."""
    while chunk := response.raw.read1(size, decode_content=True):
        yield chunk
        if monotonic() > deadline:
            raise _TooSlow


def _transport_error(error: Exception) -> TransportError:
    """Tell what never left this machine from what may have arrived (README, Money)."""
    cause: Any = error.args[0] if error.args else None
    reason = getattr(cause, "reason", cause)
    reason = getattr(reason, "original_error", reason)  # of a proxy
    never = isinstance(error, _NEVER_STARTED) or isinstance(reason, _NEVER_CONNECTED)
    never = never or "CERTIFICATE_VERIFY_FAILED" in str(error)
    text = _kind(reason if isinstance(reason, Exception) else error)
    if never:
        return NotSent(f"Kling could not be reached: {text}.")
    return MaybeSent(f"The connection broke before the answer was complete: {text}.")


def _kind(error: Exception) -> str:
    """Name the kind of fault only: texts of urllib3 hold objects' addresses and whole signed links."""
    names = {
        "ConnectionRefusedError": "the connection was refused",
        "NewConnectionError": "no connection could be made",
        "NameResolutionError": "the host's name is not known",
        "ConnectTimeoutError": "connecting took too long",
        "ReadTimeoutError": "the answer took too long",
        "ReadTimeout": "the answer took too long",
        "ConnectTimeout": "connecting took too long",
        "_TooSlow": "the answer took too long",
        "ProtocolError": "the connection was closed",
        "RemoteDisconnected": "the connection was closed",
        "IncompleteRead": "only a part of the answer came",
        "InvalidURL": "the address is not one",
        "MissingSchema": "the address is not one",
        "InvalidSchema": "the address is not one",
        "SSLError": "the certificate or the encryption failed",
    }
    known = (names.get(type(fault).__name__) for fault in (error.__cause__, error))
    return next(filter(None, known), type(error).__name__)


def sync_folder(folder: Path) -> None:
    """Make a new or renamed file of a folder outlive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
