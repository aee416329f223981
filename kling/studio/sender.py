"""Sends a job to Kling: makes its one create call and records the outcome."""

from __future__ import annotations

import logging
from collections.abc import Callable

from kling.endpoint import Endpoint
from kling.errors import AccountBlocked, APIError, AuthenticationFailed, KlingError, RateLimited
from kling.pictures import PictureBytes
from kling.studio.admission import ACCOUNT, AdmissionControl
from kling.studio.evidence import AFTER_CREATE, Evidence, Known, Outcome, Step, outcome_of
from kling.studio.jobs import FAILED, INTENT, NOT_SENT, OPEN, WAITING, Job, StateChanged, UnknownEndpoint
from kling.studio.ledger import Ledger, LedgerError
from kling.studio.queue_position import NO_LOG
from kling.studio.reconciler import (
    DECIDE,
    LEFT,
    Reconciler,
    error_words,
    is_found_by_our_id,
    support_cells,
)

log = logging.getLogger(__name__)

MODEL_NOT_ALLOWED = 1103  # holds one model; the other account codes hold everything
SLOTS_TAKEN = 1303
NO_CONNECTION = "0"  # in the column `code`, for a job that waits for a connection; Kling has no such code
HAS_IT = "Kling says that it has this order already."
NO_API_KEY = f"It needs an API key, and the account has an access key now. {DECIDE}"
YOUNG = 15 * 60.0  # seconds without a connection after which a person decides whether a job is still wanted


class Sender:
    """Makes the create calls and records their outcomes.

    Args:
        ledger, admission, evidence, reconciler: the studio's parts.
        may_spend: raises LedgerError if this process does not own the data folder any more, and so may not
            spend.
        picture_bytes: gives the bytes of a picture by the name in a request.
        may_use: whether the account's key opens an endpoint.
        monotonic: seconds of a clock that never jumps.
    """

    def __init__(
        self,
        ledger: Ledger,
        admission: AdmissionControl,
        evidence: Evidence,
        reconciler: Reconciler,
        *,
        may_spend: Callable[[], None],
        picture_bytes: PictureBytes | None = None,
        may_use: Callable[[Endpoint], bool] = lambda _: True,
        monotonic: Callable[[], float],
    ) -> None:
        self._ledger, self._admission, self._evidence = ledger, admission, evidence
        self._reconciler, self._may_spend, self._monotonic = reconciler, may_spend, monotonic
        self._picture_bytes, self._may_use = picture_bytes, may_use

    def send(self, job: Job) -> None:
        """Make one POST and record its outcome.

        If the outcome cannot be recorded, the job stays `intent`, and the reconciler looks it up. A job of an
        endpoint that is not known is not sent, and nothing is recorded.
        """
        try:
            self._may_spend()
            if job.endpoint is None:
                log.warning("Task %s: %s", job.id, UnknownEndpoint(job["endpoint"]))
                return
            if job.state == WAITING and not self._may_use(job.endpoint):
                # It waits since before the key was changed. Asking for it would hold the whole account.
                self._ledger.append(job.id, only={WAITING}, state=NOT_SENT, code="0", message=NO_API_KEY)
                return
            if self._may_exist_already(job):
                return
            self._post(self._with_intent(job))
        except LedgerError as error:
            self._admission.hold(ACCOUNT, str(error), NO_LOG)
            log.warning("Task %s: %s", job.id, error)
        except StateChanged as error:
            log.warning("Task %s: %s", job.id, error)
        except Exception:
            log.exception("Sending task %s ended unexpectedly; it is looked up.", job.id)
        finally:
            self._admission.release(job.id)

    def _with_intent(self, job: Job) -> Job:
        """Return the job with `intent` on the disk, which it needs before it may be sent.

        Raises:
            StateChanged: somebody has withdrawn it meanwhile, or it has ended.
        """
        if job.state != INTENT:
            return self._ledger.append(job.id, only={job.state}, state=INTENT)
        recorded = self._ledger.get(job.id)
        if recorded is None or recorded.state != INTENT:
            raise StateChanged("It is not about to be sent any more.")
        return job

    def _may_exist_already(self, job: Job) -> bool:
        """Look up a job that was only read from the log, because the log may be an old copy.

        Returns:
            Whether it must not be sent now: Kling has it, or did not answer.
        """
        if self._evidence.of(job).known is not Known.PART:
            return False
        try:
            task = self._reconciler.find(job)
        except KlingError as error:
            needs_person = isinstance(error, AuthenticationFailed | AccountBlocked)
            self._admission.hold(ACCOUNT, error_words(error), _code(error), needs_person=needs_person)
            return True
        if task is not None:
            self._reconciler.accept(job, task)
        return task is not None

    def _post(self, job: Job) -> None:
        request = job.request  # raises nothing after `begin`: until the answer, the call counts as open
        calls = self._evidence.of(job)
        known = calls.known
        before = calls.begin(self._monotonic())
        try:
            with self._reconciler.asking() as client:
                task = client.create(request, endpoint=job.endpoint, picture_bytes=self._picture_bytes)
        except KlingError as error:
            outcome = outcome_of(error)
            calls.end(outcome, before)
            self._record_failure(job, error, outcome, AFTER_CREATE[outcome][known])
        else:
            calls.end(Outcome.ACCEPTED, before)
            self._reconciler.accept(job, task)

    def _record_failure(self, job: Job, error: KlingError, outcome: Outcome, step: Step) -> None:
        self._hold_queue(job, error, outcome)
        if step is Step.WAIT:
            self._wait(job, error)
        elif step is Step.LEAVE:
            self._record(job, error, state=NOT_SENT, message=f"{error_words(error)} {DECIDE}")
        elif outcome is not Outcome.REFUSED or not self._is_refused_for_sure(job, error):
            message = HAS_IT if outcome is Outcome.EXISTS else error_words(error)
            self._reconciler.note_unknown(job, message, error)
            if outcome not in {Outcome.NOT_SENT, Outcome.INVALID}:
                self._reconciler.look_up_soon(job)

    def _is_refused_for_sure(self, job: Job, error: KlingError) -> bool:
        """Look up a refused job once, which is free, and record what is then proved; return whether it is."""
        try:
            task = self._reconciler.find(job)
        except KlingError:
            return False
        if task is not None:
            self._reconciler.accept(job, task)
            return True
        if not is_found_by_our_id(job):
            return False
        step = self._evidence.of(job).found_none(self._monotonic(), lag=0)
        if step is Step.END:
            self._record(job, error, state=FAILED, message=error_words(error))
        return step is Step.END

    def _record(self, job: Job, error: KlingError, **cells: str) -> None:
        self._ledger.append(job.id, only=OPEN, **cells, **support_cells(error))

    def _hold_queue(self, job: Job, error: KlingError, outcome: Outcome) -> None:
        """Hold the jobs that would fail for the same reason: of the model, or of the whole account."""
        model, words = job["model_name"], error_words(error)
        if isinstance(error, RateLimited):
            at_least = error.retry_after or 0
            if error.code == SLOTS_TAKEN:
                self._admission.slots_taken(job, at_least=at_least)
            else:
                self._admission.hold(model, words, error.code, at_least=at_least)
        elif isinstance(error, AccountBlocked):
            key = model if error.code == MODEL_NOT_ALLOWED else ACCOUNT
            self._admission.hold(key, words, error.code, needs_person=True)
            self._admission.deprioritize(job)
        elif outcome is Outcome.NOT_SENT:
            self._reconciler.unreached.setdefault(job.id, self._monotonic())
            self._admission.hold(ACCOUNT, words, 0)

    def _wait(self, job: Job, error: KlingError) -> None:
        state, message = WAITING, error_words(error)
        if _code(error) == 0:
            if self.too_old(job):
                state, message = NOT_SENT, f"{message} {DECIDE}"
                self._reconciler.unreached.pop(job.id, None)
            else:
                message = f"{message} It is sent by itself as soon as there is a connection."
        self._record(job, error, state=state, message=message)

    def too_old(self, job: Job) -> bool:
        """Whether a job found no connection for so long that a person should decide whether to send it.

        Time counts only while Kling answers nothing at all: later a job waits for its turn, however long.
        """
        since = self._reconciler.unreached.get(job.id, self._evidence.of(job).last_at)
        return self._monotonic() - max(since, self._admission.answered_at) >= YOUNG

    def leave_old(self, jobs: list[Job]) -> None:
        """Leave to a person the jobs that found no connection for too long.

        Call it before anything is sent: a success resets the time of the last answer and hides the outage.
        """
        for job in jobs:
            if job["code"] == NO_CONNECTION and self.too_old(job):
                try:
                    self._ledger.append(job.id, only={WAITING}, state=NOT_SENT, message=LEFT)
                except StateChanged:  # somebody has just withdrawn it
                    log.info("Task %s was withdrawn meanwhile.", job.id)


def _code(error: KlingError) -> int:
    return error.code if isinstance(error, APIError) else 0
