"""Pictures that videos begin and end with: `PUT /pictures` takes one, `/pictures/{sha256}` shows it."""

from __future__ import annotations

from functools import partial

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from kling.studio.identity.roles import User
from kling.studio.pictures.store import Picture, PictureMissing, PictureRefused
from kling.studio.uploads import UploadRefused
from pages._ui import context
from pages._ui.address import base_path
from pages._ui.routes.clips import CLIP_HEADERS
from pages._ui.routes.uploads import write_all

_MEDIA_TYPES = {".png": "image/png", ".jpg": "image/jpeg"}
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
        await write_all(request, arriving)
        return await run_in_threadpool(arriving.hand_to, partial(studio.pictures.put_file, crop=True))


def show(request: Request) -> Response:
    """Serve a picture, which never changes. It is read at once: the cleaning may delete it at any moment."""
    try:
        path = context.studio().pictures.path(request.path_params["sha256"])
        content = path.read_bytes()
    except (PictureMissing, OSError):
        return Response(status_code=404)
    return Response(content, media_type=_MEDIA_TYPES[path.suffix], headers=_HEADERS)
