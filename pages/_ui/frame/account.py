"""The account menu: who one is, what the studio tells by sound, the connection to Kling, and the way out."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from kling.studio.actions import Actions
from kling.studio.identity.roles import Action, Role, User, may
from kling.studio.visible_names import PERSON_LIMIT
from pages._ui import current_user
from pages._ui.context import studio
from pages._ui.decide import attempt
from pages._ui.escape import escape_markdown
from pages._ui.people import colour_of, initials
from pages._ui.session_state import app_state
from pages._ui.signed_out import sign_out

ROLE_WORDS: Mapping[Role, str] = {
    "none": "No role yet: ask an admin.",
    "viewer": "Viewer: sees all clips and orders none.",
    "maker": "Maker: makes clips.",
    "admin": "Admin",
}
# Shown only where the browser has notifications and has not been asked yet (bar.js).
THEMES = ("System", "Light", "Dark")  # by Streamlit's names; bar.js keeps the choice in this browser
NOTIFY = '<button type="button" class="studio-notify">Notify me when a clip is done</button>'


def account(user: User) -> None:
    """Draw the button with the initials, and the menu behind it."""
    name = user.name
    label = f"**{escape_markdown(initials(name))}** Account of {escape_markdown(name)}" if name else "Account"
    with st.container(key=f"account-{colour_of(name)}", width="content"):
        menu = st.popover(label, icon=None if name else ":material/person:")
    with menu, st.container(key="account"):
        typed = _who(user)
        chime = st.toggle(
            "A sound when a clip is done",
            value=bool(current_user.remembered(current_user.CHIME_COOKIE)),
            key="app.chime",
        )
        st.html(NOTIFY)
        st.html(_theme())
        _connection(user)
        if may(user, Action.SHARE):
            st.page_link("sharing.py", label="Sharing", icon=":material/ios_share:")
        if may(user, Action.MANAGE_PEOPLE):
            st.page_link("admin.py", label="Admin", icon=":material/admin_panel_settings:")
        if current_user.has_sign_in():
            sign_out()
    # Outside of the menu: what is in it is on the page only while it is open.
    if typed is not None:
        current_user.remember(current_user.NAME_COOKIE, typed)
    current_user.remember(current_user.CHIME_COOKIE, "on" if chime else "")
    current_user.send_cookies()
    if chime:
        st.html('<i data-chime="on" hidden></i>')


def _who(user: User) -> str | None:
    """Say who is signed in, with what role; without sign-in, ask for a name and return it."""
    if current_user.has_sign_in():
        st.markdown(f"**{escape_markdown(user.name)}**  \n{ROLE_WORDS[user.role]}")
        return None
    return st.text_input(
        "Your name",
        value=current_user.remembered(current_user.NAME_COOKIE),
        max_chars=PERSON_LIMIT,
        placeholder="Shown beside what you order",
        key=current_user.name_field(),
        persist_state="session",
    )


def _theme() -> str:
    buttons = "".join(f'<button type="button" data-theme="{name}">{name}</button>' for name in THEMES)
    return f'<div class="studio-theme" role="group" aria-label="Theme">{buttons}</div>'


def _connection(user: User) -> None:
    """Say which account is billed, and let those who may ask Kling whether it answers."""
    here = studio()
    if not here.connection.is_sandbox and may(user, Action.SEE_PRICES):
        st.caption(escape_markdown(f"Kling account {here.accounts.name}: orders are billed."))
    if not may(user, Action.CHECK_CONNECTION):
        return
    st.button(
        "Check the connection",
        icon=":material/network_check:",
        help="Asks Kling for its latest tasks, and for the first bytes of a clip; both are free.",
        width="stretch",
        key="app.check_connection",
        on_click=_check_connection,
    )
    if check := app_state().connection:
        (st.success if check.ok else st.error)(escape_markdown(check.message))


def _check_connection() -> None:
    app_state().connection = attempt(Actions.check_connection)
