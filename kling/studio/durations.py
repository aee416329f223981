"""How long tasks take: an estimate from the tasks of our own log, and how the time of one task was spent."""

from __future__ import annotations

import statistics
from collections import deque
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from kling.endpoint import TEXT_TO_VIDEO
from kling.studio.jobs import Job

FEWEST, MOST = 5, 50  # an estimate needs so many tasks of a kind at least, and uses the last so many
LONGEST = 24 * 3600.0  # seconds; a longer time says nothing about the next task

JobKind = tuple[str, str, str, str, str]  # account, endpoint, model, mode, duration


@dataclass(frozen=True, slots=True)
class DurationEstimate:
    """Seconds from Kling's acceptance to the finished video, from the latest tasks of the same kind.

    Args:
        low, high: the tenth and the ninetieth percentile.
        count: how many tasks the estimate is made from.
        queued: the median of the seconds until Kling began; None if too few tasks were seen to begin.
    """

    low: float
    high: float
    count: int
    queued: float | None = None


@dataclass(frozen=True, slots=True)
class Timeline:
    """How the time of one task was spent, in seconds. The part that is not over yet is counted until now.

    Args:
        waited: here, from the press to Kling's acceptance.
        queued: at Kling, from the acceptance until Kling began. None before the acceptance, or if the poller
            did not see the task begin.
        processing: at Kling, until the end. None before. If `queued` is None it counts from the acceptance.
    """

    waited: float
    queued: float | None = None
    processing: float | None = None


class DurationStats:
    """The latest times of each kind of task: read from the log once, then completed task by task.

    Args:
        jobs: every job of the log, the newest first.
    """

    def __init__(self, jobs: Iterable[Job] = ()) -> None:
        self._times: dict[JobKind, deque[tuple[float, float | None]]] = {}
        for job in jobs:
            if job.cells.get("state") == "succeed" and not job.imported:
                times = self._times_of(kind_of(job))
                if len(times) < MOST and (took := _took(job)):
                    times.appendleft(took)

    def add(self, job: Job) -> None:
        """Note a task that has just succeeded."""
        if took := _took(job):
            self._times_of(kind_of(job)).append(took)

    def usual(self, kind: JobKind) -> DurationEstimate | None:
        """Return the estimate for a kind of task, None while there are too few of them."""
        times = tuple(self._times.get(kind, ()))
        if len(times) < FEWEST:
            return None
        tenths = statistics.quantiles([took for took, _ in times], n=10, method="inclusive")
        queued = [wait for _, wait in times if wait is not None]
        median = statistics.median(queued) if len(queued) >= FEWEST else None
        return DurationEstimate(tenths[0], tenths[-1], len(times), median)

    def _times_of(self, kind: JobKind) -> deque[tuple[float, float | None]]:
        times = self._times.get(kind)
        if times is None:
            times = self._times[kind] = deque(maxlen=MOST)
        return times


def kind_of(job: Job) -> JobKind:
    """Return the kind of a job: tasks of one kind take about the same time."""
    cells = job.cells.get
    endpoint = cells("endpoint") or TEXT_TO_VIDEO.name  # logs of old versions name none
    return cells("account", ""), endpoint, cells("model_name", ""), cells("mode", ""), cells("duration", "")


def timeline(job: Job, now: datetime) -> Timeline:
    """Return how the time of a task was spent so far, by the times of the changes in the log."""
    since = job.since
    end = job.ended_at or now
    began = since.get("processing")
    accepted = min(
        (since[state] for state in ("submitted", "processing", "succeed") if state in since), default=None
    )
    if accepted is None:
        return Timeline(_seconds(job.ordered_at, end))
    waited = _seconds(job.ordered_at, accepted)
    if began is None and job.ended_at is None:
        return Timeline(waited, queued=_seconds(accepted, end))
    if began is None or began == accepted:
        return Timeline(waited, processing=_seconds(accepted, end))
    return Timeline(waited, _seconds(accepted, began), _seconds(began, end))


def _took(job: Job) -> tuple[float, float | None] | None:
    """Return two spans in seconds: from acceptance to success, and from acceptance until Kling began.

    The first one is measured by Kling's own times where the log has them: the studio may have been stopped.
    """
    since, cells = job.since, job.cells
    accepted, began, ended = since.get("submitted"), since.get("processing"), since.get("succeed")
    if accepted is None or ended is None:
        return None
    took = _seconds(accepted, ended)
    if "created_at" in cells and "updated_at" in cells:
        with suppress(ValueError, TypeError):  # somebody edited them
            created, updated = cells["created_at"], cells["updated_at"]
            took = _seconds(datetime.fromisoformat(created), datetime.fromisoformat(updated))
    queued = None if began is None else _seconds(since["submitted"], began)
    return (took, queued) if 0 < took < LONGEST else None


def _seconds(start: datetime, end: datetime) -> float:
    return max((end - start).total_seconds(), 0.0)
