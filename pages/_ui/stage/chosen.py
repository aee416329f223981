"""The words and buttons of what stands on the stage: prompt, one grey line of facts, and what can be done."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial

import streamlit as st

from kling.studio.actions import Actions
from kling.studio.clip_verification import charged
from kling.studio.identity.roles import Action
from kling.studio.ids import PLAIN_ID
from kling.studio.jobs import FAILED, NOT_SENT, WAITING, Job
from pages._ui.address import base_path
from pages._ui.charges import charge_line, charge_money, charge_text
from pages._ui.clip_names import file_name
from pages._ui.compare.address import FEWEST, compare_params
from pages._ui.context import studio
from pages._ui.curation import sound_dialog
from pages._ui.curation.star_button import star_button
from pages._ui.current_user import acting
from pages._ui.decide import decide
from pages._ui.escape import escape_attribute, escape_html, escape_markdown
from pages._ui.format import ago, order_line, prompt_of, state, took
from pages._ui.job.address import job_link, job_params
from pages._ui.job.after import OTHER_SOUND, has_sound, silent_of
from pages._ui.job_actions import COMPOSE
from pages._ui.job_status import badges, link_to_kling
from pages._ui.panels import panel
from pages._ui.requests import has_form, is_found
from pages._ui.session_state import app_state
from pages._ui.sound.dialog import ADD_SOUND, why_not
from pages._ui.stage.cards import Card
from pages._ui.stage.explanation import explanation
from pages._ui.stage.facts import alternatives, batch_words, look_of
from pages._ui.stage.remix import MORE, continue_here, remix_here
from pages._ui.words import CANCEL_ALL, CONTINUE, REMIX

PLACE = "stage"  # its name among the places that dialogs are drawn in
_NO_BREAKS, _NO_BREAK = re.compile(r"(?<=\d) (?=s\b)| (?=·)"), "\N{NO-BREAK SPACE}"


def words_and_buttons(card: Card, job: Job | None) -> None:
    """Draw them.

    Args:
        card: that is chosen.
        job: the one of its jobs that is chosen; None for the card as a whole.
    """
    shown = job or card.jobs[0]
    with st.container(horizontal=True, key="stage_words"):
        line = _NO_BREAKS.sub(_NO_BREAK, job_line(shown) if job is not None else batch_line(card))
        text = prompt_of(shown) if job is not None else alternatives(card)[0]
        cost = charge_text(shown) if job is not None else ""
        st.html(
            f'<div class="stage-prompt" dir="auto" title="{escape_attribute(text)}">{escape_html(text)}</div>'
            f'<div class="stage-facts" title="{escape_attribute(cost)}">{escape_html(line)}</div>'
        )
        if job is not None:
            _trouble(job)
        with st.container(horizontal=True, key="stage_buttons"):
            _buttons(card, job)
    if job is not None:
        explanation(job)


def job_line(job: Job) -> str:
    """Return the facts of a job in one line, such as `Done in 0:06 · Kling 2.6 · 720p · 5 s · just now`."""
    word = state(job)[0]
    if job.has_clip:
        parts = [f"Done in {took(job)}" if took(job) else word, order_line(job)]
        parts += [ago(job.ended_at, datetime.now(UTC)) if job.ended_at else ""]
    elif job.state == FAILED:
        word = look_of(job)[1]
        parts = [word, order_line(job), ago(job.ended_at, datetime.now(UTC)) if job.ended_at else ""]
    elif look_of(job)[0] == "made":
        parts = [order_line(job)]
    else:
        parts = [word, order_line(job)]
    charge = charged(job)
    if charge is not None and (charge.charged or charge.cash) and charge_text(job):
        parts.append(charge_money(job, charge))
    mine = acting().user.name
    return " · ".join(part for part in [*parts, job["person"] if job["person"] != mine else ""] if part)


def batch_line(card: Card) -> str:
    """Return the facts of a card with several jobs in one line."""
    return " · ".join(filter(None, [batch_words(card), order_line(card.jobs[0])]))


def _trouble(job: Job) -> None:
    """Say where a clip is not what was ordered, or what it cost was not what was expected."""
    charge = charged(job)
    fetching = studio().downloads.trouble(job.id) if job.has_clip else ""  # of a better copy of a broken file
    if not job.has_clip or not (charge is not None or fetching or job["extra"]):
        return
    with st.container(horizontal=True, key="stage_trouble"):
        badges(job)
        if charge is not None and charge.differs:
            charge_line(job)
        if fetching:
            st.caption(escape_markdown(fetching))
            link_to_kling(studio(), job)


def _buttons(card: Card, job: Job | None) -> None:
    shown = job or card.jobs[0]
    if job is not None and job.has_clip:
        star_button(job, page=PLACE)
    if PLAIN_ID.fullmatch(shown.id):
        st.html(_links(shown, card if job is None else None), width="content")
    if job is not None:
        _sound(job)
    if not is_found(shown) and has_form(shown) and shown.state != FAILED and acting().may(Action.ORDER):
        st.button(
            REMIX,
            icon=":material/edit_square:",
            key="stage.remix",
            on_click=remix_here,
            args=(card.key if job is None else job.id,),
            help="Takes its words and settings into the form",
        )
    if job is None:
        _compare([each.id for each in card.jobs if each.has_clip])
        unsent = [
            each for each in card.jobs if each.state in {WAITING, NOT_SENT} and each.endpoint is not None
        ]
        if unsent and acting().may_withdraw_group(card.jobs):
            st.button(
                CANCEL_ALL,
                key=f"{COMPOSE}.withdraw-batch-{card.key}",
                on_click=decide,
                args=(Actions.withdraw_group, card.key),
            )
    panel("More", partial(_more, card, job), key=MORE, icon="more_horiz", kind="popover")


def _compare(job_ids: Sequence[str]) -> None:
    """Draw the button that leads to Compare with the first clips of a card; none where there is one only."""
    if len(job_ids) >= FEWEST and st.button(
        "Compare", icon=":material/compare:", key="stage.compare", help="Plays up to four of them in step"
    ):
        st.switch_page("compare.py", query_params=compare_params(job_ids))


def _links(job: Job, batch: Card | None) -> str:
    """Return the links: the file under a name that one can read, and the address of the job's own page."""
    base = base_path()
    is_batch = batch is not None and batch.key != job.id
    address = f"{base}/history?batch={batch.key}" if batch is not None and is_batch else job_link(job.id)
    links = []
    if job.has_clip and batch is None:
        href = escape_html(f"{base}/take-away?ids={job.id}")
        links.append(
            f'<a class="stage-link" href="{href}" download '
            f'title="Download"><span class="stage-icon" aria-hidden="true">download</span>'
            '<span class="stage-label">Download</span></a>'
        )
    links.append(
        f'<a class="stage-link" data-copy href="{escape_html(address)}" '
        f'title="Copy link"><span class="stage-icon" aria-hidden="true">link</span>'
        '<span class="stage-label">Copy link</span></a>'
    )
    return f'<div class="stage-links">{"".join(links)}</div>'


def _more(card: Card, job: Job | None) -> None:
    """Draw what is wanted seldom."""
    with st.container(key="stage_menu"):
        _menu(card, job)


def _menu(card: Card, job: Job | None) -> None:
    if job is None:
        query = {"batch": card.key}
        st.page_link(
            "gallery.py", label="All of them in Gallery", icon=":material/photo_library:", query_params=query
        )
        st.page_link(
            "history.py", label="All of them in History", icon=":material/history:", query_params=query
        )
        return
    st.page_link(
        "job.py",
        label="All about it",
        icon=":material/movie:",
        query_params=job_params(job.id, page="compose"),
    )
    if job.has_clip and not job.erased and acting().may(Action.ORDER):
        st.button(
            CONTINUE,
            icon=":material/arrow_forward:",
            type="tertiary",
            key="stage.continue",
            on_click=continue_here,
            args=(job.id,),
            help="Takes the last frame of this clip into the form as the first frame of the next one",
        )
    if job["watermark_file"] and PLAIN_ID.fullmatch(job.id):
        href, name = f"{base_path()}/clips/{job.id}.watermark.mp4", file_name(job, "with watermark")
        st.html(
            f'<a class="stage-link" href="{escape_html(href)}" download="{escape_attribute(name)}">'
            "Download with watermark</a>"
        )
    charge_line(job)
    st.caption(f"Id for support: {escape_markdown(job.id)}")


def _sound(job: Job) -> None:
    """Draw the button that asks which sound a clip gets; none where it can get none."""
    silent = silent_of(job)
    if job.has_clip and not job.erased and acting().may(Action.ORDER) and not why_not(silent):
        words = OTHER_SOUND if has_sound(job) else ADD_SOUND
        st.button(
            words,
            icon=":material/music_note:",
            key="stage.sound",
            on_click=_ask_sound,
            args=(silent.id,),
            help=words,
        )


def _ask_sound(job_id: str) -> None:
    sound_dialog([job_id])
    app_state().asked_in = PLACE
