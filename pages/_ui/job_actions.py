"""What a person may decide about one job: a button for each decision."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import streamlit as st

from kling.errors import Actor
from kling.studio.actions import Actions
from kling.studio.films.chains import SOUND, continues
from kling.studio.identity.roles import Action
from kling.studio.jobs import FAILED, NOT_SENT, UNKNOWN, WAITING, Job
from kling.studio.reconciler import refuses_duplicates
from kling.studio.remedies import RemedyKind, remedy
from kling.studio.service import Studio
from pages._ui.context import studio
from pages._ui.current_user import acting
from pages._ui.decide import decide
from pages._ui.escape import escape_markdown, with_link
from pages._ui.format import in_money, is_sandbox
from pages._ui.job.address import job_link
from pages._ui.place_order import REFUSALS, place_order, refusal_of
from pages._ui.player import remix
from pages._ui.requests import has_form, is_found
from pages._ui.session_state import app_state
from pages._ui.stage.remix import remix_here
from pages._ui.words import CANCEL, EDIT_AND_TRY_AGAIN, GENERATE_AGAIN, ORDER_AGAIN

COMPOSE = "composer"  # prefix of the session keys of Compose
SEND_NOW, SEND_AGAIN = "Send now", "Send it again"
GIVE_UP_AFTER = timedelta(minutes=5)  # of being looked up
GIVE_UP_RISK = "If Kling has it all the same, it is charged, and taken in when Kling shows it."


def job_actions(here: Studio, job: Job, *, page: str) -> None:
    """Draw the buttons for a job that failed, was not sent, or is looked up for long.

    Only those that the user may press. A job of an endpoint that is not known has none: `Orders` would refuse
    each of these decisions.

    Args:
        here: the studio that the job belongs to.
        job: to decide about.
        page: prefix of the session keys of the page that shows it.
    """
    if job.endpoint is None:
        return
    if job.state == FAILED:
        _remedy(here, job, page=page)
    elif job.state == UNKNOWN and acting().may(Action.WITHDRAW, job):
        _give_up(here, job, page=page)
    if job.state not in {WAITING, NOT_SENT}:
        return
    user = acting()
    in_line = here.admission.position_of(job)
    with st.container(horizontal=True):
        may_send = job.state == NOT_SENT or (in_line is not None and in_line.needs_person)
        if may_send and here.accounts.owns(job) and user.may(Action.SEND, job):
            # Kling may have it already, and may make it twice: the price stands where it is decided.
            is_second = UNKNOWN in job.since and not refuses_duplicates(job)
            cost = "free" if is_sandbox(job) else in_money(job.decimal("units"), job)
            st.button(
                f"{SEND_AGAIN} · {cost}" if is_second else SEND_NOW,
                key=f"{page}.send-{job.id}",
                on_click=decide,
                args=(Actions.send_again, job.id),
            )
        if user.may(Action.WITHDRAW, job):
            st.button(
                CANCEL,
                key=f"{page}.withdraw-{job.id}",
                on_click=decide,
                args=(Actions.withdraw, job.id),
            )


def _give_up(here: Studio, job: Job, *, page: str) -> None:
    """Let a person end a job that is looked up for long, after a warning of the risk."""
    explanation = here.explain(job)
    if explanation is None:
        return
    has_lasted = explanation.since is not None and datetime.now(UTC) - explanation.since >= GIVE_UP_AFTER
    if not has_lasted and explanation.actor is Actor.NOBODY:
        return
    if app_state().giving_up != job.id:
        st.button(
            "Give it up",
            key=f"{page}.give-up-{job.id}",
            on_click=_ask_to_give_up,
            args=(job.id,),
        )
        return
    with st.container(border=True):
        st.markdown(f"**Give it up?** Kling is then not asked for it any more. {GIVE_UP_RISK}")
        with st.container(horizontal=True):
            st.button(
                "Yes, give it up",
                key=f"{page}.yes-give-up-{job.id}",
                on_click=_give_up_confirmed,
                args=(job.id,),
            )
            st.button(
                "Go on looking",
                key=f"{page}.no-give-up-{job.id}",
                on_click=_ask_to_give_up,
                args=("",),
            )


def _ask_to_give_up(job_id: str) -> None:
    app_state().giving_up = job_id


def _give_up_confirmed(job_id: str) -> None:
    app_state().giving_up = ""
    decide(Actions.give_up, job_id)


def _remedy(here: Studio, job: Job, *, page: str) -> None:
    found = remedy(job, nothing_spent=here.nothing_spent(job))
    if found is None or is_found(job) or not acting().may(Action.ORDER):
        return
    if found.kind in {RemedyKind.EDIT_PROMPT, RemedyKind.CHANGE_ORDER}:
        edit(job, page=page)
        return
    again(job, page=page)


def again(job: Job, *, page: str, place: str = "", menu: str = "") -> None:
    """Draw the button that orders the same once more, as a job of its own, with its price.

    Args:
        job: to order again.
        page: as for `job_actions`.
        place: tells a second one on the page from the first.
        menu: key of the popover that the button is in, which its press closes.
    """
    cost = "free" if studio().connection.is_sandbox else in_money(job.request.units())
    st.button(
        f"{ORDER_AGAIN if page == COMPOSE else GENERATE_AGAIN} · {cost}",
        icon=":material/replay:",
        key=f"{page}.{place}again-{job.id}",
        on_click=_order_again,
        args=(job, page, menu),
        help="Orders a new job with the same words and settings; this one stays as it is.",
    )


def edit(job: Job, *, page: str) -> None:
    """Draw what takes a job's request back into the form: on Compose a button, elsewhere a link."""
    if page != COMPOSE:
        remix(job, words=EDIT_AND_TRY_AGAIN)
    elif has_form(job):
        st.button(
            EDIT_AND_TRY_AGAIN,
            type="primary",
            icon=":material/edit_square:",
            key=f"{page}.edit-{job.id}",
            on_click=remix_here,
            args=(job.id, "mend"),
        )


def _order_again(job: Job, page: str, menu: str) -> None:
    """Order the same once more as a job of its own, in a button's callback."""
    if menu:
        st.session_state[menu] = False
    # What goes on from a clip, or gives it sound, does so again: it has the same parent.
    is_after = continues(job) or job["endpoint"] == SOUND
    parent = job.parent if is_after else job.id
    try:
        request = replace(job.request, external_task_id="", callback_url="")
        ordered = place_order([request], parent=parent, continues=continues(job))
    except REFUSALS as error:
        st.toast(escape_markdown(refusal_of(error)), icon=":material/warning:")
    else:
        if page != COMPOSE:  # there the stage shows it
            words = with_link("Ordered again, as a new job.", "Open its page", job_link(ordered[0].id))
            st.toast(words, icon=":material/check:", duration="long")
