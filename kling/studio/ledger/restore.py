"""Rows to record again after somebody has changed the log or lost a part of it.

Somebody may save an old copy over the log, delete rows, or sort them. The studio still knows each job as it
was, and adds the rows that make the log say so again. Only people's opinions of a job (`jobs.CURATION`) are
taken as they are found, because a person may have meant to change them. What is missing of them is added.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from kling.studio.jobs import (
    CURATION,
    FAILED,
    OF_A_PERSON,
    OF_A_TASK,
    RANKS,
    WITHDRAWN,
    Job,
    Opinion,
    bounded,
    dump_json,
)

Row = dict[str, str]
_CHARGES = frozenset({"final_unit_deduction", "final_balance_deduction"})
_OF_ITS_ROW = frozenset({"external_task_id", "time", "state", "extra"})


def missing_rows(known: Job, found: Job | None) -> list[Row]:
    """Return the rows that make a job in the log say all that is known of it; none if nothing is missing.

    The first row has every fact that matters for money, so that a crash between the rows loses none of them.
    """
    if found and _came_again(known, found):
        return [_row(found, "", {"extra": undone_mark(found)}), *missing_rows(known, None)]
    absent, found = found is None, found or Job()
    cells = _missing_cells(known, found)
    state = known.state if _is_further(known, found) else ""
    times = [(each, time) for each, time in known.since.items() if _is_time_missing(each, time, found)]
    if state == FAILED and known.accepted:  # without them the row would be the refusal of a call
        cells |= {name: known[name] for name in OF_A_TASK if known[name]}
    rows = [_row(known, state, cells)] if absent or cells or state else []
    rows += [_row(known, each, {}) for each, _ in times if each != state]
    if times and not (known.accepted or found.accepted):  # the last state counts
        rows.append(_row(known, known.state, {}))
    return [*rows, *_missing_opinions(known, found)]


def undone_mark(job: Job) -> str:
    """Return the `extra` of a record that takes the import of a job back; see `jobs.folding`."""
    return dump_json({"imported": {**job.import_facts, "undone": True}})


def _came_again(known: Job, found: Job) -> bool:
    """Whether a job was imported again, and the log has nothing but its import before."""
    if not known.imported or known.retracted or not found.imported:
        return False
    return found.retracted or found.import_facts.get("id") != known.import_facts.get("id")


def _missing_opinions(known: Job, found: Job) -> Iterator[Row]:
    for who, opinion in known.opinions.items():
        other = found.opinions.get(who, Opinion())
        row = {
            name: cell
            for name, cell, there in (
                ("star", opinion.star, other.star),
                ("rating", opinion.rating, other.rating),
            )
            if cell and not there
        }
        if row:
            yield {
                **row,
                "external_task_id": known.id,
                "time": known["time"],
                "by": opinion.by,
                "by_name": opinion.by_name,
            }


def _missing_cells(known: Job, found: Job) -> Row:
    row = {}
    for name, cell in known.cells.items():
        other = found[name]
        if cell == other or name in _OF_ITS_ROW | OF_A_PERSON or (other and name in CURATION):
            continue
        if name in _CHARGES and other and (bounded(other) or 0) >= (bounded(cell) or 0):
            continue
        row[name] = cell
    noted = known.extra
    if any(name not in found.extra or found.extra[name] != value for name, value in noted.items()):
        row["extra"] = dump_json(noted)
    return row


def _is_further(known: Job, found: Job) -> bool:
    """Whether the known state has to be recorded again."""
    if known.accepted or found.accepted:
        rank = RANKS[found.state] if found.accepted else 0
        return known.accepted and RANKS[known.state] > rank
    if found.state in {FAILED, WITHDRAWN}:
        return known.state == FAILED != found.state
    return known.state != found.state


def _is_time_missing(state: str, time: datetime, found: Job) -> bool:
    return state not in found.since or found.since[state] > time


def _row(job: Job, state: str, cells: Row) -> Row:
    time = job.since.get(state)
    row = {**cells, "external_task_id": job.id, "time": time.isoformat() if time else job["time"]}
    return {**row, "state": state} if state else row
