"""The ledger in `history.csv`: each job is folded from the changes that the log holds."""

from __future__ import annotations

import gc
import logging
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from kling.studio.amounts import counted
from kling.studio.durations import DurationStats
from kling.studio.jobs import (
    COLUMNS,
    FAILED,
    FOLLOWED,
    NOT_SENT,
    STATES,
    SUBMITTED,
    SUCCEED,
    TERMINAL,
    Job,
    Opinion,
    StateChanged,
    apply_row,
    fold,
    truncate,
)
from kling.studio.ledger import LedgerError, OnChange, View
from kling.studio.ledger.csv_file import LogFile
from kling.studio.ledger.csv_text import Contents, encode_row
from kling.studio.ledger.index import JobIndex
from kling.studio.ledger.records import records_of
from kling.studio.ledger.restore import missing_rows

log = logging.getLogger(__name__)

SEALED_FOR = 15 * 60.0  # seconds after a studio's last sign of life in which its seal is believed
AHEAD = 60.0  # seconds by which a seal may lie in the future: the clock may have been set back since

_SHOWN = frozenset({SUBMITTED, SUCCEED})  # a row without a state may show one of these by its other cells
_GONE = "{} was gone. It has been written anew from what the studio remembered: nothing is lost."
_GONE_AT_START = (
    "{} was gone when the studio started, and with it what was ordered; the videos are shown without their "
    "prompts. If there is a backup of it, stop the studio and put it back."
)
_LOST = (
    "{} was changed by somebody else. What the studio knew and the file no longer had was added to it again."
)


@dataclass(frozen=True, slots=True)
class _Loaded:
    """A log that was read: its rows, its jobs, and how many jobs have no state in any row."""

    contents: Contents
    index: JobIndex
    stateless: int


class CsvLedger:
    """The jobs of a log; safe to use from several threads. See `kling.studio.ledger.Ledger`.

    Args:
        file: the log.
        clock: Unix seconds.
        on_change: called after each change, in the thread that made it, with the ids of the jobs;
            None if they may be any.
        view: is kept up to date with the jobs.
        read_later: read the file in a thread; until then the ledger looks empty, and `append` waits.

    Raises:
        LedgerError: the file cannot be read; with `read_later`, `append` raises it.
    """

    def __init__(
        self,
        file: LogFile,
        *,
        clock: Callable[[], float],
        on_change: OnChange = lambda _ids: None,
        view: View | None = None,
        read_later: bool = False,
    ) -> None:
        self._file, self._clock, self._on_change, self._view = file, clock, on_change, view
        self._lock = threading.RLock()
        self._index = self._empty = JobIndex(self._lock)
        self._columns: tuple[str, ...] = COLUMNS
        self._unconfirmed: frozenset[str] = frozenset()
        self._unreadable = self._stateless = 0
        self._notes: dict[str, None] = {}  # warnings about what happened to the file while it was in use
        self.generation = 0
        self.times = DurationStats()
        self._read = threading.Event()
        self.failure = ""  # why a file that was to be read later could not be
        if read_later:
            threading.Thread(target=self._open_later, name="log", daemon=True).start()
        else:
            self._open()
            self._read.set()

    @property
    def opening(self) -> bool:
        """Whether the file is still being read."""
        return not self._read.is_set()

    @property
    def unconfirmed(self) -> frozenset[str]:
        """Ids of jobs that must not be sent without a person's decision; see `Ledger.unconfirmed`."""
        return self._unconfirmed

    @property
    def unreadable(self) -> int:
        """How many lines of the file are no records of this log; they are left where they are."""
        return self._unreadable

    @property
    def warnings(self) -> tuple[str, ...]:
        """Faults that an operator should look at, in words for a page."""
        name, found = self._file.path.name, []
        if self._unreadable:
            lines = counted(self._unreadable, "line", "lines")
            found.append(
                f"{lines} of {name} cannot be read. They are left in the file; all others are shown."
            )
        if self._stateless:
            jobs = counted(self._stateless, "job", "jobs")
            found.append(f"{jobs} of {name} without a state: it was taken from what the file says otherwise.")
        return (*found, *self._notes)

    def append(self, external_task_id: str, *, only: Collection[str] | None = None, **cells: str) -> Job:
        """Record a change to a job; it is on the disk when this returns. See `Ledger.append`."""
        (job,) = self.append_many([(external_task_id, cells)], only=only)
        return job

    def append_many(
        self,
        changes: Sequence[tuple[str, Mapping[str, str]]],
        *,
        only: Collection[str] | None = None,
        check: Callable[[], None] | None = None,
    ) -> list[Job]:
        """Record several changes in one write with one fsync: all of them, or none.

        See `Ledger.append_many`.
        """
        if not changes:
            return []
        now = self._clock()
        time = datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds")
        self._read.wait()
        if self.failure:
            raise LedgerError(self.failure)
        with self._lock:
            if self._file.closed:
                raise LedgerError(self._file.closed)
            if was_changed := self._file.changed():
                self._reload()
            for job_id, _ in changes:
                job = self._index.get(job_id)
                if only is not None and (job is None or job.state not in only):
                    raise StateChanged(f"The job is {job.state if job else 'not in the log'} by now.")
            if check is not None:
                check()
            rows = [self._row(job_id, time, cells, only) for job_id, cells in changes]
            self._file.append(self._encode(rows))
            changed = [self._apply(row) for row in rows]
            if self._view is not None:
                self._view.recorded(self._file.stamp)
            self._confirm_decided(rows)
            self._file.seal(now, self._unconfirmed)
        self._on_change(None if was_changed else {job.id for job in changed})
        return changed

    def get(self, external_task_id: str) -> Job | None:
        """Return a job, None if the log has none of that id."""
        return self.index.get(external_task_id)

    def records(self, external_task_id: str) -> list[Mapping[str, str]]:
        """Return every record of a job, the first one first. See `Ledger.records`."""
        try:
            return records_of(self._file.path, external_task_id)
        except (OSError, ValueError) as error:
            raise LedgerError(f"{self._file.path.name} cannot be read: {error}.") from error

    def jobs(self) -> tuple[Job, ...]:
        """Return every job, the first ordered first."""
        return self.index.jobs()

    def open_jobs(self) -> tuple[Job, ...]:
        """Return the jobs in one of the states of `OPEN`."""
        return self.index.open_jobs()

    def unfetched(self) -> Mapping[str, Job]:
        """Return by id the jobs that succeeded and whose video is neither in the archive nor gone."""
        return self.index.unfetched()

    def unfinished(self) -> tuple[Job, ...]:
        """Return the jobs of `open_jobs` and of `unfetched`."""
        index = self.index
        return (*index.open_jobs(), *index.unfetched().values())

    @property
    def index(self) -> JobIndex:
        """The jobs in the parts that pages list; empty while the file is being read."""
        return self._empty if self.opening else self._index

    def confirm(self, external_task_id: str) -> None:
        """Take a job out of `unconfirmed`: a person has decided that it may be sent."""
        with self._lock:
            if external_task_id in self._unconfirmed:
                self._unconfirmed -= {external_task_id}
                self._file.seal(self._clock(), self._unconfirmed)

    def sync(self) -> None:
        """Read changes by another program now, and add again what is missing from the file after them.

        Raises:
            LedgerError: the file cannot be read, or the missing rows cannot be added. The jobs stay as known.
        """
        if self.opening or self.failure:
            return
        with self._lock:
            if self._file.closed or not self._file.changed():
                return
            self._reload()
            self._file.seal(self._clock(), self._unconfirmed)
        self._on_change(None)

    def beat(self) -> None:
        """Note in the seal that this process is alive."""
        if self.opening or self.failure:
            return
        with self._lock:
            self._file.beat(self._clock(), self._unconfirmed)

    # -- one change -----------------------------------------------------------------------------------------

    def _row(
        self, job_id: str, time: str, cells: Mapping[str, str], only: Collection[str] | None
    ) -> dict[str, str]:
        row = {name: truncate(cell) for name, cell in cells.items() if cell}
        row = {"time": time, **row, "external_task_id": job_id}
        job = self._index.get(job_id)
        if row.get("state") == FAILED and only is not None and FOLLOWED.issuperset(only):
            # A row `failed` without cells of a task would be read as a refused call (`jobs.apply_row`).
            row.setdefault("task_id", job["task_id"] if job else "")
        return row

    def _encode(self, rows: Sequence[Mapping[str, str]]) -> bytes:
        return b"".join(encode_row([row.get(name, "") for name in self._columns]) for row in rows)

    def _apply(self, row: Mapping[str, str]) -> Job:
        before = self._index.get(row["external_task_id"])
        job = fold(before, row)
        self._index.update(job)
        if self._view is not None:
            self._view.changed(before, job)
        if job.state == SUCCEED and (before is None or before.state != SUCCEED) and not job.imported:
            self.times.add(job)
        return job

    def _confirm_decided(self, rows: Sequence[Mapping[str, str]]) -> None:
        """Take out of `unconfirmed` the jobs that these rows accept, end or leave to a person."""
        if self._unconfirmed:
            left = {row["external_task_id"] for row in rows if row.get("state") == NOT_SENT}
            self._unconfirmed = frozenset(filter(self._is_undecided, self._unconfirmed - left))

    def _is_undecided(self, job_id: str) -> bool:
        job = self._index.get(job_id)
        return job is not None and not job.accepted and job.state not in TERMINAL

    # -- reading --------------------------------------------------------------------------------------------

    def _open_later(self) -> None:
        try:
            self._open()
        except LedgerError as error:
            self.failure = str(error)
        except Exception:
            log.exception("Reading the log ended unexpectedly.")
            self.failure = f"{self._file.path.name} cannot be read: the studio's log file says why."
        finally:
            self._read.set()
        self._on_change(None)

    def _open(self) -> None:
        now = self._clock()
        loaded = self._load()
        with self._lock:
            self._take_over(loaded)
            if loaded.contents.was_lost:
                self._notes[_GONE_AT_START.format(self._file.path.name)] = None
            self._unconfirmed = frozenset(filter(self._is_undecided, _doubtful(loaded, now)))
            self._file.seal(now, self._unconfirmed)

    def _reload(self) -> None:
        """Read the file again after another program changed it, and add again the facts that it has lost."""
        known = self._index
        if known.tasks and self._file.is_gone():
            self._columns = COLUMNS
            rows = [row for job in known.jobs() for row in missing_rows(job, None)]
            self._file.write_anew(self._encode(rows))
            self._notes[_GONE.format(self._file.path.name)] = None
        loaded = self._load()
        strangers = [job.id for job in loaded.index.jobs() if known.get(job.id) is None]
        lost = list(_lost(known, loaded.index))
        if lost:
            self._columns = loaded.contents.columns
            try:
                self._file.append(self._encode(lost))
            except LedgerError:
                self._file.mark_changed()
                raise
            for row in lost:
                loaded.index.update(fold(loaded.index.get(row["external_task_id"]), row))
            self._notes[_LOST.format(self._file.path.name)] = None
        self._take_over(loaded)
        self._unconfirmed = frozenset(filter(self._is_undecided, self._unconfirmed.union(strangers)))

    def _take_over(self, loaded: _Loaded) -> None:
        self._columns = loaded.contents.columns
        self._unreadable, self._stateless = len(loaded.contents.unreadable), loaded.stateless
        self.times = DurationStats(reversed(loaded.index.jobs()))
        self._index = loaded.index
        if self._view is not None:
            self._view.reset(loaded.index.jobs())
            self._view.recorded(self._file.stamp)
        self.generation += 1

    def _load(self) -> _Loaded:
        with _no_garbage_collection():
            contents = self._file.read()
            folded: dict[str, tuple[dict[str, str], dict[str, datetime], dict[str, Opinion]]] = {}
            for row in contents.rows:
                job_id = row["external_task_id"]
                job = folded.get(job_id)
                if job is None:
                    job = folded[job_id] = ({}, {}, {})
                apply_row(row, *job)
            index = JobIndex(self._lock)
            for cells, since, opinions in folded.values():
                index.update(Job(cells, since, opinions))
        stateless = {job_id for job_id, (_, since, _) in folded.items() if _SHOWN.issuperset(since)}
        if stateless:
            stateless.difference_update(
                row["external_task_id"] for row in contents.rows if row.get("state") in STATES
            )
        return _Loaded(contents, index, len(stateless))


def _doubtful(loaded: _Loaded, now: float) -> Iterable[str]:
    """Return the ids of the jobs with rows that the seal does not confirm."""
    contents = loaded.contents
    if contents.sealed_at is None or not -AHEAD <= now - contents.sealed_at <= SEALED_FOR:
        return [job.id for job in loaded.index.jobs()]
    known, later = contents.rows[: contents.sealed_rows], contents.rows[contents.sealed_rows :]
    if not later:
        return contents.doubtful
    ids = {row["external_task_id"] for row in known}
    return [
        *contents.doubtful,
        *(row["external_task_id"] for row in later if "state" in row or row["external_task_id"] not in ids),
    ]


def _lost(known: JobIndex, found: JobIndex) -> Iterator[Mapping[str, str]]:
    """Yield the rows that make the found jobs say all that is known of them."""
    for job in known.jobs():
        other = found.get(job.id)
        if other is None or other != job:
            yield from missing_rows(job, other)


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """Pause the collector: it would walk again and again over the millions of cells that are being made."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
