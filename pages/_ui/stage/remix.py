"""Takes a job's words and settings into the form of the page that shows it, and the focus with them."""

from __future__ import annotations

from typing import Literal

import streamlit as st

from pages._ui.composer.pictures import start_from_frame
from pages._ui.requests import draft_of_all
from pages._ui.session_state import PendingDraft, PictureNews, composer_state
from pages._ui.stage.cards import card_of

MORE = "stage.more"  # session key: whether the menu of the stage is open
Place = Literal["prompt", "mend", "generate"]  # `mend`: the prompt, marked until it is changed


def remix_here(key: str, place: Place = "prompt") -> None:
    """Have the next run fill the form with what was ordered, in the callback of a button on Compose.

    Args:
        key: the id of a job that has a form, or of a batch of them.
        place: where the focus goes.
    """
    card = card_of(key)
    draft = draft_of_all(card.jobs) if card is not None else None
    if draft is None:
        return
    state = composer_state()
    state.pending = PendingDraft("", draft, previous_draft=state.draft_id)
    move_focus(place)


def continue_here(job_id: str) -> None:
    """Have the next run fill the form with a clip that goes on from the last frame of another one.

    Args:
        job_id: of the job whose clip goes on.
    """
    st.session_state[MORE] = False  # the menu would lie over the form
    state = composer_state()
    draft, problem = start_from_frame(job_id)
    if problem:
        state.picture_news = PictureNews(problem)
    if draft is not None:
        state.pending = PendingDraft("", draft, previous_draft=state.draft_id)
        move_focus("prompt")


def move_focus(place: Place) -> None:
    """Have the page move the focus once it has been drawn."""
    state = composer_state()
    state.focus = (state.focus[0] + 1, place)
