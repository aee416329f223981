"""What curation puts over a page: the dialog that was asked for, and Undo at the bottom."""

from __future__ import annotations

import time

import streamlit as st

from pages._ui.curation.decisions import undo
from pages._ui.escape import escape_html
from pages._ui.session_state import app_state


def overlays(place: str = "") -> None:
    """Draw them; call it once on a page, in the part that the callbacks of its buttons draw again.

    A dialog is drawn in each run until it is answered or closed: otherwise a part that is drawn again because
    a job has changed would close it under the hands of whoever types.

    Args:
        place: of what lies over the page and draws the dialogs that are asked for there; empty for the page.
    """
    state = app_state()
    if state.said:
        st.toast(state.said, icon=":material/check:", duration="long")  # it may hold a link
        state.said = ""
    what, job_ids, number = state.asked
    if what and state.asked_in == place:
        from pages._ui.curation.every_dialog import DIALOGS  # with its widgets, only where it is wanted

        DIALOGS[what](job_ids, number)
    if not place:
        _undo()


def _undo() -> None:
    """Offer to take back what was hidden; the style sheet takes the offer away after 10 seconds."""
    last = app_state().undo
    if last is None or not last.ids or time.monotonic() >= last.until:
        return
    with st.container(key=f"undo-{last.number % 2}", horizontal=True, vertical_alignment="center"):
        st.html(f'<p class="studio-undo" role="status">{escape_html(last.words)}</p>', width="content")
        st.button("Undo", icon=":material/undo:", key=f"app.undo-{last.number}", on_click=undo)
