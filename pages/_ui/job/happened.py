"""What happened to a job, with times: from the order to the file, and what was decided about it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

import streamlit as st

from kling.studio.jobs import (
    FAILED,
    FOLLOWED,
    NOT_SENT,
    PROCESSING,
    SUBMITTED,
    SUCCEED,
    UNKNOWN,
    WITHDRAWN,
    Job,
)
from kling.studio.jobs.job import NO_TIME
from kling.studio.spending import counted_at
from pages._ui.context import studio
from pages._ui.escape import escape_html
from pages._ui.format import is_sandbox, size, span, state
from pages._ui.job.moments import clock, day_and_time
from pages._ui.job.records import who_recorded
from pages._ui.job_status import failure
from pages._ui.requests import is_found

DAY = 24 * 3600
SOON = 60  # seconds up to which a delay is written as `2 s later`


@dataclass(frozen=True, slots=True)
class Event:
    """One line.

    Args:
        words: what happened.
        when: in words; empty where nobody knows.
        exact: the whole date and time, for who points at it.
        look: `ok`, `bad`, `warn` or `next`.
    """

    words: str
    when: str = ""
    exact: str = ""
    look: str = "ok"


def happened(job: Job) -> None:
    """Draw the lines."""
    lines = "".join(
        f'<li data-look="{event.look}"><span>{escape_html(event.words)}</span>'
        f'<time title="{escape_html(event.exact)}">{escape_html(event.when)}</time></li>'
        for event in events(job)
    )
    st.html(f'<h2 class="job-heading">What happened</h2><ol class="job-events">{lines}</ol>')


def events(job: Job) -> Iterator[Event]:
    """Yield what happened, in the order of time; last, what is still to come."""
    start = counted_at(job)
    if is_found(job):
        if start != (found := job.ordered_at):
            yield _at(f"Made by {_where(job)}", start)
        yield _at("Found" + ("" if found == NO_TIME else " here"), found)
    else:
        yield _at("Ordered", start)
    if job.imported:
        yield Event("Taken in from another log")
    yield from _at_kling(job, start)
    yield from _file(job)
    yield from _decided(job)


def _at_kling(job: Job, start: datetime) -> Iterator[Event]:
    if is_found(job):
        return
    since = job.since
    where = _where(job)
    accepted = min((since[each] for each in (*FOLLOWED, SUCCEED) if each in since), default=None)
    if (unknown := since.get(UNKNOWN)) is not None:
        yield _after(f"No answer from {where}", start, unknown, look="warn")
    if (left := since.get(NOT_SENT)) is not None:
        yield _after("Not sent", start, left, look="warn")
    if accepted is not None:
        yield _after(f"Taken by {where}", start, accepted)
        began = since.get(PROCESSING)
        if began is not None and SUBMITTED in since:
            yield _after("Started", accepted, began, word="after")
    if job.state == SUCCEED and SUCCEED in since:
        yield _after("Ready", accepted or start, since[SUCCEED], word="after")
    elif job.state == FAILED and FAILED in since:
        yield _after(failure(job), accepted or start, since[FAILED], word="after", look="bad")
    elif job.state == WITHDRAWN and WITHDRAWN in since and not job.imported:
        yield _at(state(job)[0], since[WITHDRAWN], look="warn")
    elif job.ended_at is None and job.state != NOT_SENT:
        yield Event(state(job)[0], look="next")


def _where(job: Job) -> str:
    return "the sandbox" if is_sandbox(job) else "Kling"


def _file(job: Job) -> Iterator[Event]:
    length = job.decimal("file_bytes")
    if not (job["file"] or job.deleted) or length is None:
        return
    words, saved = f"Saved here, {size(int(length))}", None
    if job.has_clip:
        with suppress(OSError, ValueError):
            saved = datetime.fromtimestamp(studio().archive.video(job.id).stat().st_mtime, UTC)
    yield _at(words, saved) if saved is not None else Event(words)


def _decided(job: Job) -> Iterator[Event]:
    if job.deleted:
        when = job.moment("deleted")
        who, _ = who_recorded(job, "deleted")
        words = f"File deleted{f' by {who}' if who else ''}"
        yield _at(words, when, look="bad") if when else Event(words, look="bad")
    if job.hidden:
        who, when = who_recorded(job, "hidden")
        words = f"Hidden{f' by {who}' if who else ''}"
        yield _at(words, when, look="warn") if when else Event(words, look="warn")


def _at(words: str, when: datetime, *, look: str = "ok") -> Event:
    if when == NO_TIME:
        return Event(words, look=look)
    is_today = (datetime.now(UTC) - when).total_seconds() < DAY
    return Event(words, clock(when) if is_today else day_and_time(when), day_and_time(when), look)


def _after(words: str, start: datetime, when: datetime, *, word: str = "", look: str = "ok") -> Event:
    if NO_TIME in {start, when}:
        return Event(words, look=look)
    seconds = (when - start).total_seconds()
    if seconds < 0 or seconds > DAY:
        return Event(words, day_and_time(when), day_and_time(when), look)
    if word:
        return Event(words, f"{word} {span(seconds)}", day_and_time(when), look)
    later = f"{seconds:.0f} s later" if seconds < SOON else f"{span(seconds)} later"
    return Event(words, later, day_and_time(when), look)
