"""The studio's figures for Prometheus: for a program with the token, or for an admin."""

from __future__ import annotations

import hmac
from contextlib import suppress
from weakref import WeakKeyDictionary

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from kling.studio.identity.roles import Action, User, may
from kling.studio.metrics import CONTENT_TYPE, Connections, Metrics
from kling.studio.service import Studio
from kling.studio.state.records import StateError
from pages._ui import context
from pages._ui.address import base_path
from pages._ui.routes.request_ids import COUNTS

PATH = "/metrics"  # below the server's base path
_metrics: WeakKeyDictionary[Studio, Metrics] = WeakKeyDictionary()


def routes() -> list[BaseRoute]:
    """Return the routes of this module."""
    return [Route(base_path() + PATH, metrics, methods=["GET", "HEAD"])]


async def metrics(request: Request) -> Response:
    """Answer with the figures of this moment."""
    studio = context.studio()
    if not _has_token(request, studio.settings.running.metrics_token) and not _may_look(request):
        headers = {"WWW-Authenticate": "Bearer"}
        return PlainTextResponse("Send STUDIO_METRICS_TOKEN, or sign in as an admin.", 401, headers=headers)
    here = _metrics.setdefault(studio, Metrics(studio))
    text = await run_in_threadpool(lambda: here.text(_connections(studio)))
    return Response(text, media_type=CONTENT_TYPE, headers={"Cache-Control": "no-store"})


def _has_token(request: Request, token: str) -> bool:
    """Whether a program has sent the operator's token; how much of it is right changes no time."""
    kind, _, sent = request.headers.get("authorization", "").partition(" ")
    right = hmac.compare_digest(sent.strip().encode(), token.encode())
    return bool(token) and kind.lower() == "bearer" and right


def _may_look(request: Request) -> bool:
    user = getattr(request.state, "user", None)
    return isinstance(user, User) and may(user, Action.SEE_HEALTH)


def _connections(studio: Studio) -> Connections:
    requests = tuple(sorted(COUNTS.requests.items()))
    sessions = 0
    with suppress(StateError):  # the figure of the database's health says it
        sessions = len(studio.state.sessions.all())
    return Connections(COUNTS.sockets, sessions, requests)
