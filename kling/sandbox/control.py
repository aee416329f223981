"""The control plane under `/_sandbox/`, for tests and for people. It answers this machine only.

GET  health                     says that the sandbox runs
GET  openapi.json               the contract
POST reset                      delete tasks, clips, plans and journal
GET  clock, POST clock          {"advance_days": 31} or {"advance_seconds": 60}
GET  plan, POST plan            see plans.py
GET  journal                    the last requests and callbacks, without credentials
GET  accepted                   how many tasks were really created per external_task_id
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request as HTTPRequest
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from kling.sandbox import contract
from kling.sandbox.callbacks import USER_AGENT
from kling.sandbox.clips import Clips
from kling.sandbox.engine import Engine
from kling.sandbox.loopback import hostname, is_loopback
from kling.sandbox.plans import parse_plan

_DAY_MS = 24 * 3600 * 1000
_MAX_ADVANCE_MS = 3650 * _DAY_MS


@dataclass(frozen=True, slots=True)
class Controlled:
    """The parts of a sandbox that the control plane reads and changes; `SandboxApp` says what each is."""

    engine: Engine
    clips: Clips
    now: Callable[[], float]
    journal: deque[dict[str, Any]]


Action = Callable[[Controlled, Any], Any]


def routes(sandbox: Controlled) -> list[Route]:
    """Return the routes of a sandbox's control plane."""
    return [
        Route("/_sandbox/health", _endpoint(sandbox, _health, guarded=False)),
        Route(
            "/_sandbox/openapi.json",
            _endpoint(sandbox, lambda _sandbox, _body: contract.OPENAPI, guarded=False),
        ),
        Route("/_sandbox/reset", _endpoint(sandbox, _reset), methods=["POST"]),
        Route("/_sandbox/clock", _endpoint(sandbox, _clock), methods=["GET", "POST"]),
        Route("/_sandbox/plan", _endpoint(sandbox, _plan), methods=["GET", "POST"]),
        Route("/_sandbox/journal", _endpoint(sandbox, lambda sandbox, _body: list(sandbox.journal))),
        Route("/_sandbox/accepted", _endpoint(sandbox, _accepted)),
    ]


def _endpoint(
    sandbox: Controlled, action: Action, *, guarded: bool = True
) -> Callable[[HTTPRequest], Awaitable[Response]]:
    async def endpoint(request: HTTPRequest) -> Response:
        if guarded and not _from_here(request):
            return JSONResponse({"problem": "The control plane answers this machine only."}, 403)
        try:
            body = json.loads(await request.body() or b"{}") if request.method == "POST" else None
            return JSONResponse(action(sandbox, body))
        except (ValueError, RecursionError) as error:
            return JSONResponse({"problem": str(error)}, 400)

    return endpoint


def _from_here(request: HTTPRequest) -> bool:
    """Return whether a request comes from this machine, and neither from a web page nor from a callback."""
    peer = request.client.host if request.client else ""
    sent_by_others = "origin" in request.headers or request.headers.get("user-agent") == USER_AGENT
    return is_loopback(peer) and is_loopback(hostname(request)) and not sent_by_others


def _health(sandbox: Controlled, _body: Any) -> Any:
    store = sandbox.engine.store
    return {"status": "ok", "tasks": store.last, "open": sum(store.in_flight.values())}


def _reset(sandbox: Controlled, _body: Any) -> Any:
    sandbox.engine.reset(sandbox.now())
    sandbox.clips.clear()
    sandbox.journal.clear()
    return {"status": "ok"}


def _clock(sandbox: Controlled, body: Any) -> Any:
    if body is not None:
        amounts = {"advance_days": _DAY_MS, "advance_seconds": 1000}
        if not isinstance(body, dict) or len(body) != 1 or not body.keys() <= amounts.keys():
            raise ValueError("clock: must be {'advance_days': N} or {'advance_seconds': N}")
        name, amount = next(iter(body.items()))
        if type(amount) not in {int, float} or not 0 <= amount * amounts[name] <= _MAX_ADVANCE_MS:
            raise ValueError(f"{name}: must be a number of at least 0 and at most ten years")
        sandbox.engine.advance(int(amount * amounts[name]))
    return {"now": sandbox.engine.clock(sandbox.now())}


def _plan(sandbox: Controlled, body: Any) -> Any:
    if body is not None:
        sandbox.engine.plans.add(parse_plan(body))
    return {"waiting": sandbox.engine.plans.waiting()}


def _accepted(sandbox: Controlled, _body: Any) -> Any:
    counts = sandbox.engine.store.count_by_external_task_id()
    return {"total": sum(counts.values()), "without_id": counts.pop("", 0), "by_external_task_id": counts}
