"""Compose: write a prompt, see its price, order it, and watch it become a video on the same page."""

from __future__ import annotations

import secrets

import streamlit as st

from kling import InvalidRequest, Problem
from kling.studio.identity.roles import Action
from kling.studio.prompting.draft import MOST_TAKES, Draft
from kling.studio.prompting.matrix import ASK_AGAIN
from pages._ui.ask_name import ask_name
from pages._ui.budget_words import budget
from pages._ui.composer import advanced, autosave, camera, draft_state, options, prompt, storyboard, toolbar
from pages._ui.composer.field_errors import ShowErrors, errors_by_field, open_panels
from pages._ui.composer.foreign_syntax import foreign_syntax_notes
from pages._ui.composer.unsaved_draft import say_unkept
from pages._ui.composer.variations import Plan, hint, plan, variations
from pages._ui.context import studio
from pages._ui.current_user import acting
from pages._ui.escape import escape_markdown
from pages._ui.format import counted, price
from pages._ui.live import live_fragment
from pages._ui.place_order import REFUSALS, place_order, refusal_of
from pages._ui.requests import draft_of
from pages._ui.session_state import Bill, Outcome, PendingDraft, composer_state
from pages._ui.stage.session_jobs import session_jobs


def compose() -> None:
    if not acting().may(Action.ORDER):
        leave_form()
        return
    open_draft_of_address()
    state = composer_state()
    draft = draft_state.apply_changes()
    planned = plan(draft)
    problems = problems_of(draft, planned) if state.outcome.attempted else ()
    errors = errors_by_field(problems)
    with st.container(key="compose"):
        with st.container(key="stage"):
            live_fragment(
                lambda: session_jobs(state.jobs),
                "tasks",
                concerns=lambda: state.jobs,
                rerun_page_if_changed=lambda: (draft_state.fingerprint(), repr(ticked_rows(planned))),
                on_stale_page=draft_state.drop_stale_edits,
            )
        with st.container(key="column"):
            with st.container(key="fields"):
                fields(draft, planned, errors, has_problems=bool(problems))
            with st.container(key="pinned"):
                order(draft, planned)
    st.html(f'<i data-run="{state.run}" hidden></i>')  # at the end: everything above it has been drawn


def fields(draft: Draft, planned: Plan, errors: ShowErrors, *, has_problems: bool) -> None:
    """Draw everything that is chosen or written before the button is pressed."""
    state = composer_state()
    autosave.autosave(prompt.walk)
    say_unkept()
    origin_of(draft)
    prompt.prompt(draft, errors)
    toolbar.toolbar(draft)
    options.options(draft, errors)
    if state.notice:
        options.notice(draft, state.notice)
    budget()
    ask_name()
    hint(draft)
    foreign_syntax_notes(draft)
    if state.outcome.refusal:
        st.error(escape_markdown(state.outcome.refusal), icon=":material/warning:")
    elif has_problems:
        st.error("Nothing was sent: mend what is marked.", icon=":material/warning:")
    prompt.negative_prompt(draft, errors)
    variations(draft, planned)
    storyboard.storyboard(draft, errors)
    camera.camera(draft, errors)
    advanced.advanced(draft, errors)


def leave_form() -> None:
    """Lead who may only look to History; say so if the form was open, or was asked for."""
    if composer_state().is_open or st.query_params:
        st.toast("Making videos takes the role maker. Ask an admin of the studio.", icon=":material/lock:")
    composer_state().is_open = False
    st.switch_page("history.py")


def ticked_rows(planned: Plan) -> object:
    """Return what the widget of the table of variations says, if the page has one."""
    return st.session_state.get(planned.key) if planned.key else None


def problems_of(draft: Draft, planned: Plan) -> tuple[Problem, ...]:
    """Return what is wrong with the draft, or with all of its variations."""
    if not draft.variations:
        return draft.request().problems(retired_ok=studio().connection.is_sandbox)
    if planned.table is None or planned.table.rows:
        return ()
    return tuple(dict.fromkeys(each for row in planned.table.left_out for each in row.problems))


def open_draft_of_address() -> None:
    """Fill the form with what the page's address names: a draft, or a job to make another one from.

    autosave.js puts the id of the opened draft into the address a moment later. Until then the address names
    what has been dealt with already, and nothing is opened a second time.
    """
    state, address = composer_state(), st.query_params
    draft_id, job_id = address.get("draft", ""), address.get("from", "")
    if draft_id == state.draft_id:
        state.seen_draft_id = ""
    if not job_id:
        state.seen_job_id = ""
    job = studio().ledger.get(job_id) if job_id and job_id != state.seen_job_id else None
    remade = draft_of(job) if job is not None else None
    if remade is not None:
        state.pending = PendingDraft("", remade, previous_draft=state.draft_id)
        state.seen_job_id = job_id
    elif not state.is_open or (draft_id and draft_id not in {state.draft_id, state.seen_draft_id}):
        state.pending = PendingDraft(draft_id)
    toolbar.open_pending_draft()


def origin_of(draft: Draft) -> None:
    if composer_state().is_copy:
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
            **draft_state.persistent("takes"),
        )
        right.button(
            " · ".join(parts),
            type="primary",
            width="stretch",
            shortcut="Ctrl+Enter",
            on_click=generate,
            args=(shown,),
            wrap=True,
            key=f"composer.generate-{number}-{units}",  # a click on an older price finds no button
        )
    if composer_state().outcome.to_confirm == shown:
        with st.container(border=True, key="sure"):
            st.markdown(f"**This orders {number:,} videos at once, for {escape_markdown(price(units))}.**")
            st.button(
                f"Yes, order all {number:,}",
                on_click=generate,
                args=(shown, True),
                key="composer.confirm_order",
                type="primary",
            )


def bill(draft: Draft, planned: Plan) -> Bill:
    """Return how many videos one press orders, and what they cost in Units."""
    units = None if planned.units is None else planned.units * draft.takes
    return len(planned.requests) * draft.takes, units


def generate(shown: Bill, sure: bool = False) -> None:
    """Order the draft, for what the button said.

    Args:
        shown: the number of videos and their price, as they stood on the button.
        sure: the person has confirmed a large number.
    """
    state = composer_state()
    if state.pending:
        return  # the form is about to be filled with another draft
    draft = draft_state.apply_changes()
    planned = plan(draft)
    number, units = bill(draft, planned)
    refusal, to_confirm = "", None
    if planned.problem or not number:
        refusal = planned.problem or "Nothing was sent: no row of the variations is ticked."
    elif (number, units) != shown:
        refusal = (
            "Nothing was sent: this costs something else than the button said when it was pressed. "
            "It says so now; press again."
        )
    elif number >= ASK_AGAIN and not sure:
        to_confirm = shown
    state.outcome = Outcome(attempted=True, refusal=refusal, to_confirm=to_confirm)
    if refusal:
        say(refusal)
    if refusal or to_confirm:
        return
    group = secrets.token_hex(8) if draft.variations else ""
    requests = [request for request in planned.requests for _ in range(draft.takes)]
    try:
        jobs = place_order(requests, parent=draft.parent, group=group)
    except InvalidRequest as error:
        open_panels(error.problems)
        return
    except REFUSALS as error:
        state.outcome = Outcome(attempted=True, refusal=refusal_of(error))
        say(state.outcome.refusal)
        return
    state.outcome = Outcome()
    st.toast(f"Ordered {counted(len(jobs), 'video', 'videos')}.", icon=":material/check:")


def say(refusal: str) -> None:
    """Say a refusal where it is in view: its box may be under the fold, on a phone below the button."""
    st.toast(escape_markdown(refusal), icon=":material/warning:", duration="long")


compose()
