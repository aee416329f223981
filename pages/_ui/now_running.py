"""What this session ordered, beside the form: where each task stands, and what can be done about it."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from kling.studio.ledger import FOLLOWED, INTENT, SUCCEED, Job
from pages._ui.clips import decisions, downloads, player, prompt_text, remix, status
from pages._ui.running import studio
from pages._ui.words import counted

SHOWN = 6  # tasks beside the form
BEING_MADE = {INTENT, *FOLLOWED}


def now_running(made: Sequence[str]) -> None:
    """Draw the tasks of these ids, the last ordered first."""
    here = studio()
    jobs = [job for job in map(here.job, made) if job is not None]
    st.subheader("This session")
    if not jobs:
        st.caption("What you order appears here and plays as soon as it is done.")
        if running := here.running:
            words = f"{counted(running, 'task runs', 'tasks run')} already: see History"
            st.page_link("history.py", label=words, icon=":material/history:")
    for place, job in enumerate(jobs[:SHOWN]):
        with st.container(border=True, key=f"task-{job.id}"):
            _task(job, play=place == 0)
    if len(jobs) > SHOWN:
        st.page_link("history.py", label=f"{len(jobs) - SHOWN} more in History", icon=":material/history:")


def _task(job: Job, *, play: bool) -> None:
    here = studio()
    status(here, job)
    if job.state == SUCCEED and job["file"]:
        player(job, preload="auto" if play else "none", autoplay=play)
    elif job.state in BEING_MADE and here.owns(job):
        st.skeleton(height=180)
    prompt_text(job)
    decisions(here, job, place="compose")
    with st.container(horizontal=True):
        if job.state == SUCCEED and job["file"]:
            downloads(here, job, place="compose")
        remix(job)
