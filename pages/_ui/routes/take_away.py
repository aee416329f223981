"""A clip or a ZIP of clips to keep: `GET /take-away?ids=v1,v2`, with `&form=zip` a ZIP also of one."""

from __future__ import annotations

import logging
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from kling.studio.curation import CurationError
from kling.studio.identity.roles import NotAllowed
from kling.studio.state.records import StateError
from kling.studio.take_away.bundle import Taken
from pages._ui import context
from pages._ui.address import base_path
from pages._ui.current_user import user_of

log = logging.getLogger(__name__)

NO_IDS = "Name the clips: /take-away?ids=… with the ids of jobs, and commas between them."


def routes() -> list[BaseRoute]:
    """Return the routes of this module."""
    return [Route(f"{base_path()}/take-away", take_away, methods=["GET", "HEAD"])]


def take_away(request: Request) -> Response:
    """Send the copies. Their size comes first, so a browser shows how far it is."""
    asked = request.query_params
    ids = [each for text in asked.getlist("ids") for each in text.split(",") if each]
    if not ids:
        return PlainTextResponse(NO_IDS, 400)
    try:
        acting = context.studio().acting_as(user_of(request))
        taken = acting.take_away(ids, as_zip=asked.get("form") == "zip")
    except CurationError as error:
        return PlainTextResponse(str(error), 404)
    except NotAllowed as error:
        return PlainTextResponse(str(error), 403)
    except (OSError, StateError) as error:
        log.warning("Clips cannot be taken away: %s", error)
        return PlainTextResponse("The clips cannot be read now. Try again in a moment.", 503)
    headers = _headers(taken)
    if request.method == "HEAD":
        return Response(headers=headers, media_type=taken.kind)
    return StreamingResponse(taken.chunks, headers=headers, media_type=taken.kind)


def _headers(taken: Taken) -> dict[str, str]:
    plain = "".join(char if char.isascii() and char not in '"\\' else "_" for char in taken.name)
    return {
        "Cache-Control": "private, no-store",
        "Content-Disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(taken.name)}",
        "Content-Length": str(taken.size),
        "Cross-Origin-Resource-Policy": "same-origin",
    }
