"""All of one job: what was asked for, what came of it, and the ids that Kling's support asks for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import streamlit as st

from kling.studio.clip_verification import charged
from kling.studio.jobs import FAILED, Job
from kling.studio.remedies import Action, remedy
from pages._ui.charges import charge_words
from pages._ui.context import studio
from pages._ui.current_user import sees_prices
from pages._ui.escape import escape_html, escape_markdown
from pages._ui.format import WITHOUT_ORDER, counted, is_sandbox, price, prompt_of, state, zone
from pages._ui.job_actions import job_actions
from pages._ui.job_status import status
from pages._ui.player import downloads, player, remix
from pages._ui.requests import facts_of, is_found, shown_request, texts_of
from pages._ui.words import field

CHILDREN = 6  # shown of the jobs that were made from this one


def details(job: Job) -> None:
    """Draw everything about a job."""
    here = studio()
    with st.container(border=True, key="details"):
        words: Any = st.container()
        if job.has_clip:
            picture, words = st.columns([3, 2])
            with picture:
                player(job, preload="metadata")
                with st.container(horizontal=True):
                    downloads(job)
        with words:
            status(here, job)
            job_actions(here, job, page="history")
            if not _is_edited(job):
                remix(job)
            _family(job)
        if is_found(job):
            st.caption(
                f"{WITHOUT_ORDER}: this log does not have the prompt and the choices that it was made from."
            )
        _texts(texts_of(shown_request(job)))
        right: Any = st.container()
        if not is_found(job):
            left, right = st.columns(2)
            with left:
                _facts("Request", dict(_request(job)))
        with right:
            _facts("Task", dict(_task(job)))


def _is_edited(job: Job) -> bool:
    """Whether the remedy leads to the form already, so that no second link does."""
    if job.state != FAILED or is_found(job):
        return False
    found = remedy(job, nothing_spent=studio().nothing_spent(job))
    return found is not None and found.kind in {Action.EDIT_PROMPT, Action.CHANGE_ORDER}


def _family(job: Job) -> None:
    """Draw links to the job that this one was made from, to those made from it, and to its batch."""
    if job.parent and studio().ledger.get(job.parent) is None:
        st.caption("Made from a task that this log does not have.")
    elif job.parent:
        _link("Made from an earlier task", "account_tree", task=job.parent)
    if job.group:
        _link("All of this batch", "stacks", batch=job.group)
    children = studio().ledger.index.made_from(job.id)
    if children:
        st.caption(f"{counted(len(children), 'task was', 'tasks were')} made from this one:")
    for child in children[:CHILDREN]:
        words = " ".join(prompt_of(child).split())[:60]
        _link(escape_markdown(words or child.id), "subdirectory_arrow_right", task=child.id)


def _link(label: str, icon: str, **params: str) -> None:
    st.page_link("history.py", label=label, icon=f":material/{icon}:", query_params=params)


def _texts(texts: dict[str, str]) -> None:
    for name, text in texts.items():
        if text:
            st.caption(escape_markdown(name))
            st.code(text, language=None, wrap_lines=True)


def _facts(title: str, facts: dict[str, str]) -> None:
    st.caption(f"**{title}**")
    rows = (
        f'<dt>{escape_html(name)}</dt><dd dir="auto">{escape_html(fact)}</dd>'
        for name, fact in facts.items()
        if fact
    )
    st.html(f'<dl class="studio-facts">{"".join(rows)}</dl>')


def _request(job: Job) -> Iterator[tuple[str, str]]:
    yield from facts_of(shown_request(job))
    yield field("take"), str(job.take) if job.take > 1 else ""


def _task(job: Job) -> Iterator[tuple[str, str]]:
    yield field("person"), job["person"]
    yield field("account"), job["account"]
    yield field("external_task_id"), job.id
    for column in ("task_id", "video_id", "request_id", "code"):
        yield field(column), "" if job[column] == "0" else job[column]
    yield field("message"), "" if job.message == "Accepted." else job.message
    yield field("task_status_msg"), job["task_status_msg"]
    units, charge = job.decimal("units"), charged(job)
    if not sees_prices():
        pass
    elif is_sandbox(job):
        yield "Price at Kling", "" if units is None else price(units, job)
    else:
        yield "Price by the table", "unknown" if units is None else price(units, job)
        yield "Price charged", charge_words(job, charge) if charge and charge.is_known else ""
    for name, when in job.since.items():
        yield state(Job({"state": name}))[0], when.astimezone(zone()).strftime("%d %b %Y, %H:%M:%S")
    yield "File", f"{job['file']}, {int(job['file_bytes']):,} bytes" if job["file_bytes"].isdecimal() else ""
