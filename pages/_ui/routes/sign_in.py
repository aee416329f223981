"""Signing in by name and password, or by the word of a proxy."""

from __future__ import annotations

from weakref import WeakKeyDictionary

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from kling.studio.identity.claims import BadClaim
from kling.studio.identity.errors import Busy, PeopleError
from kling.studio.identity.roles import User
from kling.studio.identity.tries import Tries
from kling.studio.identity.ways import ACCOUNT
from kling.studio.service import Studio
from pages._ui import context
from pages._ui.address import base_path
from pages._ui.routes import sign_in_pages as pages
from pages._ui.routes.cookies import MARK_COOKIE, browser_cookie
from pages._ui.routes.new_session import token_of
from pages._ui.routes.paths import SIGN_IN, safe_way_back
from pages._ui.routes.proxy import proxy_sessions
from pages._ui.routes.sign_in_parts import (
    address_of,
    answer_of,
    come_in,
    form_of,
    hashed,
    in_words,
    is_local,
    ways_in,
    with_session,
)
from pages._ui.routes.sign_out import SIGN_OUT

WRONG = "Name or password is not right. Try again."

NAME_LENGTH = 200  # characters that are looked at; no name is as long

_tries: WeakKeyDictionary[Studio, Tries] = WeakKeyDictionary()


def routes() -> list[BaseRoute]:
    """Return the routes of this module."""
    base = base_path()
    return [
        Route(f"{base}{SIGN_IN}", in_words(sign_in), methods=["GET"]),
        Route(f"{base}{SIGN_IN}", in_words(enter), methods=["POST"]),
        Route(f"{base}{SIGN_IN}/proxy", in_words(enter_by_proxy), methods=["POST"]),
    ]


# -- signing in --------------------------------------------------------------------------------------------


async def sign_in(request: Request) -> Response:
    """Show the ways in; lead somebody who is in to where they wanted to go."""
    answer = answer_of(request)
    to = safe_way_back(request.query_params.get("to", ""), base_path())
    if answer.user and answer.user.role != "none":
        return RedirectResponse(to, 303)
    if answer.user:
        return await run_in_threadpool(no_access, answer.user)
    said = ""
    if "out" in request.query_params:
        said = "You are signed out."
    elif token_of(request) and not answer.why:
        said = "Your session has ended. What you typed is kept: sign in again."
    other = "other" in request.query_params
    return await ways_in(answer, to, said=said, other=other, status=401 if answer.why else 200)


async def enter(request: Request) -> Response:
    """Let in whoever gives the name and the password of an account."""
    studio, form = context.studio(), await form_of(request)
    name, to = form.get("name", "")[:NAME_LENGTH], safe_way_back(form.get("to", ""), base_path())
    if is_local(request):
        return RedirectResponse(to, 303)
    tries = _tries.setdefault(studio, Tries())
    browsers = await run_in_threadpool(lambda: studio.state.browsers)
    browser, address = browsers.verify(browser_cookie(request)), address_of(request)
    named = studio.state.people.by_name(name)
    if named and browsers.has_mark(request.cookies.get(MARK_COOKIE, ""), browser, named.id):
        tries.remember(name, browser)
    if seconds := tries.wait(name, browser, address):
        words = f"Too many tries with this name. Wait {_seconds(seconds)}, then try again."
        return await ways_in(answer_of(request), to, name=name, wrong=words, status=429)
    people = studio.state.people
    try:
        person = await hashed(studio, lambda: people.verify(name, form.get("password", "")))
    except Busy as error:
        return await ways_in(answer_of(request), to, name=name, wrong=str(error), status=503)
    if person is None:
        tries.failed(name, browser, address)
        # What nobody is called is left out: it may be a password in the wrong field.
        tried = User("", named.name if named else "", "none")
        await run_in_threadpool(studio.state.audit.note, tried, "sign in refused", ACCOUNT)
        return await ways_in(answer_of(request), to, name=name, wrong=WRONG, status=401)
    tries.succeeded(name, browser, address)
    return await come_in(request, person, ACCOUNT, to)


async def enter_by_proxy(request: Request) -> Response:
    """Let in, once more, whom the proxy names and who has signed out here."""
    studio, answer, form = context.studio(), answer_of(request), await form_of(request)
    to = safe_way_back(form.get("to", ""), base_path())
    if answer.named is None:
        return await ways_in(answer, to, status=401)
    who = answer.named
    try:
        token = await run_in_threadpool(
            lambda: proxy_sessions(studio).token_for(who, request, token_of(request), is_wanted=True)
        )
    except (BadClaim, PeopleError) as error:
        return await ways_in(answer, to, wrong=str(error), status=403)
    return with_session(request, RedirectResponse(to, 303), token)


def no_access(user: User) -> Response:
    """Return the page for somebody who has signed in and has no role."""
    studio = context.studio()
    settings = studio.settings.sign_in
    admins = [person.name for person in studio.state.people.list() if person.role == "admin"]
    whom = pages.ask(settings.contact, admins[:3], "To get access, ask")
    return pages.page(
        f"{user.name} has no access here",
        "You are signed in, and nobody has given you a role yet.",
        whom,
        pages.press(SIGN_OUT, "Use another account", other="yes"),
        pages.again(f"{base_path()}/"),
    )


def _seconds(seconds: float) -> str:
    whole = max(1, round(seconds + 0.5))
    return f"{whole} second{'' if whole == 1 else 's'}"
