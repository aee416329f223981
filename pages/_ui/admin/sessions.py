"""Who is signed in, with which browser, and since when; each session can be ended."""

from __future__ import annotations

import streamlit as st

from kling.studio.actions import Actions
from kling.studio.identity.session_info import SessionInfo
from pages._ui.admin.asking import when
from pages._ui.context import studio
from pages._ui.current_user import has_sign_in, session_id
from pages._ui.decide import decide
from pages._ui.escape import escape_markdown
from pages._ui.format import counted
from pages._ui.pagination import paged

PER_PAGE = 25
# What a browser calls itself, from the most telling word on; each also calls itself what comes after it.
BROWSERS = {"Edg": "Edge", "OPR": "Opera", "Firefox": "Firefox", "Chrome": "Chrome", "Safari": "Safari"}
SYSTEMS = {
    "iPhone": "iPhone",
    "iPad": "iPad",
    "Android": "Android",
    "Windows": "Windows",
    "Mac OS": "macOS",
    "CrOS": "ChromeOS",
    "Linux": "Linux",
}


def sessions() -> None:
    """Draw the section."""
    if not has_sign_in():
        st.info("Nobody signs in here, so there are no sessions.", icon=":material/person_off:")
        return
    found = sorted(studio().state.sessions.all(), key=lambda each: -each.seen)
    st.caption(f"{counted(len(found), 'session', 'sessions')}. Ended ones leave their pages within a second.")
    shown = paged(
        lambda start, stop: found[start:stop], len(found), key="admin.page_sessions", per_page=PER_PAGE
    )
    for each in shown:
        with st.container(key=f"admin-row-{each.id}"):
            one(each)


def one(session: SessionInfo) -> None:
    """Draw one session."""
    person = studio().state.people.get(session.person_id)
    is_this = session.id == session_id()
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        with st.container(width=420, gap=None):
            st.markdown(
                f"**{escape_markdown(person.name if person else 'Somebody')}**"
                f"{' (this session)' if is_this else ''}"
            )
            facts = [
                browser_words(session.browser),
                f"since {when(session.created)}",
                f"last seen {when(session.seen)}",
                f"until {when(session.ends)} at the latest",
            ]
            st.caption(escape_markdown(" · ".join(filter(None, facts))))
        if not is_this:
            st.button(
                "End",
                key=f"admin.end_session-{session.id}",
                on_click=decide,
                args=(Actions.end_session, session.person_id, session.id),
            )


def browser_words(agent: str) -> str:
    """Return a browser and its system in two words, as far as it says so."""
    browser = next((name for sign, name in BROWSERS.items() if sign in agent), "")
    system = next((name for sign, name in SYSTEMS.items() if sign in agent), "")
    return " on ".join(filter(None, (browser, system))) or agent[:40] or "unknown browser"
