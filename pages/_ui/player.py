"""The video of a job on a page: its player, and a link to the form."""

from __future__ import annotations

import streamlit as st

from kling.studio.identity.roles import Action
from kling.studio.jobs import Job
from pages._ui.address import base_path
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


def remix(job: Job, *, words: str = REMIX) -> None:
    """Draw a link to a form that is filled with this job's request.

    There is none if the request is not known, if there is no form for its endpoint, or for who may not order.
    """
    if is_found(job) or not has_form(job) or not acting().may(Action.ORDER):
        return
    st.page_link("compose.py", label=words, icon=":material/edit_square:", query_params={"from": job.id})
