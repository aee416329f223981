"""The entry script that app.py names: the header, the sidebar and the navigation around every page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from kling.studio.actions import Actions
from kling.studio.identity.roles import Action, Role, User, may
from kling.studio.visible_names import PERSON_LIMIT
from pages._ui import current_user
from pages._ui.composer.draft_state import drop_stale_edits
from pages._ui.context import studio
from pages._ui.decide import attempt
from pages._ui.errors import readable
from pages._ui.escape import escape_markdown
from pages._ui.frame.banners import banners
from pages._ui.live import live_fragment
from pages._ui.session_state import app_state
from pages._ui.signed_out import leave, sign_out
from pages._ui.style.sheet import sheet_of_every_page

ROLE_WORDS: Mapping[Role, str] = {
    "none": "No role yet: ask an admin.",
    "viewer": "Viewer: sees all videos and orders none.",
    "maker": "Maker: makes videos.",
    "admin": "Admin.",
}


def main() -> None:
    st.set_page_config(page_title="Kling prompt studio", page_icon="🎬", layout="wide")
    user = current_user.current_user()
    if user.role == "none":
        leave()
        return
    page = st.navigation(pages_of(user), position="top")
    sheet_of_every_page()
    with readable():
        with st.sidebar:
            sidebar(user)
        live_fragment(header, "header", on_stale_page=drop_stale_edits)
        page.run()


def pages_of(user: User) -> list[st.Page]:
    """Return every page; those that are hidden say in words why they are not for this user."""
    shown: Mapping[bool, Any] = {True: "visible", False: "hidden"}
    orders, manages = may(user, Action.ORDER), may(user, Action.MANAGE_PEOPLE)
    return [
        st.Page(
            "compose.py",
            title="Compose",
            icon=":material/edit_square:",
            default=True,
            visibility=shown[orders],
        ),
        st.Page("history.py", title="History", icon=":material/history:"),
        st.Page("gallery.py", title="Gallery", icon=":material/video_library:"),
        st.Page("admin.py", title="Admin", icon=":material/admin_panel_settings:", visibility=shown[manages]),
    ]


def header() -> None:
    """Say above every page whether orders are billed, what runs, and what an operator should know."""
    here = studio()
    with st.container(horizontal=True, vertical_alignment="center", key="header"):
        if here.connection.is_sandbox:
            st.caption(
                ":material/science: **Sandbox** — no Kling key is set, so clips are free previews drawn on "
                "this machine, not Kling renders.",
                width="content",
            )
        if running := here.running:
            st.badge(f"{running:,} running", icon=":material/animation:", color="violet")
        if waiting := here.waiting:
            st.badge(f"{waiting:,} waiting to be sent", icon=":material/schedule:", color="yellow")
    banners()


def sidebar(user: User) -> None:
    here = studio()
    st.subheader(":material/movie: Kling prompt studio")
    if here.connection.is_sandbox:
        st.badge("Sandbox", icon=":material/science:", color="green")
    elif may(user, Action.SEE_PRICES):
        st.badge("Kling: orders are billed", icon=":material/credit_card:", color="orange")
        st.caption(escape_markdown(f"Account {here.accounts.name}"))
    if current_user.has_sign_in():
        who(user)
    else:
        name = st.text_input(
            "Your name",
            value=current_user.remembered(current_user.NAME_COOKIE),
            max_chars=PERSON_LIMIT,
            placeholder="Shown beside what you order",
            key=current_user.NAME_FIELD,
            persist_state="session",
        )
        current_user.remember(current_user.NAME_COOKIE, name)
    chime = st.toggle(
        "A sound when a video is done",
        value=bool(current_user.remembered(current_user.CHIME_COOKIE)),
        key="app.chime",
    )
    current_user.remember(current_user.CHIME_COOKIE, "on" if chime else "")
    if chime:
        st.html('<i data-chime="on" hidden></i>')
    if not may(user, Action.CHECK_CONNECTION):
        return
    st.button(
        "Check the connection",
        help="Asks for a few tasks of the list, and for the first bytes of a video; both are free.",
        width="stretch",
        key="app.check_connection",
        on_click=check_connection,
    )
    if check := app_state().connection:
        (st.success if check.ok else st.error)(escape_markdown(check.message))
    if here.connection.is_sandbox:
        with st.expander("Connect to Kling"):
            st.markdown(
                "Set `KLINGAI_API_KEY`, or `KLINGAI_ACCESS_KEY` with `KLINGAI_SECRET_KEY`, in the "
                "environment or in `.streamlit/secrets.toml`, and start the studio again. Sandbox tasks stay "
                "in the history."
            )


def who(user: User) -> None:
    """Say who is signed in, with what role, and let them sign out."""
    st.markdown(f"**{escape_markdown(user.name)}**  \n{ROLE_WORDS[user.role]}")
    sign_out()


def check_connection() -> None:
    app_state().connection = attempt(Actions.check_connection)


main()
