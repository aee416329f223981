"""Compose: write a prompt, see its price, order it, and watch it become a video on the same page."""

from __future__ import annotations

import secrets
from typing import Any

import streamlit as st

from kling import InvalidRequest
from kling.studio.csvlog import LogError
from kling.studio.ledger import FOLLOWED, INTENT, SUCCEED, Job
from pages._ui import form
from pages._ui.clips import decisions, downloads, player, prompt_text, status
from pages._ui.live import follow
from pages._ui.running import studio
from pages._ui.words import plain, price

SHOWN = 6  # tasks of this session beside the form
BEING_MADE = {INTENT, *FOLLOWED}


def compose() -> None:
    st.session_state.setdefault("session", secrets.token_hex(8))
    # Mutable, so that the click's callback needs nothing of the session after it has ordered.
    made: list[str] = st.session_state.setdefault("made", [])
    outcome: dict[str, Any] = st.session_state.setdefault("outcome", {})
    st.title("Compose")
    left, right = st.columns([3, 2], gap="large")
    with left:
        form.draw(outcome.get("problems", ()))
        request = form.request()
        free = " · free in the sandbox" if studio().connection.is_sandbox else ""
        st.button(
            f"Generate · {price(request.units())}{free}",
            type="primary",
            width="stretch",
            on_click=generate,
            key="generate",
        )
        if refusal := outcome.get("refusal"):
            st.error(plain(refusal), icon=":material/warning:")
        elif outcome.get("problems"):
            inside = any(problem.field.split("[")[0] in form.ADVANCED for problem in outcome["problems"])
            where = "above, also under Advanced" if inside else "above"
            st.error(f"Nothing was sent: mend what is marked {where}.", icon=":material/warning:")
    with right:
        follow(lambda: tasks(made), "tasks")


def generate() -> None:
    """Order the draft. The session is read first: Streamlit may stop a run at each look at it."""
    request = form.request()
    made, outcome = st.session_state.made, st.session_state.outcome
    person, session = st.session_state.get("person_field", ""), st.session_state.session
    outcome.clear()
    try:
        job = studio().order(request, person=person, session=session)
    except InvalidRequest as error:
        outcome["problems"] = error.problems
    except LogError as error:
        outcome["refusal"] = (
            f"Nothing was sent and nothing was spent, because the log cannot be written. {error}"
        )
    else:
        if job.id not in made:
            made.insert(0, job.id)


def tasks(made: list[str]) -> None:
    here = studio()
    jobs = [job for job in map(here.job, made) if job is not None]
    st.subheader("This session")
    if not jobs:
        st.caption("What you order appears here and plays as soon as it is done.")
        if running := here.running:
            tasks_run = "1 task runs" if running == 1 else f"{running:,} tasks run"
            st.page_link("history.py", label=f"{tasks_run} already: see History", icon=":material/history:")
    for place, job in enumerate(jobs[:SHOWN]):
        with st.container(border=True, key=f"task-{job.id}"):
            task(job, play=place == 0)
    if len(jobs) > SHOWN:
        st.page_link("history.py", label=f"{len(jobs) - SHOWN} more in History", icon=":material/history:")


def task(job: Job, *, play: bool) -> None:
    here = studio()
    status(here, job)
    if job.state == SUCCEED and job["file"]:
        player(job, preload="auto" if play else "none", autoplay=play)
        downloads(here, job, place="compose")
    elif job.state in BEING_MADE and here.owns(job):
        st.skeleton(height=180)
    prompt_text(job)
    decisions(here, job, place="compose")


compose()
