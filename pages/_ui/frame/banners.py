"""Above every page: warnings, holds, and the jobs that wait for a person to decide."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import streamlit as st

from kling.studio.actions import Actions
from kling.studio.identity.roles import Action
from kling.studio.jobs import Job
from pages._ui.context import studio
from pages._ui.current_user import acting
from pages._ui.decide import attempt, decide
from pages._ui.escape import escape_markdown
from pages._ui.format import counted, price
from pages._ui.session_state import app_state, composer_state


def banners() -> None:
    """Draw all of them."""
    here, user = studio(), acting()
    for warning in dict.fromkeys(here.warnings if user.may(Action.ORDER) else ()):
        st.warning(escape_markdown(warning), icon=":material/warning:")
    for warning in here.packs.warnings() if user.may(Action.SEE_ACCOUNT) else ():
        st.warning(escape_markdown(warning), icon=":material/battery_alert:")
    for hold in here.admission.holds:
        if hold.needs_person:
            st.warning(escape_markdown(hold.reason), icon=":material/front_hand:")
            if user.may(Action.RESUME):
                st.button("Resume", key=f"app.resume-{hold.code}", on_click=decide, args=(Actions.resume,))
            else:
                st.caption("An admin of the studio resumes it.")
        else:
            st.warning(
                escape_markdown(f"{hold.reason} It is tried again by itself."), icon=":material/warning:"
            )
    left = user.left()
    if len(left) == 1 and left[0].id not in composer_state().jobs:  # else its card says so
        label = "1 job was not sent, and waits for you to decide: see History"
        st.page_link("history.py", label=label, icon=":material/front_hand:")
    elif len(left) > 1:
        with st.container(border=True, key="left"):
            _left(left)


def _left(jobs: Sequence[Job]) -> None:
    """Let a person send or withdraw all of these jobs at once."""
    state, shown = app_state(), price_of(jobs)
    st.markdown(
        f":material/front_hand: **{len(jobs):,} jobs were not sent, and wait for you to decide.** "
        "Each says why: tick its row in History."
    )
    if state.confirm_withdraw == len(jobs):
        _confirm_withdrawing(jobs)
        return
    if state.confirm_send != shown:
        with st.container(horizontal=True):
            st.button("Send all", key="app.send_left", on_click=_ask_to_send, args=(shown,))
            st.button("Withdraw all", key="app.withdraw_left", on_click=_ask_to_withdraw, args=(len(jobs),))
        return
    st.markdown(
        f"Sending them orders **{counted(len(jobs), 'video', 'videos')}, for {escape_markdown(shown[1])}**."
    )
    with st.container(horizontal=True):
        st.button(
            f"Yes, send all {len(jobs):,}",
            key=f"app.yes-send-{shown}",  # a click on an older number finds no button
            type="primary",
            on_click=_send_all,
        )
        st.button("Not now", key="app.no-send", on_click=_ask_to_send, args=(None,))


def _ask_to_send(shown: tuple[int, str] | None) -> None:
    app_state().confirm_send = shown


def _ask_to_withdraw(number: int) -> None:
    app_state().confirm_withdraw = number


def _confirm_withdrawing(jobs: Sequence[Job]) -> None:
    whose = ", of everybody" if acting().may(Action.RESUME) else " of yours"
    st.markdown(f"**Withdraw {len(jobs):,} jobs{whose}?** This cannot be undone.")
    with st.container(horizontal=True):
        st.button(
            f"Yes, withdraw all {len(jobs):,}", key=f"app.yes-withdraw-{len(jobs)}", on_click=_withdraw_all
        )
        st.button("Not now", key="app.no-withdraw", on_click=_ask_to_withdraw, args=(0,))


def price_of(jobs: Sequence[Job]) -> tuple[int, str]:
    """Return how many jobs there are, and what they cost."""
    if studio().connection.is_sandbox:
        return len(jobs), "free"
    known = [units for job in jobs if (units := job.decimal("units")) is not None]
    words = price(sum(known, Decimal(0)))
    if missing := len(jobs) - len(known):
        words += f", and {missing:,} of them at a price that is not known"
    return len(jobs), words


def _send_all() -> None:
    _ask_to_send(None)
    if (count := attempt(Actions.send_left)) is not None:
        st.toast(f"{counted(count, 'job is', 'jobs are')} sent.", icon=":material/check:")


def _withdraw_all() -> None:
    _ask_to_withdraw(0)
    if (count := attempt(Actions.withdraw_left)) is not None:
        st.toast(f"{counted(count, 'job was', 'jobs were')} withdrawn.", icon=":material/check:")
