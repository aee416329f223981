"""Free preview clips of camera moves and cuts, also in ranges."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Route

from kling.studio.prompting.previews import FOLDER, NAME
from pages._ui import context
from pages._ui.live import base_path
from pages._ui.routes.clips import CLIP_HEADERS


def routes() -> list[BaseRoute]:
    """Return the routes of this module."""
    return [Route(f"{base_path()}/previews/{{name}}", preview, methods=["GET", "HEAD"])]


def preview(request: Request) -> Response:
    """Serve a preview; no name leads out of the folder."""
    name = request.path_params["name"]
    path = context.studio().settings.data_dir / FOLDER / name
    if not NAME.fullmatch(name) or not path.is_file():
        return Response(status_code=404)
    return FileResponse(path, headers=CLIP_HEADERS)
