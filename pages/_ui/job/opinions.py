"""What people say of a clip: ratings and stars, tags, and the note."""

from __future__ import annotations

import streamlit as st

from kling.studio.identity.roles import Action
from kling.studio.jobs import Job
from kling.studio.library import JobQuery
from pages._ui.context import studio
from pages._ui.curation import note_dialog, rate, tag_dialog
from pages._ui.current_user import acting
from pages._ui.escape import bdi, escape_attribute, escape_html
from pages._ui.format import zone
from pages._ui.job.moments import short_moment
from pages._ui.job.records import who_recorded
from pages._ui.library.address import history_link


def opinions(job: Job) -> None:
    """Draw them; who may not change them sees them all the same."""
    user = acting()
    with st.container(key="job_opinions"):
        st.html('<h2 class="job-heading">Rating, tags and note</h2>')
        if user.may(Action.STAR):
            _rating(job)
        if others := _others(job):
            st.html(f'<p class="job-fine">{others}</p>')
        with st.container(horizontal=True, key="job_tags", vertical_alignment="center"):
            if job.tags:
                st.html(_tags(job), width="content")
            if user.may(Action.TAG, job):
                st.button(
                    "Change tags" if job.tags else "Add tags",
                    type="tertiary",
                    icon=":material/label:",
                    key="job.tags",
                    on_click=tag_dialog,
                    args=([job.id],),
                )
        _note(job, may_write=user.may(Action.NOTE, job))


def _rating(job: Job) -> None:
    own = _own_stars(job)
    # Another rating is another widget: a page that has not drawn it yet sends the old value with its next
    # press, and in one widget that would take the rating back.
    key = f"job.rating-{job.id}-{own}"
    st.feedback("stars", key=key, default=own - 1 if own else None, on_change=_rated, args=(job.id, key))


def _rated(job_id: str, key: str) -> None:
    chosen = st.session_state.get(key)
    wanted = 0 if chosen is None else int(chosen) + 1
    rate([job_id], wanted)
    job = studio().ledger.get(job_id)
    if job is not None and (own := _own_stars(job)) != wanted:  # it was refused
        st.session_state[key] = own - 1 if own else None


def _own_stars(job: Job) -> int:
    known = job.opinions.get(acting().who)
    return known.stars if known else 0


def _others(job: Job) -> str:
    """Return as HTML who else has rated the clip, and everybody who has starred it."""
    mine = acting().who
    rated = [
        f"{bdi(opinion.by_name or 'Somebody')} {opinion.stars} of 5"
        for who, opinion in job.opinions.items()
        if opinion.stars and who != mine
    ]
    starred = [
        "you" if who == mine else bdi(opinion.by_name or "somebody")
        for who, opinion in job.opinions.items()
        if opinion.star
    ]
    parts = [
        f"Rated by {', '.join(rated)}" if rated else "",
        f"Starred by {', '.join(starred)}" if starred else "",
    ]
    return " · ".join(filter(None, parts))


def _tags(job: Job) -> str:
    links = [
        f'<a class="job-tag" data-open href="{escape_attribute(history_link(JobQuery(tags=(tag,))))}">'
        f"{escape_html(tag)}</a>"
        for tag in job.tags
    ]
    return f'<div class="job-chips">{"".join(links)}</div>'


def _note(job: Job, *, may_write: bool) -> None:
    if job["note"]:
        who, when = who_recorded(job, "note")
        whom = ", ".join(map(bdi, filter(None, [who, short_moment(when.astimezone(zone())) if when else ""])))
        said = f"<span>{whom}</span>" if whom else ""
        st.html(f'<blockquote class="job-note" dir="auto">{escape_html(job["note"])}</blockquote>{said}')
    if may_write:
        st.button(
            "Change the note" if job["note"] else "Add a note",
            type="tertiary",
            icon=":material/sticky_note_2:",
            key="job.note",
            on_click=note_dialog,
            args=(job.id,),
        )
