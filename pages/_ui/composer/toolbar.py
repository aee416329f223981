"""Above the prompt: its two forms as tabs, and the ways to begin with something. Dialogs run while open."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from kling.studio.prompting.draft import CUTS, STORYBOARD, Draft
from pages._ui.composer import draft_state
from pages._ui.escape import escape_markdown
from pages._ui.panels import panel_body, panel_row
from pages._ui.session_state import PendingDraft, composer_state
from pages._ui.words import COMPARE_PROMPTS, EXPORT_AS_CODE


def toolbar(draft: Draft) -> None:
    """Draw the row, and the dialog that was asked for."""
    state = composer_state()
    if state.is_imported:
        state.imported, state.is_imported = draft, False
    with st.container(horizontal=True, key="toolbar"):
        st.segmented_control(
            "How the video is described",
            [draft.cut if draft.cut != STORYBOARD else CUTS[0], STORYBOARD],
            format_func=_tab,
            required=True,
            label_visibility="collapsed",
            **draft_state.persistent("cut"),
        )
        dialog_button("recent", "Recent", "history")
        dialog_button("templates", "Templates", "auto_stories")
    _dialog()
    if state.notes and state.imported == draft:
        st.info(escape_markdown("\n".join(state.notes)), icon=":material/info:")


def _tab(cut: str) -> str:
    return ":material/view_agenda: Storyboard" if cut == STORYBOARD else ":material/notes: Prompt"


def helps(draft: Draft) -> None:
    """Draw what helps with the words, as panels, and what opens the dialog with the request as code."""
    panel_row("guide", "Guide", icon="assistant_direction")
    panel_row("compare", COMPARE_PROMPTS, icon="difference")
    dialog_button("import_export", EXPORT_AS_CODE, "ios_share")
    panel_body("guide", lambda: _guide(draft))  # below the row, which stays one row
    panel_body("compare", lambda: _compare(draft))


def _guide(draft: Draft) -> None:
    from pages._ui.composer.guide import guide

    guide(draft)


def _compare(draft: Draft) -> None:
    from pages._ui.composer.compare import compare

    compare(draft)


def _dialog() -> None:
    """Draw the dialog that the last press asked for."""
    state = composer_state()
    dialog, state.dialog = state.dialog, ""
    if dialog == "recent":
        from pages._ui.composer.recent import recent

        recent(begin_with)
    elif dialog in {"first_frame", "last_frame"}:
        from pages._ui.composer.frames import frames

        frames(dialog)
    elif dialog == "templates":
        from pages._ui.composer.templates import library

        library(begin_with)
    elif dialog == "import_export":
        from pages._ui.composer.import_export import import_export

        import_export(begin_with)


def dialog_button(dialog: str, label: str, icon: str) -> None:
    """Draw what opens a dialog in the next run of the whole page.

    Args:
        dialog: its name in the state of the session.
        label: stands on the button.
        icon: name of a Material icon.
    """
    st.button(
        label,
        type="tertiary",
        icon=f":material/{icon}:",
        key=f"composer.tool_{dialog}",
        on_click=open_dialog,
        args=(dialog,),
    )


def open_dialog(dialog: str) -> None:
    """Have the next run open a dialog: `recent`, `templates` or `import_export`."""
    state = composer_state()
    if dialog == "templates":  # opens without the search of last time, on the shelf that was open last
        st.session_state.update({"composer.library_query": "", "composer.library_category": None})
        state.all_templates, state.edited_template = False, None
    elif dialog == "recent":
        st.session_state["composer.recent_query"] = ""
    state.dialog = dialog


def begin_with(draft: Draft, notes: Sequence[str] = ()) -> None:
    """Have the next run fill the form with a new draft; the one before it stays, and a button leads back."""
    state = composer_state()
    state.pending = PendingDraft("", draft, tuple(notes), state.draft_id)


def way_back() -> None:
    """Draw what leads back to the draft that another one has replaced."""
    if composer_state().previous_draft:
        st.button(
            "Back to the draft you had",
            type="tertiary",
            icon=":material/undo:",
            key="composer.go_back",
            on_click=go_back,
        )


def go_back() -> None:
    """Have the next run open the previous draft again."""
    state = composer_state()
    state.pending = PendingDraft(state.previous_draft)


def open_pending_draft() -> None:
    """Fill the form with the pending draft; a run that is stopped meanwhile leaves it to the next one."""
    state = composer_state()
    pending = state.pending
    if pending is None:
        return
    state.seen_draft_id = st.query_params.get("draft", "")  # the old one, until autosave.js changes it
    before = draft_state.read_draft()
    draft_state.open_draft(pending.draft_id, origin=pending.origin)
    state.previous_draft, state.notes = _worth_a_way_back(pending, before), pending.notes
    state.imported, state.is_imported = None, pending.origin is not None
    state.pending = None


def _worth_a_way_back(pending: PendingDraft, before: Draft) -> str:
    """Return the id of the draft to which a button leads back; empty for none.

    Args:
        pending: has just filled the form.
        before: what the form held until then.
    """
    state, previous = composer_state(), pending.previous_draft
    if previous and before == state.imported:  # it came from elsewhere, and nobody has touched it
        previous = state.previous_draft
    elif _says_the_same(before, Draft()) or _says_the_same(before, draft_state.read_draft()):
        previous = ""
    return previous if previous != state.draft_id else ""


def _says_the_same(draft: Draft, other: Draft) -> bool:
    return replace(draft, parent=other.parent, continues=other.continues) == other
