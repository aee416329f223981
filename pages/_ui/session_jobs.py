"""What this session ordered, beside the form: where each task stands, and what can be done about it."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from kling.studio.jobs import FOLLOWED, INTENT, SUCCEED, Job
from pages._ui.batch_header import progress
from pages._ui.context import studio
from pages._ui.decisions import decisions
from pages._ui.format import counted
from pages._ui.job_status import status
from pages._ui.player import downloads, player, prompt_text, remix
from pages._ui.stable_cards import cards

SHOWN = 6  # tasks beside the form
BEING_MADE = {INTENT, *FOLLOWED}


def now_running(made: Sequence[str]) -> None:
    """Draw the tasks of these ids, the last ordered first; a batch is one card."""
    here = studio()
    jobs = [job for job in map(here.ledger.get, made) if job is not None]
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
            _task(groups[key][0], play=key == newest[0])

    cards("task", newest, draw)
    if len(groups) > SHOWN:
        st.page_link("history.py", label=f"{len(groups) - SHOWN} more in History", icon=":material/history:")


def _task(job: Job, *, play: bool) -> None:
    here = studio()
    status(here, job)
    if job.state == SUCCEED and job["file"]:
        # Said once for a task: a player whose words change is drawn anew, and stops.
        play = st.session_state.setdefault("plays", {}).setdefault(job.id, play)
        player(job, preload="auto" if play else "none", autoplay=play)
    elif job.state in BEING_MADE and here.accounts.owns(job):
        st.skeleton(height=180)
    prompt_text(job)
    decisions(here, job, place="compose")
    with st.container(horizontal=True, vertical_alignment="center"):
        if job.state == SUCCEED and job["file"]:
            downloads(here, job, place="compose")
        remix(job)


def _batch(jobs: Sequence[Job]) -> None:
    """Draw how far a batch is, and the clip of it that was done first: it plays on when others come."""
    batch = jobs[0].group
    with st.container():  # of one place, whatever is in it: a player that moves is drawn anew, and stops
        progress(jobs, place="compose")
    done = [job for job in jobs if job.state == SUCCEED and job["file"]]
    if done:
        finished = min(done, key=lambda each: each.since.get(SUCCEED, each.ordered_at))
        player(finished, preload="none")
        prompt_text(finished, lines=2)
    with st.container(horizontal=True):
        st.page_link(
            "history.py", label="See them all", icon=":material/history:", query_params={"batch": batch}
        )
