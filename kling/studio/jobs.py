"""The job: what the studio knows of one order, its states, and how it is read from the rows of the log."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from kling.models import CameraControl, Shot, Status, Task, TextToVideo
from kling.studio.ledger.csv_file import storable

WAITING, INTENT, SUBMITTED, PROCESSING = "waiting", "intent", "submitted", "processing"
SUCCEED, FAILED, UNKNOWN, NOT_SENT, WITHDRAWN = "succeed", "failed", "unknown", "not_sent", "withdrawn"
STATES = (WAITING, INTENT, SUBMITTED, PROCESSING, SUCCEED, FAILED, UNKNOWN, NOT_SENT, WITHDRAWN)
TERMINAL = frozenset({SUCCEED, FAILED, WITHDRAWN})
FOLLOWED = frozenset({SUBMITTED, PROCESSING})
OPEN = frozenset({WAITING, INTENT, UNKNOWN, *FOLLOWED})

_LONG_AGO = datetime.fromtimestamp(0, UTC)  # of a row whose time cannot be read
_REPEATED = frozenset(
    {"state", "person", "account", "model_name", "mode", "duration", "aspect_ratio", "sound"}
)


class StateChanged(Exception):
    """The task is no longer in a state in which this may be done."""


@dataclass(frozen=True, slots=True)
class Job:
    """One task as the log knows it; immutable, so that pages can hold it while the poller goes on.

    Args:
        cells: for each column the last cell that says something, decoded.
        since: when the task first came into each of its states.
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
        """One of `STATES`."""
        return self["state"]

    @property
    def ordered_at(self) -> datetime:
        """When the person asked for it."""
        return min(self.since.values())

    @property
    def ended_at(self) -> datetime | None:
        """When it reached a terminal state."""
        return self.since.get(self.state) if self.state in TERMINAL else None

    @property
    def parent(self) -> str:
        """The id of the task that this one was remixed from, empty if it was written anew."""
        return self["parent"]

    @property
    def group(self) -> str:
        """The id of the batch that it was ordered in, empty if it was ordered alone."""
        return self["batch"]

    @property
    def take(self) -> int:
        """Which of the equal wishes of one press it is, from 1."""
        take = self.extra.get("take")
        return take if isinstance(take, int) else 1

    @property
    def has_clip(self) -> bool:
        """Whether its video is in the archive."""
        return self["state"] == SUCCEED and bool(self["file"])

    @property
    def extra(self) -> Mapping[str, Any]:
        """What later versions and probes noted."""
        return json_object(self["extra"])

    def decimal(self, column: str) -> Decimal | None:
        """Return a number of the log, None where there is none."""
        try:
            return Decimal(self[column])
        except InvalidOperation:
            return None

    @property
    def request(self) -> TextToVideo:
        """The request as it was ordered, ready to be sent again with the same id."""
        camera = json_object(self["camera_control"])
        shots = _json(self["multi_prompt"])
        cfg_scale = self.decimal("cfg_scale")
        return TextToVideo(
            prompt=self["prompt"],
            model_name=self["model_name"],
            negative_prompt=self["negative_prompt"],
            mode=self["mode"] or None,
            duration=self["duration"],
            aspect_ratio=self["aspect_ratio"],
            sound=self["sound"] or "off",
            cfg_scale=None if cfg_scale is None else float(cfg_scale),
            camera_control=CameraControl(type=str(camera["type"]), config=camera.get("config") or {})
            if "type" in camera
            else None,
            multi_shot=self["multi_shot"].lower() == "true",
            shot_type=self["shot_type"] or None,
            multi_prompt=tuple(
                Shot(prompt=str(shot.get("prompt", "")), duration=str(shot.get("duration", "")))
                for shot in (shots if isinstance(shots, list) else [])
                if isinstance(shot, dict)
            ),
            watermark=self["watermark_info"].lower() == "true",
            callback_url=self["callback_url"],
            external_task_id=self.id,
        )


def request_cells(request: TextToVideo) -> dict[str, str]:
    """Return the log's cells of a request: `Job.request` reads it back."""
    camera = request.camera_control
    shots = [{"prompt": shot.prompt, "duration": shot.duration} for shot in request.multi_prompt]
    units = request.units()
    return {
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
    """Return the log's cells of what the API said of a task; its addresses are signed and stay out of it."""
    video = task.videos[0] if task.videos else None
    deduction = task.final_unit_deduction if task.terminal else None  # before the end it is not final
    documented = task.task_status in set(Status)
    cells = {
        "state": task.task_status if documented else PROCESSING,
        "task_id": task.task_id,
        "task_status_msg": task.task_status_msg,
        "request_id": task.request_id,
        "created_at": task.created_at.isoformat(timespec="milliseconds") if task.created_at else "",
        "updated_at": task.updated_at.isoformat(timespec="milliseconds") if task.updated_at else "",
        "final_unit_deduction": "" if deduction is None else str(deduction),
        "video_id": video.id if video else "",
        "video_duration": "" if video is None or video.duration is None else str(video.duration),
        "extra": "" if documented else dump_json({"task_status": task.task_status[:100]}),
    }
    return {name: storable(cell) for name, cell in cells.items()}


def fold(job: Job | None, row: Mapping[str, str]) -> Job:
    """Return the task after one more row: the last cell that says something wins, an end is an end."""
    cells, since = (dict(job.cells), dict(job.since)) if job else ({}, {})
    apply_row({name: cell for name, cell in row.items() if cell}, cells, since)
    return Job(cells, since)


def apply_row(row: Mapping[str, str], cells: dict[str, str], since: dict[str, datetime]) -> None:
    """Take one row into the cells and times of its job, in place."""
    old_state, old_extra = cells.get("state", ""), cells.get("extra", "")
    cells.update(row)
    if "account" in row:  # the row that starts a task; the others repeat little
        for name in _REPEATED.intersection(row):
            cells[name] = sys.intern(cells[name])
    state = cells.get("state", "")
    # A state that is not ours was typed by somebody: it must not take a paid task out of sight.
    if state != old_state and (old_state in TERMINAL or state not in STATES):
        cells["state"] = state = old_state
    if old_extra and row.get("extra"):
        cells["extra"] = dump_json({**json_object(old_extra), **json_object(row["extra"])})
    if state not in since:
        since[state] = _moment(row.get("time", "")) or max(since.values(), default=_LONG_AGO)


def dump_json(value: Any) -> str:
    """Return JSON without blanks, as a cell holds it."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _json(text: str) -> Any:
    try:
        return json.loads(text) if text else None
    except (ValueError, RecursionError):
        return None


def json_object(text: str) -> Mapping[str, Any]:
    """Return the JSON object of a cell, an empty one if it holds none."""
    value = _json(text)
    return value if isinstance(value, dict) else {}


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
