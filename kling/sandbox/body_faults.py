"""Faults in the body of an answer: it arrives whole, but differs from what the documentation says.

Each fault changes a body in place. The engine applies them, not the web application, so that tests without a
socket can use them too. plans.py says what each fault does.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

LATE_VIDEOS_MS = 10_000  # a task with the fault `late-videos` shows no result for so long after its end
UNIT_PRICE = Decimal("0.14")  # US dollars, the list price of a video Unit (S2)

Body = dict[str, Any]


def with_body_faults(body: Body, faults: Collection[str | None], now: int) -> Body:
    """Return the body of an answer with the faults that are named.

    Args:
        body: it may be changed.
        faults: their names. Names that are not faults of a body are passed over.
        now: ms, by the sandbox's clock.
    """
    for (
        name,
        change,
    ) in _CHANGES.items():  # late-videos compares times, so it comes before the faults that change their form
        if name in faults:
            change(body, now)
    return body


def without_result(task: Body) -> None:
    """Remove the videos and the deduction from a task in an answer."""
    task["task_result"] = {"videos": []}
    task["final_unit_deduction"] = "0"


def hide_late_result(task: Body, now: int) -> None:
    """Remove the result from a task in an answer if it ended less than LATE_VIDEOS_MS ago."""
    if task.get("task_status") == "succeed" and now < task["updated_at"] + LATE_VIDEOS_MS:
        without_result(task)


def foreign_task(base_url: str, now: int) -> Body:
    """Return a task that nobody of this account created, as a query shows it."""
    video = {"id": "900000000000000001", "url": f"{base_url}/clips/800000000000000001.mp4", "duration": "5"}
    return {
        "task_id": "800000000000000001",
        "task_status": "succeed",
        "task_status_msg": "",
        "final_unit_deduction": "1.5",
        "final_balance_deduction": {"quota": "0", "list_price": "0"},
        "watermark_info": {"enabled": False},
        "task_info": {"external_task_id": "a-strangers-task"},
        "task_result": {"videos": [video]},
        "created_at": now - 60_000,
        "updated_at": now - 30_000,
    }


def _tasks(body: Body) -> list[Body]:
    """Return the tasks in the body of an answer to any call."""
    data = body.get("data")
    return [one for one in (data if isinstance(data, list) else [data]) if one and "task_status" in one]


def _late_videos(body: Body, now: int) -> None:
    for task in _tasks(body):
        hide_late_result(task, now)


def _no_videos(body: Body, _now: int) -> None:
    for task in _tasks(body):
        if task["task_status"] == "succeed":
            without_result(task)


def _cash(body: Body, _now: int) -> None:
    for task in _tasks(body):
        if "final_unit_deduction" in task:
            price = f"{Decimal(task['final_unit_deduction']) * UNIT_PRICE:.4f}".rstrip("0").rstrip(".")
            task["final_balance_deduction"] = {"quota": price, "list_price": price}
            task["final_unit_deduction"] = "0"


def _cash_only(body: Body, now: int) -> None:
    _cash(body, now)
    for task in _tasks(body):
        task.pop("final_unit_deduction", None)


def _huge_deduction(body: Body, _now: int) -> None:
    for task in _tasks(body):
        if "final_unit_deduction" in task:
            task["final_unit_deduction"] = "1e700000000"


def _renamed_status(names: Mapping[str, str]) -> Callable[[Body, int], None]:
    def change(body: Body, _now: int) -> None:
        for task in _tasks(body):
            task["task_status"] = names.get(task["task_status"], task["task_status"])

    return change


def _uppercase(body: Body, _now: int) -> None:
    for task in _tasks(body):
        task["task_status"] = task["task_status"].upper()


def _unknown_status(body: Body, _now: int) -> None:
    for task in _tasks(body):
        task["task_status"] = "reviewing"


def _times_in(form: Callable[[int], Any]) -> Callable[[Body, int], None]:
    def change(body: Body, _now: int) -> None:
        for task in _tasks(body):
            task.update({name: form(task[name]) for name in ("created_at", "updated_at")})

    return change


def _iso(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="milliseconds")


def _code_text(body: Body, _now: int) -> None:
    body["code"] = str(body["code"])


def _code_float(body: Body, _now: int) -> None:
    body["code"] = float(body["code"])


def _extra_fields(body: Body, _now: int) -> None:
    for holder in (body, *_tasks(body)):
        holder["new_field"] = {"since": "tomorrow", "values": [1, None, "three"]}


def _other_order(body: Body, _now: int) -> None:
    if isinstance(body.get("data"), list):
        random.Random(0).shuffle(body["data"])  # noqa: S311 -- the same page is always shuffled the same way


def _list_partial(body: Body, _now: int) -> None:
    if isinstance(body.get("data"), list):
        del body["data"][::2]


def _list_empty(body: Body, _now: int) -> None:
    if isinstance(body.get("data"), list):
        body["data"] = []


def _list_object(body: Body, _now: int) -> None:
    if isinstance(body.get("data"), list):
        body["data"] = {"list": body["data"], "total": len(body["data"])}


_CHANGES: dict[str, Callable[[Body, int], None]] = {
    "late-videos": _late_videos,
    "no-videos": _no_videos,
    "cash": _cash,
    "cash-only": _cash_only,
    "huge-deduction": _huge_deduction,
    "times-in-seconds": _times_in(lambda milliseconds: milliseconds // 1000),
    "times-in-iso": _times_in(_iso),
    "status-succeeded": _renamed_status({"succeed": "succeeded"}),
    "status-completed": _renamed_status({"succeed": "completed"}),
    "status-uppercase": _uppercase,
    "unknown-status": _unknown_status,
    "code-text": _code_text,
    "code-float": _code_float,
    "extra-fields": _extra_fields,
    "other-order": _other_order,
    "list-partial": _list_partial,
    "list-empty": _list_empty,
    "list-object": _list_object,
}
# The engine makes two more itself, because they answer with another task or another code.
BODY_FAULTS = frozenset({*_CHANGES, "list-404", "stranger"})
