"""Takes in jobs of an export or of another studio's log: as history, never as work.

Nothing of it is ever sent, asked for or fetched, and it counts in no budget. Each job is marked in its first
row (`imported` in `extra`), and has ended: one that had not, where it comes from, is recorded as `withdrawn`,
and what it was stands in the mark. A job whose id is known is left as it is. An import is undone in one step;
its jobs may come again then, and say what the file says that they come with.
"""

from __future__ import annotations

import base64
import binascii
import codecs
import json
import secrets
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from heapq import merge
from operator import itemgetter
from typing import Any

from kling.pictures import FIELDS, is_reference
from kling.studio.archive import Archive
from kling.studio.ids import PLAIN_ID
from kling.studio.jobs import (
    COLUMNS,
    FAILED,
    OF_A_TASK,
    STATES,
    SUCCEED,
    TERMINAL,
    WITHDRAWN,
    Job,
    Opinion,
    dump_json,
    fold,
    json_object,
    truncate,
    who_is,
)
from kling.studio.jobs.cells import load_json, utc_time
from kling.studio.jobs.states import ONLY_OF_ACCEPTED
from kling.studio.ledger import Ledger, LedgerError
from kling.studio.ledger.csv_file import fault_of
from kling.studio.ledger.csv_text import parse
from kling.studio.ledger.restore import missing_rows, undone_mark
from kling.studio.library.export import EXPORTED, record_of
from kling.studio.library.waiting_plans import WaitingPlans
from kling.studio.take_away.settings import read_clip, sidecars_in

MOST_BYTES = 256 * 2**20
MOST_SHOWN = 20  # faults that are told one by one
LONGEST_NAME = 100  # characters of a file
MOST_OPINIONS = 200  # of one job

_FRAMES = frozenset(FIELDS)
_NO_PICTURE = 64  # characters; the smallest file of a picture takes more in Base64
_TEXTS = frozenset(COLUMNS) - {
    "external_task_id",
    "time",
    "state",
    "by",
    "by_name",
    "star",
    "rating",
    "extra",
}
_NOT_TAKEN = frozenset({"file", "watermark_file", "callback_url"})
Row = dict[str, str]
_Records = Iterable[tuple[str, Mapping[str, str] | None]]


class ImportRefused(Exception):
    """Nothing was taken in; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """What an import would take in; nothing has been recorded.

    Args:
        kind: `export` or `log`.
        rows: for each new job its id and its rows.
        known: how many jobs are in the log already; they are left as they are.
        unfinished: how many had not ended where they come from.
        clips: how many have their video in the folder of videos already.
        faults: what cannot be taken in, in words, the first of them.
        fault_count: how many these are.
        people: how many jobs by the name of who ordered.
        first, last: when the first and the last of them were ordered.
        completes: the id of an import that was broken off, if these are the jobs that it lacks.
        of: how many jobs the import has then.
    """

    kind: str
    rows: Mapping[str, Sequence[Row]] = field(repr=False)
    known: int = 0
    unfinished: int = 0
    clips: int = 0
    faults: tuple[str, ...] = ()
    fault_count: int = 0
    people: Mapping[str, int] = field(default_factory=dict)
    first: datetime | None = None
    last: datetime | None = None
    completes: str = ""
    of: int = 0

    @property
    def jobs(self) -> int:
        """How many jobs would be taken in."""
        return len(self.rows)


@dataclass(frozen=True, slots=True)
class PastImport:
    """An import that was made.

    Args:
        id: of the import.
        at: when, as text in UTC. The audit says who made it.
        jobs: how many are in the log.
        of: how many were to be taken in; 0 if nobody knows it.
        undone: whether it was undone.
    """

    id: str
    at: str
    jobs: int
    of: int
    undone: bool

    @property
    def broken_off(self) -> bool:
        """Whether the studio was ended while it took in, or undid, the import."""
        return not self.undone and self.jobs < self.of


class Imports:
    """Imports of a studio.

    Args:
        ledger, archive: the studio's parts.
        clock: Unix seconds.
    """

    def __init__(self, ledger: Ledger, archive: Archive, clock: Callable[[], float]) -> None:
        self._ledger, self._archive, self._clock = ledger, archive, clock
        self.waiting: WaitingPlans[ImportPlan] = WaitingPlans(clock)

    def read(self, data: bytes) -> ImportPlan:
        """Return what a file would add; see `read_import`."""
        return read_import(data, self._ledger, self._archive)

    def take_in(self, plan: ImportPlan, *, by: str, by_name: str) -> str:
        """Record what was planned; return the id of the import. See `take_in`."""
        import_id = plan.completes or f"i{secrets.token_hex(6)}"
        take_in(plan, self._ledger, import_id=import_id, by=by, by_name=by_name, now=self._clock())
        return import_id

    def undo(self, import_id: str) -> int:
        """Take an import back; see `undo`."""
        return undo(self._ledger, import_id)

    def past(self) -> tuple[PastImport, ...]:
        """Return the imports that were made, the last one first."""
        return past_imports(self._ledger)


def read_import(data: bytes, ledger: Ledger, archive: Archive) -> ImportPlan:
    """Return what a file would add; nothing is changed.

    Args:
        data: the file: an export as CSV or JSON Lines, a `history.csv`, a ZIP of clips with sidecars, a
            sidecar, or a copy of a clip. A line of JSON may be such a copy too, with its name and in Base64.
        ledger: that it would be added to.
        archive: where videos may lie already.

    Raises:
        ImportRefused: it is none of these.
    """
    if len(data) > MOST_BYTES:
        raise ImportRefused(f"The file is larger than {MOST_BYTES // 2**20} MB: export it in parts, by date.")
    kind, records = _records(data)
    reading = _Reading(ledger, archive)
    for place, record in records:
        reading.add(place, record)
    return reading.plan(kind)


def take_in(plan: ImportPlan, ledger: Ledger, *, import_id: str, by: str, by_name: str, now: float) -> int:
    """Record what was planned, all of it or nothing; return how many jobs.

    A process that is killed meanwhile may leave a part: each job says how many there were to be.

    Args:
        plan: that somebody has seen.
        ledger: that it is added to.
        import_id: a new id, by which it can be undone.
        by: id of who does it; empty where there is no sign-in.
        by_name: their name.
        now: Unix seconds.

    Raises:
        ImportRefused: one of the jobs has come into the log meanwhile.
        LedgerError: nothing was recorded.
    """
    at = datetime.fromtimestamp(now, UTC).isoformat(timespec="seconds")
    mark = {"id": import_id, "at": at, "of": plan.of}
    changes = [
        (
            job_id,
            _marked(row, mark) | ({"by": by, "by_name": by_name} if not number else {}),
        )
        for job_id, rows in plan.rows.items()
        for number, row in enumerate(rows)
    ]

    def check() -> None:
        if any(not _may_come(ledger.get(job_id)) for job_id in plan.rows):
            raise ImportRefused("The log has changed meanwhile: read the file again.")

    ledger.append_many(changes, check=check)
    return len(plan.rows)


def undo(ledger: Ledger, import_id: str) -> int:
    """Take an import back: none of its jobs is shown any more. Return how many.

    Raises:
        LedgerError: nothing was recorded.
    """
    jobs = [job for job in ledger.jobs() if job.import_facts.get("id") == import_id and not job.retracted]
    return len(ledger.append_many([(job.id, {"extra": undone_mark(job)}) for job in jobs]))


def past_imports(ledger: Ledger) -> tuple[PastImport, ...]:
    """Return the imports that were made, the last one first."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for job in ledger.jobs():
        if facts := job.import_facts:
            found.setdefault(str(facts.get("id", "")), []).append(facts)
    past = [_past(import_id, facts) for import_id, facts in found.items()]
    return tuple(sorted(past, key=lambda each: (each.at, each.id), reverse=True))


def _past(import_id: str, facts: Sequence[Mapping[str, Any]]) -> PastImport:
    left = [each for each in facts if not each.get("undone")]
    return PastImport(import_id, str(facts[0].get("at", "")), len(left or facts), _of(facts[0]), not left)


def _of(facts: Mapping[str, Any]) -> int:
    found = facts.get("of")
    return found if type(found) is int else 0


def _marked(row: Row, facts: Mapping[str, Any]) -> Row:
    if "extra" not in row:
        return dict(row)
    extra = dict(json_object(row["extra"]))
    return {**row, "extra": dump_json({**extra, "imported": {**extra["imported"], **facts}})}


def _may_come(known: Job | None) -> bool:
    return known is None or (known.retracted and not known.erased)


# -- files -----------------------------------------------------------------------------------------------


def _records(data: bytes) -> tuple[str, _Records]:
    """Return the kind of a file, and its jobs as `record_of` gives them, each with its place in the file.

    What cannot be read is None.
    """
    each = "Line"
    if data[:2] == b"PK":
        each = "Sidecar"
        try:
            data = sidecars_in(data)
        except ValueError as error:
            raise ImportRefused(f"{error} Choose a ZIP that this studio has made of clips.") from None
    elif data[4:8] == b"ftyp":
        if not (found := read_clip(data).records):
            raise ImportRefused(
                "This video does not say what it was made from. Choose one taken from a studio."
            )
        return "export", ((f"Job {number}", record) for number, record in enumerate(found, 1))
    start = data[:200].decode("utf-8-sig", "replace").lstrip()
    if start.startswith("{"):
        return "export", _of_json(_text(data), each)
    contents = parse(data)
    is_export = {"external_task_id", "times", "opinions"} <= set(contents.columns)
    if not is_export and (fault := fault_of(data) or ("" if data.strip() else "is empty.")):
        raise ImportRefused(
            f"This is no export of a studio, and no log either: the file {fault} Choose a file that History "
            "has exported, or the history.csv of another studio."
        )
    _text(data)
    rows = zip(contents.lines, contents.rows, strict=True)
    records = rows if is_export else _of_log(rows)
    unreadable = ((line, None) for line in contents.unreadable)
    lines = merge(records, unreadable, key=itemgetter(0))
    return "export" if is_export else "log", ((f"Line {line}", record) for line, record in lines)


def _text(data: bytes) -> str:
    """Return the text of a file, which may be cut off within its last character.

    Raises:
        ImportRefused: it is in another encoding.
    """
    try:
        return codecs.getincrementaldecoder("utf-8-sig")().decode(data)
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise ImportRefused(
            f"Line {line} of the file is not in UTF-8: letters of it would be lost. Save it again in UTF-8 "
            "(in a spreadsheet, “CSV UTF-8”), or choose it as History has exported it."
        ) from None


def _of_log(rows: Iterable[tuple[int, Mapping[str, str]]]) -> Iterator[tuple[int, Mapping[str, str]]]:
    """Return the jobs of a log, each with the number of its first line."""
    lines: dict[str, int] = {}
    jobs: dict[str, Job] = {}
    for line, row in rows:
        job_id = row["external_task_id"]
        lines.setdefault(job_id, line)
        jobs[job_id] = fold(jobs.get(job_id), row)
    return ((lines[job_id], record_of(job)) for job_id, job in jobs.items() if not job.retracted)


def _of_json(text: str, each: str) -> _Records:
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            found = json.loads(line)
        except (ValueError, RecursionError):
            found = None
        place = f"{each} {number}"
        if not isinstance(found, dict):
            yield place, None
            continue
        if isinstance(clip := found.get("clip"), str):
            place = f"Clip “{str(found.get('name', ''))[:LONGEST_NAME]}”"
            yield from ((place, record) for record in read_clip(_decoded(clip)).records or ({},))
            continue
        yield (
            place,
            {
                name: cell if isinstance(cell, str) else dump_json(cell)
                for name, cell in found.items()
                if name in EXPORTED and cell is not None
            },
        )


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""


# -- one job ---------------------------------------------------------------------------------------------


class _Reading:
    """A plan while a file is read."""

    def __init__(self, ledger: Ledger, archive: Archive) -> None:
        self._ledger, self._archive = ledger, archive
        self._rows: dict[str, Sequence[Row]] = {}
        self._people: Counter[str] = Counter()
        self._faults: list[str] = []
        self._times: list[datetime] = []
        self._of_imports: dict[tuple[str, int], set[str]] = {}  # known ids, by import and its `of`
        self._fault_count = self._known = self._unfinished = self._clips = 0

    def add(self, place: str, record: Mapping[str, str] | None) -> None:
        """Add the job of one record."""
        if record is None:
            self._fault(
                place,
                "it is no whole record: its id, a cell or its end is missing, or it has a cell too many.",
            )
            return
        job_id, state = record.get("external_task_id", ""), record.get("state", "")
        if not record:
            self._fault(place, "it does not say what it was made from.")
        elif not PLAIN_ID.fullmatch(job_id):
            self._fault(place, "it has no id that a studio gives (external_task_id).")
        elif state not in STATES:
            self._fault(place, "it has no state that a job can have (state).")
        elif job_id in self._rows:
            self._known += 1
        elif not _may_come(known := self._ledger.get(job_id)):
            self._known += 1
            facts = known.import_facts if known else {}
            self._of_imports.setdefault((str(facts.get("id", "")), _of(facts)), set()).add(job_id)
        else:
            job = job_of(record)
            if job["file_sha256"] and not job.deleted and self._has_clip(job):
                job = Job({**job.cells, "file": f"{job_id}.mp4"}, job.since, job.opinions)
                self._clips += 1
            rows = missing_rows(job, None)
            if not _is_history(rows):
                self._fault(place, "what it says of its state does not fit together.")
                return
            self._rows[job_id] = rows
            self._unfinished += "was" in job.import_facts
            self._people[job["person"]] += 1
            self._times.append(job.ordered_at)

    def plan(self, kind: str) -> ImportPlan:
        """Return what was found."""
        new = len(self._rows)
        broken = (each for each, ids in self._of_imports.items() if new and len(ids) + new == each[1])
        completes, of = next(broken, ("", new))
        return ImportPlan(
            kind,
            self._rows,
            self._known,
            self._unfinished,
            self._clips,
            tuple(self._faults),
            self._fault_count,
            dict(self._people.most_common()),
            min(self._times, default=None),
            max(self._times, default=None),
            completes,
            of,
        )

    def _has_clip(self, job: Job) -> bool:
        return job.state == SUCCEED and self._archive.digest(job.id) == job["file_sha256"]

    def _fault(self, place: str, words: str) -> None:
        self._fault_count += 1
        if len(self._faults) < MOST_SHOWN:
            self._faults.append(f"{place} of the file: {words}")


def job_of(record: Mapping[str, str]) -> Job:
    """Return the job that is recorded for a record of an export: one that has ended, with the mark."""
    cells = {name: truncate(record[name]) for name in _TEXTS - _NOT_TAKEN if record.get(name)}
    for name in _FRAMES & cells.keys():
        if len(cells[name]) > _NO_PICTURE and not is_reference(cells[name]):
            del cells[name]  # no record holds the bytes of a picture
    state, ordered = record["state"], utc_time(record.get("ordered_at", ""))
    times = _times(record.get("times", ""))
    extra = {
        name: value for name, value in json_object(record.get("extra", "")).items() if name != "imported"
    }
    mark: dict[str, Any] = {}
    if state not in {SUCCEED, FAILED}:  # nothing may look as if Kling had its task: it would be followed
        mark = {"cells": {name: cells.pop(name) for name in OF_A_TASK & cells.keys()}}
    moved = {SUCCEED, FAILED, WITHDRAWN} - {state} if state != SUCCEED else set()
    if state != SUCCEED and (state != FAILED or OF_A_TASK.isdisjoint(cells)):
        moved |= ONLY_OF_ACCEPTED
    mark["times"] = {each: times.pop(each).isoformat() for each in sorted(moved & times.keys())}
    if state not in TERMINAL:
        mark["was"], state = state, WITHDRAWN
        times[WITHDRAWN] = max(times.values(), default=ordered or datetime.fromtimestamp(0, UTC))
    extra["imported"] = {name: value for name, value in mark.items() if value}
    first = min(times.values(), default=ordered)
    cells |= {
        "external_task_id": record["external_task_id"],
        "state": state,
        "time": first.isoformat() if first else "",
        "extra": dump_json(extra),
    }
    return Job(cells, times or ({state: first} if first else {}), _opinions(record.get("opinions", "")))


def _times(text: str) -> dict[str, datetime]:
    found = {state: utc_time(time) for state, time in json_object(text).items() if isinstance(time, str)}
    return {state: time for state, time in found.items() if time is not None and state in STATES}


def _opinions(text: str) -> dict[str, Opinion]:
    found = load_json(text)
    opinions = {}
    for each in (found if isinstance(found, list) else [])[:MOST_OPINIONS]:
        if isinstance(each, dict):
            parts = {name: str(each.get(name, ""))[:100] for name in ("by", "by_name", "star", "rating")}
            opinion = Opinion(**{name: truncate(part) for name, part in parts.items()})
            if opinion.star or opinion.rating:
                opinions[who_is(opinion.by, opinion.by_name)] = opinion
    return opinions


def _is_history(rows: Iterable[Row]) -> bool:
    """Whether rows make a job that is marked and has ended, also if only the first of them is left."""
    job: Job | None = None
    for row in rows:
        job = fold(job, row)
        if not job.imported or job.state not in TERMINAL:
            return False
    return job is not None


__all__ = [
    "ImportPlan",
    "ImportRefused",
    "Imports",
    "LedgerError",
    "PastImport",
    "job_of",
    "past_imports",
    "read_import",
    "take_in",
    "undo",
]
