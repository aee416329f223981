"""The one gate before everything that the server answers, Streamlit included.

Each request is asked, in this order: does it name this server, does it come from a page of this server, who
asks, is there a door for its path, may they use it. What passes is counted and bounded, and every answer gets
the headers.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from urllib.parse import quote

from starlette.middleware import Middleware
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocketClose

from kling.studio.identity.roles import LOCAL, Action, User, may
from kling.studio.identity.ways import is_loopback
from kling.studio.service import Studio
from kling.studio.settings import Settings
from kling.studio.sign_in_settings import PROXY_HEADER
from kling.studio.state.records import StateError
from pages._ui import context
from pages._ui.address import base_path
from pages._ui.routes import limits
from pages._ui.routes.cookies import is_secure, new_browser_cookie
from pages._ui.routes.headers import Outgoing
from pages._ui.routes.hosts import (
    came_from_elsewhere,
    host_for_streamlit,
    is_forwarded,
    known_hosts,
    same_origin,
)
from pages._ui.routes.open_sockets import OpenSocket, OpenSockets
from pages._ui.routes.paths import DOORS, SIGN_IN, SOCKET, Door, Doors
from pages._ui.routes.refusals import Refusal
from pages._ui.routes.who_asks import Answer, is_local, still_there, who_asks

PERSON = b"x-studio-person"  # who asks, for Streamlit: .streamlit/config.toml, server.trustedUserHeaders
OURS = b"x-studio-"  # headers that only the gate sets
HEALTH = {"/healthz", "/_stcore/health"}
SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
NO_SIGN_IN = (
    "This studio has no sign-in, so it is for browsers on its own machine only, and {}. To share it, set up "
    "a way to sign in: README, chapter On an intranet."
)
WRONG_NAME = (
    "This server does not answer to that name. Whoever runs it can set STUDIO_PUBLIC_URL or "
    "--server.allowedHosts."
)


@dataclass(frozen=True, slots=True)
class Passed:
    """A request that may pass.

    Args:
        studio: that is running.
        connection: the request.
        door: that it goes through.
        who: asks.
        owner: whose share of the bounds it takes; empty if that cannot be told.
    """

    studio: Studio
    connection: HTTPConnection
    door: Door
    who: Answer
    owner: str

    def is_still_allowed(self) -> bool:
        """Whether who asked has not signed out since, and may still use the door."""

        def may_use(user: User) -> bool:
            return not isinstance(self.door.needs, Action) or may(user, self.door.needs)

        return still_there(self.studio, self.who, may_use)


class Gate:
    """ASGI middleware.

    Args:
        app: behind it.
        settings: of the studio.
        doors: every way in.
    """

    def __init__(self, app: ASGIApp, settings: Settings, doors: Iterable[Door] = DOORS) -> None:
        self._app, self._public_url = app, settings.public_url
        self._secret = settings.sign_in.proxy_secret.encode()
        self._base = base_path()
        self._doors = Doors(doors, self._base)
        self._hosts = known_hosts(settings.public_url)
        self._host_for_streamlit = host_for_streamlit().encode()
        self._sockets = limits.OpenCounts(limits.SOCKETS_EACH, limits.SOCKETS)
        self._requests = limits.OpenCounts(limits.REQUESTS_EACH, limits.REQUESTS)
        self._strangers = limits.OpenCounts(limits.REQUESTS_EACH, limits.STRANGERS)
        self._bodies, self._bodies_of_strangers = limits.Bodies(), limits.Bodies()
        self._open = OpenSockets()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request or one socket."""
        if scope["type"] == "websocket":
            await self._socket(scope, receive, send)
        elif scope["type"] == "http":
            await self._request(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _request(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = Outgoing(send, is_secure=is_secure(self._public_url, scope["scheme"]))
        try:
            passed = await self._ask(scope)
            door = passed.door
            answer.is_private = door.needs != "open"
            answer.patience = None if passed.who.user else limits.UNREAD
            answer.set_cookies = [
                passed.who.set_cookie,
                await new_browser_cookie(passed.connection) if door.sets_cookie else "",
            ]
            bodies = self._bodies if passed.who.user else self._bodies_of_strangers
            with (
                self._share_of(passed),
                bodies.of(passed.owner, scope, receive, most=door.body, seconds=door.seconds) as bounded,
            ):
                await self._app(scope, bounded, answer.send)
        except Refusal as refusal:
            if not answer.is_started:
                answer.set_cookies = [refusal.set_cookie]
                await refusal.answer()(scope, receive, answer.send)

    async def _socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            passed = await self._ask(scope)
            with self._sockets.one(passed.owner):
                opened = OpenSocket(receive, send, passed.is_still_allowed, passed.who.set_cookie)
                with self._open.one(passed.studio, opened):
                    await self._app(scope, opened.receive, opened.send)
        except Refusal as refusal:
            await WebSocketClose(refusal.code)(scope, receive, send)

    def _share_of(self, passed: Passed) -> AbstractContextManager[None]:
        if passed.door.path in HEALTH:  # a monitor would restart a studio that is only busy
            return nullcontext()
        return (self._requests if passed.who.user else self._strangers).one(passed.owner)

    async def _ask(self, scope: Scope) -> Passed:
        """Return what is known of a request that may pass, and tell the routes who asks.

        Raises:
            Refusal: it may not.
        """
        if sum(len(name) + len(value) for name, value in scope["headers"]) > limits.HEADERS:
            raise Refusal(431, "The headers of this request are too long.", is_broken_off=True)
        connection = HTTPConnection(scope)
        method = SOCKET if scope["type"] == "websocket" else scope["method"]
        try:
            studio = context.studio()
        except RuntimeError:
            raise Refusal(503, "The studio is stopping.", 1012) from None
        door = self._doors.find(scope["path"])
        who = await self._who(studio, connection, door)
        needs = door.needs if door else Action.LOOK
        if isinstance(needs, Action):
            self._check_role(connection, needs, who)
        if door is None:
            raise Refusal(
                404, "There is nothing here.", title="No such page" if _is_opened(connection) else ""
            )
        if method not in door.methods:
            raise Refusal(405, "This address does not take that.")
        address = self._address(connection)  # before the headers change that it reads
        self._tell(scope, who, address)
        # A person has one share, whatever the number of sessions; the local user has all there is.
        owner = who.user.id if who.user and who.user.id != LOCAL else address
        return Passed(studio, connection, door, who, owner)

    async def _who(self, studio: Studio, connection: HTTPConnection, door: Door | None) -> Answer:
        try:
            local = await is_local(studio, self._hosts)
            self._check_names(connection, local=local)
            if door and door.needs == "open":
                return Answer(None)
            return await who_asks(connection, local=local, is_use=_is_use(connection))
        except StateError as error:
            raise Refusal(503, f"Who asks cannot be looked up now. {error}", 1013) from None

    def _check_names(self, connection: HTTPConnection, *, local: bool) -> None:
        """Refuse a request under a name that is not the server's, and one of another site's page."""
        scope, host = connection.scope, connection.headers.get("host", "")
        is_ours = self._hosts.accept(host)
        if local and (how := came_from_elsewhere(scope, host, is_ours=is_ours)):
            raise Refusal(403, NO_SIGN_IN.format(how))
        if not is_ours:
            raise Refusal(403, WRONG_NAME)
        if scope.get("method") not in SAFE_METHODS and not same_origin(connection):
            raise Refusal(403, "This request comes from another site.")

    def _check_role(self, connection: HTTPConnection, needs: Action, who: Answer) -> None:
        """Refuse who has no session, which leads a page to the sign-in, and whose role is not enough."""
        user, scope = who.user, connection.scope
        if user and may(user, needs):
            return
        to = ""
        if scope.get("method") == "GET" and _is_opened(connection):
            query = scope["query_string"].decode("latin-1")
            back = quote(scope["path"]) + (f"?{query}" if query else "")
            to = f"{self._base}{SIGN_IN}?to={quote(back, safe='/')}"
        if user is None:
            raise Refusal(401, who.why or "Sign in first.", to=to, set_cookie=who.set_cookie)
        if user.role == "none":
            raise Refusal(403, "You have no role here yet. Ask an admin of the studio.", to=to)
        title = "This page is not for you" if to else ""
        raise Refusal(403, "Your role does not allow this. Ask an admin of the studio.", title=title)

    def _address(self, connection: HTTPConnection) -> str:
        """Return where a request comes from; empty where that cannot be believed, or is a proxy's."""
        if is_forwarded(name for name, _ in connection.scope["headers"]):
            given = connection.headers.get(PROXY_HEADER, "").encode()
            if not self._secret or not hmac.compare_digest(given, self._secret):
                return ""
            # The proxy's own word is the last one; whatever stands before it may come from anybody.
            return ",".join(connection.headers.getlist("x-forwarded-for")).rpartition(",")[2].strip()
        client = connection.client
        return client.host if client and not is_loopback(client.host) else ""

    def _tell(self, scope: Scope, who: Answer, address: str) -> None:
        """Say who asks to Streamlit, by a header, and to routes, whatever the request itself says of that."""
        headers = [pair for pair in scope["headers"] if not pair[0].startswith(OURS)]
        if who.user:
            headers.append((PERSON, quote(who.user.id, safe="").encode()))
        if self._host_for_streamlit and scope["type"] == "websocket":  # both headers have been looked at here
            headers = [pair for pair in headers if pair[0] not in {b"host", b"origin"}]
            headers.append((b"host", self._host_for_streamlit))
        scope["headers"] = headers
        scope.setdefault("state", {}).update(user=who.user, answer=who, address=address)


def _is_opened(connection: HTTPConnection) -> bool:
    """Whether somebody opens a page or a file; what a page loads by itself is asked for otherwise."""
    return "text/html" in connection.headers.get("accept", "")


def _is_use(connection: HTTPConnection) -> bool:
    """Whether somebody does something; clips, posters, news and sockets a page asks for by itself."""
    method = connection.scope.get("method")  # of a socket there is none
    return method is not None and (method not in SAFE_METHODS or _is_opened(connection))


def middleware(settings: Settings, doors: Iterable[Door] = DOORS) -> list[Middleware]:
    """Return the gate for an app.

    Args:
        settings: of the studio.
        doors: every way in.
    """
    return [Middleware(Gate, settings=settings, doors=doors)]
