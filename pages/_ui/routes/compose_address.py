"""`/compose`, which people type: Compose is the first page, and Streamlit knows a first page by `/` only."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from pages._ui.address import base_path

ASKED_FOR = "draft="  # no draft, but a query: who may not order is told so, and not only led to History


def routes() -> list[BaseRoute]:
    """Return the routes of this module."""
    return [Route(f"{base_path()}/compose{slash}", lead) for slash in ("", "/")]


def lead(request: Request) -> Response:
    """Lead to the page, with what the address names."""
    return RedirectResponse(f"{base_path()}/?{request.url.query or ASKED_FOR}", 307)
