"""What concerns more than one job, above every page: warnings, holds, and jobs that were left to a person."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from decimal import Decimal

import streamlit as st

from kling.studio.jobs import Job, StateChanged
from kling.studio.ledger import LedgerError
from pages._ui.context import studio
from pages._ui.escape import escape_markdown
from pages._ui.format import counted, price


def banners() -> None:
    """Draw all of them."""
    here = studio()
    for warning in dict.fromkeys(here.warnings):
        st.warning(escape_markdown(warning), icon=":material/warning:")
    for hold in here.admission.holds:
        if hold.needs_person:
            st.warning(escape_markdown(hold.reason), icon=":material/front_hand:")
            st.button("Resume", key=f"resume-{hold.code}", on_click=here.resume)
        else:
            st.warning(
                escape_markdown(f"{hold.reason} It is tried again by itself."), icon=":material/warning:"
            )
    left = here.orders.left()
    if len(left) == 1 and left[0].id not in st.session_state.get("made", ()):  # else its card says so
        label = "1 job was not sent, and waits for you to decide: see History"
        st.page_link("history.py", label=label, icon=":material/front_hand:")
    elif len(left) > 1:
        with st.container(border=True, key="left"):
            _left(left)


def _left(jobs: Sequence[Job]) -> None:
    """Let a person send or withdraw everything that was left to them, in one go."""
    session, shown = st.session_state, _bill(jobs)
    st.markdown(
        f":material/front_hand: **{len(jobs):,} jobs were not sent, and wait for you to decide.** "
        "Each says why: tick its row in History."
    )
    if session.get("withdraw_sure") == len(jobs):
        _sure_to_withdraw(jobs)
        return
    if session.get("left_sure") != shown:
        with st.container(horizontal=True):
            st.button("Send all", key="send-left", on_click=lambda: session.update(left_sure=shown))
            sure = {"withdraw_sure": len(jobs)}
            st.button("Withdraw all", key="withdraw-left", on_click=lambda: session.update(sure))
        return
    st.markdown(
        f"Sending them orders **{counted(len(jobs), 'video', 'videos')}, for {escape_markdown(shown[1])}**."
    )
    with st.container(horizontal=True):
        st.button(
            f"Yes, send all {len(jobs):,}",
            key=f"yes-send-left-{shown}",  # a click on a number that is gone finds no button
            type="primary",
            on_click=_send_all,
        )
        st.button("Not now", key="no-send-left", on_click=lambda: session.pop("left_sure", None))


def _sure_to_withdraw(jobs: Sequence[Job]) -> None:
    session = st.session_state
    st.markdown(f"**Withdraw {len(jobs):,} jobs, of everybody?** This cannot be undone.")
    with st.container(horizontal=True):
        st.button(f"Yes, withdraw all {len(jobs):,}", key=f"yes-withdraw-{len(jobs)}", on_click=_withdraw_all)
        st.button("Not now", key="no-withdraw", on_click=lambda: session.pop("withdraw_sure", None))


def _bill(jobs: Sequence[Job]) -> tuple[int, str]:
    """Return how many jobs there are, and what they cost."""
    if studio().connection.is_sandbox:
        return len(jobs), "free"
    known = [units for job in jobs if (units := job.decimal("units")) is not None]
    words = price(sum(known, Decimal(0)))
    if missing := len(jobs) - len(known):
        words += f", and {missing:,} of them at a price that is not known"
    return len(jobs), words


def _send_all() -> None:
    st.session_state.pop("left_sure", None)
    with _told():
        st.toast(
            f"{counted(studio().orders.send_left(), 'job is', 'jobs are')} sent.", icon=":material/check:"
        )


def _withdraw_all() -> None:
    st.session_state.pop("withdraw_sure", None)
    here, count = studio(), 0
    with _told():
        for job in here.orders.left():
            with suppress(StateChanged):
                here.orders.withdraw(job.id)
                count += 1
        st.toast(f"{counted(count, 'job was', 'jobs were')} withdrawn.", icon=":material/check:")


@contextmanager
def _told() -> Iterator[None]:
    """Say in a toast that the log cannot be written."""
    try:
        yield
    except LedgerError as error:
        st.toast(escape_markdown(str(error)), icon=":material/warning:")
