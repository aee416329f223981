"""Free preview clips of camera moves and cuts, also in ranges."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from kling.studio.prompting.previews import FOLDER, NAME
from pages._ui import context
from pages._ui.address import base_path
from pages._ui.routes.clips import file_answer


def routes() -> list[BaseRoute]:
    """Return the routes of this module."""
    return [Route(f"{base_path()}/previews/{{name}}", preview, methods=["GET", "HEAD"])]


def preview(request: Request) -> Response:
    """Serve a preview."""
    return file_answer(context.studio().settings.data_dir / FOLDER, request.path_params["name"], NAME)
