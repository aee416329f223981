"""For a proxy or a container: 200 or 503, and one word. Open to everybody, so it says nothing else."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import BaseRoute, Route

from pages._ui import context
from pages._ui.address import base_path

PATH = "/healthz"  # below the server's base path


def routes() -> list[BaseRoute]:
    """Return the routes of this module."""
    return [Route(base_path() + PATH, healthz, methods=["GET", "HEAD"])]


async def healthz(_request: Request) -> PlainTextResponse:
    """Answer `ok`, or name the part that fails."""
    try:
        studio = context.studio()
    except RuntimeError:
        return PlainTextResponse("stopping", 503)
    word = await run_in_threadpool(studio.health.word)
    return PlainTextResponse(word, 200 if word == "ok" else 503, headers={"Cache-Control": "no-store"})
