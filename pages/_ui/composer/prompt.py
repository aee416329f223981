"""The prompt with its tools, and the way to earlier prompts; or the storyboard in its place."""

from __future__ import annotations

from typing import Any

import streamlit as st

from kling import catalog
from kling.studio.prompting.draft import Draft
from kling.text import storable
from pages._ui.composer import assistant
from pages._ui.composer.autosave import character_count, prompt_tools
from pages._ui.composer.draft_state import persistent, read_draft, replace_draft
from pages._ui.composer.field_errors import FieldErrors
from pages._ui.composer.foreign_syntax import foreign_syntax_notes
from pages._ui.composer.pasted_code import pasted_code
from pages._ui.composer.storyboard import storyboard
from pages._ui.composer.unsent import earlier_prompts, keep_unsent
from pages._ui.panels import form_panel
from pages._ui.session_state import composer_state
from pages._ui.words import PANEL_AVOID

PLACEHOLDER = "Who or what, what happens, where, in which light, and how the camera moves."


def prompt(draft: Draft, errors: FieldErrors) -> None:
    """Draw the prompt, or the shots that are sent in its place."""
    if draft.is_storyboard:
        storyboard(draft, errors)
        assistant.tools(draft)
    else:
        with st.container(key="prompt_box"):
            st.text_area(
                "Prompt",
                height="content",
                placeholder=PLACEHOLDER,
                label_visibility="collapsed",
                **persistent("prompt"),
            )
            prompt_tools(draft)
            assistant.tools(draft)
    errors("prompt", "multi_shot", "shot_type", "multi_prompt")
    foreign_syntax_notes(draft)
    pasted_code(draft)


def avoid(draft: Draft, errors: FieldErrors) -> None:
    """Draw the panel of what should not be seen; not for a model that has no field for it."""
    if not draft.can_send("negative_prompt"):
        return
    line = " ".join(draft.negative_prompt.split())
    form_panel(
        "avoid",
        PANEL_AVOID,
        lambda: _negative_prompt(draft, errors),
        icon="block",
        state=(line if len(line) <= 40 else f"{line[:39]}…") or "nothing",
        is_set=bool(line),
        is_wrong=errors.are_in("avoid"),
    )


def _negative_prompt(draft: Draft, errors: FieldErrors) -> None:
    st.text_area(
        "Negative prompt",
        height="content",
        placeholder="What should not be seen.",
        label_visibility="collapsed",
        **persistent("negative_prompt"),
    )
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
    keep_unsent(text)
    prompts = list(dict.fromkeys([*state.unsent_prompts, *earlier_prompts()]))
    index = prompts.index(text) if text in prompts else -1
    index = min(max(index + asked["step"], -1 if not text.strip() else 0), len(prompts) - 1)
    if index >= 0:
        replace_draft(prompt=storable(prompts[index]))
