"""Origin check and security headers on every response, also on Streamlit's own.

A request that changes something has to come from a page of this server: without a sign-in, any other web site
could otherwise send it through a visitor's browser.
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
from pages._ui import context, current_user
from pages._ui.live import base_path

YEAR = 365 * 24 * 3600  # seconds
SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
# Pages load nothing from another host, whatever a prompt or an answer contains. Streamlit's components are
# inline scripts and blobs. There is no `connect-src`, because not every browser takes 'self' for sockets.
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
    "X-Frame-Options": "SAMEORIGIN",  # as frame-ancestors, for older browsers
}


def same_origin(connection: HTTPConnection) -> bool:
    """Whether a request or a socket may come from a page of this server, or from no browser at all.

    Browsers send `Origin` with every socket and every request that changes something. A proxy in front has
    to forward `Host`; the scheme is not compared, because the proxy may end TLS. Both headers are compared
    byte by byte, as Streamlit does, so that an Origin that passes here passes there too.
    """
    headers = connection.headers
    origin = headers.get("origin")
    if origin is not None and _netloc(origin) != headers.get("host"):
        return False
    # Sec-Fetch-Site is not read for sockets: browsers differ in what they send there. All send Origin.
    return connection.scope["type"] == "websocket" or (
        headers.get("sec-fetch-site", "none") in {"same-origin", "none"}
    )


def _netloc(origin: str) -> str:
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return ""


class Guard:
    """ASGI middleware: refuses requests from other sites, and adds the headers and the browser's cookie.

    Sockets from other sites are refused here, because Streamlit would look up the machine's address at an
    outside service before it refuses one.
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
        if (socket or scope["method"] not in SAFE_METHODS) and not same_origin(connection):
            refusal = (
                WebSocketClose(1008)
                if socket
                else PlainTextResponse("This request comes from another site.", 403)
            )
        elif _stopping():
            refusal = WebSocketClose(1012) if socket else PlainTextResponse("The studio is stopping.", 503)
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


async def _new_cookie(connection: HTTPConnection) -> str:
    """Return a `Set-Cookie` for a page that is opened by a browser without an id, else an empty text.

    Nothing here waits on the event loop: a valid id is recognised in memory, and everything else that may
    need the database runs in a thread. If the database does not answer, no cookie is set.
    """
    if "text/html" not in connection.headers.get("accept", ""):
        return ""
    cookie = current_user.browser_cookie(connection)
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
        f"{current_user.BROWSER_COOKIE}={new}; Path={base_path() or '/'}; Max-Age={YEAR}; "
        f"HttpOnly; SameSite=Lax{secure}"
    )


def host_names(public_url: str = "") -> list[str]:
    """Return the host names that the server answers to; others would allow DNS rebinding."""
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
    """Return the middleware, the outermost first.

    Args:
        public_url: another address of the studio that is allowed.
    """
    return [
        Middleware(Guard),
        Middleware(TrustedHostMiddleware, allowed_hosts=host_names(public_url), www_redirect=False),
    ]
