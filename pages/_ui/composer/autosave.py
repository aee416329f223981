"""Text that is being typed: Streamlit hears of it when the field is left, or the number of clips changes.

One script counts the characters as they come, stores the text under the draft's id, puts that id into the
page's address, and asks for earlier prompts when somebody presses Alt+↑ or Alt+↓ (autosave.js). It also knows
the keys and tools of the fields, and counts their clips (fields.js); and it minds what is typed and pressed
while the server does not answer (cut_off.js).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import streamlit as st

from kling.endpoint import prompt_limit
from kling.studio.prompting.draft import Draft
from pages._ui.address import base_path
from pages._ui.context import studio
from pages._ui.current_user import acting, browser_id
from pages._ui.escape import escape_html
from pages._ui.scripts.assets import loader
from pages._ui.session_state import composer_state

SAVE_AFTER = 300  # milliseconds without a key
# Fields whose text is stored while it is typed.
TEXTS = r"prompt|negative_prompt|other_model|shot_[1-9](?:\.[0-9]{1,9})?"

_SCRIPTS = [Path(__file__).with_name(f"{name}.js") for name in ("autosave", "fields", "cut_off")]


@cache
def _component() -> Any:
    """Return the script as a component, which Streamlit is told of once."""
    script = "".join(path.read_text(encoding="utf-8") for path in _SCRIPTS)
    script = script.replace("__PATH__", json.dumps(f"{base_path()}/drafts/"))
    script = script.replace("__SAVE_AFTER__", str(SAVE_AFTER)).replace("__TEXTS__", TEXTS.replace(r"\.", "-"))
    return st.components.v2.component("studio_autosave", js=loader("autosave", script))


def autosave(on_walk: Callable[[], None]) -> None:
    """Mount the script for the draft in the form.

    Args:
        on_walk: called when somebody asks for the next earlier or later prompt.
    """
    state = composer_state()
    _component()(key="composer.autosave", on_walk_change=on_walk)
    walked = escape_html(state.answered_walk)
    owner = sha256(acting().draft_owner(browser_id()).encode()).hexdigest()[:16]  # tells owners apart
    st.html(
        f'<i data-draft="{escape_html(state.draft_id)}" data-owner="{owner}" data-walked="{walked}" '
        f'data-at="{escape_html(base_path())}/" hidden></i>'
    )


def prompt_tools(draft: Draft) -> None:
    """Draw what stands under the prompt: the chip that varies it, and the count.

    The chip writes braces around the selected words, and says how many clips the variations make; both
    happen in the browser (fields.js), which alone knows the selection and what is being typed.
    """
    has_image = bool(draft.first_frame)
    limit = prompt_limit(draft.known, studio().settings.credentials, has_image=has_image)
    st.html(
        '<div class="studio-tools"><button type="button" data-vary title="Puts {…|…} around the selected '
        'words: a clip for each variation"><span class="ms" aria-hidden="true">data_object</span>'
        f"<span data-videos>Variations</span></button>{_count('prompt', draft.prompt, limit)}</div>"
    )


def character_count(field: str, text: str, limit: int) -> None:
    """Draw the number of characters of a field; the script keeps it true while somebody types."""
    st.html(_count(field, text, limit))


def _count(field: str, text: str, limit: int) -> str:
    over = len(text) - limit
    more = f": shorten it by {over:,}" if over > 0 else ""
    return (
        f'<div class="studio-count" data-count="{field}" data-limit="{limit}" '
        f'data-over="{str(over > 0).lower()}">{len(text):,} / {limit:,}{more}</div>'
    )
