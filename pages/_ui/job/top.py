"""Above a job's page: the way back, its neighbours in the list, and what can be done with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import streamlit as st

from kling.studio.actions import Actions
from kling.studio.identity.roles import Action
from kling.studio.ids import PLAIN_ID
from kling.studio.jobs import FAILED, FOLLOWED, Job
from kling.studio.library import JobQuery
from kling.studio.library.store import IndexBroken
from kling.studio.remedies import RemedyKind, remedy
from pages._ui.address import base_path
from pages._ui.clip_names import file_name
from pages._ui.context import studio
from pages._ui.curation import (
    collect_dialog,
    delete_dialog,
    hide,
    note_dialog,
    share_dialog,
    show_again,
    tag_dialog,
)
from pages._ui.curation.star_button import star_button
from pages._ui.current_user import acting
from pages._ui.decide import attempt
from pages._ui.escape import escape_attribute, escape_html, escape_markdown
from pages._ui.format import counted
from pages._ui.job.address import job_link
from pages._ui.job_actions import again
from pages._ui.panels import panel
from pages._ui.player import remix
from pages._ui.requests import has_form, is_found
from pages._ui.sharing.allowed import may_share

PAGE = "job"  # prefix of the session keys
MENU = "job.more"  # session key: whether the menu is open
LONGEST = 40  # characters of what was looked for


def way_back(job: Job | None, query: JobQuery, page: str) -> None:
    """Draw the link to where somebody came from, and to the jobs before and after this one in it.

    Args:
        job: that is shown; None if there is none.
        query: of the list.
        page: that it stood on.
    """
    with st.container(key="job_back", horizontal=True, vertical_alignment="center"):
        st.page_link(
            f"{page}.py",
            label=escape_markdown(_words(query, page)),
            icon=":material/arrow_back:",
            query_params=query.to_address(),
        )
        if job is not None and page in {"history", "gallery"}:
            _neighbours(job, query, page)


def _words(query: JobQuery, page: str) -> str:
    title = page.capitalize()
    if page not in {"history", "gallery"} or not replace(query, clips=False).is_filtered:
        return title
    try:
        count = studio().library.count(query, who=acting().who)
    except IndexBroken:
        return title
    what = counted(count, "clip", "clips") if page == "gallery" else counted(count, "job", "jobs")
    text = query.text if len(query.text) <= LONGEST else f"{query.text[:LONGEST]}…"
    return f"{what} with “{text}”" if text else f"{what} of this choice"


def _neighbours(job: Job, query: JobQuery, page: str) -> None:
    # One that was hidden a moment ago keeps its place, so that whoever sorts clips can go on.
    among = replace(query, hidden="all") if job.hidden else query
    try:
        before, after = studio().library.neighbours(among, job.id, who=acting().who)
    except IndexBroken:
        return
    links = "".join(
        f'<a class="job-icon" data-open data-way="{way}" title="{words} ({key})" '
        f'href="{escape_html(job_link(job_id, query, page=page))}">'
        f'<span class="ms" aria-hidden="true">{icon}</span><span class="job-label">{words}</span></a>'
        for job_id, way, words, key, icon in (
            (before, "before", "The one before", "K", "keyboard_arrow_up"),
            (after, "after", "The next one", "J", "keyboard_arrow_down"),
        )
        if job_id
    )
    if links:
        st.html(f'<div class="job-ways">{links}</div>', width="content")


def buttons(job: Job) -> None:
    """Draw what the user may do with the job: icons, Generate again, Remix."""
    user = acting()
    with st.container(key="job_buttons", horizontal=True, vertical_alignment="center"):
        with st.container(key="job_icons", horizontal=True, width="content"):
            star_button(job, page=PAGE)
            _together(job)
            _links(job)
            if user.may(Action.HIDE, job):
                _hide(job, key="job.hide")
            panel("More", partial(_more, job), key=MENU, icon="more_horiz", kind="popover")
        _again(job, key="job_again")
        if not _is_edited(job):
            with st.container(key="job_remix", width="content"):
                remix(job)


def _together(job: Job, *, place: str = "") -> None:
    """Draw what puts the clip among others, or shows it to others.

    Args:
        job: whose clip.
        place: `more` in the menu, where narrow windows have it.
    """
    for words, icon, may, act in (
        ("Collect", "library_add", acting().may(Action.COLLECT), collect_dialog),
        ("Share", "ios_share", may_share(job), share_dialog),
    ):
        if may and job.has_clip:
            st.button(
                words,
                icon=f":material/{icon}:",
                type="tertiary",
                key=f"job.{place}_{words.lower()}" if place else f"job.{words.lower()}",
                on_click=_from_menu if place else act,
                args=(act, [job.id]) if place else ([job.id],),
                help=None if place else words,
            )


def _links(job: Job) -> None:
    links = []
    if job.has_clip and PLAIN_ID.fullmatch(job.id):
        href = escape_html(f"{base_path()}/take-away?ids={job.id}")
        links.append(
            f'<a class="job-icon" data-download href="{href}" download '
            'title="Download"><span class="ms" aria-hidden="true">download</span>'
            '<span class="job-label">Download</span></a>'
        )
    links.append(
        f'<a class="job-icon" data-copy href="{escape_html(job_link(job.id))}" title="Copy link (C)">'
        '<span class="ms" aria-hidden="true">link</span><span class="job-label">Copy link</span></a>'
    )
    st.html(f'<div class="job-links">{"".join(links)}</div>', width="content")


def _hide(job: Job, *, key: str) -> None:
    if job.hidden:
        st.button(
            "Show again",
            icon=":material/visibility:",
            type="tertiary",
            key=key,
            on_click=show_again,
            args=([job.id],),
            help="Show it in the lists again (H)",
        )
    else:
        st.button(
            "Hide",
            icon=":material/visibility_off:",
            type="tertiary",
            key=key,
            on_click=hide,
            args=([job.id],),
            help="Hide it from the lists (H)",
        )


def _again(job: Job, *, key: str, place: str = "", menu: str = "") -> None:
    """Draw Generate again, unless the card of a failed job has that or says what is better."""
    if is_found(job) or not has_form(job) or job.state == FAILED or not acting().may(Action.ORDER):
        return
    with st.container(key=key, width="content"):
        again(job, page=PAGE, place=place, menu=menu)


def _is_edited(job: Job) -> bool:
    """Whether the card of a failed job leads to the form already, so that no second link does."""
    if job.state != FAILED or is_found(job):
        return False
    found = remedy(job, nothing_spent=studio().nothing_spent(job))
    return found is not None and found.kind in {RemedyKind.EDIT_PROMPT, RemedyKind.CHANGE_ORDER}


def _more(job: Job) -> None:
    """Draw what is wanted seldom."""
    user = acting()
    if job.state in FOLLOWED and studio().accounts.owns(job) and user.may(Action.ORDER):
        st.button(
            "Check now",
            icon=":material/refresh:",
            type="tertiary",
            key="job.check",
            on_click=_from_menu,
            args=(_check_now, job.id),
            help="Asks Kling at once how far it is.",
        )
    if user.may(Action.TAG, job):
        st.button(
            "Tags",
            icon=":material/label:",
            type="tertiary",
            key="job.more_tags",
            on_click=_from_menu,
            args=(tag_dialog, [job.id]),
        )
    if user.may(Action.NOTE, job):
        st.button(
            "Note",
            icon=":material/sticky_note_2:",
            type="tertiary",
            key="job.more_note",
            on_click=_from_menu,
            args=(note_dialog, job.id),
        )
    if job["watermark_file"] and job.has_clip and PLAIN_ID.fullmatch(job.id):
        href, name = f"{base_path()}/clips/{job.id}.watermark.mp4", file_name(job, "with watermark")
        st.html(
            f'<a class="job-line" href="{escape_html(href)}" download="{escape_attribute(name)}">'
            "Download with watermark</a>"
        )
    if job.has_clip and user.may(Action.DELETE, job):
        with st.container(key="job_delete"):
            st.button(
                "Delete the file",
                icon=":material/delete:",
                type="tertiary",
                key="job.delete",
                on_click=_from_menu,
                args=(delete_dialog, [job.id]),
            )
    with st.container(key="job_more_phone"):
        st.html(
            f'<a class="job-line" data-copy href="{escape_html(job_link(job.id))}">'
            '<span class="job-label">Copy link</span></a>'
        )
        _together(job, place="more")
        if user.may(Action.HIDE, job):
            _hide(job, key="job.more_hide")
        _again(job, key="job_more_again", place="more", menu=MENU)
    st.caption(f"Id for support: {escape_markdown(job.id)}")


def _from_menu(act: Callable[[Any], None], what: object) -> None:
    """Close the menu and do what was pressed in it: it would lie over the dialog."""
    st.session_state[MENU] = False
    act(what)


def _check_now(job_id: str) -> None:
    asked = attempt(Actions.check_now, job_id)
    if asked is not None:
        words = "Kling is being asked." if asked else "It has ended: there is nothing to ask."
        st.toast(words, icon=":material/refresh:")
