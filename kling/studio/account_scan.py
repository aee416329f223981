"""Compares the account with the log: what Kling has and the log lacks or denies, and files without an order.

It runs at the start, every night and on a press. It does by itself what nothing can be doubtful about: a task
whose id carries this folder's mark is ours, and so is one whose id the log knows. The rest is told, and taken
in on a press. It asks for a page at a time, so it can be stopped anywhere; running it again changes nothing
more.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from kling.client import MAX_PAGE, MAX_PAGE_SIZE, Client
from kling.endpoint import TEXT_TO_VIDEO
from kling.errors import AccountBlocked, APIError, AuthenticationFailed, KlingError
from kling.studio.ids import adopted_id, mark_of, our_id_of
from kling.studio.jobs import SUCCEED, Job, dump_json, json_object, task_cells
from kling.studio.ledger import Ledger
from kling.tasks import Task

log = logging.getLogger(__name__)

EVERY = 24 * 3600.0  # seconds between scans that start by themselves
SECOND = (
    300.0  # seconds from the first one after a start to the second: what is new may not be listed at once
)
PAGE_PAUSE = 2.0  # seconds between two pages
SANDBOX_PAGE_PAUSE = 0.02
RETRY_PAUSES = (30.0, 120.0, 600.0, 3600.0)  # seconds after a page that was not answered
MOST_KEPT = 5000  # tasks that are kept for a press

FOUND_BY_MARK = "Found at Kling with this studio's mark; its order is not in the log."
ADOPTED = "Found in the account, and taken in."
FOUND_FILE = "Its video was found in the data folder."


@dataclass(frozen=True, slots=True)
class Findings:
    """What a scan has found so far.

    Args:
        pages, tasks: asked for, and seen.
        taken_in: ids of jobs that were taken in or taken up by itself.
        maybe_ours: tasks with an id as older versions made them that the log does not know.
        of_others: how many carry the mark of another studio; they are left alone.
        foreign: other tasks of the account that the log does not know; the first of them, to choose from.
        foreign_count: how many of these there are.
        files: ids of videos that no order names; they are shown without one.
        is_complete: the list was read to its end.
        trouble: why the last page was not answered.
        needs_operator: the trouble is that Kling does not accept the key, or holds the account.
        at: when the scan began or ended.
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
        owns: whether a job belongs to the account in use.
        mark: gives the mark of the data folder.
        recognise: told of a job that the account in use lists under another name of the account.
        take_up: records what Kling lists and the log denies; says whether there was anything to record.
        note: records what is new of a task that has ended.
        orphans: gives the ids of video files whose job is not known to be accepted.
        clock: Unix seconds, only written down.
        is_sandbox: nothing here costs money.
        on_change: told when something was found.
    """

    def __init__(
        self,
        ledger: Ledger,
        *,
        account: Callable[[], str],
        owns: Callable[[Job], bool],
        mark: Callable[[], str],
        recognise: Callable[[Job], None],
        take_up: Callable[[Job, Task], bool],
        note: Callable[[str, Task], None],
        orphans: Callable[[], Sequence[str]],
        clock: Callable[[], float],
        is_sandbox: bool,
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        self._ledger, self._account, self._owns, self._mark = ledger, account, owns, mark
        self._recognise, self._take_up, self._note = recognise, take_up, note
        self._orphans, self._clock = orphans, clock
        self._on_change = on_change
        self._page_pause = SANDBOX_PAGE_PAUSE if is_sandbox else PAGE_PAUSE
        self._due = float("-inf")
        self._page = 0  # the next page of a scan that runs, 0 between two scans
        self._tries = self._scans = 0
        self._files_generation = -1
        self._seen: set[str] = set()  # Kling's ids in the scan that runs
        self.findings = Findings()

    @property
    def is_running(self) -> bool:
        """Whether a scan is under way."""
        return self._page > 0

    def request(self) -> None:
        """Start a scan at the next step, or try its next page."""
        self._due = float("-inf")

    def step(self, client: Callable[[], Client], now: float) -> float | None:
        """Ask for the next page if one is due; return when to come again, None between two scans."""
        if self._ledger.opening:
            return None
        self.look_at_files()
        if self._due > now:
            return self._due if self.is_running else None
        if not self.is_running:
            self._page = 1
            self._seen.clear()
            self.findings = Findings(files=self.findings.files, at=self._now())
            self._take_in_files()
        self._due = now + RETRY_PAUSES[min(self._tries, len(RETRY_PAUSES) - 1)]
        self._tries += 1
        try:
            page = client().list(page_num=self._page, page_size=MAX_PAGE_SIZE)
        except KlingError as error:
            words = (
                f"{error.meaning.what} {error.meaning.remedy}" if isinstance(error, APIError) else str(error)
            )
            for_operator = isinstance(error, AuthenticationFailed | AccountBlocked)
            self.findings = replace(self.findings, trouble=words, needs_operator=for_operator)
            self._on_change()
            return self._due
        self._tries = 0
        self._compare(page)
        is_last = not page or self._page == MAX_PAGE  # a short page may only be one that Kling filled badly
        self.findings = replace(
            self.findings,
            pages=self._page,
            tasks=self.findings.tasks + len(page),
            is_complete=is_last,
            trouble="",
            needs_operator=False,
            at=self._now(),
        )
        self._page = 0 if is_last else self._page + 1
        self._due = now + (self._pause_after_a_scan() if is_last else self._page_pause)
        self._on_change()
        return self._due if self.is_running else None

    def _pause_after_a_scan(self) -> float:
        self._scans += 1
        return SECOND if self._scans == 1 else EVERY

    def look_at_files(self) -> None:
        """Take in the videos that no order names, once after the log was read."""
        if not self._ledger.opening and self._files_generation != self._ledger.generation:
            generation = self._ledger.generation
            self._take_in_files()
            self._files_generation = generation  # if it could not be recorded, it is tried again

    def take_in(self, task_ids: Sequence[str]) -> int:
        """Take in tasks of the last scan that somebody has chosen; return how many.

        Args:
            task_ids: Kling's ids, of `maybe_ours` or `foreign`.

        Raises:
            LedgerError: nothing was recorded.
        """
        chosen = set(task_ids)
        found = self.findings
        tasks = [task for task in (*found.maybe_ours, *found.foreign) if task.task_id in chosen]
        rows = [row for task in tasks if (row := self._row(task, ADOPTED))]
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

    def _compare(self, page: Sequence[Task]) -> None:
        fresh = [task for task in page if task.task_id not in self._seen]  # the list may have moved meanwhile
        self._seen |= {task.task_id for task in fresh}
        known = {task.task_id: job for task in fresh if (job := self._job_of(task)) is not None}
        taken_in = [job.id for task in fresh if (job := known.get(task.task_id)) and self._update(job, task)]
        others = [task for task in fresh if task.task_id not in known]
        marks = {task.task_id: mark_of(our_id_of(task.external_task_id)) for task in others}
        by_mark = [task for task in others if marks[task.task_id] == self._mark()]
        maybe_ours = [task for task in others if marks[task.task_id] == ""]
        foreign = [task for task in others if marks[task.task_id] is None]
        rows = [row for task in by_mark if (row := self._row(task, FOUND_BY_MARK))]
        self._ledger.append_many(rows)
        found = self.findings
        self.findings = replace(
            found,
            taken_in=(*found.taken_in, *taken_in, *(job_id for job_id, _ in rows))[:MOST_KEPT],
            maybe_ours=(*found.maybe_ours, *maybe_ours)[:MOST_KEPT],
            of_others=found.of_others + len(others) - len(by_mark) - len(maybe_ours) - len(foreign),
            foreign=(*found.foreign, *foreign)[:MOST_KEPT],
            foreign_count=found.foreign_count + len(foreign),
        )

    def _job_of(self, task: Task) -> Job | None:
        our_id = our_id_of(task.external_task_id)
        job = self._ledger.get(our_id) if our_id else None
        return job or self._ledger.get(adopted_id(task.task_id) or "")

    def _update(self, job: Job, task: Task) -> bool:
        """Record what Kling lists of a job of the log; return whether the log had denied it."""
        if not job["account"]:  # a file that was found says nothing about it
            job = self._ledger.append(job.id, account=self._account())
        self._recognise(job)
        if not self._owns(job):
            return False
        if self._take_up(job, task):
            return True
        self._note(job.id, task)
        return False

    def _row(self, task: Task, message: str) -> tuple[str, dict[str, str]] | None:
        """Return the row of a task that the log does not know, under its own id if a studio made that."""
        job_id = task.external_task_id if mark_of(task.external_task_id) is not None else None
        job_id = job_id or adopted_id(task.task_id)
        if job_id is None or self._ledger.get(job_id) is not None:
            return None
        cells = {
            "account": self._account(),
            "endpoint": TEXT_TO_VIDEO.name,
            "message": message,
            **task_cells(task),
        }
        found = {"found": "account"}
        cells["extra"] = dump_json({**json_object(cells.get("extra", "")), **found})
        return job_id, cells

    def _take_in_files(self) -> None:
        """Show the videos that no order names, so that none that was paid for is out of sight."""
        ids = self._orphans()
        cells = {
            "state": SUCCEED,
            "extra": dump_json({"found": "file"}),
        }
        rows = []
        for job_id in ids:
            about = {"state": SUCCEED} if self._ledger.get(job_id) else cells  # its row may be an old copy
            rows.append((job_id, {**about, "file": f"{job_id}.mp4", "message": FOUND_FILE}))
        self._ledger.append_many(rows)
        self.findings = replace(self.findings, files=(*self.findings.files, *ids)[:MOST_KEPT])

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock(), UTC)
