"""Jobs to carry elsewhere: `GET /export?…&form=csv` answers with exactly what a question finds, as a file.

The question is that of the address of History. `ids=a,b,c` names jobs instead of it. Who may not see prices
gets a file without them. The file is made while it is sent, so its length is not known before.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from kling.studio.curation import MOST_JOBS
from kling.studio.identity.roles import NotAllowed
from kling.studio.ids import PLAIN_ID
from kling.studio.library import JobQuery
from kling.studio.library.store import IndexBroken
from pages._ui import context, current_user
from pages._ui.address import base_path

FORMS = {"csv": "text/csv; charset=utf-8; header=present", "jsonl": "application/x-ndjson"}
BLOCK = 64 * 1024  # bytes that are sent together; each block is made in a thread


def routes() -> list[BaseRoute]:
    """Return the routes of this module."""
    return [Route(f"{base_path()}/export", export, methods=["GET"])]


async def export(request: Request) -> Response:
    """Send a file of jobs; a refusal says why, in words."""
    form, query = request.query_params.get("form", "csv"), JobQuery.of_address(request.query_params)
    if form not in FORMS:
        return PlainTextResponse(f"There is no such form of an export. Choose one: {', '.join(FORMS)}.", 400)
    ids = request.query_params.get("ids")
    chosen = None if ids is None else [each for each in ids.split(",") if PLAIN_ID.fullmatch(each)]
    if chosen is not None and len(chosen) > MOST_JOBS:
        return PlainTextResponse(f"At most {MOST_JOBS:,} jobs can be named. Use a filter for more.", 400)
    headers = _headers(form, context.studio().library.today())
    if request.method == "HEAD":
        return Response(headers=headers, media_type=FORMS[form])
    try:
        lines = await run_in_threadpool(_lines, request, query, form, chosen)
    except NotAllowed as error:
        return PlainTextResponse(str(error), 403)
    except IndexBroken as error:
        return PlainTextResponse(f"Nothing can be exported now: {error}", 503)
    return StreamingResponse(_blocks(lines), headers=headers, media_type=FORMS[form])


def _lines(request: Request, query: JobQuery, form: str, ids: list[str] | None) -> Iterator[bytes]:
    actions = context.studio().acting_as(current_user.user_of(request))
    return actions.export(query, form, ids=ids)


def _headers(form: str, today: date) -> dict[str, str]:
    return {
        "Cache-Control": "no-store",
        "Content-Disposition": f'attachment; filename="kling-history-{today.isoformat()}.{form}"',
        "Cross-Origin-Resource-Policy": "same-origin",
        "X-Content-Type-Options": "nosniff",
    }


def _blocks(lines: Iterable[bytes]) -> Iterator[bytes]:
    """Yield lines in blocks: one that is sent alone costs more than to make it."""
    block: list[bytes] = []
    size = 0
    for line in lines:
        block.append(line)
        size += len(line)
        if size >= BLOCK:
            yield b"".join(block)
            block, size = [], 0
    if block:
        yield b"".join(block)
