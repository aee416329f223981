"""What helps to write a prompt, in one quiet row under it. What is closed does not run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import streamlit as st

from kling.studio.prompting.draft import AUTOMATIC, ONE_SHOT, Draft
from pages._ui.composer import draft_state, import_export
from pages._ui.composer.compare import compare
from pages._ui.composer.guide import guide
from pages._ui.composer.templates import begin, library
from pages._ui.escape import escape_markdown


@dataclass(frozen=True, slots=True)
class Chosen:
    """What to fill the form with, as one value: a run may be stopped at each look at the session.

    Args:
        draft_id: of the disk, empty for a new one.
        origin: what a new one begins with.
        notes: to be shown until somebody edits it.
        before: id of the draft to go back to.
    """

    draft_id: str
    origin: Draft | None = None
    notes: tuple[str, ...] = ()
    before: str = ""


def toolbar(draft: Draft) -> None:
    """Draw the row, and under it the panel that is open."""
    session = st.session_state
    if session.get("begun") is True:
        session.begun = draft
    with st.container(horizontal=True, gap="small", key="toolbar"):
        _button("Templates", "auto_stories", begin)
        _panel_button("guide", "Guide", "Hide the guide", "assistant_direction")
        _panel_button("compare", "Compare", "Hide the comparison", "difference")
        _button("Take it elsewhere", "ios_share")
        if session.get("before"):
            st.button("Back to the draft you had", type="tertiary", icon=":material/undo:", on_click=go_back)
    match session.pop("opens", ""):
        case "auto_stories":
            library(begin_with)
        case "ios_share":
            import_export.import_export(begin_with)
    if session.get("notes") and session.get("begun") == draft:
        st.info(escape_markdown("\n".join(session.notes)), icon=":material/info:")
    if session.get("panel") == "guide":
        guide(draft)
    elif session.get("panel") == "compare":
        compare(draft)


def _button(label: str, icon: str, begin: Callable[[], None] = lambda: None) -> None:
    """Draw what opens a dialog in the next run of the whole page."""

    def opens() -> None:
        begin()
        st.session_state.opens = icon

    st.button(label, type="tertiary", icon=f":material/{icon}:", key=f"tool_{icon}", on_click=opens)


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
    """Have the next run fill the form with a new draft; the one before it is kept, and one press away."""
    session = st.session_state
    # A draft that nobody has touched is not what one goes back to.
    before = (
        session.draft_id if session.get("begun") != draft_state.read_draft() else session.get("before", "")
    )
    session.chosen = Chosen("", draft, tuple(notes), before)


def go_back() -> None:
    """Have the next run open the draft from before again."""
    st.session_state.chosen = Chosen(st.session_state.before)


def open_what_was_chosen() -> None:
    """Fill the form with what was chosen; a run that is stopped meanwhile leaves it to the next one."""
    session = st.session_state
    chosen: Chosen | None = session.get("chosen")
    if chosen is None:
        return
    session.asked = st.query_params.get("draft", "")  # the old one, until the script in the page changes it
    draft_state.open_draft(chosen.draft_id, origin=chosen.origin)
    if chosen.origin and chosen.origin.cut != ONE_SHOT:
        session.open_shots = True
    if chosen.origin and chosen.origin.camera != AUTOMATIC:
        session.open_camera = True
    session.before, session.notes = chosen.before, chosen.notes
    session.begun = chosen.origin is not None  # what becomes of it on this page, the toolbar notes
    session.chosen = None
