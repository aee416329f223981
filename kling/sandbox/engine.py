"""The API itself: one step from (state, request, now) to an answer, with no clock and no network of its own.

The state is the store. Clips are drawn elsewhere; a task ends when its time has come and its clip is ready.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kling.sandbox import contract
from kling.sandbox.auth import Keys, authenticate
from kling.sandbox.pace import Pace
from kling.sandbox.rules import Refused, read_request, refusal, trigger, units
from kling.sandbox.store import Store, Task

TASKS = "/v1/videos/text2video"
COSTS = "/account/costs"
RETENTION_MS = 30 * 24 * 3600 * 1000  # S1
PACK_MS = 180 * 24 * 3600 * 1000  # S6: standard packs last 180 days
RISK_CONTROL = "Failure to pass the risk control system"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How this sandbox behaves.

    Args:
        keys: of its account.
        concurrency: tasks in flight per model (S2).
        units: of the pack bought when the sandbox starts; None: no pack, tasks are paid for later.
        pace: of tasks for which nothing else is planned.
        retired: `serve` or `refuse` models that Kling has retired.
        strict: refuse unknown keys, integer durations and a missing Content-Type.
    """

    keys: Keys = field(default_factory=Keys)
    concurrency: int = 20
    units: float | None = None
    pace: Pace = field(default_factory=Pace)
    retired: str = "serve"
    strict: bool = False


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
    """The status and the JSON body of an answer."""

    status: int
    body: Mapping[str, Any]


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
        self._advanced = int(store.noted("advanced_ms", "0"))
        self._bought_at = self.clock(now)

    def clock(self, now: float) -> int:
        """Return the sandbox's time in ms: the real time and what it was advanced by."""
        return int(now * 1000) + self._advanced

    def advance(self, ms: int) -> None:
        """Put the sandbox's clock forward; tasks age, tokens do not."""
        self._advanced += ms
        self.store.note("advanced_ms", str(self._advanced))

    def handle(self, request: Request, now: float) -> Answer:
        """Answer one request.

        Args:
            request: hostile.
            now: seconds since the epoch.
        """
        self.store.settle(self.clock(now))
        try:
            authenticate(request.headers.get("authorization"), self.settings.keys, now)
            data = self._route(request, self.clock(now))
        except Refused as refused:
            return refused_answer(refused.code, refused.message, request.id)
        return Answer(
            status=200, body={"code": 0, "message": "SUCCEED", "request_id": request.id, "data": data}
        )

    def clip(self, task_id: str, now: float) -> Task | None:
        """Return the task whose clip may be downloaded: one that succeeded, at most 30 days ago."""
        time = self.clock(now)
        self.store.settle(time)
        task = self.store.find(task_id)
        kept = (
            task is not None
            and task.task_id == task_id
            and task.status(time) == "succeed"
            and not _cleared(task, time)
        )
        return task if kept else None

    def _route(self, request: Request, now: int) -> Any:
        path = request.path.rstrip("/") or "/"
        if path == TASKS and request.method == "POST":
            return self._create(request, now)
        if path == TASKS and request.method == "GET":
            return self._list(request, now)
        if path.startswith(f"{TASKS}/") and request.method == "GET":
            return self._get(request.path.removeprefix(f"{TASKS}/"), request.base_url, now)
        if path == COSTS and request.method == "GET":
            return self._costs(request, now)
        if path in {TASKS, COSTS} or path.startswith(f"{TASKS}/"):
            raise Refused(1202, f"method: {request.method[:20]} is not allowed at {path[:200]}")
        raise Refused(1203, f"path: {path[:200]} does not exist in this API")

    def _create(self, request: Request, now: int) -> dict[str, Any]:
        settings = self.settings
        if settings.strict and not request.headers.get("content-type", "").startswith("application/json"):
            raise Refused(1200, "Content-Type: must be application/json")
        wish = read_request(request.body, strict=settings.strict, retired=settings.retired)
        external_task_id = wish.get("external_task_id")
        if external_task_id and self.store.taken(external_task_id):
            raise refusal("external-task-id-unique", external_task_id=external_task_id[:200])
        asked = trigger(wish)
        if asked and asked != "failed":
            raise Refused(
                int(asked), f"{contract.ERRORS[int(asked)]['message']} (prompt: the word sandbox-{asked})"
            )
        price = units(wish)
        if settings.units is not None and price > self._units_left(now):
            raise refusal("balance")
        if self.store.open[wish["model_name"]] >= settings.concurrency:
            raise refusal("concurrency")
        failure = RISK_CONTROL if asked == "failed" else None
        task = self.store.add(
            wish, now=now, units=price, pace=settings.pace, failure=failure, base_url=request.base_url
        )
        return created_body(task)

    def _get(self, either_id: str, base_url: str, now: int) -> dict[str, Any]:
        task = self.store.find(either_id)
        if task is None:
            raise refusal("task-not-found", id=either_id[:200])
        return task_body(self._shown(task, now), base_url, now)

    def _list(self, request: Request, now: int) -> list[dict[str, Any]]:
        number = _whole(request.query, "pageNum", 1, 1000, default=1)
        size = _whole(request.query, "pageSize", 1, 500, default=30)
        return [
            task_body(self._shown(task, now), request.base_url, now) for task in self.store.page(number, size)
        ]

    def _shown(self, task: Task, now: int) -> Task:
        if task.polls is None or task.finished_at is not None:
            return task
        self.store.mark_shown(task, now)
        self.store.settle(now)
        return self.store.find(task.task_id) or task

    def _costs(self, request: Request, now: int) -> dict[str, Any]:
        for name in ("start_time", "end_time"):
            _whole(request.query, name, 0, 10**15)
        data: dict[str, Any] = {"code": 0, "msg": "success"}
        if self.settings.units is None:
            return data  # observed (S6): without packs the list is absent
        pack = self._pack(self.settings.units, now)
        if request.query.get("resource_pack_name") not in {None, "", pack["resource_pack_name"]}:
            return data
        return data | {"resource_pack_subscribe_infos": [pack]}

    def _pack(self, total: float, now: int) -> dict[str, Any]:
        left = round(total - self.store.units_used, 2)
        expired = now >= self._bought_at + PACK_MS
        return {
            "resource_pack_name": f"Sandbox-Video-{total:g}Units-{self.settings.concurrency}Con-6Months",
            "resource_pack_id": "sandbox-pack-1",
            "resource_pack_type": "decreasing_total",
            "total_quantity": float(total),
            "remaining_quantity": left,
            "purchase_time": self._bought_at,
            "effective_time": self._bought_at,
            "invalid_time": self._bought_at + PACK_MS,
            "status": "expired" if expired else "online" if left > 0 else "runOut",
        }

    def _units_left(self, now: int) -> float:
        if now >= self._bought_at + PACK_MS:
            return 0
        return round((self.settings.units or 0) - self.store.units_used - self.store.units_open, 2)


def refused_answer(code: int, message: str, request_id: str) -> Answer:
    """Return the answer for one of the API's error codes; it has no `data` (S2, as the sample of 1303)."""
    body = {"code": code, "message": message, "request_id": request_id}
    return Answer(status=int(contract.ERRORS[code]["http"]), body=body)


def created_body(task: Task) -> dict[str, Any]:
    """Return `data` of the answer to a create (S1)."""
    return {
        "task_id": task.task_id,
        "task_info": {"external_task_id": task.external_task_id or ""},
        "task_status": "submitted",
        "created_at": task.created_at,
        "updated_at": task.created_at,
    }


def task_body(task: Task, base_url: str, now: int) -> dict[str, Any]:
    """Return one task as a query shows it (S1)."""
    status = task.status(now)
    watermark = watermarked(task)
    return {
        "task_id": task.task_id,
        "task_status": status,
        "task_status_msg": (task.failure or "") if status == "failed" else "",
        "final_unit_deduction": f"{task.units:g}" if status == "succeed" else "0",
        "watermark_info": {"enabled": watermark},
        "task_info": {"external_task_id": task.external_task_id or ""},
        "task_result": {
            "videos": [_video(task, base_url)] if status == "succeed" and not _cleared(task, now) else []
        },
        "created_at": task.created_at,
        "updated_at": task.updated_at(now),
    }


def watermarked(task: Task) -> bool:
    """Return whether a task asked for a second, watermarked clip."""
    return bool(task.request.get("watermark_info", {}).get("enabled", False))


def _video(task: Task, base_url: str) -> dict[str, Any]:
    video = {"id": f"9{task.task_id[1:]}", "url": f"{base_url}/clips/{task.task_id}.mp4"}
    if watermarked(task):
        video["watermark_url"] = f"{base_url}/clips/{task.task_id}-watermark.mp4"
    return video | {"duration": task.request["duration"]}


def _cleared(task: Task, now: int) -> bool:
    return task.finished_at is not None and now > task.finished_at + RETENTION_MS


def _whole(query: Mapping[str, str], name: str, least: int, most: int, default: int | None = None) -> int:
    text = query.get(name)
    if text is None and default is not None:
        return default
    # isascii: int() also reads other scripts' digits
    if (
        text is None
        or not (text.isascii() and text.isdigit())
        or len(text) > 16
        or not least <= int(text) <= most
    ):
        raise Refused(1201, f"{name}: must be a whole number between {least} and {most}")
    return int(text)
