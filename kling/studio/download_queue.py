"""The videos that are to be fetched, in the order in which they are fetched.

Each waits in one of four queues:

    KNOWN        the address of the video is known, mostly because the poller has just seen it
    AT_RISK      Kling still stores the video, and has to be asked for the address
    CONFIRMING   Kling's 30 days are over, and it has said at least once that it has no video any more
    OVERDUE      Kling's 30 days are over, and it has not said so yet

A later queue waits for an earlier one, and two calls to Kling are at least `ask_pause` apart, so that tens of
thousands of old jobs delay nobody.
"""

from __future__ import annotations

import heapq
import itertools
import threading
from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import IntEnum

from kling.tasks import Video


class Rank(IntEnum):
    """The queues, the most urgent first."""

    KNOWN, AT_RISK, CONFIRMING, OVERDUE = range(4)


@dataclass(slots=True, eq=False)
class Fetch:
    """A video that is to be fetched.

    Args:
        job_id: the id of its job.
        deadline: when Kling deletes the video, in Unix seconds.
        is_repair: our copy is broken, and a better one is wanted.
        due: when it is fetched, in monotonic seconds. A queue's entry with another time is out of date.
        tries: how often it was tried since the studio knows of it.
        is_running: a worker has it.
        is_closed: it is not wanted any more.
        video: its addresses, None if Kling has to be asked for them.
        is_fresh: the addresses come from an answer to the present try.
        link: its address for a person, empty if none is known.
        trouble: why the last try failed, in words.
        denials: how often in a row Kling has said that it has no video.
    """

    job_id: str
    deadline: float
    is_repair: bool = False
    due: float = 0.0
    tries: int = 0
    is_running: bool = False
    is_closed: bool = False
    video: Video | None = field(default=None, repr=False)
    is_fresh: bool = False
    link: str = field(default="", repr=False)
    trouble: str = ""
    denials: int = 0


_Entry = tuple[float, float, int, Fetch]  # due, urgency among equal times, a tie-break


class FetchQueue:
    """Every fetch of the studio, by job and by queue; safe to use from several threads.

    Args:
        clock: Unix seconds, for Kling's 30 days.
        ask_pause: seconds between two calls that ask Kling for an address.
    """

    def __init__(self, *, clock: Callable[[], float], ask_pause: float) -> None:
        self.lock = threading.RLock()
        self._clock, self._ask_pause = clock, ask_pause
        self._fetches: dict[str, Fetch] = {}  # of jobs without a file
        self._repairs: dict[str, Fetch] = {}  # of jobs with a broken file
        self._deadlines: list[float] = []  # of `_fetches`, sorted
        self._queues: dict[Rank, list[_Entry]] = {rank: [] for rank in Rank}
        self._order = itertools.count()
        self._next_ask = float("-inf")

    # -- which there are -------------------------------------------------------------------------------------

    def __len__(self) -> int:
        """Return how many jobs without a file there are."""
        return len(self._fetches)

    def get(self, job_id: str) -> Fetch | None:
        """Return the fetch of a job, None if there is none."""
        return self._fetches.get(job_id) or self._repairs.get(job_id)

    def overdue(self) -> int:
        """Return for how many jobs without a file Kling's 30 days are over."""
        with self.lock:
            return bisect_right(self._deadlines, self._clock())

    def first_deadline(self) -> float | None:
        """Return when Kling deletes the next of them, in Unix seconds; None if none is ahead."""
        with self.lock:
            at = bisect_right(self._deadlines, self._clock())
            return self._deadlines[at] if at < len(self._deadlines) else None

    def hurry(self, now: float) -> int:
        """Let every job without a file be due now if Kling still stores its video; return how many there are.

        The others keep their pauses: answers that a video is gone prove nothing if they follow each other.
        """
        with self.lock:
            stored = [fetch for fetch in self._fetches.values() if fetch.deadline > self._clock()]
            for fetch in stored:
                if not fetch.is_running and fetch.due > now:
                    self.schedule(fetch, now)
            return len(stored)

    def add(self, job_id: str, deadline: float, due: float) -> Fetch:
        """Add a job without a file, if it is not there yet."""
        with self.lock:
            if (known := self._fetches.get(job_id)) is not None:
                return known
            fetch = self._fetches[job_id] = Fetch(job_id, deadline)
            insort(self._deadlines, deadline)
            self.schedule(fetch, due)
            return fetch

    def add_all(self, new: Iterable[tuple[str, float]], due: float) -> None:
        """Add many jobs without a file: their ids and deadlines. The deadlines are sorted once for all."""
        with self.lock:
            for job_id, deadline in new:
                fetch = self._fetches[job_id] = Fetch(job_id, deadline)
                self._deadlines.append(deadline)
                self.schedule(fetch, due)
            self._deadlines.sort()

    def add_repair(self, job_id: str, deadline: float, due: float, trouble: str) -> None:
        """Add a job with a broken file, if it is not there yet."""
        with self.lock:
            if job_id not in self._repairs:
                fetch = self._repairs[job_id] = Fetch(job_id, deadline, is_repair=True, trouble=trouble)
                self.schedule(fetch, due)

    def missing(self, job_ids: Iterable[str]) -> list[str]:
        """Return which of some jobs without a file are not there, and close all others that are."""
        with self.lock:
            wanted = list(job_ids)
            for job_id in self._fetches.keys() - set(wanted):
                self.close(self._fetches[job_id])
            return [job_id for job_id in wanted if job_id not in self._fetches]

    def close(self, fetch: Fetch) -> None:
        """Forget a fetch, because it is done or not wanted any more."""
        with self.lock:
            if fetch.is_closed:
                return
            fetch.is_closed = True
            (self._repairs if fetch.is_repair else self._fetches).pop(fetch.job_id, None)
            if not fetch.is_repair:
                at = bisect_left(self._deadlines, fetch.deadline)
                if at < len(self._deadlines) and self._deadlines[at] == fetch.deadline:
                    del self._deadlines[at]

    # -- which is next ---------------------------------------------------------------------------------------

    def schedule(self, fetch: Fetch, due: float) -> None:
        """Let a fetch be due at a time, in the queue where it belongs now."""
        with self.lock:
            fetch.due = due
            if not fetch.is_closed:
                rank = self._rank(fetch)
                # The youngest of the overdue videos has the best chance to be still there.
                urgency = -fetch.deadline if rank >= Rank.CONFIRMING else fetch.deadline
                heapq.heappush(self._queues[rank], (due, urgency, next(self._order), fetch))

    def give(self, fetch: Fetch, video: Video, link: str, now: float) -> None:
        """Give a fetch the addresses of its video; it may move to the front queue by that."""
        with self.lock:
            if fetch.video == video:
                return
            fetch.video = video
            fetch.link = link or fetch.link
            if not fetch.is_running:
                is_new = not fetch.tries and not fetch.is_repair
                self.schedule(fetch, now if is_new else fetch.due)

    def take(self, now: float) -> Fetch | None:
        """Take the most urgent fetch that is due out of its queue, None if none is due."""
        for rank, queue in self._queues.items():
            while queue and queue[0][0] <= now and (rank == Rank.KNOWN or self._next_ask <= now):
                due, _, _, fetch = heapq.heappop(queue)
                if due != fetch.due or fetch.is_closed or fetch.is_running:  # it gets a new entry at its end
                    continue
                if (right := self._rank(fetch)) != rank:  # its deadline has passed since it was queued
                    self.schedule(fetch, due)
                    if right < rank:
                        return self.take(now)
                    continue
                return fetch
        return None

    def mark_asked(self, now: float) -> None:
        """Note that Kling is being asked for an address now."""
        self._next_ask = now + self._ask_pause

    def next_due(self) -> float | None:
        """Return when the next fetch is due, None if there is none."""
        with self.lock:
            dues = []
            for rank, queue in self._queues.items():
                if queue:
                    due = queue[0][0]
                    dues.append(due if rank == Rank.KNOWN else max(due, self._next_ask))
            return min(dues, default=None)

    def _rank(self, fetch: Fetch) -> Rank:
        if fetch.video is not None:
            return Rank.KNOWN
        if fetch.deadline > self._clock():
            return Rank.AT_RISK
        return Rank.CONFIRMING if fetch.denials else Rank.OVERDUE
