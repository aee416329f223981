"""What pages without a session load: their style, script, icon and font, and posters of the templates."""

from __future__ import annotations

from pathlib import Path

import streamlit
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Route

from kling.studio.prompting.templates import POSTERS
from pages._ui.address import base_path
from pages._ui.routes import sign_in_pages

HEADERS = {"Cache-Control": "public, max-age=3600"}
_FONTS = Path(streamlit.__file__).parent / "static" / "static" / "media"


def routes() -> list[BaseRoute]:
    """Return the routes of this module."""
    base = base_path()
    return [
        Route(f"{base}/public/{{name}}", public_file, methods=["GET", "HEAD"]),
        Route(f"{base}/public/posters/{{name}}", poster, methods=["GET", "HEAD"]),
    ]


def files() -> dict[str, Path]:
    """Return every file by its public name. The font is the one that Streamlit brings."""
    found = {name: sign_in_pages.FOLDER / name for name in ("style.css", "pending.js", "icon.svg")}
    for font in _FONTS.glob("SourceSansVF-Upright.*.woff2"):
        found["source-sans.woff2"] = font
    return found


def public_file(request: Request) -> Response:
    """Serve one of the files; no name leads elsewhere."""
    path = _FILES.get(request.path_params["name"])
    return FileResponse(path, headers=HEADERS) if path else Response(status_code=404)


def poster(request: Request) -> Response:
    """Serve one of the posters that these pages show."""
    name = request.path_params["name"].removesuffix(".jpg")
    if name not in sign_in_pages.POSTERS:
        return Response(status_code=404)
    return FileResponse(POSTERS / f"{name}.jpg", headers=HEADERS)


_FILES = files()
