"""How long tasks take: what is usual by our own history, and how the time of one task was spent."""

from __future__ import annotations

import statistics
from collections import deque
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kling.studio.jobs import Job

FEWEST, MOST = 5, 50  # tasks of a kind that a range is told from: at least, and the last so many
LONGEST = 24 * 3600.0  # seconds; whatever took longer says nothing about the next one

JobKind = tuple[str, str, str, str]  # account, model, mode, duration


@dataclass(frozen=True, slots=True)
class DurationEstimate:
    """Seconds from Kling's acceptance to the finished video, as tasks of the same kind took lately.

    Args:
        low, high: the tenth and the ninetieth percentile.
        count: of how many tasks.
        queued: the median of the seconds before Kling began; None if that was seldom seen.
    """

    low: float
    high: float
    count: int
    queued: float | None = None


@dataclass(frozen=True, slots=True)
class Timeline:
    """How the time of one task was spent, in seconds; the part that it is in goes on until now.

    Args:
        waited: with us, from the order to Kling's acceptance.
        queued: at Kling, until it began; None before, or if nobody saw it begin.
        processing: from there to the end; None before. It holds what `queued` would if that is None.
    """

    waited: float
    queued: float | None = None
    processing: float | None = None


class DurationStats:
    """The last times of each kind of task: built once when the log is read, then kept task by task.

    Args:
        jobs: every task of the log, the newest first.
    """

    def __init__(self, jobs: Iterable[Job] = ()) -> None:
        self._times: dict[JobKind, deque[tuple[float, float | None]]] = {}
        for job in jobs:
            if job.cells.get("state") == "succeed":
                times = self._of(kind_of(job))
                if len(times) < MOST and (took := _took(job)):
                    times.appendleft(took)

    def add(self, job: Job) -> None:
        """Note a task that has just succeeded."""
        if took := _took(job):
            self._of(kind_of(job)).append(took)

    def usual(self, kind: JobKind) -> DurationEstimate | None:
        """Return what is usual for a kind of task, None while there are too few of it."""
        times = tuple(self._times.get(kind, ()))
        if len(times) < FEWEST:
            return None
        tenths = statistics.quantiles([took for took, _ in times], n=10, method="inclusive")
        queued = [wait for _, wait in times if wait is not None]
        median = statistics.median(queued) if len(queued) >= FEWEST else None
        return DurationEstimate(tenths[0], tenths[-1], len(times), median)

    def _of(self, kind: JobKind) -> deque[tuple[float, float | None]]:
        times = self._times.get(kind)
        if times is None:
            times = self._times[kind] = deque(maxlen=MOST)
        return times


def kind_of(job: Job) -> JobKind:
    """Return what tasks have in common that take about the same time."""
    cells = job.cells.get
    return cells("account", ""), cells("model_name", ""), cells("mode", ""), cells("duration", "")


def timeline(job: Job, now: datetime) -> Timeline:
    """Return how the time of a task was spent so far, by the times at which the log saw it change."""
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
    """Return the seconds from acceptance to success, by Kling's own clock where it said, and those queued."""
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
