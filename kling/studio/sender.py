"""One wish's way to Kling: its POST, what came of it, and the look-up of an answer that was lost."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from kling.client import Client
from kling.errors import AccountBlocked, APIError, KlingError, NotSent, SlowDown, TransportError
from kling.models import Task
from kling.studio.admission import ACCOUNT, Queue
from kling.studio.connection import Connection
from kling.studio.jobs import FAILED, INTENT, NOT_SENT, OPEN, UNKNOWN, WAITING, Job, StateChanged, task_cells
from kling.studio.ledger.csv_file import LedgerError
from kling.studio.ledger.csv_ledger import Ledger

log = logging.getLogger(__name__)

LOOK_AGAIN = (1.0, 2.0, 4.0, 8.0)  # pauses between look-ups: together the grace before it is sent again
LOOK_AGAIN_LATER = 5.0  # seconds after a look-up that was not answered
MODEL_NOT_ALLOWED = 1103  # holds one model; the other account codes hold everything
SLOTS_TAKEN = 1303
NO_CONNECTION = "0"  # stands in the log's `code`, where Kling's own stands otherwise
TOO_OLD = "It never arrived, and nothing was spent. Send it now, or withdraw it."
YOUNG = 15 * 60.0  # seconds; an older wish that never arrived is for a person to decide


@dataclass(slots=True)
class _LookUp:
    """How far the settling of one task has come: answers that it is absent, and times it was sent again."""

    due: float
    absent: int = 0
    rounds: int = 0


class Sender:
    """Makes the calls and records what came of them.

    Args:
        ledger, connection, queue: the studio's parts.
        resend: hands a wish to a worker once more; it goes with its own id.
        clock: Unix seconds.
    """

    def __init__(
        self,
        ledger: Ledger,
        connection: Connection,
        queue: Queue,
        *,
        resend: Callable[[Job], None],
        clock: Callable[[], float],
    ) -> None:
        self._ledger, self._connection, self._queue = ledger, connection, queue
        self._resend, self._clock = resend, clock
        self._look_ups: dict[str, _LookUp] = {}
        self._sent: dict[str, float] = {}  # when a wish whose answer is open was sent first
        # Since when there is no connection for a wish; an answer to any ends it.
        self._unreached: dict[str, float] = {}

    def send(self, job: Job) -> None:
        """Make one POST and record what came of it. A record that fails leaves `intent`: it is looked up."""
        try:
            if job.state != INTENT:
                job = self._ledger.append(job.id, only={job.state}, state=INTENT)
            self._sent.setdefault(job.id, self._clock())
            try:
                with self._asking() as client:
                    task = client.submit(job.request)
            except KlingError as error:
                self._refused(job, error)
            else:
                self._accepted(job, task)
        except (StateChanged, LedgerError) as error:
            log.warning("Task %s: %s", job.id, error)
        except Exception:
            log.exception("Sending task %s ended unexpectedly; it is looked up.", job.id)
        finally:
            self._queue.let_go(job.id)

    def settle(self, job: Job, now: float) -> float:
        """Look up a task that may exist; return when to look again.

        Raises:
            KlingError: nothing was learnt.
        """
        if job.state == INTENT:  # nobody holds it: its POST was cut off by a crash or a full disk
            job = self._note_unknown(job, "The studio stopped before the answer came.")
        look_up = self._look_ups.setdefault(job.id, _LookUp(now))
        if look_up.due > now:
            return look_up.due
        try:
            task = self._find(job)
        except KlingError:
            look_up.due = self._clock() + LOOK_AGAIN_LATER
            raise
        if task is not None:
            self._accepted(job, task)
        elif look_up.absent < len(LOOK_AGAIN):
            look_up.due = now + LOOK_AGAIN[look_up.absent] * 2**look_up.rounds
            look_up.absent += 1
        elif now - self._first_sent(job) < YOUNG:  # it may have waited for hours before
            look_up.absent, look_up.rounds = 0, look_up.rounds + 1
            self._resend(job)
        else:
            self._look_ups.pop(job.id)
            self._sent.pop(job.id, None)
            self._ledger.append(job.id, only={UNKNOWN}, state=NOT_SENT, message=TOO_OLD)
        return look_up.due

    def too_old(self, job: Job) -> bool:
        """Whether a wish found no connection for so long that a person should say whether it is still one.

        Only while Kling answers nothing at all: afterwards, what waits does so for its turn.
        """
        since = self._unreached.get(job.id, job.ordered_at.timestamp())
        return self._clock() - max(since, self._queue.answered_at) >= YOUNG

    def _first_sent(self, job: Job) -> float:
        """Return when a wish whose answer is open was sent first; after a restart, by the log."""
        return self._sent.get(job.id, job.since.get(INTENT, job.ordered_at).timestamp())

    @contextmanager
    def _asking(self) -> Iterator[Client]:
        """Give the client for one call, and note that Kling answered it, if it did."""
        try:
            yield self._connection.client()
        except APIError:
            self._answered()
            raise
        self._answered()

    def _answered(self) -> None:
        self._queue.answered_at = self._clock()
        self._unreached.clear()

    # -- what came of it ------------------------------------------------------------------------------------

    def _accepted(self, job: Job, task: Task) -> None:
        self._look_ups.pop(job.id, None)
        self._sent.pop(job.id, None)
        self._queue.accepted(job, ended=task.terminal)
        self._ledger.append(job.id, only=OPEN, code="0", message="Accepted.", **task_cells(task))

    def _refused(self, job: Job, error: KlingError) -> None:
        sent_before = UNKNOWN in job.since
        if isinstance(error, TransportError | APIError) and error.may_have_run:
            self._note_unknown(job, _words(error), error)
        elif not sent_before:
            self._refused_for_sure(job, error)
        elif isinstance(error, NotSent):
            self._note_unknown(job, _words(error), error)
        else:  # a refusal of the same id again says nothing about the first time: the look-up decides
            try:
                task = self._find(job)
            except KlingError:
                self._note_unknown(job, _words(error), error)
                return
            if task is not None:
                self._accepted(job, task)
            else:
                self._refused_for_sure(job, error)

    def _find(self, job: Job) -> Task | None:
        with self._asking() as client:
            return client.find(job.id)

    def _note_unknown(self, job: Job, what: str, error: KlingError | None = None) -> Job:
        message = f"{what} It is being looked up: nothing needs to be done, and no second task is bought."
        return self._ledger.append(
            job.id, only={INTENT, UNKNOWN}, state=UNKNOWN, message=message, **_support(error)
        )

    def _refused_for_sure(self, job: Job, error: KlingError) -> None:
        """Record a refusal of which it is certain that no task exists."""
        self._sent.pop(job.id, None)
        state, message = FAILED, f"{_words(error)} Nothing was spent."
        if isinstance(error, NotSent):
            self._unreached.setdefault(job.id, self._clock())
            if not self.too_old(job):
                state, message = WAITING, f"{message} It is sent by itself as soon as there is a connection."
                self._queue.hold(ACCOUNT, message, 0)
            else:
                state, message = NOT_SENT, f"{message} Send it now, or withdraw it."
                self._unreached.pop(job.id, None)
        elif isinstance(error, SlowDown):
            state, message = WAITING, _words(error)
            model, at_least = job["model_name"], error.retry_after or 0
            if error.code == SLOTS_TAKEN:
                self._queue.full(job, at_least=at_least)
            else:
                self._queue.hold(model, message, error.code, at_least=at_least)
        elif isinstance(error, AccountBlocked):
            state, message = WAITING, f"{_words(error)} It waits here, and nothing was spent."
            key = job["model_name"] if error.code == MODEL_NOT_ALLOWED else ACCOUNT
            self._queue.hold(key, message, error.code, needs_person=True)
            self._queue.set_aside(job)
        self._ledger.append(job.id, only=OPEN, state=state, message=message, **_support(error))


def _words(error: KlingError) -> str:
    if isinstance(error, APIError):
        said = f" Kling’s words: {error.message.strip().rstrip('.')}." if error.message.strip() else ""
        return f"{error.meaning.what} {error.meaning.remedy}{said}"
    return f"{error}".rstrip(".") + "."


def _support(error: KlingError | None) -> dict[str, str]:
    """Return what Kling's support asks for."""
    if isinstance(error, APIError):
        return {"code": str(error.code), "request_id": error.request_id}
    return {"code": NO_CONNECTION} if error else {}
