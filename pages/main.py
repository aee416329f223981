"""The entry script that app.py names: the header, the sidebar and the navigation around every page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from kling.studio.actions import Actions
from kling.studio.identity.roles import Action, Role, User, may
from kling.studio.visible_names import PERSON_LIMIT
from pages._ui import current_user
from pages._ui.banners import banners
from pages._ui.composer.draft_state import drop_stale_edits
from pages._ui.context import studio
from pages._ui.decide import attempt
from pages._ui.errors import readable
from pages._ui.escape import escape_markdown
from pages._ui.live import live_fragment
from pages._ui.session_state import app_state
from pages._ui.signed_out import leave, sign_out
from pages._ui.style import style_sheet

# The theme has no setting for the empty space that Streamlit leaves above a page and its sidebar, and none
# for the background of a primary button: in the dark, white text needs a darker one than the theme's.
ROLE_WORDS: Mapping[Role, str] = {
    "none": "No role yet: ask an admin.",
    "viewer": "Viewer: sees all videos and orders none.",
    "maker": "Maker: makes videos.",
    "admin": "Admin.",
}
STYLE = """<style>
  .stMainBlockContainer { padding: 4.5rem clamp(1rem, 3vw, 3rem) 4rem; }
  .stMainBlockContainer h1 { padding-top: 0; }
  [data-testid="stSidebarHeader"] { height: 2.5rem; margin-bottom: 0; }
  [data-testid="stElementContainer"]:is(
    :has([data-live], [data-draft], [data-task], [data-style]),
    [class*="st-key-live-"], .st-key-composer-autosave
  ) { position: absolute; }
  button[kind^="primary"] { background: light-dark(#5b3df5, #6d4ff5); }
  button[kind^="primary"]:hover { background: light-dark(#4a2fd6, #5b3df5); }
  button:is([data-variant="segmented_control"], [data-variant="pills"])[data-selected]:is(
    [data-hovered], [data-focused]
  ) {
    color: inherit !important;
  }
  .stButton kbd { opacity: 1; }
  /* On a phone the price and the button stay in view. On larger screens they would cover what gets the focus
     of the keyboard. */
  @media (max-width: 640px) {
    [data-testid="stLayoutWrapper"]:has(> .st-key-order) { position: sticky; bottom: 0; z-index: 5; }
    .st-key-order { padding: 0.4rem 0 0.6rem; background: light-dark(#fbfaff, #121019); }
  }
  @media (hover: none) { .st-key-under_prompt [data-testid="stCaptionContainer"] { display: none; } }
  @media (max-width: 640px) { [class*="st-key-composer-generate-"] kbd { display: none; } }
  .st-key-cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 300px), 1fr)); }
  .st-key-cards > * { width: auto; }
  .studio-count { font-size: 0.875rem; font-variant-numeric: tabular-nums; opacity: 0.75; }
  .studio-count[data-over="true"] { opacity: 1; font-weight: 600; color: light-dark(#b3261e, #ff9d94); }
  .studio-sign-out { display: flex; flex-wrap: wrap; gap: 0.5rem; }
  .studio-sign-out form { margin: 0; }
  .studio-sign-out button { font: inherit; font-size: 0.875rem; min-height: 2.25rem; padding: 0.25rem 0.75rem;
    color: inherit; background: transparent; border: 1px solid light-dark(#d3cde8, #403a55);
    border-radius: 0.6rem; cursor: pointer; }
  .studio-sign-out button:hover { background: light-dark(#e6e2f3, #2a2638); }
  .studio-sign-out button:focus-visible { outline: 2px solid light-dark(#5b3df5, #b3a4ff);
    outline-offset: 2px; }
  @media (max-width: 640px) { .studio-sign-out button { min-height: 2.75rem; } }
  a.studio-download { display: inline-flex; align-items: center; min-height: 2.5rem; padding: 0.25rem 0.75rem;
    border: 1px solid light-dark(#dcd7ee, #373149); border-radius: 0.6rem; color: inherit;
    font-size: 0.875rem; text-decoration: none; }
  a.studio-download:hover { border-color: currentColor; color: light-dark(#4a2fd6, #b3a4ff); }
  .studio-unkept { position: fixed; inset: 4rem 1rem auto auto; z-index: 1000; max-width: min(24rem, 90vw);
    padding: 0.75rem 1rem; border-radius: 0.5rem; font: 0.875rem "Source Sans", sans-serif;
    background: light-dark(#fff3d6, #453708); color: light-dark(#5c4400, #ffe9ab); }
</style>"""


def main() -> None:
    st.set_page_config(page_title="Kling prompt studio", page_icon="🎬", layout="wide")
    user = current_user.current_user()
    if user.role == "none":
        leave()
        return
    page = st.navigation(pages_of(user), position="top")
    style_sheet(STYLE)
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
