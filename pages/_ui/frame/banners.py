"""Above every page: warnings, holds, and the jobs that wait for a person to decide."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from decimal import Decimal

import streamlit as st

from kling.errors import MEANINGS
from kling.studio.actions import Actions
from kling.studio.holds import Hold
from kling.studio.identity.roles import Action
from kling.studio.jobs import Job
from pages._ui.context import studio
from pages._ui.current_user import acting
from pages._ui.decide import REFUSALS, attempt
from pages._ui.escape import escape_html, escape_markdown
from pages._ui.format import counted, first_sentence, price
from pages._ui.job.address import job_params
from pages._ui.session_state import app_state, composer_state
from pages._ui.words import CANCEL_ALL

ANSWERED = 8.0  # seconds for which a banner says what a press in it has done
ABOUT_MONEY = frozenset({1101, 1102})  # Kling's codes for arrears and for a pack that is used up
SHORT = {1102: "The Kling account has no Units left."}  # where the table of errors says more
TOP_UP = "https://app.klingai.com/global/dev"


def banners() -> None:
    """Draw all of them, each a row: what it is, what it means, at most one link, and the buttons."""
    here, user = studio(), acting()
    left = user.left()
    if len(left) == 1 and left[0].id in composer_state().jobs:
        left = []  # its card says so
    told = [*(here.warnings if user.may(Action.ORDER) else ())]
    told += here.packs.warnings() if user.may(Action.SEE_ACCOUNT) else ()
    holds = here.admission.holds
    with st.container(key="banners"):
        _answer()
        for number, hold in enumerate(holds):
            _hold(hold, number, is_alone=len(holds) + bool(left) + bool(told) == 1)
        if left:
            _left(left)
        if told:
            with _row("warning"):
                _warnings(list(dict.fromkeys(told)))


def _row(name: str) -> AbstractContextManager[object]:
    return st.container(key=f"banner-{name}", horizontal=True, vertical_alignment="center")


def _words(headline: str, rest: str, *, icon: str, more: Sequence[str] = (), label: str = "Why") -> None:
    """Draw a headline and what it means; a press shows more, which is long and would fill a phone's screen.

    Args:
        headline: in one short sentence.
        rest: what it means; a phone leaves it out where there is more or a button.
        icon: name of a Material icon.
        more: paragraphs that are folded.
        label: what is pressed for them.
    """
    meaning = f"<span>{escape_html(rest)}</span>" if more else escape_html(rest)
    said = f'<span class="studio-say"><b>{escape_html(headline)}</b> {meaning}</span>'
    if more:
        folded = "".join(f"<p>{escape_html(each)}</p>" for each in more)
        said = f"<details><summary>{said} <u>{label}</u></summary>{folded}</details>"
    sign = f'<span class="ms" aria-hidden="true">{icon}</span>'
    st.html(f'<div class="studio-banner" role="status">{sign}{said}</div>')


def _warnings(told: Sequence[str]) -> None:
    """Say the first sentence of the first one, and all the rest after a press."""
    first, *others = told
    start, rest = first_sentence(first)
    more = [*filter(None, [rest]), *others]
    _words(start, "", icon="warning", more=more, label=f"{len(others):,} more" if others else "More")


def _answer() -> None:
    """Say what a press in a banner has done, for a few seconds."""
    words, until = app_state().answer
    if words and time.monotonic() < until:
        with _row("ok"):
            _words(words, "", icon="check")


def _say(words: str) -> None:
    app_state().answer = (words, time.monotonic() + ANSWERED)


def _hold(hold: Hold, number: int, *, is_alone: bool) -> None:
    """Draw what holds orders back; beside other banners a phone has one line for it, and folds the rest."""
    waiting = studio().waiting
    wait = f"{counted(waiting, 'job waits', 'jobs wait')}, nothing is lost. " if waiting else ""
    short, _ = first_sentence(hold.reason)
    if hold.code in MEANINGS:
        short = SHORT.get(hold.code, MEANINGS[hold.code].what)
    more = [hold.reason] if short != hold.reason else []
    with _row(f"hold-{number}"):
        if not hold.needs_person:
            rest = f"{wait}It is tried again by itself."
            more = more if is_alone else [rest, *more]
            _words(short, rest, icon="hourglass_top", more=more, label="Why" if is_alone else "More")
            return
        may_resume = acting().may(Action.RESUME)
        rest = wait if may_resume else f"{wait}An admin of the studio resumes it."
        _words(f"Held: {short}", rest, icon="pause_circle", more=more)
        if hold.code in ABOUT_MONEY and acting().may(Action.SEE_ACCOUNT):
            st.page_link(TOP_UP, label="Top up at Kling", icon=":material/open_in_new:")
        if may_resume:
            st.button("Resume", key=f"app.resume-{hold.code}", type="primary", on_click=_resume)


def _resume() -> None:
    waiting = studio().waiting
    try:
        acting().resume()
    except REFUSALS as error:
        st.toast(escape_markdown(str(error)), icon=":material/warning:")
    else:
        _say(f"Resumed, {counted(waiting, 'job starts', 'jobs start')}." if waiting else "Resumed.")


def _left(jobs: Sequence[Job]) -> None:
    """Let a person send or cancel jobs that were not sent, all at once; one alone is decided at its place."""
    state, shown, number = app_state(), price_of(jobs), len(jobs)
    if number == 1:
        with _row("one"):
            _words("1 job was not sent,", "and waits for you to decide.", icon="pause_circle")
            st.page_link("job.py", label="See it", query_params=job_params(jobs[0].id))
        return
    with _row("left"):
        if state.confirm_withdraw == number:
            whose = ", of everybody" if acting().may(Action.RESUME) else " of yours"
            _words(f"Cancel {number:,} jobs{whose}?", "This cannot be undone.", icon="pause_circle")
            st.button(f"Yes, cancel all {number:,}", key=f"app.yes-withdraw-{number}", on_click=_withdraw_all)
            st.button("Not now", key="app.no-withdraw", on_click=_ask_to_withdraw, args=(0,))
        elif state.confirm_send == shown:
            _words(
                f"Send {number:,} jobs?",
                f"This generates {'it' if number == 1 else 'them'}, for {shown[1]}.",
                icon="pause_circle",
            )
            # A click on an older number finds no button.
            st.button(
                f"Yes, send all {number:,}", key=f"app.yes-send-{shown}", type="primary", on_click=_send_all
            )
            st.button("Not now", key="app.no-send", on_click=_ask_to_send, args=(None,))
        else:
            _words(
                f"{number:,} jobs were not sent, and wait for you to decide.",
                "Each says why in History.",
                icon="pause_circle",
            )
            st.button("Send all", key="app.send_left", on_click=_ask_to_send, args=(shown,))
            st.button(CANCEL_ALL, key="app.withdraw_left", on_click=_ask_to_withdraw, args=(number,))


def _ask_to_send(shown: tuple[int, str] | None) -> None:
    app_state().confirm_send = shown


def _ask_to_withdraw(number: int) -> None:
    app_state().confirm_withdraw = number


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
        _say(f"{counted(count, 'job is', 'jobs are')} sent.")


def _withdraw_all() -> None:
    _ask_to_withdraw(0)
    if (count := attempt(Actions.withdraw_left)) is not None:
        _say(f"{counted(count, 'job was', 'jobs were')} cancelled, nothing was spent.")
