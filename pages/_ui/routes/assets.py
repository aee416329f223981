"""Scripts and style sheets of the pages. What lies under an address never changes, so browsers keep it."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from pages._ui.address import base_path
from pages._ui.scripts.assets import PATH, text_of

HEADERS = {"Cache-Control": "private, max-age=31536000, immutable"}


def routes() -> list[BaseRoute]:
    """Return the routes of this module."""
    return [Route(f"{base_path()}{PATH}/{{name}}", asset, methods=["GET", "HEAD"])]


def asset(request: Request) -> Response:
    """Serve one of them. Streamlit compresses it on the way."""
    name = request.path_params["name"]
    if (text := text_of(name)) is None:
        return Response(status_code=404, headers={"Cache-Control": "no-store"})
    kind = "text/css" if name.endswith(".css") else "text/javascript"
    return Response(text, headers=HEADERS, media_type=kind)
