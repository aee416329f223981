"""What concerns more than one job, above every page: warnings, holds, and jobs that were left to a person."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from decimal import Decimal

import streamlit as st

from kling.studio.jobs import Job, StateChanged
from kling.studio.ledger import LedgerError
from pages._ui.running import studio
from pages._ui.words import counted, plain, price

SEVERAL = 2  # jobs that were left; one is told on its own card


def banners() -> None:
    """Draw all of them."""
    here = studio()
    for warning in dict.fromkeys(here.warnings):
        st.warning(plain(warning), icon=":material/warning:")
    for hold in here.holds:
        st.warning(plain(hold.reason), icon=":material/front_hand:")
        if hold.needs_person:
            st.button("Resume", key=f"resume-{hold.code}", on_click=here.resume)
    if len(left := here.left()) >= SEVERAL:
        with st.container(border=True, key="left"):
            _left(left)


def _left(jobs: Sequence[Job]) -> None:
    """Let a person send or withdraw everything that was left to them, in one go."""
    session, shown = st.session_state, _bill(jobs)
    st.markdown(
        f":material/front_hand: **{counted(len(jobs), 'job was', 'jobs were')} not sent, and "
        f"{'waits' if len(jobs) == 1 else 'wait'} for you to decide.** Each says why in History."
    )
    if session.get("left_sure") != shown:
        with st.container(horizontal=True):
            st.button("Send all", key="send-left", on_click=lambda: session.update(left_sure=shown))
            st.button("Withdraw all", key="withdraw-left", on_click=_withdraw_all)
        return
    st.markdown(f"Sending them orders **{counted(len(jobs), 'video', 'videos')}, for {plain(shown[1])}**.")
    with st.container(horizontal=True):
        st.button(
            f"Yes, send all {len(jobs):,}",
            key=f"yes-send-left-{shown}",  # a click on a number that is gone finds no button
            type="primary",
            on_click=_send_all,
        )
        st.button("Not now", key="no-send-left", on_click=lambda: session.pop("left_sure", None))


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
        st.toast(f"{counted(studio().send_left(), 'job is', 'jobs are')} sent.", icon=":material/check:")


def _withdraw_all() -> None:
    here, count = studio(), 0
    with _told():
        for job in here.left():
            with suppress(StateChanged):
                here.withdraw(job.id)
                count += 1
        st.toast(f"{counted(count, 'job was', 'jobs were')} withdrawn.", icon=":material/check:")


@contextmanager
def _told() -> Iterator[None]:
    """Say in a toast that the log cannot be written."""
    try:
        yield
    except LedgerError as error:
        st.toast(plain(str(error)), icon=":material/warning:")
