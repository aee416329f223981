"""The family of a job as a tree: each row says what changed, and how it was rated."""

from __future__ import annotations

from functools import partial

import streamlit as st

from kling.studio.ids import PLAIN_ID
from kling.studio.jobs import Job
from kling.studio.library import JobQuery
from kling.studio.spending import counted_at
from pages._ui.address import base_path
from pages._ui.context import studio
from pages._ui.escape import bdi, escape_html
from pages._ui.format import counted, state
from pages._ui.job.address import job_link
from pages._ui.job.after import silent_of
from pages._ui.job.changes import changes_html
from pages._ui.job.moments import short_moment
from pages._ui.job.tree import SHOWN, Family, Member, family_of
from pages._ui.requests import is_found
from pages._ui.session_state import app_state
from pages._ui.template_titles import template_of, title_of

ALL = 10**6
DEEPEST = 8  # steps to the right


def relatives(job: Job) -> Family:
    """Return the rows that the page of a job shows."""
    index = studio().ledger.index
    most = ALL if app_state().whole_family == job.id else SHOWN
    return family_of(job, get=studio().ledger.get, batch=index.batch, made_from=index.made_from, most=most)


def family(job: Job, query: JobQuery, page: str) -> None:
    """Draw the tree; nothing for a job that stands alone and was made from nothing known."""
    found = relatives(job)
    if len(found.members) < 2 and not (job.parent or job.group or _template(job)):
        return
    number = len(found.members) + found.more
    with st.container(key="job_family"):
        words = "what changed on each step" if number > 1 else ""
        at_least = "more than " if found.is_cut else ""
        st.html(
            f'<h2 class="job-heading">Family <small>{at_least}{counted(number, "job", "jobs")}'
            f"{', ' if words else ''}{words}</small></h2>"
        )
        rows = "".join(_row(member, job, query, page) for member in found.members)
        st.html(f'<ol class="job-family">{rows}</ol>')
        if found.more:
            st.button(
                f"{found.more:,} more",
                type="tertiary",
                icon=":material/expand_more:",
                key="job.whole_family",
                on_click=partial(_show_all, job.id),
            )
        if job.group:
            st.page_link(
                "history.py",
                label="All of this batch",
                icon=":material/stacks:",
                query_params={"batch": job.group},
            )


def _show_all(job_id: str) -> None:
    app_state().whole_family = job_id


def _row(member: Member, job: Job, query: JobQuery, page: str) -> str:
    each, is_this = member.job, member.job.id == job.id
    who = "This clip" if is_this else (each["person"] or "Nobody named")
    when = "" if is_this else f", {short_moment(counted_at(each))}"
    take = f" · take {each.take}" if each.take > 1 else ""
    name = f"<b>{bdi(who)}{escape_html(when + take)}</b>"
    body = (
        f'{_picture(each)}<span class="job-step">{name}<span class="job-changes" dir="auto">'
        f"{_what_changed(member)}</span></span>{_stars(each)}"
    )
    depth = f'style="--depth:{min(member.depth, DEEPEST)};--up:{member.up}"'
    stepped = ' data-step="true"' if member.depth else ""
    if is_this:
        here = 'class="job-row" data-here="true" aria-current="true"'
        return f"<li {depth}{stepped}><div {here}>{body}</div></li>"
    href = escape_html(job_link(each.id, query, page=page))
    return f'<li {depth}{stepped}><a class="job-row" data-open href="{href}">{body}</a></li>'


def _picture(job: Job) -> str:
    if job.has_clip and PLAIN_ID.fullmatch(job.id):
        source = escape_html(f"{base_path()}/clips/{job.id}.jpg")
        return f'<span class="job-thumb"><img alt="" loading="lazy" decoding="async" src="{source}"></span>'
    word, icon, _ = state(job)
    sign = f'<span class="ms" role="img" aria-label="{escape_html(word)}">{icon}</span>'
    return f'<span class="job-thumb">{sign}</span>'


def _what_changed(member: Member) -> str:
    job = member.job
    if member.base is not None:
        return changes_html(silent_of(member.base), job)  # sound alone has no words and settings of a clip
    if job.parent:
        return "Made from a job that this log does not have"
    if is_found(job):
        return "found, without its order"
    title = _template(job)
    return f"the first one, from the template “{escape_html(title)}”" if title else "the first one"


def _template(job: Job) -> str:
    """Return the title of the template that a job was ordered from; its id if it is gone, "" without one."""
    template = template_of(job)
    return title_of(template) or template[:60]


def _stars(job: Job) -> str:
    best = max((opinion.stars for opinion in job.opinions.values()), default=0)
    starred = any(opinion.star for opinion in job.opinions.values())
    if not best and not starred:
        return ""
    words = ", ".join(filter(None, [f"rated {best} of 5" if best else "", "starred" if starred else ""]))
    mark = "★" * best or '<span class="ms">star</span>'
    return f'<span class="job-stars" role="img" aria-label="{words}" title="{words}">{mark}</span>'
