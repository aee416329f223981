"""Who recorded something of a job, and when: only its records in the log say that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from kling.studio.jobs import Job
from kling.studio.jobs.cells import utc_time
from kling.studio.ledger import LedgerError
from pages._ui.context import studio

_kept: dict[str, tuple[Job, Sequence[Mapping[str, str]]]] = {}  # by id; a changed job is another object
_MOST_KEPT = 50


def records(job: Job) -> Sequence[Mapping[str, str]]:
    """Return every record of a job, the first one first; none if the log cannot be read."""
    known = _kept.get(job.id)
    if known is not None and known[0] is job:
        return known[1]
    try:
        found = studio().ledger.records(job.id)
    except LedgerError:
        return ()
    while len(_kept) >= _MOST_KEPT:
        _kept.pop(next(iter(_kept)), None)
    _kept[job.id] = job, found
    return found


def who_recorded(job: Job, column: str) -> tuple[str, datetime | None]:
    """Return who wrote the value that a column has, and when; "" and None where the log does not say."""
    for record in reversed(records(job)):
        if record.get(column) == job[column]:
            return record.get("by_name", ""), utc_time(record.get("time", ""))
    return "", None
