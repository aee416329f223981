"""Compose: write a prompt, see its price, order it, and watch it become a video on the same page."""

from __future__ import annotations

import secrets
from decimal import Decimal

import streamlit as st

from kling import InvalidRequest, Problem
from kling.studio.ledger import LedgerError
from kling.studio.prompting.draft import MOST_TAKES, Draft
from kling.studio.prompting.matrix import ASK_AGAIN
from pages._ui.composer import advanced, autosave, camera, draft_state, options, prompt, storyboard, toolbar
from pages._ui.composer.field_errors import at_their_fields, open_panels
from pages._ui.composer.unkept import say_unkept
from pages._ui.composer.variations import Plan, hint, plan, variations
from pages._ui.context import studio
from pages._ui.escape import escape_markdown
from pages._ui.format import counted, price
from pages._ui.live import follow
from pages._ui.ordering import place_order, refusal_of
from pages._ui.session_jobs import now_running


def compose() -> None:
    open_the_draft()
    session = st.session_state
    draft = draft_state.apply_changes()
    planned = plan(draft)
    problems = problems_of(draft, planned) if session.outcome.get("attempted") else ()
    wrong = at_their_fields(problems)
    st.title("Compose")
    left, right = st.columns([3, 2], gap="large")
    with left:
        autosave.autosave(session.draft_id, prompt.walk)
        say_unkept()
        where_it_comes_from(draft)
        prompt.prompt(draft, wrong)
        toolbar.toolbar(draft)
        options.options(draft, wrong)
        options.notice(draft, session.notice)
        order(draft, planned)
        hint(draft)
        if session.outcome.get("refusal"):
            st.error(escape_markdown(session.outcome["refusal"]), icon=":material/warning:")
        elif problems:
            st.error("Nothing was sent: mend what is marked.", icon=":material/warning:")
        prompt.negative_prompt(draft, wrong)
        variations(draft, planned)
        storyboard.storyboard(draft, wrong)
        camera.camera(draft, wrong)
        advanced.advanced(draft, wrong)
    with right:
        ticks = planned.key or "rows"
        follow(
            lambda: now_running(session.made),
            "tasks",
            beside=lambda: (draft_state.fingerprint(), repr(session.get(ticks))),
            asked_by=draft_state.drop_stale_edits,
        )
    st.html(f'<i data-run="{session.run}" hidden></i>')  # at the end: what is above it has been drawn


def problems_of(draft: Draft, planned: Plan) -> tuple[Problem, ...]:
    """Return what keeps the draft, or any of its variations, from being sent."""
    if not draft.variations:
        return draft.request().problems(retired_ok=studio().connection.is_sandbox)
    if planned.table is None or planned.table.rows:
        return ()
    return tuple(dict.fromkeys(each for row in planned.table.left_out for each in row.problems))


def open_the_draft() -> None:
    """Fill the form with what the page's address names: a draft, or a task to make another one from."""
    session, address = st.session_state, st.query_params
    asked, origin = address.get("draft", ""), address.get("from", "")
    # The script in the page puts the draft's own id there a moment later: until then nothing opens twice.
    if asked == session.get("draft_id"):
        session.asked = ""
    if not origin:
        session.origin = ""
    if origin and origin != session.get("origin") and (job := studio().ledger.get(origin)) is not None:
        remade = Draft.from_request(job.request, parent=job.id)
        session.chosen = toolbar.Chosen("", remade, before=session.get("draft_id", ""))
        session.origin = origin
    elif "draft_id" not in session or (asked and asked not in {session.draft_id, session.get("asked")}):
        session.chosen = toolbar.Chosen(asked)
    toolbar.open_what_was_chosen()


def where_it_comes_from(draft: Draft) -> None:
    session = st.session_state
    if session.copied:
        st.info("This is your own copy of the draft behind that link.", icon=":material/content_copy:")
    parent = studio().ledger.get(draft.parent) if draft.parent else None
    if parent is None:
        return
    st.page_link(
        "history.py",
        label="Made from an earlier task",
        icon=":material/account_tree:",
        query_params={"task": parent.id},
    )


def order(draft: Draft, planned: Plan) -> None:
    """Draw how many takes, and the button with what they cost."""
    session = st.session_state
    number, units = shown = bill(draft, planned)
    sandbox = studio().connection.is_sandbox
    parts = ["Generate" if number == 1 else f"Generate {number:,}"]
    if units is not None or not sandbox:
        parts.append(price(units))
    if sandbox:
        parts.append("free in the sandbox")
    with st.container(key="order"):
        left, right = st.columns([1, 2], vertical_alignment="bottom")
        left.segmented_control(
            "Takes",
            range(1, MOST_TAKES + 1),
            required=True,
            help="The same order several times, each paid for; no two turn out the same.",
            width="stretch",
            **draft_state.keep("takes"),
        )
        right.button(
            " · ".join(parts),
            type="primary",
            width="stretch",
            shortcut="Ctrl+Enter",
            on_click=generate,
            args=(shown,),
            wrap=True,
            key=f"generate-{number}-{units}",  # a click on a price that is gone finds no button
        )
    if session.outcome.get("sure") == shown:
        with st.container(border=True, key="sure"):
            st.markdown(f"**This orders {number:,} videos at once, for {escape_markdown(price(units))}.**")
            st.button(
                f"Yes, order all {number:,}",
                on_click=generate,
                args=(shown, True),
                key="sure_button",
                type="primary",
            )


def bill(draft: Draft, planned: Plan) -> tuple[int, Decimal | None]:
    """Return how many videos one press orders, and what they cost in Units."""
    units = None if planned.units is None else planned.units * draft.takes
    return len(planned.requests) * draft.takes, units


def generate(shown: tuple[int, Decimal | None], sure: bool = False) -> None:
    """Order the draft, for what the button said.

    The session is read first: Streamlit may stop a run at each look at it.
    """
    session = st.session_state
    if session.get("chosen"):
        return  # the form is just being filled with something else
    outcome = session.outcome
    draft = draft_state.apply_changes()
    planned = plan(draft)
    outcome.clear()
    outcome["attempted"] = True
    number, units = bill(draft, planned)
    if planned.problem or not number:
        outcome["refusal"] = planned.problem or "Nothing was sent: no row of the variations is ticked."
        return
    if (number, units) != shown:
        outcome["refusal"] = (
            "Nothing was sent: this costs something else than the button said when it was pressed. "
            "It says so now; press again."
        )
        return
    if number >= ASK_AGAIN and not sure:
        outcome["sure"] = shown
        return
    group = secrets.token_hex(8) if draft.variations else ""
    requests = [request for request in planned.requests for _ in range(draft.takes)]
    try:
        jobs = place_order(requests, parent=draft.parent, group=group)
    except InvalidRequest as error:
        open_panels(error.problems)
        return
    except LedgerError as error:
        outcome["refusal"] = refusal_of(error)
        return
    outcome.clear()
    st.toast(f"Ordered {counted(len(jobs), 'video', 'videos')}.", icon=":material/check:")


compose()
