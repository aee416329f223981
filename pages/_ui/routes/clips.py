"""Videos and posters from the studio's own copy, also in ranges."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Route

from kling.studio.ids import PLAIN_ID
from pages._ui import context
from pages._ui.address import base_path

CLIP_NAME = re.compile(rf"{PLAIN_ID.pattern}(\.watermark)?\.(mp4|jpg)")
CLIP_HEADERS = {
    "Cache-Control": "private, max-age=31536000, immutable",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def routes() -> list[BaseRoute]:
    """Return the routes of this module."""
    return [Route(f"{base_path()}/clips/{{name}}", clip, methods=["GET", "HEAD"])]


def clip(request: Request) -> Response:
    """Serve a video or its poster, with `?download` as a file to keep."""
    name = request.path_params["name"]
    keep_as = f"kling-{name}" if "download" in request.query_params else None
    return file_answer(context.studio().archive.folder, name, CLIP_NAME, keep_as=keep_as)


def file_answer(folder: Path, name: str, names: re.Pattern[str], *, keep_as: str | None = None) -> Response:
    """Return the answer with a file of a folder; no name and no link leads out of the folder.

    Args:
        folder: where it lies.
        name: as it was asked for.
        names: that are served.
        keep_as: the name under which a browser keeps it; None where it is shown.
    """
    if not names.fullmatch(name) or (found := regular_file(folder / name)) is None:
        return Response(status_code=404)
    return FileResponse(folder / name, headers=CLIP_HEADERS, filename=keep_as, stat_result=found)


def regular_file(path: Path) -> os.stat_result | None:
    """Return the facts of a file; None if it is not there, or is a link or a folder."""
    try:
        found = path.lstat()
    except OSError:
        return None
    return found if stat.S_ISREG(found.st_mode) else None
