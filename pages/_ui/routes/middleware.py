"""What stands before every route, Streamlit's own included: who may ask, and what no answer goes without.

There is no sign-in that a forged request would have to get past, so whatever changes something has to come
from a page of this server: no other web site can reach it through a visitor's browser.
"""

from __future__ import annotations

from urllib.parse import urlsplit

import streamlit as st
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocketClose

from kling.studio.state.records import StateError
from pages._ui import context
from pages._ui.live import base_path

BROWSER_COOKIE = "studio_browser"  # pages read it: st.context.cookies
YEAR = 365 * 24 * 3600  # seconds
READING = {"GET", "HEAD", "OPTIONS"}
# Nothing of another host is loaded, whatever a prompt or an answer holds. Streamlit's components are inline
# scripts and blobs. What a page may connect to is left open: not every browser takes 'self' for sockets.
CONTENT_SECURITY_POLICY = (
    "script-src 'self' 'unsafe-inline' 'wasm-unsafe-eval' blob:",
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data: blob:",
    "media-src 'self' data: blob:",
    "font-src 'self' data:",
    "frame-src 'self' data: blob:",
    "object-src 'none'",
    "base-uri 'self'",
    "form-action 'self'",
    "frame-ancestors 'self'",
)
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Content-Security-Policy": "; ".join(CONTENT_SECURITY_POLICY),
    "X-Frame-Options": "SAMEORIGIN",  # the same, for older browsers
}


def same_origin(connection: HTTPConnection) -> bool:
    """Whether a request or a socket may come from a page of this server, or from no browser at all.

    Browsers send `Origin` with every socket and every request that changes something. A proxy in front has
    to forward `Host`; the scheme is not compared, for it may end TLS. Both are compared as they are, which is
    what Streamlit does: no Origin that passes here may be foreign there.
    """
    headers = connection.headers
    origin = headers.get("origin")
    if origin is not None and _netloc(origin) != headers.get("host"):
        return False
    # Not of sockets: browsers disagree on what they send there, and all of them send Origin.
    return connection.scope["type"] == "websocket" or (
        headers.get("sec-fetch-site", "none") in {"same-origin", "none"}
    )


def _netloc(origin: str) -> str:
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return ""


class Guard:
    """ASGI middleware: refuses what comes from another site, and adds headers and the browser's cookie.

    Sockets of a foreign origin end here: Streamlit would look up the machine's address at an outside service
    before it refuses one.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        connection = HTTPConnection(scope)
        socket = scope["type"] == "websocket"
        refusal: ASGIApp | None = None
        if (socket or scope["method"] not in READING) and not same_origin(connection):
            refusal = WebSocketClose(1008) if socket else _words("This request comes from another site.", 403)
        elif _stopping():
            refusal = WebSocketClose(1012) if socket else _words("The studio is stopping.", 503)
        if socket:
            await (refusal or self._app)(scope, receive, send)
            return
        cookie = await _new_cookie(connection)

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(HEADERS)
                if cookie:
                    headers.append("Set-Cookie", cookie)
            await send(message)

        await (refusal or self._app)(scope, receive, send_with_headers)


def _stopping() -> bool:
    try:
        context.studio()
    except RuntimeError:
        return True
    return False


def _words(text: str, status: int) -> ASGIApp:
    return PlainTextResponse(text, status)


async def _new_cookie(connection: HTTPConnection) -> str:
    """Return a `Set-Cookie` for a page that is opened by a browser without an id of ours, else nothing.

    Nothing here waits on the event loop: an id that is good is recognised in memory, and everything else that
    may need the database runs in a thread. A database that does not answer leaves the browser as it is.
    """
    if "text/html" not in connection.headers.get("accept", ""):
        return ""
    cookie = connection.cookies.get(BROWSER_COOKIE, "")
    try:
        state = context.studio().state
        if (browsers := state.browsers_if_open) and browsers.verify(cookie):
            return ""
        new = await run_in_threadpool(state.cookie_for, cookie)
    except (StateError, RuntimeError):  # the second: the studio is stopping
        return ""
    if not new:
        return ""
    secure = "; Secure" if connection.scope["scheme"] == "https" else ""
    return (
        f"{BROWSER_COOKIE}={new}; Path={base_path() or '/'}; Max-Age={YEAR}; HttpOnly; SameSite=Lax{secure}"
    )


def host_names(public_url: str = "") -> list[str]:
    """Return the names under which the server answers: no foreign page may lend it one (DNS rebinding)."""
    allowed = st.get_option("server.allowedHosts")
    if st.get_option("server.address") in {"0.0.0.0", "::", "", None}:  # noqa: S104
        names = [*allowed, urlsplit(public_url).hostname] if allowed else ["*"]
    else:
        names = [
            "localhost",
            "127.0.0.1",
            st.get_option("server.address"),
            st.get_option("browser.serverAddress"),
            urlsplit(public_url).hostname,
            *allowed,
        ]
    return [*dict.fromkeys(str(name) for name in names if name)]


def middleware(public_url: str = "") -> list[Middleware]:
    """Return what stands before the routes, the outermost first.

    Args:
        public_url: an address of the studio that is allowed too.
    """
    return [
        Middleware(Guard),
        Middleware(TrustedHostMiddleware, allowed_hosts=host_names(public_url), www_redirect=False),
    ]
