"""Shared links: a page, and the clips and pictures of exactly that link.

Everything that is not there is answered in the same way, so that nobody learns why: ended, guessed, another
link's clip. Nothing may be kept by a cache: it would outlive the link.
"""

from __future__ import annotations

import logging
import re
from pathlib import Path
from urllib.parse import quote, urlsplit

from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from kling.studio.films.store import name_of
from kling.studio.identity.roles import Action, User, may
from kling.studio.ids import PLAIN_ID
from kling.studio.service import Studio
from kling.studio.share_views import SharedView
from kling.studio.state.records import StateError
from pages._ui import context
from pages._ui.address import base_path
from pages._ui.routes.clips import regular_file
from pages._ui.routes.paths import SIGN_IN
from pages._ui.share.address import share_path
from pages._ui.share.page import (
    BROKEN,
    DECK,
    DECK_SCRIPT,
    DIFFERS,
    FILM,
    NOTHING,
    POLICY,
    SIGN_IN_FIRST,
    Place,
    message,
    page,
)

log = logging.getLogger(__name__)

METHODS = ["GET", "HEAD"]
HEADERS = {
    "Cache-Control": "private, no-store",
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex, nofollow",
}
_FILE = re.compile(rf"(?P<job>{PLAIN_ID.pattern})\.(?P<kind>mp4|jpg)")


def routes() -> list[BaseRoute]:
    """Return the routes of this module."""
    base = base_path()
    return [
        Route(f"{base}/share/{{token}}", shared_page, methods=METHODS),
        Route(f"{base}/share/{{token}}/{{name}}", shared_file, methods=METHODS),
    ]


def shared_page(request: Request) -> Response:
    """Show the page of a link. Where it takes a sign-in, who has none is led there and back."""
    here, token = context.studio(), request.path_params["token"]
    try:
        view = here.shared_view(token)
        if not _may_see(here, view, request):
            if "text/html" not in request.headers.get("accept", ""):
                return HTMLResponse(message(SIGN_IN_FIRST), 401, HEADERS)
            back = quote(quote(request.url.path), safe="/")
            return RedirectResponse(f"{base_path()}{SIGN_IN}?to={back}", 303, HEADERS)
        if view is None:
            return HTMLResponse(message(NOTHING), 404, HEADERS)
        if request.method == "GET":
            here.state.shares.count(view.share.id)
    except StateError as error:
        log.warning("A shared link cannot be looked up. %s", error)
        return HTMLResponse(message(BROKEN), 503, HEADERS)
    origin = here.settings.public_url or "{0.scheme}://{0.netloc}".format(urlsplit(str(request.base_url)))
    place = Place(share_path(token), origin, here.settings.timezone)
    pictures = frozenset(job.id for job in view.clips if here.archive.poster(job.id).exists())
    film = here.films.film(view.clips, person=f"share {view.share.id}") if view.is_film else None
    ready = film if film is not None and film.state == "ready" else None
    return HTMLResponse(page(view, place, pictures, ready), headers=HEADERS)


def shared_file(request: Request) -> Response:
    """Serve a clip or its picture, also in ranges, the script that compares clips, or how they differ."""
    here, wanted = context.studio(), _FILE.fullmatch(request.path_params["name"])
    try:
        view = here.shared_view(request.path_params["token"])
        may_see = view is not None and _may_see(here, view, request)
        if view is not None and may_see and request.path_params["name"] == DECK:
            return Response(DECK_SCRIPT, headers=HEADERS, media_type="text/javascript")
        if view is not None and may_see and request.path_params["name"] == DIFFERS:
            return _differs(view, request.query_params.get("ids", ""))
        path = _path(here, view, wanted) if view is not None and may_see and wanted is not None else None
        if view is None or wanted is None or path is None or (found := regular_file(path)) is None:
            return HTMLResponse(message(NOTHING), 404, HEADERS)
        if wanted["kind"] == "mp4" and _is_begun(request):
            here.state.shares.count(view.share.id, played=True)
    except StateError as error:
        log.warning("A shared link cannot be looked up. %s", error)
        return HTMLResponse(message(BROKEN), 503, HEADERS)
    return FileResponse(path, headers=HEADERS, stat_result=found)


def _path(here: Studio, view: SharedView, wanted: re.Match[str]) -> Path | None:
    """Return where a file of a link lies, None if it is none of this link's."""
    if view.is_film and wanted["job"] == FILM:
        is_film = wanted["kind"] == "mp4"
        return here.films.path(name_of(view.clips)) if is_film else here.archive.poster(view.clips[0].id)
    return None if view.clip(wanted["job"]) is None else here.archive.folder / wanted[0]


def _differs(view: SharedView, ids: str) -> Response:
    """Tell which words of the prompts of some clips of a link differ, if it shows prompts."""
    from pages._ui.compare.differences import LETTERS, prompts_alone  # only where somebody compares

    jobs = [job for each in dict.fromkeys(ids.split(",")) if (job := view.clip(each)) is not None]
    rows = prompts_alone(jobs[: len(LETTERS)]) if view.share.prompts and jobs else []
    return JSONResponse(rows, headers=HEADERS)


def _may_see(here: Studio, view: SharedView | None, request: Request) -> bool:
    """Whether a request may see a link, or hear that it shows nothing.

    Where sharing is for the team alone, a stranger hears neither.
    """
    if view.audience == "anyone" if view is not None else here.settings.sharing != "team":
        return True
    user = getattr(request.state, "user", None)
    return isinstance(user, User) and may(user, Action.LOOK)


def _is_begun(request: Request) -> bool:
    """Whether a clip is fetched from its beginning; players ask for later parts of it too."""
    asked = request.headers.get("range", "bytes=0-")
    return request.method == "GET" and asked.replace(" ", "").startswith("bytes=0-")
