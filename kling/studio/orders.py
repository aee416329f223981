"""From a press to jobs: each request is checked, a second press is recognised, and then a job is recorded.

Nothing is sent before its job is on the disk.

order ── row `intent`, fsynced ──▶ send ──▶ submitted
                                      ├ refused for now ──▶ waiting ──▶ send
                                      ├ refused for good, and a look-up finds none ──▶ failed
                                      └ may exist ──▶ unknown ──▶ look up ──▶ submitted
                                                                     ├ none, after the lag ──▶ send, same id
                                                                     └ none, after 15 minutes ──▶ not_sent
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from kling.endpoint import AnyRequest, Request
from kling.errors import InvalidRequest
from kling.image_to_video import ImageToVideo
from kling.pictures import is_reference
from kling.problems import Problem
from kling.studio.admission import AdmissionControl
from kling.studio.budgets import Budgets
from kling.studio.evidence import Evidence
from kling.studio.ids import new_id
from kling.studio.jobs import (
    FAILED,
    INTENT,
    NOT_SENT,
    UNKNOWN,
    WAITING,
    WITHDRAWN,
    Job,
    StateChanged,
    UnknownEndpoint,
    dump_json,
    request_cells,
)
from kling.studio.ledger import Ledger
from kling.studio.sender import NO_CONNECTION
from kling.studio.visible_names import PERSON_LIMIT, visible

__all__ = ["PERSON_LIMIT", "SAME_PRESS", "Orders", "Press", "visible"]

SAME_PRESS = 3.0  # seconds after the first press was recorded in which an equal press orders nothing new
REMEMBERED = 600.0  # seconds for which a press is remembered: a second one may have waited long for the lock
CAME_TO_NOTHING = frozenset({WITHDRAWN, FAILED, NOT_SENT})  # such a job may be ordered again at once

WITHDRAWN_MESSAGE = "Cancelled."
GIVEN_UP_MESSAGE = (
    "Given up. If Kling has it all the same, it is charged, and followed as soon as Kling shows it."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Press:
    """A press of the button: who pressed, and where its jobs belong.

    Args:
        person: the name that the jobs are shown under.
        person_id: stays the same when the name changes; empty where there is no sign-in.
        by_admin: whether an admin pressed, who may order what has no known price although a limit applies.
        session: the id of the browser's session. It tells the equal drafts of two people apart.
        parent: the id of the job that they were remixed from, empty if there is none.
        group: the id of the batch that they belong to, empty if there is none.
        template: the id of the template that they were made from, empty if there is none.
        continues: whether they begin with the last frame of `parent`, and so go on with its film (`films`).
    """

    person: str
    session: str
    person_id: str = ""
    by_admin: bool = False
    parent: str = ""
    group: str = ""
    template: str = ""
    continues: bool = False

    @property
    def who(self) -> str:
        """Who pressed, as the queue tells people apart (`Job.who`)."""
        return self.person_id or visible(self.person)


@dataclass(slots=True)
class _Plan:
    """What is done for one press.

    Args:
        jobs: one for each request, by id and in their order; those of new ids are still empty.
        rows: the changes to record, one for each new job.
        claims: the ids of the new jobs by their claim (see `Orders._claims`).
        prices: of the new jobs, in Units; None for a price that nobody knows.
        to_send: ids of the new jobs that have a slot and are sent at once.
    """

    jobs: dict[str, Job] = field(default_factory=dict)
    rows: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    claims: dict[Hashable, str] = field(default_factory=dict)
    prices: list[Decimal | None] = field(default_factory=list)
    to_send: set[str] = field(default_factory=set)


class Orders:
    """Records jobs for one account, one for each request that a press asks for, and lets people act on them.

    Args:
        ledger, admission, evidence: the studio's parts.
        budgets: are asked in one step with the record of an order; None allows everything.
        account: gives the name of the account that new jobs are recorded under.
        mark: gives the mark of the data folder, which is a part of each new id.
        owns: whether a job is this studio's to act on (`Accounts.owns`).
        hand_over: hands an acquired job to a worker, which sends it.
        retired_ok: whether the account decides by itself about models that Kling has retired.
        key_problems: says why the account's key does not open the endpoint of a request.
        account_cells: further cells of each new job, such as the price of a Unit.
        clock: Unix seconds, used only for times that are recorded or shown.
        monotonic: seconds of a clock that never jumps.
    """

    def __init__(
        self,
        ledger: Ledger,
        admission: AdmissionControl,
        evidence: Evidence,
        *,
        budgets: Budgets | None = None,
        account: Callable[[], str],
        mark: Callable[[], str],
        owns: Callable[[Job], bool],
        hand_over: Callable[[Job], None],
        retired_ok: bool = False,
        key_problems: Callable[[Request], Sequence[Problem]] = lambda _: (),
        account_cells: Mapping[str, str] | None = None,
        clock: Callable[[], float],
        monotonic: Callable[[], float],
    ) -> None:
        self._ledger, self._admission, self._evidence = ledger, admission, evidence
        self._budgets = budgets
        self._account, self._mark, self._owns, self._hand_over = account, mark, owns, hand_over
        self._key_problems = key_problems
        self._account_cells, self._retired_ok = dict(account_cells or {}), retired_ok
        self._clock, self._monotonic = clock, monotonic
        # A claim is a session, a request and its take: equal claims are the same press. By claim, the time
        # when the job was recorded (monotonic) and its id.
        self._claims: dict[Hashable, tuple[float, str]] = {}

    # -- ordering ----------------------------------------------------------------------------------------

    def order_all(self, requests: Sequence[AnyRequest], press: Press) -> list[Job]:
        """Record a job for each request of one press in one write, and send as many as slots are free.

        An equal press within `SAME_PRESS` seconds makes no new jobs. Equal requests within one press are
        deliberate repeats (takes), each a job of its own.

        Args:
            requests: each without an `external_task_id`.
            press: who pressed.

        Returns:
            A job for each request, in their order.

        Raises:
            InvalidRequest: one of them breaks rules of the API; none was recorded.
            OverBudget: together they would pass a limit; none was recorded.
            LedgerError: the log cannot be written; none was recorded, and none is sent.
        """
        found = (self.problems(request) for request in requests)
        if problems := tuple(dict.fromkeys(problem for each in found for problem in each)):
            raise InvalidRequest(problems)
        pressed = self._monotonic()
        if self._budgets is not None:
            self._budgets.prepare()  # may wait for the database, so no lock is held
        with self._admission.lock:
            plan = self._plan(requests, press, pressed)
            try:
                recorded = self._ledger.append_many(plan.rows, check=lambda: self._check_budgets(plan, press))
            except BaseException:
                for job_id in plan.to_send:
                    self._admission.release(job_id)  # if a row was written all the same, it is looked up
                raise
            written = self._monotonic()  # counted from here, so that a slow disk does not shorten SAME_PRESS
            self._evidence.ordered((job.id for job in recorded), written)
            self._claims |= {claim: (written, job_id) for claim, job_id in plan.claims.items()}
        jobs = plan.jobs | {job.id: job for job in recorded}
        for job in recorded:
            if job.id in plan.to_send:
                self._hand_over(job)
        if len(plan.to_send) < len(recorded):
            self.send_ready()
        return list(jobs.values())

    def problems(self, request: AnyRequest) -> tuple[Problem, ...]:
        """Return why a request cannot be ordered here; empty if it can.

        Besides the rules of the API these are what the account's key opens, and that the bytes of a picture
        are never in a record: it names the picture.
        """
        found = [*request.problems(retired_ok=self._retired_ok), *self._key_problems(request)]
        if isinstance(request, ImageToVideo):
            frames = {"image": request.image, "image_tail": request.image_tail}
            given = [field for field, value in frames.items() if value and not is_reference(value)]
            found += (Problem(field, "Add the picture to the studio first.") for field in given)
        return tuple(found)

    def _check_budgets(self, plan: _Plan, press: Press) -> None:
        if self._budgets is not None:
            self._budgets.check(
                plan.prices,
                person_id=press.person_id,
                name=visible(press.person),
                by_admin=press.by_admin,
            )

    def _plan(self, requests: Sequence[AnyRequest], press: Press, pressed: float) -> _Plan:
        """Tell requests that were pressed before from new ones, and acquire the new ones that have a slot."""
        plan = _Plan()
        free = {job["model_name"]: 0 for job in self._admission.waiting()}  # older jobs take the slots first
        self._claims = {key: past for key, past in self._claims.items() if pressed - past[0] < REMEMBERED}
        taken: Counter[str] = Counter()
        for request in requests:
            described = repr(request)
            taken[described] += 1
            take = taken[described]
            claim = (press.session, described, take)
            written, past_id = self._claims.get(claim, (0.0, ""))
            before = self._ledger.get(past_id) if pressed - written < SAME_PRESS else None
            if before is not None and before.state not in CAME_TO_NOTHING:
                plan.jobs[before.id] = before
                continue
            job_id = new_id(self._mark(), self._clock())
            if self._acquire_if_free(job_id, request.model_name, press.who, free):
                plan.to_send.add(job_id)
            cells = self._cells(replace(request, external_task_id=job_id), press, take)
            cells["state"] = INTENT if job_id in plan.to_send else WAITING
            plan.jobs[job_id] = Job()  # holds its position among the jobs until it is recorded
            plan.rows.append((job_id, cells))
            plan.prices.append(request.units())
            plan.claims[claim] = job_id
        return plan

    def _acquire_if_free(self, job_id: str, model: str, person: str, free: dict[str, int]) -> bool:
        """Acquire a new job if its model has a free slot; return whether it has.

        Args:
            job_id: of the new job.
            model: of the new job.
            person: whose turn it takes.
            free: free slots by model, asked for once a model and counted down here.
        """
        if model not in free:
            free[model] = self._admission.free_slots(model)
        if is_free := free[model] > 0:
            free[model] -= 1
            self._admission.acquire(job_id, model=model, person=person)
        return is_free

    def _cells(self, request: AnyRequest, press: Press, take: int) -> dict[str, str]:
        hold = self._admission.hold_of(request.model_name)
        extra = ({"take": take} if take > 1 else {}) | (
            {"template": visible(press.template)} if press.template else {}
        )
        if press.continues and press.parent:
            extra["continues"] = True
        return {
            "code": NO_CONNECTION if hold and hold.code == 0 else "",
            "person": visible(press.person),
            "person_id": press.person_id,
            "account": self._account(),
            "parent": visible(press.parent),
            "batch": visible(press.group),
            "extra": dump_json(extra) if extra else "",
            **self._account_cells,
            **request_cells(request),
        }

    # -- decisions of a person about a job that is not accepted --------------------------------------------

    def withdraw(self, job_id: str) -> Job:
        """Take back a job that was not sent.

        Raises:
            StateChanged: it has been sent by now, or its endpoint is not known.
            LedgerError: nothing was recorded.
        """
        with self._admission.lock:
            self._check_endpoint(job_id)
            if job_id in self._admission.in_flight:
                raise StateChanged("It is being sent right now.")
            return self._ledger.append(
                job_id, only={WAITING, NOT_SENT}, state=WITHDRAWN, message=WITHDRAWN_MESSAGE
            )

    def withdraw_group(self, group: str) -> int:
        """Take back every job of a batch that was not sent, as `withdraw` does; return how many.

        Raises:
            LedgerError: nothing was recorded.
        """
        with self._admission.lock:
            in_flight = self._admission.in_flight
            mine = [
                job.id
                for job in (self._ledger.index.batch(group) if group else [])
                if job.state in {WAITING, NOT_SENT} and job.id not in in_flight and job.endpoint is not None
            ]
            cells = {"state": WITHDRAWN, "message": WITHDRAWN_MESSAGE}
            return len(self._ledger.append_many([(job_id, cells) for job_id in mine]))

    def give_up(self, job_id: str) -> Job:
        """End a job that has been looked up for long. A person takes the risk that Kling has it all the same.

        Raises:
            StateChanged: it is not being looked up any more, or its endpoint is not known.
            LedgerError: nothing was recorded.
        """
        with self._admission.lock:
            self._check_endpoint(job_id)
            if job_id in self._admission.in_flight:
                raise StateChanged("It is being sent right now.")
            return self._ledger.append(
                job_id,
                only={UNKNOWN},
                state=WITHDRAWN,
                message=GIVEN_UP_MESSAGE,
                extra=dump_json({"given_up": True}),
            )

    def _check_endpoint(self, job_id: str) -> None:
        """Refuse a decision that this version cannot judge: Kling may have the task where it cannot look.

        Raises:
            UnknownEndpoint: this version of the studio does not know the endpoint of the job.
        """
        job = self._ledger.get(job_id)
        if job is not None and job.endpoint is None:
            raise UnknownEndpoint(job["endpoint"])

    def left(self) -> list[Job]:
        """Return the jobs of the account that were left to a person to send or withdraw."""
        return [job for job in self._ledger.index.left() if self._owns(job)]

    def send_left(self) -> int:
        """Send every job that was left to a person, as `send_again` does; return how many.

        Raises:
            LedgerError: the change of one was not recorded; those after it were not tried.
        """
        count = 0
        for job in self.left():
            with contextlib.suppress(StateChanged):
                self.send_again(job.id)
                count += 1
        return count

    def send_again(self, job_id: str) -> None:
        """Send a job that was left to a person, with its own id; or, for a job that waits, try its queue now.

        No budget is asked: the price of such a job has been reserved since it was ordered.
        If this process has not seen all calls for the job, Kling is asked first whether it has the task.

        Raises:
            StateChanged: it is not waiting for a person's decision, or its endpoint is not known.
            LedgerError: nothing was recorded.
        """
        self._check_endpoint(job_id)
        job = self._ledger.get(job_id)
        if job is None or job.state not in {WAITING, NOT_SENT}:
            raise StateChanged("It has been sent by now.")
        if not self._owns(job):
            raise StateChanged("It belongs to another account than the one in use.")
        self._admission.try_now(job["model_name"])
        calls = self._evidence.of(job)
        if job.state == WAITING and job_id not in self._ledger.unconfirmed:
            self.send_ready()
        elif calls.proved or (calls.whole and not calls.open):
            self.send(job)
        else:
            calls.open, calls.arrived = True, True
            self._ledger.append(
                job_id,
                only={job.state},
                state=UNKNOWN,
                code="0",
                message="Kling is asked first whether it has it already.",
                extra=dump_json({"decide": False}),
            )
            self._ledger.confirm(job_id)

    # -- sending -----------------------------------------------------------------------------------------

    def send_ready(self) -> None:
        """Hand over the waiting jobs that may go now."""
        for job in self._admission.take_ready():
            self._hand_over(job)

    def send(self, job: Job) -> None:
        """Hand over one job at once, past the queue. It keeps its id, so Kling accepts it at most once."""
        with self._admission.lock:
            if job.id in self._admission.in_flight:
                return
            self._admission.acquire(job.id, model=job["model_name"], person=job.who)
        self._hand_over(job)
