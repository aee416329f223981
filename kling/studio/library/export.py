"""Jobs as rows to carry elsewhere: one row a job, as CSV that a spreadsheet may open, or as JSON Lines.

A row has the columns of the log, but for those that only make sense in it (`NOT_EXPORTED`), and four more:

    ordered_at, ended_at   in UTC
    times                  JSON: when the job came into each of its states
    opinions               JSON: people's stars and ratings

A video is named by its digest, `file_sha256`. `imports` reads all of that back.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from kling.studio.jobs import COLUMNS, Job, Opinion, dump_json
from kling.studio.jobs.job import NO_TIME
from kling.studio.ledger.csv_text import encode_row

NOT_EXPORTED = frozenset(
    {"time", "file", "watermark_file", "by", "by_name", "star", "rating", "callback_url"}
)
PRICES = frozenset({"units", "unit_price", "currency", "final_unit_deduction", "final_balance_deduction"})
# What `extra` says to those who see no prices; whatever else other versions write there may be one.
WITHOUT_PRICES = frozenset({"take", "found", "task_status", "template", "probe", "check", "check_reason"})
FIRST = ("external_task_id", "state", "ordered_at", "ended_at", "times", "opinions")
EXPORTED = (*FIRST, *(name for name in COLUMNS if name not in NOT_EXPORTED | set(FIRST)))
_NESTED = frozenset({"times", "opinions", "extra"})
_MARK = "imported"  # in `extra`: the import that a job came by, which is nothing of the job itself


def record_of(job: Job, *, prices: bool = True) -> dict[str, str]:
    """Return a job as cells, without the empty ones.

    Args:
        job: of any state; one that was imported is exported as it was before.
        prices: whether what it cost is among them.
    """
    facts = job.import_facts
    was = str(facts.get("was", ""))
    moved, times = facts.get("cells"), {state: time.isoformat() for state, time in job.since.items()}
    if was:
        times.pop(job.state, None)
    if isinstance(facts.get("times"), dict):
        times |= {str(state): str(time) for state, time in facts["times"].items()}
    cells = {name: job[name] for name in COLUMNS if name not in NOT_EXPORTED}
    if isinstance(moved, dict):
        cells |= {str(name): str(cell) for name, cell in moved.items() if name in EXPORTED}
    extra = {
        name: value
        for name, value in job.extra.items()
        if name != _MARK and (prices or name in WITHOUT_PRICES)
    }
    known = [time for time in times.values() if time != NO_TIME.isoformat()]
    cells |= {
        "state": was or job.state,
        "ordered_at": min(known, default=job.ordered_at.isoformat()),
        "ended_at": "" if was or job.ended_at is None else job.ended_at.isoformat(),
        "times": dump_json(dict(sorted(times.items(), key=_by_time))),
        "opinions": dump_json([_opinion(each) for _, each in sorted(job.opinions.items())])
        if job.opinions
        else "",
        "extra": dump_json(extra) if extra else "",
        "deleted": job.deleted,
    }
    return {name: cells[name] for name in EXPORTED if cells.get(name) and (prices or name not in PRICES)}


def csv_lines(jobs: Iterable[Job], *, prices: bool = True) -> Iterator[bytes]:
    """Yield the lines of a file of comma-separated values, a header first; formulas in it are defused."""
    columns = [name for name in EXPORTED if prices or name not in PRICES]
    yield encode_row(columns)
    for job in jobs:
        record = record_of(job, prices=prices)
        yield encode_row([record.get(name, "") for name in columns])


def json_lines(jobs: Iterable[Job], *, prices: bool = True) -> Iterator[bytes]:
    """Yield one object of JSON a line."""
    for job in jobs:
        record: dict[str, Any] = dict(record_of(job, prices=prices))
        for name in _NESTED & record.keys():
            record[name] = json.loads(record[name])
        yield f"{dump_json(record)}\n".encode()


def _by_time(item: tuple[str, str]) -> tuple[str, str]:
    return item[1], item[0]


def _opinion(opinion: Opinion) -> Mapping[str, str]:
    cells = {
        "by": opinion.by,
        "by_name": opinion.by_name,
        "star": opinion.star,
        "rating": opinion.rating,
    }
    return {name: cell for name, cell in cells.items() if cell}
