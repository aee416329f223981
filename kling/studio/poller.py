"""Follows every unfinished job of the account, whoever ordered it. No page ever asks the API itself.

`step` is the whole body of the loop and returns when it wants to be called again, so tests need no thread.
"""

from __future__ import annotations

import json
import logging
import random
import threading
from collections.abc import Callable
from dataclasses import dataclass

from kling.catalog import NEWER
from kling.client import MAX_PAGE_SIZE, NOT_FOUND_CODES, Client
from kling.endpoint import ENDPOINTS, Endpoint
from kling.errors import APIError, BadRequest, KlingError, NotSent, api_error
from kling.newer_wire import MOST_IDS
from kling.studio.account_scan import AccountScan
from kling.studio.accounts import Accounts
from kling.studio.admission import RETRY_PAUSES, AdmissionControl
from kling.studio.connection import Connection
from kling.studio.downloads import Downloads
from kling.studio.holds import DISK_PAUSES
from kling.studio.ids import adopted_id, asked_by, our_id_of
from kling.studio.jobs import FAILED, FOLLOWED, Job, StateChanged, task_cells
from kling.studio.ledger import Ledger, LedgerError
from kling.studio.orders import Orders
from kling.studio.reconciler import Reconciler
from kling.studio.sender import Sender
from kling.tasks import Task

log = logging.getLogger(__name__)

KLING_PACE = (5.0, 15.0)  # seconds between polls: for a young job, for an old one
SANDBOX_PACE = (0.4, 2.0)
LONGEST_PAUSE = 60.0  # seconds between polls while nobody answers
CALLS_PER_SECOND = 0.5  # of polls, on average; a poll of many calls is followed by a longer pause
HINT_PAUSE = 1.0  # seconds between two polls at least, however many hints come
SMALLEST_PAGE = 30
MOST_PAGES = 20  # of one poll
MOST_GETS = 10  # jobs of one poll that are asked for one by one
# An accepted task counts as lost after "no such task" for so many seconds (of the sandbox, of Kling) and in
# so many answers at least.
MISSING_FOR = {True: 3.0, False: 24 * 3600.0}
MISSING_TIMES = 3
_UNKNOWN_TASK = api_error(404, 1203, "The task is not in the answer.")
WHILE_ASLEEP = 1.0  # seconds between two looks at whether the account has woken up
BEAT = 60.0  # seconds between two signs of life in the log's seal
REST = 5.0  # seconds that the thread sleeps at a time, so that it shows that it lives while nothing is due


@dataclass(slots=True)
class _Missing:
    """An accepted job whose task Kling says it does not know: since when (monotonic), and how often."""

    since: float
    times: int = 0


class _ListFailed(KlingError):
    """Kling's list of tasks could not be read, so the tasks were asked for by id."""


class Poller:
    """Polls tasks, has lost answers looked up, waiting jobs sent and videos fetched, one `step` at a time.

    Args:
        ledger, accounts, admission, orders, sender, reconciler, downloads, scan, connection: the studio's
            parts.
        monotonic: seconds of a clock that never jumps; all times of this class are measured by it.
        may_use: whether the account's key opens an endpoint; the tasks of others are not asked for.
        on_change: called when `trouble` has changed.
        on_alive: called at each sign of life: a turn, a call that ended, every few seconds of rest.
        rng: the source of jitter.
    """

    def __init__(
        self,
        *,
        ledger: Ledger,
        accounts: Accounts,
        admission: AdmissionControl,
        orders: Orders,
        sender: Sender,
        reconciler: Reconciler,
        downloads: Downloads,
        scan: AccountScan,
        connection: Connection,
        monotonic: Callable[[], float],
        may_use: Callable[[Endpoint], bool] = lambda _: True,
        on_change: Callable[[], None] = lambda: None,
        on_alive: Callable[[], None] = lambda: None,
        rng: random.Random | None = None,
    ) -> None:
        self._ledger, self._accounts, self._admission = ledger, accounts, admission
        self._orders, self._sender, self._reconciler = orders, sender, reconciler
        self._downloads, self._scan, self._connection = downloads, scan, connection
        self._monotonic, self._on_change, self._on_alive = monotonic, on_change, on_alive
        self._may_use = may_use
        self.alive_at = monotonic()  # when it last gave a sign of life
        self._rng = rng or random.Random()  # noqa: S311 - jitter, no secret
        self._pace = SANDBOX_PACE if connection.is_sandbox else KLING_PACE
        self._next_poll = self._polled_at = float("-inf")
        self._is_hinted = False
        self._failures = self._disk_failures = 0
        self._followed_since: dict[str, float] = {}  # by the id of each followed job
        self._asked_at: dict[str, float] = {}  # when each followed job was last asked for
        self._missing: dict[str, _Missing] = {}
        self._next_beat = float("-inf")
        self._calls = 0
        self.trouble = ""  # why the last poll failed, in words for a page; empty if it did not
        self._stopping = False
        self._wake = threading.Event()
        self._thread = threading.Thread(target=self._loop, name="poller", daemon=True)

    # -- the thread --------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start the thread."""
        self._show_life()
        self._thread.start()

    def wake(self) -> None:
        """Make a step now, because something has changed."""
        self._wake.set()

    def wake_for(self, job_id: str, task_id: str = "") -> None:
        """Poll soon, because somebody says that a task has changed.

        The hint may come from anybody. So it only moves the next poll forward, only for a job that is being
        followed, and only while the API answers; and any number of hints cause at most one poll a second.

        Args:
            job_id: our id of the task, empty if the hint has none.
            task_id: Kling's id.
        """
        job = self._ledger.get(job_id) or next(
            (job for job in self._followed() if job["task_id"] == task_id), None
        )
        if job is not None and job.state in FOLLOWED and self._accounts.owns(job):
            self._is_hinted = True
            self.wake()

    def stop(self, timeout: float = 10) -> None:
        """End the thread. Nothing is lost by that: the next start reads from the log what is left to do."""
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
                due = self._monotonic() + self._pace[1]
            self._show_life()
            pause = BEAT if due is None else min(due - self._monotonic(), BEAT)
            self._rest(max(0.02, pause))

    def _rest(self, seconds: float) -> None:
        """Sleep until the next turn is due or somebody wakes the poller."""
        end = self._monotonic() + seconds
        while not self._wake.wait(min(max(end - self._monotonic(), 0.0), REST)):
            self._show_life()
            if self._monotonic() >= end:
                return

    def _show_life(self) -> None:
        self.alive_at = self._monotonic()
        self._on_alive()

    # -- one step ----------------------------------------------------------------------------------------

    def step(self) -> float | None:
        """Do what is due; return the monotonic time of what is due next, None if nothing is unfinished."""
        try:
            self._scan.take_in_files()  # before anything is sent: a job with a video must not be sent again
            dues = [self._poll(), self._send(), self._downloads.step(), self._check_surroundings()]
        except LedgerError as error:  # nothing is lost: Kling is asked again for facts that were not recorded
            self._note_trouble(str(error))
            pause = DISK_PAUSES[min(self._disk_failures, len(DISK_PAUSES) - 1)]
            self._disk_failures += 1
            return self._monotonic() + pause
        self._disk_failures = 0
        return min((due for due in dues if due is not None), default=None)

    def _send(self) -> float | None:
        """Have lost answers looked up and waiting jobs sent, as far as that is due."""
        self._sender.leave_old(self._admission.waiting())
        due = self._reconciler.step(self._monotonic())
        dues = [due] if due is not None else []
        models = {job["model_name"] for job in self._admission.waiting()}
        self._orders.send_ready()
        if models:  # even if all of them have just been sent: a refusal puts them back into the queue
            dues.append(self._monotonic() + RETRY_PAUSES[0])
        dues.extend(due for model in models if (due := self._admission.next_try(model)) is not None)
        return min(dues, default=None)

    def _check_surroundings(self) -> float | None:
        """Give a sign of life, read changes of the log by others, and compare the account with the log."""
        now = self._monotonic()
        if self._next_beat <= now:
            self._next_beat = now + BEAT
            self._ledger.sync()
            self._ledger.beat()
        if self._connection.is_asleep:  # a comparison has time, and would wake it up
            return now + WHILE_ASLEEP
        client = self._connection.client
        dues = [self._accounts.step(client, now), self._scan.step(client, now)]
        return min((due for due in dues if due is not None), default=None)

    # -- polling -----------------------------------------------------------------------------------------

    def _followed(self) -> list[Job]:
        followed = [job for job in self._admission.own_jobs() if job.state in FOLLOWED]
        return [job for job in followed if job.endpoint is not None and self._may_use(job.endpoint)]

    def _poll(self) -> float | None:
        followed = self._followed()
        now = self._monotonic()
        if not followed:
            self._next_poll, self._failures = float("-inf"), 0
            self._followed_since.clear()
            self._note_trouble("")
            return None
        self._asked_at = {job.id: asked for job in followed if (asked := self._asked_at.get(job.id))}
        self._followed_since = {job.id: self._followed_since.get(job.id, now) for job in followed}
        youngest = min(now - since for since in self._followed_since.values())
        pause = min(max(youngest / 10, self._pace[0]), self._pace[1])
        if self._next_poll > now + pause * 1.5 and not self._failures:
            self._next_poll = now + pause  # a new job needs shorter pauses
        if self._is_hinted:
            self._is_hinted = False
            if not self._failures:
                self._next_poll = min(self._next_poll, self._polled_at + HINT_PAUSE)
        if self._next_poll > now:
            return self._next_poll
        self._polled_at, self._calls = now, 0
        self._next_poll = now + LONGEST_PAUSE  # for the case that something below raises
        try:
            self._ask_for(followed, self._connection.client())
        except KlingError as error:
            self._failures += 1
            self._note_trouble(_error_words(error))
        else:
            self._failures = 0
            self._note_trouble("")
        pause = min(pause * 2.0 ** min(self._failures, 10), max(LONGEST_PAUSE, pause))
        if not self._connection.is_sandbox:
            pause = max(pause, self._calls / CALLS_PER_SECOND)
        self._next_poll = self._monotonic() + pause * self._rng.uniform(0.8, 1.2)
        return self._next_poll

    def _ask_for(self, followed: list[Job], client: Client) -> None:
        """Ask for pages of the list that are just large enough, then by id for the few jobs not in them.

        The order of the list is not documented, and tasks of others may come first. So further pages are
        asked for while more jobs are missing than may be asked for by id. If the list fails, jobs are asked
        for by id only.
        """
        unseen = {job.id: job for job in followed}
        failure: KlingError | None = None
        for endpoint in ENDPOINTS:
            try:
                if endpoint.api == NEWER:
                    self._ask_by_ids(unseen, client)
                else:
                    self._ask_by_page(unseen, client, endpoint)
            except NotSent:
                raise
            except KlingError as error:
                failure = error
        self._ask_by_id(unseen, client)
        self._admission.mark_polled()
        if failure is not None:  # asking by id has worked
            reason = f"code {failure.code}" if isinstance(failure, APIError) else str(failure).rstrip(".")
            raise _ListFailed(
                f"Kling's list of tasks cannot be read ({reason}). Each task is asked for by its id instead."
            )

    def _ask_by_page(self, unseen: dict[str, Job], client: Client, endpoint: Endpoint) -> None:
        """Ask for the tasks of one endpoint, if any followed job is of it; those seen leave `unseen`."""
        count = sum(job.endpoint == endpoint for job in unseen.values())
        if not count:
            return
        size = min(max(2 * count, SMALLEST_PAGE), MAX_PAGE_SIZE)
        for page_num in range(1, MOST_PAGES + 1):
            self._calls += 1
            page = client.list(page_num=page_num, page_size=size, endpoint=endpoint)
            self._show_life()
            for task in page:
                job = unseen.pop(our_id_of(task.external_task_id), None) or unseen.pop(
                    adopted_id(task.task_id) or "", None
                )
                if job is not None:
                    self.apply(job, task)
                else:
                    self._take_up(task)
            count = sum(job.endpoint == endpoint for job in unseen.values())
            if count <= MOST_GETS or len(page) < size:
                break

    def _ask_by_ids(self, unseen: dict[str, Job], client: Client) -> None:
        """Ask for the tasks of the newer generation, many at once; those seen leave `unseen`.

        An answer is about all ids of its call: a task that is not in it is not known (S2p, S6).
        """
        ids = [
            job.id
            for job in sorted(unseen.values(), key=lambda job: self._asked_at.get(job.id, 0.0))
            if job.endpoint is not None and job.endpoint.api == NEWER and asked_by(job.id) == job.id
        ]
        for first in range(0, min(len(ids), MOST_PAGES * MOST_IDS), MOST_IDS):
            some = ids[first : first + MOST_IDS]
            for job_id in some:
                self._asked_at[job_id] = self._monotonic()
            self._calls += 1
            # The first of several with one id, which an account may have that takes an id twice.
            found = {task.external_task_id: task for task in reversed(client.find_many(some))}
            self._show_life()
            for job_id in some:
                job = unseen.pop(job_id)
                if (task := found.get(job_id)) is not None:
                    self.apply(job, task)
                else:
                    self.mark_missing(job, _UNKNOWN_TASK)

    def _ask_by_id(self, unseen: dict[str, Job], client: Client) -> None:
        longest_unseen = sorted(unseen.values(), key=lambda job: self._asked_at.get(job.id, 0.0))
        for job in longest_unseen[:MOST_GETS]:
            if (endpoint := job.endpoint) is None:
                continue  # nobody knows where to ask for it
            # Noted before the call, so that a job whose call always fails does not come first again.
            self._asked_at[job.id] = self._monotonic()
            self._calls += 1
            try:
                task = client.get(asked_by(job.id), endpoint=endpoint)
            except BadRequest as error:
                if error.code not in NOT_FOUND_CODES:
                    raise
                self.mark_missing(job, error)
            else:
                self.apply(job, task)
            self._show_life()

    def _take_up(self, task: Task) -> None:
        """Follow a task of a job that the log calls refused, not sent, withdrawn or lost."""
        our_id = our_id_of(task.external_task_id)
        job = self._ledger.get(our_id) if our_id else None
        if job is not None:
            self._accounts.recognise(job)
            if self._accounts.owns(job):
                self._reconciler.take_up(job, task)

    def apply(self, job: Job, task: Task) -> None:
        """Record the answer of Kling about the task of a job."""
        self._asked_at[job.id] = self._monotonic()
        self._missing.pop(job.id, None)
        cells = task_cells(task)
        if task.videos:
            self._downloads.note(job.id, task.videos[0])
        changed = {name: cell for name, cell in cells.items() if cell and cell != job[name]}
        if "extra" in changed and json.loads(changed["extra"]).items() <= job.extra.items():
            del changed["extra"]
        if changed.keys() - {"updated_at", "request_id"}:
            self._append(job, **changed)

    def mark_missing(self, job: Job, error: APIError) -> None:
        """Note that Kling says it does not know an accepted task; record that after many such answers."""
        now = self._monotonic()
        missing = self._missing.setdefault(job.id, _Missing(now))
        missing.times += 1
        is_sandbox = self._connection.is_sandbox
        if now - missing.since >= MISSING_FOR[is_sandbox] and missing.times >= MISSING_TIMES:
            where = "The sandbox" if is_sandbox else "Kling"
            message = f"{where} does not know this task any more."
            code = str(error.code)
            about = {"task_id": job["task_id"], "request_id": error.request_id}  # the id: it stays accepted
            self._append(job, state=FAILED, code=code, message=message, **about)

    def missing_since(self, job: Job) -> float | None:
        """Return since when Kling says that it does not know a job's task, None if it does not say so."""
        missing = self._missing.get(job.id)
        return missing.since if missing else None

    def _append(self, job: Job, **cells: str) -> None:
        try:
            self._ledger.append(job.id, only=FOLLOWED, **cells)
        except StateChanged:
            log.info("Task %s has ended meanwhile.", job.id)

    def _note_trouble(self, trouble: str) -> None:
        if trouble != self.trouble:
            self.trouble = trouble
            self._on_change()


def _error_words(error: KlingError) -> str:
    if isinstance(error, APIError):
        return f"{error.meaning.what} {error.meaning.remedy} (code {error.code})"
    return str(error)
