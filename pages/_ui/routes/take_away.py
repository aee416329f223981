"""Clips: `GET /take-away?ids=v1,v2`, with `&form=zip` a ZIP also of one; `?collection=` for all of it.

A page that says how far it is adds `&watch=` and a random text, and asks `/take-away/progress` with that.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from dataclasses import replace
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from kling.studio.curation import CurationError
from kling.studio.identity.roles import NotAllowed
from kling.studio.share_views import can_be_shown
from kling.studio.state.records import StateError
from kling.studio.take_away.bundle import Taken
from kling.studio.take_away.names import words_of
from pages._ui import context
from pages._ui.address import base_path
from pages._ui.current_user import user_of
from pages._ui.taking.progress import Progress

log = logging.getLogger(__name__)

NO_IDS = "Name the clips: /take-away?ids=… with the ids of jobs, and commas between them."
NO_COLLECTION = "There is no such collection, or no clip of it is here."
UNREADABLE = "The clips cannot be read now. Try again in a moment."
_MARK = re.compile("[0-9a-f]{24}")
progress = Progress()


def routes() -> list[BaseRoute]:
    """Return the routes of this module."""
    base = base_path()
    return [
        Route(f"{base}/take-away", take_away, methods=["GET", "HEAD"]),
        Route(f"{base}/take-away/progress", how_far),
    ]


def take_away(request: Request) -> Response:
    """Send the copies. Their size comes first, so a browser shows how far it is."""
    asked = request.query_params
    mark = asked.get("watch", "") if _MARK.fullmatch(asked.get("watch", "")) else ""
    try:
        ids, words = _asked_for(request)
        if not ids:
            return (
                _refused(mark, NO_COLLECTION, 404) if "collection" in asked else _refused(mark, NO_IDS, 400)
            )
        acting = context.studio().acting_as(user_of(request))
        taken = acting.take_away(ids, as_zip=asked.get("form") == "zip")
        if words and taken.name.endswith(".zip"):
            taken = replace(taken, name=f"{words}.zip")
    except CurationError as error:
        return _refused(mark, str(error), 404)
    except NotAllowed as error:
        return _refused(mark, str(error), 403)
    except (OSError, StateError) as error:
        log.warning("Clips cannot be taken away: %s", error)
        return _refused(mark, UNREADABLE, 503)
    if request.method == "HEAD":
        return Response(headers=headers_of(taken), media_type=taken.kind)
    chunks = progress.watched(mark, taken, len(ids)) if mark else taken.chunks
    return StreamingResponse(chunks, headers=headers_of(taken), media_type=taken.kind)


def how_far(request: Request) -> Response:
    """Say how far a download is whose mark is named."""
    return JSONResponse(
        progress.of(request.query_params.get("watch", "")), headers={"Cache-Control": "no-store"}
    )


def _asked_for(request: Request) -> tuple[Sequence[str], str]:
    """Return the ids of the clips that are asked for, and words for the name of their ZIP, if any."""
    asked, here = request.query_params, context.studio()
    if collection_id := asked.get("collection", ""):
        found = here.state.collections.get(collection_id)
        jobs = map(here.ledger.get, found.clips) if found else ()
        ids = [job.id for job in jobs if job is not None and can_be_shown(job)]
        return ids, words_of(found.title) if found else ""
    return [each for text in asked.getlist("ids") for each in text.split(",") if each], ""


def _refused(mark: str, why: str, status: int) -> Response:
    if mark:
        progress.refused(mark, why)
    return PlainTextResponse(why, status)


def headers_of(taken: Taken) -> dict[str, str]:
    plain = "".join(char if char.isascii() and char not in '"\\' else "_" for char in taken.name)
    return {
        "Cache-Control": "private, no-store",
        "Content-Disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(taken.name)}",
        "Content-Length": str(taken.size),
        "Cross-Origin-Resource-Policy": "same-origin",
    }
