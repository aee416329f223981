"""A task on a page: its player, and the words around it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import streamlit as st

from kling.studio.csvlog import LogError
from kling.studio.ledger import FAILED, NOT_SENT, OPEN, SUCCEED, WAITING, WITHDRAWN, Job, StateChanged
from kling.studio.studio import Studio
from pages._ui.live import base_path
from pages._ui.words import escaped, order_line, plain, span, state, took


def player(job: Job, *, preload: str = "none", autoplay: bool = False) -> None:
    """Draw the player of a finished task, from our own copy.

    Native `st.video` takes no poster and reads ahead a large part of every clip (measured), so a gallery of
    it loads a hundred megabytes; this one loads pictures.
    """
    source = f"{base_path()}/clips/{job.id}"
    auto = "autoplay muted loop" if autoplay else ""
    with st.container(key=f"clip-{job.id}"):
        st.html(
            f'<video controls playsinline {auto} preload="{preload}" poster="{escaped(source)}.jpg" '
            f'src="{escaped(source)}.mp4" aria-label="{escaped(job["prompt"][:200])}" '
            f'style="width:100%;max-height:70vh;aspect-ratio:{_ratio(job)};background:#000;'
            'border-radius:.5rem;display:block"></video>'
        )


def _ratio(job: Job) -> str:
    probe = job.extra.get("probe")
    if isinstance(probe, dict) and all(isinstance(probe.get(side), int) for side in ("width", "height")):
        return f"{probe['width']}/{probe['height']}"
    return "16/9"


def downloads(studio: Studio, job: Job, *, place: str) -> None:
    """Draw the buttons that hand out our own copies; a file is read when somebody presses, not before."""
    for watermark in (False, True) if job["watermark_file"] else (False,):
        st.download_button(
            "Download with watermark" if watermark else "Download",
            data=studio.archive.video(job.id, watermark=watermark).read_bytes,
            file_name=f"kling-{job.id}{'-watermark' if watermark else ''}.mp4",
            mime="video/mp4",
            icon=":material/download:",
            on_click="ignore",
            key=f"download-{place}-{job.id}-{watermark}",
        )


def remix(job: Job, *, words: str = "Use in Compose") -> None:
    """Draw the way to a form that is filled with this task's request."""
    st.page_link("compose.py", label=words, icon=":material/edit_square:", query_params={"from": job.id})


def prompt_text(job: Job, *, lines: int = 3) -> None:
    """Show a prompt as it was typed, cut to a few lines; the whole of it is in the tooltip."""
    shots = " / ".join(shot.prompt for shot in job.request.multi_prompt) if not job["prompt"] else ""
    text = escaped(job["prompt"] or shots or "(no prompt)")
    st.html(
        f'<div dir="auto" title="{text}" style="display:-webkit-box;-webkit-line-clamp:{lines};'
        f'-webkit-box-orient:vertical;overflow:hidden;overflow-wrap:anywhere;white-space:pre-wrap">{text}</div>'
    )


def status(studio: Studio, job: Job) -> None:
    """Show where a task stands, with the time that really passed."""
    if job.state in OPEN:
        since = int(job.ordered_at.timestamp() * 1000)
        waited = span(datetime.now(UTC).timestamp() - since / 1000)
        elapsed = f'<span data-since="{since}">{waited}</span>'
    else:
        elapsed = took(job)
    word, icon, colour = state(job)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.badge(word, icon=f":material/{icon}:", color=colour)
        st.html(f'<div style="font-variant-numeric:tabular-nums">{elapsed}</div>', width="content")
    st.caption(plain(order_line(job)))
    if not studio.owns(job) and job.state in OPEN:
        st.caption(
            plain(f"This task belongs to the account {job['account']} and is followed when that is in use.")
        )
    elif job.state != SUCCEED and (words := job["task_status_msg"] or job["message"]) != "Accepted.":
        _say(job, words)
    elif job.state == SUCCEED and not job["file"]:
        st.caption(plain(studio.tracker.fetch_trouble(job.id) or "Fetching the video …"))


def _say(job: Job, words: str) -> None:
    facts = [
        f"{name} {job[cell]}" for name, cell in (("code", "code"), ("request", "request_id")) if job[cell]
    ]
    hides = job["code"] in {"", "0"} or job.state == WITHDRAWN
    support = "" if hides else f" ({', '.join(facts)})"
    if words:
        (st.error if job.state == FAILED else st.info)(plain(words + support))


def decisions(studio: Studio, job: Job, *, place: str) -> None:
    """Draw what a person may decide about a task that was not sent."""
    if job.state not in {WAITING, NOT_SENT} or not studio.owns(job):
        return
    with st.container(horizontal=True):
        st.button(
            "Send now", key=f"send-{place}-{job.id}", on_click=_decide, args=(studio.send_again, job.id)
        )
        st.button(
            "Withdraw", key=f"withdraw-{place}-{job.id}", on_click=_decide, args=(studio.withdraw, job.id)
        )


def _decide(act: Callable[[str], object], job_id: str) -> None:
    try:
        act(job_id)
    except (StateChanged, LogError) as error:
        st.toast(plain(str(error)), icon=":material/warning:")
