"""Who uses the page, asked of the table of sessions again in each run.

Nothing else in `pages` reads cookies, the name that somebody typed, or the token of a session.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from urllib.parse import unquote

import streamlit as st
from starlette.requests import HTTPConnection

from kling.studio.actions import Actions
from kling.studio.identity.roles import LOCAL, Action, User
from kling.studio.state.records import StateError
from kling.studio.visible_names import PERSON_LIMIT, visible
from pages._ui.context import studio
from pages._ui.routes.cookies import BROWSER_COOKIE, session_cookie_name
from pages._ui.session_state import app_state

NAME_COOKIE, CHIME_COOKIE = "studio_person", "studio_chime"  # set by `remember`
ASKED_COOKIE = "studio_person_asked"  # set by `remember`: somebody answered what their name is
NAME_FIELD = "app.name"  # see `name_field`
GATE_HEADER = "X-Studio-Person"  # set by the gate only: who opened the page's socket
NOBODY = User("", "", "none")  # who signed out, was removed, or has no session

_SET_COOKIE = """
export default function ({ data }) {
  const year = 365 * 24 * 3600;
  document.cookie = data.name + "=" + encodeURIComponent(data.value) +
    "; path=/; SameSite=Lax; max-age=" + (data.value ? year : 0) +
    (location.protocol === "https:" ? "; Secure" : "");
}
"""


_drawn_by_itself: ContextVar[bool] = ContextVar("drawn_by_itself", default=False)


@contextmanager
def drawn_by_itself() -> Iterator[None]:
    """Mark what is drawn without a person: it is no use of the session, which ends where nobody is there."""
    before = _drawn_by_itself.set(True)
    try:
        yield
    finally:
        _drawn_by_itself.reset(before)


def has_sign_in() -> bool:
    """Whether people sign in here; otherwise the studio has one local admin.

    While the database does not answer, what the gate said when the page was opened counts.
    """
    here = studio()
    if here.settings.sign_in.has_way_in:
        return True
    try:
        return here.state.people.has_accounts
    except StateError:
        return str(st.context.headers.get(GATE_HEADER, LOCAL)) != LOCAL


def current_user() -> User:
    """Return who uses the page now, `NOBODY` if the session has ended.

    Without sign-in it is the one local admin, with the name that was typed on the page, in the spelling that
    the log has: case and blanks make no other person.
    """
    if not has_sign_in():
        field = st.session_state.get(name_field(), remembered(NAME_COOKIE))  # the menu is not drawn yet
        typed = visible(str(field or ""))
        return User(LOCAL, studio().ledger.index.spelling(typed) if typed else "", "admin")
    try:
        return studio().state.sessions.who(_token(), touch=not _drawn_by_itself.get()) or NOBODY
    except StateError:
        return NOBODY


def session_id() -> str:
    """Return the id of this session in the table of sessions; it is not the token and lets nobody in."""
    return studio().state.sessions.session_id(_token())


def _token() -> str:
    """Return the token of the session that opened the page's socket; empty if there is none."""
    return str(st.context.cookies.get(session_cookie_name(), ""))


def user_of(connection: HTTPConnection) -> User:
    """Return who sent a request, as the gate has found it; call it in a thread.

    Raises:
        StateError: the database does not answer.
    """
    here, found = studio(), connection.scope.get("state", {}).get("user", LOCAL)
    if isinstance(found, User):
        return found
    is_local = not here.settings.sign_in.has_way_in and not here.state.people.has_accounts
    return User(LOCAL, "", "admin") if found == LOCAL and is_local else NOBODY


def acting() -> Actions:
    """Return what the current user can change; ask anew for each action, because roles change."""
    return studio().acting_as(current_user())


def acting_later() -> Callable[[], Actions]:
    """Return what gives `acting` outside of a run, as while a download is made; it asks the table then."""
    here, local = studio(), None if has_sign_in() else current_user()
    token = _token()
    return lambda: here.acting_as(local or here.state.who(token) or NOBODY)


def sees_prices() -> bool:
    """Whether prices, Units and charges may stand on the page."""
    return acting().may(Action.SEE_PRICES)


def session_token() -> str:
    """Return a random text that is the same for the life of this session.

    An order that comes twice within seconds with the same token is one press that arrived twice.
    """
    state = app_state()
    state.token = state.token or secrets.token_hex(8)
    return state.token


def browser_id() -> str:
    """Return the id of the browser that shows the page. Without sign-in it owns drafts (`draft_owner`).

    A browser that keeps no cookies gets an id for this session. The id is empty while the database, which
    has the secret to verify cookies, does not answer; storing something under it then fails for that reason.
    """
    state = app_state()
    if not state.browser:  # cookies are sent once, when the session begins
        cookie = str(st.context.cookies.get(BROWSER_COOKIE, ""))
        try:
            state.browser = studio().state.browsers.verify(cookie) or secrets.token_hex(16)
        except StateError:
            return ""
    return state.browser


def name_field() -> str:
    """Return the session key of the field "Your name".

    It changes when a name is given elsewhere: a page whose menu was open sends the field's old value again.
    """
    taken = app_state().names_taken
    return f"{NAME_FIELD}_{taken}" if taken else NAME_FIELD


def use_name(name: str) -> None:
    """Take a name that was not given in the field "Your name", and show it there."""
    app_state().names_taken += 1
    remember(NAME_COOKIE, name)


def remembered(cookie: str) -> str:
    """Return what this browser was asked to remember under a name, at most `PERSON_LIMIT` characters."""
    values = app_state().remembered
    if cookie not in values:  # read once: the page never hears of a cookie that is set while it is open
        values[cookie] = unquote(st.context.cookies.get(cookie, ""))[:PERSON_LIMIT]
    return values[cookie]


def remember(cookie: str, value: str) -> None:
    """Keep a value in this browser for the next visit, where it is another one; `send_cookies` sends it."""
    if value != remembered(cookie):
        app_state().remembered[cookie] = value
        app_state().unsent_cookies.add(cookie)


def send_cookies() -> None:
    """Draw what sets the cookies that have changed."""
    state = app_state()
    for cookie in sorted(state.unsent_cookies):
        st.components.v2.component("studio_set_cookie", js=_SET_COOKIE)(
            key=f"app.remember-{cookie}", data={"name": cookie, "value": state.remembered[cookie]}
        )
    state.unsent_cookies.clear()
