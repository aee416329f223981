"""The job: what the studio knows of one order, its states, and how it is read from and written to a record.

A record is a change to one job. What a job is now is folded from its records:

- Each column keeps the last cell that says something.
- A life goes one way. Once any record shows that Kling accepted the job, it stays accepted, in whatever order
  the records are read and whichever of the others are lost. See `apply_row`.
- Text in a cell may have been edited by anybody. Whatever it holds, reading a job raises nothing.
"""

from __future__ import annotations

import json
import math
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from typing import Any

from kling.camera_control import CameraControl
from kling.shots import Shot
from kling.tasks import Status, Task
from kling.text_to_video import TextToVideo

WAITING, INTENT, SUBMITTED, PROCESSING = "waiting", "intent", "submitted", "processing"
SUCCEED, FAILED, UNKNOWN, NOT_SENT, WITHDRAWN = "succeed", "failed", "unknown", "not_sent", "withdrawn"
STATES = (WAITING, INTENT, SUBMITTED, PROCESSING, SUCCEED, FAILED, UNKNOWN, NOT_SENT, WITHDRAWN)
TERMINAL = frozenset({SUCCEED, FAILED, WITHDRAWN})
FOLLOWED = frozenset({SUBMITTED, PROCESSING})
OPEN = frozenset({WAITING, INTENT, UNKNOWN, *FOLLOWED})

TEXT_TO_VIDEO = "text2video"  # the value of `endpoint` for what the create call of this module makes
COLUMNS = (
    "external_task_id",
    "time",
    "state",
    "person",
    "person_id",
    "account",
    "endpoint",
    "model_name",
    "prompt",
    "negative_prompt",
    "mode",
    "duration",
    "aspect_ratio",
    "sound",
    "cfg_scale",
    "camera_control",
    "multi_shot",
    "shot_type",
    "multi_prompt",
    "watermark_info",
    "callback_url",
    "units",
    "unit_price",
    "currency",
    "task_id",
    "code",
    "message",
    "request_id",
    "task_status_msg",
    "created_at",
    "updated_at",
    "final_unit_deduction",
    "final_balance_deduction",
    "video_id",
    "video_duration",
    "file",
    "file_bytes",
    "file_sha256",
    "watermark_file",
    "rating",
    "star",
    "tags",
    "note",
    "hidden",
    "deleted",
    "by",
    "by_name",
    "parent",
    "batch",
    "extra",
)
CURATION = frozenset({"rating", "star", "tags", "note", "hidden", "deleted"})  # what people say of a job
TAKEN_BACK = "-"  # as a cell of such a column: the value is no longer said

_LONGEST_CELL = 100_000  # characters; what comes from outside is cut there
_DIGITS_BEFORE, _DIGITS_AFTER = 12, 6  # of a number's point; more is no price, no duration and no code
_LONGEST_NUMBER = 64  # characters of its text
_LONG_AGO = datetime.fromtimestamp(0, UTC)  # of a row whose time cannot be read
_FIRST_YEAR, _LAST_YEAR = 1970, 8999  # outside of them arithmetic with time zones overflows
_STATES = frozenset(STATES)
RANKS = {"": 0, SUBMITTED: 1, PROCESSING: 2, FAILED: 3, SUCCEED: 4}  # of the states of an accepted job
_SHOWS_ITSELF = frozenset({SUBMITTED, PROCESSING, SUCCEED})  # states that only an accepted job comes into
_CHARGES = ("final_unit_deduction", "final_balance_deduction")
OF_A_TASK = frozenset(  # columns that only an answer about a task fills, and what comes of one
    {
        "task_id",
        "task_status_msg",
        "created_at",
        "updated_at",
        *_CHARGES,
        "video_id",
        "video_duration",
        "file",
    }
)
_REPEATED = frozenset(
    {"state", "person", "account", "endpoint", "model_name", "mode", "duration", "aspect_ratio", "sound"}
)
_MONEY_SENTENCES = re.compile(  # that older versions wrote into `message`
    r"(?:^|(?<=[.!?)”]\s))(?:It (?:waits here|never arrived), and nothing was spent\.|Nothing was spent\."
    r"|It is being looked up: nothing needs to be done, and no second task is bought\.)\s*",
    re.IGNORECASE,
)
_MONEY_WORDS = re.compile(r"[ ,;]{0,2}(?:\band )?\bnothing was spent\b", re.IGNORECASE)


class StateChanged(Exception):
    """The job is no longer in a state in which this may be done."""


@dataclass(frozen=True, slots=True)
class Job:
    """One job as the log knows it; immutable, so that pages can hold it while the poller goes on.

    Args:
        cells: for each column the last cell that says something, decoded.
        since: when the job first came into each of its states.
    """

    cells: Mapping[str, str] = field(default_factory=dict)
    since: Mapping[str, datetime] = field(default_factory=dict)

    def __getitem__(self, column: str) -> str:
        return self.cells.get(column, "")

    @property
    def id(self) -> str:
        """Our id, the `external_task_id`."""
        return self["external_task_id"]

    @property
    def state(self) -> str:
        """One of `STATES`; where no record says one, what the other cells show."""
        state = self["state"]
        return state if state in _STATES else _shown_by(self.cells, "") or NOT_SENT

    @property
    def accepted(self) -> bool:
        """Whether Kling is known to have accepted it: it has a task, which may have been paid for."""
        return self.state in _SHOWS_ITSELF or not self.cells.keys().isdisjoint(OF_A_TASK)

    @property
    def gone(self) -> bool:
        """Whether it is proved that Kling no longer has a video for it."""
        return "gone" in self["extra"] and bool(self.extra.get("gone"))

    @property
    def ordered_at(self) -> datetime:
        """When the person asked for it; 1970 where no record has a time that can be read."""
        known = [moment for moment in self.since.values() if moment != _LONG_AGO]
        return min(known, default=None) or self.moment("time") or _LONG_AGO

    @property
    def ended_at(self) -> datetime | None:
        """When it reached a terminal state."""
        return self.since.get(self.state) if self.state in TERMINAL else None

    @property
    def parent(self) -> str:
        """The id of the job that this one was remixed from, empty if it was written anew."""
        return self["parent"]

    @property
    def group(self) -> str:
        """The id of the batch that it was ordered in, empty if it was ordered alone."""
        return self["batch"]

    @property
    def take(self) -> int:
        """Which of the equal requests of one press it is, from 1."""
        take = self.extra.get("take")
        return take if isinstance(take, int) and 0 < take < 10**6 else 1

    @property
    def has_clip(self) -> bool:
        """Whether its video is in the archive."""
        return bool(self["file"]) and self.state == SUCCEED

    @property
    def extra(self) -> Mapping[str, Any]:
        """What later versions and probes noted."""
        return json_object(self["extra"])

    @property
    def message(self) -> str:
        """What the last answer said, in words for a person.

        Without what older versions wrote there about money: that is true only for a process that knows it.
        """
        return _MONEY_WORDS.sub("", _MONEY_SENTENCES.sub("", self["message"])).rstrip()

    @property
    def code(self) -> int:
        """Kling's code of the last answer, 0 where there is none."""
        number = self.decimal("code")
        return int(number) if number is not None and number == int(number) else 0

    def decimal(self, column: str) -> Decimal | None:
        """Return a number of the log, None where there is none or one of absurd size."""
        return bounded(self[column])

    def moment(self, column: str) -> datetime | None:
        """Return a time of the log in UTC, None where there is none; one without a zone is UTC."""
        return _moment(self[column])

    @property
    def request(self) -> TextToVideo:
        """The request as it was ordered, ready to be sent again with the same id."""
        shots = _json(self["multi_prompt"])
        return TextToVideo(
            prompt=self["prompt"],
            model_name=self["model_name"],
            negative_prompt=self["negative_prompt"],
            mode=self["mode"] or None,
            duration=self["duration"],
            aspect_ratio=self["aspect_ratio"],
            sound=self["sound"] or "off",
            cfg_scale=_float(self["cfg_scale"]),
            camera_control=_camera(json_object(self["camera_control"])),
            multi_shot=self["multi_shot"].lower() == "true",
            shot_type=self["shot_type"] or None,
            multi_prompt=tuple(
                Shot(prompt=_text(shot.get("prompt")), duration=_text(shot.get("duration")))
                for shot in (shots if isinstance(shots, list) else [])
                if isinstance(shot, dict)
            ),
            watermark=self["watermark_info"].lower() == "true",
            callback_url=self["callback_url"],
            external_task_id=self.id,
        )


# -- records -------------------------------------------------------------------------------------------------


def request_cells(request: TextToVideo) -> dict[str, str]:
    """Return the log's cells of a request: `Job.request` reads it back."""
    camera = request.camera_control
    shots = [{"prompt": shot.prompt, "duration": shot.duration} for shot in request.multi_prompt]
    units = request.units()
    return {
        "endpoint": TEXT_TO_VIDEO,
        "prompt": request.prompt,
        "model_name": request.model_name,
        "negative_prompt": request.negative_prompt,
        "mode": request.mode or "",
        "duration": request.duration,
        "aspect_ratio": request.aspect_ratio,
        "sound": request.sound,
        "cfg_scale": "" if request.cfg_scale is None else str(request.cfg_scale),
        "camera_control": dump_json({"type": camera.type, "config": dict(camera.config)}) if camera else "",
        "multi_shot": "true" if request.multi_shot else "",
        "shot_type": request.shot_type or "",
        "multi_prompt": dump_json(shots) if shots else "",
        "watermark_info": "true" if request.watermark else "",
        "callback_url": request.callback_url,
        "units": "" if units is None else str(units),
    }


def task_cells(task: Task) -> dict[str, str]:
    """Return the log's cells of what the API said of a task; its addresses are signed and stay out of it.

    What was charged counts when the task has ended: Units in `final_unit_deduction`, money of a cash account
    in `final_balance_deduction`, with its list price in `extra`.
    """
    video = task.videos[0] if task.videos else None
    documented = task.task_status in set(Status)
    extra: dict[str, str] = {} if documented else {"task_status": task.task_status[:100]}
    units = quota = list_price = None
    if task.terminal:
        units = bounded(task.final_unit_deduction)
        if cash := task.final_balance_deduction:
            quota, list_price = bounded(cash.quota), bounded(cash.list_price)
        if list_price is not None:
            extra["list_price"] = f"{list_price:f}"
    cells = {
        "state": task.task_status if documented else PROCESSING,
        "task_id": task.task_id,
        "task_status_msg": task.task_status_msg,
        "request_id": task.request_id,
        "created_at": task.created_at.isoformat(timespec="milliseconds") if task.created_at else "",
        "updated_at": task.updated_at.isoformat(timespec="milliseconds") if task.updated_at else "",
        "final_unit_deduction": "" if units is None else f"{units:f}",
        "final_balance_deduction": "" if quota is None else f"{quota:f}",
        "video_id": video.id if video else "",
        "video_duration": "" if video is None or video.duration is None else str(video.duration),
        "extra": dump_json(extra) if extra else "",
    }
    return {name: truncate(cell) for name, cell in cells.items()}


def truncate(text: str) -> str:
    """Return the text as it will be read back: half a surrogate pair is replaced, an absurd length cut."""
    return text[:_LONGEST_CELL].encode("utf-8", "replace").decode()


# -- the fold ------------------------------------------------------------------------------------------------


def fold(job: Job | None, row: Mapping[str, str]) -> Job:
    """Return the job after one more row; see `apply_row`."""
    cells, since = (dict(job.cells), dict(job.since)) if job else ({}, {})
    apply_row({name: cell for name, cell in row.items() if cell}, cells, since)
    return Job(cells, since)


def apply_row(row: Mapping[str, str], cells: dict[str, str], since: dict[str, datetime]) -> None:
    """Take one row into the cells and times of its job, in place. Empty cells are not in the row.

    A row shows that Kling accepted the job if it holds something of a task (its id, its times, its charge,
    its file), or a state that only an accepted job comes into. Of the states that such rows show, the highest
    counts: succeed, failed, processing, submitted. A row that says `failed` and holds nothing of a task is
    the refusal of a call. Without any row of a task, `failed` and then `withdrawn` count, and else the last
    state that was said. So the result does not depend on the order of the rows, except among the states of a
    job that never left.
    """
    columns = row.keys()
    state, extra = cells.get("state", ""), cells.get("extra")
    said, of_a_task = row.get("state", ""), not columns.isdisjoint(OF_A_TASK)
    speaks = said or of_a_task
    accepted = _accepted_state(state, cells, since) if speaks and state else ""
    charges = [(name, cells[name]) for name in _CHARGES if name in cells and name in row] if of_a_task else ()
    cells.update(row)
    if "account" in row:  # the row that starts a job; the others repeat little
        for name in _REPEATED & columns:
            cells[name] = sys.intern(cells[name])
    if speaks:
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
        for name in CURATION & columns:
            if row[name] == TAKEN_BACK:
                del cells[name]


def _next_state(row: Mapping[str, str], accepted: str, before: str, since: dict[str, datetime]) -> str:
    """Return the state after a row, and note when it was reached.

    Args:
        row: of the job.
        accepted: the state that the rows before show of an accepted job, empty if they show none.
        before: the state before the row.
        since: when the job came into each state.
    """
    said = row.get("state", "")
    if said not in _STATES:  # somebody typed it: it must not take a job out of sight
        said = ""
    shown = _shown_by(row, said)
    if said:
        _note_time(said, row, since)
    if shown and shown != said:
        _note_time(shown, row, since)
    if shown or accepted:
        return shown if RANKS[shown] > RANKS[accepted] else accepted
    if FAILED in {said, before}:
        return FAILED
    if WITHDRAWN in {said, before}:
        return WITHDRAWN
    return said or before


def _accepted_state(state: str, cells: Mapping[str, str], since: Mapping[str, datetime]) -> str:
    """Return the state of a job that Kling is known to have accepted, empty for any other."""
    if state != FAILED:
        return state if state in _SHOWS_ITSELF else ""
    # Had it been refused before, the first row of its task has taken the place of that state.
    known = not cells.keys().isdisjoint(OF_A_TASK) or not _SHOWS_ITSELF.isdisjoint(since)
    return state if known else ""


def _shown_by(row: Mapping[str, str], said: str) -> str:
    """Return the state of an accepted job that a row shows, empty if it does not show that it is one."""
    if "file" in row:
        return SUCCEED
    if said in _SHOWS_ITSELF:
        return said
    if not row.keys().isdisjoint(OF_A_TASK):
        return FAILED if said == FAILED else SUBMITTED
    return ""


def _note_time(state: str, row: Mapping[str, str], since: dict[str, datetime]) -> None:
    """Keep the earliest time; a time that cannot be read counts as that of the state before."""
    moment, known = _moment(row.get("time", "")), since.get(state)
    if known is None:
        since[state] = moment or max(since.values(), default=_LONG_AGO)
    elif moment and (moment < known or known == _LONG_AGO):
        since[state] = moment


# -- what cells hold -----------------------------------------------------------------------------------------


def bounded(value: object) -> Decimal | None:
    """Return a number of at most 12 digits before the point and 6 after it; None for anything else.

    What comes from outside may be `1e700000000`, which takes gigabytes to write out.
    """
    try:
        number = Decimal(str(value)) if len(text := str(value)) <= _LONGEST_NUMBER and text else None
        if number is None or not number.is_finite() or number.adjusted() > _DIGITS_BEFORE:
            return None
        exponent = number.as_tuple().exponent
        if isinstance(exponent, int) and exponent < -_DIGITS_AFTER:
            number = number.quantize(Decimal(1).scaleb(-_DIGITS_AFTER), ROUND_HALF_EVEN)
    except (InvalidOperation, ValueError):
        return None
    return number if number.adjusted() < _DIGITS_BEFORE else None


def dump_json(value: Any) -> str:
    """Return JSON without blanks, as a cell holds it."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace").decode()


def json_object(text: str) -> Mapping[str, Any]:
    """Return the JSON object of a cell, an empty one if it holds none."""
    value = _json(text)
    return value if isinstance(value, dict) else {}


def _json(text: str) -> Any:
    if not text:
        return None
    try:
        value = json.loads(text)
        return json.loads(dump_json(value)) if "\\u" in text else value  # an escape may be half a pair
    except (ValueError, RecursionError):
        return None


def _camera(fields: Mapping[str, Any]) -> CameraControl | None:
    if "type" not in fields:
        return None
    config = fields.get("config")
    axes = config.items() if isinstance(config, dict) else ()
    return CameraControl(
        type=_text(fields["type"]), config={name: axis for name, axis in axes if _is_number(axis)}
    )


def _is_number(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return math.isfinite(value) if isinstance(value, float) else abs(value) < 10**_DIGITS_BEFORE


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    return str(value) if _is_number(value) else ""


def _float(text: str) -> float | None:
    try:
        number = float(text) if len(text) <= _LONGEST_NUMBER else math.nan
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
        if not _FIRST_YEAR <= moment.year <= _LAST_YEAR:
            return None
        if moment.tzinfo is UTC:
            return moment
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None
