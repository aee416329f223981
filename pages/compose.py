"""Compose: write a prompt, see its price, order it, and watch it become a video on the same page."""

from __future__ import annotations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from kling import Problem
from kling.endpoint import key_problems
from kling.studio.identity.roles import Action
from kling.studio.prompting.draft import Draft
from pages._ui.ask_name import ask_name
from pages._ui.budget_words import budget
from pages._ui.composer import (
    advanced,
    autosave,
    camera,
    draft_state,
    dropping,
    options,
    pictures,
    prompt,
    toolbar,
)
from pages._ui.composer.field_errors import FieldErrors
from pages._ui.composer.order import order
from pages._ui.composer.unsaved_draft import say_unkept
from pages._ui.composer.variations import Plan, hint, plan, variations
from pages._ui.context import studio
from pages._ui.current_user import acting, send_cookies
from pages._ui.escape import escape_html, escape_markdown
from pages._ui.format import prompt_of
from pages._ui.job.address import job_params
from pages._ui.live import live_fragment, page_is_old_when, part_of_page
from pages._ui.requests import draft_of
from pages._ui.session_state import PendingDraft, PictureNews, app_state, composer_state
from pages._ui.stage.cards import newest_order
from pages._ui.stage.stage import concerned, is_stage_old, stage
from pages._ui.words import NOT_A_MAKER

LONGEST_NAME = 32  # characters of the prompt of the job that the draft was made from


def compose() -> None:
    if not acting().may(Action.ORDER):
        leave_form()
        return
    page_is_old_when(is_form_old)
    app_state().address = "compose", {}  # where Compare leads back to
    open_draft_of_address()
    with st.container(key="compose"):
        with st.container(key="stage"):
            live_fragment(
                stage,
                "tasks",
                concerns=concerned,
                on_stale_page=draft_state.drop_stale_edits,
            )
        part_of_page(form, is_page_old=is_rest_old)


def form() -> None:
    """Draw the column of controls. It runs alone after a change in it, which so costs half of a whole run."""
    state = composer_state()
    draft = draft_state.apply_changes()
    planned = plan(draft)
    state.drawn_from = draft_state.fingerprint(draft), planned.key, ticked_rows(planned.key)
    problems = problems_of(draft, planned) if state.outcome.attempted else ()
    with st.container(key="column"):
        choices = st.container(key="fields")
        with choices:
            fields(draft, planned, FieldErrors(problems))
        with st.container(key="pinned"):
            ask_name()
            order(draft, planned, problems)
            send_cookies()  # of a name that was just given
        newest = escape_html(newest_order())
        seen = f'data-run="{state.run}" data-pressed="{state.pressed}" data-newest="{newest}"'
        choices.html(f"<i {seen} hidden></i>")  # last: everything else has been drawn


def is_form_old() -> bool:
    """Whether the form is drawn from something else than the session holds now."""
    state = composer_state()
    drawn, key, ticked = state.drawn_from
    now = draft_state.fingerprint(draft_state.read_draft(), state.dialog)
    return drawn != now or ticked != ticked_rows(key)


def is_rest_old() -> bool:
    """Whether the stage, or the whole page, has to be drawn again after a press in the form."""
    return composer_state().pending is not None or is_stage_old()


def fields(draft: Draft, planned: Plan, errors: FieldErrors) -> None:
    """Draw everything that is chosen or written before the button is pressed.

    What is not always there lies in a part that is: else all that follows would move to the places of others,
    and Streamlit would show it in both until the run has ended (seen with 1.67, no issue known).
    """
    autosave.autosave(prompt.walk)
    dropping.dropping(toolbar.begin_with)
    with _part("news"):
        say_unkept()
        if composer_state().is_copy:
            st.info("This is your own copy of the draft behind that link.", icon=":material/content_copy:")
    with _part("tools"):
        toolbar.toolbar(draft)
    with _part("words"):
        prompt.prompt(draft, errors)
    pictures.pictures(draft, errors)
    with _part("versions"):
        hint(draft, planned)
    origin_of(draft)
    with _part("options"):
        options.options(draft, errors)
    with _part("budget"):
        budget()
    with st.container(key="panels"):
        camera.camera(draft, errors)
        prompt.avoid(draft, errors)
        variations(draft, planned)
        advanced.advanced(draft, errors)
        toolbar.helps(draft)


def _part(name: str) -> DeltaGenerator:
    """Return a place for a part of the form, which looks like nothing and takes no room while it is empty."""
    return st.container(key=f"fields-{name}")


def leave_form() -> None:
    """Lead who may only look to History; say so if the form was open, or was asked for."""
    if composer_state().is_open or st.query_params:
        # A toast of this run would be lost: the next page is drawn at once.
        app_state().led_here = NOT_A_MAKER
    composer_state().is_open = False
    st.switch_page("history.py")


def ticked_rows(key: str) -> str:
    """Return what the widget of the table of variations says, if the page has one.

    Args:
        key: of that widget; empty without a table.
    """
    return repr(st.session_state.get(key)) if key else ""


def problems_of(draft: Draft, planned: Plan) -> tuple[Problem, ...]:
    """Return what is wrong with the draft, or with all of its variations."""
    if not draft.variations:
        request = draft.request()
        broken = request.problems(retired_ok=studio().connection.is_sandbox)
        return (*broken, *key_problems(request, studio().settings.credentials))
    if planned.table is None:
        return ()
    if planned.table.rows:
        credentials = studio().settings.credentials
        return tuple(
            dict.fromkeys(each for row in planned.requests for each in key_problems(row, credentials))
        )
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
    frame, problem = address.get("frame", ""), ""
    if job is not None and frame:
        remade, problem = pictures.start_from_frame(job_id, frame)
    else:
        remade = draft_of(job) if job is not None else None
    if remade is not None:
        state.pending = PendingDraft("", remade, previous_draft=state.draft_id)
        state.seen_job_id = job_id
    elif not state.is_open or (draft_id and draft_id not in {state.draft_id, state.seen_draft_id}):
        state.pending = PendingDraft(draft_id)
    toolbar.open_pending_draft()
    if problem:
        state.picture_news, state.seen_job_id = PictureNews(problem), job_id


def origin_of(draft: Draft) -> None:
    """Lead in one row to the job that the draft was made from, and back to the draft before it."""
    parent = studio().ledger.get(draft.parent) if draft.parent else None
    with st.container(horizontal=True, key="origin"):
        if parent is not None:
            words = " ".join(prompt_of(parent).split())
            words = words if len(words) <= LONGEST_NAME else f"{words[:LONGEST_NAME].rstrip()}…"
            st.page_link(
                "job.py",
                label=f"{'Continues' if draft.continues else 'From'}: {escape_markdown(words)}",
                icon=":material/account_tree:",
                query_params=job_params(parent.id, page="compose"),
            )
            st.button(
                "Not made from it",
                type="tertiary",
                icon=":material/close:",
                key="composer.cut_origin",
                help="Not made from it",
                on_click=draft_state.replace_draft,
                kwargs={"parent": "", "continues": False},
            )
        toolbar.way_back()


compose()
