"""The log's tasks as people look at them: the newest, a batch, the clips. A look costs what it shows."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kling.studio.jobs import Job


class JobIndex:
    """What belongs together, kept task by task; the last ordered is first everywhere.

    A task's first row says its batch, its parent, its person and its prompt: they do not change.

    Args:
        jobs: every task of the log by id, in the order in which they were ordered; kept by the ledger.
        lock: that the ledger holds while it changes them.
    """

    def __init__(self, jobs: dict[str, Job], lock: threading.RLock) -> None:
        self._jobs, self._lock = jobs, lock
        self._batches: dict[str, dict[str, None]] = {}
        self._made_from: dict[str, dict[str, None]] = {}
        self._prompts: dict[str, dict[str, None]] = {}
        self._batches_with_clips: set[str] = set()
        self._clips_of_no_batch = 0
        self.clips = 0  # tasks with a video in the archive

    def keep(self, before: Job | None, job: Job) -> None:
        """Take note of a task that is new or has changed."""
        if job.group:
            self._batches.setdefault(job.group, {})[job.id] = None
        if job.parent:
            self._made_from.setdefault(job.parent, {})[job.id] = None
        if before is None and (prompt := job["prompt"]):
            prompts = self._prompts.setdefault(job["person"], {})
            prompts.pop(prompt, None)  # what is asked for again is the last again
            prompts[prompt] = None
        if job.has_clip and not (before and before.has_clip):
            self.clips += 1
            if job.group:
                self._batches_with_clips.add(job.group)
            else:
                self._clips_of_no_batch += 1

    @property
    def tasks(self) -> int:
        """How many tasks there are."""
        return len(self._jobs)

    @property
    def cards(self) -> int:
        """How many cards show all clips."""
        return self._clips_of_no_batch + len(self._batches_with_clips)

    def newest(self, start: int, stop: int) -> list[Job]:
        """Return the tasks from one place of the list to before another one."""
        with self._lock:
            return list(islice(reversed(self._jobs.values()), start, stop))

    def batch(self, group: str) -> list[Job]:
        """Return the tasks of a batch, none if the log has no such."""
        return self._all(self._batches.get(group, {}))

    def made_from(self, job_id: str) -> list[Job]:
        """Return the tasks that were made from this one."""
        return self._all(self._made_from.get(job_id, {}))

    def prompts(self, person: str, most: int) -> list[str]:
        """Return what a person asked for, each prompt once."""
        with self._lock:
            return list(islice(reversed(self._prompts.get(person, {})), most))

    def page_of_cards(self, start: int, stop: int) -> list[list[Job]]:
        """Return the clips from one card to before another one: those of a batch are one card."""
        with self._lock:
            return list(islice(self._cards(), start, stop))

    def _cards(self) -> Iterator[list[Job]]:
        seen = set()
        for job in reversed(self._jobs.values()):
            if not job.has_clip or job.group in seen:
                continue
            if job.group:
                seen.add(job.group)
                yield [each for each in self.batch(job.group) if each.has_clip]
            else:
                yield [job]

    def _all(self, ids: dict[str, None]) -> list[Job]:
        with self._lock:
            return [self._jobs[job_id] for job_id in reversed(ids)]
