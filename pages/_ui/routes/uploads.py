"""The one way in for files: `PUT /uploads` with the file as the body; the answer names it for an hour."""

from __future__ import annotations

import asyncio

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from kling.studio.identity.roles import User
from kling.studio.uploads import KEPT_SECONDS, Arriving, UploadRefused
from pages._ui import context
from pages._ui.address import base_path

AT_ONCE = 256 * 1024  # bytes that are written together


def routes() -> list[BaseRoute]:
    """Return the routes of this module."""
    return [Route(f"{base_path()}/uploads", upload, methods=["PUT"])]


async def upload(request: Request) -> Response:
    """Take a file from the person who asks; nobody else can use it. A refusal says why, in words."""
    user: User = request.state.user
    try:
        return await _take(request, user)
    except UploadRefused as refused:
        return PlainTextResponse(str(refused), refused.status, {"Connection": "close"})
    except ClientDisconnect:
        return Response(status_code=400)


async def write_all(request: Request, arriving: Arriving) -> None:
    """Write the body of a request.

    Raises:
        UploadRefused: it is too large, or the disk is too full.
        ClientDisconnect: it has broken off.
    """
    waiting = bytearray()
    async for chunk in request.stream():
        waiting += chunk
        if len(waiting) >= AT_ONCE:
            await run_in_threadpool(arriving.write, bytes(waiting))
            waiting.clear()
    await run_in_threadpool(arriving.write, bytes(waiting))


async def _take(request: Request, user: User) -> Response:
    arriving = await run_in_threadpool(context.studio().uploads.begin, user.id)
    with arriving:
        await write_all(request, arriving)
        kept = await run_in_threadpool(arriving.keep)
    loop = asyncio.get_running_loop()
    loop.call_later(KEPT_SECONDS + 1, loop.run_in_executor, None, context.studio().uploads.delete_old)
    picture = kept.picture
    return JSONResponse(
        {
            "id": kept.id,
            "type": picture.media_type,
            "width": picture.width,
            "height": picture.height,
        },
        201,
    )
