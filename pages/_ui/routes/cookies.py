"""Names and forms of the cookies that the server sets."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection

from kling.studio.state.records import StateError
from pages._ui import context
from pages._ui.address import base_path

YEAR = 365 * 24 * 3600  # seconds
BROWSER_COOKIE = "studio_browser"  # the id of a browser, signed
MARK_COOKIE = "studio_known"  # that a person has signed in with this browser (`Browsers.mark`)


def is_secure(public_url: str, scheme: str = "http") -> bool:
    """Whether cookies travel over https only.

    Args:
        public_url: where people reach the studio; empty if it is not known.
        scheme: of the request that is answered.
    """
    return scheme == "https" or urlsplit(public_url).scheme == "https"


def session_cookie_name() -> str:
    """Return the name of the cookie of a session.

    With `__Host-` no other name below the same domain can set it. Browsers take that over https only, and
    only for a whole host.
    """
    own_host = is_secure(context.studio().settings.public_url) and not base_path()
    return "__Host-studio_session" if own_host else "studio_session"


def set_cookie(name: str, value: str, *, secure: bool = False, seconds: int | None = None) -> str:
    """Return a `Set-Cookie`: no script reads it, and no other site's request changes something with it.

    The gate adds `Secure` to each where the public address is https.

    Args:
        name: with `__Host-` in front it is for the whole host, as browsers demand.
        value: without blanks, commas and semicolons.
        secure: it travels over https only.
        seconds: how long the browser keeps it, 0 to delete it; None until the browser is closed.
    """
    path = base_path() or "/"
    age = "" if seconds is None else f" Max-Age={seconds};"
    return f"{name}={value}; Path={path};{age} HttpOnly; SameSite=Lax{'; Secure' if secure else ''}"


def browser_cookie(connection: HTTPConnection) -> str:
    """Return the cookie with the id of the browser that sent a request, not verified; empty without one."""
    return connection.cookies.get(BROWSER_COOKIE, "")


async def new_browser_cookie(connection: HTTPConnection) -> str:
    """Return a `Set-Cookie` for a page that is opened by a browser without an id, else an empty text.

    Nothing here waits on the event loop: a valid id is recognised in memory, and everything else that may
    need the database runs in a thread. If the database does not answer, no cookie is set.

    Args:
        connection: the request.
    """
    if "text/html" not in connection.headers.get("accept", ""):
        return ""
    known = browser_cookie(connection)
    try:
        state = context.studio().state
        if (browsers := state.browsers_if_open) and browsers.verify(known):
            return ""
        new = await run_in_threadpool(state.cookie_for, known)
    except (StateError, RuntimeError):  # the second: the studio is stopping
        return ""
    return new and set_cookie(BROWSER_COOKIE, new, seconds=YEAR)
