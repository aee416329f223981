"""A request and a task as cells of a record, and the request of a record."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from kling.endpoint import (
    ENDPOINTS,
    TEXT_TO_VIDEO,
    VIDEO_TO_AUDIO,
    AnyRequest,
    Endpoint,
    Request,
    endpoint_of,
)
from kling.studio.jobs.cells import bounded, dump_json, finite_float, load_json, truncate
from kling.studio.jobs.columns import column_of
from kling.studio.jobs.states import PROCESSING
from kling.tasks import Status, Task

_BY_NAME = {endpoint.name: endpoint for endpoint in ENDPOINTS}


def request_cells(request: Request) -> dict[str, str]:
    """Return the cells of a request, one for each field of its create call; `request_of` reads them back."""
    body, units, endpoint = request.to_wire(), request.units(), endpoint_of(request)
    names = (name for name in request.FIELDS if name != "external_task_id")
    cells = {column_of(name): _cell(name, body.get(name, "")) for name in names}
    if endpoint is VIDEO_TO_AUDIO:
        cells["sound"] = "on"  # the call has no such field, but sound is what it is for
    return cells | {
        "model_name": request.model_name,
        "endpoint": endpoint.name,
        "units": "" if units is None else str(units),
    }


def request_of(cells: Mapping[str, str], endpoint: Endpoint) -> AnyRequest:
    """Return the request that a job's cells stand for at an endpoint; what cannot be read is left out."""
    kind = endpoint.request
    found = ((name, type_, cells.get(column_of(name), "")) for name, type_ in kind.FIELDS.items())
    body = {name: _value(name, type_, cell) for name, type_, cell in found if cell}
    return cast("AnyRequest", kind.from_wire(body).request)


def endpoint_named(name: str) -> Endpoint | None:
    """Return the endpoint that a record names, None if this version of the studio does not know it.

    Records of versions before 2026-11-24 name none, and all of them are of text to video.
    """
    if not name:
        return TEXT_TO_VIDEO
    return _BY_NAME.get(name)


def _cell(name: str, value: Any) -> str:
    """Return the cell of a field; two fields are written otherwise than the call says them."""
    if name == "sound":
        return str(value) or "off"  # the call leaves silence out
    if name == "watermark_info":
        return "true" if value else ""
    return value if isinstance(value, str) else dump_json(value)


def _value(name: str, kind: type, cell: str) -> Any:
    """Return the value that a cell stands for, None if there is none. A spreadsheet writes true as TRUE."""
    if kind is str:
        return cell
    if name == "watermark_info":
        return {"enabled": cell.lower() == "true"}
    if kind is bool:
        return cell.lower() == "true"
    return finite_float(cell) if kind is float else load_json(cell)


def task_cells(task: Task) -> dict[str, str]:
    """Return the cells of an answer about a task. The addresses of its videos are signed and stay out.

    What was charged is recorded once the task has ended: Units in `final_unit_deduction`, the money of an
    account that pays in cash in `final_balance_deduction`, its currency and its price without a discount in
    `extra`.
    """
    video = task.videos[0] if task.videos else None
    documented = task.task_status in set(Status)
    extra: dict[str, str] = {} if documented else {"task_status": task.task_status[:100]}
    units = quota = list_price = None
    if task.terminal:
        units = bounded(task.final_unit_deduction)
        if cash := task.final_balance_deduction:
            quota, list_price = bounded(cash.quota), bounded(cash.list_price)
            if cash.currency:
                extra["cash_currency"] = cash.currency
        if list_price is not None:
            extra["list_price"] = f"{list_price:f}"
    cells = {
        "state": task.task_status if documented else PROCESSING,
        "task_id": task.task_id,
        "task_status_msg": task.task_status_msg,
        "request_id": task.request_id,
        "created_at": task.created_at.isoformat(timespec="milliseconds") if task.created_at else "",
        "updated_at": task.updated_at.isoformat(timespec="milliseconds") if task.updated_at else "",
        "final_unit_deduction": "" if units is None else f"{units:f}",
        "final_balance_deduction": "" if quota is None else f"{quota:f}",
        "video_id": video.id if video else "",
        "video_duration": "" if video is None or video.duration is None else str(video.duration),
        "extra": dump_json(extra) if extra else "",
    }
    return {name: truncate(cell) for name, cell in cells.items()}
