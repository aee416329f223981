"""The video of a job on a page: its player, its downloads, its prompt, and a link to the form."""

from __future__ import annotations

import streamlit as st

from kling.studio.identity.roles import Action
from kling.studio.jobs import Job
from pages._ui.address import base_path
from pages._ui.clip_names import file_name
from pages._ui.current_user import acting
from pages._ui.escape import escape_attribute, escape_html
from pages._ui.format import prompt_of
from pages._ui.requests import has_form, is_found
from pages._ui.stage.facts import shape_of
from pages._ui.words import REMIX


def player(job: Job, *, preload: str = "none", among: str = "") -> None:
    """Draw the player of a finished job, which plays the studio's own copy.

    `st.video` takes no poster, and the browser then fetches most of each clip at once: sixty of them loaded
    110 megabytes. With a poster and no preload they load two.

    Its picture is a button: a press anywhere on it shows the clip large, Space plays it where it is, with
    controls (job/job.js).

    Args:
        job: has a file.
        preload: of the HTML element: `none`, `metadata` or `auto`.
        among: the list that the lightbox leads through; see `clip_link`.
    """
    source = escape_html(f"{base_path()}/clips/{job.id}")
    label = escape_attribute(f"Show large: {prompt_of(job)[:200]}")
    wide, high = shape_of(job)
    with st.container(key=f"clip-{job.id}"):
        st.html(
            f'<div class="studio-player"><video data-large="{escape_html(job.id)}" '
            f'data-among="{escape_attribute(among)}" playsinline tabindex="0" role="button" '
            f'preload="{preload}" poster="{source}.jpg" src="{source}.mp4" aria-label="{label}" '
            f'style="aspect-ratio:{wide}/{high}"></video></div>'
        )


def downloads(job: Job) -> None:
    """Draw a link for each of our own copies, which the browser keeps as a file."""
    for words, name in (("Download", ""), ("Download with watermark", ".watermark")):
        if name and not job["watermark_file"]:
            continue
        source, kept_as = f"{base_path()}/take-away?ids={job.id}", ""  # the server names it
        if name:
            source = f"{base_path()}/clips/{job.id}{name}.mp4"
            kept_as = file_name(job, name.strip("."))
        st.html(
            f'<a class="studio-download" href="{escape_html(source)}" '
            f'download="{escape_attribute(kept_as)}">{words}</a>',
            width="content",
        )


def remix(job: Job, *, words: str = REMIX) -> None:
    """Draw a link to a form that is filled with this job's request.

    There is none if the request is not known, if there is no form for its endpoint, or for who may not order.
    """
    if is_found(job) or not has_form(job) or not acting().may(Action.ORDER):
        return
    st.page_link("compose.py", label=words, icon=":material/edit_square:", query_params={"from": job.id})


def prompt_text(job: Job, *, lines: int = 3) -> None:
    """Show a prompt as it was typed, cut to a few lines; the whole of it is in the tooltip."""
    text = prompt_of(job)
    st.html(
        f'<div class="studio-clamp" dir="auto" title="{escape_attribute(text)}" '
        f'style="-webkit-line-clamp:{lines}">{escape_html(text)}</div>'
    )
