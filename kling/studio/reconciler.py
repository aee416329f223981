"""Looks up the jobs of which nobody knows whether Kling has them, until that is proved (see `evidence`)."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from kling.client import Client
from kling.errors import APIError, InvalidRequest, KlingError
from kling.studio.admission import AdmissionControl
from kling.studio.connection import Connection, find_task
from kling.studio.evidence import APART, LATE, Evidence, Known, Step
from kling.studio.jobs import (
    FAILED,
    INTENT,
    NOT_SENT,
    UNKNOWN,
    WAITING,
    WITHDRAWN,
    Job,
    StateChanged,
    dump_json,
    task_cells,
)
from kling.studio.ledger import Ledger
from kling.tasks import Status, Task

log = logging.getLogger(__name__)

# Pauses between look-ups of one job, in seconds. Together they are the lag: for so long Kling is allowed not
# to show a task that it has accepted, and a job is sent again only after it. Nobody has measured that Kling
# lags, but 3 minutes of waiting cost little, and a second video costs money.
PAUSES = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0, 60.0)
SANDBOX_PAUSES = (1.0, 2.0, 4.0, 8.0)  # the studio's own sandbox shows a task at once
LATER_PAUSES = (60.0, 120.0, 300.0)  # after the lag; the last one is repeated
SILENT_PAUSES = (5.0, 10.0, 30.0, 60.0, 120.0, 300.0)  # after a look-up that was not answered
PACE = 1.5  # seconds between the look-ups of different jobs
SANDBOX_PACE = 0.05
SILENT_MANY = 5  # unanswered look-ups of one job after which a banner says so

DECIDE = "Send it now, or cancel it."
LEFT = f"It never arrived. {DECIDE}"
LEFT_IN_LOG = (
    "It waited when the studio was stopped, and it is not sure that it is still wanted: the studio was "
    f"stopped for more than 15 minutes, or history.csv is not as it left it. {DECIDE}"
)
NOT_TRIED = "It could not be sent yet."
UNANSWERED = "The studio stopped before the answer came."
QUOTE = "Kling’s words: "  # after it a message quotes Kling
FOUND_AFTER_ALL = "Kling has this order after all. It is followed."


@dataclass(slots=True)
class LookUp:
    """How far the look-ups of one job have come.

    Args:
        due: when the next one is made, by the monotonic clock.
        none: how often Kling has answered that there is no task since the job was last sent.
        silent: how many look-ups in a row were not answered.
        trouble: why the last one was not answered, in words.
    """

    due: float
    none: int = 0
    silent: int = 0
    trouble: str = ""


class Reconciler:
    """Finds out what became of jobs whose answer was lost, and records it.

    Args:
        ledger, connection, admission, evidence: the studio's parts.
        resend: hands a job to a worker again; it is sent with its own id.
        monotonic: seconds of a clock that never jumps.
        rng: the source of jitter.
    """

    def __init__(
        self,
        ledger: Ledger,
        connection: Connection,
        admission: AdmissionControl,
        evidence: Evidence,
        *,
        resend: Callable[[Job], None],
        monotonic: Callable[[], float],
        rng: random.Random,
    ) -> None:
        self._ledger, self._connection, self._admission = ledger, connection, admission
        self._evidence, self._resend, self._monotonic, self._rng = evidence, resend, monotonic, rng
        self._pauses = SANDBOX_PAUSES if connection.is_sandbox else PAUSES
        self._pace = SANDBOX_PACE if connection.is_sandbox else PACE
        self.lag = sum(self._pauses)  # seconds by which look-ups may stay behind creates
        self._look_ups: dict[str, LookUp] = {}
        self._proofs: dict[str, LookUp] = {}  # look-ups of jobs that were left to a person
        self._accepted: dict[str, Task] = {}  # tasks that Kling accepted, until that is recorded
        self._next = float("-inf")  # when the next look-up of any job may be made
        # Since when a job has found no connection (monotonic), by id. Any answer of Kling clears all of it.
        self.unreached: dict[str, float] = {}

    # -- all jobs --------------------------------------------------------------------------------------------

    def step(self, now: float) -> float | None:
        """Make the look-ups that are due; return when the next one is due, None if no job needs one.

        Args:
            now: by the monotonic clock.
        """
        self._leave_unconfirmed()
        # The jobs in flight are read before and after the jobs of the log, because a worker records before it
        # releases a job, and a press acquires a job before it is recorded.
        in_flight = self._admission.in_flight
        jobs = [job for job in self._admission.own_jobs() if job.state in {INTENT, UNKNOWN}]
        in_flight |= self._admission.in_flight
        jobs = [job for job in jobs if job.id not in in_flight]
        for job_id in self._look_ups.keys() - {job.id for job in jobs} - in_flight:
            del self._look_ups[job_id]
        for job in sorted(jobs, key=lambda job: self.look_up_of(job).due):
            due = max(self.look_up_of(job).due, self._next)
            if due > now:
                return due
            try:
                self.look_up(job)
            except StateChanged as error:
                log.warning("Task %s: %s", job.id, error)
            self._next = self._monotonic() + self._pace
        dues = [max(self.look_up_of(job).due, self._next) for job in jobs]
        if (proof_due := self._prove(now)) is not None:
            dues.append(proof_due)
        return min(dues, default=None)

    def _prove(self, now: float) -> float | None:
        """Look up the jobs that were left to a person until it is proved that Kling has no task for them.

        That is needed because the log may be an old copy, of a time before a job was sent.

        Returns:
            When the next look-up is due, None if all is proved.
        """
        left = [job for job in self._ledger.index.left() if self._admission.owns(job)]
        left = [job for job in left if not self._evidence.nothing_spent(job)]
        self._proofs = {job.id: self._proofs.get(job.id) or LookUp(now) for job in left}
        for job in sorted(left, key=lambda job: self._proofs[job.id].due):
            proof = self._proofs[job.id]
            if max(proof.due, self._next) > now:
                return max(proof.due, self._next)
            proof.due = now + self._jitter(SILENT_PAUSES, proof.silent)
            self._next = now + self._pace
            proof.silent += 1
            try:
                task = self.find(job)
            except KlingError as error:
                log.info("Task %s could not be asked for: %s", job.id, type(error).__name__)
                continue
            proof.silent = 0
            if task is not None:
                self.accept(job, task)
                continue
            if not is_found_by_our_id(job):
                continue
            calls = self._evidence.of(job)
            calls.found_none(now, lag=self.lag)
            proof.due = max(calls.proof_at, now + APART)
        dues = [max(self._proofs[job.id].due, self._next) for job in left]
        return min(dues, default=None)

    def look_up_of(self, job: Job) -> LookUp:
        """Return how far the look-ups of a job have come."""
        return self._look_ups.setdefault(job.id, LookUp(self._monotonic()))

    def look_up_soon(self, job: Job) -> None:
        """Begin the look-ups of a job anew: a call for it has just been made."""
        self._look_ups[job.id] = LookUp(self._monotonic())

    def trouble(self) -> tuple[int, str]:
        """Return how many jobs have been looked up without an answer for long, and why."""
        stuck = [look_up for look_up in list(self._look_ups.values()) if look_up.silent >= SILENT_MANY]
        return len(stuck), stuck[0].trouble if stuck else ""

    def is_claimed(self, job: Job) -> bool:
        """Whether Kling has said that it has this job's id."""
        return self._evidence.of(job).exists

    def is_hidden(self, job: Job) -> bool:
        """Whether Kling has said long ago that it has this job's id, and still does not show a task."""
        calls = self._evidence.of(job)
        return calls.exists and self._monotonic() - calls.last_at >= LATE

    def resends_at(self, job: Job) -> float | None:
        """Return when a job is sent again if Kling shows no task by then, None if it is not sent again."""
        calls = self._evidence.of(job)
        is_late = calls.first_at is not None and self._monotonic() - calls.first_at >= LATE
        if calls.refused or calls.exists or is_late or not self._is_resent(job):
            return None
        return calls.last_at + self.lag

    def decides_at(self, job: Job) -> float:
        """Return the earliest time when a job is left to a person, by the monotonic clock."""
        return self._evidence.of(job).last_at + LATE + APART

    # -- one job ---------------------------------------------------------------------------------------------

    def look_up(self, job: Job) -> None:
        """Look up one job, and do what follows from the answer."""
        if job.state == INTENT and self._evidence.of(job).nothing_spent:
            self._ledger.append(job.id, only={INTENT}, state=WAITING, message=NOT_TRIED)
            return
        if job.state == INTENT:  # no worker has it, so a crash or a full disk has cut off its call
            job = self.note_unknown(job, UNANSWERED)
        look_up = self.look_up_of(job)
        look_up.due = self._monotonic() + SILENT_PAUSES[0]  # for the case that something below raises
        try:
            task = self._accepted.get(job.id) or self.find(job)
        except KlingError as error:
            look_up.trouble = error_words(error)
            look_up.due = self._monotonic() + self._jitter(SILENT_PAUSES, look_up.silent)
            look_up.silent += 1
            return
        look_up.silent, look_up.trouble = 0, ""
        if task is not None:
            self.accept(job, task)
            return
        now, calls = self._monotonic(), self._evidence.of(job)
        if not is_found_by_our_id(job):
            look_up.due = now + self._jitter((*self._pauses, *LATER_PAUSES), look_up.none)
            look_up.none += 1
            return  # that it is not found says nothing: a person may give it up
        step = calls.found_none(now, lag=self.lag)
        due = now + self._jitter((*self._pauses, *LATER_PAUSES), look_up.none)
        look_up.due = min(due, calls.proof_at) if calls.proof_at > now else due
        look_up.none += 1
        match step:
            case Step.RESEND if self._is_resent(job):
                self._resend(job)
            case Step.END:
                self.end(job)
            case Step.LEAVE:
                self.leave(job, LEFT)

    def _is_resent(self, job: Job) -> bool:
        """Whether a job may be sent again after a look-up that finds none, before that is proved.

        Not if the record of it is unconfirmed, unless a person has decided so. Never if its endpoint is not
        known to refuse a second create with the same id, because that could be a second video.
        """
        if not refuses_duplicates(job):
            return False
        decide = job.extra.get("decide")
        return job.id not in self._ledger.unconfirmed if decide is None else not decide

    def holds_back(self, job: Job) -> bool:
        """Whether a waiting job is not sent yet, because an earlier process may have sent it.

        Where a second create is refused, a look-up just before it is enough. Where that is not known, the
        look-up has to come so late that Kling shows what it has accepted before.
        """
        calls = self._evidence.of(job)
        is_old = calls.known is Known.PART and not refuses_duplicates(job)
        return is_old and self._monotonic() - calls.last_at < self.lag

    def find(self, job: Job) -> Task | None:
        """Ask Kling for the task of a job; return None if it has none.

        Raises:
            KlingError: there was no answer to that.
        """
        with self.asking() as client:
            return find_task(client, job)

    @contextmanager
    def asking(self) -> Iterator[Client]:
        """Give the client for one call, and note afterwards whether Kling answered it."""
        try:
            yield self._connection.client()
        except APIError:
            self._answered()
            raise
        self._answered()

    def _answered(self) -> None:
        self._admission.answered_at = self._monotonic()
        self.unreached.clear()

    def _jitter(self, pauses: tuple[float, ...], step: int) -> float:
        return pauses[min(step, len(pauses) - 1)] * self._rng.uniform(1.0, 1.1)

    # -- recording -------------------------------------------------------------------------------------------

    def accept(self, job: Job, task: Task) -> Job:
        """Record that Kling has the task of a job, whatever the log said before."""
        self._admission.accepted(job, ended=task.terminal)
        is_surprise = not job.accepted and job.state in {FAILED, NOT_SENT, WITHDRAWN}
        message = FOUND_AFTER_ALL if is_surprise else "Accepted."
        self._accepted[job.id] = task
        changed = self._ledger.append(job.id, code="0", message=message, **task_cells(task))
        self._accepted.pop(job.id, None)
        self._look_ups.pop(job.id, None)
        self._evidence.forget(job.id)
        return changed

    def take_up(self, job: Job, task: Task) -> bool:
        """Record a task that Kling lists, if the log says that the job has none; return whether it did."""
        is_denied = not job.accepted or not job["task_id"]
        is_denied = is_denied or (job.state == FAILED and task.task_status != Status.FAILED)
        if is_denied and job.id not in self._admission.in_flight:
            self.accept(job, task)
            return True
        return False

    def note_unknown(self, job: Job, message: str, error: KlingError | None = None) -> Job:
        """Record that Kling may have the task of a job."""
        cells = {"extra": dump_json({"decide": True})} if job.id in self._ledger.unconfirmed else {}
        return self._ledger.append(
            job.id, only={INTENT, UNKNOWN}, state=UNKNOWN, message=message, **support_cells(error), **cells
        )

    def end(self, job: Job) -> None:
        """Record that a job has failed: it was refused, and it is proved that no task exists.

        The message and the code of the refusal are in the log already.
        """
        self._ledger.append(job.id, only={INTENT, UNKNOWN}, state=FAILED)

    def leave(self, job: Job, message: str) -> None:
        """Record that a person has to decide whether a job is sent."""
        self._ledger.append(job.id, only={job.state}, state=NOT_SENT, code="0", message=message)

    def _leave_unconfirmed(self) -> None:
        """Leave to a person the waiting jobs whose record nobody has confirmed (`Ledger.unconfirmed`)."""
        if self._ledger.unconfirmed and not self._ledger.opening:
            for job in self._admission.own_jobs():
                if job.state == WAITING and job.id in self._ledger.unconfirmed:
                    self.leave(job, LEFT_IN_LOG)


def refuses_duplicates(job: Job) -> bool:
    """Whether the endpoint of a job is known to refuse a second create with the same id."""
    return job.endpoint is not None and job.endpoint.facts.refuses_duplicates


def is_found_by_our_id(job: Job) -> bool:
    """Whether "no such task" says something of a job: its endpoint is asked by our id."""
    return job.endpoint is not None and job.endpoint.facts.found_by_our_id


def error_words(error: KlingError) -> str:
    """Return what happened and the remedy, as sentences for a page."""
    if isinstance(error, APIError):
        quote = f" {QUOTE}{error.message.strip().rstrip('.')}." if error.message.strip() else ""
        return f"{error.meaning.what} {error.meaning.remedy}{quote}"
    if isinstance(error, InvalidRequest):
        return " ".join(problem.message for problem in error.problems)
    return f"{error}".rstrip(".") + "."


def klings_words(job: Job) -> str:
    """Return what Kling said of a failed task, or what a message quotes; all of it, if it quotes nothing."""
    return (job["task_status_msg"] or job.message.removesuffix(DECIDE)).rpartition(QUOTE)[2].strip()


def support_cells(error: KlingError | None) -> dict[str, str]:
    """Return the cells of an error: Kling's code or 0, and the request id, which Kling's support asks for."""
    if isinstance(error, APIError):
        return {"code": str(error.code), "request_id": error.request_id}
    return {"code": "0"} if error else {}
