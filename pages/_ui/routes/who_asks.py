"""Who asks: the person of a session, or whoever uses a studio that nobody else can reach."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import unquote
from weakref import WeakSet

from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection

from kling.studio.identity.roles import LOCAL, User
from kling.studio.orders import PERSON_LIMIT
from kling.studio.service import Studio
from kling.studio.state.faults import FILE
from pages._ui import context, current_user
from pages._ui.routes.cookies import session_cookie_name
from pages._ui.routes.hosts import Hosts


@dataclass(frozen=True, slots=True)
class Answer:
    """Who asks, and how that is known.

    Args:
        user: None if it is nobody who may come in.
        set_cookie: a `Set-Cookie` for the answer; empty if there is none.
        why: what to tell somebody who may not come in; empty for the usual words.
        token: of the session that the user has; empty where there is none.
    """

    user: User | None
    set_cookie: str = ""
    why: str = ""
    token: str = field(default="", repr=False)


_opened: WeakSet[Studio] = WeakSet()  # whose database has been opened, so that nothing below waits


async def is_local(studio: Studio, hosts: Hosts) -> bool:
    """Whether the studio has no sign-in because nobody else can reach it.

    Raises:
        StateError: there is a database, and it cannot be opened to look for accounts.
    """
    if not hosts.is_loopback_only or studio.settings.sign_in.has_way_in:
        return False
    if not hasattr(type(studio.state), "people"):
        return True
    if studio not in _opened and not (studio.settings.data_dir / FILE).exists():
        return True
    await _open(studio)
    return not studio.state.people.has_accounts


async def who_asks(connection: HTTPConnection, *, local: bool) -> Answer:
    """Return who asks.

    Args:
        connection: a request or a socket.
        local: as `is_local` says.

    Raises:
        StateError: the database with the sessions does not answer.
    """
    studio = context.studio()
    if local:
        name = unquote(connection.cookies.get(current_user.NAME_COOKIE, ""))[:PERSON_LIMIT]
        return Answer(User(LOCAL, name, "admin"))
    token = connection.cookies.get(session_cookie_name(), "")
    if not token:
        return Answer(None)
    await _open(studio)
    user = studio.state.sessions.who(token)
    return Answer(user, token=token if user else "")


async def _open(studio: Studio) -> None:
    if studio not in _opened:
        await run_in_threadpool(lambda: studio.state.sessions)
        _opened.add(studio)


def still_there(studio: Studio, who: Answer, is_enough: Callable[[User], bool]) -> bool:
    """Whether somebody who opened a socket may keep it.

    Args:
        studio: that is running.
        who: opened it.
        is_enough: whether the role of a user is.
    """
    if not who.token:
        return not studio.state.people.has_accounts
    now = studio.state.sessions.who(who.token)
    return now is not None and who.user is not None and now.id == who.user.id and is_enough(now)
