"""The HTML that every page begins with: Streamlit's own, our style sheet, and what loads scripts.

A sheet among the elements of a page would come in Streamlit's messages, later and not compressed.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import BaseRoute, Route
from streamlit.file_util import get_static_dir

from pages._ui.address import base_path
from pages._ui.routes.paths import DOORS
from pages._ui.scripts.assets import loads
from pages._ui.style.sheet import sheet_of_every_page

HEADERS = {"Cache-Control": "no-cache"}
END = "</body>"  # after Streamlit's own styles, of which ours change some


def routes() -> list[BaseRoute]:
    """Return the routes of this module."""
    base = base_path()
    return [Route(f"{base}{door.path}", page_html, methods=["GET", "HEAD"]) for door in DOORS if door.is_page]


def page_html(_request: Request) -> HTMLResponse:
    """Serve it; the pages differ in what comes through their socket."""
    return HTMLResponse(_html(base_path()), headers=HEADERS)


@cache
def _html(_base: str) -> str:
    html = Path(get_static_dir(), "index.html").read_text(encoding="utf-8")
    before, end, after = html.rpartition(END)
    ours = f'<link rel="stylesheet" href="{sheet_of_every_page()}"><script>{loads()}</script>'
    return f"{before}{ours}{end}{after}"
