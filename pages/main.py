"""The entry script that app.py names: the header, the sidebar and the navigation around every page."""

from __future__ import annotations

import streamlit as st

from kling.studio.orders import PERSON_LIMIT
from pages._ui import current_user
from pages._ui.banners import banners
from pages._ui.composer.draft_state import drop_stale_edits
from pages._ui.context import studio
from pages._ui.errors import readable
from pages._ui.escape import escape_markdown
from pages._ui.live import live_fragment
from pages._ui.session_state import app_state
from pages._ui.style import style_sheet

# The theme has no setting for the empty space that Streamlit leaves above a page and its sidebar, and none
# for the background of a primary button: in the dark, white text needs a darker one than the theme's.
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
  button[data-variant="segmented_control"][data-selected]:is([data-hovered], [data-focused]) {
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
  .studio-unkept { position: fixed; inset: 4rem 1rem auto auto; z-index: 1000; max-width: min(24rem, 90vw);
    padding: 0.75rem 1rem; border-radius: 0.5rem; font: 0.875rem "Source Sans", sans-serif;
    background: light-dark(#fff3d6, #453708); color: light-dark(#5c4400, #ffe9ab); }
</style>"""


def main() -> None:
    st.set_page_config(page_title="Kling prompt studio", page_icon="🎬", layout="wide")
    page = st.navigation(
        [
            st.Page("compose.py", title="Compose", icon=":material/edit_square:", default=True),
            st.Page("history.py", title="History", icon=":material/history:"),
            st.Page("gallery.py", title="Gallery", icon=":material/video_library:"),
        ],
        position="top",
    )
    style_sheet(STYLE)
    with readable():
        with st.sidebar:
            sidebar()
        live_fragment(header, "header", on_stale_page=drop_stale_edits)
        page.run()


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


def sidebar() -> None:
    here = studio()
    st.subheader(":material/movie: Kling prompt studio")
    if here.connection.is_sandbox:
        st.badge("Sandbox", icon=":material/science:", color="green")
    else:
        st.badge("Kling: orders are billed", icon=":material/credit_card:", color="orange")
        st.caption(escape_markdown(f"Account {here.accounts.name}"))
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


def check_connection() -> None:
    app_state().connection = studio().check_connection()


main()
