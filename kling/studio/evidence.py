"""What this process knows of the calls that it made for each job, and what follows from it.

A job that may have been sent ends only in one of three ways: Kling has a task with our id, one of the proofs
below holds, or a person ends it. A refusal, silence, a file and the time of day prove nothing by themselves.
It is proved that nothing was spent for a job if

(a) this process ordered the job, and no call for it can have arrived;
(b) this process ordered it, Kling refused it, every call was answered, and a look-up after that finds none;
(c) two look-ups at least a minute apart find none, both 15 minutes after the last call that may have arrived.

A "no such task" that comes earlier proves nothing: Kling may show a task only some time after it accepted it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from kling.errors import (
    AccountBlocked,
    APIError,
    AuthenticationFailed,
    InvalidRequest,
    KlingError,
    NotSent,
    RateLimited,
    TransportError,
)
from kling.studio.jobs import INTENT, UNKNOWN, Job

LATE = 15 * 60.0  # seconds after the last call from which "no such task" is believed
APART = 60.0  # seconds between the two look-ups of (c)


class Outcome(StrEnum):
    """The outcome of a create call."""

    ACCEPTED = "accepted"
    NOT_SENT = "provably not sent"
    INVALID = "not sent, because it breaks a rule or its picture is gone"
    BUSY = "refused for now (1302, 1303)"
    BLOCKED = "refused until somebody acts on the account (11xx, 1304)"
    NO_KEY = "refused, because the key is not accepted (100x)"
    REFUSED = "refused for good"
    EXISTS = "refused, because Kling has this id"
    LOST = "no readable answer, or a fault on Kling's side"


class Known(StrEnum):
    """What is known of a job's calls so far."""

    WHOLE = "ordered by this process, every call answered"
    PART = "read from the log, no call known to be open"
    OPEN = "a call may have arrived and was not answered"
    EXISTS = "Kling said that it has this id"


class Step(StrEnum):
    """What is done next."""

    ACCEPT = "follow it"
    WAIT = "wait here, and send it later"
    LOOK_UP = "look it up"
    RESEND = "send it again with the same id"
    END = "end it as refused"
    LEAVE = "leave it to a person"


# The next step after a create call, by its outcome and by what was known of the job before it. README shows
# this table.
AFTER_CREATE: dict[Outcome, dict[Known, Step]] = {
    Outcome.ACCEPTED: dict.fromkeys(Known, Step.ACCEPT),
    Outcome.NOT_SENT: {
        Known.WHOLE: Step.WAIT,
        Known.PART: Step.WAIT,
        Known.OPEN: Step.LOOK_UP,
        Known.EXISTS: Step.LOOK_UP,
    },
    Outcome.INVALID: {
        Known.WHOLE: Step.LEAVE,
        Known.PART: Step.LEAVE,
        Known.OPEN: Step.LOOK_UP,
        Known.EXISTS: Step.LOOK_UP,
    },
    Outcome.BUSY: {
        Known.WHOLE: Step.WAIT,
        Known.PART: Step.WAIT,
        Known.OPEN: Step.LOOK_UP,
        Known.EXISTS: Step.LOOK_UP,
    },
    Outcome.BLOCKED: {
        Known.WHOLE: Step.WAIT,
        Known.PART: Step.WAIT,
        Known.OPEN: Step.LOOK_UP,
        Known.EXISTS: Step.LOOK_UP,
    },
    Outcome.NO_KEY: {
        Known.WHOLE: Step.LEAVE,
        Known.PART: Step.LEAVE,
        Known.OPEN: Step.LOOK_UP,
        Known.EXISTS: Step.LOOK_UP,
    },
    Outcome.REFUSED: dict.fromkeys(Known, Step.LOOK_UP),
    Outcome.EXISTS: dict.fromkeys(Known, Step.LOOK_UP),
    Outcome.LOST: dict.fromkeys(Known, Step.LOOK_UP),
}


class Age(StrEnum):
    """How long ago the last call was that may have arrived, when a look-up finds no task."""

    EARLY = "within the lag"
    AFTER_LAG = "after the lag"
    PROVED = "after 15 minutes, and twice"


# The next step after a look-up that finds no task, by what is known and how long ago the last call was. After
# one that finds a task it is always ACCEPT, after one that is not answered always LOOK_UP. RESEND is taken
# by itself only where the endpoint is known to refuse a second create with the same id, elsewhere it is
# LOOK_UP (`Reconciler`). README shows this table.
AFTER_NO_TASK: dict[Known, dict[Age, Step]] = {
    Known.WHOLE: dict.fromkeys(Age, Step.END),
    Known.PART: {Age.EARLY: Step.LOOK_UP, Age.AFTER_LAG: Step.RESEND, Age.PROVED: Step.LEAVE},
    Known.OPEN: {Age.EARLY: Step.LOOK_UP, Age.AFTER_LAG: Step.RESEND, Age.PROVED: Step.LEAVE},
    Known.EXISTS: dict.fromkeys(Age, Step.LOOK_UP),
}


def outcome_of(error: KlingError) -> Outcome:
    """Return the outcome of a create call that ended with an error."""
    if isinstance(error, NotSent):
        return Outcome.NOT_SENT
    if isinstance(error, InvalidRequest):
        return Outcome.INVALID
    if isinstance(error, APIError) and error.says_it_exists:
        return Outcome.EXISTS
    if isinstance(error, TransportError | APIError) and error.may_have_run:
        return Outcome.LOST
    kinds = {RateLimited: Outcome.BUSY, AccountBlocked: Outcome.BLOCKED, AuthenticationFailed: Outcome.NO_KEY}
    return next((outcome for kind, outcome in kinds.items() if isinstance(error, kind)), Outcome.REFUSED)


@dataclass(slots=True)
class Calls:
    """The calls for one job, as far as this process saw them; times by the monotonic clock.

    Args:
        whole: this process ordered the job, and so has seen every call for it.
        last_at: when the last call began that may have arrived. For a job that was read from the log: when it
            was read, because another process may have sent it until then.
        first_at: when the first of the calls began that are open; None if none is.
        arrived: whether a call may have arrived.
        open: whether a call that may have arrived was not answered.
        exists: whether Kling has the task: it accepted the job, or refused its id because it has it.
        refused: whether the last call was refused for good; then the job is not sent again.
        asked_since_refusal: whether a look-up after that refusal found no task.
        none_late: when the first look-up of proof (c) found no task; None if none has yet.
        proved: whether proof (c) holds.
    """

    whole: bool
    last_at: float
    first_at: float | None = None
    arrived: bool = False
    open: bool = False
    exists: bool = False
    refused: bool = False
    asked_since_refusal: bool = False
    none_late: float | None = None
    proved: bool = False

    @property
    def known(self) -> Known:
        """What is known, as the column of the tables."""
        if self.exists:
            return Known.EXISTS
        if self.open:
            return Known.OPEN
        return Known.WHOLE if self.whole else Known.PART

    @property
    def nothing_spent(self) -> bool:
        """Whether one of the three proofs holds."""
        if self.exists:
            return False
        never_left = self.whole and not self.arrived and not self.open
        refused = self.whole and not self.open and self.refused and self.asked_since_refusal
        return never_left or refused or self.proved

    @property
    def proof_at(self) -> float:
        """When the next of the two look-ups of (c) may be made, by the monotonic clock."""
        return self.last_at + LATE if self.none_late is None else self.none_late + APART

    def begin(self, now: float) -> tuple[bool, float]:
        """Note that a create call begins: until its answer, it may have arrived.

        Returns:
            `open` and `last_at` before the call, which `end` needs.
        """
        before = self.open, self.last_at
        if self.first_at is None or not self.open:
            self.first_at = now
        self.last_at = now
        self.open = True
        self.none_late, self.proved, self.asked_since_refusal = None, False, False
        return before

    def end(self, outcome: Outcome, before: tuple[bool, float]) -> None:
        """Note the outcome of the call that began last.

        Args:
            outcome: of that call.
            before: what `begin` returned for it.
        """
        was_open, was_at = before
        if outcome in {Outcome.NOT_SENT, Outcome.INVALID}:
            self.open, self.last_at = was_open, was_at
            return
        self.arrived = True
        self.open = was_open or outcome is Outcome.LOST
        # An accepted job counts as existing at once, although its row is recorded only after this.
        self.exists = self.exists or outcome in {Outcome.EXISTS, Outcome.ACCEPTED}
        self.refused = outcome is Outcome.REFUSED

    def found_none(self, now: float, *, lag: float) -> Step:
        """Note a look-up that found no task, and return what follows.

        Args:
            now: by the monotonic clock.
            lag: seconds by which look-ups may stay behind creates.
        """
        self.asked_since_refusal = self.refused
        age = Age.EARLY if now - self.last_at < lag else Age.AFTER_LAG
        if now - self.last_at >= LATE:
            self.none_late = now if self.none_late is None else self.none_late
            if now - self.none_late >= APART and not self.exists:
                self.proved, age = True, Age.PROVED
        step = AFTER_NO_TASK[self.known][age]
        self.open = self.open and not self.proved
        if self.refused:
            return {Step.RESEND: Step.LOOK_UP, Step.LEAVE: Step.END}.get(step, step)
        if step is Step.END:
            return Step.LEAVE  # no call was refused, so an earlier attempt to leave it was not recorded
        if step is Step.RESEND and self.first_at is not None and now - self.first_at >= LATE:
            return Step.LOOK_UP  # too old to be sent again by itself: wait for proof (c)
        return step


class Evidence:
    """The calls for every job that this process has ordered, sent or looked up.

    Args:
        monotonic: seconds of a clock that never jumps.
        changed: whether the log was read again after the start. A job that appears in it only then may have
            been sent by another process just before.
    """

    def __init__(self, monotonic: Callable[[], float], changed: Callable[[], bool] = lambda: False) -> None:
        self._monotonic, self._changed = monotonic, changed
        self._started = monotonic()
        self._calls: dict[str, Calls] = {}
        self._lock = threading.Lock()

    def ordered(self, job_ids: Iterable[str], now: float) -> None:
        """Note jobs that this process has ordered: nothing can have been sent for them before."""
        with self._lock:
            self._calls |= {job_id: Calls(whole=True, last_at=now) for job_id in job_ids}

    def of(self, job: Job) -> Calls:
        """Return what is known of a job's calls.

        For a job that was only read from the log, that is little.
        """
        with self._lock:
            calls = self._calls.get(job.id)
            if calls is None:
                is_open = job.state in {INTENT, UNKNOWN}
                met = self._monotonic() if self._changed() else self._started
                calls = Calls(whole=False, last_at=met, arrived=is_open, open=is_open)
                self._calls[job.id] = calls
            return calls

    def nothing_spent(self, job: Job) -> bool:
        """Whether it is proved that no task exists for a job; never for one of an unknown endpoint."""
        if job.accepted or job.endpoint is None:
            return False
        with self._lock:
            calls = self._calls.get(job.id)
        return calls is not None and calls.nothing_spent

    def forget(self, job_id: str) -> None:
        """Drop what is known of a job that Kling accepted: its record says enough."""
        with self._lock:
            self._calls.pop(job_id, None)
