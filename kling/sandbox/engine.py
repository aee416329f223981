"""The API itself: one step from (state, request, now) to an answer, with no clock and no network of its own.

The state is the store. Clips are drawn elsewhere; a task ends when its time has come and its clip is ready.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from kling.sandbox import contract
from kling.sandbox.auth import Keys, authenticate
from kling.sandbox.body_faults import a_stranger, hide_late_result, with_faults
from kling.sandbox.pace import Pace
from kling.sandbox.plans import TASK_FAULTS, Plan, Plans
from kling.sandbox.responses import PACK_MS, cleared, created_body, pack_body, task_body
from kling.sandbox.rules import Refused, read_request, refusal, trigger, units
from kling.sandbox.store import Store, Task

TASKS = "/v1/videos/text2video"
COSTS = "/account/costs"
RISK_CONTROL = "Failure to pass the risk control system"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How this sandbox behaves. An engine's settings may be replaced while it runs.

    Args:
        keys: of its account. Another account is another engine.
        more_keys: of the same account: they see the same tasks. A key that is rotated moves from the one to
            the other, or is gone.
        concurrency: tasks in flight per model (S2).
        units: of the pack bought when the sandbox starts; None: no pack, tasks are paid for later.
        pace: of tasks for which nothing else is planned.
        retired: `serve` or `refuse` models that Kling has retired, and bodies that name no model.
        strict: refuse unknown keys, integer durations, a missing Content-Type and hasty account queries.
        lag: seconds for which a task that is created from now on is not shown by queries and lists. It is
            accepted: its place and its external_task_id are taken, and callbacks tell of it.
        duplicates: `refuse` or `accept` a second create with the same external_task_id. A query by that id
            shows the first of its tasks.
        faults: of all answers, beside what is planned: names out of BODY_FAULTS, see plans.py.
    """

    keys: Keys = field(default_factory=Keys)
    more_keys: tuple[Keys, ...] = ()
    concurrency: int = 20
    units: float | None = None
    pace: Pace = field(default_factory=Pace)
    retired: str = "refuse"
    strict: bool = False
    lag: float = 0.0
    duplicates: str = "refuse"
    faults: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """An HTTP request, as far as the API looks at it.

    Args:
        method, path: as sent, the path decoded.
        query: the query's parameters.
        headers: by lower-case name.
        body: whole.
        id: of this request, made by whoever received it.
        base_url: under which the caller reaches the sandbox; clip URLs start with it.
    """

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    id: str = "request"
    base_url: str = "http://127.0.0.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The status and the JSON body of an answer, and the plan whose fault is to happen to it."""

    status: int
    body: Mapping[str, Any]
    plan: Plan = field(default_factory=Plan)


class Engine:
    """The API over one store.

    Args:
        store: the state.
        settings: how it behaves.
        now: seconds since the epoch at which its pack is bought.
    """

    def __init__(self, store: Store, settings: Settings, now: float) -> None:
        self.store = store
        self.settings = settings
        self.plans = Plans()
        self._costs_at = 0.0
        self._advanced = int(store.noted("advanced_ms", "0"))
        self._bought_at = self.clock(now)

    def clock(self, now: float) -> int:
        """Return the sandbox's time in ms: the real time and what it was advanced by."""
        return int(now * 1000) + self._advanced

    def advance(self, ms: int) -> None:
        """Put the sandbox's clock forward; tasks age, tokens do not."""
        self._advanced += ms
        self.store.note("advanced_ms", str(self._advanced))

    def reset(self, now: float) -> None:
        """Forget tasks, plans and the clock's advance, and buy a new pack."""
        self.store.clear()
        self.plans.clear()
        self.advance(-self._advanced)
        self._bought_at = self.clock(now)

    def handle(self, request: Request, now: float) -> Answer:
        """Answer one request.

        Args:
            request: hostile.
            now: seconds since the epoch.
        """
        time = self.clock(now)
        self.store.settle(time)
        plan = Plan()
        try:
            keys = (self.settings.keys, *self.settings.more_keys)
            authenticate(request.headers.get("authorization"), keys, now)
            call, wish = self._read(request)
            plan = self.plans.take(call, *self._named(request, wish))
            data = self._step(call, request, wish, plan, time)
        except Refused as refused:
            answer = refused_answer(refused.code, refused.message, request.id, plan)
        else:
            body = {"code": 0, "message": "SUCCEED", "request_id": request.id, "data": data}
            answer = Answer(status=200, body=body, plan=plan)
        return replace(answer, body=with_faults(dict(answer.body), self._faults(plan), time))

    def clip(self, task_id: str, now: float) -> Task | None:
        """Return the task whose clip may be downloaded: one that succeeded, at most 30 days ago."""
        time = self.clock(now)
        self.store.settle(time)
        task = self.store.find(task_id)
        if task is None or task.task_id != task_id or task.status(time) != "succeed" or cleared(task, time):
            return None
        return task

    def _read(self, request: Request) -> tuple[str, dict[str, Any]]:
        """Return which call of the API a request is and, for a create, what is wished."""
        path = request.path.rstrip("/")
        known = path in {TASKS, COSTS} or path.startswith(f"{TASKS}/")
        if not known:
            raise Refused(1203, f"path: {request.path[:200]} does not exist in this API")
        if path == TASKS and request.method == "POST":
            typed = request.headers.get("content-type", "").startswith("application/json")
            if self.settings.strict and not typed:
                raise Refused(1200, "Content-Type: must be application/json")
            settings = self.settings
            return "create", read_request(request.body, strict=settings.strict, retired=settings.retired)
        if request.method != "GET":
            raise Refused(1202, f"method: {request.method[:20]} is not allowed at {path[:200]}")
        return {TASKS: "list", COSTS: "costs"}.get(path, "query"), {}

    def _named(self, request: Request, wish: Mapping[str, Any]) -> list[str]:
        """Return the ids of the task that a call is about."""
        external_task_id = wish.get("external_task_id", "")
        either_id = request.path.removeprefix(TASKS).removeprefix("/")
        task = self.store.find(either_id) if either_id else None
        known = [task.task_id, task.external_task_id or ""] if task else []
        return [named for named in (external_task_id, *known) if named]

    def _step(self, call: str, request: Request, wish: dict[str, Any], plan: Plan, now: int) -> Any:
        if plan.code is not None:
            raise Refused(plan.code, plan.message)
        if plan.fault and not plan.accept:
            raise Refused(5000, "The request was lost, as planned")
        faults = self._faults(plan)
        match call:
            case "create":
                return self._create(wish, plan, request.base_url, now)
            case "list" if "list-404" in faults:
                raise Refused(1203, f"path: {TASKS} does not exist in this API")
            case "list":
                return self._list(request, faults, now)
            case "query" if "stranger" in faults:
                return self._stranger(request, now)
            case "query":
                return self._query(request, now)
            case _:
                return self._costs(request, now)

    def _faults(self, plan: Plan) -> frozenset[str]:
        """Return the names of all faults that a call meets."""
        return self.settings.faults | ({plan.fault} if plan.fault else set())

    def _create(self, wish: dict[str, Any], plan: Plan, base_url: str, now: int) -> dict[str, Any]:
        external_task_id = wish.get("external_task_id")
        unique = self.settings.duplicates == "refuse"
        if unique and external_task_id and self.store.taken(external_task_id):
            raise refusal("external-task-id-unique", external_task_id=external_task_id[:200])
        asked = trigger(wish)
        if asked and asked != "failed":
            words = contract.ERRORS[int(asked)]["message"]
            raise Refused(int(asked), f"{words} (prompt: the word sandbox-{asked} asked for this answer)")
        price = units(wish)
        if self.settings.units is not None and price > self._units_left(now):
            raise refusal("balance")
        if self.store.open[wish["model_name"]] >= self.settings.concurrency:
            raise refusal("concurrency")
        fails = plan.outcome == "failed" or asked == "failed"
        lag = self.settings.lag if plan.lag is None else plan.lag
        task = self.store.add(
            wish,
            now=now,
            units=price,
            pace=plan.pace or self.settings.pace,
            failure=(plan.message or RISK_CONTROL) if fails else None,
            clip_fault=plan.fault if plan.fault in TASK_FAULTS else None,
            base_url=base_url,
            lag_ms=round(lag * 1000),
        )
        return created_body(task)

    def _query(self, request: Request, now: int) -> dict[str, Any]:
        either_id = _asked_id(request)
        task = self.store.find(either_id, shown_at=now)
        if task is None:
            raise refusal("task-not-found", id=either_id[:200])
        return self._body(task, request, now)

    def _stranger(self, request: Request, now: int) -> dict[str, Any]:
        """Return another task than the one that is asked for: one of this account if there is one."""
        asked = self.store.find(_asked_id(request))
        for task in self.store.page(1, 2, shown_at=now):
            if asked is None or task.task_id != asked.task_id:
                return self._body(task, request, now)
        return a_stranger(request.base_url, now)

    def _list(self, request: Request, faults: frozenset[str], now: int) -> list[dict[str, Any]]:
        number = _whole(request.query, "pageNum", 1, 1000, default=1)
        size = _whole(request.query, "pageSize", 1, 500, default=30)
        page = self.store.page(number, size, oldest_first="other-order" in faults, shown_at=now)
        return [self._body(task, request, now) for task in page]

    def _body(self, task: Task, request: Request, now: int) -> dict[str, Any]:
        body = task_body(self._shown(task, now), request.base_url, now)
        if task.clip_fault == "late-videos":
            hide_late_result(body, now)
        return body

    def _shown(self, task: Task, now: int) -> Task:
        """Return a task as it is after it was shown once more: its end may depend on that."""
        if task.polls is None or task.finished_at is not None:
            return task
        self.store.mark_shown(task, now)
        self.store.settle(now)
        return self.store.find(task.task_id) or task

    def _costs(self, request: Request, now: int) -> dict[str, Any]:
        if self.settings.strict and abs(now - self._costs_at) < 1000:
            raise refusal("costs-rate")
        self._costs_at = now
        for name in ("start_time", "end_time"):
            _whole(request.query, name, 0, 10**15)
        data: dict[str, Any] = {"code": 0, "msg": "success"}
        if self.settings.units is None:
            return data  # observed (S6): without packs the list is absent
        pack = pack_body(
            total=self.settings.units,
            left=round(self.settings.units - self.store.units_used, 2),
            concurrency=self.settings.concurrency,
            bought_at=self._bought_at,
            now=now,
        )
        if request.query.get("resource_pack_name") not in {None, "", pack["resource_pack_name"]}:
            return data
        return data | {"resource_pack_subscribe_infos": [pack]}

    def _units_left(self, now: int) -> float:
        if now >= self._bought_at + PACK_MS:
            return 0.0
        return round((self.settings.units or 0.0) - self.store.units_used - self.store.units_open, 2)


def refused_answer(code: int, message: str, request_id: str, plan: Plan | None = None) -> Answer:
    """Return the answer for one of the API's error codes; it has no `data` (S2, as the sample of 1303)."""
    body = {"code": code, "message": message, "request_id": request_id}
    return Answer(status=int(contract.ERRORS[code]["http"]), body=body, plan=plan or Plan())


def _asked_id(request: Request) -> str:
    """Return the id in the path of a query."""
    return request.path.removeprefix(f"{TASKS}/")


def _whole(query: Mapping[str, str], name: str, least: int, most: int, default: int | None = None) -> int:
    text = query.get(name)
    if text is None and default is not None:
        return default
    # isascii: int() also reads other scripts' digits
    digits = text is not None and text.isascii() and text.isdigit() and len(text) <= 16
    if text is None or not digits or not least <= int(text) <= most:
        raise Refused(1201, f"{name}: must be a whole number between {least} and {most}")
    return int(text)
