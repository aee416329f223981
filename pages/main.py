"""The entry script that app.py names: the frame around every page, and the way between them."""

from __future__ import annotations

from urllib.parse import unquote

import streamlit as st

from kling.studio.submit import PERSON_LIMIT
from pages._ui.errors import readable
from pages._ui.live import follow, remember
from pages._ui.running import studio
from pages._ui.words import plain

COOKIE = "studio_person"

# The theme has no setting for the empty band that Streamlit leaves above a page and its sidebar.
STYLE = """<style>
  .stMainBlockContainer { padding: 4.5rem clamp(1rem, 3vw, 3rem) 4rem; }
  .stMainBlockContainer h1 { padding-top: 0; }
  [data-testid="stSidebarHeader"] { height: 2.5rem; margin-bottom: 0; }
  [data-testid="stElementContainer"]:is(
    :has([data-live], [data-draft]), [class*="st-key-live-"], .st-key-desk) { position: absolute; }
  .studio-count { font-size: 0.875rem; font-variant-numeric: tabular-nums; opacity: 0.75; }
  .studio-count[data-over="true"] { opacity: 1; font-weight: 600; color: light-dark(#b3261e, #ff9d94); }
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
    st.html(STYLE)
    with readable():
        with st.sidebar:
            sidebar()
        if studio().connection.is_sandbox:
            st.caption(
                ":material/science: **Sandbox** — no Kling key is set, so clips are free previews drawn on "
                "this machine, not Kling renders."
            )
        page.run()


def sidebar() -> None:
    here = studio()
    st.subheader(":material/movie: Kling prompt studio")
    if here.connection.is_sandbox:
        st.badge("Sandbox: nothing costs anything", icon=":material/science:", color="green")
    else:
        st.badge("Kling: orders are billed", icon=":material/credit_card:", color="orange")
        st.caption(plain(f"Account {here.account}"))
    follow(running_count, "count")
    if st.button(
        "Check the connection", help="Asks for one task of the list, which is free.", width="stretch"
    ):
        with st.spinner("Asking …"):
            check = here.check_connection()
        (st.success if check.ok else st.error)(plain(check.message))
    if "person" not in st.session_state:
        st.session_state.person = unquote(st.context.cookies.get(COOKIE, ""))[:PERSON_LIMIT]
    before = st.session_state.person
    name = st.text_input(
        "Your name",
        value=before,
        max_chars=PERSON_LIMIT,
        placeholder="Shown beside what you order",
        key="person_field",
        persist_state="session",
    )
    if name != before:
        st.session_state.person = name
        remember(COOKIE, name)
    if not here.connection.is_sandbox:
        return
    with st.expander("Connect to Kling"):
        st.markdown(
            "Set `KLINGAI_API_KEY`, or `KLINGAI_ACCESS_KEY` with `KLINGAI_SECRET_KEY`, in the environment or "
            "in `.streamlit/secrets.toml`, and start the studio again. Sandbox tasks stay in the history."
        )


def running_count() -> None:
    here = studio()
    count = here.running
    st.metric("Running", count, help="Tasks of this account that have not ended, whoever ordered them.")
    if waiting := here.waiting:
        st.caption(f"{waiting:,} waiting to be sent")
    for warning in here.warnings:
        st.warning(plain(warning))
    for hold in here.holds:
        st.warning(plain(hold.reason))
        if hold.needs_person:
            st.button("Resume", key=f"resume-{hold.code}", on_click=here.resume)


main()
