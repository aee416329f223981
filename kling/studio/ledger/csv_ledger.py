"""The log as jobs: what each one is now, folded from every change that the log holds."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime

from kling.studio.jobs import (
    COLUMNS,
    OPEN,
    SUCCEED,
    Job,
    StateChanged,
    apply_row,
    dump_json,
    fold,
    json_object,
    storable,
)
from kling.studio.ledger import LedgerError
from kling.studio.ledger.csv_file import LogFile, encode_row
from kling.studio.ledger.index import JobIndex
from kling.studio.usual import Times


class CsvLedger:
    """Every task of the log, for threads to share. The one process that owns the data folder has one of it.

    `times` knows how long tasks take.

    Args:
        file: the log.
        clock: Unix seconds.
        on_change: told after each change, from whatever thread made it.
        read_later: read the file in a thread; until then the ledger looks empty, and `append` waits.

    Raises:
        LedgerError: the file cannot be read; with `read_later`, `append` raises it.
    """

    def __init__(
        self,
        file: LogFile,
        *,
        clock: Callable[[], float],
        on_change: Callable[[], None] = lambda: None,
        read_later: bool = False,
    ) -> None:
        self._file, self._clock, self._on_change = file, clock, on_change
        self._lock = threading.RLock()
        self._jobs: dict[str, Job] = {}
        self._unfinished: dict[str, Job] = {}
        self._lists = self._no_lists = JobIndex({}, self._lock)
        self._columns: tuple[str, ...] = COLUMNS
        self._unreadable: Sequence[int] = ()
        self.times = Times()
        self._read = threading.Event()
        self.failure = ""  # why a file that was to be read later could not be
        if read_later:
            threading.Thread(target=self._read_it, name="log", daemon=True).start()
        else:
            self._load()
            self._read.set()

    @property
    def opening(self) -> bool:
        """Whether the file is still being read."""
        return not self._read.is_set()

    def append(self, external_task_id: str, *, only: Collection[str] | None = None, **cells: str) -> Job:
        """Record a change to a task; it is on the disk when this returns.

        Args:
            external_task_id: whose change it is; a new one starts a task.
            only: states in which this may happen; None does not ask.
            cells: by column; an empty one says nothing.

        Raises:
            StateChanged: the task is in none of the states of `only`.
            LedgerError: nothing was recorded.
        """
        (job,) = self.append_many([(external_task_id, cells)], only=only)
        return job

    def append_many(
        self, changes: Sequence[tuple[str, Mapping[str, str]]], *, only: Collection[str] | None = None
    ) -> list[Job]:
        """Record several changes in one write with one fsync: all of them, or none.

        A crash inside the write leaves the first of them, each whole, and nobody was told of any.

        Args:
            changes: whose each one is, and its cells, as in `append`.
            only: states in which each of them may happen.

        Raises:
            StateChanged, LedgerError: as in `append`; nothing was recorded.
        """
        if not changes:
            return []
        time = datetime.fromtimestamp(self._clock(), UTC).isoformat(timespec="milliseconds")
        self._read.wait()
        if self.failure:
            raise LedgerError(self.failure)
        with self._lock:
            if self._file.changed():
                self._reload()
            for job_id, _ in changes:
                job = self._jobs.get(job_id)
                if only is not None and (job is None or job.state not in only):
                    raise StateChanged(f"The task is {job.state if job else 'not in the log'} by now.")
            changed = self._write(
                [
                    {
                        "external_task_id": job_id,
                        "time": time,
                        **{name: storable(cell) for name, cell in cells.items() if cell},
                    }
                    for job_id, cells in changes
                ]
            )
        self._on_change()
        return changed

    def get(self, external_task_id: str) -> Job | None:
        """Return a task, None if the log has none of that id."""
        return self._jobs.get(external_task_id)

    def jobs(self) -> tuple[Job, ...]:
        """Return every task, the first ordered first."""
        if self.opening:
            return ()
        with self._lock:
            return tuple(self._jobs.values())

    @property
    def index(self) -> JobIndex:
        """The tasks as people look at them."""
        return self._no_lists if self.opening else self._lists

    lists = index

    generation = 1
    unconfirmed: frozenset[str] = frozenset()
    warnings: tuple[str, ...] = ()

    def confirm(self, external_task_id: str) -> None:
        """Take a job out of `unconfirmed`."""

    def open_jobs(self) -> tuple[Job, ...]:
        """Return the jobs in one of the states of `OPEN`."""
        return tuple(job for job in self.unfinished() if job.state in OPEN)

    def unfetched(self) -> Mapping[str, Job]:
        """Return by id the jobs that succeeded, have no file here, and whose video is not gone."""
        return {job.id: job for job in self.unfinished() if job.state == SUCCEED and not job.gone}

    def sync(self) -> None:
        """Take note now of what somebody else has changed."""
        with self._lock:
            if self._file.changed():
                self._reload()
        self._on_change()

    def beat(self) -> None:
        """Note that this process is alive."""

    def unfinished(self) -> tuple[Job, ...]:
        """Return the tasks that somebody still has to do something about: not ended, or not archived."""
        if self.opening:
            return ()
        with self._lock:
            return tuple(self._unfinished.values())

    @property
    def unreadable(self) -> int:
        """How many lines of the file are no records of this log; they are left where they are."""
        return len(self._unreadable)

    def _write(self, rows: Sequence[Mapping[str, str]]) -> list[Job]:
        self._file.append(b"".join(encode_row(self._placed(row)) for row in rows))
        changed = []
        for row in rows:
            before = self._jobs.get(row["external_task_id"])
            job = fold(before, row)
            self._keep(job)
            if job.state == SUCCEED and (before is None or before.state != SUCCEED):
                self.times.add(job)
            changed.append(job)
        return changed

    def _read_it(self) -> None:
        try:
            self._load()
        except LedgerError as error:
            self.failure = str(error)
        finally:
            self._read.set()
        self._on_change()

    def _load(self) -> None:
        with _no_garbage_collection():
            self._load_all()

    def _load_all(self) -> None:
        contents = self._file.read()
        homeless = [name for name in COLUMNS if name not in contents.columns]
        folded: dict[str, tuple[dict[str, str], dict[str, datetime]]] = {}
        for row in contents.rows:
            if homeless and "extra" in row:
                stored = json_object(row["extra"])
                row = {**{name: str(stored[name]) for name in homeless if name in stored}, **row}  # noqa: PLW2901
            apply_row(row, *folded.setdefault(row["external_task_id"], ({}, {})))
        self._columns, self._unreadable = contents.columns, contents.unreadable
        self._jobs, self._unfinished = {}, {}
        self._lists = JobIndex(self._jobs, self._lock)
        for cells, since in folded.values():
            self._keep(Job(cells, since))
        self.times = Times(reversed(self._jobs.values()))

    def _reload(self) -> None:
        """Take over what somebody did to the file; a stale copy saved over it must not drop paid tasks."""
        unfinished = self._unfinished
        self._load()
        if dropped := [job.cells for job in unfinished.values() if job.id not in self._jobs]:
            self._write(dropped)

    def _keep(self, job: Job) -> None:
        before = self._jobs.get(job.id)
        self._jobs[job.id] = job
        self._lists.keep(before, job)
        if job.state in OPEN or (job.state == SUCCEED and not job["file"]):
            self._unfinished[job.id] = job
        else:
            self._unfinished.pop(job.id, None)

    def _placed(self, row: Mapping[str, str]) -> list[str]:
        """Return the cells in the order of the file's header; what has no column there goes into `extra`."""
        homeless = {name: cell for name, cell in row.items() if cell and name not in self._columns}
        if homeless:
            row = {**row, "extra": dump_json({**json_object(row.get("extra", "")), **homeless})}
        return [row.get(name, "") for name in self._columns]


Ledger = CsvLedger


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """Keep the collector from walking, again and again, over the millions of cells that are being made."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
