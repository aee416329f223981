"""All of one job: what was asked for, what came of it, and the ids that Kling's support asks for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import streamlit as st

from kling.studio.clip_verification import charged
from kling.studio.jobs import Job
from pages._ui.charges import charge_words
from pages._ui.context import studio
from pages._ui.current_user import sees_prices
from pages._ui.escape import escape_html, escape_markdown
from pages._ui.format import WITHOUT_ORDER, counted, is_sandbox, price, prompt_of, state, zone
from pages._ui.job_actions import job_actions
from pages._ui.job_status import status
from pages._ui.player import downloads, player, remix
from pages._ui.requests import facts_of, is_found, shown_request, texts_of
from pages._ui.style.sheet import style_sheet

CHILDREN = 6  # shown of the jobs that were made from this one
# A prompt is prose, not code, and each of its lines has the direction of its own script.
STYLE = """<style>
  .st-key-details code { font-family: inherit; unicode-bidi: plaintext; }
  .st-key-details pre { font-family: inherit; }
</style>"""


def details(job: Job) -> None:
    """Draw everything about a job."""
    here = studio()
    style_sheet(STYLE)
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
        f'<dt style="opacity:.75">{escape_html(name)}</dt>'
        f'<dd dir="auto" style="margin:0">{escape_html(fact)}</dd>'
        for name, fact in facts.items()
        if fact
    )
    st.html(
        '<dl style="display:grid;grid-template-columns:max-content minmax(0,1fr);gap:.25rem 1rem;margin:0;'
        f'font-size:.9rem;overflow-wrap:anywhere;white-space:pre-wrap">{"".join(rows)}</dl>'
    )


def _request(job: Job) -> Iterator[tuple[str, str]]:
    yield from facts_of(shown_request(job))
    yield "take", str(job.take) if job.take > 1 else ""


def _task(job: Job) -> Iterator[tuple[str, str]]:
    yield "Person", job["person"]
    yield "Account", job["account"]
    yield "external_task_id", job.id
    for column in ("task_id", "video_id", "request_id", "code"):
        yield column, "" if job[column] == "0" else job[column]
    yield "message", "" if job.message == "Accepted." else job.message
    yield "task_status_msg", job["task_status_msg"]
    units, charge = job.decimal("units"), charged(job)
    if not sees_prices():
        pass
    elif is_sandbox(job):
        yield "Price at Kling", "" if units is None else price(units, job)
    else:
        yield "Price by the table", "unknown" if units is None else price(units, job)
        yield "Price charged", charge_words(job, charge) if charge and charge.is_known else ""
    for name, when in job.since.items():
        word = state(Job({"state": name}))[0]
        yield word.capitalize(), when.astimezone(zone()).strftime("%d %b %Y, %H:%M:%S")
    yield "File", f"{job['file']}, {int(job['file_bytes']):,} bytes" if job["file_bytes"].isdecimal() else ""
