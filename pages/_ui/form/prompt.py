"""The prompt, the largest thing on the page, with the count of its characters."""

from __future__ import annotations

from typing import Any

import streamlit as st

from kling import catalog
from kling.studio.draft import Draft
from pages._ui.form.desk import counted
from pages._ui.form.fields import keep, read, replace_draft
from pages._ui.form.problems import Wrong
from pages._ui.running import studio

PLACEHOLDER = "Who or what, what happens, where, in which light, and how the camera moves."
EARLIER = 50  # prompts that can be walked through


def prompt(draft: Draft, wrong: Wrong) -> None:
    """Draw the prompt."""
    st.text_area("Prompt", height=210, placeholder=PLACEHOLDER, **keep("prompt"))
    with st.container(horizontal=True, horizontal_alignment="distribute", key="under_prompt"):
        counted("prompt", draft.prompt, catalog().prompt_limit)
        st.caption("**Alt+↑** earlier prompts", width="content")
    if draft.is_storyboard and draft.prompt.strip():
        st.info(
            "The storyboard’s own prompts are sent, and this one is not: Kling takes one or the other.",
            icon=":material/view_column:",
        )
    wrong("prompt", "multi_shot")


def negative_prompt(draft: Draft, wrong: Wrong) -> None:
    """Draw what should not be seen."""
    st.text_area(
        "Negative prompt", height=68, placeholder="What should not be seen.", **keep("negative_prompt")
    )
    if draft.negative_prompt:
        counted("negative_prompt", draft.negative_prompt, catalog().prompt_limit)
    wrong("negative_prompt")


def walk() -> None:
    """Go to an earlier prompt, or back towards the one that was being written."""
    session = st.session_state
    asked: Any = session.desk.get("walk") if "desk" in session else None
    if not isinstance(asked, dict) or asked.get("step") not in {1, -1}:
        return
    text = asked.get("text") if isinstance(asked.get("text"), str) else read().prompt
    place = session.get("walk_place", 0)
    earlier = studio().earlier_prompts(session.get("person_field", ""), EARLIER)
    if place and (place > len(earlier) or earlier[place - 1] != text):
        place = 0  # somebody wrote since: walk anew from here
    if place == 0:
        session.walk_text = text
    place = min(max(place + asked["step"], 0), len(earlier))
    session.walk_place = place
    replace_draft(prompt=earlier[place - 1] if place else session.walk_text)
