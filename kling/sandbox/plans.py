"""Plans for the next calls, or for one task: its pace, its outcome, an error code or a fault.

Faults on the way, with any `on`: `reset` and `short-body` (through the proxy only), `no-answer`, `slow`,
`dribble`, `empty`, `garbage`, `html-502`, `html-404`.

Faults in the body of an answer, with any `on` but clip; `--fault` and the engine's settings take them too,
for all answers:
    unknown-status            the state is `reviewing`
    status-succeeded          `succeed` is spelt as in Kling's newer API
    status-succeed            `succeeded` of the newer API is spelt as in the older one
    status-completed          `succeed` or `succeeded` is called `completed`
    status-uppercase          `SUBMITTED`, `PROCESSING`, `SUCCEED`, `FAILED`
    code-text, code-float     the code is `"0"` or `0.0`, `"1303"` or `1303.0`
    times-in-seconds          instead of milliseconds
    times-in-iso              as texts with a zone
    extra-fields              there are fields that nobody documents
    cash                      the account pays money: the amount is in `final_balance_deduction`, Units are 0;
                              in the newer API it is in `billing`
    cash-only                 the same, without `final_unit_deduction`
    cash-mixed                half of the price is paid in Units and half in money
    huge-deduction            `final_unit_deduction` is `1e700000000`
    no-videos                 a task that succeeded shows no video and a deduction of 0
    late-videos               the same, for the first 10 s after its end; with `on` create for that task
    other-order               a list begins with the oldest task and shuffles each page
    list-404                  a list is answered with HTTP 404 and code 1203
    list-object               a list is `{"list": [...], "total": n}`
    list-partial              every second task of a page is missing, the first one too
    list-empty                a list is empty
    stranger                  a query is answered with another task than the one it asks for

Faults of a clip: `wrong-duration`, `wrong-size`, `wrong-aspect`, `wrong-fps`, `no-sound`, `unexpected-sound`
with `on` create; `truncated-video` and `expired-url` with `on` clip. `any` is any call of the API, no clip.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from kling.sandbox import contract
from kling.sandbox.pace import Pace, parse_pace

CLIP_FAULTS = frozenset(
    {"wrong-duration", "wrong-size", "wrong-aspect", "wrong-fps", "no-sound", "unexpected-sound"}
)

TASK_FAULTS = CLIP_FAULTS | {"late-videos"}  # stored with the task that is created


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Something that must happen to the next calls that match it.

    Args:
        on: `create`, `query`, `list`, `costs`, `clip` or `any`.
        times: for how many calls it is used.
        external_task_id: only calls about the task with this external_task_id, or with this task_id, match;
            None: any call.
        pace: when the task that is created changes its state.
        outcome: `failed` makes the task fail at its end, with `message`.
        message: for `failed` and for `code`.
        code: the call is refused with this error code and has no effect.
        fault: a name from the list above.
        accept: whether a call with a fault still has its effect.
        seconds: how long `slow` waits, and how long `dribble` waits between two pieces.
        lag: seconds for which queries do not show the task that is created; None: as the settings say.
    """

    on: str = "any"
    times: int = 1
    external_task_id: str | None = None
    pace: Pace | None = None
    outcome: str = "succeed"
    message: str = ""
    code: int | None = None
    fault: str | None = None
    accept: bool = True
    seconds: float = 1.0
    lag: float | None = None


def parse_plan(body: Any) -> Plan:
    """Return the plan in a JSON object.

    Args:
        body: the parsed JSON; nothing in it is trusted.

    Raises:
        ValueError: it is none; the message names every field that is wrong.
    """
    wrong = list(contract.problems("Plan", body))
    if wrong:
        raise ValueError("; ".join(wrong))
    pace = parse_pace(body["pace"]) if "pace" in body else None
    return Plan(**dict(body) | {"pace": pace})


class Plans:
    """The plans that were not used yet. A call uses the oldest one that matches it."""

    def __init__(self) -> None:
        self._waiting: list[Plan] = []

    def add(self, plan: Plan) -> None:
        """Add a plan; calls use it after the older ones."""
        self._waiting.append(plan)

    def take(self, on: str, *ids: str | None) -> Plan:
        """Return the plan for a call, and count that it was used; an empty plan if none matches.

        Args:
            on: the name of the call, as in `Plan.on`.
            ids: those of the task that the call is about.
        """
        for position, plan in enumerate(self._waiting):
            matches = plan.on == on or (plan.on == "any" and on != "clip")
            if matches and plan.external_task_id in {None, *ids}:
                if plan.times > 1:
                    self._waiting[position] = replace(plan, times=plan.times - 1)
                else:
                    del self._waiting[position]
                return plan
        return Plan()

    def clear(self) -> None:
        """Delete all plans."""
        self._waiting.clear()

    def waiting(self) -> list[Mapping[str, Any]]:
        """Return the plans that are left, as JSON for people."""
        return [
            {"on": plan.on, "times": plan.times, "external_task_id": plan.external_task_id}
            | {"outcome": plan.outcome, "code": plan.code, "fault": plan.fault, "lag": plan.lag}
            for plan in self._waiting
        ]
