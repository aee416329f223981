"""Text that is being typed, stored before Streamlit hears of it (composer/autosave.js)."""

from __future__ import annotations

import json
import re

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from kling.studio.identity.roles import NotAllowed
from kling.studio.state.records import DRAFT_BYTES, NotKept, StateError, TooLarge
from pages._ui import context, current_user
from pages._ui.address import base_path
from pages._ui.composer.autosave import TEXTS
from pages._ui.routes.cookies import browser_cookie

MOST_BYTES = 4 * DRAFT_BYTES  # of a body; JSON may need more for a text than the store does


def routes() -> list[BaseRoute]:
    """Return the routes of this module."""
    return [Route(f"{base_path()}/drafts/{{draft_id}}", typed, methods=["PUT"])]


async def typed(request: Request) -> Response:
    """Store texts of a draft; only its owner may. A refusal says why, in words."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BYTES:
            return PlainTextResponse("This is more text than a draft holds. Shorten it.", 413)
    try:
        texts = json.loads(body)
    except (ValueError, RecursionError):
        return PlainTextResponse("The body has to be JSON.", 400)
    if not isinstance(texts, dict) or not all(
        re.fullmatch(TEXTS, name) and isinstance(text, str) for name, text in texts.items()
    ):
        return PlainTextResponse("The body has to name texts of a draft.", 400)
    try:
        await run_in_threadpool(_store, request, request.path_params["draft_id"], texts)
    except (NotAllowed, StateError) as error:
        return _refusal(error)
    return Response(status_code=204)


def _refusal(error: NotAllowed | StateError) -> Response:
    if isinstance(error, NotAllowed):
        return PlainTextResponse(str(error), 403)
    if isinstance(error, NotKept):
        return PlainTextResponse(str(error), 413 if isinstance(error, TooLarge) else 409)
    return PlainTextResponse(
        f"What you type is not kept on the server now; that is tried again. {error}", 503
    )


def _store(request: Request, draft_id: str, texts: dict[str, str]) -> None:
    here = context.studio()
    browser = here.state.browsers.verify(browser_cookie(request))
    actions = here.acting_as(current_user.user_of(request))
    if not actions.draft_owner(browser):
        raise NotKept("This browser keeps no cookies, so a text is kept only once you leave its field.")
    if no_shot := actions.save_draft(draft_id, browser=browser, texts=texts):
        number = no_shot[0].removeprefix("shot_").partition(".")[0]
        raise NotKept(
            f"The draft on the server has no shot {number}, so what you typed there is not kept. It is still "
            "in this page: copy it, and load the page again."
        )
