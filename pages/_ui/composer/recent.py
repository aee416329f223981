"""What a person ordered before, with picture, date and settings: all of it again, or the words alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import streamlit as st

from kling.studio.jobs import Job
from kling.studio.prompting.alternatives import has_alternatives
from kling.studio.prompting.draft import Draft
from pages._ui.address import base_path
from pages._ui.composer import draft_state
from pages._ui.context import studio
from pages._ui.current_user import current_user
from pages._ui.escape import escape_attribute, escape_html, escape_markdown
from pages._ui.format import ago, order_line, prompt_of
from pages._ui.requests import draft_of

SHOWN = 20  # orders
LONGEST_NAME = 80  # characters of a prompt in the name of its button

Begin = Callable[[Draft], object]


@st.dialog("Recent", width="large", icon=":material/history:")
def recent(begin_with: Begin) -> None:
    """Draw the list.

    Args:
        begin_with: fills the form with a draft.
    """
    query = st.text_input(
        "Search",
        type="search",
        live="250ms",
        placeholder="Search what you ordered",
        key="composer.recent_query",
        label_visibility="collapsed",
        icon=":material/search:",
    )
    found = studio().ledger.index.orders_of(current_user().name, SHOWN, (query or "").casefold().split())
    if not found:
        st.caption(
            "None of them has all of these words." if query else "Nothing was ordered under your name yet."
        )
    with st.container(key="recent"):
        for job in found:
            _row(job, begin_with)


def _row(job: Job, begin_with: Begin) -> None:
    text = prompt_of(job)
    name = " ".join(text.split())
    name = escape_markdown(name if len(name) <= LONGEST_NAME else f"{name[:LONGEST_NAME]}…")
    facts = f"{ago(job.ordered_at, datetime.now(UTC))} · {order_line(job)}"
    with st.container(horizontal=True, key=f"recent-{job.id}"):
        st.html(
            f'<div class="studio-recent">{_picture(job)}<div><div dir="auto" class="studio-recent-text" '
            f'title="{escape_attribute(text)}">{escape_html(text)}</div>'
            f'<div class="studio-recent-facts">{escape_html(facts)}</div>'
            "</div></div>"
        )
        if st.button("Use it", help=name, key=f"composer.recent_all-{job.id}"):
            draft = draft_of(job)
            if draft is not None:
                begin_with(draft)
                st.rerun()
        if st.button("Words only", help=name, type="tertiary", key=f"composer.recent_words-{job.id}"):
            begin_with(
                replace(draft_state.read_draft(), parent="", as_typed=has_alternatives(text), **_words(job))
            )
            st.rerun()


def _words(job: Job) -> dict[str, Any]:
    """Return the texts of an order as fields of the draft: a prompt, or shots."""
    draft = draft_of(job)
    if draft is None:
        return {}
    if draft.is_storyboard:
        return {"cut": draft.cut, "shots": draft.shots, "model": draft.model, "variations": False}
    return {"prompt": draft.prompt, "cut": draft.cut, "variations": False}


def _picture(job: Job) -> str:
    """Return the picture of a clip, or an empty place of the same size."""
    if not job.has_clip:
        return '<span class="studio-recent-picture"></span>'
    source = escape_html(f"{base_path()}/clips/{job.id}.jpg")
    return (
        f'<img class="studio-recent-picture" src="{source}" data-clip="{escape_html(job.id)}" alt="" '
        'loading="lazy">'
    )
