"""Pictures of the starting prompts, which come with the studio."""

from __future__ import annotations

from starlette.routing import BaseRoute, Mount
from starlette.staticfiles import StaticFiles

from kling.studio.prompting.templates import POSTERS
from pages._ui.address import base_path


def routes() -> list[BaseRoute]:
    """Return the routes of this module."""
    return [Mount(f"{base_path()}/posters", StaticFiles(directory=POSTERS))]
