"""Admission control: decides which jobs may be sent to Kling now. The sender sends them."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from kling.studio.capacity import AT_ONCE, Capacity
from kling.studio.fairness import Fairness, LastServed
from kling.studio.holds import ACCOUNT, DISK_PAUSES, RETRY_PAUSES, Hold, Holds
from kling.studio.jobs import OPEN, PROCESSING, SUBMITTED, SUCCEED, WAITING, Job
from kling.studio.ledger import Ledger
from kling.studio.queue_position import NO_LOG, WAIT_REASONS, QueuePosition

__all__ = ["ACCOUNT", "AT_ONCE", "RETRY_PAUSES", "AdmissionControl", "Hold"]

_ACCEPTED = (SUBMITTED, PROCESSING, SUCCEED)


@dataclass(frozen=True, slots=True)
class InFlight:
    """A job that a worker is sending right now.

    Args:
        model, person: of the job.
        turn: number of the service that its person gets with it (see `fairness`).
    """

    model: str
    person: str
    turn: LastServed


class AdmissionControl:
    """The queue of one account, decided by `Capacity` (slots), `Holds` and `Fairness` together.

    Args:
        ledger: has the jobs that wait and run.
        owns: whether a job is this studio's to act on (`Accounts.owns`).
        monotonic: seconds of a clock that never jumps.
        rng: the source of jitter.
    """

    def __init__(
        self,
        ledger: Ledger,
        *,
        owns: Callable[[Job], bool],
        monotonic: Callable[[], float],
        rng: random.Random,
    ) -> None:
        self._ledger, self.owns, self._monotonic = ledger, owns, monotonic
        # Whether a waiting job keeps its place for now; set by whoever knows its calls (`Reconciler`).
        self.holds_back: Callable[[Job], bool] = lambda _: False
        self.lock = threading.RLock()  # held from a decision until it is recorded
        self._holds = Holds(rng)
        self._capacity = Capacity(self._holds.pause)
        self._fairness = Fairness()
        self._in_flight: dict[str, InFlight] = {}
        self._is_primed = False
        self.answered_at = monotonic()  # when Kling last answered a call for a job; at first the start

    # -- the jobs --------------------------------------------------------------------------------------------

    def own_jobs(self) -> list[Job]:
        """Return the jobs in a state of `OPEN` that this studio may act on (`Accounts.owns`)."""
        return [job for job in self._ledger.open_jobs() if self.owns(job)]

    def waiting(self) -> list[Job]:
        """Return the waiting jobs that no worker has."""
        return self._waiting_and_running()[0]

    def _waiting_and_running(self) -> tuple[list[Job], Counter[str]]:
        """Return the waiting jobs, and how many jobs of each model have a slot at Kling or may have one."""
        in_flight = self.in_flight  # read first, because a worker records a job before it releases it
        mine = [job for job in self.own_jobs() if job.id not in in_flight]
        unconfirmed = self._ledger.unconfirmed  # a person has to decide about these
        waiting = [job for job in mine if job.state == WAITING and job.id not in unconfirmed]
        running = Counter(job["model_name"] for job in mine if job.state in OPEN - {WAITING})
        if not self._is_primed and not self._ledger.opening:
            self._is_primed = True
            self._prime(waiting, running)
        return waiting, running

    def _prime(self, waiting: Iterable[Job], running: Counter[str]) -> None:
        """Learn from the log what an earlier process knew: who was served last, and how many slots fit."""
        served: dict[tuple[str, str], datetime] = {}
        for job in self._ledger.jobs():
            accepted = next((job.since[state] for state in _ACCEPTED if state in job.since), None)
            if accepted and job["task_id"] and self.owns(job):
                who = job["model_name"], job.who
                served[who] = max(served.get(who, accepted), accepted)
        for model, person in sorted(served, key=served.__getitem__):
            self._fairness.served(model, person, self._fairness.next_turn())
        for model in {job["model_name"] for job in waiting}:
            if running[model]:
                self._capacity.assume(model, running[model], self._monotonic())

    # -- in flight -------------------------------------------------------------------------------------------

    @property
    def in_flight(self) -> frozenset[str]:
        """The ids of the jobs that workers have right now."""
        return frozenset(self._in_flight)

    def acquire(self, job_id: str, *, model: str, person: str) -> None:
        """Note that a worker has a job. It counts as its person's turn, unless Kling refuses it."""
        with self.lock:
            self._in_flight[job_id] = InFlight(model, person, self._fairness.next_turn())

    def release(self, job_id: str) -> None:
        """Note that no worker has it any more."""
        with self.lock:
            self._in_flight.pop(job_id, None)

    # -- what answers teach ----------------------------------------------------------------------------------

    def mark_polled(self) -> None:
        """Note that the states of all running jobs have just been read from Kling."""
        self._capacity.mark_polled(self._monotonic())

    def accepted(self, job: Job, *, ended: bool = False) -> None:
        """Note that Kling has accepted a job, before that is recorded.

        Args:
            job: as it was sent.
            ended: whether its task has ended already and takes no slot.
        """
        model = job["model_name"]
        with self.lock:
            self._holds.clear(model)
            self._fairness.restore_priority(job.id)
            if flight := self._in_flight.get(job.id):
                self._fairness.served(model, job.who, flight.turn)
            self._capacity.accepted(model, self._others(job) + (not ended), self._monotonic())

    def slots_taken(self, job: Job, *, at_least: float = 0) -> None:
        """Note that Kling refused a job because all slots of its model are taken (1303)."""
        model, now = job["model_name"], self._monotonic()
        with self.lock:
            self._holds.drop_expired(model, now)
            self._capacity.refused(model, self._others(job), now, at_least=at_least)

    def _others(self, job: Job) -> int:
        """Return how many other jobs of its model run, for a job that was sent or found just now."""
        is_counted = job.state in OPEN - {WAITING} and job.id not in self._in_flight
        return self._waiting_and_running()[1][job["model_name"]] - is_counted

    def hold(
        self, key: str, reason: str, code: int, *, at_least: float = 0, needs_person: bool = False
    ) -> None:
        """Send nothing of a model, or of the whole `ACCOUNT`, for a while; see `Holds.add`."""
        with self.lock:
            self._holds.add(
                key,
                reason,
                code,
                self._monotonic(),
                pauses=DISK_PAUSES if code == NO_LOG else RETRY_PAUSES,
                at_least=at_least,
                needs_person=needs_person,
            )

    def deprioritize(self, job: Job) -> None:
        """Let all other jobs go before one that the account cannot pay or may not use."""
        self._fairness.deprioritize(job.id)

    def resume(self) -> None:
        """End all holds, because somebody has acted on the account."""
        with self.lock:
            self._holds.clear()
            self._fairness.restore_priority()
            self._capacity.probe_now(self._monotonic())

    def try_now(self, model: str) -> None:
        """End the pauses of a model now; one job goes first, as a probe."""
        with self.lock:
            self._holds.expire(model, self._monotonic())
            self._capacity.probe_now(self._monotonic(), model)

    # -- decisions -------------------------------------------------------------------------------------------

    @property
    def holds(self) -> tuple[Hold, ...]:
        """Every hold of the moment. Taken slots are no hold, because jobs only wait for their turn then."""
        return self._holds.active(self._monotonic())

    def hold_of(self, model: str) -> Hold | None:
        """Return the hold of the moment on jobs of this model, None if there is none."""
        return self._holds.of(model, self._monotonic())

    def free_slots(self, model: str) -> int:
        """Return how many jobs of a model may be sent now."""
        return self._free_slots(model, self._waiting_and_running()[1][model])

    def _free_slots(self, model: str, running: int) -> int:
        now = self._monotonic()
        if self._holds.of(model, now):
            return 0
        in_flight = sum(flight.model == model for flight in self._in_flight.values())
        free = self._capacity.free_slots(model, running, in_flight, now)
        # A hold has expired: let one request through as a probe (a half-open circuit breaker).
        if self._holds.has(ACCOUNT):
            return min(free, int(not self._in_flight))
        return min(free, int(not in_flight)) if self._holds.has(model) else free

    def take_ready(self) -> list[Job]:
        """Acquire the waiting jobs that may go now, and return them to be sent."""
        ready = []
        with self.lock:
            waiting, running = self._waiting_and_running()
            queues = self._queues(waiting).items()
            for model, queue in sorted(queues, key=lambda entry: self._fairness.rank(entry[1][0])):
                free = [job for job in queue if not self.holds_back(job)]
                for job in free[: self._free_slots(model, running[model])]:
                    self.acquire(job.id, model=model, person=job.who)
                    ready.append(job)
        return ready

    def next_try(self, model: str) -> float | None:
        """Return when a job of a model is tried again by itself, None if nothing delays it."""
        if hold := self.hold_of(model):
            return hold.until
        probe_at = self._capacity.probe_at(model)
        return probe_at if probe_at is not None and probe_at > self._monotonic() else None

    def position_of(self, job: Job) -> QueuePosition | None:
        """Return the position of a waiting job in its queue and why it waits, None for any other job."""
        return self.positions().get(job.id) if job.state == WAITING else None

    def positions(self) -> dict[str, QueuePosition]:
        """Return the positions of all waiting jobs, by id."""
        positions = {}
        with self.lock:
            waiting, running = self._waiting_and_running()
            for model, queue in self._queues(waiting).items():
                why, needs_person = self._wait_reason(model, running[model])
                for position, job in enumerate(queue, 1):
                    positions[job.id] = QueuePosition(position, len(queue), why, needs_person)
        return positions

    def _wait_reason(self, model: str, running: int) -> tuple[str, bool]:
        """Return why jobs of a model wait, in words, and whether a person has to act."""
        if hold := self._holds.shown(model, self._monotonic()):
            words = hold.reason if hold.code == NO_LOG else WAIT_REASONS.get(hold.code, "waits for Kling")
            return words.rstrip("."), hold.needs_person
        if self._free_slots(model, running) or not (running or self._capacity.is_known(model)):
            return "goes out in a moment", False
        return f"{running} of this model run already" if running else "the account's slots are taken", False

    def _queues(self, waiting: Iterable[Job]) -> dict[str, list[Job]]:
        in_flight = {(flight.model, flight.person): flight.turn for flight in self._in_flight.values()}
        return self._fairness.queues(waiting, in_flight)
