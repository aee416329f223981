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

log = logging.getLogger(__name__)

SAME_WISH = 3.0  # seconds in which the same draft pressed again is the same wish
LOOK_AGAIN = (1.0, 2.0, 4.0, 8.0)  # pauses between look-ups: together the grace before it is sent again
LOOK_AGAIN_LATER = 5.0  # seconds after a look-up that was not answered
MODEL_NOT_ALLOWED = 1103  # holds one model; the other account codes hold everything
NO_CONNECTION = "0"  # stands in the log's `code`, where Kling's own stands otherwise
TOO_OLD = "It never arrived, and nothing was spent. Send it now, or withdraw it."
YOUNG = 15 * 60.0  # seconds; an older wish that never arrived is for a person to decide
BUSY_PAUSES = (2.0, 4.0, 8.0, 15.0, 30.0)  # seconds after 1302, 1303 or no connection, the last one for ever
HOLD_PAUSE = 300.0  # seconds between slow tries of a queue that needs a person
ACCOUNT = "*"  # the queue that a hold of the whole account closes
PERSON_LIMIT = 60  # characters of a name


@dataclass(frozen=True, slots=True)
class Hold:
    """Why a queue does not move, until when, and whether a person has to act."""

    until: float
    reason: str
    code: int
    tries: int
    needs_person: bool


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
    """

    def __init__(
        self,
        ledger: Ledger,
        connection: Connection,
        account: str,
        *,
        run: Callable[[Callable[[], None]], object],
        clock: Callable[[], float],
    ) -> None:
        self._ledger, self._connection, self._account = ledger, connection, account
        self._run, self._clock = run, clock
        self._lock = threading.Lock()
        self._claims: dict[Hashable, tuple[float, str]] = {}
        self._in_hand: set[str] = set()
        self._tried: dict[str, float] = {}  # when each wish was last sent
        self._look_ups: dict[str, _LookUp] = {}
        self._unreached: dict[str, float] = {}  # since when there is no connection for a wish
        self._holds: dict[str, Hold] = {}

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
        with self._lock:
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
                hold = self.hold_of(request.model_name)
                cells = {
                    "state": INTENT if hold is None else WAITING,
                    "message": hold.reason if hold else "",
                    "code": str(hold.code) if hold else "",
                    "person": _name(person),
                    "account": self._account,
                    "parent": _name(parent),
                    "batch": _name(group),
                    "extra": json.dumps({"take": take}) if take > 1 else "",
                    **request_cells(replace(request, external_task_id=job_id)),
                }
                jobs[job_id] = Job()  # it keeps its place
                rows.append((job_id, cells))
                claims[claim] = (now, job_id)
            going = {job_id for job_id, cells in rows if cells["state"] == INTENT}
            self._in_hand |= going
            try:
                recorded = self._ledger.append_many(rows)
            except BaseException:
                self._in_hand -= going  # if a row is there all the same, it is looked up
                raise
            self._claims |= claims
        for job in recorded:
            jobs[job.id] = job
            if job.id in going:
                self._run(lambda job=job: self._send(job))  # type: ignore[misc]
        return list(jobs.values())

    def withdraw(self, job_id: str) -> Job:
        """Take back a wish that was not sent.

        Raises:
            StateChanged: it has been sent by now.
            LogError: nothing was recorded.
        """
        with self._lock:
            if job_id in self._in_hand:
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
            mine = [
                job.id
                for job in self._ledger.unfinished()
                if group and job.group == group and job.state == WAITING and job.id not in self._in_hand
            ]
            taken_back = {"state": WITHDRAWN, "message": "Withdrawn; nothing was spent."}
            return len(self._ledger.append_many([(job_id, taken_back) for job_id in mine]))

    def send_again(self, job_id: str) -> None:
        """Send a wish that was never accepted, with its own id.

        Raises:
            StateChanged: it is not waiting for a person's decision.
        """
        job = self._ledger.get(job_id)
        if job is None or job.state not in {WAITING, NOT_SENT}:
            raise StateChanged("It has been sent by now.")
        if job["account"] != self._account:
            raise StateChanged("It belongs to another account than the one in use.")
        self._holds.pop(job["model_name"], None)
        self._take(job)

    def resume(self) -> None:
        """Try the held queues now: somebody has acted on the account."""
        self._holds.clear()

    # -- what the tracker does ---------------------------------------------------------------------------

    def step(self) -> float | None:
        """Settle what is unknown and send what waits, as far as it is due; return when to come again."""
        now = self._clock()
        with self._lock:  # who is in hand first: a worker records before it lets go
            held = set(self._in_hand)
            mine = [job for job in self._ledger.unfinished() if job["account"] == self._account]
        mine = [job for job in mine if job.state in {INTENT, UNKNOWN, WAITING}]
        mine.sort(key=lambda job: self._tried.get(job.id, 0.0))  # one that is refused keeps nobody behind it
        busy = {job["model_name"] for job in mine if job.id in held}
        dues = [now + BUSY_PAUSES[0]]
        answered = True
        for job in mine:
            if job.id in held:
                continue
            if job.state == WAITING and job["code"] == NO_CONNECTION and self._too_old(job):
                self._ledger.append(job.id, only={WAITING}, state=NOT_SENT, message=TOO_OLD)
            elif job.state == WAITING:
                hold = self.hold_of(job["model_name"])
                if hold is not None:
                    dues.append(hold.until)
                elif job["model_name"] not in busy:  # one at a time: its answer says whether the rest may go
                    busy.add(job["model_name"])
                    self._take(job)
            elif answered:
                try:
                    dues.append(self._settle(job, now))
                except StateChanged as error:
                    log.warning("Task %s: %s", job.id, error)
                except KlingError:
                    answered = False  # the others would only wait as long, each
        return min(dues) if mine else None

    def hold_of(self, model_name: str) -> Hold | None:
        """Return what keeps tasks of this model from being sent right now."""
        holds = [self._holds.get(key) for key in (ACCOUNT, model_name)]
        now = self._clock()
        return max((hold for hold in holds if hold and hold.until > now), key=lambda h: h.until, default=None)

    @property
    def holds(self) -> tuple[Hold, ...]:
        """Everything that keeps a queue right now."""
        now = self._clock()
        return tuple(hold for hold in list(self._holds.values()) if hold.until > now)

    # -- one call ----------------------------------------------------------------------------------------

    def _take(self, job: Job) -> None:
        with self._lock:
            if job.id in self._in_hand:
                return
            self._in_hand.add(job.id)
        self._run(lambda: self._send(job))

    def _send(self, job: Job) -> None:
        """Make one POST and record what came of it. A record that fails leaves `intent`: it is looked up."""
        try:
            if job.state != INTENT:
                job = self._ledger.append(job.id, only={job.state}, state=INTENT)
            self._tried[job.id] = self._clock()
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
            self._in_hand.discard(job.id)

    def _accepted(self, job: Job, task: Task) -> None:
        self._look_ups.pop(job.id, None)
        self._unreached.pop(job.id, None)
        self._tried.pop(job.id, None)
        for key in (ACCOUNT, job["model_name"]):
            self._holds.pop(key, None)
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
                self._hold(ACCOUNT, message, 0)
            else:
                state, message = NOT_SENT, f"{message} Send it now, or withdraw it."
                self._unreached.pop(job.id)
        elif isinstance(error, SlowDown):
            state, message = WAITING, _words(error)
            self._hold(job["model_name"], message, error.code, at_least=error.retry_after or 0)
        elif isinstance(error, AccountBlocked):
            state, message = WAITING, f"{_words(error)} It waits here, and nothing was spent."
            key = job["model_name"] if error.code == MODEL_NOT_ALLOWED else ACCOUNT
            self._hold(key, message, error.code, needs_person=True)
        self._ledger.append(job.id, only=OPEN, state=state, message=message, **_support(error))

    def _too_old(self, job: Job) -> bool:
        """Whether a wish found no connection for so long that a person should say whether it is still one."""
        since = self._unreached.get(job.id, job.ordered_at.timestamp())
        return self._clock() - since >= YOUNG

    def _hold(
        self, key: str, reason: str, code: int, *, at_least: float = 0, needs_person: bool = False
    ) -> None:
        now = self._clock()
        before = self._holds.get(key)
        running = before is not None and before.until > now
        tries = before.tries + (not running) if before else 0  # several refusals of one moment count once
        pause = HOLD_PAUSE if needs_person else BUSY_PAUSES[min(tries, len(BUSY_PAUSES) - 1)]
        hold = Hold(now + max(pause, min(at_least, HOLD_PAUSE)), reason, code, tries, needs_person)
        if before is None or not running or hold.until > before.until:
            self._holds[key] = hold

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
