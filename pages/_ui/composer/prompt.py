"""The prompt and the negative prompt, each with the count of its characters; the way to earlier prompts."""

from __future__ import annotations

from itertools import accumulate
from typing import Any

import streamlit as st

from kling import catalog
from kling.studio.prompting.draft import Draft
from kling.studio.state.records import DRAFT_BYTES
from kling.text import storable
from pages._ui.composer.autosave import character_count
from pages._ui.composer.draft_state import persistent, read_draft, replace_draft
from pages._ui.composer.field_errors import ShowErrors
from pages._ui.composer.unsaved_draft import keep_changes
from pages._ui.context import studio
from pages._ui.current_user import current_user
from pages._ui.session_state import composer_state

PLACEHOLDER = "Who or what, what happens, where, in which light, and how the camera moves."
EARLIER = 50  # prompts that were ordered
UNSENT = 10  # prompts that were not
UNSENT_BYTES = DRAFT_BYTES // 3  # of these in UTF-8, so that the draft itself has room beside them


def prompt(draft: Draft, errors: ShowErrors) -> None:
    """Draw the prompt."""
    st.text_area("Prompt", height=210, placeholder=PLACEHOLDER, **persistent("prompt"))
    with st.container(horizontal=True, horizontal_alignment="distribute", key="under_prompt"):
        character_count("prompt", draft.prompt, catalog().prompt_limit)
        st.caption("**Alt+↑** earlier prompts", width="content")
    if draft.is_storyboard and draft.prompt.strip():
        st.info(
            "The storyboard’s own prompts are sent, and this one is not: Kling takes one or the other.",
            icon=":material/view_column:",
        )
    errors("prompt", "multi_shot")


def negative_prompt(draft: Draft, errors: ShowErrors) -> None:
    """Draw what should not be seen."""
    st.text_area(
        "Negative prompt", height=68, placeholder="What should not be seen.", **persistent("negative_prompt")
    )
    if draft.negative_prompt:
        character_count("negative_prompt", draft.negative_prompt, catalog().prompt_limit)
    errors("negative_prompt")


def walk() -> None:
    """Go to the next earlier prompt, or back towards the one that was being written: a component's callback.

    autosave.js sends a step until the page shows its time stamp, so the same step may come several times.
    """
    state, component = composer_state(), st.session_state.get("composer.autosave")
    asked: Any = component.get("walk") if component is not None else None
    if not isinstance(asked, dict) or asked.get("step") not in {1, -1}:
        return
    if (at := str(asked.get("at"))) == state.answered_walk:
        return
    state.answered_walk = at
    typed = asked.get("text")
    text = storable(typed) if isinstance(typed, str) else read_draft().prompt
    earlier = studio().ledger.index.prompts(current_user().name, EARLIER)
    if text.strip() and text not in [*state.unsent_prompts, *earlier]:
        state.unsent_prompts = _as_many_as_fit([text, *state.unsent_prompts][:UNSENT])
        keep_changes(state.draft_id, fields={"own": state.unsent_prompts})
    prompts = list(dict.fromkeys([*state.unsent_prompts, *earlier]))
    index = prompts.index(text) if text in prompts else -1
    index = min(max(index + asked["step"], -1 if not text.strip() else 0), len(prompts) - 1)
    if index >= 0:
        replace_draft(prompt=storable(prompts[index]))


def _as_many_as_fit(texts: list[str]) -> list[str]:
    """Return the newest of the texts that are not too long to be stored together."""
    sizes = accumulate(len(text.encode()) for text in texts)
    return [text for text, size in zip(texts, sizes, strict=True) if size <= UNSENT_BYTES]
