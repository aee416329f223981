"""What the lightbox and Present are told of clips, as JSON.

`GET /viewer?clip=<id>&tz=<zone>&<list>`: one clip, its place in a list, and the clips beside it.
`GET /viewer?ids=<id>,<id>&tz=<zone>` or `GET /viewer?list=1&at=<id>&tz=<zone>&<list>`: clips to present.
The parts of a film, if they are named or collected in its order, come as the film.
A list is the query of an address of Gallery, or `collection=<id>`.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from kling.studio.actions import Actions
from kling.studio.identity.roles import LOCAL
from kling.studio.jobs import Job
from kling.studio.library.store import IndexBroken
from kling.studio.visible_names import visible
from pages._ui import context, current_user
from pages._ui.address import base_path
from pages._ui.viewer.among import MOST_PRESENTED, among_of, placed, presented
from pages._ui.viewer.facts import clip_facts, film_facts
from pages._ui.viewer.panel import panel_facts
from pages._ui.words import DELETED, LOST

REACH = 8  # clips on each side
HEADERS = {"Cache-Control": "private, no-store", "Cross-Origin-Resource-Policy": "same-origin"}
UNKNOWN = "There is no such clip. The link may be cut off, or of another studio."
NO_CLIP = "Name a clip: /viewer?clip=<id>, or several to present: /viewer?ids=<id>,<id>."
_GONE = {DELETED: "Its file was deleted.", LOST: "Its clip is lost: Kling has deleted it."}


def routes() -> list[BaseRoute]:
    """Return the routes of this module."""
    return [Route(f"{base_path()}/viewer", viewer, methods=["GET", "HEAD"])]


def viewer(request: Request) -> Response:
    """Tell of a clip, or of those to present; a refusal says why in `why`."""
    asked, user, at = request.query_params, _asking(request), zone_named(request.query_params.get("tz", ""))
    among = among_of(dict(asked), user)
    if "ids" in asked or "list" in asked:
        if "ids" in asked:
            title, jobs = "", _jobs(asked["ids"].split(",")[:MOST_PRESENTED])
        else:
            try:
                title, jobs = presented(among, user, asked.get("at", ""))
            except IndexBroken as error:
                return _refused(503, f"The list cannot be read now: {error}")
        film = film_facts(jobs, who=user.who, at=at) if "ids" in asked or among.collection else None
        clips = (told for job in jobs if (told := clip_facts(job, who=user.who, at=at))["src"])
        return JSONResponse({"title": title, "clips": [film] if film else [*clips]}, headers=HEADERS)
    if not asked.get("clip"):
        return _refused(400, NO_CLIP)
    job = context.studio().ledger.get(asked["clip"])
    if job is None or job.retracted:
        return _refused(404, UNKNOWN)
    told = panel_facts(job, user, among.address, at)
    if not told["src"]:
        why = _GONE[DELETED] if job.deleted else _GONE[LOST] if job.gone else "It has no clip yet."
        return _refused(404, why, page=told["page"], gone=bool(job.deleted))
    place = placed(job, among, user, reach=REACH)
    near = [each for near in place.jobs if (each := clip_facts(near, who=user.who, at=at))["src"]]
    answer = {"clip": told, "place": place.place, "total": place.total, "words": place.words, "near": near}
    return JSONResponse(answer, headers=HEADERS)


def _asking(request: Request) -> Actions:
    """Return what who asks may do; without sign-in, under the name as the log spells it."""
    here, user = context.studio(), current_user.user_of(request)
    if user.id == LOCAL and user.name:
        user = replace(user, name=here.ledger.index.spelling(visible(user.name)))
    return here.acting_as(user)


def zone_named(name: str) -> tzinfo:
    """Return a time zone, UTC where a browser names none that is known."""
    try:
        return ZoneInfo(name or "UTC")
    except (KeyError, ValueError, OSError):
        return UTC


def _jobs(ids: list[str]) -> list[Job]:
    found = (context.studio().ledger.get(each) for each in dict.fromkeys(ids))
    return [job for job in found if job is not None]


def _refused(status: int, why: str, **more: Any) -> JSONResponse:
    return JSONResponse({"why": why, **more}, status, headers=HEADERS)
