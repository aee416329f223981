"""The jobs as people look at them: the newest, a batch, clips, what is open. A look costs what it shows."""

from __future__ import annotations

import threading
from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Mapping
from itertools import islice
from types import MappingProxyType
from typing import TypeVar

from kling.studio.jobs import NOT_SENT, OPEN, SUCCEED, Job

Item = TypeVar("Item")


class JobIndex:
    """Every job of a ledger and what belongs together, kept job by job; the last ordered is first everywhere.

    A job's first row says its person and its prompt: they do not change.

    Args:
        lock: that the ledger holds while it changes them.
    """

    def __init__(self, lock: threading.RLock) -> None:
        self._lock = lock
        self._jobs: dict[str, Job] = {}
        self._ids: list[str] = []  # in the order in which they were ordered
        self._places: dict[str, int] = {}  # of each id in it
        self._states: Counter[str] = Counter()
        self._batches: dict[str, dict[str, None]] = {}
        self._made_from: dict[str, dict[str, None]] = {}
        self._prompts: dict[str, dict[str, None]] = {}
        # A card has the clips of a batch, or one clip of none. It stands where its newest clip stands.
        self._cards: list[int] = []  # places, sorted
        self._cards_of_batches: dict[str, int] = {}
        self._open: dict[str, Job] = {}
        self._unfetched: dict[str, Job] = {}
        self._left: dict[str, Job] = {}
        self._all_open: tuple[Job, ...] | None = ()
        self._all_unfetched: Mapping[str, Job] | None = MappingProxyType({})
        self.clips = 0  # jobs with a video in the archive

    def keep(self, job: Job) -> None:
        """Take note of a job that is new or has changed."""
        cells = job.cells
        job_id, state = cells.get("external_task_id", ""), cells.get("state") or job.state
        before = self._jobs.get(job_id)
        self._jobs[job_id] = job
        group, parent = cells.get("batch", ""), cells.get("parent", "")
        has_clip = state == SUCCEED and "file" in cells
        had_clip, old_group = False, ""
        if before is None:
            place = self._places[job_id] = len(self._ids)
            self._ids.append(job_id)
            if prompt := cells.get("prompt"):
                prompts = self._prompts.setdefault(cells.get("person", ""), {})
                prompts.pop(prompt, None)  # what is asked for again is the last again
                prompts[prompt] = None
        else:
            place = self._places[job_id]
            self._states[before.state] -= 1
            had_clip, old_group = before.has_clip, before.group
            if old_group and old_group != group:
                self._batches[old_group].pop(job_id, None)
        self._states[state] += 1
        if group:
            self._batches.setdefault(group, {})[job_id] = None
        if parent:
            self._made_from.setdefault(parent, {})[job_id] = None
        if has_clip != had_clip or (has_clip and group != old_group):
            if had_clip:
                self._remove_clip(place, old_group)
            if has_clip:
                self._add_clip(place, group)
        self._keep_work(job_id, job, state)

    def _keep_work(self, job_id: str, job: Job, state: str) -> None:
        if state == NOT_SENT:
            self._left[job_id] = job
        else:
            self._left.pop(job_id, None)
        if state in OPEN:
            self._open[job_id] = job
            self._all_open = None
        elif self._open.pop(job_id, None) is not None:
            self._all_open = None
        if state == SUCCEED and not job.cells.get("file") and not job.gone:
            self._unfetched[job_id] = job
            self._all_unfetched = None
        elif self._unfetched.pop(job_id, None) is not None:
            self._all_unfetched = None

    def _add_clip(self, place: int, group: str) -> None:
        self.clips += 1
        if group:
            newest = self._cards_of_batches.get(group)
            if newest is not None:
                if newest > place:
                    return
                self._remove_card(newest)
            self._cards_of_batches[group] = place
        insort(self._cards, place)

    def _remove_clip(self, place: int, group: str) -> None:
        self.clips -= 1
        if not group:
            self._remove_card(place)
        elif self._cards_of_batches[group] == place:
            self._remove_card(place)
            del self._cards_of_batches[group]
            places = [self._places[job_id] for job_id in self._batches[group] if self._jobs[job_id].has_clip]
            if places:
                self._cards_of_batches[group] = max(places)
                insort(self._cards, max(places))

    def _remove_card(self, place: int) -> None:
        del self._cards[bisect_left(self._cards, place)]

    # -- what the ledger answers with it -------------------------------------------------------------------

    def left(self) -> list[Job]:
        """Return the jobs that were left to a person to send or withdraw, the first ordered first."""
        with self._lock:
            return sorted(self._left.values(), key=lambda job: self._places[job.id])

    def get(self, job_id: str) -> Job | None:
        """Return a job, None if there is none of that id."""
        return self._jobs.get(job_id)

    def jobs(self) -> tuple[Job, ...]:
        """Return every job, the first ordered first."""
        with self._lock:
            return tuple(self._jobs.values())

    def open_jobs(self) -> tuple[Job, ...]:
        """Return the jobs in a state of `OPEN`."""
        with self._lock:
            if self._all_open is None:
                self._all_open = tuple(self._open.values())
            return self._all_open

    def unfetched(self) -> Mapping[str, Job]:
        """Return by id the jobs that succeeded, have no file here, and whose video is not gone."""
        with self._lock:
            if self._all_unfetched is None:
                self._all_unfetched = MappingProxyType(dict(self._unfetched))
            return self._all_unfetched

    # -- what pages show -----------------------------------------------------------------------------------

    @property
    def tasks(self) -> int:
        """How many jobs there are."""
        return len(self._jobs)

    @property
    def cards(self) -> int:
        """How many cards show all clips."""
        return len(self._cards)

    def count(self, state: str) -> int:
        """Return how many jobs are in a state."""
        return self._states[state]

    def newest(self, start: int, stop: int) -> list[Job]:
        """Return the jobs from one place of the list to before another one."""
        with self._lock:
            return [self._jobs[job_id] for job_id in _part(self._ids, start, stop)]

    def batch(self, group: str) -> list[Job]:
        """Return the jobs of a batch, none if there is no such."""
        return self._all(self._batches.get(group, {}))

    def made_from(self, job_id: str) -> list[Job]:
        """Return the jobs that were made from this one."""
        return self._all(self._made_from.get(job_id, {}))

    def prompts(self, person: str, most: int) -> list[str]:
        """Return what a person asked for, each prompt once."""
        with self._lock:
            return list(islice(reversed(self._prompts.get(person, {})), most))

    def page_of_cards(self, start: int, stop: int) -> list[list[Job]]:
        """Return the clips from one card to before another one: those of a batch are one card."""
        with self._lock:
            return [self._card(self._ids[place]) for place in _part(self._cards, start, stop)]

    def _card(self, job_id: str) -> list[Job]:
        job = self._jobs[job_id]
        return [each for each in self.batch(job.group) if each.has_clip] if job.group else [job]

    def _all(self, ids: Mapping[str, None]) -> list[Job]:
        with self._lock:
            return [self._jobs[job_id] for job_id in sorted(ids, key=self._places.__getitem__, reverse=True)]


def _part(items: list[Item], start: int, stop: int) -> list[Item]:
    """Return a part of a list that is read from its end."""
    size = len(items)
    return items[max(size - stop, 0) : max(size - start, 0)][::-1]
