"""Who uses the page.

Nothing else in `pages` reads cookies, the name that somebody typed, or the token of a session. When people
sign in one day, this is the module that changes.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Literal
from urllib.parse import unquote

import streamlit as st
from starlette.requests import HTTPConnection

from kling.studio.orders import PERSON_LIMIT
from kling.studio.state.records import StateError
from pages._ui.context import studio
from pages._ui.session_state import app_state

BROWSER_COOKIE = "studio_browser"  # set by the middleware
NAME_COOKIE, CHIME_COOKIE = "studio_person", "studio_chime"  # set by `remember`
NAME_FIELD = "app.name"  # session key of the field "Your name"

_SET_COOKIE = """
export default function ({ data }) {
  const year = 365 * 24 * 3600;
  document.cookie = data.name + "=" + encodeURIComponent(data.value) +
    "; path=/; SameSite=Lax; max-age=" + (data.value ? year : 0);
}
"""


@dataclass(frozen=True, slots=True)
class User:
    """Who uses the page.

    Args:
        id: stays the same when the name changes.
        name: as it is written into the log.
        role: what the user may do.
    """

    id: str
    name: str
    role: Literal["viewer", "maker", "admin"]


def current_user() -> User:
    """Return who uses the page: without sign-in the one local admin, with the name that was typed there."""
    return User(id="local", name=str(st.session_state.get(NAME_FIELD, "")), role="admin")


def session_token() -> str:
    """Return a random text that is the same for the life of this session.

    An order that comes twice within seconds with the same token is one press that arrived twice.
    """
    state = app_state()
    state.token = state.token or secrets.token_hex(8)
    return state.token


def browser_id() -> str:
    """Return the id of the browser that shows the page, which owns its drafts.

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


def browser_cookie(connection: HTTPConnection) -> str:
    """Return the cookie with the id of the browser that sent a request, not verified; empty without one."""
    return connection.cookies.get(BROWSER_COOKIE, "")


def remembered(cookie: str) -> str:
    """Return what this browser was asked to remember under a name, at most `PERSON_LIMIT` characters."""
    values = app_state().remembered
    if cookie not in values:  # read once: the page never hears of a cookie that is set while it is open
        values[cookie] = unquote(st.context.cookies.get(cookie, ""))[:PERSON_LIMIT]
    return values[cookie]


def remember(cookie: str, value: str) -> None:
    """Keep a value in this browser for the next visit; nothing is sent while it stays the same."""
    if value != remembered(cookie):
        app_state().remembered[cookie] = value
        st.components.v2.component("studio_set_cookie", js=_SET_COOKIE)(
            key=f"app.remember-{cookie}", data={"name": cookie, "value": value}
        )
