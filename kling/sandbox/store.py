"""The sandbox's tasks, in SQLite. In a file they outlive the process, also a killed one.

Each operation costs the same however many tasks there are: pages are found by the running number of their
tasks, and what is open is counted in memory.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kling.sandbox.pace import Pace

_TASKS = """
CREATE TABLE IF NOT EXISTS tasks (
    seq INTEGER PRIMARY KEY,
    task_id TEXT NOT NULL UNIQUE,
    external_task_id TEXT,
    request TEXT NOT NULL,
    model_name TEXT NOT NULL,
    units REAL NOT NULL,
    failure TEXT,
    created_at INTEGER NOT NULL,
    shown_at INTEGER NOT NULL,
    start_at INTEGER NOT NULL,
    due_at INTEGER,
    polls INTEGER,
    ready_at INTEGER,
    finished_at INTEGER,
    clip_fault TEXT,
    base_url TEXT NOT NULL,
    told TEXT
) STRICT
"""
# The queries below repeat the conditions of the partial indexes word by word: SQLite uses them only then.
_INDEXES = (
    "CREATE INDEX IF NOT EXISTS named ON tasks (external_task_id) WHERE external_task_id IS NOT NULL",
    "CREATE INDEX IF NOT EXISTS hidden ON tasks (shown_at) WHERE shown_at > created_at",
    "CREATE INDEX IF NOT EXISTS due ON tasks (due_at) WHERE finished_at IS NULL AND ready_at IS NOT NULL",
    "CREATE INDEX IF NOT EXISTS undrawn ON tasks (seq) WHERE ready_at IS NULL",
    "CREATE INDEX IF NOT EXISTS untold ON tasks (seq) WHERE told NOT IN ('succeed', 'failed')",
)
_IS_HIDDEN = "shown_at > created_at AND shown_at > ?"
_EVER = 2**62  # ms: later than any task
_META = "CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT"


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One task. Times are Unix timestamps in ms, by the sandbox's clock.

    Args:
        seq: its running number, from 1.
        task_id: 18 digits.
        external_task_id: the caller's own id, or None.
        request: the complete request, defaults filled in.
        units: its price in Units.
        failure: why it fails in the end, or None.
        created_at: of the task.
        shown_at: from when on a query or a list shows it.
        start_at: when it goes from submitted to processing.
        due_at: when it ends at the earliest; None: not known yet.
        polls: how often it is still shown before it ends; None: that does not matter.
        ready_at: when its clip was drawn; None: not yet.
        finished_at: when it ended; None: it is still running.
        clip_fault: what is to be wrong with its clip, or with how its result is shown; or None.
        base_url: under which its caller reached the sandbox, for callbacks.
        told: the last status that its callback URL was told; None: it has no such URL.
    """

    seq: int
    task_id: str
    external_task_id: str | None
    request: Mapping[str, Any]
    units: float
    failure: str | None
    created_at: int
    shown_at: int
    start_at: int
    due_at: int | None
    polls: int | None
    ready_at: int | None
    finished_at: int | None
    clip_fault: str | None
    base_url: str
    told: str | None

    def status(self, now: int) -> str:
        """Return the API's name of the state that the task has."""
        if self.finished_at is not None:
            return "failed" if self.failure else "succeed"
        return "submitted" if now < self.start_at else "processing"

    @property
    def watermarked(self) -> bool:
        """Whether a second, watermarked clip was asked for."""
        return bool(self.request.get("watermark_info", {}).get("enabled", False))

    def updated_at(self, now: int) -> int:
        """Return when the task got the state that it has."""
        if self.finished_at is not None:
            return self.finished_at
        return self.created_at if now < self.start_at else self.start_at


_COLUMNS = ", ".join(Task.__slots__)
_REQUEST = Task.__slots__.index("request")


class Store:
    """The tasks of one account.

    Args:
        path: of the database file, or `:memory:`. The file is held as long as the store is open.

    Raises:
        sqlite3.OperationalError: the file cannot be used, or another sandbox holds it.
    """

    def __init__(self, path: str = ":memory:") -> None:
        self._db = sqlite3.connect(path, isolation_level=None, timeout=0.5, check_same_thread=False)
        self._db.execute("PRAGMA locking_mode = EXCLUSIVE")
        self._db.execute("PRAGMA journal_mode = WAL")
        # Safe against a killed process; the last tasks may be lost when the machine itself fails.
        self._db.execute("PRAGMA synchronous = NORMAL")
        _prepare(self._db)
        open_tasks = self._db.execute(
            "SELECT model_name, units FROM tasks WHERE finished_at IS NULL"
        ).fetchall()
        self.open: Counter[str] = Counter(model for model, _ in open_tasks)
        self.units_open: float = sum(units for _, units in open_tasks)
        self.units_used = 0.0
        self.last = int(self._db.execute("SELECT coalesce(max(seq), 0) FROM tasks").fetchone()[0])

    def close(self) -> None:
        """Close the file, so that another process may open it."""
        self._db.close()

    def add(
        self,
        request: Mapping[str, Any],
        *,
        now: int,
        units: float,
        pace: Pace,
        failure: str | None = None,
        clip_fault: str | None = None,
        base_url: str = "",
        lag_ms: int = 0,
    ) -> Task:
        """Keep a new task and return it.

        Args:
            request: complete, as `read_request` returns it.
            now: ms.
            units: its price.
            pace: how fast it goes.
            failure: why it will fail, if it is to.
            clip_fault: what is to be wrong with its clip.
            base_url: under which its caller reached the sandbox.
            lag_ms: for how long queries and lists do not show it yet.
        """
        seq = self.last + 1
        needs_clip = failure is None and (pace.due_ms is not None or pace.polls is not None)
        task = Task(
            seq=seq,
            # Too large for a number in JavaScript, as Kling's: a client that reads it as one is found out.
            task_id=f"8{now % 10**12:012}{seq % 10**5:05}",
            external_task_id=request.get("external_task_id") or None,
            request=request,
            units=units,
            failure=failure,
            created_at=now,
            shown_at=now + lag_ms,
            start_at=now + pace.start_ms,
            due_at=None if pace.due_ms is None else now + pace.due_ms,
            polls=pace.polls,
            ready_at=None if needs_clip else now,
            finished_at=None,
            clip_fault=clip_fault,
            base_url=base_url,
            told="" if request.get("callback_url") else None,
        )
        row = {name: getattr(task, name) for name in Task.__slots__}
        row |= {"request": json.dumps(request), "model_name": request["model_name"]}
        names = ", ".join(row)
        marks = ", ".join(f":{name}" for name in row)
        self._db.execute(f"INSERT INTO tasks ({names}) VALUES ({marks})", row)  # noqa: S608 -- our own names
        self.last = seq
        self.open[request["model_name"]] += 1
        self.units_open += units
        return task

    def find(self, either_id: str, *, shown_at: int = _EVER) -> Task | None:
        """Return the task with this task_id or, if there is none, the first with this external_task_id.

        Args:
            either_id: of the task.
            shown_at: ms; tasks that are not shown yet at this time are passed over; by default none is.
        """
        for column in ("task_id", "external_task_id"):
            found = self._tasks(
                f"WHERE {column} = ? AND NOT ({_IS_HIDDEN}) ORDER BY seq LIMIT 1", either_id, shown_at
            )
            if found:
                return found[0]
        return None

    def taken(self, external_task_id: str) -> bool:
        """Return whether a task has this external_task_id, be it shown or not."""
        found = self._db.execute(
            "SELECT 1 FROM tasks WHERE external_task_id = ? LIMIT 1", (external_task_id,)
        )
        return found.fetchone() is not None

    def page(
        self, number: int, size: int, *, oldest_first: bool = False, shown_at: int = _EVER
    ) -> list[Task]:
        """Return a page of tasks, the newest first; pages count from 1.

        Args:
            number: of the page.
            size: how many tasks a page has.
            oldest_first: the other way round.
            shown_at: ms; tasks that are not shown yet at this time are passed over; by default none is.
        """
        hidden = self._hidden(shown_at)
        before = (number - 1) * size
        # The running numbers have no gaps, so the page's first task is found by counting, however far it is.
        if oldest_first:
            first = 1 + before
            for seq in hidden:
                first += seq <= first
            where, order = "seq >= ?", "seq"
        else:
            first = self.last - before
            for seq in reversed(hidden):
                first -= seq >= first
            where, order = "seq <= ?", "seq DESC"
        return self._tasks(
            f"WHERE {where} AND NOT ({_IS_HIDDEN}) ORDER BY {order} LIMIT ?", first, shown_at, size
        )

    def _hidden(self, now: int) -> list[int]:
        """Return the running numbers of the tasks that are not shown yet, in their order."""
        # Named, because the planner would read the whole table in its order instead.
        query = f"SELECT seq FROM tasks INDEXED BY hidden WHERE {_IS_HIDDEN}"  # noqa: S608 -- our own words
        return sorted(seq for (seq,) in self._db.execute(query, (now,)))

    def undrawn(self, skip: frozenset[str] = frozenset()) -> Task | None:
        """Return the oldest task that has no clip yet, except those that somebody is drawing already."""
        for task in self._tasks("WHERE ready_at IS NULL ORDER BY seq LIMIT ?", len(skip) + 1):
            if task.task_id not in skip:
                return task
        return None

    def mark_ready(self, task_id: str, now: int) -> bool:
        """Note that a task's clip is drawn; return whether there is such a task."""
        done = self._db.execute(
            "UPDATE tasks SET ready_at = ? WHERE task_id = ? AND ready_at IS NULL", (now, task_id)
        )
        return done.rowcount == 1

    def mark_failed(self, task_id: str, failure: str, now: int) -> None:
        """Note that a task has no clip and will have none."""
        self._db.execute(
            "UPDATE tasks SET failure = ?, ready_at = ?, due_at = coalesce(due_at, ?) WHERE task_id = ?",
            (failure, now, now, task_id),
        )

    def mark_shown(self, task: Task, now: int) -> None:
        """Count down the polls of a task whose end depends on them."""
        if task.polls is not None and task.finished_at is None:
            self._db.execute(
                "UPDATE tasks SET polls = polls - 1, due_at = iif(polls <= 1, coalesce(due_at, ?), due_at)"
                " WHERE seq = ?",
                (now, task.seq),
            )

    def untold(self) -> list[Task]:
        """Return the tasks whose callback URL does not know their end yet."""
        return self._tasks("WHERE told NOT IN ('succeed', 'failed') ORDER BY seq")

    def mark_told(self, task_id: str, status: str) -> None:
        """Note which status a task's callback URL was told last."""
        self._db.execute("UPDATE tasks SET told = ? WHERE task_id = ?", (status, task_id))

    def accepted(self) -> dict[str, int]:
        """Return how many tasks there are under each external_task_id; "" are those without one."""
        counted = "SELECT coalesce(external_task_id, ''), count(*) FROM tasks GROUP BY 1"
        return dict(self._db.execute(counted).fetchall())

    def settle(self, now: int) -> None:
        """End the tasks whose time has come and whose clip is there."""
        ended = self._db.execute(
            "UPDATE tasks SET finished_at = max(due_at, ready_at)"
            " WHERE finished_at IS NULL AND ready_at IS NOT NULL AND due_at <= ? AND ready_at <= ?"
            " RETURNING model_name, units, failure",
            (now, now),
        ).fetchall()
        for model, units, failure in ended:
            self.open[model] -= 1
            self.units_open -= units
            self.units_used += 0 if failure else units

    def clear(self) -> None:
        """Forget all tasks."""
        self._db.execute("DELETE FROM tasks")
        self.open.clear()
        self.units_open = self.units_used = 0.0
        self.last = 0

    def note(self, name: str, value: str) -> None:
        """Keep a value that is no task, such as the clock's advance."""
        self._db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, value))

    def noted(self, name: str, default: str) -> str:
        """Return what was noted under a name."""
        found = self._db.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        return str(found[0]) if found else default

    def _tasks(self, where: str, *values: object) -> list[Task]:
        rows = self._db.execute(f"SELECT {_COLUMNS} FROM tasks {where}", values)  # noqa: S608 -- our own words
        names = Task.__slots__
        return [
            Task(**dict(zip(names, row, strict=True)) | {"request": json.loads(row[_REQUEST])})
            for row in rows
        ]


def _prepare(db: sqlite3.Connection) -> None:
    """Make the tables in a new file, or bring those of an earlier version up to date, in one transaction."""
    db.execute("BEGIN EXCLUSIVE")
    known = {row[1] for row in db.execute("PRAGMA table_info(tasks)")}
    outdated = bool(known) and "shown_at" not in known
    if outdated:  # a column was missing, and an external_task_id could be there only once
        db.execute("ALTER TABLE tasks RENAME TO tasks_before")
    db.execute(_TASKS)
    if outdated:
        columns = ", ".join(sorted(known))
        db.execute(
            f"INSERT INTO tasks ({columns}, shown_at) SELECT {columns}, created_at FROM tasks_before"  # noqa: S608 -- our own names
        )
        db.execute("DROP TABLE tasks_before")
    for index in _INDEXES:
        db.execute(index)
    db.execute(_META)
    db.execute("COMMIT")
