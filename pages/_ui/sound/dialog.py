"""The dialog that orders sound for a clip: which sounds, which music, and what it costs."""

from __future__ import annotations

import time
from collections.abc import Sequence

import streamlit as st

from kling import catalog
from kling.studio.jobs import Job
from kling.studio.sound import sound_for, why_no_sound
from pages._ui.context import studio
from pages._ui.curation.asking import begin, jobs_of
from pages._ui.curation.decisions import close
from pages._ui.escape import escape_markdown, with_link
from pages._ui.format import cost_now, prompt_of
from pages._ui.job.address import job_link
from pages._ui.place_order import REFUSALS, place_order, refusal_of
from pages._ui.session_state import app_state

ADD_SOUND = "Add sound"
OPEN = "Open its page"
ORDERED = "The sound is ordered."


def why_not(job: Job) -> str:
    """Return why a clip can get no sound, as a sentence; empty if it can."""
    if not studio().accounts.owns(job):
        return "This clip belongs to another account than the one in use."
    return why_no_sound(job, time.time())


def price() -> str:
    """Return what one clip's sound costs, as buttons say it."""
    return cost_now(catalog().audio_units)


@st.dialog(ADD_SOUND, icon=":material/music_note:", on_dismiss=close)
def sound(job_ids: Sequence[str], number: int) -> None:
    begin()
    jobs = jobs_of(job_ids)
    why = why_not(jobs[0]) if jobs else "The clip is not here."
    if why:
        st.markdown(escape_markdown(why))
        st.button("Close", key=f"app.asked-no-{number}", on_click=close)
        return
    job, key = jobs[0], f"app.sound-{number}"
    st.caption(escape_markdown(" ".join(prompt_of(job).split())[:200]))
    with st.form(f"{key}-form", border=False):
        # Without `max_chars`: the browser would drop what is too long without a word; the refusal says it.
        st.text_area(
            "Sounds",
            height=88,
            placeholder="Paws in deep snow, wind in the trees",
            help="What is heard in the scene. Left empty, Kling chooses.",
            key=f"{key}-effects",
        )
        st.text_area(
            "Music",
            height=88,
            placeholder="A slow piano",
            help="Left empty, Kling chooses.",
            key=f"{key}-music",
        )
        st.checkbox("More detail in quiet sounds (ASMR)", key=f"{key}-asmr")
        st.caption("It becomes a clip of its own. This one stays as it is.")
        with st.container(horizontal=True):
            st.form_submit_button(
                f"{ADD_SOUND} · {price()}",
                type="primary",
                key=f"app.asked-yes-{number}",
                on_click=_order,
                args=(job.id, key),
            )
            st.form_submit_button("Cancel", key=f"app.asked-no-{number}", on_click=close)


def _order(job_id: str, key: str) -> None:
    """Order it, in the button's callback; the dialog stays open if it is refused."""
    state, job = app_state(), studio().ledger.get(job_id)
    why = why_not(job) if job is not None else "The clip is not here."
    if job is None or why:
        state.refused = why
        return
    effects, music = (str(st.session_state.get(f"{key}-{name}") or "") for name in ("effects", "music"))
    request = sound_for(
        job, effects=effects, music=music, asmr=bool(st.session_state.get(f"{key}-asmr", False))
    )
    try:
        ordered = place_order([request], parent=job.id)
    except REFUSALS as error:
        state.refused = refusal_of(error)
        return
    close()
    state.said = with_link(ORDERED, OPEN, job_link(ordered[0].id))
