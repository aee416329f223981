"""Further clips of the wall of Gallery: `GET /wall?…&page=2`, as JSON.

The question is that of the address of Gallery.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from kling.studio.identity.roles import Action
from kling.studio.library import JobQuery
from kling.studio.library.store import IndexBroken
from kling.studio.state.records import StateError
from pages._ui import context, current_user
from pages._ui.address import base_path
from pages._ui.library.address import of_gallery
from pages._ui.wall.gallery import page_of, part_facts
from pages._ui.wall.tiles import Looker


def routes() -> list[BaseRoute]:
    """Return the routes of this module."""
    return [Route(f"{base_path()}/wall", part, methods=["GET"])]


def part(request: Request) -> Response:
    """Send a part of the clips."""
    here = context.studio()
    try:
        user = here.acting_as(current_user.user_of(request))
        if not user.may(Action.LOOK):
            return PlainTextResponse("Sign in to see clips.", 403)
        query = of_gallery(JobQuery.of_address(request.query_params))
        query = query if user.may(Action.SEE_PRICES) else query.without_costs
        to = Looker.of(user, here.settings.timezone)
        told = part_facts(query, page_of(query, to), to)
    except (IndexBroken, StateError) as error:
        return PlainTextResponse(f"The clips cannot be read now: {error}", 503)
    headers = {"Cache-Control": "private, no-store", "Cross-Origin-Resource-Policy": "same-origin"}
    return JSONResponse(told, headers=headers)
