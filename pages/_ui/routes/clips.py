"""Videos and posters from the studio's own copy, also in ranges."""

from __future__ import annotations

import re

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Route

from pages._ui import context
from pages._ui.live import base_path

CLIP_NAME = re.compile(r"[0-9A-Za-z][0-9A-Za-z_-]{0,63}(\.watermark)?\.(mp4|jpg)")
CLIP_HEADERS = {
    "Cache-Control": "private, max-age=31536000, immutable",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def routes() -> list[BaseRoute]:
    """Return the routes of this module."""
    return [Route(f"{base_path()}/clips/{{name}}", clip, methods=["GET", "HEAD"])]


def clip(request: Request) -> Response:
    """Serve a video or its poster; no name leads out of the folder."""
    name = request.path_params["name"]
    path = context.studio().archive.folder / name
    if not CLIP_NAME.fullmatch(name) or not path.is_file():
        return Response(status_code=404)
    return FileResponse(path, headers=CLIP_HEADERS)
