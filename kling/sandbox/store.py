"""The sandbox's tasks, in SQLite. A store in a file outlives its process, also one that was killed.

The cost of an operation does not grow with the number of tasks: a page of the list is found by the running
number of its first task, and the tasks that are still running are counted in memory.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Mapping
from typing import Any

from kling.sandbox.contract import TEXT_TO_VIDEO, VIDEO_TO_AUDIO
from kling.sandbox.pace import Pace
from kling.sandbox.schema import AWAITS_CALLBACK, HIDDEN_INDEX, IS_UNDRAWN, MAY_BE_DUE, MAY_BE_HIDDEN, prepare
from kling.sandbox.task import Task, slot_of

__all__ = ["Store", "Task"]

_IS_HIDDEN = f"{MAY_BE_HIDDEN} AND shown_at > ?"
_EVER = 2**62  # ms: later than any task
_COLUMNS = ", ".join(Task.__slots__)
_STATUSES = {  # conditions of the states, by the API's names in both generations; `:now` is ms
    "submitted": "finished_at IS NULL AND start_at > :now",
    "processing": "finished_at IS NULL AND start_at <= :now",
    "succeeded": "finished_at IS NOT NULL AND failure IS NULL",
    "failed": "finished_at IS NOT NULL AND failure IS NOT NULL",
}


class Store:
    """The tasks of one account.

    `in_flight` counts the tasks that have not ended, by model (`slot_of`). `units_reserved` are the Units of
    these tasks, and `units_used` those of the tasks that succeeded since this object was made. `last` is the
    running number of the newest task.

    Args:
        path: of the database file, or `:memory:`. No other process can use the file while the store is open.

    Raises:
        sqlite3.OperationalError: the file cannot be used, or another sandbox holds it.
    """

    def __init__(self, path: str = ":memory:") -> None:
        self._db = sqlite3.connect(path, isolation_level=None, timeout=0.5, check_same_thread=False)
        self._db.execute("PRAGMA locking_mode = EXCLUSIVE")
        self._db.execute("PRAGMA journal_mode = WAL")
        # With NORMAL a killed process loses nothing; only a crash of the machine may lose the last tasks.
        self._db.execute("PRAGMA synchronous = NORMAL")
        prepare(self._db)
        running = self._db.execute("SELECT model_name, units FROM tasks WHERE finished_at IS NULL").fetchall()
        self.in_flight: Counter[str] = Counter(model for model, _ in running)
        self.units_reserved: float = sum(units for _, units in running)
        self.units_used = 0.0
        self.last = int(self._db.execute("SELECT coalesce(max(seq), 0) FROM tasks").fetchone()[0])
        places = self._db.execute("SELECT endpoint, max(position) FROM tasks GROUP BY endpoint").fetchall()
        self._last_of: Counter[str] = Counter(dict(places))

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
        endpoint: str = TEXT_TO_VIDEO,
        pictures: Mapping[str, bytes] | None = None,
    ) -> Task:
        """Add a new task and return it.

        Args:
            request: complete, as `parse_request` returns it.
            now: ms, by the sandbox's clock.
            units: its price in Units.
            pace: when it changes its state.
            failure: the reason with which it must fail; None: it succeeds.
            clip_fault: the fault that its clip, or the answer that shows its result, must have.
            base_url: the address at which its caller reached the sandbox.
            lag_ms: for so many ms queries and lists do not show it.
            endpoint: at which it was created.
            pictures: those in the request, by their references; kept until the clip is drawn.
        """
        seq = self.last + 1
        needs_clip = failure is None and (pace.due_ms is not None or pace.polls is not None)
        task = Task(
            seq=seq,
            # 18 digits, as Kling's ids: JavaScript cannot hold them as a number, so a client that reads an id
            # as a number fails here too.
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
            last_callback_status="" if request.get("callback_url") else None,
            endpoint=endpoint,
            position=self._last_of[endpoint] + 1,
        )
        row = {name: getattr(task, name) for name in Task.__slots__}
        row |= {"request": json.dumps(request), "model_name": slot_of(request["model_name"])}
        names = ", ".join(row)
        marks = ", ".join(f":{name}" for name in row)
        self._db.execute("BEGIN")
        self._db.execute(f"INSERT INTO tasks ({names}) VALUES ({marks})", row)  # noqa: S608 -- our own names
        if needs_clip:
            self._db.executemany(
                "INSERT INTO pictures VALUES (?, ?, ?)",
                [(task.task_id, reference, content) for reference, content in (pictures or {}).items()],
            )
        self._db.execute("COMMIT")
        self.last = seq
        self._last_of[endpoint] += 1
        self.in_flight[slot_of(request["model_name"])] += 1
        self.units_reserved += units
        return task

    def find(self, either_id: str, *, shown_at: int = _EVER, endpoint: str | None = None) -> Task | None:
        """Return the task with this task_id or, if there is none, the first with this external_task_id.

        Args:
            either_id: its task_id or its external_task_id.
            shown_at: ms; a task that is not shown yet at this time is passed over. By default none is.
            endpoint: only a task of this endpoint; None: of any.
        """
        for column in ("task_id", "external_task_id"):
            where = f"WHERE {column} = ? AND NOT ({_IS_HIDDEN}) AND endpoint = coalesce(?, endpoint)"
            if found := self._tasks(f"{where} ORDER BY seq LIMIT 1", either_id, shown_at, endpoint):
                return found[0]
        return None

    def named(self, external_task_id: str, *, shown_at: int = _EVER) -> list[Task]:
        """Return the tasks with this external_task_id, the oldest first; more than one are duplicates."""
        where = f"WHERE external_task_id = ? AND NOT ({_IS_HIDDEN}) ORDER BY seq LIMIT 500"
        return self._tasks(where, external_task_id, shown_at)

    def has_external_task_id(self, external_task_id: str) -> bool:
        """Return whether a task has this external_task_id, also one that queries do not show yet."""
        query = "SELECT 1 FROM tasks WHERE external_task_id = ? LIMIT 1"
        return self._db.execute(query, (external_task_id,)).fetchone() is not None

    def page(
        self,
        number: int,
        size: int,
        *,
        oldest_first: bool = False,
        shown_at: int = _EVER,
        endpoint: str | None = None,
    ) -> list[Task]:
        """Return a page of tasks, the newest first; pages count from 1.

        Args:
            number: of the page.
            size: how many tasks a page has.
            oldest_first: whether the list starts with the oldest task instead.
            shown_at: ms; a task that is not shown yet at this time is passed over. By default none is.
            endpoint: only tasks of this endpoint; None: of all.
        """
        column, last = ("seq", self.last) if endpoint is None else ("position", self._last_of[endpoint])
        hidden = self._hidden(shown_at, column, endpoint)
        before = (number - 1) * size
        # The numbers have no gaps, so that of the page's first task can be computed.
        if oldest_first:
            first = 1 + before
            for place in hidden:
                first += place <= first
            where, direction = f"{column} >= ?", "ASC"
        else:
            first = last - before
            for place in reversed(hidden):
                first -= place >= first
            where, direction = f"{column} <= ?", "DESC"
        found = (first, shown_at, size)
        if endpoint is not None:
            where, found = f"endpoint = ? AND {where}", (endpoint, *found)  # type: ignore[assignment]
        return self._tasks(
            f"WHERE {where} AND NOT ({_IS_HIDDEN}) ORDER BY {column} {direction} LIMIT ?", *found
        )

    def created(
        self,
        start: int,
        end: int,
        *,
        before: int,
        size: int,
        statuses: frozenset[str] | None,
        sounds: bool,
        now: int,
    ) -> list[Task]:
        """Return the newest tasks of all endpoints that were created in a window, the newest first.

        Args:
            start: ms, by the sandbox's clock.
            end: ms.
            before: only tasks with a smaller running number.
            size: how many.
            statuses: only tasks in these states, by the names of the newer generation; None: in any.
            sounds: whether tasks of video-to-audio are among them.
            now: ms; tasks that are not shown yet at this time are passed over.
        """
        wanted = _STATUSES if statuses is None else {name: _STATUSES[name] for name in statuses}
        state = " OR ".join(f"({condition})" for condition in wanted.values()) or "FALSE"
        hidden = _IS_HIDDEN.replace("?", ":now")
        where = f"seq < :before AND created_at BETWEEN :start AND :end AND NOT ({hidden}) AND ({state})"
        if not sounds:
            where += f" AND endpoint <> '{VIDEO_TO_AUDIO}'"
        values = {"before": before, "start": start, "end": end, "size": size, "now": now}
        return self._tasks(f"WHERE {where} ORDER BY seq DESC LIMIT :size", values=values)

    def _hidden(self, now: int, column: str, endpoint: str | None) -> list[int]:
        """Return the numbers in a column of the tasks that are not shown yet, smallest first."""
        # INDEXED BY: without it SQLite reads the whole table, which is in the order that is asked for.
        of = "endpoint = coalesce(?, endpoint)"
        query = f"SELECT {column} FROM tasks INDEXED BY {HIDDEN_INDEX} WHERE {_IS_HIDDEN} AND {of}"  # noqa: S608 -- our own words
        return sorted(place for (place,) in self._db.execute(query, (now, endpoint)))

    def pictures(self, task_id: str) -> dict[str, bytes]:
        """Return the pictures of a task whose clip is not drawn yet, by their references."""
        query = "SELECT reference, content FROM pictures WHERE task_id = ?"
        return dict(self._db.execute(query, (task_id,)).fetchall())

    def forget_pictures(self, task_id: str) -> None:
        """Delete the pictures of a task."""
        self._db.execute("DELETE FROM pictures WHERE task_id = ?", (task_id,))

    def undrawn(self, skip: frozenset[str] = frozenset()) -> Task | None:
        """Return the oldest task that has no clip yet, or None.

        Args:
            skip: task_ids to pass over, because their clips are being drawn already.
        """
        for task in self._tasks(f"WHERE {IS_UNDRAWN} ORDER BY seq LIMIT ?", len(skip) + 1):
            if task.task_id not in skip:
                return task
        return None

    def mark_ready(self, task_id: str, now: int) -> bool:
        """Record that a task's clip is drawn; return whether there is such a task without a clip."""
        update = f"UPDATE tasks SET ready_at = ? WHERE task_id = ? AND {IS_UNDRAWN}"  # noqa: S608 -- our own words
        marked = self._db.execute(update, (now, task_id)).rowcount == 1
        self.forget_pictures(task_id)
        return marked

    def mark_failed(self, task_id: str, failure: str, now: int) -> None:
        """Record that a task's clip cannot be drawn; the task then ends as failed."""
        self._db.execute(
            "UPDATE tasks SET failure = ?, ready_at = ?, due_at = coalesce(due_at, ?) WHERE task_id = ?",
            (failure, now, now, task_id),
        )
        self.forget_pictures(task_id)

    def count_poll(self, task: Task, now: int) -> None:
        """Record that an answer shows a task; the end of a task may depend on how many do."""
        if task.polls is not None and task.finished_at is None:
            self._db.execute(
                "UPDATE tasks SET polls = polls - 1, due_at = iif(polls <= 1, coalesce(due_at, ?), due_at)"
                " WHERE seq = ?",
                (now, task.seq),
            )

    def awaiting_callbacks(self) -> list[Task]:
        """Return the tasks with a callback URL to which the callback about their end was not sent yet."""
        return self._tasks(f"WHERE {AWAITS_CALLBACK} ORDER BY seq")

    def mark_callback(self, task_id: str, status: str) -> None:
        """Record the status of the last callback about a task."""
        self._db.execute("UPDATE tasks SET last_callback_status = ? WHERE task_id = ?", (status, task_id))

    def count_by_external_task_id(self) -> dict[str, int]:
        """Return how many tasks have each external_task_id; under "" are the tasks without one."""
        query = "SELECT coalesce(external_task_id, ''), count(*) FROM tasks GROUP BY 1"
        return dict(self._db.execute(query).fetchall())

    def finish_due(self, now: int) -> None:
        """End the tasks that are due at a time (ms) and whose clip is drawn."""
        where = f"{MAY_BE_DUE} AND due_at <= ? AND ready_at <= ?"
        update = f"UPDATE tasks SET finished_at = max(due_at, ready_at) WHERE {where}"  # noqa: S608 -- our own words
        ended = self._db.execute(f"{update} RETURNING model_name, units, failure", (now, now)).fetchall()
        for model, units, failure in ended:
            self.in_flight[model] -= 1
            self.units_reserved -= units
            self.units_used += 0 if failure else units

    def clear(self) -> None:
        """Delete all tasks."""
        self._db.execute("DELETE FROM tasks")
        self._db.execute("DELETE FROM pictures")
        self._last_of.clear()
        self.in_flight.clear()
        self.units_reserved = self.units_used = 0.0
        self.last = 0

    def set_meta(self, name: str, value: str) -> None:
        """Write a value that belongs to no task, such as the clock's advance."""
        self._db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, value))

    def get_meta(self, name: str, default: str) -> str:
        """Return the value that `set_meta` wrote under a name."""
        found = self._db.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        return str(found[0]) if found else default

    def _tasks(self, where: str, *places: object, values: Mapping[str, object] | None = None) -> list[Task]:
        query = f"SELECT {_COLUMNS} FROM tasks {where}"  # noqa: S608 -- our own words
        rows = self._db.execute(query, places if values is None else values)
        named = (dict(zip(Task.__slots__, row, strict=True)) for row in rows)
        return [Task(**row | {"request": json.loads(row["request"])}) for row in named]
