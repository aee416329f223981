"""The two routes of a sign-in at a provider: to it, and back."""

from __future__ import annotations

from urllib.parse import quote, urlsplit

import streamlit as st
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from kling.studio.identity.errors import PeopleError
from kling.studio.identity.ways import OIDC
from kling.studio.settings import Settings
from pages._ui import context
from pages._ui.address import base_path
from pages._ui.routes.cookies import is_secure, session_cookie_name, set_cookie
from pages._ui.routes.oidc import Provider, SignInFailed, provider
from pages._ui.routes.oidc_under_way import LONGEST_WAY_BACK, SECONDS, read, written
from pages._ui.routes.paths import SIGN_IN, safe_way_back
from pages._ui.routes.sign_in_parts import answer_of, come_in, in_words, ways_in


def routes() -> list[BaseRoute]:
    """Return the routes of this module."""
    base = base_path()
    return [
        Route(f"{base}{SIGN_IN}/oidc", in_words(leave), methods=["GET"]),
        Route(f"{base}{SIGN_IN}/callback", in_words(come_back), methods=["GET"]),
    ]


def address(settings: Settings) -> str:
    """Return the address at which people open the studio, with its base path.

    It never comes from a request: who sends one could otherwise have a link made that leads elsewhere.
    """
    public = settings.public_url
    if not public:  # then it is for this machine alone: the studio does not start otherwise
        public = f"http://{st.get_option('browser.serverAddress')}:{st.get_option('server.port')}"
    return public + base_path()


async def leave(request: Request) -> Response:
    """Lead to the provider. On the way back the browser has to come to the host that it leaves now."""
    settings = context.studio().settings
    to = safe_way_back(request.query_params.get("to", ""), base_path())
    if not (at := _provider(settings)):
        return RedirectResponse(f"{base_path()}{SIGN_IN}", 303)
    here, host = address(settings), request.headers.get("host", "").lower()
    ask_who = "other" in request.query_params
    if urlsplit(here).netloc != host and "here" not in request.query_params:
        other = "&other=1" if ask_who else ""
        return RedirectResponse(f"{here}{SIGN_IN}/oidc?here=1{other}&to={quote(to, safe='/')}", 303)
    under_way = read(request.cookies.get(_cookie_name(), ""))
    to = to if len(to) <= LONGEST_WAY_BACK else f"{base_path()}/"  # a cookie has no room for more
    try:
        there = await at.address(under_way, f"{here}{SIGN_IN}/callback", to, ask_who=ask_who)
    except SignInFailed as error:
        return await ways_in(answer_of(request), to, wrong=str(error), status=error.status)
    return _keep(request, RedirectResponse(there, 302), written(under_way))


async def come_back(request: Request) -> Response:
    """Let in whoever comes back from the provider."""
    studio = context.studio()
    settings = studio.settings
    home = f"{base_path()}/"
    if not (at := _provider(settings)):
        return RedirectResponse(f"{base_path()}{SIGN_IN}", 303)
    under_way = read(request.cookies.get(_cookie_name(), ""))
    to = home
    try:
        found = await at.came_back(request.query_params, under_way, settings.sign_in)
        said, to = found.said, safe_way_back(found.to, base_path())
        person = await run_in_threadpool(
            lambda: studio.state.people.from_outside(
                OIDC, said.subject, said.name, said.role, settings.sign_in.default_role
            )
        )
    except SignInFailed as error:
        response = await ways_in(answer_of(request), to, wrong=str(error), status=error.status)
    except PeopleError as error:
        response = await ways_in(answer_of(request), to, wrong=str(error), status=403)
    else:
        response = await come_in(request, person, OIDC, to)
    return _keep(request, response, written(under_way))


def _provider(settings: Settings) -> Provider | None:
    return provider(settings.sign_in.oidc) if settings.sign_in.oidc else None


def _cookie_name() -> str:
    return session_cookie_name().replace("studio_session", "studio_sign_in")


def _keep(request: Request, response: Response, value: str) -> Response:
    """Keep what a sign-in under way needs in the browser; an empty value deletes it."""
    secure = is_secure(context.studio().settings.public_url, request.scope["scheme"])
    text = set_cookie(_cookie_name(), value, secure=secure, seconds=SECONDS if value else 0)
    response.headers.append("Set-Cookie", text)
    response.headers["Cache-Control"] = "no-store"
    return response
