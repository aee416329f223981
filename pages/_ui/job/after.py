"""What can come after a clip: another one that goes on with it, and sound."""

from __future__ import annotations

import streamlit as st

from kling.studio.films.chains import SOUND
from kling.studio.identity.roles import Action
from kling.studio.jobs import Job
from pages._ui.context import studio
from pages._ui.curation import sound_dialog
from pages._ui.current_user import acting
from pages._ui.escape import escape_markdown
from pages._ui.sound.dialog import ADD_SOUND, why_not
from pages._ui.words import CONTINUE

OTHER_SOUND = "Other sound"  # for a clip that has some
FRAME = {"frame": "last"}  # of the address of Compose: begin with the last frame of the clip it names


def after(job: Job) -> None:
    """Draw the buttons; none without a clip, or for who may not order."""
    if not job.has_clip or job.erased or not acting().may(Action.ORDER):
        return
    with st.container(key="job_after", horizontal=True, vertical_alignment="center"):
        st.page_link(
            "compose.py",
            label=CONTINUE,
            icon=":material/arrow_forward:",
            query_params={"from": job.id, **FRAME},
            help="Opens the form with the last frame of this clip as the first frame of the next one.",
        )
        silent = silent_of(job)
        why = why_not(silent)
        st.button(
            OTHER_SOUND if has_sound(job) else ADD_SOUND,
            icon=":material/music_note:",
            key="job.sound",
            on_click=sound_dialog,
            args=([silent.id],),
            disabled=bool(why),
            help=escape_markdown(why) or None,
        )
        if why:
            st.caption(escape_markdown(f"No sound: {why}"))


def has_sound(job: Job) -> bool:
    """Whether a clip has sound, or was made to have some."""
    return job["endpoint"] == SOUND or job.probe.get("audio") is True


def silent_of(job: Job) -> Job:
    """Return the clip that gets sound: the silent one, where this is what it became with sound."""
    silent = studio().ledger.get(job.parent) if job["endpoint"] == SOUND and job.parent else None
    return silent or job
