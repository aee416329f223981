"""Words about the state of a job: whether it is what was ordered, what happens next, and who has to act."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import streamlit as st

from kling.errors import Actor
from kling.studio.archive import MOST_AGAIN, again, cleared_at, retention_status
from kling.studio.clip_verification import mismatches
from kling.studio.job_explanation import Explanation
from kling.studio.jobs import (
    FOLLOWED,
    INTENT,
    SUCCEED,
    WAITING,
    WITHDRAWN,
    Job,
)
from kling.studio.remedies import RemedyKind, remedy
from kling.studio.service import Studio
from pages._ui.escape import escape_html, escape_markdown
from pages._ui.format import counted, is_sandbox, prompt_of, since, state

DELIVERED = {
    "duration": "length",
    "aspect_ratio": "shape",
    "mode": "size",
    "fps": "frame rate",
    "sound": "sound",
}
ACTORS = {
    Actor.NOBODY: "goes on by itself",
    Actor.PERSON: "for you to decide",
    Actor.OPERATOR: "for whoever runs the studio",
    Actor.KLING: "for Kling",
}
EXPLAIN_AFTER = timedelta(minutes=1)  # in a state that goes on by itself


def announcement(job: Job) -> str:
    """Return what screen readers say when a job has come into its state."""
    what = prompt_of(job)[:80]
    return f"Clip done: {what}" if job.state == SUCCEED else f"Job {state(job)[0]}: {what}"


def failure(job: Job) -> str:
    """Return how a job has failed in one word, as the headline of its card has it."""
    what = remedy(job, nothing_spent=False)
    kind = what.kind if what is not None else None
    is_refused = kind is RemedyKind.EDIT_PROMPT or (not job.accepted and kind not in {None, RemedyKind.RETRY})
    return "Refused" if is_refused else state(job)[0]


def badges(job: Job, *, differences: bool = True) -> None:
    """Say where the clip is not what was ordered, and what could not be checked.

    Args:
        job: of any state.
        differences: whether the first is said; a job's page has a table of it.
    """
    for words in mismatch_words(job) if differences else ():
        st.badge(escape_markdown(words), icon=":material/error:", color="orange")
    reason = escape_markdown(str(job.extra.get("check_reason", ""))[:500]) or None
    words, is_broken = check_words(job)
    if is_broken:
        st.badge(words, icon=":material/broken_image:", color="red", help=reason)
    elif words:
        st.badge(words, icon=":material/help:", color="gray", help=reason)


def mismatch_words(job: Job) -> list[str]:
    """Return where the clip is not what was ordered, each in words."""
    return [
        f"{DELIVERED.get(each.field, each.field)}: ordered {each.ordered}, came {each.came}"
        for each in mismatches(job)
    ]


def check_words(job: Job) -> tuple[str, bool]:
    """Return what is wrong with the file of a clip, empty if nothing is; and whether it is broken."""
    if job.has_clip and job.extra.get("check") == "unchecked":
        return "could not be checked on this machine", False
    if job.has_clip and job.extra.get("check") == "broken":
        is_fetched_again = again(job) < MOST_AGAIN and cleared_at(job) > datetime.now(UTC)
        return ("broken; fetched again while Kling has it" if is_fetched_again else "broken"), True
    return "", False


def is_as_usual(studio: Studio, job: Job, explanation: Explanation) -> bool:
    """Whether a job is sent, made or fetched as most are, and not for long: there is nothing to explain."""
    has_lasted = explanation.since is not None and datetime.now(UTC) - explanation.since >= EXPLAIN_AFTER
    is_usual = {INTENT, *FOLLOWED} if studio.downloads.trouble(job.id) else {INTENT, *FOLLOWED, SUCCEED}
    return explanation.actor is Actor.NOBODY and not has_lasted and job.state in is_usual


def explained(studio: Studio, job: Job, explanation: Explanation, spent: str) -> str:
    """Return the sentences of an explanation, none of them twice.

    Args:
        studio: that the job belongs to.
        job: that is explained.
        explanation: of it.
        spent: a sentence about money, if one is proved.
    """
    why, then = explanation.why, explanation.next
    if then in why or (job.state == SUCCEED and studio.downloads.trouble(job.id)):  # `why` says it already
        then = ""
    not_yet = "Not sent yet." if job.state == WAITING else ""
    return " ".join(filter(None, [not_yet, why, spent, then]))


def since_and_who(job: Job, explanation: Explanation) -> str:
    """Return since when a job is in its state, and who has to act."""
    facts = [
        not_saved(job, datetime.now(UTC)) if job.state == SUCCEED else "",
        f"Since {since(explanation.since)}" if explanation.since else "",
        ACTORS.get(explanation.actor, ""),
    ]
    return " · ".join(filter(None, facts))


def not_saved(job: Job, now: datetime) -> str:
    """Return a few words about a video that is not saved yet or lost; empty if it is neither."""
    kind, days = retention_status(job, now)
    return {"at risk": f"Not saved yet, {counted(days, 'day', 'days')} left", "gone": "Lost"}.get(kind, "")


def link_to_kling(studio: Studio, job: Job) -> None:
    """Draw a link to the video where it was made, for as long as there is no whole copy here."""
    address = studio.downloads.link(job.id)
    if _is_web_address(address):
        way = f'href="{escape_html(address)}" target="_blank" rel="noopener noreferrer"'
        words = f"Open the video {'in the sandbox' if is_sandbox(job) else 'at Kling'}"
        st.html(f'<a {way} style="color:light-dark(#4a2fd6,#b7abff)">{words}</a>')


def _is_web_address(address: str) -> bool:
    with suppress(ValueError):
        parts = urlsplit(address)
        is_plain = address.isascii() and address.isprintable() and not set(address) & set(' "<>\\`')
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and is_plain
    return False


def support_words(job: Job) -> str:
    """Return Kling's code and the id of its answer, for support; empty if there is no code."""
    if job["code"] in {"", "0"} or job.state == WITHDRAWN:
        return ""
    facts = [
        f"{name} {job[cell]}" for name, cell in (("code", "code"), ("request", "request_id")) if job[cell]
    ]
    return f" ({', '.join(facts)})"
