"""What is said over the picture of a job that has no clip: why, what comes next, and what can be done."""

from __future__ import annotations

import streamlit as st

from kling.errors import MEANINGS, Actor, AuthenticationFailed
from kling.studio.identity.roles import Action
from kling.studio.job_explanation import Explanation
from kling.studio.jobs import FAILED, NOT_SENT, SUCCEED, Job
from kling.studio.queue_position import QueuePosition
from kling.studio.reconciler import QUOTE, klings_words
from kling.studio.remedies import NOTHING_SPENT, Remedy, RemedyKind, remedy
from pages._ui.composer import assistant
from pages._ui.context import studio
from pages._ui.current_user import acting, sees_prices
from pages._ui.escape import escape_html
from pages._ui.format import in_local_time, state
from pages._ui.job_actions import COMPOSE, job_actions
from pages._ui.job_status import explained, is_as_usual, link_to_kling, since_and_who, support_words
from pages._ui.panels import open_panel
from pages._ui.stage.facts import look_of
from pages._ui.words import LOST

SAID_BY_THE_STATE = {"Accepted.", "Cancelled."}  # what the log has as a message
WHICH = "Kling does not say which words. Edit the prompt and try again."
HEADLINES = {
    RemedyKind.EDIT_PROMPT: ("Kling refused this prompt", "gpp_maybe"),
    RemedyKind.CHANGE_ORDER: ("Kling refused this order", "gpp_maybe"),
    RemedyKind.RETRY: ("Kling could not make it", "error"),
    RemedyKind.CHECK_KEY: ("Kling does not accept the key", "error"),
    RemedyKind.ASK_OPERATOR: ("Kling needs somebody to act", "error"),
}


def explanation(job: Job, *, page: str = COMPOSE) -> None:
    """Draw it: a quiet note while the job goes on by itself, else a card; nothing over a clip.

    Args:
        job: of any state.
        page: prefix of the session keys of the page that shows it.
    """
    if job.has_clip:
        return
    place = studio().admission.position_of(job)
    if place is not None and place.needs_person:
        _held(job, place, page)
    elif look_of(job)[0] in {"waiting", "made"}:
        _note(job, page)
    else:
        _card(job, page)


def _note(job: Job, page: str) -> None:
    here = studio()
    found = here.explain(job)
    if found is None or is_as_usual(here, job, found):
        return
    with st.container(key="stage_note"):
        words = in_local_time(explained(here, job, found, ""))
        if found.actor is Actor.OPERATOR:
            words += support_words(job)
        st.html(_paragraphs(words, since_and_who(job, found)))
        if job.state == SUCCEED:
            link_to_kling(here, job)
        job_actions(here, job, page=page)


def _held(job: Job, place: QueuePosition, page: str) -> None:
    here = studio()
    spent = NOTHING_SPENT if here.nothing_spent(job) else ""
    words = f"It {place.why}. It goes out by itself once that is done. {spent}".strip()
    with st.container(key="stage_card"):
        st.html(_headline("Held", "pause_circle") + _paragraphs(words, ""))
        with st.container(horizontal=True, key="stage_ways"):
            job_actions(here, job, page=page)
        _for_support(job, job.message)


def _card(job: Job, page: str) -> None:
    here = studio()
    spent = NOTHING_SPENT if here.nothing_spent(job) else ""
    found, what = here.explain(job), remedy(job, nothing_spent=bool(spent), prices=sees_prices())
    is_refused = what is not None and what.kind is RemedyKind.EDIT_PROMPT
    word, icon = (LOST, "error") if job.state == SUCCEED and job.gone else state(job)[:2]
    if what is not None:
        word, icon = HEADLINES[what.kind]
    sentences, own_words = _sentences(job, found, what, spent), ""
    if is_refused or job["task_status_msg"] or QUOTE in job.message:
        own_words = klings_words(job)
        sentences = " ".join(sentences.replace(f"{QUOTE}{own_words}", "").split())
    refusal = MEANINGS.get(job.code)
    if job.state == NOT_SENT and refusal and refusal.kind is AuthenticationFailed:
        word, icon = HEADLINES[RemedyKind.CHECK_KEY]
        sentences = sentences.removeprefix(refusal.what).strip()
    words = in_local_time(sentences)
    facts = since_and_who(job, found) if found is not None else ""
    with st.container(key="stage_card"):
        st.html(_headline(word, icon, is_bad=job.state == FAILED) + _paragraphs(words, facts))
        with st.container(horizontal=True, key="stage_ways"):
            job_actions(here, job, page=page)
            # The form, its guide and the assistant are on Compose.
            if is_refused and page == COMPOSE and acting().may(Action.ORDER):
                assistant.soften_button(job) if assistant.is_softened(job) else _guide()
        if found is not None and job.state == SUCCEED:
            link_to_kling(here, job)
        _for_support(job, own_words)


def _sentences(job: Job, found: Explanation | None, what: Remedy | None, spent: str) -> str:
    """Return what a card says below its headline; it may quote Kling."""
    if what is not None and what.kind is RemedyKind.EDIT_PROMPT:  # the headline says the rest
        return f"{WHICH} {what.money}".strip()
    if what is not None and job.accepted:  # a refusal's words name the remedy themselves
        return what.text.removeprefix(f"{HEADLINES[what.kind][0]}.").strip()
    if found is not None:
        return explained(studio(), job, found, spent)
    said = "" if job.message in SAID_BY_THE_STATE else job.message
    return " ".join(filter(None, [said, spent]))


def _headline(words: str, icon: str, *, is_bad: bool = False) -> str:
    bad = ' data-bad="true"' if is_bad else ""
    return (
        f'<div class="stage-headline"{bad}><span class="stage-icon" aria-hidden="true">{icon}</span>'
        f"<h2>{escape_html(words)}</h2></div>"
    )


def _for_support(job: Job, own_words: str) -> None:
    """Draw what few people need, folded: Kling's words, its code and the ids."""
    support = support_words(job).strip(" ()")
    if not own_words and not support:
        return
    parts = ["Kling’s words"] * bool(own_words) + [f"code {job['code']}"] * bool(support) + ["id"]
    label = " and ".join(filter(None, [", ".join(parts[:-1]), parts[-1]]))
    with st.expander(label[0].upper() + label[1:], type="compact"):
        ids = ", ".join(filter(None, [support, f"id {job.id}"]))
        st.html(_paragraphs("", own_words) + _paragraphs("", ids))


def _guide() -> None:
    """Draw what helps with a prompt that was refused."""
    st.button("Look at the guide", key=f"{COMPOSE}.to_guide", on_click=open_panel, args=("guide",))


def _paragraphs(words: str, facts: str) -> str:
    first = f'<p class="stage-why">{escape_html(words)}</p>' if words else ""
    return first + (f'<p class="stage-fine">{escape_html(facts)}</p>' if facts else "")
