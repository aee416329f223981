"""Every path that the server answers, and who may ask for it. What stands in no line here is refused.

A test walks the routes of this app and those of Streamlit: each has to have its line, or to be refused on
purpose.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal
from urllib.parse import unquote, urlsplit

from kling.studio.identity.roles import Action
from kling.studio.library.imports import MOST_BYTES as MOST_IMPORT_BYTES
from kling.studio.state.records import DRAFT_BYTES
from kling.studio.uploads import MOST_BYTES

SOCKET = "SOCKET"  # stands among the methods of a door that takes WebSockets
READ = frozenset({"GET", "HEAD"})
SIGN_IN = "/sign-in"
_ODD = re.compile(r"//|/\.{1,2}(?:/|\Z)|[\\\x00-\x1f\x7f]")  # what another parser may read as another path
_KEPT = re.compile(r"/(?![/\\])[^\\\x00-\x20\x7f#]*")


@dataclass(frozen=True, slots=True)
class Door:
    """One way in.

    Args:
        path: below the server's base path; `/*` at its end stands for everything below.
        needs: what a person has to be allowed to do; `open` to everybody, also without a session;
            `route` where the route decides by itself who may (it is told who asks, if anybody does).
        methods: that are answered; `SOCKET` is a WebSocket.
        body: the most bytes that a request may bring.
        seconds: in which its body has to arrive.
        is_page: people type this address: without a session they are led to the sign-in and back.
        sets_cookie: a browser without an id gets one.
    """

    path: str
    needs: Action | Literal["open", "route"]
    methods: frozenset[str] = READ
    body: int = 0
    seconds: float = 10.0
    is_page: bool = False
    sets_cookie: bool = True


def _page(name: str, needs: Action = Action.LOOK) -> Door:
    return Door(f"/{name}", needs, is_page=True)


FORM = 8 * 1024  # bytes of a form of the sign-in pages
POST = frozenset({"POST"})
DOORS: tuple[Door, ...] = (
    # Without a session.
    Door("/healthz", "open"),
    Door("/_stcore/health", "open"),
    Door("/callbacks", "open", POST, 64 * 1024),
    Door("/public/*", "open"),
    # Their routes are told who asks, if anybody does.
    Door(SIGN_IN, "route", READ | POST, FORM),
    Door(f"{SIGN_IN}/*", "route", READ | POST, FORM),
    Door("/sign-out", "route", READ | POST, FORM),
    Door("/sign-out/everywhere", "route", POST, FORM),
    Door("/metrics", "route"),
    Door("/share/*", "route", sets_cookie=False),  # also for people who are not of the team
    # The pages. A page asks again at each run: it can be reached through another one's socket.
    _page(""),
    _page("compose"),
    _page("history"),
    _page("gallery"),
    _page("collections"),
    _page("sharing", Action.SHARE),
    _page("compare"),
    _page("job"),
    _page("spend", Action.SEE_PRICES),
    _page("admin", Action.MANAGE_PEOPLE),
    # What pages load.
    Door("/assets/*", Action.LOOK),
    Door("/clips/*", Action.LOOK),
    Door("/films/*", Action.LOOK),
    Door("/film", Action.LOOK),
    Door("/posters/*", Action.LOOK),
    Door("/pictures/*", Action.LOOK),
    Door("/take-away", Action.LOOK),
    Door("/take-away/progress", Action.LOOK),
    Door("/previews/*", Action.LOOK),
    Door("/viewer", Action.LOOK),
    Door("/wall", Action.LOOK),
    Door("/export", Action.LOOK),
    Door("/live", Action.LOOK, READ | {SOCKET}),
    Door("/drafts/*", Action.DRAFT, frozenset({"PUT"}), 4 * DRAFT_BYTES),
    Door("/assistant", Action.ASSIST, POST, 64 * 1024),
    Door("/imports", Action.IMPORT, frozenset({"PUT"}), MOST_IMPORT_BYTES, seconds=300),
    Door("/pictures", Action.ORDER, frozenset({"PUT"}), MOST_BYTES, seconds=300),
    # Of Streamlit.
    Door("/_stcore/stream", Action.LOOK, frozenset({SOCKET})),
    Door("/_stcore/host-config", Action.LOOK),
    Door("/static/*", Action.LOOK),
    Door("/media/*", Action.LOOK),  # what its download buttons offer
    Door("/favicon.png", Action.LOOK),
)
# The names of the pages; that of the first one is empty.
PAGES = tuple(door.path[1:] for door in DOORS if door.is_page)


class Doors:
    """Finds the door of a path.

    Args:
        doors: all that there are.
        base: the path below which the server answers, without a slash at its end.
    """

    def __init__(self, doors: Iterable[Door] = DOORS, base: str = "") -> None:
        self._base = base
        self._whole: dict[str, Door] = {}
        below: list[tuple[str, Door]] = []
        for door in doors:
            if door.path.endswith("/*"):
                below.append((door.path[:-1], door))
            else:
                self._whole[door.path] = door
        self._below: Sequence[tuple[str, Door]] = below

    def find(self, path: str) -> Door | None:
        """Return the door of a path; None if there is none, or if the path could be read in two ways.

        Args:
            path: of a request, with its percent signs decoded.
        """
        if _ODD.search(path):
            return None
        if self._base:
            if path != self._base and not path.startswith(f"{self._base}/"):
                return None
            path = path[len(self._base) :] or "/"
        if door := self._whole.get(path):
            return door
        for start, below in self._below:
            if path.startswith(start):
                return below
        without_slash = self._whole.get(path.rstrip("/") or "/")
        return without_slash if without_slash and without_slash.is_page else None


def safe_way_back(to: str, base: str = "") -> str:
    """Return where a sign-in leads, if that is a path of this app, else the first page.

    Args:
        to: a path and a query, as somebody's link gives them.
        base: the path below which the server answers, without a slash at its end.
    """
    home = f"{base}/"
    try:
        parts = urlsplit(to)
    except ValueError:
        return home
    path = unquote(parts.path)  # browsers take `%2e%2e` for two dots
    is_here = path == base or path.startswith(home)
    if parts.scheme or parts.netloc or not is_here or _ODD.search(path) or not _KEPT.fullmatch(to):
        return home
    below = path[len(base) :]
    return home if below.startswith((SIGN_IN, "/sign-out")) else to
