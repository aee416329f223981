"""Kling's API for videos: one method a call, over any transport.

Nothing here repeats a create call: what to do after a lost answer is for the caller to decide, with `find`.
One thing is sent twice: a request that was refused because of the times of its token (S1).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kling import newer_wire, resource_packs
from kling.addresses import is_on_this_machine
from kling.auth import Credentials, Signer
from kling.catalog import NEWER
from kling.deprecated import OldMethods
from kling.dialect import Call
from kling.endpoint import (
    ENDPOINTS,
    NEWER_TEXT_TO_VIDEO,
    TEXT_TO_VIDEO,
    Endpoint,
    Request,
    check_endpoint,
    endpoint_of,
)
from kling.errors import (
    AuthenticationFailed,
    BadRequest,
    InvalidRequest,
    MaybeSent,
    RateLimited,
    ServerError,
    TaskFailed,
    TransportError,
    WaitTimeout,
)
from kling.pictures import PictureBytes, inserted
from kling.problems import Problem
from kling.resource_packs import ResourcePack
from kling.tasks import Status, Task
from kling.transfer_limits import CONNECT_TIMEOUT, MAX_BYTES, READ_TIMEOUT
from kling.wire import MAX_PAGE

if TYPE_CHECKING:
    from kling.download import Downloader, Resolve
    from kling.transport import Transport

SINGAPORE = "https://api-singapore.klingai.com"
MAX_PAGE_SIZE = 500
NOT_FOUND_CODES = frozenset({1201, 1203})  # observed: 1201 "Task not found by id/external id"
TOKEN_TOO_EARLY, TOKEN_TOO_LATE = 1003, 1004
FIRST_PAUSE, LONGEST_PAUSE, PAUSE_GROWTH = 2.0, 15.0, 1.25  # seconds between the looks of `wait`
_ANOTHER_TASK = "The answer is about another task."


class Client(OldMethods):
    """A connection to one account. Safe to share between threads.

    Args:
        credentials: an `ApiKey` or a `KeyPair`.
        base_url: the region's host; keys are regional.
        video_hosts: exact names, or `.suffixes` of names, of hosts that may have an address in a private
            network and still be downloaded from.
        retired_ok: send requests for models that Kling has retired; for an account that still serves them.
        connect_timeout, read_timeout: seconds; the whole body of an answer has `read_timeout` as well.
        clock: Unix seconds, for tokens.
        monotonic: seconds that never jump, for deadlines.
        sleep: how `wait` pauses.
        resolve: how downloads look names up, as `socket.getaddrinfo` does.
        transport: sends the calls, with timeouts of its own; the default is a `RequestsTransport`.
        downloader: fetches files, by rules of its own. It shares nothing with the transport: files lie on
            other hosts, which must never see the credentials.
    """

    def __init__(
        self,
        credentials: Credentials,
        *,
        base_url: str = SINGAPORE,
        video_hosts: frozenset[str] = frozenset(),
        retired_ok: bool = False,
        connect_timeout: float = CONNECT_TIMEOUT,
        read_timeout: float = READ_TIMEOUT,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        resolve: Resolve | None = None,
        transport: Transport | None = None,
        downloader: Downloader | None = None,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self.retired_ok = retired_ok
        self._signer, self._credentials = Signer(credentials), credentials
        self._clock, self._monotonic, self._sleep = clock, monotonic, sleep
        # Imported here: whoever only makes and checks requests does not wait for HTTP.
        from kling.download import Downloader
        from kling.transport import RequestsTransport

        self._transport = transport or RequestsTransport(
            connect_timeout=connect_timeout,
            read_timeout=read_timeout,
            # a proxy of the environment leads out of this machine, so it cannot reach a sandbox on it
            trust_env=not is_on_this_machine(self.base_url),
            monotonic=monotonic,
        )
        self._files = downloader or Downloader(
            self.base_url,
            video_hosts=video_hosts,
            timeout=(connect_timeout, read_timeout),
            monotonic=monotonic,
            resolve=resolve,
        )

    def __repr__(self) -> str:
        return f"Client({self.base_url!r})"

    def close(self) -> None:
        """Close the connections that are kept open."""
        self._transport.close()
        self._files.close()

    def create(
        self,
        request: Request,
        *,
        endpoint: Endpoint | None = None,
        picture_bytes: PictureBytes | None = None,
    ) -> Task:
        """Create a task, with one POST to the endpoint of the request.

        Args:
            request: what to make.
            endpoint: another one that takes it too; by default the one that the catalog names.
            picture_bytes: gives the bytes of a picture that the request names by its SHA-256.

        Raises:
            InvalidRequest: the request breaks a rule, names a picture that is not there, or needs an API key;
                it was not sent.
            NotSent: it did not reach the API; it may be sent again.
            MaybeSent: it may have run; `find` its external_task_id before anything else. So it is when the
                answer is about a task with another external_task_id.
            APIError: refused; `may_have_run` says whether a task may exist all the same.
        """
        if problems := request.problems(retired_ok=self.retired_ok):
            raise InvalidRequest(problems)
        endpoint = endpoint or endpoint_of(request)
        check_endpoint(request, endpoint, self._credentials)
        body = inserted(request.to_wire(), picture_bytes)
        dialect = endpoint.dialect
        task = dialect.task(*self._call(endpoint, dialect.create_call(endpoint.path, body)))
        asked = request.external_task_id
        if asked and task.external_task_id not in {"", asked}:
            raise MaybeSent(_ANOTHER_TASK)
        return task

    def get(self, task_id: str, *, endpoint: Endpoint | None = None) -> Task:
        """Return a task by Kling's id or by ours.

        Args:
            task_id: Kling's id or ours.
            endpoint: that the task was created at; by default each one is asked until one has it.

        Raises:
            InvalidRequest: an endpoint can have no such id; it was not asked.
            BadRequest: 1201 or 1203, there is no such task.
            MaybeSent: the answer is about another task, or cannot be read.
            KlingError: as for every call.
        """
        return self._get(task_id, self._places(endpoint))[0]

    def find(self, external_task_id: str, *, endpoint: Endpoint | None = None) -> Task | None:
        """Return the task that carries our id, or None if the account has none.

        Args:
            external_task_id: ours.
            endpoint: that the task was, or was not, created at, such as `endpoint_of(request)`; None then
                speaks of this one alone. By default each one is asked until one has it.

        Raises:
            InvalidRequest: an endpoint can have no such id; it was not asked.
            MaybeSent: an answer does not name our id, so whether there is such a task stays open.
            KlingError: it stays open too. None is returned only if the API says that there is no such task,
                at every endpoint that was to be asked.
        """
        for place in self._places(endpoint):
            place.check_id("external_task_id", external_task_id)
            try:
                task = self._look_up(place, place.dialect.find_call(place.path, external_task_id))
            except BadRequest as error:
                if error.code not in NOT_FOUND_CODES:
                    raise
                continue
            if task.external_task_id != external_task_id:
                raise MaybeSent(_ANOTHER_TASK)
            return task
        return None

    def _places(self, endpoint: Endpoint | None) -> tuple[Endpoint, ...]:
        """Return where a task is looked for: at one endpoint, or in every list of the account."""
        if endpoint:
            return (endpoint,)
        lists = {each.list_name: each for each in ENDPOINTS if each.opens_for(self._credentials)}
        return tuple(lists.values())

    def _get(self, task_id: str, places: Sequence[Endpoint]) -> tuple[Task, Endpoint]:
        """Return a task, and where it was found."""
        absent = BadRequest(404, 1203, "There is no task with this id.")
        for place in places:
            place.check_id("task_id", task_id)
            for call in place.dialect.task_calls(place.path, task_id):
                try:
                    task = self._look_up(place, call)
                except BadRequest as error:
                    if error.code not in NOT_FOUND_CODES:
                        raise
                    absent = error
                    continue
                if task_id not in {task.task_id, task.external_task_id}:
                    raise MaybeSent(_ANOTHER_TASK)
                return task, place
        raise absent

    def find_many(self, external_task_ids: Sequence[str]) -> tuple[Task, ...]:
        """Return the tasks of the newer generation that carry our ids, those of any endpoint.

        Args:
            external_task_ids: at most `newer_wire.MOST_IDS`. One that is missing in the answer is not known
                to the account.

        Raises:
            InvalidRequest: there are too many, or there can be no such id; the API was not asked.
            KlingError: as for every call.
        """
        ids = [*external_task_ids]
        if not 0 < len(ids) <= newer_wire.MOST_IDS:
            raise InvalidRequest([Problem("external_task_ids", f"Name 1 to {newer_wire.MOST_IDS} tasks.")])
        for each in ids:
            NEWER_TEXT_TO_VIDEO.check_id("external_task_ids", each)
        call = newer_wire.find_many_call(ids)
        return newer_wire.tasks(*self._call(NEWER_TEXT_TO_VIDEO, call))

    def _look_up(self, endpoint: Endpoint, call: Call) -> Task:
        dialect = endpoint.dialect
        try:
            data, request_id = self._call(endpoint, call)
        except BadRequest as error:
            if dialect.REFUSAL_IS_ABSENCE or error.code not in NOT_FOUND_CODES:
                raise
            raise MaybeSent(f"The look-up was refused: {error}") from error
        return dialect.looked_up(data, request_id)

    def list(
        self, *, page_num: int = 1, page_size: int = 30, endpoint: Endpoint = TEXT_TO_VIDEO
    ) -> tuple[Task, ...]:
        """Return one page of the tasks of one endpoint, in an order that is not documented.

        Args:
            page_num: 1 to 1000.
            page_size: 1 to 500.
            endpoint: that the tasks were created at; the newer generation lists those of all its endpoints.

        Raises:
            InvalidRequest: a number is out of its range; the API was not asked.
            KlingError: as for every call.
        """
        if not 1 <= page_num <= MAX_PAGE:
            raise InvalidRequest([Problem("pageNum", f"Pages are numbered 1 to {MAX_PAGE}.")])
        if endpoint.api != NEWER:
            return self._page(endpoint, str(page_num), page_size)[0]
        cursor = ""
        for _ in range(page_num - 1):  # there, a page is found only from the one before it
            _, cursor = self._page(endpoint, cursor, page_size)
            if not cursor:
                return ()
        return self._page(endpoint, cursor, page_size)[0]

    def page(
        self, cursor: str = "", *, page_size: int = 100, endpoint: Endpoint = TEXT_TO_VIDEO
    ) -> tuple[tuple[Task, ...], str]:
        """Return one page of the tasks of one endpoint, and the cursor of the next one, empty after the last.

        Args:
            cursor: what the page before came with; empty for the first one.
            page_size: 1 to 500.
            endpoint: that the tasks were created at; the newer generation lists those of all its endpoints.

        Raises:
            KlingError: as for every call.
        """
        if endpoint.api == NEWER:
            return self._page(endpoint, cursor, page_size)
        page_num = int(cursor or 1)
        found = self.list(page_num=page_num, page_size=page_size, endpoint=endpoint)
        # A page may be short although more pages follow, so only an empty one is the last.
        return found, str(page_num + 1) if found and page_num < MAX_PAGE else ""

    def tasks(self, *, page_size: int = 100, endpoint: Endpoint = TEXT_TO_VIDEO) -> Iterator[Task]:
        """Yield every task of one endpoint, asking for a page at a time until one is not full, or the last.

        Args:
            page_size: 1 to 500.
            endpoint: that the tasks were created at; the newer generation lists those of all its endpoints.

        Raises:
            KlingError: as for every call.
        """
        cursor = ""
        while True:
            found, cursor = self._page(endpoint, cursor, page_size)
            yield from found
            if not cursor:
                return

    def _page(self, endpoint: Endpoint, cursor: str, page_size: int) -> tuple[tuple[Task, ...], str]:
        if not 1 <= page_size <= MAX_PAGE_SIZE:
            raise InvalidRequest([Problem("pageSize", f"A page has 1 to {MAX_PAGE_SIZE} tasks.")])
        dialect = endpoint.dialect
        data, request_id = self._call(endpoint, dialect.page_call(endpoint.path, cursor, page_size))
        return dialect.tasks(data, request_id), dialect.next_cursor(data, cursor, page_size)

    def resource_packs(self, start: datetime, end: datetime) -> tuple[ResourcePack, ...]:
        """Return the account's packs of Units. Free of charge; Kling wants at most one such call a second.

        Args:
            start: aware; what the time selects is not documented, so give a long one.
            end: likewise.

        Raises:
            KlingError: as for every call.
        """
        return resource_packs.read(*self._call(TEXT_TO_VIDEO, resource_packs.call(start, end)))

    def wait(
        self,
        task_id: str,
        *,
        timeout: float = 1800,
        on_change: Callable[[Task], None] | None = None,
        endpoint: Endpoint | None = None,
    ) -> Task:
        """Return the task once it has succeeded, looking every 2 s at first and every 15 s later.

        A look that fails for a passing reason is repeated. None of this changes the task.

        Args:
            task_id: Kling's id or ours.
            timeout: seconds.
            on_change: called with the task at each new state.
            endpoint: that the task was created at; by default each one is asked until one has it.

        Raises:
            TaskFailed: it ended as failed.
            WaitTimeout: it is still running.
            KlingError: the API refuses to tell.
        """
        deadline, pause = self._monotonic() + timeout, FIRST_PAUSE
        task: Task | None = None
        places = self._places(endpoint)
        while True:
            try:
                seen, found_at = self._get(task_id, places)
            except (TransportError, RateLimited, ServerError):
                pass
            else:
                places = (found_at,)
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
            pause = min(pause * PAUSE_GROWTH, LONGEST_PAUSE)

    def download(
        self,
        url: str,
        to: Path,
        *,
        max_bytes: int = MAX_BYTES,
        timeout: float = 900,
    ) -> int:
        """Save a result file, whole or not at all: it gets its name once every byte is on the disk.

        Args:
            url: from `Video.url`; the credentials are not sent there. `kling/download.py` says where it may
                lead, and what of it is checked.
            to: where it goes; a half-written file beside it ends in `.part`.
            max_bytes: a larger file is refused.
            timeout: seconds for the whole file.

        Returns:
            Its size in bytes.

        Raises:
            DownloadFailed: it is gone, too large, not whole, or its address is not one to open; the text
                says the reason. The task, asked for again, may have a new url.
            TransportError: there was no answer.
            OSError: the disk did not take it.
        """
        return self._files.save(url, to, max_bytes=max_bytes, timeout=timeout)

    def can_fetch(self, url: str) -> None:
        """Ask for the first bytes of a result file, and return if it could be downloaded from here.

        Raises:
            DownloadFailed: it could not, and the text says why and what to do. With a `status`, its host
                was reached and answered with that; 403 and 404 are what a file of over 30 days gets.
            TransportError: its host did not answer.
        """
        self._files.check(url)

    def _call(self, endpoint: Endpoint, call: Call) -> tuple[Any, str]:
        try:
            return self._send(endpoint, call)
        except AuthenticationFailed as error:
            # Refused before it ran, and a new token may be accepted: the one thing that is sent twice.
            early = error.code == TOKEN_TOO_EARLY
            if not (early or error.code == TOKEN_TOO_LATE) or not self._signer.renew(not_yet_valid=early):
                raise
        return self._send(endpoint, call)

    def _send(self, endpoint: Endpoint, call: Call) -> tuple[Any, str]:
        headers = {
            "Authorization": f"Bearer {self._signer.bearer(self._clock())}",
            "Content-Type": "application/json",  # listed as required, also for GET (S1)
        }
        answer = self._transport.send(
            call.method, self.base_url + call.path, headers=headers, params=call.params, json=call.json
        )
        return endpoint.dialect.decipher(answer.status, answer.headers, answer.body, self._clock())
