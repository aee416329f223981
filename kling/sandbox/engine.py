"""The API itself: one step from (state, request, now) to an answer, without a clock or a network of its own.

The state is the store. Clips are drawn by other processes; a task ends when it is due and its clip is drawn.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from kling.sandbox import contract
from kling.sandbox.account import Account
from kling.sandbox.audio import with_source
from kling.sandbox.auth import authenticate
from kling.sandbox.body_faults import foreign_task, hide_late_result, newer_foreign_task, with_body_faults
from kling.sandbox.calls import Call, Request, is_newer, parse_call
from kling.sandbox.newer_responses import newer_created_body, newer_task_body
from kling.sandbox.plans import TASK_FAULTS, Plan, Plans
from kling.sandbox.refusals import Refused, refusal
from kling.sandbox.responses import created_body, is_result_deleted, task_body
from kling.sandbox.rules import trigger, units, whole_number
from kling.sandbox.settings import Settings
from kling.sandbox.store import Store
from kling.sandbox.task import Task, slot_of

RISK_CONTROL = "Failure to pass the risk control system"

__all__ = ["RISK_CONTROL", "Answer", "Engine", "Request", "refused_answer"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The status and the JSON body of an answer, and the plan that was used for it."""

    status: int
    body: Mapping[str, Any]
    plan: Plan = field(default_factory=Plan)


class Engine:
    """The API over one store.

    Args:
        store: the tasks.
        settings: how the sandbox behaves.
        now: seconds since the epoch, at which the account's pack is bought.
    """

    def __init__(self, store: Store, settings: Settings, now: float) -> None:
        self.store = store
        self.settings = settings
        self.plans = Plans()
        self._advanced = int(store.get_meta("advanced_ms", "0"))
        self._account = Account(store, self.clock(now))

    def clock(self, now: float) -> int:
        """Return the sandbox's time in ms: the real time plus what its clock was advanced by."""
        return int(now * 1000) + self._advanced

    def advance(self, ms: int) -> None:
        """Put the sandbox's clock forward. Tasks grow older by this; tokens do not expire by it."""
        self._advanced += ms
        self.store.set_meta("advanced_ms", str(self._advanced))

    def reset(self, now: float) -> None:
        """Delete all tasks and plans, set the clock back to the real time, and buy a new pack."""
        self.store.clear()
        self.plans.clear()
        self.advance(-self._advanced)
        self._account.buy_pack(self.clock(now))

    def handle(self, request: Request, now: float) -> Answer:
        """Answer one request.

        Args:
            request: nothing in it is trusted.
            now: seconds since the epoch.
        """
        time = self.clock(now)
        self.store.finish_due(time)
        plan = Plan()
        try:
            keys = (self.settings.keys, *self.settings.more_keys)
            newer = is_newer(request.path)
            authenticate(request.headers.get("authorization"), keys, now, keys_only=newer)
            call = parse_call(request, self.settings)
            plan = self.plans.take(call.name, *self._ids(call))
            data = self._run(call, request, plan, time)
        except Refused as refused:
            answer = refused_answer(refused.code, refused.message, request.id, plan)
        else:
            body = {"code": 0, "message": "SUCCEED", "request_id": request.id, "data": data}
            answer = Answer(status=200, body=body, plan=plan)
        return replace(answer, body=with_body_faults(dict(answer.body), self._faults(plan), time))

    def clip(self, task_id: str, now: float) -> Task | None:
        """Return the task with this id if its clip may be downloaded: it succeeded at most 30 days ago."""
        time = self.clock(now)
        self.store.finish_due(time)
        task = self.store.find(task_id)
        if task is None or task.task_id != task_id or task.status(time) != "succeed":
            return None
        return None if is_result_deleted(task, time) else task

    def _ids(self, call: Call) -> list[str]:
        """Return the ids by which a plan may name a task that a call is about."""
        external_task_id = call.task_request.get("external_task_id", "")
        asked = [call.either_id] if call.either_id else list(call.ids.ids) if call.ids else []
        tasks = [task for one in asked if (task := self.store.find(one))]
        known = [either for task in tasks for either in (task.task_id, task.external_task_id or "")]
        return [one for one in (external_task_id, *known) if one]

    def _run(self, call: Call, request: Request, plan: Plan, now: int) -> Any:
        """Return `data` of the answer to a call, or raise Refused."""
        if plan.code is not None:
            raise Refused(plan.code, plan.message)
        if plan.fault and not plan.accept:
            raise Refused(5000, "The request was lost, as planned")
        faults = self._faults(plan)
        match call.name:
            case "create":
                return self._create(call, plan, request.base_url, now)
            case "list" if "list-404" in faults:
                raise Refused(1203, f"path: {call.endpoint} does not exist in this API")
            case "list":
                return self._list(call, request, faults, now)
            case "query" if "stranger" in faults:
                return self._other_task(call, request, now)
            case "query":
                return self._query(call, request, now)
            case _:
                return self._account.costs(
                    request.query,
                    total=self.settings.units,
                    concurrency=self.settings.concurrency,
                    strict=self.settings.strict,
                    now=now,
                )

    def _faults(self, plan: Plan) -> frozenset[str]:
        """Return the names of all faults that an answer must have."""
        return self.settings.faults | ({plan.fault} if plan.fault else set())

    def _create(self, call: Call, plan: Plan, base_url: str, now: int) -> dict[str, Any]:
        task_request: Mapping[str, Any] = call.task_request
        external_task_id = task_request.get("external_task_id")
        unique = self.settings.duplicates == "refuse"
        if unique and external_task_id and self.store.has_external_task_id(external_task_id):
            raise refusal("external-task-id-unique", external_task_id=external_task_id[:200])
        triggered = trigger(task_request)
        if triggered and triggered != "failed":
            message = contract.ERRORS[int(triggered)]["message"]
            raise Refused(
                int(triggered), f"{message} (prompt: the word sandbox-{triggered} asked for this answer)"
            )
        if call.endpoint == contract.VIDEO_TO_AUDIO:
            task_request = with_source(dict(task_request), self.store, now)
        price = units(task_request)
        if self.settings.units is not None and price > self._account.units_left(self.settings.units, now):
            raise refusal("balance")
        if self.store.in_flight[slot_of(task_request["model_name"])] >= self.settings.concurrency:
            raise refusal("concurrency")
        fails = plan.outcome == "failed" or triggered == "failed"
        lag = self.settings.lag if plan.lag is None else plan.lag
        task = self.store.add(
            task_request,
            now=now,
            units=price,
            pace=plan.pace or self.settings.pace,
            failure=(plan.message or RISK_CONTROL) if fails else None,
            clip_fault=plan.fault if plan.fault in TASK_FAULTS else None,
            base_url=base_url,
            lag_ms=round(lag * 1000),
            endpoint=call.endpoint,
            pictures=call.pictures,
        )
        return newer_created_body(task) if call.endpoint in contract.NEWER else created_body(task)

    def _query(self, call: Call, request: Request, now: int) -> Any:
        if call.ids is not None:
            return [self._show(task, request, now, newer=True) for task in call.ids.find(self.store, now)]
        task = self.store.find(call.either_id, shown_at=now, endpoint=call.endpoint)
        if task is None:
            raise refusal("task-not-found", id=call.either_id[:200])
        return self._show(task, request, now)

    def _other_task(self, call: Call, request: Request, now: int) -> Any:
        """Return another task than the one that is asked for: of this account, if it has another one."""
        newer = call.ids is not None
        asked = self._ids(call)
        for task in self.store.page(1, 25, shown_at=now, endpoint=None if newer else call.endpoint):
            if task.task_id not in asked and task.external_task_id not in asked:
                shown = self._show(task, request, now, newer=newer)
                return [shown] if newer else shown
        if newer:
            return [newer_foreign_task(request.base_url, now)]
        return foreign_task(request.base_url, now)

    def _list(self, call: Call, request: Request, faults: frozenset[str], now: int) -> Any:
        if call.window is not None:
            page, cursor = call.window.page(self.store, now)
            shown = [self._show(task, request, now, newer=True) for task in page]
            data: dict[str, Any] = {"result": shown} if shown else {}
            data |= {"count": len(shown)} | ({"next_cursor": cursor} if cursor else {})
            return data | {"has_more": bool(cursor)}
        number = whole_number(request.query, "pageNum", 1, 1000, default=1)
        size = whole_number(request.query, "pageSize", 1, 500, default=30)
        oldest_first = "other-order" in faults
        page = self.store.page(number, size, oldest_first=oldest_first, shown_at=now, endpoint=call.endpoint)
        return [self._show(task, request, now) for task in page]

    def _show(self, task: Task, request: Request, now: int, *, newer: bool = False) -> dict[str, Any]:
        """Return a task as an answer shows it; its pace may count how many answers have shown it."""
        if task.polls is not None and task.finished_at is None:
            self.store.count_poll(task, now)
            self.store.finish_due(now)
            task = self.store.find(task.task_id) or task
        body = (newer_task_body if newer else task_body)(task, request.base_url, now)
        if task.clip_fault == "late-videos":
            hide_late_result(body, now)
        return body


def refused_answer(code: int, message: str, request_id: str, plan: Plan | None = None) -> Answer:
    """Return the answer for one of the API's error codes; it has no `data` (S2, as the sample of 1303).

    Args:
        code: one of the contract's error table.
        message: starts with the name of the field that is wrong, if there is one.
        request_id: of the request that is answered.
        plan: that was used, if there was one.
    """
    body = {"code": code, "message": message, "request_id": request_id}
    return Answer(status=int(contract.ERRORS[code]["http"]), body=body, plan=plan or Plan())
