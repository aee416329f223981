"""What the server has not kept of a draft: it is said on the page, and goes with the next change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from kling.studio.state.records import NotKept, StateError
from pages._ui.context import studio
from pages._ui.escape import escape_markdown


@dataclass(frozen=True, slots=True, kw_only=True)
class Unkept:
    """Changes of a draft that the server has refused.

    Args:
        draft_id: of the draft; empty for one that could not be read, of which nothing is kept.
        why: in words, with the remedy.
        fields: as for `DraftStore.save`.
        texts: likewise.
        made: likewise.
    """

    draft_id: str
    why: str = ""
    fields: Mapping[str, Any] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)
    made: tuple[str, ...] | None = None


def keep_changes(
    draft_id: str,
    owner: str,
    *,
    fields: Mapping[str, Any] | None = None,
    texts: Mapping[str, str] | None = None,
    made: tuple[str, ...] | None = None,
) -> None:
    """Have the server keep changes of a draft, together with those that it refused before.

    Args:
        draft_id: of the draft.
        owner: id of the browser.
        fields: as for `DraftStore.save`.
        texts: likewise.
        made: likewise.
    """
    before: Unkept | None = st.session_state.get("unkept")
    if not draft_id:
        return
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
        studio().state.drafts.save(
            draft_id, owner, fields=changes.fields, texts=changes.texts, made=changes.made
        )
    except StateError as error:
        note_unkept(changes, error)
    else:
        if before.why:
            st.session_state.unkept = None


def note_unkept(changes: Unkept, error: StateError) -> None:
    """Remember changes that the server has refused, and why."""
    again = "" if isinstance(error, NotKept) else "What you changed is not kept on the server now. "
    st.session_state.unkept = Unkept(
        draft_id=changes.draft_id,
        why=f"{again}{error}",
        fields=changes.fields,
        texts=changes.texts,
        made=changes.made,
    )


def say_unkept() -> None:
    """Tell a person that the draft on the page is not kept on the server, why, and what to do."""
    unkept: Unkept | None = st.session_state.get("unkept")
    if unkept:
        st.warning(escape_markdown(unkept.why), icon=":material/cloud_off:")
