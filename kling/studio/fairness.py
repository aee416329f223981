"""Whose turn it is: for each model, the person who was served longest ago is next.

A person is an id, or a name where there is no sign-in. All who gave no name count as one person: if each
browser session counted as one instead, a second tab would get a second turn.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator

from kling.studio.jobs import Job

LastServed = int  # sequence number of the last service; the smaller, the longer ago
NEVER: LastServed = 0


class Fairness:
    """The order between people, and the jobs that go after all others."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._served: dict[tuple[str, str], LastServed] = {}
        self._deprioritized: dict[str, LastServed] = {}

    def next_turn(self) -> LastServed:
        """Return the number of a service that begins now."""
        return next(self._numbers)

    def served(self, model: str, person: str, turn: LastServed) -> None:
        """Note that a job of a person was accepted. A refused call does not count as a turn."""
        self._served[model, person] = max(turn, self._served.get((model, person), NEVER))

    def deprioritize(self, job_id: str) -> None:
        """Let all other jobs go before one that the account cannot pay: they may cost less."""
        self._deprioritized[job_id] = next(self._numbers)

    def restore_priority(self, job_id: str | None = None) -> None:
        """Put a deprioritized job back into its turn; without an id, all of them."""
        if job_id is None:
            self._deprioritized.clear()
        else:
            self._deprioritized.pop(job_id, None)

    def rank(self, job: Job) -> LastServed:
        """Return the rank of a job: 0 for most, and the higher, the later it was deprioritized."""
        return self._deprioritized.get(job.id, NEVER)

    def queues(
        self, waiting: Iterable[Job], in_flight: dict[tuple[str, str], LastServed]
    ) -> dict[str, list[Job]]:
        """Return the waiting jobs of each model, in the order in which they go.

        Args:
            waiting: the jobs, the first ordered first.
            in_flight: the turns of the calls under way, by model and person.
        """
        by_model: dict[str, list[Job]] = {}
        for job in waiting:
            by_model.setdefault(job["model_name"], []).append(job)
        turns = self._served | in_flight
        queues = {}
        for model, jobs in by_model.items():
            first = [job for job in jobs if job.id not in self._deprioritized]
            last = sorted((job for job in jobs if job.id in self._deprioritized), key=self.rank)
            people = {job.who: turns.get((model, job.who), NEVER) for job in first}
            queues[model] = [*_in_turn(first, people.__getitem__), *last]
        return queues


def _in_turn(jobs: Iterable[Job], turn: Callable[[str], LastServed]) -> Iterator[Job]:
    """Yield one job of each person, then the next one of each; the person served longest ago is first."""
    people: dict[str, list[Job]] = {}
    for job in jobs:
        people.setdefault(job.who, []).append(job)
    for one_each in itertools.zip_longest(*(people[person] for person in sorted(people, key=turn))):
        yield from filter(None, one_each)
