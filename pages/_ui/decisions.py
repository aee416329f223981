"""What a person may decide about one job, each decision as a button."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import streamlit as st

from kling import InvalidRequest
from kling.errors import Actor
from kling.studio.jobs import FAILED, NOT_SENT, UNKNOWN, WAITING, Job, StateChanged
from kling.studio.ledger import LedgerError
from kling.studio.remedies import Action, remedy
from kling.studio.service import Studio
from pages._ui.escape import escape_markdown
from pages._ui.format import is_found, price
from pages._ui.ordering import place_order, refusal_of
from pages._ui.player import remix

GIVE_UP_AFTER = timedelta(minutes=5)  # a job that is looked up for so long may be given up
GIVE_UP_RISK = "If Kling has it all the same, it is charged, and taken in when Kling shows it."


def decisions(studio: Studio, job: Job, *, place: str) -> None:
    """Draw what a person may decide about a job that failed, was not sent, or is looked up for long."""
    if job.state == FAILED:
        _mend(studio, job, place=place)
    elif job.state == UNKNOWN:
        _give_up(studio, job, place=place)
    if job.state not in {WAITING, NOT_SENT}:
        return
    in_line = studio.admission.position_of(job)
    with st.container(horizontal=True):
        may_send = job.state == NOT_SENT or (in_line is not None and in_line.needs_person)
        if may_send and studio.accounts.owns(job):
            st.button(
                "Send now",
                key=f"send-{place}-{job.id}",
                on_click=decide,
                args=(studio.orders.send_again, job.id),
            )
        st.button(
            "Withdraw",
            key=f"withdraw-{place}-{job.id}",
            on_click=decide,
            args=(studio.orders.withdraw, job.id),
        )


def _give_up(studio: Studio, job: Job, *, place: str) -> None:
    """Let a person end a job that is looked up for long, after a word about the risk."""
    outlook, session = studio.explain(job), st.session_state
    if outlook is None:
        return
    has_lasted = outlook.since is not None and datetime.now(UTC) - outlook.since >= GIVE_UP_AFTER
    if not has_lasted and outlook.actor is Actor.NOBODY:
        return
    if session.get("giving_up") != job.id:
        st.button(
            "Give it up",
            key=f"give-up-{place}-{job.id}",
            on_click=lambda: session.update(giving_up=job.id),
        )
        return
    with st.container(border=True):
        st.markdown(f"**Give it up?** Kling is then not asked for it any more. {GIVE_UP_RISK}")
        with st.container(horizontal=True):
            st.button(
                "Yes, give it up",
                key=f"yes-give-up-{place}-{job.id}",
                on_click=_given_up,
                args=(studio, job.id),
            )
            st.button(
                "Go on looking", key=f"no-give-up-{place}-{job.id}", on_click=lambda: session.pop("giving_up")
            )


def _given_up(studio: Studio, job_id: str) -> None:
    st.session_state.pop("giving_up", None)
    decide(studio.orders.give_up, job_id)


def _mend(studio: Studio, job: Job, *, place: str) -> None:
    what = remedy(job, nothing_spent=studio.nothing_spent(job))
    if what is None or is_found(job):
        return
    if what.kind in {Action.EDIT_PROMPT, Action.CHANGE_ORDER}:
        remix(job, words="Mend it in Compose")
    else:
        cost = "free" if studio.connection.is_sandbox else price(job.request.units())
        st.button(
            f"Order again · {cost}",
            icon=":material/replay:",
            key=f"again-{place}-{job.id}",
            on_click=_order_again,
            args=(job,),
        )


def _order_again(job: Job) -> None:
    """Order the same once more as a job of its own, in a button's callback."""
    try:
        place_order([replace(job.request, external_task_id="", callback_url="")], parent=job.id)
    except InvalidRequest as error:
        st.toast(
            escape_markdown(" ".join(problem.message for problem in error.problems)),
            icon=":material/warning:",
        )
    except LedgerError as error:
        st.toast(escape_markdown(refusal_of(error)), icon=":material/warning:")
    else:
        st.toast("Ordered again.", icon=":material/check:")


def decide(act: Callable[[str], object], job_id: str) -> None:
    """Do what a button says, in its callback; say why if that is too late."""
    try:
        act(job_id)
    except (StateChanged, LedgerError) as error:
        st.toast(escape_markdown(str(error)), icon=":material/warning:")
