"""What this session ordered, beside the form: the state of each job, and what can be done about it."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from kling.studio.jobs import FOLLOWED, INTENT, SUCCEED, Job
from pages._ui.batch_header import progress
from pages._ui.context import studio
from pages._ui.format import counted
from pages._ui.job_actions import job_actions
from pages._ui.job_status import status
from pages._ui.player import downloads, player, prompt_text, remix
from pages._ui.session_state import composer_state
from pages._ui.stable_cards import cards

SHOWN = 6  # cards beside the form
BEING_MADE = {INTENT, *FOLLOWED}


def session_jobs(job_ids: Sequence[str]) -> None:
    """Draw these jobs, the last ordered first; a batch is one card."""
    here = studio()
    jobs = [job for job in map(here.ledger.get, job_ids) if job is not None]
    st.header("This session")
    if not jobs:
        st.caption("What you order appears here and plays as soon as it is done.")
        if running := here.running:
            words = f"{counted(running, 'task runs', 'tasks run')} already: see History"
            st.page_link("history.py", label=words, icon=":material/history:")
    groups: dict[str, list[Job]] = {}
    for job in jobs:
        groups.setdefault(job.group or job.id, []).append(job)
    newest = list(groups)[:SHOWN]

    def draw(key: str) -> None:
        if groups[key][0].group:
            _batch(groups[key])
        else:
            _job(groups[key][0], play=key == newest[0])

    cards("task", newest, draw)
    if len(groups) > SHOWN:
        st.page_link("history.py", label=f"{len(groups) - SHOWN} more in History", icon=":material/history:")


def _job(job: Job, *, play: bool) -> None:
    here = studio()
    status(here, job)
    if job.has_clip:
        # Decided once for each job: a player whose HTML changes is drawn anew, and stops.
        play = composer_state().autoplay.setdefault(job.id, play)
        player(job, preload="auto" if play else "none", autoplay=play)
    elif job.state in BEING_MADE and here.accounts.owns(job):
        st.skeleton(height=180)
    prompt_text(job)
    job_actions(here, job, page="composer")
    with st.container(horizontal=True, vertical_alignment="center"):
        if job.has_clip:
            downloads(job)
        remix(job)


def _batch(jobs: Sequence[Job]) -> None:
    """Draw how far a batch is, and the clip that was done first: it goes on playing when others are done."""
    batch = jobs[0].group
    with st.container():  # one element, however many are in it: a player whose position changes stops
        progress(jobs, page="composer")
    done = [job for job in jobs if job.has_clip]
    if done:
        finished = min(done, key=lambda each: each.since.get(SUCCEED, each.ordered_at))
        player(finished, preload="none")
        prompt_text(finished, lines=2)
    with st.container(horizontal=True):
        st.page_link(
            "history.py", label="See them all", icon=":material/history:", query_params={"batch": batch}
        )
