"""Scripts and style sheets of the pages. What lies under an address never changes, so browsers keep it."""

from __future__ import annotations

import gzip

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from pages._ui.address import base_path
from pages._ui.scripts.assets import PATH, packed_text

HEADERS = {"Cache-Control": "private, max-age=31536000, immutable", "Vary": "Accept-Encoding"}


def routes() -> list[BaseRoute]:
    """Return the routes of this module."""
    return [Route(f"{base_path()}{PATH}/{{name}}", asset, methods=["GET", "HEAD"])]


def asset(request: Request) -> Response:
    """Serve one of them."""
    name = request.path_params["name"]
    if (packed := packed_text(name)) is None:
        return Response(status_code=404, headers={"Cache-Control": "no-store"})
    kind = "text/css" if name.endswith(".css") else "text/javascript"
    if "gzip" in request.headers.get("Accept-Encoding", ""):
        return Response(packed, headers={**HEADERS, "Content-Encoding": "gzip"}, media_type=kind)
    return Response(gzip.decompress(packed), headers=HEADERS, media_type=kind)
