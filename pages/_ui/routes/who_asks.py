"""Who asks: the person of a session, whom a proxy names, or the one user of a studio that is local."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import unquote

from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection

from kling.studio.identity.claims import BadClaim
from kling.studio.identity.errors import PeopleError
from kling.studio.identity.roles import LOCAL, User
from kling.studio.identity.ways import PROXY
from kling.studio.orders import PERSON_LIMIT
from kling.studio.service import Studio
from kling.studio.state.faults import FILE
from pages._ui import context, current_user
from pages._ui.routes.hosts import Hosts
from pages._ui.routes.new_session import session_cookie, token_of
from pages._ui.routes.proxy import Named, NotNamed, named, proxy_sessions


@dataclass(frozen=True, slots=True)
class Answer:
    """Who asks, and how that is known.

    Args:
        user: None if it is nobody who may come in.
        set_cookie: a `Set-Cookie` for the answer; empty if there is none.
        why: what to tell somebody who may not come in; empty for the usual words.
        token: of the session that the user has; empty where there is none.
        named: whom a proxy in front names, also where that person has signed out here.
    """

    user: User | None
    set_cookie: str = ""
    why: str = ""
    token: str = field(default="", repr=False)
    named: Named | None = None


async def is_local(studio: Studio, hosts: Hosts) -> bool:
    """Whether the studio has no sign-in because nobody else can reach it.

    Raises:
        StateError: there is a database, and it cannot be opened to look for accounts.
    """
    if not hosts.is_loopback_only or studio.settings.sign_in.has_way_in:
        return False
    people = studio.state.people_if_open
    if people is None:
        if not (studio.settings.data_dir / FILE).exists():
            return True
        people = await run_in_threadpool(lambda: studio.state.people)
    return not people.has_accounts


async def who_asks(connection: HTTPConnection, *, local: bool, is_use: bool) -> Answer:
    """Return who asks.

    Args:
        connection: a request or a socket.
        local: as `is_local` says.
        is_use: whether a person does something, which puts off the end of an idle session.

    Raises:
        StateError: the database with the sessions does not answer.
    """
    studio = context.studio()
    if local:
        name = unquote(connection.cookies.get(current_user.NAME_COOKIE, ""))[:PERSON_LIMIT]
        return Answer(User(LOCAL, name, "admin"))
    token, settings = token_of(connection), studio.settings.sign_in
    if not token and not settings.user_header:
        return Answer(None)
    sessions = studio.state.sessions_if_open
    if sessions is None:
        sessions = await run_in_threadpool(lambda: studio.state.sessions)
    if settings.user_header:
        try:
            who = named(connection, settings)
        except NotNamed as error:
            return Answer(None, why=str(error))
        if who is not None:
            return await _by_proxy(studio, connection, token, who, is_use=is_use)
    user = sessions.who(token, touch=is_use)
    if user and sessions.way_of(token) == PROXY:
        return Answer(None, why="This session is for requests that come through the proxy in front.")
    return Answer(user, token=token if user else "")


async def _by_proxy(
    studio: Studio, connection: HTTPConnection, token: str, who: Named, *, is_use: bool
) -> Answer:
    """Return whom the proxy names, with a session; nobody where that person has signed out here."""
    at, sessions = proxy_sessions(studio), studio.state.sessions
    if token and at.is_known(token, who) and (user := sessions.who(token, touch=is_use)):
        return Answer(user, token=token, named=who)
    try:
        mine = await run_in_threadpool(at.token_for, who, connection, token, is_wanted=False)
    except (BadClaim, PeopleError) as error:
        return Answer(None, why=str(error))
    user = sessions.who(mine, touch=is_use) if mine else None
    if user is None:
        return Answer(None, named=who)
    cookie = session_cookie(connection, studio, mine) if mine != token else ""
    return Answer(user, set_cookie=cookie, token=mine, named=who)


def is_used(studio: Studio, who: Answer) -> None:
    """Put off the end of the session of somebody who does something on a page, without a request."""
    studio.state.who(who.token)


def still_there(studio: Studio, who: Answer, is_enough: Callable[[User], bool]) -> bool:
    """Whether somebody who opened a socket may keep it; asking is no use of the session.

    Args:
        studio: that is running.
        who: opened it.
        is_enough: whether the role of a user is.

    Raises:
        StateError: the database does not answer.
    """
    if not who.token:
        return not studio.state.people.has_accounts
    now = studio.state.sessions.who(who.token, touch=False)
    return now is not None and who.user is not None and now.id == who.user.id and is_enough(now)
