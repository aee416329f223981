"""Where a task stands: its state, time and price, whether it is what was ordered, and what can be done."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import streamlit as st

from kling import InvalidRequest
from kling.studio.advice import Fix, advice
from kling.studio.delivered import charged, mismatches
from kling.studio.jobs import (
    FAILED,
    FOLLOWED,
    INTENT,
    NOT_SENT,
    OPEN,
    PROCESSING,
    SUBMITTED,
    SUCCEED,
    WAITING,
    WITHDRAWN,
    Job,
    StateChanged,
)
from kling.studio.ledger import LedgerError
from kling.studio.studio import Studio
from pages._ui.clips import remix
from pages._ui.words import attribute, escaped, order_line, plain, price, span, state, took

DELIVERED = {
    "duration": "length",
    "aspect_ratio": "shape",
    "mode": "size",
    "fps": "frame rate",
    "sound": "sound",
}


def status(studio: Studio, job: Job) -> None:
    """Draw the state of a task, with the time that really passed."""
    word, icon, colour = state(job)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.badge(word, icon=f":material/{icon}:", color=colour)
        st.html(f'<div style="font-variant-numeric:tabular-nums">{_elapsed(job)}</div>', width="content")
    st.html(
        f'<i hidden data-task="{escaped(job.id)}" data-state="{escaped(job.state)}" '
        f'data-say="{attribute(_announcement(job, word))}"></i>'
    )
    st.caption(plain(order_line(job)))
    _times(studio, job)
    badges(job)
    _price(job)
    _words(studio, job)


def _elapsed(job: Job) -> str:
    if job.state not in OPEN:
        return took(job)
    since = int(job.ordered_at.timestamp() * 1000)
    waited = span(datetime.now(UTC).timestamp() - since / 1000)
    return f'<span data-since="{since}">{waited}</span>'


def _announcement(job: Job, word: str) -> str:
    what = job["prompt"][:80] or job["model_name"]
    return f"Video done: {what}" if job.state == SUCCEED else f"Task {word}: {what}"


def _times(studio: Studio, job: Job) -> None:
    """Say how long it waited here, was queued, and is processed; and what is usual, from our own history."""
    spent = studio.timeline(job)
    parts = [
        f"{name} {span(seconds)}"
        for name, seconds, running in (
            ("waited here", spent.waited, job.state in {WAITING, INTENT}),
            ("queued", spent.queued, job.state == SUBMITTED),
            (
                "processing" if job.state == PROCESSING else "processed",
                spent.processing,
                job.state == PROCESSING,
            ),
        )
        if seconds is not None and not running and seconds >= 1
    ]
    if job.state in FOLLOWED and (usual := studio.usual(job)) is not None:
        parts.append(f"usually {span(usual.low)} to {span(usual.high)}")
    if parts:
        st.caption(plain(" · ".join(parts)))


def badges(job: Job) -> None:
    """Say what came otherwise than it was ordered, and so paid for."""
    for each in mismatches(job):
        words = f"{DELIVERED.get(each.field, each.field)}: ordered {each.ordered}, came {each.came}"
        st.badge(plain(words), icon=":material/error:", color="orange")


def _price(job: Job) -> None:
    charge = charged(job)
    if charge is None or charge.charged is None:
        return
    words = f"Charged {price(charge.charged)}"
    if charge.differs:
        st.caption(plain(f"{words}; {price(charge.estimated)} were expected."))
    else:
        st.caption(plain(f"{words}, as expected."))


def _words(studio: Studio, job: Job) -> None:
    if not studio.owns(job) and job.state in OPEN:
        st.caption(
            plain(f"This task belongs to the account {job['account']} and is followed when that is in use.")
        )
    elif job.state == WAITING:
        place = studio.place(job)
        if place is not None:
            st.info(plain(place.words))
        else:
            _say(job, job["message"])
    elif job.state == SUCCEED and not job["file"]:
        st.caption(plain(studio.poller.fetch_trouble(job.id) or "Fetching the video …"))
    elif job.state != SUCCEED and (words := job["task_status_msg"] or job["message"]) != "Accepted.":
        _say(job, words)
        if job.state == FAILED and FOLLOWED & job.since.keys() and (what := advice(job)):
            st.caption(plain(what.text))  # a refusal's words name the remedy themselves


def _say(job: Job, words: str) -> None:
    facts = [
        f"{name} {job[cell]}" for name, cell in (("code", "code"), ("request", "request_id")) if job[cell]
    ]
    hides = job["code"] in {"", "0"} or job.state == WITHDRAWN
    support = "" if hides else f" ({', '.join(facts)})"
    if words:
        (st.error if job.state == FAILED else st.info)(plain(words + support))


def decisions(studio: Studio, job: Job, *, place: str) -> None:
    """Draw what a person may decide about a task that failed, or was not sent."""
    if job.state == FAILED:
        _mend(studio, job, place=place)
    if job.state not in {WAITING, NOT_SENT} or not studio.owns(job):
        return
    in_line = studio.place(job)
    with st.container(horizontal=True):
        if job.state == NOT_SENT or (in_line is not None and in_line.needs_person):
            st.button(
                "Send now", key=f"send-{place}-{job.id}", on_click=decide, args=(studio.send_again, job.id)
            )
        st.button(
            "Withdraw", key=f"withdraw-{place}-{job.id}", on_click=decide, args=(studio.withdraw, job.id)
        )


def _mend(studio: Studio, job: Job, *, place: str) -> None:
    what = advice(job)
    if what is not None and what.kind in {Fix.EDIT_PROMPT, Fix.CHANGE_ORDER}:
        remix(job, words="Mend it in Compose")
    elif what is not None and what.kind in {Fix.RETRY, Fix.CHECK_KEY, Fix.ASK_OPERATOR}:
        units = job.request.units()
        cost = "free" if studio.connection.is_sandbox else price(units)
        st.button(
            f"Order again · {cost}",
            icon=":material/replay:",
            key=f"again-{place}-{job.id}",
            on_click=_order_again,
            args=(studio, job),
        )


def _order_again(studio: Studio, job: Job) -> None:
    """Order the same as a wish of its own, in a button's callback."""
    session = st.session_state
    made, token, person = session.get("made", []), session.get("session", ""), session.get("person_field", "")
    request = replace(job.request, external_task_id="", callback_url="")
    try:
        (new,) = studio.order_all([request], person=person, session=token, parent=job.id)
    except (InvalidRequest, LedgerError) as error:
        st.toast(plain(str(error)), icon=":material/warning:")
        return
    if new.id not in made:
        made.insert(0, new.id)
    st.toast("Ordered again.", icon=":material/check:")


def decide(act: Callable[[str], object], job_id: str) -> None:
    """Do what a button says, in its callback; say why if that is too late."""
    try:
        act(job_id)
    except (StateChanged, LedgerError) as error:
        st.toast(plain(str(error)), icon=":material/warning:")
