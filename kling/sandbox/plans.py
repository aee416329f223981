"""What is planned for the next calls or for one task: its pace, its outcome, an error code or a fault.

Faults of the way, with any `on`: `reset` and `short-body` (through the proxy only), `no-answer`, `slow`,
`dribble`, `empty`, `garbage`, `html-502`, `html-404`.

Faults of what an answer says, with any `on` but clip; `--fault` and the engine's settings take them too, for
all answers:
    unknown-status            the state is `reviewing`
    status-succeeded          `succeed` is spelt as in Kling's newer API
    status-completed          `succeed` is called `completed`
    status-uppercase          `SUBMITTED`, `PROCESSING`, `SUCCEED`, `FAILED`
    code-text, code-float     the code is `"0"` or `0.0`, `"1303"` or `1303.0`
    times-in-seconds          instead of milliseconds
    times-in-iso              as texts with a zone
    extra-fields              there are fields that nobody documents
    cash                      the account pays money: the amount is in `final_balance_deduction`, Units are 0
    cash-only                 the same, without `final_unit_deduction`
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

TASK_FAULTS = CLIP_FAULTS | {"late-videos"}  # kept with the task that is created


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What happens to the next calls that it matches.

    Args:
        on: `create`, `query`, `list`, `costs`, `clip` or `any`.
        times: how many calls it is for.
        external_task_id: only calls that name this task; also its task_id will do. None: any call.
        pace: of the tasks that are created.
        outcome: `failed` makes the task fail at its end, with `message`.
        message: for `failed` and for `code`.
        code: the error code that is answered instead; nothing is accepted then.
        fault: see above.
        accept: whether a call with a fault takes effect before its answer is lost.
        seconds: how long `slow` waits, and `dribble` between two pieces.
        lag: seconds for which a task that is created is not shown yet; None: as the engine's settings say.
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


def read_plan(body: Any) -> Plan:
    """Return the plan in a JSON object.

    Raises:
        ValueError: it is none; the message names every field that is wrong.
    """
    wrong = list(contract.problems("Plan", body))
    if wrong:
        raise ValueError("; ".join(wrong))
    pace = parse_pace(body["pace"]) if "pace" in body else None
    return Plan(**dict(body) | {"pace": pace})


class Plans:
    """The plans that wait for their calls; the oldest that matches is used."""

    def __init__(self) -> None:
        self._waiting: list[Plan] = []

    def add(self, plan: Plan) -> None:
        """Let a plan wait."""
        self._waiting.append(plan)

    def take(self, on: str, *ids: str | None) -> Plan:
        """Return the plan for a call and use it once; an empty plan if there is none.

        Args:
            on: what is called.
            ids: by which the call names a task.
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
        """Forget them all."""
        self._waiting.clear()

    def waiting(self) -> list[Mapping[str, Any]]:
        """Return what still waits, for people to read."""
        return [
            {"on": plan.on, "times": plan.times, "external_task_id": plan.external_task_id}
            | {"outcome": plan.outcome, "code": plan.code, "fault": plan.fault, "lag": plan.lag}
            for plan in self._waiting
        ]
