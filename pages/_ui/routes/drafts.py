"""Text that is being typed, kept before Streamlit hears of it."""

from __future__ import annotations

import json
import re

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from kling.studio.drafts import MOST_BYTES
from pages._ui import context
from pages._ui.live import base_path
from pages._ui.routes.middleware import BROWSER_COOKIE

TEXTS = re.compile(r"prompt|negative_prompt|other_model|shot_[1-9]")


def routes() -> list[BaseRoute]:
    """Return the routes of this module."""
    return [Route(f"{base_path()}/drafts/{{draft_id}}", typed, methods=["PUT"])]


async def typed(request: Request) -> Response:
    """Keep the texts of a draft; only the browser that made it may."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BYTES:
            return Response("This is more text than a draft holds.", status_code=413)
    try:
        texts = json.loads(body)
    except (ValueError, RecursionError):
        return Response("The body has to be JSON.", status_code=400)
    if not isinstance(texts, dict) or not all(
        TEXTS.fullmatch(name) and isinstance(text, str) for name, text in texts.items()
    ):
        return Response("The body has to name texts of a draft.", status_code=400)
    kept = await run_in_threadpool(
        context.studio().drafts.save,
        request.path_params["draft_id"],
        request.cookies.get(BROWSER_COOKIE, ""),
        texts=texts,
    )
    return Response(status_code=204 if kept else 409)
