"""Follows every unfinished task of the account, whoever started it: the only one who asks the API.

`step` is the whole of the loop's body and returns when it wants to be called again; tests call it.
"""

from __future__ import annotations

import json
import logging
import random
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from kling.client import MAX_PAGE_SIZE, NOT_FOUND_CODES, Client
from kling.errors import APIError, DownloadBroken, KlingError, Rejected
from kling.models import Task, Video
from kling.studio.archive import Archive, safety
from kling.studio.connection import Connection
from kling.studio.jobs import FAILED, FOLLOWED, SUCCEED, Job, StateChanged, task_cells
from kling.studio.ledger.csv_file import LedgerError
from kling.studio.ledger.csv_ledger import Ledger
from kling.studio.orders import Orders

log = logging.getLogger(__name__)

KLING_PACE = (5.0, 15.0)  # seconds between looks: for a young task, for an old one
SANDBOX_PACE = (0.4, 2.0)
LONGEST_PAUSE = 60.0  # seconds between looks while nobody answers
HINT_PAUSE = 1.0  # seconds between looks, however many hints come
SMALLEST_PAGE = 30
MOST_PAGES = 20  # of one tick
MOST_GETS = 10  # tasks of one tick that are asked for one by one
FORGOTTEN_AFTER = {True: 3.0, False: 24 * 3600.0}  # seconds of "no such task": for the sandbox, for Kling
FETCH_PAUSES = (
    2.0,
    5.0,
    15.0,
    60.0,
    300.0,
    3600.0,
)  # seconds between tries to fetch a video, the last one for ever
GONE_PAUSE = 24 * 3600.0  # seconds between tries for a video that Kling has cleared


@dataclass(slots=True)
class _Fetch:
    due: float
    tries: int = 0
    running: bool = False
    trouble: str = ""


class Poller:
    """Polls, settles, sends what waits and archives, one `step` at a time.

    Args:
        ledger, submitter, archive, connection, account: the studio's parts.
        run: hands a download to a worker.
        clock: Unix seconds.
        on_change: told when its view of the connection has changed.
        rng: for jitter.
    """

    def __init__(
        self,
        *,
        ledger: Ledger,
        submitter: Orders,
        archive: Archive,
        connection: Connection,
        account: str,
        run: Callable[[Callable[[], None]], object],
        clock: Callable[[], float],
        on_change: Callable[[], None] = lambda: None,
        rng: random.Random | None = None,
    ) -> None:
        self._ledger, self._submitter, self._archive = ledger, submitter, archive
        self._connection, self._account = connection, account
        self._run, self._clock, self._on_change = run, clock, on_change
        self._rng = rng or random.Random()  # noqa: S311 - jitter, no secret
        self._pace = SANDBOX_PACE if connection.is_sandbox else KLING_PACE
        self._next_poll = self._looked_at = 0.0
        self._hinted = False
        self._failures = 0
        self._asked_at: dict[str, float] = {}
        self._missing_since: dict[str, float] = {}
        self._videos: dict[str, Video] = {}  # addresses of results, which no log keeps
        self._fetches: dict[str, _Fetch] = {}
        self.trouble = ""  # why the API could not be asked, in words for a page
        self._stopping = False
        self._wake = threading.Event()
        self._thread = threading.Thread(target=self._loop, name="poller", daemon=True)

    # -- the thread --------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start to follow."""
        self._thread.start()

    def wake(self) -> None:
        """Look at the log now: something in it has changed."""
        self._wake.set()

    def hint(self, job_id: str, task_id: str = "") -> None:
        """Look soon: somebody says that a task has changed.

        Whoever that is: it only moves the next look forward, for a task that is followed, while the API
        answers; and any number of hints make one look a second.
        """
        job = self._ledger.get(job_id) or next(
            (job for job in self._mine(FOLLOWED) if job["task_id"] == task_id), None
        )
        if job is not None and job.state in FOLLOWED and job["account"] == self._account:
            self._hinted = True
            self.wake()

    def stop(self, timeout: float = 10) -> None:
        """End the thread; what it was about to do is in the log."""
        self._stopping = True
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(timeout)

    def _loop(self) -> None:
        while not self._stopping:
            self._wake.clear()
            try:
                due = self.step()
            except Exception:
                log.exception("The poller met an unexpected error and goes on.")
                due = self._clock() + self._pace[1]
            self._wake.wait(None if due is None else max(0.02, due - self._clock()))

    # -- one step ----------------------------------------------------------------------------------------

    def step(self) -> float | None:
        """Do what is due; return the moment of the next due thing, None if nothing is unfinished."""
        try:
            dues = [self._poll(), self._submitter.step(), self._fetch()]  # ends free slots
        except LedgerError as error:  # nothing is lost: what could not be written is asked for again
            self._note_trouble(str(error))
            return self._clock() + self._pace[1]
        return min((due for due in dues if due is not None), default=None)

    def fetch_trouble(self, job_id: str) -> str:
        """Return why the video of a finished task is not here yet, empty if nothing is wrong."""
        fetch = self._fetches.get(job_id)
        return fetch.trouble if fetch else ""

    def _mine(self, states: Iterable[str]) -> list[Job]:
        return [
            job
            for job in self._ledger.unfinished()
            if job.state in states and job["account"] == self._account
        ]

    def _poll(self) -> float | None:
        followed = self._mine(FOLLOWED)
        now = self._clock()
        if not followed:
            self._next_poll, self._failures = 0.0, 0
            self._note_trouble("")
            return None
        youngest = min(now - job.ordered_at.timestamp() for job in followed)
        pause = min(max(youngest / 10, self._pace[0]), self._pace[1])
        if self._next_poll > now + pause * 1.5 and not self._failures:
            self._next_poll = now + pause  # a younger task has come
        if self._hinted:
            self._hinted = False
            if not self._failures:
                self._next_poll = min(self._next_poll, self._looked_at + HINT_PAUSE)
        if self._next_poll > now:
            return self._next_poll
        self._looked_at = now
        try:
            self._look(followed, self._connection.client())
        except KlingError as error:
            self._failures += 1
            self._note_trouble(_said(error))
        else:
            self._failures = 0
            self._note_trouble("")
        pause = min(pause * 2.0 ** min(self._failures, 10), max(LONGEST_PAUSE, pause))
        self._next_poll = self._clock() + pause * self._rng.uniform(0.8, 1.2)
        return self._next_poll

    def _look(self, followed: list[Job], client: Client) -> None:
        """Ask for pages just large enough, then for the few that were not in them.

        The list's order is not documented and others' tasks may lie ahead, so pages go on while more tasks
        are missing than may be asked for one by one.
        """
        unseen = {job.id: job for job in followed}
        size = min(max(2 * len(unseen), SMALLEST_PAGE), MAX_PAGE_SIZE)
        for page_num in range(1, MOST_PAGES + 1):
            page = client.list(page_num=page_num, page_size=size)
            for task in page:
                job = unseen.pop(task.external_task_id, None)
                if job is not None:
                    self._seen(job, task)
            if len(unseen) <= MOST_GETS or len(page) < size:
                break
        self._submitter.looked()
        longest_unseen = sorted(unseen.values(), key=lambda job: self._asked_at.get(job.id, 0.0))
        for job in longest_unseen[:MOST_GETS]:
            self._asked_at[job.id] = self._clock()  # first: one that is never answered keeps nobody waiting
            try:
                task = client.get(job["task_id"] or job.id)
            except Rejected as error:
                if error.code not in NOT_FOUND_CODES:
                    raise
                self._missing(job, error)
            else:
                self._seen(job, task)

    def _seen(self, job: Job, task: Task) -> None:
        self._asked_at[job.id] = self._clock()
        self._missing_since.pop(job.id, None)
        cells = task_cells(task)
        if task.videos:
            self._videos[job.id] = task.videos[0]
        changed = {name: cell for name, cell in cells.items() if cell and cell != job[name]}
        if "extra" in changed and json.loads(changed["extra"]).items() <= job.extra.items():
            del changed["extra"]
        if changed.keys() - {"updated_at", "request_id"}:
            self._append(job, **changed)

    def _missing(self, job: Job, error: APIError) -> None:
        now = self._clock()
        since = self._missing_since.setdefault(job.id, now)
        if now - since >= FORGOTTEN_AFTER[self._connection.is_sandbox]:
            where = "The sandbox" if self._connection.is_sandbox else "Kling"
            self._append(
                job,
                state=FAILED,
                code=str(error.code),
                request_id=error.request_id,
                message=f"{where} does not know this task any more.",
            )

    def _append(self, job: Job, **cells: str) -> None:
        try:
            self._ledger.append(job.id, only=FOLLOWED, **cells)
        except StateChanged:
            log.info("Task %s has ended meanwhile.", job.id)

    def _note_trouble(self, trouble: str) -> None:
        if trouble != self.trouble:
            self.trouble = trouble
            self._on_change()

    # -- the archive -------------------------------------------------------------------------------------

    def _fetch(self) -> float | None:
        now = self._clock()
        dues = []
        for job in self._mine({SUCCEED}):
            fetch = self._fetches.setdefault(job.id, _Fetch(now))
            if fetch.running:
                continue
            if fetch.due <= now:
                fetch.running = True
                self._run(lambda job=job, fetch=fetch: self._fetch_one(job, fetch))  # type: ignore[misc]
            else:
                dues.append(fetch.due)
        return min(dues, default=None)

    def _fetch_one(self, job: Job, fetch: _Fetch) -> None:
        try:
            client = self._connection.client()

            def result() -> Video:
                if job.id not in self._videos:
                    self._videos[job.id] = _result(client.get(job["task_id"] or job.id))
                return self._videos[job.id]

            cells = self._archive.fetch(job, result, client)
            self._ledger.append(job.id, **cells)
            self._fetches.pop(job.id, None)
            self._videos.pop(job.id, None)
        except (KlingError, LedgerError, OSError) as error:
            self._videos.pop(job.id, None)  # its address may have expired: ask for the task again
            fetch.trouble = f"The video is not here yet: {_said(error)}"
            pauses = FETCH_PAUSES[: 1 + fetch.tries]
            gone = safety(job, datetime.fromtimestamp(self._clock(), UTC))[0] == "gone"
            fetch.due = self._clock() + (GONE_PAUSE if gone else pauses[-1])
            fetch.tries += 1
            self._on_change()
        except Exception:
            log.exception("Fetching the video of task %s ended unexpectedly.", job.id)
            fetch.trouble = "The video is not here yet: the studio's log file says why."
            fetch.due = self._clock() + FETCH_PAUSES[-1]
        finally:
            fetch.running = False
            self.wake()


def _result(task: Task) -> Video:
    if not task.videos:
        raise DownloadBroken("Kling lists no video for this task; results are cleared after 30 days.")
    return task.videos[0]


def _said(error: Exception) -> str:
    if isinstance(error, APIError):
        return f"{error.meaning.what} {error.meaning.remedy} (code {error.code})"
    if isinstance(error, OSError):
        return f"the disk answers: {error.strerror or error}."
    return str(error)
