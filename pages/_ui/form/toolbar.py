"""What helps to write a prompt, in one quiet row under it. What is closed does not run."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from kling.studio.draft import Draft
from pages._ui.form import elsewhere, fields
from pages._ui.form.compare import compare
from pages._ui.form.guide import guide
from pages._ui.form.templates import library
from pages._ui.running import studio
from pages._ui.words import plain


def toolbar(draft: Draft) -> None:
    """Draw the row, and under it the panel that is open."""
    session = st.session_state
    with st.container(horizontal=True, gap="small", key="toolbar"):
        if _button("Templates", "auto_stories"):
            library(begin_with)
        _panel_button("guide", "Guide", "Hide the guide", "assistant_direction")
        _panel_button("compare", "Compare", "Hide the comparison", "difference")
        if _button("Take it elsewhere", "ios_share"):
            elsewhere.elsewhere(begin_with)
        if session.get("before") and not (draft.parent and studio().job(draft.parent)):
            st.button("Back to the draft you had", type="tertiary", icon=":material/undo:", on_click=go_back)
    for note in session.get("notes", ()) if session.get("begun") == draft else ():
        st.info(plain(note), icon=":material/info:")
    if session.get("panel") == "guide":
        guide(draft)
    elif session.get("panel") == "compare":
        compare(draft)


def _button(label: str, icon: str) -> bool:
    return st.button(label, type="tertiary", icon=f":material/{icon}:", key=f"tool_{icon}")


def _panel_button(panel: str, label: str, hide: str, icon: str) -> None:
    """Draw what opens a panel, and closes it again."""
    session = st.session_state
    is_open = session.get("panel") == panel
    st.button(
        hide if is_open else label,
        type="tertiary",
        icon=f":material/{icon}:",
        key=f"tool_{icon}",
        on_click=lambda: session.update(panel="" if is_open else panel),
    )


def begin_with(draft: Draft, notes: Sequence[str] = ()) -> None:
    """Fill the form with a new draft. The one that was being written is kept, and one press away."""
    session = st.session_state
    if session.get("begun") != fields.read():  # one that nobody has touched is not what one goes back to
        session.before = session.draft_id
    session.asked = session.draft_id
    fields.open_draft("", origin=draft)
    session.begun, session.notes = fields.read(), tuple(notes)


def go_back() -> None:
    """Open the draft from before again."""
    session = st.session_state
    session.asked, before = session.draft_id, session.before
    session.before = ""
    fields.open_draft(before)
