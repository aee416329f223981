"""The prompt, the largest thing on the page, with the count of its characters."""

from __future__ import annotations

from itertools import accumulate
from typing import Any

import streamlit as st

from kling import catalog
from kling.studio.prompting.draft import Draft
from kling.studio.state.records import DRAFT_BYTES
from kling.text import storable
from pages._ui.composer.autosave import counted
from pages._ui.composer.draft_state import browser, keep, read_draft, replace_draft
from pages._ui.composer.field_errors import Wrong
from pages._ui.composer.unkept import keep_changes
from pages._ui.context import studio

PLACEHOLDER = "Who or what, what happens, where, in which light, and how the camera moves."
EARLIER = 50  # prompts that can be walked through
OWN = 10  # texts beside them that were not ordered
OWN_BYTES = DRAFT_BYTES // 3  # of these texts in UTF-8, so that the draft itself has room beside them


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
    asked: Any = session.autosave.get("walk") if "autosave" in session else None
    if not isinstance(asked, dict) or asked.get("step") not in {1, -1}:
        return
    if (at := str(asked.get("at"))) == session.get("walked"):
        return  # it was asked again, in case that it got lost
    session.walked = at
    typed = asked.get("text")
    text = storable(typed) if isinstance(typed, str) else read_draft().prompt
    earlier = studio().ledger.index.prompts(session.get("person_field", ""), EARLIER)
    if text.strip() and text not in [*session.own, *earlier]:
        # What nobody ordered yet is the newest of them, also after a refresh.
        session.own = _as_many_as_fit([text, *session.own][:OWN])
        keep_changes(session.draft_id, browser(), fields={"own": session.own})
    prompts = list(dict.fromkeys([*session.own, *earlier]))
    place = prompts.index(text) if text in prompts else -1
    place = min(max(place + asked["step"], -1 if not text.strip() else 0), len(prompts) - 1)
    if place >= 0:
        replace_draft(prompt=storable(prompts[place]))


def _as_many_as_fit(texts: list[str]) -> list[str]:
    """Return the newest of the texts that are not too long to be kept together."""
    sizes = accumulate(len(text.encode()) for text in texts)
    return [text for text, size in zip(texts, sizes, strict=True) if size <= OWN_BYTES]
