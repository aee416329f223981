"""The largest thing on the page: the clip; where there is none, its place and what is to be said there."""

from __future__ import annotations

import time

import streamlit as st

from kling.studio.jobs import FAILED, Job
from pages._ui.context import studio
from pages._ui.escape import escape_html, escape_markdown
from pages._ui.format import in_local_time, size, span
from pages._ui.job.moments import day_and_time
from pages._ui.job.records import who_recorded
from pages._ui.job_status import announcement, badges, link_to_kling
from pages._ui.live.marks import began, job_mark
from pages._ui.player import player
from pages._ui.stage.explanation import explanation
from pages._ui.stage.facts import look_of, of_job, shape_of

PAGE = "job"  # prefix of the session keys


def picture(job: Job, among: str = "") -> None:
    """Draw it; the lightbox leads through the list `among`."""
    st.html(job_mark(job, announcement(job)))
    if job.has_clip:
        player(job, preload="metadata", among=among)
        _trouble(job)
        return
    with st.container(key="job_picture"):
        if job.deleted:
            _ground(job)
            _card("Its file was deleted", "delete", _tombstone(job))
        elif job.imported and job.state != FAILED:
            _ground(job)
            was = str(job.import_facts.get("was", ""))
            words = "It was taken in from another log, as history: no call is made for it."
            if was:
                words += " It had not ended there."
            _card("No clip of it is here", "inventory_2", words)
        else:
            _ground(job)
            explanation(job, page=PAGE)


def _ground(job: Job) -> None:
    """Draw the place of the clip in its own shape; while it is made, with the time that it takes so far."""
    look, word = look_of(job, studio().admission.position_of(job))
    wide, high = shape_of(job)
    words = ""
    if look == "made" and not job.imported:
        told, start = of_job(job), began(job)
        waited = span(time.time() - start / 1000)
        usual = ", ".join(filter(None, [told.get("say", word), told.get("usual", "")]))
        words = f'<b><span data-since="{start}">{waited}</span></b><span>{escape_html(usual)}</span>'
        if told.get("high"):
            share = min(100.0, 100 * (time.time() - start / 1000) / float(told["high"]))
            words += f'<span class="job-bar"><i style="width:{share:.0f}%"></i></span>'
    elif look == "waiting":
        place = studio().admission.position_of(job)
        ahead = place.position - 1 if place is not None else 0
        words = f"<b>{'Next in line' if ahead < 1 else f'{ahead:,} ahead'}</b>"
    st.html(f'<div class="job-ground" data-look="{look}" style="--shape:{wide / high:.4f}">{words}</div>')


def _tombstone(job: Job) -> str:
    who, when = who_recorded(job, "deleted")
    when = job.moment("deleted") or when
    length = job.decimal("file_bytes")
    how_large = f" · {size(int(length))}" if length is not None else ""
    by = f" by {who}" if who else ""
    at = f" · {day_and_time(when)}" if when else ""
    return (
        f"Deleted{by}{at}{how_large}. It is never fetched again, from Kling or from a copy of the log. What "
        "was ordered and what it cost stay."
    )


def _card(headline: str, icon: str, words: str) -> None:
    with st.container(key="stage_card"):
        st.html(
            f'<div class="stage-headline"><span class="stage-icon" aria-hidden="true">{icon}</span>'
            f"<h2>{escape_html(headline)}</h2></div>"
            f'<p class="stage-why">{escape_html(words)}</p>'
        )


def _trouble(job: Job) -> None:
    """Say what is wrong with the file, and what is tried."""
    fetching = studio().downloads.trouble(job.id)  # of a better copy of a broken file
    if not fetching and job.extra.get("check") not in {"broken", "unchecked"}:
        return
    with st.container(horizontal=True, key="job_trouble"):
        badges(job, differences=False)
        if fetching:
            st.caption(escape_markdown(in_local_time(fetching)))
            link_to_kling(studio(), job)
