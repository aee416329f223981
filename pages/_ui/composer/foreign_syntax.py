"""Says before an order what in the texts is the syntax of another tool."""

from __future__ import annotations

import streamlit as st

from kling.studio.prompting.draft import Draft
from kling.studio.prompting.foreign_syntax import MOST_NOTES, foreign_syntax
from pages._ui.escape import escape_markdown


def foreign_syntax_notes(draft: Draft) -> None:
    """Draw the notes of all texts that are sent, in one box; nothing if there are none."""
    shown = [shot.prompt for shot in draft.shots] if draft.is_storyboard else [draft.prompt]
    notes = dict.fromkeys(note for text in (*shown, draft.negative_prompt) for note in foreign_syntax(text))
    if notes:
        lines = "\n".join(f"- {escape_markdown(note)}" for note in list(notes)[:MOST_NOTES])
        st.warning(f"Kling reads this as plain words:\n\n{lines}", icon=":material/translate:")
