"""What Streamlit cannot do while somebody types: it hears of a text only when the field is left.

One script, autosave.js, counts the characters as they come, keeps the text on the server's disk under the
draft's id, puts that id into the page's address, and walks through earlier prompts.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import streamlit as st

from pages._ui.escape import escape_html
from pages._ui.live import base_path

SAVE_AFTER = 300  # milliseconds without a key

_SCRIPT = Path(__file__).with_suffix(".js").read_text(encoding="utf-8")


def autosave(draft_id: str, on_walk: Callable[[], None]) -> None:
    """Mount the script, for the draft of this id."""
    script = _SCRIPT.replace("__PATH__", json.dumps(f"{base_path()}/drafts/"))
    st.components.v2.component("studio_autosave", js=script.replace("__SAVE_AFTER__", str(SAVE_AFTER)))(
        key="autosave", on_walk_change=on_walk
    )
    walked = escape_html(str(st.session_state.get("walked", "")))
    st.html(f'<i data-draft="{escape_html(draft_id)}" data-walked="{walked}" hidden></i>')


def counted(field: str, text: str, limit: int) -> None:
    """Draw the number of characters of a field; the script keeps it true while somebody types."""
    over = len(text) - limit
    more = f": shorten it by {over:,}" if over > 0 else ""
    st.html(
        f'<div class="studio-count" data-count="{field}" data-limit="{limit}" '
        f'data-over="{str(over > 0).lower()}">{len(text):,} / {limit:,}{more}</div>'
    )
