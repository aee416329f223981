"""A frame of a clip that is here already, as the picture that a video begins or ends with."""

from __future__ import annotations

from itertools import islice

import streamlit as st

from kling.studio.identity.roles import NotAllowed
from kling.studio.jobs import Job
from kling.studio.pictures.store import PictureRefused
from pages._ui.composer.dialog_choice import dialog_choice
from pages._ui.composer.draft_state import read_draft, replace_draft
from pages._ui.composer.list_row import clip_picture, list_of_rows, list_row, name_of_buttons
from pages._ui.composer.pictures import refused
from pages._ui.context import studio
from pages._ui.current_user import acting
from pages._ui.format import prompt_of
from pages._ui.session_state import PictureNews, composer_state

SHOWN = 24  # clips


@st.dialog("From a clip", width="large", icon=":material/movie:")
def frames(slot: str) -> None:
    """Draw the latest clips, each with its first and its last frame to take.

    Args:
        slot: the field of the draft that gets the frame.
    """
    query = st.text_input(
        "Search",
        type="search",
        live="250ms",
        placeholder="Search the prompts of clips",
        key="composer.frames_query",
        label_visibility="collapsed",
        icon=":material/search:",
    )
    words = (query or "").casefold().split()
    found = (
        job
        for job in reversed(studio().ledger.jobs())
        if job.has_clip and not job.hidden and all(word in prompt_of(job).casefold() for word in words)
    )
    shown = list(islice(found, SHOWN))
    if not shown:
        st.caption("No clip has all of these words." if words else "There is no clip yet.")
    with list_of_rows("frames"):
        for job in shown:
            _row(job, slot)


def _row(job: Job, slot: str) -> None:
    text = prompt_of(job)
    with st.container(horizontal=True, key=f"frame-{job.id}"):
        list_row(text, picture=clip_picture(job.id))
        for which, label in (("last", "Last frame"), ("first", "First frame")):
            key = f"composer.frame_{which}-{job.id}"
            dialog_choice(label, _take, job.id, which, slot, help=name_of_buttons(text), key=key)


def _take(job_id: str, which: str, slot: str) -> None:
    state = composer_state()
    try:
        picture = acting().keep_frame(job_id, "first" if which == "first" else "last")
    except (PictureRefused, NotAllowed) as error:
        state.picture_news = PictureNews(refused(slot, str(error), read_draft()))
        return
    state.picture_news = None
    values = {slot: picture.sha256} | ({"continues": False} if slot == "first_frame" else {})
    replace_draft(**values)  # these fields have no widgets, so they can be written at any time
