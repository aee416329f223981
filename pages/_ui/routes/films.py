"""Films: `GET /films/<name>` plays one, also in ranges; `GET /film?of=<id of a job>` is one to take away."""

from __future__ import annotations

import logging

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from kling.studio.curation import CurationError
from kling.studio.films.store import NAME
from kling.studio.identity.roles import NotAllowed
from pages._ui import context
from pages._ui.address import base_path
from pages._ui.current_user import user_of
from pages._ui.routes.clips import file_answer
from pages._ui.routes.take_away import answer_of

log = logging.getLogger(__name__)

UNREADABLE = "The film cannot be read now. Try again in a moment."


def routes() -> list[BaseRoute]:
    """Return the routes of this module."""
    return [
        Route(f"{base_path()}/films/{{name}}", film, methods=["GET", "HEAD"]),
        Route(f"{base_path()}/film", take, methods=["GET", "HEAD"]),
    ]


def film(request: Request) -> Response:
    """Serve a film to play."""
    return file_answer(context.studio().films.folder, request.path_params["name"], NAME)


def take(request: Request) -> Response:
    """Send a copy of the film of a clip, with the settings of all its parts in its metadata."""
    try:
        taken = context.studio().acting_as(user_of(request)).take_film(request.query_params.get("of", ""))
    except CurationError as error:
        return PlainTextResponse(str(error), 404)
    except NotAllowed as error:
        return PlainTextResponse(str(error), 403)
    except OSError as error:
        log.warning("A film cannot be taken away: %s", error)
        return PlainTextResponse(UNREADABLE, 503)
    return answer_of(request, taken)
