"""What the routes of signing in and out have in common.

Who asks has been found out by the gate (`answer` in the request's state). Posts come from pages of this
server only: the gate refuses others.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar
from urllib.parse import parse_qs, quote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from kling.studio.identity.person import Person
from kling.studio.identity.roles import LOCAL
from kling.studio.service import Studio
from kling.studio.state.records import StateError
from pages._ui import context
from pages._ui.address import base_path
from pages._ui.routes import sign_in_pages as pages
from pages._ui.routes.cookies import MARK_COOKIE, YEAR, browser_cookie, set_cookie
from pages._ui.routes.new_session import begin, session_cookie
from pages._ui.routes.paths import SIGN_IN
from pages._ui.routes.who_asks import Answer

TITLE = "Sign in to make and see the team’s clips"
WORDS = "What you order carries your name."

T = TypeVar("T")
Answering = Callable[[Request], Awaitable[Response]]


async def ways_in(
    answer: Answer,
    to: str,
    *,
    name: str = "",
    wrong: str = "",
    said: str = "",
    other: bool = False,
    status: int = 200,
) -> Response:
    """Return the page with every way in that is set up.

    Args:
        answer: what the gate knows of who asks.
        to: a path of this app.
        name: as it was typed.
        wrong: why somebody was not let in.
        said: what else has happened.
        other: the provider lets the person choose another account.
        status: of the answer.
    """
    studio = context.studio()
    settings = studio.settings.sign_in
    has_accounts = await run_in_threadpool(lambda: studio.state.people.has_accounts)
    home = f"{base_path()}/"
    parts = [pages.status(said), pages.alert(wrong or answer.why)]
    if has_accounts:
        parts.append(pages.name_and_password("" if to == home else to, name=name, wrong=bool(wrong)))
    others = []
    if answer.named is not None:
        words = f"Continue as {answer.named.user[:60]}"
        others.append(pages.press(f"{SIGN_IN}/proxy", words, second=has_accounts, to=to))
    if settings.oidc:
        query = [*(["other=1"] if other else []), *([] if to == home else [f"to={quote(to, safe='/')}"])]
        address = "?".join(filter(None, [f"{base_path()}{SIGN_IN}/oidc", "&".join(query)]))
        is_second = has_accounts or answer.named is not None
        others.append(pages.link(address, f"Continue with {settings.oidc.name}", second=is_second))
    if has_accounts and others:
        parts.append(pages.divider())
    words, note = (
        WORDS,
        (
            f"You stay signed in on this computer for {_hours(settings.hours)}, "
            f"or until nobody has used it for {_hours(settings.idle_hours)}."
        ),
    )
    if not has_accounts and not others:
        words, note = "Open it through your company’s sign-in, or ask for an invitation.", ""
    parts += [*others, pages.ask(settings.contact)]
    return pages.page(TITLE, words, *parts, note=note, status=status)


async def come_in(request: Request, person: Person, way: str, to: str) -> Response:
    """Begin a session, and lead to where the person wanted to go.

    Args:
        request: that is answered.
        person: who has proved to be that.
        way: how.
        to: a path of this app.
    """
    studio = context.studio()
    token = await run_in_threadpool(begin, studio, person, way, request)
    response = with_session(request, RedirectResponse(to, 303), token)
    browsers = await run_in_threadpool(lambda: studio.state.browsers)
    if browser := browsers.verify(browser_cookie(request)):
        response.headers.append(
            "Set-Cookie", set_cookie(MARK_COOKIE, browsers.mark(browser, person.id), seconds=YEAR)
        )
    return response


def with_session(request: Request, response: Response, token: str) -> Response:
    """Return an answer that sets the session's cookie, or deletes it for an empty token."""
    response.headers.append("Set-Cookie", session_cookie(request, context.studio(), token))
    response.headers["Cache-Control"] = "no-store"
    return response


def answer_of(request: Request) -> Answer:
    """Return what the gate has found out about who asks."""
    answer = request.scope.get("state", {}).get("answer")
    return answer if isinstance(answer, Answer) else Answer(None)


def address_of(request: Request) -> str:
    """Return the address of the machine that asks, as far as the gate believes it; else an empty text."""
    return str(request.scope.get("state", {}).get("address", ""))


def is_local(request: Request) -> bool:
    """Whether there is no sign-in, because nobody else can reach the studio."""
    user = answer_of(request).user
    return user is not None and user.id == LOCAL


async def form_of(request: Request) -> dict[str, str]:
    """Return the fields of a form, the first of each name; nothing of what is no form.

    The gate has bounded the body.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        return {}
    try:
        text = (await request.body()).decode()
        found = parse_qs(text, keep_blank_values=True, max_num_fields=20, errors="strict")
    except ValueError:
        return {}
    return {name: values[0] for name, values in found.items()}


async def hashed(studio: Studio, call: Callable[[], T]) -> T:
    """Make a call that compares or makes a hash, in the few threads that there are for it.

    Raises:
        Busy: too many wait already.
    """
    return await asyncio.wrap_future(studio.state.people.threads.submit(call))


def in_words(route: Answering) -> Answering:
    """Return a route that says on a page why somebody cannot be let in now."""

    async def with_words(request: Request) -> Response:
        try:
            return await route(request)
        except StateError as error:
            return pages.page(
                "Nobody can sign in now",
                f"The studio’s database does not answer. Try again in a moment. {error}",
                pages.again(f"{base_path()}{SIGN_IN}"),
                status=503,
            )

    return with_words


def _hours(hours: float) -> str:
    if hours >= 48 and hours % 24 == 0:
        return f"{hours / 24:g} days"
    return f"{hours:g} hour{'' if hours == 1 else 's'}"
