"""The whole of one task: what was asked for, what came of it, and the ids that support asks for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import streamlit as st

from kling import TextToVideo
from kling.studio.ledger import SUCCEED, Job
from pages._ui.clips import downloads, player, remix
from pages._ui.running import studio
from pages._ui.status import decisions, status
from pages._ui.words import plain, state, zone


def details(job: Job) -> None:
    """Draw everything about a task."""
    here = studio()
    with st.container(border=True, key="details"):
        words: Any = st.container()
        if job.state == SUCCEED and job["file"]:
            picture, words = st.columns([3, 2])
            with picture:
                player(job, preload="metadata")
                with st.container(horizontal=True):
                    downloads(here, job, place="history")
        with words:
            status(here, job)
            decisions(here, job, place="history")
            remix(job)
            _family(job)
        _texts(job.request)
        left, right = st.columns(2)
        with left:
            _facts("Request", dict(_request(job)))
        with right:
            _facts("Task", dict(_task(job)))


def _family(job: Job) -> None:
    """Draw the ways to the task that this one was made from, and to those made with it."""
    if job.parent and studio().job(job.parent) is not None:
        st.page_link(
            "history.py",
            label="Made from an earlier task",
            icon=":material/account_tree:",
            query_params={"task": job.parent},
        )
    if job.group:
        st.page_link(
            "history.py",
            label="All of this batch",
            icon=":material/stacks:",
            query_params={"batch": job.group},
        )


def _texts(request: TextToVideo) -> None:
    texts = {"Prompt": request.prompt, "Negative prompt": request.negative_prompt}
    for number, shot in enumerate(request.multi_prompt, 1):
        texts[f"Shot {number}, {shot.duration} s"] = shot.prompt
    for name, text in texts.items():
        if text:
            st.caption(plain(name))
            st.code(text, language=None, wrap_lines=True)


def _facts(title: str, facts: dict[str, str]) -> None:
    st.caption(f"**{title}**")
    for name, fact in facts.items():
        if fact:
            st.text(f"{name}: {fact}")


def _request(job: Job) -> Iterator[tuple[str, str]]:
    request = job.request
    yield "model_name", request.model_name
    yield "mode", request.mode or ""
    yield "duration", f"{request.duration} s"
    yield "aspect_ratio", request.aspect_ratio
    yield "sound", request.sound
    yield "cfg_scale", "" if request.cfg_scale is None else f"{request.cfg_scale:g}"
    camera = request.camera_control
    if camera is not None:
        moves = ", ".join(f"{axis} {value:+g}" for axis, value in camera.config.items() if value)
        yield "camera_control", f"{camera.type} {moves}".strip()
    if request.multi_shot:
        yield "multi_shot", request.shot_type or "on"
    yield "watermark", "also with a watermark" if request.watermark else ""
    yield "callback_url", _without_query(request.callback_url)
    yield "take", str(job.take) if job.take > 1 else ""


def _task(job: Job) -> Iterator[tuple[str, str]]:
    yield "Person", job["person"]
    yield "Account", job["account"]
    yield "external_task_id", job.id
    for column in ("task_id", "video_id", "request_id", "code"):
        yield column, "" if job[column] == "0" else job[column]
    yield "Units by the price table", job["units"]
    yield "Units that Kling deducted", job["final_unit_deduction"]
    for name, when in job.since.items():
        word = state(Job({"state": name}))[0]
        yield word.capitalize(), when.astimezone(zone()).strftime("%d %b %Y, %H:%M:%S")
    yield "File", f"{job['file']}, {int(job['file_bytes']):,} bytes" if job["file_bytes"].isdecimal() else ""


def _without_query(url: str) -> str:
    """Leave out what may be a secret."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return f"{parts.scheme}://{parts.hostname}{parts.path}" if parts.hostname else ""
