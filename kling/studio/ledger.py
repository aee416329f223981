"""The log as tasks: what each one is now, folded from every change that the log holds."""

from __future__ import annotations

import gc
import json
import sys
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from kling.models import CameraControl, Shot, Status, Task, TextToVideo
from kling.studio.csvlog import COLUMNS, LogError, LogFile, encode_row, storable
from kling.studio.lists import Lists
from kling.studio.usual import Times

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
    """One task as the log knows it; immutable, so that pages can hold it while the tracker goes on.

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
        return _json_object(self["extra"])

    def decimal(self, column: str) -> Decimal | None:
        """Return a number of the log, None where there is none."""
        try:
            return Decimal(self[column])
        except InvalidOperation:
            return None

    @property
    def request(self) -> TextToVideo:
        """The request as it was ordered, ready to be sent again with the same id."""
        camera = _json_object(self["camera_control"])
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
        "camera_control": _dump({"type": camera.type, "config": dict(camera.config)}) if camera else "",
        "multi_shot": "true" if request.multi_shot else "",
        "shot_type": request.shot_type or "",
        "multi_prompt": _dump(shots) if shots else "",
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
        "extra": "" if documented else _dump({"task_status": task.task_status[:100]}),
    }
    return {name: storable(cell) for name, cell in cells.items()}


def fold(job: Job | None, row: Mapping[str, str]) -> Job:
    """Return the task after one more row: the last cell that says something wins, an end is an end."""
    cells, since = (dict(job.cells), dict(job.since)) if job else ({}, {})
    _apply({name: cell for name, cell in row.items() if cell}, cells, since)
    return Job(cells, since)


def _apply(row: Mapping[str, str], cells: dict[str, str], since: dict[str, datetime]) -> None:
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
        cells["extra"] = _dump({**_json_object(old_extra), **_json_object(row["extra"])})
    if state not in since:
        since[state] = _moment(row.get("time", "")) or max(since.values(), default=_LONG_AGO)


class Ledger:
    """Every task of the log, for threads to share. The one process that owns the data folder has one of it.

    `times` knows how long tasks take.

    Args:
        file: the log.
        clock: Unix seconds.
        on_change: told after each change, from whatever thread made it.
        read_later: read the file in a thread; until then the ledger looks empty, and `append` waits.

    Raises:
        LogError: the file cannot be read; with `read_later`, `append` raises it.
    """

    def __init__(
        self,
        file: LogFile,
        *,
        clock: Callable[[], float],
        on_change: Callable[[], None] = lambda: None,
        read_later: bool = False,
    ) -> None:
        self._file, self._clock, self._on_change = file, clock, on_change
        self._lock = threading.RLock()
        self._jobs: dict[str, Job] = {}
        self._unfinished: dict[str, Job] = {}
        self._lists = self._no_lists = Lists({}, self._lock)
        self._columns: tuple[str, ...] = COLUMNS
        self._unreadable: Sequence[int] = ()
        self.times = Times()
        self._read = threading.Event()
        self.failure = ""  # why a file that was to be read later could not be
        if read_later:
            threading.Thread(target=self._read_it, name="log", daemon=True).start()
        else:
            self._load()
            self._read.set()

    @property
    def opening(self) -> bool:
        """Whether the file is still being read."""
        return not self._read.is_set()

    def append(self, external_task_id: str, *, only: Collection[str] | None = None, **cells: str) -> Job:
        """Record a change to a task; it is on the disk when this returns.

        Args:
            external_task_id: whose change it is; a new one starts a task.
            only: states in which this may happen; None does not ask.
            cells: by column; an empty one says nothing.

        Raises:
            StateChanged: the task is in none of the states of `only`.
            LogError: nothing was recorded.
        """
        (job,) = self.append_many([(external_task_id, cells)], only=only)
        return job

    def append_many(
        self, changes: Sequence[tuple[str, Mapping[str, str]]], *, only: Collection[str] | None = None
    ) -> list[Job]:
        """Record several changes in one write with one fsync: all of them, or none.

        A crash inside the write leaves the first of them, each whole, and nobody was told of any.

        Args:
            changes: whose each one is, and its cells, as in `append`.
            only: states in which each of them may happen.

        Raises:
            StateChanged, LogError: as in `append`; nothing was recorded.
        """
        if not changes:
            return []
        time = datetime.fromtimestamp(self._clock(), UTC).isoformat(timespec="milliseconds")
        self._read.wait()
        if self.failure:
            raise LogError(self.failure)
        with self._lock:
            if self._file.changed():
                self._reload()
            for job_id, _ in changes:
                job = self._jobs.get(job_id)
                if only is not None and (job is None or job.state not in only):
                    raise StateChanged(f"The task is {job.state if job else 'not in the log'} by now.")
            changed = self._write(
                [
                    {
                        "external_task_id": job_id,
                        "time": time,
                        **{name: storable(cell) for name, cell in cells.items() if cell},
                    }
                    for job_id, cells in changes
                ]
            )
        self._on_change()
        return changed

    def get(self, external_task_id: str) -> Job | None:
        """Return a task, None if the log has none of that id."""
        return self._jobs.get(external_task_id)

    def jobs(self) -> tuple[Job, ...]:
        """Return every task, the first ordered first."""
        if self.opening:
            return ()
        with self._lock:
            return tuple(self._jobs.values())

    @property
    def lists(self) -> Lists:
        """The tasks as people look at them."""
        return self._no_lists if self.opening else self._lists

    def unfinished(self) -> tuple[Job, ...]:
        """Return the tasks that somebody still has to do something about: not ended, or not archived."""
        if self.opening:
            return ()
        with self._lock:
            return tuple(self._unfinished.values())

    @property
    def unreadable(self) -> int:
        """How many lines of the file are no records of this log; they are left where they are."""
        return len(self._unreadable)

    def _write(self, rows: Sequence[Mapping[str, str]]) -> list[Job]:
        self._file.append(b"".join(encode_row(self._placed(row)) for row in rows))
        changed = []
        for row in rows:
            before = self._jobs.get(row["external_task_id"])
            job = fold(before, row)
            self._keep(job)
            if job.state == SUCCEED and (before is None or before.state != SUCCEED):
                self.times.add(job)
            changed.append(job)
        return changed

    def _read_it(self) -> None:
        try:
            self._load()
        except LogError as error:
            self.failure = str(error)
        finally:
            self._read.set()
        self._on_change()

    def _load(self) -> None:
        with _no_garbage_collection():
            self._load_all()

    def _load_all(self) -> None:
        contents = self._file.read()
        homeless = [name for name in COLUMNS if name not in contents.columns]
        folded: dict[str, tuple[dict[str, str], dict[str, datetime]]] = {}
        for row in contents.rows:
            if homeless and "extra" in row:
                stored = _json_object(row["extra"])
                row = {**{name: str(stored[name]) for name in homeless if name in stored}, **row}  # noqa: PLW2901
            _apply(row, *folded.setdefault(row["external_task_id"], ({}, {})))
        self._columns, self._unreadable = contents.columns, contents.unreadable
        self._jobs, self._unfinished = {}, {}
        self._lists = Lists(self._jobs, self._lock)
        for cells, since in folded.values():
            self._keep(Job(cells, since))
        self.times = Times(reversed(self._jobs.values()))

    def _reload(self) -> None:
        """Take over what somebody did to the file; a stale copy saved over it must not drop paid tasks."""
        unfinished = self._unfinished
        self._load()
        if dropped := [job.cells for job in unfinished.values() if job.id not in self._jobs]:
            self._write(dropped)

    def _keep(self, job: Job) -> None:
        before = self._jobs.get(job.id)
        self._jobs[job.id] = job
        self._lists.keep(before, job)
        if job.state in OPEN or (job.state == SUCCEED and not job["file"]):
            self._unfinished[job.id] = job
        else:
            self._unfinished.pop(job.id, None)

    def _placed(self, row: Mapping[str, str]) -> list[str]:
        """Return the cells in the order of the file's header; what has no column there goes into `extra`."""
        homeless = {name: cell for name, cell in row.items() if cell and name not in self._columns}
        if homeless:
            row = {**row, "extra": _dump({**_json_object(row.get("extra", "")), **homeless})}
        return [row.get(name, "") for name in self._columns]


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """Keep the collector from walking, again and again, over the millions of cells that are being made."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _json(text: str) -> Any:
    try:
        return json.loads(text) if text else None
    except (ValueError, RecursionError):
        return None


def _json_object(text: str) -> Mapping[str, Any]:
    value = _json(text)
    return value if isinstance(value, dict) else {}


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
