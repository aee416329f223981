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
CASH = frozenset({"cash", "cash-only", "cash-mixed"})  # how the account pays
UNIT_PRICE = Decimal("0.14")  # US dollars, the list price of a video Unit (S2)

Body = dict[str, Any]


def with_body_faults(body: Body, faults: Collection[str | None], now: int) -> Body:
    """Return the body of an answer with the faults that are named.

    Args:
        body: it may be changed.
        faults: their names. Names that are not faults of a body are passed over.
        now: ms, by the sandbox's clock.
    """
    # `late-videos` compares times, so it stands before the faults that change their form.
    for name, change in _CHANGES.items():
        if name in faults:
            change(body, now)
    return body


def without_result(task: Body) -> None:
    """Remove what was made, and what it cost, from a task in an answer of either generation."""
    if "outputs" in task:
        task["outputs"], task["billing"] = [], []
    elif "task_result" in task:
        task["task_result"] = {name: [] for name in task["task_result"]}
        task["final_unit_deduction"] = "0"


def hide_late_result(task: Body, now: int) -> None:
    """Remove the result from a task in an answer if it ended less than LATE_VIDEOS_MS ago."""
    if _succeeded(task) and now < task[_time_names(task)[1]] + LATE_VIDEOS_MS:
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


def newer_foreign_task(base_url: str, now: int) -> Body:
    """Return a task that nobody of this account created, as /tasks shows it."""
    older = foreign_task(base_url, now)
    return {
        "id": older["task_id"],
        "status": "succeeded",
        "message": "",
        "create_time": older["created_at"],
        "update_time": older["updated_at"],
        "external_id": older["task_info"]["external_task_id"],
        "outputs": [{"type": "video"} | older["task_result"]["videos"][0]],
        "billing": [{"charge_type": "unit", "amount": "1.5", "package_type": "video"}],
    }


def _tasks(body: Body) -> list[Body]:
    """Return the tasks in the body of an answer to any call of either generation."""
    data = body.get("data")
    if isinstance(data, dict) and "result" in data:
        data = data["result"]
    found = data if isinstance(data, list) else [data]
    return [one for one in found if isinstance(one, dict) and ("task_status" in one or "create_time" in one)]


def _status_name(task: Body) -> str:
    return "task_status" if "task_status" in task else "status"


def _time_names(task: Body) -> tuple[str, str]:
    return ("created_at", "updated_at") if "created_at" in task else ("create_time", "update_time")


def _succeeded(task: Body) -> bool:
    return task[_status_name(task)] in {"succeed", "succeeded"}


def _late_videos(body: Body, now: int) -> None:
    for task in _tasks(body):
        hide_late_result(task, now)


def _no_videos(body: Body, _now: int) -> None:
    for task in _tasks(body):
        if _succeeded(task):
            without_result(task)


def _money(units: Decimal) -> str:
    price = f"{units * UNIT_PRICE:.4f}"
    return price.rstrip("0").rstrip(".")


def _paid(part: Decimal, *, beside: bool = True) -> Callable[[Body, int], None]:
    """Return the fault with which a part (0 to 1) of each price is paid in money.

    Args:
        part: the rest is paid in Units.
        beside: whether the older generation shows the Units, too, where none are paid.
    """

    def change(body: Body, _now: int) -> None:
        for task in _tasks(body):
            if "final_unit_deduction" in task:
                units = Decimal(task["final_unit_deduction"])
                price = _money(units * part)
                task["final_balance_deduction"] = {"quota": price, "list_price": price}
                task["final_unit_deduction"] = f"{units * (1 - part):g}" if part < 1 else "0"
                if not beside:
                    del task["final_unit_deduction"]
            if "billing" in task:
                task["billing"] = [bill for one in task["billing"] for bill in _bills(one, part)]

    return change


def _bills(bill: Body, part: Decimal) -> list[Body]:
    units = Decimal(bill["amount"])
    price = _money(units * part)
    cash = {
        "charge_type": "cash",
        "cash_type": "balance",
        "amount": price,
        "currency": "USD",
        "list_price": price,
    }
    return [cash] if part == 1 else [bill | {"amount": f"{units * (1 - part):g}"}, cash]


def _huge_deduction(body: Body, _now: int) -> None:
    for task in _tasks(body):
        if "final_unit_deduction" in task:
            task["final_unit_deduction"] = "1e700000000"
        for bill in task.get("billing", ()):
            bill["amount"] = "1e700000000"


def _renamed_status(names: Mapping[str, str]) -> Callable[[Body, int], None]:
    def change(body: Body, _now: int) -> None:
        for task in _tasks(body):
            name = _status_name(task)
            task[name] = names.get(task[name], task[name])

    return change


def _uppercase(body: Body, _now: int) -> None:
    for task in _tasks(body):
        name = _status_name(task)
        task[name] = task[name].upper()


def _unknown_status(body: Body, _now: int) -> None:
    for task in _tasks(body):
        task[_status_name(task)] = "reviewing"


def _times_in(form: Callable[[int], Any]) -> Callable[[Body, int], None]:
    def change(body: Body, _now: int) -> None:
        for task in _tasks(body):
            task.update({name: form(task[name]) for name in _time_names(task)})

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


def _list(body: Body) -> list[Body] | None:
    """Return the list in an answer, of either generation, or None."""
    data = body.get("data")
    if isinstance(data, dict):
        data = data.get("result")
    return data if isinstance(data, list) else None


def _other_order(body: Body, _now: int) -> None:
    if found := _list(body):
        random.Random(0).shuffle(found)  # noqa: S311 -- the same page is always shuffled the same way


def _list_partial(body: Body, _now: int) -> None:
    if found := _list(body):
        del found[::2]


def _list_empty(body: Body, _now: int) -> None:
    if found := _list(body):
        found.clear()


def _list_object(body: Body, _now: int) -> None:
    if isinstance(body.get("data"), list):
        body["data"] = {"list": body["data"], "total": len(body["data"])}
    elif isinstance(body.get("data"), dict) and "has_more" in body["data"]:
        body["data"] = {"list": body["data"].pop("result", []), **body["data"]}


_CHANGES: dict[str, Callable[[Body, int], None]] = {
    "late-videos": _late_videos,
    "no-videos": _no_videos,
    "cash": _paid(Decimal(1)),
    "cash-only": _paid(Decimal(1), beside=False),
    "cash-mixed": _paid(Decimal("0.5")),
    "huge-deduction": _huge_deduction,
    "times-in-seconds": _times_in(lambda milliseconds: milliseconds // 1000),
    "times-in-iso": _times_in(_iso),
    "status-succeeded": _renamed_status({"succeed": "succeeded"}),
    "status-succeed": _renamed_status({"succeeded": "succeed"}),
    "status-completed": _renamed_status({"succeed": "completed", "succeeded": "completed"}),
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
