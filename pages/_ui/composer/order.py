"""The button that orders, with how many videos and what they cost; always in sight."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from decimal import Decimal

import streamlit as st

from kling import InvalidRequest, Problem
from kling.studio import amounts
from kling.studio.prompting.draft import MOST_TAKES, Draft
from kling.studio.prompting.matrix import ASK_AGAIN
from pages._ui.composer import draft_state
from pages._ui.composer.field_errors import open_panels
from pages._ui.composer.variations import Plan, plan
from pages._ui.context import studio
from pages._ui.escape import escape_attribute, escape_html
from pages._ui.format import cost_now, counted, first_sentence, in_money, span
from pages._ui.place_order import REFUSALS, place_order, refusal_of
from pages._ui.session_state import Bill, Outcome, composer_state
from pages._ui.words import FIX_MARKED, GENERATE, TAKES, TAKES_HELP


def order(draft: Draft, planned: Plan, problems: Sequence[Problem]) -> None:
    """Draw how many, what is said about the last press, the price in Units, and the button."""
    number, units = shown = bill(draft, planned)
    outcome = composer_state().outcome
    if outcome.refusal:
        st.html(_refused(outcome.refusal))
    elif problems:
        # No second red box: what is wrong stands in one at its field.
        st.html(f'<p class="studio-fix" role="alert">{FIX_MARKED}</p>')
    if outcome.to_confirm == shown:
        _question(shown)
    st.segmented_control(
        TAKES, range(1, MOST_TAKES + 1), required=True, help=TAKES_HELP, **draft_state.persistent("takes")
    )
    st.html(_facts(draft, planned, shown))
    st.button(
        label(shown),
        type="primary",
        width="stretch",
        shortcut="Ctrl+Enter",
        on_click=generate,
        args=(shown, str(composer_state().run)),
        wrap=True,
        key=f"composer.generate-{number}-{units}",  # a click on an older price finds no button
    )


def _refused(words: str) -> str:
    """Return a headline and one line as HTML: nothing is ordered, and why; a press shows the rest."""
    headline, rest = first_sentence(words)
    line, more = first_sentence(rest)
    said = f"<b>{escape_html(headline)}</b> {escape_html(line)}".rstrip()
    if more:
        said = f"<details><summary>{said} <u>What to do</u></summary><p>{escape_html(more)}</p></details>"
    return f'<div class="studio-fix" role="alert">{said}</div>'


def label(shown: Bill) -> str:
    """Return what the button says, such as `Generate 3 · $0.63`; a phone leaves out what is in asterisks."""
    number, units = shown
    if not number:
        return GENERATE  # a press says what is missing
    word = GENERATE if number == 1 else f"{GENERATE} {number:,}"
    if not studio().connection.is_sandbox:
        return f"{word} · {in_money(units)}"
    return f"{word} · free" if units is None else f"{word} · free *(Kling: {in_money(units)})*"


def _facts(draft: Draft, planned: Plan, shown: Bill) -> str:
    """Return the line beside the button: in Units for the column, as a sentence where there is more room."""
    number, units = shown
    usual = studio().duration_estimate(planned.requests[0]) if planned.requests else None
    time = span((usual.low + usual.high) / 2) if usual else ""
    short = [_in_units(units)] if units is not None else []
    long = f"{counted(number, 'clip', 'clips')} of {draft.duration} s" if number else "No clip"
    if time:
        short.append(escape_html(f"usually {time}"))
        long += f", usually ready in {time}"
    if any(hold.needs_person for hold in studio().admission.holds):
        short, long = ["starts after Resume"], f"{long}, starts after Resume"
    return f'<div class="studio-order"><span>{", ".join(short)}</span><span>{escape_html(long)}</span></div>'


def _in_units(number: Decimal) -> str:
    """Return a price in Units as HTML, which says what a Unit is."""
    said = escape_attribute(f"Kling counts in Units. One costs {in_money(Decimal(1))}.")
    return f'<abbr title="{said}">{escape_html(amounts.units(number))}</abbr>'


def _question(shown: Bill) -> None:
    number, units = shown
    with st.container(key="sure"):
        cost = escape_html(cost_now(units))
        st.html(f'<b role="alert">This generates {number:,} clips at once: {cost}.</b>')
        with st.container(horizontal=True):
            st.button(
                f"Yes, generate all {number:,}",
                on_click=generate,
                args=(shown, str(composer_state().run), True),
                key="composer.confirm_order",
            )
            st.button("Not now", type="tertiary", on_click=_take_back, key="composer.not_now")


def _take_back() -> None:
    composer_state().outcome = Outcome()


def bill(draft: Draft, planned: Plan) -> Bill:
    """Return how many videos one press orders, and what they cost in Units."""
    units = None if planned.units is None else planned.units * draft.takes
    return len(planned.requests) * draft.takes, units


def generate(shown: Bill, run: str, sure: bool = False) -> None:
    """Order the draft, for what the button said.

    Args:
        shown: the number of videos and their price, as they stood on the button.
        run: number of the run that drew the button. What a later run has changed, such as the quality that
            sound needs, the page had not shown yet: its older value is nobody's choice.
        sure: the person has confirmed a large number.
    """
    state = composer_state()
    state.pressed += 1
    if state.pending:
        return  # the form is about to be filled with another draft
    draft_state.drop_stale_edits(run)
    draft = draft_state.apply_changes()
    planned = plan(draft)
    number, units = bill(draft, planned)
    refusal, to_confirm = "", None
    if planned.table is not None and not planned.table.rows:
        # None of them can be ordered: the form says why at its fields.
        state.outcome = Outcome(attempted=True)
        open_panels([problem for left_out in planned.table.left_out for problem in left_out.problems])
        return
    if planned.problem or not number:
        refusal = planned.problem or "Nothing was sent: no row of the variations is ticked."
    elif (number, units) != shown:
        makes = f"makes {counted(number, 'clip', 'clips')} instead of {shown[0]:,}, as"
        what = "costs something else than" if number == shown[0] else makes
        refusal = (
            f"Nothing was sent: this {what} the button said when it was pressed. It says so now; press again."
        )
    elif number >= ASK_AGAIN and not sure:
        to_confirm = shown
    state.outcome = Outcome(attempted=True, refusal=refusal, to_confirm=to_confirm)
    if refusal or to_confirm:
        return
    group = secrets.token_hex(8) if number > 1 else ""  # what one press makes is one card
    requests = [request for request in planned.requests for _ in range(draft.takes)]
    try:
        place_order(requests, parent=draft.parent, group=group, continues=draft.continues)
    except InvalidRequest as error:
        open_panels(error.problems)
        return
    except REFUSALS as error:
        state.outcome = Outcome(attempted=True, refusal=refusal_of(error))
        return
    state.outcome = Outcome()
