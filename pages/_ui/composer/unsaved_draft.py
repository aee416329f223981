"""Changes of a draft that could not be stored: the page says so, and stores them with the next change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from kling.studio.identity.roles import NotAllowed
from kling.studio.state.records import NotKept, StateError
from pages._ui.current_user import acting, browser_id
from pages._ui.escape import escape_markdown
from pages._ui.session_state import Unkept, composer_state


def keep_changes(
    draft_id: str,
    *,
    fields: Mapping[str, Any] | None = None,
    texts: Mapping[str, str] | None = None,
    made: tuple[str, ...] | None = None,
) -> None:
    """Store changes of a draft, together with those that the store refused before.

    Args:
        draft_id: of the draft.
        fields: as for `DraftStore.save`.
        texts: likewise.
        made: likewise.
    """
    if not draft_id:
        return
    state = composer_state()
    before = state.unkept
    if before is None or before.draft_id != draft_id:
        before = Unkept(draft_id=draft_id)
    older = {name: text for name, text in before.texts.items() if not (fields and "shots" in fields)}
    changes = Unkept(
        draft_id=draft_id,
        fields={**before.fields, **(fields or {})},
        texts={**older, **(texts or {})},
        made=before.made if made is None else made,
    )
    try:
        acting().save_draft(
            draft_id,
            browser=browser_id(),
            fields=changes.fields,
            texts=changes.texts,
            made=changes.made,
            at_leisure=changes.made is None,  # a page that waits for the disk answers each click later
        )
    except (StateError, NotAllowed) as error:
        note_unkept(changes, error)
    else:
        if before.why:
            state.unkept = None


def note_unkept(changes: Unkept, error: StateError | NotAllowed) -> None:
    """Remember changes that the store has refused, and why."""
    again = "" if isinstance(error, NotKept) else "What you changed is not kept on the server now. "
    composer_state().unkept = Unkept(
        draft_id=changes.draft_id,
        why=f"{again}{error}",
        fields=changes.fields,
        texts=changes.texts,
        made=changes.made,
    )


def say_unkept() -> None:
    """Say that the draft on the page is not stored, why, and what to do."""
    unkept = composer_state().unkept
    if unkept:
        st.warning(escape_markdown(unkept.why), icon=":material/cloud_off:")
