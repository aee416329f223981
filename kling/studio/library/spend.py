"""What was spent, by person, model, day and so on; and how long jobs took. Every sum is exact."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from kling.studio.library.query import JobQuery
from kling.studio.library.search import Asker, Parts, Sums, add_coarse, is_known_by_sums, parts_of, sums_of


class Group(StrEnum):
    """What jobs are added up by."""

    PERSON = "person"
    MODEL = "model"
    MODE = "mode"
    DAY = "day"
    MONTH = "month"
    HOUR = "hour"
    BATCH = "batch"
    TEMPLATE = "template"
    STATE = "state"


_COLUMNS: Mapping[Group, tuple[str, ...]] = {
    Group.PERSON: ("j.person_id", "j.person_key"),
    Group.MONTH: ("substr(j.day, 1, 7)",),
    **{group: (f"j.{group.value}",) for group in Group if group not in {Group.PERSON, Group.MONTH}},
}
_TIMES = ("waited", "queued", "processed")
_NAMED_BY_PACES = frozenset({"models", "period", "first", "last", "hidden"})
_IN_ORDER = frozenset({Group.DAY, Group.MONTH, Group.HOUR})


@dataclass(frozen=True, slots=True)
class SpendRow:
    """One group.

    Args:
        key: its value, as `JobQuery` takes it: a person's id, or the name of somebody without one.
        name: for people; of a person the name in the newest of their jobs. Else the same as `key`.
        sums: of its jobs.
    """

    key: str
    name: str
    sums: Sums


@dataclass(frozen=True, slots=True)
class Times:
    """How long the jobs of a model took that were ordered in one hour of the day.

    Args:
        model, hour: of the order; hours from 0 to 23 in the studio's time zone.
        jobs: how many succeeded.
        waited: seconds here, on average; None where no job says it. The other two are at Kling.
        queued, processed: until Kling began, and until the end.
        known: of how many jobs each of the three is the average.
    """

    model: str
    hour: int
    jobs: int
    waited: float | None
    queued: float | None
    processed: float | None
    known: tuple[int, int, int] = (0, 0, 0)


def together(times: Iterable[Times]) -> Times:
    """Return the averages of several groups as one, of the model and the hour of the first."""
    found = list(times)
    averages = [
        [(each.waited, each.known[0]) for each in found],
        [(each.queued, each.known[1]) for each in found],
        [(each.processed, each.known[2]) for each in found],
    ]
    waited, queued, processed = ([(number or 0, jobs) for number, jobs in part] for part in averages)
    return Times(
        found[0].model if found else "",
        found[0].hour if found else 0,
        sum(each.jobs for each in found),
        _mean(waited),
        _mean(queued),
        _mean(processed),
        (_jobs_in(waited), _jobs_in(queued), _jobs_in(processed)),
    )


def _mean(parts: Sequence[tuple[float, int]]) -> float | None:
    jobs = _jobs_in(parts)
    return sum(number * count for number, count in parts) / jobs if jobs else None


def _jobs_in(parts: Sequence[tuple[float, int]]) -> int:
    return sum(count for _, count in parts)


def spend_rows(
    connection: sqlite3.Connection, query: JobQuery, asker: Asker, by: Group
) -> tuple[SpendRow, ...]:
    """Return the groups; their sums add up to those of all jobs that are found."""
    found = list(sums_of(connection, query, asker, _COLUMNS[by]))
    if by is Group.PERSON:
        rows = [_of_person(connection, key[0], key[1], sums) for key, sums in found]
    else:
        rows = [SpendRow(key[0], key[0], sums) for key, sums in found]
    if by in _IN_ORDER:
        return tuple(sorted(rows, key=lambda row: (len(row.key), row.key)))
    return tuple(sorted(rows, key=lambda row: (-row.sums.spent.used.units, -row.sums.jobs, row.name)))


def _of_person(connection: sqlite3.Connection, person_id: str, key: str, sums: Sums) -> SpendRow:
    column, value = ("person_id", person_id) if person_id else ("person_key", key)
    question = (
        f"SELECT person FROM jobs WHERE {column} = ? AND +person_id = ? "  # noqa: S608 - one of the two above
        "ORDER BY place LIMIT 1"
    )
    row = connection.execute(question, (value, person_id)).fetchone()
    name = row[0] if row else ""
    return SpendRow(person_id or name, name, sums)


def times_of(connection: sqlite3.Connection, query: JobQuery, asker: Asker) -> tuple[Times, ...]:
    """Return the averages by model and hour."""
    if is_known_by_sums(query, _NAMED_BY_PACES):
        parts = Parts(tables="paces j")
        add_coarse(parts, query, asker)
        columns = "sum(j.jobs)", *(f"sum(j.{name}), sum(j.{name}_jobs)" for name in _TIMES)
    else:
        parts = parts_of(connection, query, asker)
        parts.add("j.state = 'succeed' AND +j.imported = 0")
        columns = "count(*)", *(f"sum(j.{name}), count(j.{name})" for name in _TIMES)
    groups = "GROUP BY j.model, j.hour ORDER BY j.model, j.hour"
    question = f"SELECT j.model, j.hour, {', '.join(columns)}{parts.text} {groups}"
    return tuple(_times(row) for row in connection.execute(question, parts.values) if row[2])


def _times(row: Sequence[Any]) -> Times:
    model, hour, jobs, waited, waited_jobs, queued, queued_jobs, processed, processed_jobs = row
    known = waited_jobs or 0, queued_jobs or 0, processed_jobs or 0
    return Times(
        model,
        hour,
        jobs,
        _average(waited, known[0]),
        _average(queued, known[1]),
        _average(processed, known[2]),
        known,
    )


def _average(milliseconds: int | None, jobs: int) -> float | None:
    return (milliseconds or 0) / jobs / 1000 if jobs else None
