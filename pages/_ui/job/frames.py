"""The pictures that a job was ordered to begin and to end with, beside its clip."""

from __future__ import annotations

import streamlit as st

from kling.image_to_video import ImageToVideo
from kling.studio.films.chains import continues
from kling.studio.jobs import Job
from kling.studio.pictures.store import PictureMissing
from pages._ui.address import base_path
from pages._ui.context import studio
from pages._ui.escape import escape_html
from pages._ui.requests import shown_request


def frames(job: Job) -> None:
    """Draw them; nothing for a job that has none."""
    request = shown_request(job)
    if not isinstance(request, ImageToVideo):
        return
    first = "First frame, the last one of the clip before" if continues(job) else "First frame"
    shown = [_frame(first, request.image), _frame("Last frame", request.image_tail)]
    if html := "".join(shown):
        st.html(f'<div class="job-frames">{html}</div>')


def _frame(words: str, name: str) -> str:
    if not name:
        return ""
    caption = f"<figcaption>{escape_html(words)}</figcaption>"
    try:
        studio().pictures.path(name)
    except PictureMissing:
        return f'<figure><span class="job-thumb">Not here</span>{caption}</figure>'
    href = f"{base_path()}/pictures/{name}"
    picture = f'<img alt="{escape_html(words)}" loading="lazy" src="{href}">'
    return f'<figure><a href="{href}" target="_blank">{picture}</a>{caption}</figure>'
