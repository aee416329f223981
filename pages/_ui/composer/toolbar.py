"""What helps to write a prompt: one row of buttons. Closed panels and dialogs are not executed."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from kling.studio.prompting.draft import AUTOMATIC, ONE_SHOT, Draft
from pages._ui.composer import draft_state
from pages._ui.composer.draft_state import panel_key
from pages._ui.escape import escape_markdown
from pages._ui.session_state import PendingDraft, composer_state


def toolbar(draft: Draft) -> None:
    """Draw the row, the dialog that was asked for, and under the row the panel that is open."""
    state = composer_state()
    if state.is_imported:
        state.imported, state.is_imported = draft, False
    with st.container(horizontal=True, gap="small", key="toolbar"):
        _dialog_button("templates", "Templates", "auto_stories")
        _panel_button("guide", "Guide", "Hide the guide", "assistant_direction")
        _panel_button("compare", "Compare", "Hide the comparison", "difference")
        _dialog_button("import_export", "Take it elsewhere", "ios_share")
        if state.previous_draft:
            st.button(
                "Back to the draft you had",
                type="tertiary",
                icon=":material/undo:",
                key="composer.go_back",
                on_click=go_back,
            )
    dialog, state.dialog = state.dialog, ""
    if dialog == "templates":
        from pages._ui.composer.templates import library

        library(begin_with)
    elif dialog == "import_export":
        from pages._ui.composer.import_export import import_export

        import_export(begin_with)
    if state.notes and state.imported == draft:
        st.info(escape_markdown("\n".join(state.notes)), icon=":material/info:")
    if state.panel == "guide":
        from pages._ui.composer.guide import guide

        guide(draft)
    elif state.panel == "compare":
        from pages._ui.composer.compare import compare

        compare(draft)


def _dialog_button(dialog: str, label: str, icon: str) -> None:
    """Draw what opens a dialog in the next run of the whole page."""
    st.button(
        label,
        type="tertiary",
        icon=f":material/{icon}:",
        key=f"composer.tool_{dialog}",
        on_click=_open_dialog,
        args=(dialog,),
    )


def _open_dialog(dialog: str) -> None:
    state = composer_state()
    if dialog == "templates":  # opens without the search of last time, on the shelf that was open last
        st.session_state.update({"composer.library_query": "", "composer.library_category": None})
        state.all_templates, state.edited_template = False, None
    state.dialog = dialog


def _panel_button(panel: str, label: str, hide: str, icon: str) -> None:
    """Draw what opens a panel, and closes it again."""
    is_open = composer_state().panel == panel
    st.button(
        hide if is_open else label,
        type="tertiary",
        icon=f":material/{icon}:",
        key=f"composer.tool_{panel}",
        on_click=_show_panel,
        args=("" if is_open else panel,),
    )


def _show_panel(panel: str) -> None:
    composer_state().panel = panel


def begin_with(draft: Draft, notes: Sequence[str] = ()) -> None:
    """Have the next run fill the form with a new draft; the one before it stays, and a button leads back."""
    state = composer_state()
    # A draft from elsewhere that nobody has touched is not worth a way back.
    is_untouched = state.imported == draft_state.read_draft()
    previous = state.previous_draft if is_untouched else state.draft_id
    state.pending = PendingDraft("", draft, tuple(notes), previous)


def go_back() -> None:
    """Have the next run open the previous draft again."""
    state = composer_state()
    state.pending = PendingDraft(state.previous_draft)


def open_pending_draft() -> None:
    """Fill the form with the pending draft; a run that is stopped meanwhile leaves it to the next one."""
    state, session = composer_state(), st.session_state
    pending = state.pending
    if pending is None:
        return
    state.seen_draft_id = st.query_params.get("draft", "")  # the old one, until autosave.js changes it
    draft_state.open_draft(pending.draft_id, origin=pending.origin)
    if pending.origin and pending.origin.cut != ONE_SHOT:
        session[panel_key("shots")] = True
    if pending.origin and pending.origin.camera != AUTOMATIC:
        session[panel_key("camera")] = True
    state.previous_draft, state.notes = pending.previous_draft, pending.notes
    state.imported, state.is_imported = None, pending.origin is not None
    state.pending = None
