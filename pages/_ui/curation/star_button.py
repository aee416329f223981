"""The button that gives a job the user's star, or takes it back."""

from __future__ import annotations

import streamlit as st

from kling.studio.identity.roles import Action
from kling.studio.jobs import Job
from pages._ui.curation.decisions import star
from pages._ui.current_user import acting


def star_button(job: Job, *, page: str) -> None:
    """Draw it as an icon; nothing for somebody who may not star.

    Args:
        job: that it is about.
        page: begins the keys of the button, `job.star`, and of what is around it, `job_star_on` with a star.
    """
    user = acting()
    if not user.may(Action.STAR):
        return
    known = job.opinions.get(user.who)
    is_on = bool(known and known.star)
    with st.container(key=f"{page}_star_on" if is_on else f"{page}_star", width="content"):
        st.button(
            "Take the star back" if is_on else "Star",
            icon=":material/star:",
            type="tertiary",
            key=f"{page}.star",
            on_click=star,
            args=([job.id], not is_on),
            help="Take your star back (S)" if is_on else "Star (S)",
        )
