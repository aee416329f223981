"""Pictures that videos begin and end with: `PUT /pictures` takes one, `/pictures/{sha256}` shows it.

With `imports.py`, that for files of jobs, it is the only way in for files.
"""

from __future__ import annotations

from functools import partial

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from kling.studio.identity.roles import User
from kling.studio.pictures.store import Picture, PictureMissing, PictureRefused
from kling.studio.uploads import Arriving, UploadRefused
from pages._ui import context
from pages._ui.address import base_path
from pages._ui.routes.clips import CLIP_HEADERS

_MEDIA_TYPES = {".png": "image/png", ".jpg": "image/jpeg"}
AT_ONCE = 256 * 1024  # bytes that are written together
_HEADERS = CLIP_HEADERS | {"X-Content-Type-Options": "nosniff"}


def routes() -> list[BaseRoute]:
    """Return the routes of this module."""
    base = f"{base_path()}/pictures"
    return [
        Route(base, take, methods=["PUT"]),
        Route(f"{base}/{{sha256}}", show, methods=["GET", "HEAD"]),
    ]


async def take(request: Request) -> Response:
    """Keep a picture, and answer with its name and what was changed of it. A refusal says why, in words.

    Of one that is too long or too high for Kling the middle is kept, to be offered: `cropped` says so.
    """
    user: User = request.state.user
    try:
        picture = await _kept(request, user)
    except (UploadRefused, PictureRefused) as refused:
        return PlainTextResponse(str(refused), refused.status, {"Connection": "close"})
    except ClientDisconnect:
        return Response(status_code=400)
    return JSONResponse(
        {
            "sha256": picture.sha256,
            "width": picture.width,
            "height": picture.height,
            "notes": list(picture.notes),
            "cropped": picture.is_cropped,
        },
        201,
    )


async def _kept(request: Request, user: User) -> Picture:
    studio = context.studio()
    arriving = await run_in_threadpool(studio.uploads.begin, user.id)
    with arriving:
        await _write_all(request, arriving)
        return await run_in_threadpool(arriving.hand_to, partial(studio.pictures.put_file, crop=True))


async def _write_all(request: Request, arriving: Arriving) -> None:
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


def show(request: Request) -> Response:
    """Serve a picture, which never changes. It is read at once: the cleaning may delete it at any moment."""
    try:
        path = context.studio().pictures.path(request.path_params["sha256"])
        content = path.read_bytes()
    except (PictureMissing, OSError):
        return Response(status_code=404)
    return Response(content, media_type=_MEDIA_TYPES[path.suffix], headers=_HEADERS)
