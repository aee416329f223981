"""The way in for a file of jobs: `PUT /imports` with the file as the body, from admins.

Nothing is taken in by it: the file is read, and what it would add waits for the decision on the admin page.
"""

from __future__ import annotations

import threading
from urllib.parse import unquote

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from kling.studio.identity.roles import NotAllowed
from kling.studio.library.imports import MOST_BYTES, ImportRefused
from kling.text import storable
from pages._ui import context, current_user
from pages._ui.address import base_path

NAME_HEADER = "X-File-Name"  # the name of the file, with percent signs
_LONGEST_NAME = 100
_reading = threading.Lock()  # a large file takes much memory while it is read: one at a time


def routes() -> list[BaseRoute]:
    """Return the routes of this module."""
    return [Route(f"{base_path()}/imports", take, methods=["PUT"])]


async def take(request: Request) -> Response:
    """Read a file; a refusal says why, in words."""
    if not _reading.acquire(blocking=False):
        return PlainTextResponse("Another file is being read. Try again in a minute.", 409)
    try:
        data = bytearray()
        async for chunk in request.stream():
            data += chunk
            if len(data) > MOST_BYTES:
                words = f"The file is larger than {MOST_BYTES // 2**20} MB: export it in parts, by date."
                return PlainTextResponse(words, 413, {"Connection": "close"})
        jobs = await run_in_threadpool(_read, request, data)
    except (NotAllowed, ImportRefused) as error:
        return PlainTextResponse(str(error), 403 if isinstance(error, NotAllowed) else 422)
    except ClientDisconnect:
        return Response(status_code=400)
    finally:
        _reading.release()
    return JSONResponse({"jobs": jobs}, 201)


def _read(request: Request, data: bytearray) -> int:
    here, user = context.studio(), current_user.user_of(request)
    plan = here.acting_as(user).read_import(bytes(data))
    name = storable(unquote(request.headers.get(NAME_HEADER, "")), _LONGEST_NAME)
    here.imports.waiting.keep(user.id, name, plan)
    return plan.jobs
