"""Links that older versions gave to a job (`/history?task=…`): they lead to its page.

The server answers them, not the page: then nobody comes back to them by the browser's Back.
"""

from __future__ import annotations

from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Match, Route
from starlette.types import Scope

from kling.studio.library import JobQuery
from pages._ui.address import base_path
from pages._ui.job.address import OLDER, job_link


class _OfOneJob(Route):
    """Answers for an address only if it names a job; for any other one the page answers."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        found = super().matches(scope)
        return found if _job_of(scope.get("query_string", b"")) else (Match.NONE, {})


def routes() -> list[BaseRoute]:
    """Return the routes of this module."""
    return [_OfOneJob(f"{base_path()}/history{slash}", lead) for slash in ("", "/")]


def lead(request: Request) -> Response:
    """Lead to the job's page, with the way back to the list that the address names."""
    query = JobQuery.of_address(request.query_params)
    return RedirectResponse(job_link(_job_of(request.scope["query_string"]), query), 308)


def _job_of(query: bytes) -> str:
    return parse_qs(query.decode("latin-1")).get(OLDER, [""])[0]
