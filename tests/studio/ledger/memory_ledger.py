"""A ledger that keeps its rows in a list: short enough to be read as the definition of one."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from kling.studio.durations import DurationStats
from kling.studio.jobs import (
    FAILED,
    FOLLOWED,
    NOT_SENT,
    STATES,
    SUCCEED,
    TERMINAL,
    Job,
    StateChanged,
    fold,
    truncate,
)
from kling.studio.ledger import LedgerError, LedgerUncertain, OnChange
from kling.studio.ledger.index import JobIndex
from kling.studio.ledger.restore import missing_rows

Row = dict[str, str]


@dataclass
class Store:
    """What outlives a process; anybody may change `rows`.

    Args:
        rows: what was recorded.
        known: the rows that a process said it knew, when, and ids that it knew from here only.
        failing: what happens to the next writes: "full", "unconfirmed" or "uncertain".
    """

    rows: list[Row] = field(default_factory=list)
    known: tuple[list[Row], float, frozenset[str]] | None = None
    failing: list[str] = field(default_factory=list)


class MemoryLedger:
    """See `kling.studio.ledger.Ledger`."""

    opening = False
    failure = ""

    def __init__(
        self, store: Store, *, clock: Callable[[], float], on_change: OnChange = lambda _ids: None
    ) -> None:
        self._store, self._clock, self._on_change = store, clock, on_change
        self._lock = threading.RLock()
        self._closed = ""
        self._notes: dict[str, None] = {}
        self.generation = 0
        self._load(store.rows)
        now = clock()
        known, at, doubtful = store.known or ([], float("-inf"), frozenset())
        believed = -60 <= now - at <= 900 and store.rows[: len(known)] == known
        later = store.rows[len(known) :] if believed else store.rows
        old = {row["external_task_id"] for row in known} if believed else set()
        ids = {
            row["external_task_id"] for row in later if "state" in row or row["external_task_id"] not in old
        }
        self.unconfirmed = frozenset(filter(self._is_undecided, ids | (doubtful if believed else set())))
        self._seal(now)

    @property
    def warnings(self) -> Sequence[str]:
        said = {row["external_task_id"] for row in self._seen if row.get("state") in STATES}
        stateless = {row["external_task_id"] for row in self._seen} - said
        return [*self._notes, *([f"{len(stateless)} jobs have no state"] if stateless else [])]

    def confirm(self, external_task_id: str) -> None:
        self.unconfirmed -= {external_task_id}
        self._seal(self._clock())

    def append(self, external_task_id: str, *, only: Collection[str] | None = None, **cells: str) -> Job:
        return self.append_many([(external_task_id, cells)], only=only)[0]

    def append_many(
        self,
        changes: Sequence[tuple[str, Mapping[str, str]]],
        *,
        only: Collection[str] | None = None,
        check: Callable[[], None] | None = None,
    ) -> list[Job]:
        if not changes:
            return []
        now = self._clock()
        time = datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds")
        with self._lock:
            if self._closed:
                raise LedgerError(self._closed)
            was_changed = self._store.rows != self._seen
            if was_changed:
                self._reload()
            if check is not None:
                check()
            rows = []
            for job_id, cells in changes:
                job = self.get(job_id)
                if only is not None and (job is None or job.state not in only):
                    raise StateChanged(f"The job is {job.state if job else 'not in the log'} by now.")
                row = {name: truncate(cell) for name, cell in cells.items() if cell}
                if row.get("state") == FAILED and only is not None and FOLLOWED.issuperset(only) and job:
                    row.setdefault("task_id", job["task_id"])
                rows.append({"time": time, **row, "external_task_id": job_id})
            self._write(rows)
            changed = [self._keep(row) for row in rows]
            left = {row["external_task_id"] for row in rows if row.get("state") == NOT_SENT}
            self.unconfirmed = frozenset(filter(self._is_undecided, self.unconfirmed - left))
            self._seal(now)
        self._on_change(None if was_changed else {job.id for job in changed})
        return changed

    def get(self, external_task_id: str) -> Job | None:
        return self.index.get(external_task_id)

    def records(self, external_task_id: str) -> list[Row]:
        return [row for row in self._store.rows if row["external_task_id"] == external_task_id]

    def jobs(self) -> tuple[Job, ...]:
        return self.index.jobs()

    def open_jobs(self) -> tuple[Job, ...]:
        return self.index.open_jobs()

    def unfetched(self) -> Mapping[str, Job]:
        return self.index.unfetched()

    def unfinished(self) -> tuple[Job, ...]:
        return (*self.open_jobs(), *self.unfetched().values())

    def sync(self) -> None:
        with self._lock:
            if self._closed or self._store.rows == self._seen:
                return
            self._reload()
            self._seal(self._clock())
        self._on_change(None)

    def beat(self) -> None:
        self._seal(self._clock())

    def _load(self, rows: list[Row]) -> None:
        self.index = self._indexed(rows)
        self._seen = list(rows)
        self.times = DurationStats(reversed(self.jobs()))
        self.generation += 1

    def _indexed(self, rows: list[Row]) -> JobIndex:
        index = JobIndex(self._lock)
        for row in rows:
            index.update(fold(index.get(row["external_task_id"]), row))
        return index

    def _reload(self) -> None:
        known, found = self.index, self._indexed(self._store.rows)
        lost = [row for job in known.jobs() for row in missing_rows(job, found.get(job.id))]
        if lost:
            before, self._seen = self._seen, list(self._store.rows)
            try:
                self._write(lost)
            except LedgerError:
                self._seen = before
                raise
            self._notes["Somebody changed what was recorded; what it no longer had was added again."] = None
        self._load(self._store.rows)
        strangers = {job.id for job in self.jobs() if known.get(job.id) is None}
        self.unconfirmed = frozenset(filter(self._is_undecided, self.unconfirmed | strangers))

    def _write(self, rows: list[Row]) -> None:
        failing = self._store.failing.pop(0) if self._store.failing else ""
        if failing in {"unconfirmed", "uncertain"}:
            self._closed = "Restart the studio."
        if failing == "uncertain":
            self._store.rows += rows
            raise LedgerUncertain("It is not certain whether this was recorded.")
        if failing:
            raise LedgerError("There is no room.")
        self._store.rows += rows
        self._seen += rows

    def _keep(self, row: Row) -> Job:
        before = self.get(row["external_task_id"])
        job = fold(before, row)
        self.index.update(job)
        if job.state == SUCCEED and (before is None or before.state != SUCCEED) and not job.imported:
            self.times.add(job)
        return job

    def _seal(self, now: float) -> None:
        self._store.known = (list(self._seen), now, self.unconfirmed)

    def _is_undecided(self, job_id: str) -> bool:
        job = self.get(job_id)
        return job is not None and not job.accepted and job.state not in TERMINAL
