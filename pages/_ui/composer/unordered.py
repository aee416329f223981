"""Drafts that nothing was ordered from yet, wherever they were left: in another tab, or before a reload."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice

import streamlit as st

from kling.studio.prompting.draft import Draft
from kling.studio.prompting.templates import templates
from kling.studio.state.records import StateError, StoredDraft
from pages._ui.composer.dialog_choice import dialog_choice
from pages._ui.composer.list_row import list_row
from pages._ui.context import studio
from pages._ui.current_user import acting, browser_id
from pages._ui.escape import escape_markdown
from pages._ui.format import ago
from pages._ui.requests import text_of, words_of
from pages._ui.session_state import PendingDraft, composer_state

SHOWN = 5
LOOKED_AT = 30  # newest drafts, of which those that were ordered are left out


def unordered(words: Sequence[str]) -> None:
    """Draw a list of them above the orders, each with a button that opens it; nothing if there is none.

    Args:
        words: of a search, in lower case; a draft has all of them.
    """
    found = list(islice(_unordered(words), SHOWN))
    if not found:
        return
    st.caption("**Written and not ordered**")
    for stored, text in found:
        _row(stored, text)
    st.caption("**Ordered**")


def _unordered(words: Sequence[str]) -> Iterator[tuple[StoredDraft, str]]:
    try:
        drafts = acting().newest_drafts(browser=browser_id(), most=LOOKED_AT)
    except StateError as error:
        st.caption(escape_markdown(str(error)))
        return
    given = {text_of(template.request) for template in templates()}
    is_open = composer_state().draft_id
    for stored in drafts:
        draft = Draft.from_json(stored.fields)
        text = text_of(draft.request())
        if not text.strip() or stored.id == is_open or text in given or (draft.variations and stored.made):
            continue
        if not all(word in text.casefold() for word in words):
            continue
        known = map(studio().ledger.get, (*stored.made, draft.parent))
        if text not in {text_of(words_of(job)) for job in known if job is not None}:
            yield stored, text


def _row(stored: StoredDraft, text: str) -> None:
    when = ago(datetime.fromtimestamp(stored.changed, UTC), datetime.now(UTC))
    with st.container(horizontal=True, key=f"recent-draft-{stored.id}"):
        list_row(text, facts=when)
        dialog_choice("Go on with it", _go_on, stored.id, key=f"composer.recent_draft-{stored.id}")


def _go_on(draft_id: str) -> None:
    state = composer_state()
    state.pending = PendingDraft(draft_id, previous_draft=state.draft_id)
