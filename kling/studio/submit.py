"""From a wish to a task: written before it is spent, looked up before it is repeated (README, Money).

order ── row `intent`, fsynced ──▶ send ──▶ submitted
                                      ├ refused, passes by itself ──▶ waiting ──▶ send
                                      ├ refused for good ──▶ failed
                                      └ may exist ──▶ unknown ──▶ look up ──▶ submitted
                                                                     └ absent ──▶ send, the same id
"""

from __future__ import annotations

import json
import logging
import random
import secrets
import threading
import unicodedata
from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace

from kling.errors import (
    AccountBlocked,
    APIError,
    InvalidRequest,
    KlingError,
    NotSent,
    SlowDown,
    TransportError,
)
from kling.models import Task, TextToVideo
from kling.studio.connection import Connection
from kling.studio.csvlog import LogError
from kling.studio.ledger import (
    FAILED,
    INTENT,
    NOT_SENT,
    OPEN,
    UNKNOWN,
    WAITING,
    WITHDRAWN,
    Job,
    Ledger,
    StateChanged,
    request_cells,
    task_cells,
)
from kling.studio.queue import ACCOUNT, BUSY_PAUSES, Hold, Place, Queue

log = logging.getLogger(__name__)

SAME_WISH = 3.0  # seconds in which the same draft pressed again is the same wish
LOOK_AGAIN = (1.0, 2.0, 4.0, 8.0)  # pauses between look-ups: together the grace before it is sent again
LOOK_AGAIN_LATER = 5.0  # seconds after a look-up that was not answered
MODEL_NOT_ALLOWED = 1103  # holds one model; the other account codes hold everything
SLOTS_TAKEN = 1303
NO_CONNECTION = "0"  # stands in the log's `code`, where Kling's own stands otherwise
TOO_OLD = "It never arrived, and nothing was spent. Send it now, or withdraw it."
YOUNG = 15 * 60.0  # seconds; an older wish that never arrived is for a person to decide
PERSON_LIMIT = 60  # characters of a name


@dataclass(slots=True)
class _LookUp:
    """How far the settling of one task has come: answers that it is absent, and times it was sent again."""

    due: float
    absent: int = 0
    rounds: int = 0


class Submitter:
    """Sends what people ordered to one account, each wish at most once.

    Args:
        ledger: where every step is written before it is taken.
        connection, account: whose tasks these are.
        run: hands a call to a worker; in a test it may just call it.
        clock: Unix seconds.
        on_free: told when a worker has let go of a wish, so that the next one may go.
        rng: for jitter.
    """

    def __init__(
        self,
        ledger: Ledger,
        connection: Connection,
        account: str,
        *,
        run: Callable[[Callable[[], None]], object],
        clock: Callable[[], float],
        on_free: Callable[[], None] = lambda: None,
        rng: random.Random | None = None,
    ) -> None:
        self._ledger, self._connection, self._account = ledger, connection, account
        self._run, self._clock, self._on_free = run, clock, on_free
        self._lock = threading.RLock()
        self._claims: dict[Hashable, tuple[float, str]] = {}
        self._queue = Queue(clock=clock, rng=rng or random.Random())  # noqa: S311 - jitter, no secret
        self._begun = False
        self._look_ups: dict[str, _LookUp] = {}
        self._unreached: dict[str, float] = {}  # since when there is no connection for a wish

    # -- what a person does ------------------------------------------------------------------------------

    def order(
        self,
        request: TextToVideo,
        *,
        person: str,
        session: str,
        take: int = 1,
        parent: str = "",
        group: str = "",
    ) -> Job:
        """Record one wish; see `order_all`. Another `take` of the same draft is another wish."""
        return self._record([(request, take)], person, session, parent, group)[0]

    def order_all(
        self,
        requests: Sequence[TextToVideo],
        *,
        person: str,
        session: str,
        parent: str = "",
        group: str = "",
    ) -> list[Job]:
        """Record the wishes of one press in one write, and send them as slots are free.

        The same press within `SAME_WISH` seconds is the same wishes; equal requests in it are deliberate
        repeats (takes), each a wish of its own.

        Args:
            requests: what to order, each without an `external_task_id`.
            person: the name that they are shown under.
            session: of the browser; keeps two people's equal drafts apart.
            parent: id of the task that they were remixed from.
            group: id of the batch that they belong to.

        Returns:
            A job for each request, in their order.

        Raises:
            InvalidRequest: one of them breaks rules of the API; none was recorded.
            LogError: the log cannot be written; none was recorded, and none is sent.
        """
        taken: Counter[str] = Counter()
        wishes = []
        for request in requests:
            taken[repr(request)] += 1
            wishes.append((request, taken[repr(request)]))
        return self._record(wishes, person, session, parent, group)

    def _record(
        self, wishes: Sequence[tuple[TextToVideo, int]], person: str, session: str, parent: str, group: str
    ) -> list[Job]:
        problems = dict.fromkeys(problem for request, _ in wishes for problem in request.problems())
        if problems:
            raise InvalidRequest(tuple(problems))
        now = self._clock()
        jobs: dict[str, Job] = {}  # by id, in the order of the wishes
        rows: list[tuple[str, dict[str, str]]] = []
        claims: dict[Hashable, tuple[float, str]] = {}
        going: set[str] = set()
        with self._lock:
            waiting, running = self._look()
            others = {job["model_name"] for job in waiting}
            self._claims = {key: kept for key, kept in self._claims.items() if now - kept[0] < SAME_WISH}
            for request, take in wishes:
                claim = (session, repr(request), take)
                job = self._ledger.get(self._claims[claim][1]) if claim in self._claims else None
                if job is not None and job.state != WITHDRAWN:
                    jobs[job.id] = job
                    continue
                job_id = (
                    f"v{int(now * 1000):012x}{secrets.token_hex(6)}"  # no spreadsheet reads it as a number
                )
                model, name = request.model_name, _name(person)
                if model not in others and self._queue.room(model, running[model]):
                    self._queue.take(job_id, model=model, person=name)
                    going.add(job_id)
                hold = self._queue.hold_of(model)
                cells = {
                    "state": INTENT if job_id in going else WAITING,
                    "code": NO_CONNECTION if hold and str(hold.code) == NO_CONNECTION else "",
                    "person": name,
                    "account": self._account,
                    "parent": _name(parent),
                    "batch": _name(group),
                    "extra": json.dumps({"take": take}) if take > 1 else "",
                    **request_cells(replace(request, external_task_id=job_id)),
                }
                jobs[job_id] = Job()  # it keeps its place
                rows.append((job_id, cells))
                claims[claim] = (now, job_id)
            try:
                recorded = self._ledger.append_many(rows)
            except BaseException:
                for job_id in going:
                    self._queue.let_go(job_id)  # if its row is there all the same, it is looked up
                raise
            self._claims |= claims
        for job in recorded:
            jobs[job.id] = job
            if job.id in going:
                self._run(lambda job=job: self._send(job))  # type: ignore[misc]
        if len(going) < len(recorded):
            self._send_whose_turn_it_is()
        return list(jobs.values())

    def withdraw(self, job_id: str) -> Job:
        """Take back a wish that was not sent.

        Raises:
            StateChanged: it has been sent by now.
            LogError: nothing was recorded.
        """
        with self._lock:
            if job_id in self._queue.in_hand:
                raise StateChanged("It is being sent right now.")
            return self._ledger.append(
                job_id, only={WAITING, NOT_SENT}, state=WITHDRAWN, message="Withdrawn; nothing was spent."
            )

    def withdraw_group(self, group: str) -> int:
        """Take back every wish of a batch that was not sent; return how many.

        Raises:
            LogError: nothing was recorded.
        """
        with self._lock:
            mine = [job.id for job in self._look()[0] if group and job.group == group]
            taken_back = {"state": WITHDRAWN, "message": "Withdrawn; nothing was spent."}
            return len(self._ledger.append_many([(job_id, taken_back) for job_id in mine]))

    def send_again(self, job_id: str) -> None:
        """Send a wish that never arrived, with its own id; try the queue of one that waits, now.

        Raises:
            StateChanged: it is not waiting for a person's decision.
        """
        job = self._ledger.get(job_id)
        if job is None or job.state not in {WAITING, NOT_SENT}:
            raise StateChanged("It has been sent by now.")
        if job["account"] != self._account:
            raise StateChanged("It belongs to another account than the one in use.")
        with self._lock:
            self._queue.try_now(job["model_name"])
        if job.state == NOT_SENT:
            self._take(job)
        else:
            self._send_whose_turn_it_is()

    def resume(self) -> None:
        """Try the held queues now: somebody has acted on the account."""
        with self._lock:
            self._queue.resume()

    # -- what the tracker does ---------------------------------------------------------------------------

    def step(self) -> float | None:
        """Settle what is unknown and send what waits, as far as it is due; return when to come again."""
        now = self._clock()
        with self._lock:  # who is in hand first: a worker records before it lets go
            held = self._queue.in_hand
            mine = [job for job in self._mine() if job.state in {INTENT, UNKNOWN, WAITING}]
        dues = [now + BUSY_PAUSES[0]]
        answered = True
        for job in mine:
            if job.id in held:
                continue
            if job.state == WAITING:
                if job["code"] == NO_CONNECTION and self._too_old(job):
                    self._ledger.append(job.id, only={WAITING}, state=NOT_SENT, message=TOO_OLD)
            elif answered:
                try:
                    dues.append(self._settle(job, now))
                except StateChanged as error:
                    log.warning("Task %s: %s", job.id, error)
                except KlingError:
                    answered = False  # the others would only wait as long, each
        self._send_whose_turn_it_is()
        models = {job["model_name"] for job in mine if job.state == WAITING}
        dues.extend(due for model in models if (due := self._queue.due(model)))
        return min(dues) if mine else None

    def looked(self) -> None:
        """Take note that the tracker has just seen all tasks that run."""
        self._queue.looked()

    # -- what a page shows -------------------------------------------------------------------------------

    @property
    def holds(self) -> tuple[Hold, ...]:
        """Everything that keeps a queue right now."""
        return self._queue.holds

    def places(self) -> dict[str, Place]:
        """Return where each wish that waits stands in its line and why, by its id."""
        with self._lock:
            return self._queue.places(*self._look())

    # -- whose turn it is --------------------------------------------------------------------------------

    def _mine(self) -> list[Job]:
        return [job for job in self._ledger.unfinished() if job["account"] == self._account]

    def _look(self) -> tuple[list[Job], Counter[str]]:
        """Return the wishes that wait, and how many tasks of each model have a slot at Kling, or may have."""
        held = self._queue.in_hand
        mine = [job for job in self._mine() if job.id not in held]
        waiting = [job for job in mine if job.state == WAITING]
        running = Counter(job["model_name"] for job in mine if job.state in OPEN - {WAITING})
        if not self._begun and not self._ledger.opening:
            self._begun = True
            self._queue.begin(
                (job for job in self._ledger.jobs() if job["account"] == self._account), waiting, running
            )
        return waiting, running

    def _send_whose_turn_it_is(self) -> None:
        with self._lock:
            going = self._queue.going(*self._look())
        for job in going:
            self._run(lambda job=job: self._send(job))  # type: ignore[misc]

    # -- one call ----------------------------------------------------------------------------------------

    def _take(self, job: Job) -> None:
        with self._lock:
            if job.id in self._queue.in_hand:
                return
            self._queue.take(job.id, model=job["model_name"], person=job["person"])
        self._run(lambda: self._send(job))

    def _send(self, job: Job) -> None:
        """Make one POST and record what came of it. A record that fails leaves `intent`: it is looked up."""
        try:
            if job.state != INTENT:
                job = self._ledger.append(job.id, only={job.state}, state=INTENT)
            try:
                task = self._connection.client().submit(job.request)
            except KlingError as error:
                self._refused(job, error)
            else:
                self._accepted(job, task)
        except (StateChanged, LogError) as error:
            log.warning("Task %s: %s", job.id, error)
        except Exception:
            log.exception("Sending task %s ended unexpectedly; it is looked up.", job.id)
        finally:
            with self._lock:
                self._queue.let_go(job.id)
            self._on_free()

    def _accepted(self, job: Job, task: Task) -> None:
        self._look_ups.pop(job.id, None)
        self._unreached.pop(job.id, None)
        with self._lock:
            self._queue.accepted(job, self._others_running(job) + (not task.terminal))
        self._ledger.append(job.id, only=OPEN, code="0", message="Accepted.", **task_cells(task))

    def _others_running(self, job: Job) -> int:
        model = job["model_name"]
        return self._look()[1][model] - (job.state != WAITING and job.id not in self._queue.in_hand)

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
        return self._connection.client().find(job.id)

    def _note_unknown(self, job: Job, what: str, error: KlingError | None = None) -> Job:
        message = f"{what} It is being looked up: nothing needs to be done, and no second task is bought."
        return self._ledger.append(
            job.id, only={INTENT, UNKNOWN}, state=UNKNOWN, message=message, **_support(error)
        )

    def _refused_for_sure(self, job: Job, error: KlingError) -> None:
        """Record a refusal of which it is certain that no task exists."""
        state, message = FAILED, f"{_words(error)} Nothing was spent."
        if isinstance(error, NotSent):
            self._unreached.setdefault(job.id, self._clock())
            if not self._too_old(job):
                state, message = WAITING, f"{message} It is sent by itself as soon as there is a connection."
                self._queue.hold(ACCOUNT, message, 0)
            else:
                state, message = NOT_SENT, f"{message} Send it now, or withdraw it."
                self._unreached.pop(job.id)
        elif isinstance(error, SlowDown):
            state, message = WAITING, _words(error)
            model, at_least = job["model_name"], error.retry_after or 0
            if error.code == SLOTS_TAKEN:
                with self._lock:
                    self._queue.full(model, self._others_running(job), at_least=at_least)
            else:
                self._queue.hold(model, message, error.code, at_least=at_least)
        elif isinstance(error, AccountBlocked):
            state, message = WAITING, f"{_words(error)} It waits here, and nothing was spent."
            key = job["model_name"] if error.code == MODEL_NOT_ALLOWED else ACCOUNT
            self._queue.hold(key, message, error.code, needs_person=True)
            self._queue.set_aside(job)
        self._ledger.append(job.id, only=OPEN, state=state, message=message, **_support(error))

    def _too_old(self, job: Job) -> bool:
        """Whether a wish found no connection for so long that a person should say whether it is still one."""
        since = self._unreached.get(job.id, job.ordered_at.timestamp())
        return self._clock() - since >= YOUNG

    def _settle(self, job: Job, now: float) -> float:
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
        elif now - job.ordered_at.timestamp() < YOUNG:
            look_up.absent, look_up.rounds = 0, look_up.rounds + 1
            self._take(job)
        else:
            self._look_ups.pop(job.id)
            self._ledger.append(job.id, only={UNKNOWN}, state=NOT_SENT, message=TOO_OLD)
        return look_up.due


def _name(person: str) -> str:
    """Return a name without what could make it look like another: control and direction marks."""
    visible = "".join(char for char in person if char.isspace() or unicodedata.category(char)[0] != "C")
    return " ".join(visible.split())[:PERSON_LIMIT]


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
