"""Compose: write a prompt, see its price, order it, and watch it become a video on the same page."""

from __future__ import annotations

import secrets

import streamlit as st

from kling import InvalidRequest
from kling.studio.csvlog import LogError
from kling.studio.draft import MOST_TAKES, Draft
from pages._ui.form import desk, fields, more, options, prompt
from pages._ui.form.problems import at_their_fields
from pages._ui.live import follow
from pages._ui.now_running import now_running
from pages._ui.running import studio
from pages._ui.words import plain, price


def compose() -> None:
    open_the_draft()
    session = st.session_state
    draft = fields.settle()
    problems = draft.request().problems() if session.outcome.get("attempted") else ()
    wrong = at_their_fields(problems)
    st.title("Compose")
    left, right = st.columns([3, 2], gap="large")
    with left:
        desk.desk(session.draft_id, prompt.walk)
        where_it_comes_from(draft)
        prompt.prompt(draft, wrong)
        options.options(draft, wrong)
        options.notice(draft, session.notice)
        order(draft)
        if session.outcome.get("refusal"):
            st.error(plain(session.outcome["refusal"]), icon=":material/warning:")
        elif problems:
            st.error("Nothing was sent: mend what is marked.", icon=":material/warning:")
        prompt.negative_prompt(draft, wrong)
        more.camera(draft, problems, wrong)
        more.storyboard(draft, problems, wrong)
        more.more(draft, problems, wrong)
    with right:
        follow(lambda: now_running(session.made), "tasks")


def open_the_draft() -> None:
    """Fill the form with what the page's address names: a draft, or a task to make another one from."""
    session, address = st.session_state, st.query_params
    session.setdefault("session", secrets.token_hex(8))
    asked, origin = address.get("draft", ""), address.get("from", "")
    # The script in the page puts the draft's own id there a moment later: until then nothing opens twice.
    if asked == session.get("draft_id"):
        session.asked = ""
    if not origin:
        session.origin = ""
    if origin and origin != session.get("origin") and (job := studio().job(origin)) is not None:
        session.origin, session.before = origin, session.get("draft_id", "")
        fields.open_draft("", origin=Draft.of(job.request, parent=job.id))
    elif "draft_id" not in session or (asked and asked not in {session.draft_id, session.get("asked")}):
        session.asked = asked
        fields.open_draft(asked)


def where_it_comes_from(draft: Draft) -> None:
    session = st.session_state
    if session.copied:
        st.info("This is your own copy of the draft behind that link.", icon=":material/content_copy:")
    parent = studio().job(draft.parent) if draft.parent else None
    if parent is None:
        return
    with st.container(horizontal=True, vertical_alignment="center", key="origin"):
        st.page_link(
            "history.py",
            label="Made from an earlier task",
            icon=":material/account_tree:",
            query_params={"task": parent.id},
        )
        if session.get("before"):
            st.button("Back to the draft you had", on_click=go_back, icon=":material/undo:", type="tertiary")


def go_back() -> None:
    session = st.session_state
    session.asked, before = session.draft_id, session.before
    session.before = ""
    fields.open_draft(before)


def order(draft: Draft) -> None:
    """Draw how many takes, and the button with what they cost."""
    session = st.session_state
    units = session.shown_price = fields.price_of(draft)
    sandbox = studio().connection.is_sandbox
    parts = ["Generate" if draft.takes == 1 else f"Generate {draft.takes}"]
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
            **fields.keep("takes"),
        )
        right.button(
            " · ".join(parts),
            type="primary",
            width="stretch",
            shortcut="Ctrl+Enter",
            on_click=generate,
            key="generate",
        )


def generate() -> None:
    """Order the draft. The session is read first: Streamlit may stop a run at each look at it."""
    session = st.session_state
    made, outcome, draft_id = session.made, session.outcome, session.draft_id
    person, token, browser = session.get("person_field", ""), session.session, fields.browser()
    shown, draft = session.shown_price, fields.settle()
    outcome.clear()
    outcome["attempted"] = True
    if fields.price_of(draft) != shown:
        outcome["refusal"] = (
            "Nothing was sent: this costs something else than the button said when it was pressed. "
            "It says so now; press again."
        )
        return
    here = studio()
    try:
        jobs = here.order_all(
            [draft.request()] * draft.takes, person=person, session=token, parent=draft.parent
        )
    except InvalidRequest:
        return
    except LogError as error:
        outcome["refusal"] = (
            f"Nothing was sent and nothing was spent, because the log cannot be written. {error}"
        )
        return
    outcome.clear()
    made[:0] = [job.id for job in jobs if job.id not in made]
    here.drafts.save(draft_id, browser, made=tuple(made))


compose()
