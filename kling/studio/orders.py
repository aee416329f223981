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
import unicodedata
from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from contextlib import suppress
from dataclasses import replace

from kling.errors import InvalidRequest, KlingError
from kling.models import TextToVideo
from kling.studio.admission import BUSY_PAUSES, Hold, Queue
from kling.studio.connection import Connection
from kling.studio.jobs import (
    FAILED,
    INTENT,
    NOT_SENT,
    UNKNOWN,
    WAITING,
    WITHDRAWN,
    Job,
    StateChanged,
    request_cells,
)
from kling.studio.ledger.csv_ledger import Ledger
from kling.studio.place import Place
from kling.studio.sender import NO_CONNECTION, TOO_OLD, Sender

log = logging.getLogger(__name__)

SAME_WISH = 3.0  # seconds after it was written in which the same draft pressed again is the same wish
KEPT = 600.0  # seconds for which a press is remembered: one made early may have waited long for the lock
CAME_TO_NOTHING = frozenset({WITHDRAWN, FAILED, NOT_SENT})  # such a wish may be ordered again at once
PERSON_LIMIT = 60  # characters of a name


class Orders:
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
        self._ledger, self._account = ledger, account
        self._run, self._clock, self._on_free = run, clock, on_free
        self._claims: dict[Hashable, tuple[float, str]] = {}
        rng = rng or random.Random()  # noqa: S311 - jitter, no secret
        self._queue = Queue(ledger, account, clock=clock, rng=rng)
        self._sender = Sender(ledger, connection, self._queue, resend=self._take, clock=clock)

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
            LedgerError: the log cannot be written; none was recorded, and none is sent.
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
        pressed = self._clock()
        jobs: dict[str, Job] = {}  # by id, in the order of the wishes
        rows: list[tuple[str, dict[str, str]]] = []
        claims: dict[Hashable, str] = {}
        going: set[str] = set()
        with self._queue.lock:
            room = {job["model_name"]: 0 for job in self._queue.waiting()}  # who came first goes first
            self._claims = {key: kept for key, kept in self._claims.items() if pressed - kept[0] < KEPT}
            for request, take in wishes:
                claim = (session, repr(request), take)
                written, kept = self._claims.get(claim, (0.0, ""))
                job = self._ledger.get(kept) if pressed - written < SAME_WISH else None
                if job is not None and job.state not in CAME_TO_NOTHING:
                    jobs[job.id] = job
                    continue
                job_id = f"v{int(pressed * 1000):012x}{secrets.token_hex(6)}"  # no number to a spreadsheet
                model, name = request.model_name, _name(person)
                if self._goes(job_id, model, name, room):
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
                claims[claim] = job_id
            try:
                recorded = self._ledger.append_many(rows)
            except BaseException:
                for job_id in going:
                    self._queue.let_go(job_id)  # if its row is there all the same, it is looked up
                raise
            written = self._clock()  # a slow disk takes nothing off the time for a second press
            self._claims |= {claim: (written, job_id) for claim, job_id in claims.items()}
        for job in recorded:
            jobs[job.id] = job
            if job.id in going:
                self._hand_over(job)
        if len(going) < len(recorded):
            self._send_whose_turn_it_is()
        return list(jobs.values())

    def _goes(self, job_id: str, model: str, person: str, room: dict[str, int]) -> bool:
        """Take a new wish into hand if there is room; `room` is what is left, asked once a model."""
        if model not in room:
            room[model] = self._queue.room(model)
        if goes := room[model] > 0:
            room[model] -= 1
            self._queue.take(job_id, model=model, person=person)
        return goes

    def withdraw(self, job_id: str) -> Job:
        """Take back a wish that was not sent.

        Raises:
            StateChanged: it has been sent by now.
            LedgerError: nothing was recorded.
        """
        with self._queue.lock:
            if job_id in self._queue.in_hand:
                raise StateChanged("It is being sent right now.")
            return self._ledger.append(
                job_id, only={WAITING, NOT_SENT}, state=WITHDRAWN, message="Withdrawn; nothing was spent."
            )

    def withdraw_group(self, group: str) -> int:
        """Take back every wish of a batch that was not sent; return how many.

        Raises:
            LedgerError: nothing was recorded.
        """
        with self._queue.lock:
            mine = [job.id for job in self._queue.waiting() if group and job.group == group]
            taken_back = {"state": WITHDRAWN, "message": "Withdrawn; nothing was spent."}
            count = len(self._ledger.append_many([(job_id, taken_back) for job_id in mine]))
        for job in self._ledger.jobs():
            if group and job.group == group and job.state == NOT_SENT:
                with suppress(StateChanged):  # somebody has just sent it after all
                    self.withdraw(job.id)
                    count += 1
        return count

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
        self._queue.try_now(job["model_name"])
        if job.state == NOT_SENT:
            self._take(job)
        else:
            self._send_whose_turn_it_is()

    def resume(self) -> None:
        """Try the held queues now: somebody has acted on the account."""
        self._queue.resume()

    # -- what the poller does ---------------------------------------------------------------------------

    def step(self) -> float | None:
        """Settle what is unknown and send what waits, as far as it is due; return when to come again."""
        now = self._clock()
        with self._queue.lock:  # who is in hand first: a worker records before it lets go
            held = self._queue.in_hand
            waiting = self._queue.waiting()
            mine = [job for job in self._queue.mine() if job.state in {INTENT, UNKNOWN, WAITING}]
        dues = [now + BUSY_PAUSES[0]]
        for job in waiting:  # before anything is asked: an answer now says nothing about the time before
            if job["code"] == NO_CONNECTION and self._sender.too_old(job):
                with suppress(StateChanged):  # somebody has just withdrawn it
                    self._ledger.append(job.id, only={WAITING}, state=NOT_SENT, message=TOO_OLD)
        answered = True
        for job in mine:
            if job.id not in held and job.state != WAITING and answered:
                try:
                    dues.append(self._sender.settle(job, now))
                except StateChanged as error:
                    log.warning("Task %s: %s", job.id, error)
                except KlingError:
                    answered = False  # the others would only wait as long, each
        self._send_whose_turn_it_is()
        models = {job["model_name"] for job in mine if job.state == WAITING}
        dues.extend(due for model in models if (due := self._queue.due(model)))
        return min(dues) if mine else None

    def looked(self) -> None:
        """Take note that the poller has just seen all tasks that run."""
        self._queue.looked()

    # -- what a page shows -------------------------------------------------------------------------------

    @property
    def holds(self) -> tuple[Hold, ...]:
        """Everything that keeps a queue right now."""
        return self._queue.holds

    def places(self) -> dict[str, Place]:
        """Return where each wish that waits stands in its line and why, by its id."""
        return self._queue.places()

    # -- whose turn it is --------------------------------------------------------------------------------

    def _send_whose_turn_it_is(self) -> None:
        for job in self._queue.going():
            self._hand_over(job)

    # -- one call ----------------------------------------------------------------------------------------

    def _take(self, job: Job) -> None:
        with self._queue.lock:
            if job.id in self._queue.in_hand:
                return
            self._queue.take(job.id, model=job["model_name"], person=job["person"])
        self._hand_over(job)

    def _hand_over(self, job: Job) -> None:
        def send() -> None:
            self._sender.send(job)
            self._on_free()

        self._run(send)


def _name(person: str) -> str:
    """Return a name without what could make it look like another: control and direction marks."""
    visible = "".join(char for char in person if char.isspace() or unicodedata.category(char)[0] != "C")
    return " ".join(visible.split())[:PERSON_LIMIT]
