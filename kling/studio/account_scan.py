"""Compares the account with the log: finds tasks that the log lacks or denies, and video files without a job.

A scan runs at the start, every night and on a press. By itself it takes in only tasks that are certainly
ours: those whose id carries this folder's mark, and those whose id the log knows. All others are shown, and a
person may take them in. A scan asks for one page at a time, so it can be stopped anywhere; another scan
changes nothing that the first one has recorded.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from kling.client import MAX_PAGE_SIZE, Client
from kling.endpoint import ENDPOINTS, Endpoint
from kling.errors import AccountBlocked, APIError, AuthenticationFailed, KlingError, NotSent
from kling.studio.account_books import BookKeeper, Books
from kling.studio.ids import adopted_id, mark_of, our_id_of
from kling.studio.jobs import SUCCEED, Job, dump_json, json_object, task_cells
from kling.studio.ledger import Ledger
from kling.studio.spent import Amount
from kling.tasks import Task

EVERY = 24 * 3600.0  # seconds between scans that start by themselves
SECOND = 300.0  # seconds from the first scan to the second one: Kling may not list new tasks at once
PAGE_PAUSE = 2.0  # seconds between two pages
SANDBOX_PAGE_PAUSE = 0.02
RETRY_PAUSES = (30.0, 120.0, 600.0, 3600.0)  # seconds after a page that was not answered
MOST_SHOWN = 5000  # tasks of each kind that a person can choose from

FOUND_BY_MARK = "Found at Kling with this studio's mark; its order is not in the log."
ADOPTED = "Found in the account, and taken in."
FOUND_FILE = "Its video was found in the data folder."


@dataclass(frozen=True, slots=True)
class Findings:
    """The result of a scan so far.

    Args:
        pages, tasks: how many pages were asked for, and how many tasks they had.
        taken_in: ids of the jobs that the scan has recorded by itself.
        maybe_ours: tasks that the log does not know, with an id in the form of older versions.
        of_others: how many tasks carry the mark of another studio; they are left alone.
        foreign: other tasks of the account that the log does not know; the first of them, to choose from.
        foreign_count: how many of these there are.
        files: ids of videos in the folder that no job names; pages show them without a prompt.
        is_complete: the list was read to its end.
        trouble: why the last page was not answered, in words.
        needs_operator: the trouble is that Kling does not accept the key, or has blocked the account.
        at: when the scan began, or when it got its last page.
    """

    pages: int = 0
    tasks: int = 0
    taken_in: tuple[str, ...] = ()
    maybe_ours: tuple[Task, ...] = field(default=(), repr=False)
    of_others: int = 0
    foreign: tuple[Task, ...] = field(default=(), repr=False)
    foreign_count: int = 0
    files: tuple[str, ...] = ()
    is_complete: bool = False
    trouble: str = ""
    needs_operator: bool = False
    at: datetime | None = None


class AccountScan:
    """The scan of one account.

    Args:
        ledger: that is compared.
        account: gives the name that new jobs are recorded under.
        owns: whether a job is this studio's to act on (`Accounts.owns`).
        marks: gives the marks of the data folder, and makes the first one if there is none.
        recognise: called with a job that the account in use lists but the log has under another account name.
        take_up: records a task that Kling lists and the log denies; returns whether the log denied it.
        note: records new facts of a task that has ended.
        endpoints: those that the account may use; of several with one list, the first one is asked.
        orphans: gives the ids of video files whose job is not known to be accepted.
        complete_deletions: records what was deleted here for good and the log does not say any more.
        clock: Unix seconds, used only for times that are recorded or shown.
        is_sandbox: whether nothing on this account costs money.
        keeper: adds up what the list says that was charged.
        on_change: called when the findings have changed.
    """

    def __init__(
        self,
        ledger: Ledger,
        *,
        account: Callable[[], str],
        owns: Callable[[Job], bool],
        marks: Callable[[], Collection[str]],
        recognise: Callable[[Job], None],
        take_up: Callable[[Job, Task], bool],
        note: Callable[[str, Task], None],
        orphans: Callable[[], Sequence[str]],
        clock: Callable[[], float],
        is_sandbox: bool,
        endpoints: Sequence[Endpoint] = ENDPOINTS,
        keeper: BookKeeper | None = None,
        complete_deletions: Callable[[], None] = lambda: None,
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        self._ledger, self._account, self._owns, self._marks = ledger, account, owns, marks
        self._recognise, self._take_up, self._note = recognise, take_up, note
        self._orphans, self._clock, self._complete_deletions = orphans, clock, complete_deletions
        self._on_change, self._keeper = on_change, keeper
        self._page_pause = SANDBOX_PAGE_PAUSE if is_sandbox else PAGE_PAUSE
        self._due = float("-inf")
        lists = {endpoint.list_name: endpoint for endpoint in reversed(endpoints)}
        self._endpoints_to_ask = [endpoint for endpoint in endpoints if lists[endpoint.list_name] is endpoint]
        self._page = 0  # the next page of a scan that runs, 0 between two scans
        self._cursor = ""  # of that page
        self._failed: set[str] = set()  # names of the lists whose last page could not be read
        self._left: list[Endpoint] = []  # endpoints of a scan that runs; the first one is being read
        # The endpoints' names of the tasks that a person can choose, by Kling's id. Never cleared: a press in
        # another thread may still refer to the scan before.
        self._endpoints: dict[str, str] = {}
        self._tries = self._scans = 0
        self._files_generation = -1
        self._seen: set[str] = set()  # Kling's ids in the scan that runs
        self.findings = Findings()

    @property
    def books(self) -> Books | None:
        """Kling's books, by the last list that was read to its end; None if none was."""
        return self._keeper.books if self._keeper else None

    def charged(self, job: Job) -> Amount:
        """Return what the log says that was charged for a job, as the books count it."""
        return self._keeper.charged(job) if self._keeper else Amount()

    @property
    def is_running(self) -> bool:
        """Whether a scan is under way."""
        return self._page > 0

    def request(self) -> None:
        """Start a scan at the next step, or try its next page."""
        self._due = float("-inf")

    def step(self, client: Callable[[], Client], now: float) -> float | None:
        """Ask for the next page if one is due; return when the next one is due, None between two scans.

        Args:
            client: gives the client of the key in use.
            now: monotonic seconds.
        """
        if self._ledger.opening:
            return None
        self.take_in_files()
        if self._due > now:
            return self._due if self.is_running else None
        if not self.is_running:
            self._page, self._cursor, self._left = 1, "", list(self._endpoints_to_ask)
            self._failed.clear()
            self._seen.clear()
            if self._keeper:
                self._keeper.begin()
            self.findings = Findings(files=self.findings.files, at=self._now())
            self._take_in_files()
        self._due = now + RETRY_PAUSES[min(self._tries, len(RETRY_PAUSES) - 1)]
        self._tries += 1
        try:
            page, cursor = client().page(self._cursor, page_size=MAX_PAGE_SIZE, endpoint=self._left[0])
        except KlingError as error:
            self._note_failure(error)
            if self._goes_to_another_list(error):
                self._due = now + self._page_pause
            return self._due
        self._tries = 0
        self._failed.discard(self._left[0].list_name)
        self._compare(page, self._left[0].name)
        self._cursor, is_last = cursor, not cursor
        if is_last and len(self._left) > 1:
            del self._left[0]
            self._page, is_last = 0, False
        self.findings = replace(
            self.findings,
            pages=self.findings.pages + 1,
            tasks=self.findings.tasks + len(page),
            is_complete=is_last,
            trouble=self.findings.trouble if self._failed else "",
            needs_operator=self.findings.needs_operator and bool(self._failed),
            at=self._now(),
        )
        if is_last and self._keeper:
            self._keeper.end()
        self._page = 0 if is_last else self._page + 1
        self._due = now + (self._pause_after_a_scan() if is_last else self._page_pause)
        self._on_change()
        return self._due if self.is_running else None

    def _goes_to_another_list(self, error: KlingError) -> bool:
        """Put a list that cannot be read behind those that were not tried; return whether there is one."""
        self._failed.add(self._left[0].list_name)
        others = [endpoint for endpoint in self._left if endpoint.list_name not in self._failed]
        if not others or isinstance(error, NotSent):
            self._failed.clear()
            return False
        self._left = [*others, *(endpoint for endpoint in self._left if endpoint not in others)]
        self._page, self._cursor = 1, ""
        self._tries -= 1  # counted are rounds of all lists, so the pauses grow while none can be read
        return True

    def _note_failure(self, error: KlingError) -> None:
        words = f"{error.meaning.what} {error.meaning.remedy}" if isinstance(error, APIError) else str(error)
        needs_operator = isinstance(error, AuthenticationFailed | AccountBlocked)
        self.findings = replace(self.findings, trouble=words, needs_operator=needs_operator)
        self._on_change()

    def _pause_after_a_scan(self) -> float:
        self._scans += 1
        return SECOND if self._scans == 1 else EVERY

    def take_in_files(self) -> None:
        """Record the videos in the folder that no job names, once after each time the log was read."""
        if not self._ledger.opening and self._files_generation != self._ledger.generation:
            generation = self._ledger.generation
            if not self._ledger.failure:
                self._marks()  # before the first order, so that every backup has it
            self._complete_deletions()
            self._take_in_files()
            self._files_generation = generation  # not reached if a record failed: then it is tried again

    def take_in(self, task_ids: Sequence[str]) -> int:
        """Record tasks of the last scan that a person has chosen as jobs; return how many.

        Args:
            task_ids: Kling's ids, of `maybe_ours` or `foreign`.

        Raises:
            LedgerError: nothing was recorded.
        """
        chosen = set(task_ids)
        found = self.findings
        tasks = [task for task in (*found.maybe_ours, *found.foreign) if task.task_id in chosen]
        known = self._endpoints
        rows = [
            row
            for task in tasks
            if (row := self._row(task, ADOPTED, known.get(task.task_id, ENDPOINTS[0].name)))
        ]
        self._ledger.append_many(rows)
        self.findings = replace(
            found,
            maybe_ours=tuple(task for task in found.maybe_ours if task.task_id not in chosen),
            foreign=tuple(task for task in found.foreign if task.task_id not in chosen),
            foreign_count=found.foreign_count - sum(task.task_id in chosen for task in found.foreign),
        )
        self._on_change()
        return len(rows)

    # -- comparing -------------------------------------------------------------------------------------------

    def _compare(self, page: Sequence[Task], endpoint: str) -> None:
        """Compare a page of the endpoint of this name with the log."""
        # New tasks move the list on between two pages: some tasks are on both.
        fresh = [task for task in page if task.task_id not in self._seen]
        self._seen |= {task.task_id for task in fresh}
        known = {task.task_id: job for task in fresh if (job := self._job_of(task)) is not None}
        taken_in = [job.id for task in fresh if (job := known.get(task.task_id)) and self._update(job, task)]
        others = [task for task in fresh if task.task_id not in known]
        marks = {task.task_id: mark_of(our_id_of(task.external_task_id)) for task in others}
        own = self._marks() if others else ()
        by_mark = [task for task in others if marks[task.task_id] in own]
        maybe_ours = [task for task in others if marks[task.task_id] == ""]
        foreign = [task for task in others if marks[task.task_id] is None]
        rows = [row for task in by_mark if (row := self._row(task, FOUND_BY_MARK, endpoint))]
        self._ledger.append_many(rows)
        if self._keeper:
            for task in fresh:
                self._keeper.add(task, self._owned(self._job_of(task)))
        self._endpoints |= {task.task_id: endpoint for task in (*maybe_ours, *foreign)}
        found = self.findings
        self.findings = replace(
            found,
            taken_in=(*found.taken_in, *taken_in, *(job_id for job_id, _ in rows))[:MOST_SHOWN],
            maybe_ours=(*found.maybe_ours, *maybe_ours)[:MOST_SHOWN],
            of_others=found.of_others + len(others) - len(by_mark) - len(maybe_ours) - len(foreign),
            foreign=(*found.foreign, *foreign)[:MOST_SHOWN],
            foreign_count=found.foreign_count + len(foreign),
        )

    def _job_of(self, task: Task) -> Job | None:
        our_id = our_id_of(task.external_task_id)
        job = self._ledger.get(our_id) if our_id else None
        return job or self._ledger.get(adopted_id(task.task_id) or "")

    def _owned(self, job: Job | None) -> Job | None:
        return job if job is not None and self._owns(job) else None

    def _update(self, job: Job, task: Task) -> bool:
        """Record the task that Kling lists for a job; return whether the log had said that there is none."""
        if job.imported:
            return False
        if not job["account"]:  # the job was made from a file that was found, which names no account
            job = self._ledger.append(job.id, account=self._account())
        self._recognise(job)
        if not self._owns(job):
            return False
        if self._take_up(job, task):
            return True
        self._note(job.id, task)
        return False

    def _row(self, task: Task, message: str, endpoint: str) -> tuple[str, dict[str, str]] | None:
        """Return the row of a task that the log does not know, None if it can have none.

        The job gets the task's `external_task_id` if a studio made that, else an id made from Kling's.
        """
        job_id = task.external_task_id if mark_of(task.external_task_id) is not None else None
        job_id = job_id or adopted_id(task.task_id)
        if job_id is None or self._ledger.get(job_id) is not None:
            return None
        cells = {
            "account": self._account(),
            "endpoint": endpoint,
            "message": message,
            **task_cells(task),
        }
        found = {"found": "account"}
        cells["extra"] = dump_json({**json_object(cells.get("extra", "")), **found})
        return job_id, cells

    def _take_in_files(self) -> None:
        """Record the videos that no job names, so that pages show every video that was paid for."""
        ids = self._orphans()
        cells = {
            "state": SUCCEED,
            "extra": dump_json({"found": "file"}),
        }
        rows = []
        for job_id in ids:
            # A job that the log has but does not know to be accepted comes from an old copy of the log.
            about = {"state": SUCCEED} if self._ledger.get(job_id) else cells
            rows.append((job_id, {**about, "file": f"{job_id}.mp4", "message": FOUND_FILE}))
        self._ledger.append_many(rows)
        self.findings = replace(self.findings, files=(*self.findings.files, *ids)[:MOST_SHOWN])

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock(), UTC)
