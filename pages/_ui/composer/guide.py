"""The prompt in the parts that Kling recommends: what is typed into a part is written into the prompt."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from kling.studio.prompting.draft import Draft
from kling.studio.prompting.prompt_guide import PARTS, Guide, Part, join_prompt, parts, split_prompt
from pages._ui.composer.draft_state import read_draft, replace_draft
from pages._ui.escape import escape_markdown
from pages._ui.panels import panel


def guide(draft: Draft) -> None:
    """Draw the parts of the prompt as it is now; every word of it is in one of them."""
    session, now = st.session_state, split_prompt(draft.prompt)
    with st.container(key="guide"):
        st.caption("What Kling understands best, in its order. The prompt above is made of what stands here.")
        grid = st.grid("auto", min_column_width=220)
        for part in parts():
            text = getattr(now, part.name)
            if session.get(_key(part.name)) != text:  # else Streamlit would replace what is being typed
                session[_key(part.name)] = text
            with grid.cell():
                st.text_area(
                    part.title, height=90, placeholder=part.hint, key=_key(part.name), on_change=_typed
                )
                _ideas(part)


def _key(part: str) -> str:
    return f"composer.part_{part}"


def _ideas(part: Part) -> None:
    def ideas() -> None:
        st.pills(
            f"Add to {part.title.lower()}",
            part.suggestions,
            format_func=escape_markdown,
            key=f"composer.idea_{part.name}",
            on_change=_add,
            args=(part.name,),
        )

    panel(
        f"Ideas: {part.title.lower()}",
        ideas,
        key=f"composer.open_ideas_{part.name}",
        icon="lightbulb",
        kind="popover",
    )


def _typed() -> None:
    """Write the prompt from what the parts hold."""
    texts = {name: st.session_state.get(_key(name)) or "" for name in PARTS}
    replace_draft(prompt=join_prompt(Guide(**texts)))


def _add(name: str) -> None:
    """Add the idea that was pressed to the end of the part."""
    session, key = st.session_state, f"composer.idea_{name}"
    idea, session[key] = session.get(key), None
    if not idea:
        return
    now = split_prompt(read_draft().prompt)
    text = getattr(now, name)
    gap = ". " if text[-1:].isalnum() else " "
    replace_draft(prompt=join_prompt(replace(now, **{name: f"{text}{gap}{idea}".strip()})))
