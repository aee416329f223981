"""Decodes each fetched video once to its end, one at a time, in a worker."""

from __future__ import annotations

import heapq
import itertools
import logging
import threading
from collections.abc import Callable

from kling.errors import KlingError
from kling.studio.archive import Archive
from kling.studio.jobs import Job
from kling.studio.ledger import Ledger, LedgerError
from kling.studio.video_check import CheckInterrupted

log = logging.getLogger(__name__)

CHECK_PAUSES = (60.0, 600.0, 3600.0)  # seconds until a check that failed is made again, the last one for ever


class Rechecks:
    """The files that have not been decoded to their end yet.

    Args:
        ledger, archive: the studio's parts.
        run: hands a call to a worker.
        monotonic: seconds of a clock that never jumps.
        pause: gives the seconds, with jitter, for a series of pauses and the number of tries so far.
        on_checked: called with a job whose check was recorded.
        wake: asks for a `step` of the downloads soon.
    """

    def __init__(
        self,
        *,
        ledger: Ledger,
        archive: Archive,
        run: Callable[[Callable[[], None]], object],
        monotonic: Callable[[], float],
        pause: Callable[[tuple[float, ...], int], float],
        on_checked: Callable[[Job], None],
        wake: Callable[[], None],
    ) -> None:
        self._ledger, self._archive, self._run, self._monotonic = ledger, archive, run, monotonic
        self._pause, self._on_checked, self._wake = pause, on_checked, wake
        self._lock = threading.Lock()
        self._order = itertools.count()
        self._queue: list[tuple[float, int, str]] = []  # due, a tie-break, the job's id
        self._tries: dict[str, int] = {}
        self._is_running = False

    def add(self, job_id: str) -> None:
        """Let a file be checked as soon as there is time."""
        self._add(job_id, self._monotonic())

    def clear(self) -> None:
        """Forget the files that wait for a check."""
        with self._lock:
            self._queue.clear()

    def next_due(self) -> float | None:
        """Return when the next check is due, None while one is made or if there is none."""
        with self._lock:
            return self._queue[0][0] if self._queue and not self._is_running else None

    def start_due(self, now: float) -> None:
        """Hand a due check to a worker, unless one is being made."""
        with self._lock:
            if self._is_running or not self._queue or self._queue[0][0] > now:
                return
            _, _, job_id = heapq.heappop(self._queue)
            self._is_running = True
        try:
            self._run(lambda: self._check(job_id))
        except RuntimeError:  # the workers have been told to stop
            self._is_running = False

    def _add(self, job_id: str, due: float) -> None:
        with self._lock:
            heapq.heappush(self._queue, (due, next(self._order), job_id))

    def _check(self, job_id: str) -> None:
        """Check one file and record the outcome; in a worker."""
        is_done = False
        try:
            job = self._ledger.get(job_id)
            if job is not None and is_unchecked(job):
                job = self._ledger.append(job_id, **self._archive.check(job))
                self._on_checked(job)
            is_done = True
        except CheckInterrupted:
            pass
        except (KlingError, LedgerError, OSError) as error:
            log.warning("The video of job %s could not be checked: %s", job_id, error)
        except Exception:
            log.exception("Checking the video of job %s ended unexpectedly.", job_id)
        finally:
            tries = self._tries.pop(job_id, 0)
            if not is_done:
                self._tries[job_id] = tries + 1
                self._add(job_id, self._monotonic() + self._pause(CHECK_PAUSES, tries))
            self._is_running = False
            self._wake()


def is_unchecked(job: Job) -> bool:
    """Whether the file of a job has not been decoded to its end yet."""
    return job.has_clip and "check" not in job.extra
