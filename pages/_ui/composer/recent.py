"""What a person ordered before, with picture, date and settings: all of it again, or the words alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import streamlit as st

from kling.studio.prompting.draft import Draft
from pages._ui.composer import draft_state
from pages._ui.composer.dialog_choice import dialog_choice
from pages._ui.composer.follow_ups import with_follow_ups
from pages._ui.composer.list_row import (
    NO_PICTURE,
    clip_picture,
    list_of_rows,
    list_row,
    name_of_buttons,
)
from pages._ui.composer.unordered import unordered
from pages._ui.context import studio
from pages._ui.current_user import current_user
from pages._ui.format import ago, counted, order_line, prompt_of
from pages._ui.requests import draft_of_all
from pages._ui.stage.cards import Card
from pages._ui.stage.facts import alternatives

SHOWN = 20  # orders

Begin = Callable[[Draft], None]


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
    words = (query or "").casefold().split()
    found = studio().ledger.index.orders_of(current_user().name, SHOWN, words)
    if not found:
        st.caption(
            "None of them has all of these words." if query else "Nothing was ordered under your name yet."
        )
    with list_of_rows("recent"):
        unordered(words)
        for job in found:
            batch = studio().ledger.index.batch(job.group) if job.group else ()
            _row(Card(job.group or job.id, tuple(reversed(batch)) or (job,)), begin_with)


def _row(card: Card, begin_with: Begin) -> None:
    job, number = card.jobs[0], len(card.jobs)
    text = prompt_of(job) if number == 1 else alternatives(card)[0]
    name = name_of_buttons(text)
    facts = [ago(job.ordered_at, datetime.now(UTC)), order_line(job)]
    if number > 1:
        facts.insert(1, counted(number, "clip", "clips"))
    with st.container(horizontal=True, key=f"recent-{job.id}"):
        first = next((each.id for each in card.jobs if each.has_clip), "")
        list_row(text, facts=" · ".join(facts), picture=clip_picture(first) if first else NO_PICTURE)
        draft = draft_of_all(card.jobs)
        if draft is None:
            return
        dialog_choice("Use it", begin_with, draft, help=name, key=f"composer.recent_all-{job.id}")
        key = f"composer.recent_words-{job.id}"
        dialog_choice("Words only", _use_words, begin_with, draft, help=name, type="tertiary", key=key)


def _use_words(begin_with: Begin, draft: Draft) -> None:
    now = draft_state.read_draft()
    begin_with(with_follow_ups(now, replace(now, parent="", **_words(draft)), {"cut"}))


def _words(draft: Draft) -> dict[str, Any]:
    """Return the texts of an order as fields of the draft: a prompt, or shots."""
    how = {"cut": draft.cut, "variations": draft.variations, "as_typed": draft.as_typed}
    if draft.is_storyboard:
        return {**how, "shots": draft.shots}
    return {**how, "prompt": draft.prompt}
