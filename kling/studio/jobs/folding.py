"""The fold: how the records of a job become the job.

- Each column has its latest non-empty cell.
- Stars and ratings are kept for each person who gave them (`opinions`), the latest of each.
- The state only moves forward. Once any record shows that Kling accepted the job, it stays accepted, in
  whatever order the records are read and whichever of the others are lost.
- A job whose import was undone begins anew when it is imported again: what was said of it before is gone,
  save that its file was deleted.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from kling.studio.jobs.cells import bounded, dump_json, json_object, utc_time
from kling.studio.jobs.columns import CHARGES, CURATION, OF_A_PERSON, OF_A_TASK, TAKEN_BACK
from kling.studio.jobs.job import NO_TIME, Job
from kling.studio.jobs.opinions import Opinion, with_opinion
from kling.studio.jobs.states import (
    FAILED,
    KNOWN_STATES,
    ONLY_OF_ACCEPTED,
    RANKS,
    WITHDRAWN,
    state_shown_by,
)

# Columns with few different values: equal texts are stored once, which saves memory in a long log.
_FEW_VALUES = frozenset(
    {
        "state",
        "person",
        "person_id",
        "account",
        "endpoint",
        "model_name",
        "mode",
        "duration",
        "aspect_ratio",
        "sound",
    }
)


def fold(job: Job | None, row: Mapping[str, str]) -> Job:
    """Return the job after one more record; see `apply_row`."""
    cells, since, opinions = (dict(job.cells), dict(job.since), dict(job.opinions)) if job else ({}, {}, {})
    apply_row({name: cell for name, cell in row.items() if cell}, cells, since, opinions)
    return Job(cells, since, opinions)


def apply_row(
    row: Mapping[str, str],
    cells: dict[str, str],
    since: dict[str, datetime],
    opinions: dict[str, Opinion],
) -> None:
    """Take one record into the cells and times of its job, in place.

    A record shows that Kling accepted the job if it holds something of a task (its id, its times, its charge,
    its file), or names a state that only an accepted job comes into. The job then has the highest state that
    such records show: succeed, failed, processing, submitted. A record with the state `failed` that holds
    nothing of a task is the refusal of a call.

    A job without any record of a task is `failed` if a record says so, else `withdrawn` if one says so, else
    it has the state that was named last.

    So the result does not depend on the order of the records, except between the states of a job that Kling
    never accepted.

    Args:
        row: the record's cells, without the empty ones.
        cells: of the job so far; changed.
        since: when the job came into each of its states so far; changed.
        opinions: people's stars and ratings of the job so far; changed.
    """
    columns = row.keys()
    if "extra" in row and "undone" in cells.get("extra", ""):
        _begin_anew_if_imported_again(row, cells, since, opinions)
    state, extra = cells.get("state", ""), cells.get("extra")
    of_a_task = not columns.isdisjoint(OF_A_TASK)
    has_state = of_a_task or "state" in row
    accepted = accepted_state(state, cells, since) if has_state and state else ""
    charges = [(name, cells[name]) for name in CHARGES if name in cells and name in row] if of_a_task else ()
    cells.update(row)
    if "account" in row:  # the first record of a job; the others have few of these columns
        for name in _FEW_VALUES & columns:
            cells[name] = sys.intern(cells[name])
    if has_state:
        state = _next_state(row, accepted, state, since)
        if state:
            cells["state"] = state
        else:
            cells.pop("state", None)
    if extra and "extra" in row:
        cells["extra"] = dump_json({**json_object(extra), **json_object(row["extra"])})
    for name, charge in charges:  # Kling says 0 at first and the charge later
        cells[name] = max(charge, row[name], key=lambda cell: bounded(cell) or Decimal(0))
    if not columns.isdisjoint(CURATION):
        _apply_curation(row, cells, opinions)


def _begin_anew_if_imported_again(
    row: Mapping[str, str],
    cells: dict[str, str],
    since: dict[str, datetime],
    opinions: dict[str, Opinion],
) -> None:
    before, mark = (json_object(each["extra"]).get("imported") for each in (cells, row))
    if not (isinstance(before, dict) and before.get("undone") and isinstance(mark, dict)):
        return
    if not mark.get("undone"):
        deleted = cells.get("deleted")
        for known in (cells, since, opinions):
            known.clear()
        if deleted is not None:
            cells["deleted"] = deleted


def _apply_curation(row: Mapping[str, str], cells: dict[str, str], opinions: dict[str, Opinion]) -> None:
    for name in CURATION & row.keys():
        if row[name] == TAKEN_BACK:
            del cells[name]
    if not OF_A_PERSON.isdisjoint(row):
        with_opinion(opinions, row)


def _next_state(row: Mapping[str, str], accepted: str, before: str, since: dict[str, datetime]) -> str:
    """Return the state after a record, and note when it was reached.

    Args:
        row: the record.
        accepted: the state of an accepted job that the records before show, empty if they show none.
        before: the state before the record.
        since: when the job came into each state.
    """
    stated = row.get("state", "")
    if stated not in KNOWN_STATES:  # somebody typed it: an unknown state would hide the job
        stated = ""
    shown = state_shown_by(row, stated)
    if stated:
        _note_time(stated, row, since)
    if shown and shown != stated:
        _note_time(shown, row, since)
    if shown or accepted:
        return shown if RANKS[shown] > RANKS[accepted] else accepted
    if FAILED in {stated, before}:
        return FAILED
    if WITHDRAWN in {stated, before}:
        return WITHDRAWN
    return stated or before


def accepted_state(state: str, cells: Mapping[str, str], since: Mapping[str, datetime]) -> str:
    """Return the state of a job that Kling is known to have accepted, empty for any other."""
    if state != FAILED:
        return state if state in ONLY_OF_ACCEPTED else ""
    # `failed` is also the state of a refused call. Only a task's cells, or a state that came before, show
    # that it is a task that failed.
    known = not cells.keys().isdisjoint(OF_A_TASK) or not ONLY_OF_ACCEPTED.isdisjoint(since)
    return state if known else ""


def _note_time(state: str, row: Mapping[str, str], since: dict[str, datetime]) -> None:
    """Note the earliest time of a state; a time that cannot be read counts as that of the state before."""
    time, known = utc_time(row.get("time", "")), since.get(state)
    if known is None:
        since[state] = time or max(since.values(), default=NO_TIME)
    elif time and (time < known or known == NO_TIME):
        since[state] = time
