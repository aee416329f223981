"""What lies below the paths that are open without a session, and is no page of ours: nothing.

Without these routes Streamlit would answer with its own page, to people who have not signed in.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from pages._ui.address import base_path
from pages._ui.routes.paths import DOORS, SIGN_IN


def routes() -> list[BaseRoute]:
    """Return the routes of this module; they come after those of all others."""
    open_below = (
        door.path.removesuffix("*")
        for door in DOORS
        if door.needs in {"open", "route"} and door.path.endswith("*")
    )
    return [Route(f"{base_path()}{path}{{rest:path}}", nothing) for path in open_below]


def nothing(request: Request) -> Response:
    """Say that there is nothing; a slash too many leads to the sign-in."""
    if request.url.path == f"{base_path()}{SIGN_IN}/":
        return RedirectResponse(f"{base_path()}{SIGN_IN}", 303)
    return PlainTextResponse("There is nothing here.", 404)
