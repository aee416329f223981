"""The dialog that makes a link: who may see it, how long, and what it shows. The link is shown once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import cast
from urllib.parse import urlsplit

import streamlit as st

from kling.studio.actions import Actions
from kling.studio.films.chains import is_film
from kling.studio.identity.roles import Action
from kling.studio.jobs import Job
from kling.studio.share_settings import DAYS, most_days
from kling.studio.share_views import can_be_shown
from kling.studio.state.records import Audience, Collection, Share, ShareError
from pages._ui.context import studio
from pages._ui.copy_button import copy_button
from pages._ui.curation.asking import answers, begin, jobs_of
from pages._ui.curation.decisions import close
from pages._ui.current_user import acting, current_user, has_sign_in
from pages._ui.escape import escape_markdown
from pages._ui.format import counted, zone
from pages._ui.session_state import app_state
from pages._ui.share.address import share_address

OFFERED = {1: "1 day", 7: "7 days", 14: "14 days", 30: "30 days", 90: "90 days", 365: "1 year"}
OFF = "Sharing is switched off here (STUDIO_SHARING). Ask who runs the studio."


@st.dialog("Share", icon=":material/ios_share:", on_dismiss=close)
def share(job_ids: Sequence[str], number: int) -> None:
    """Ask how clips are shared, and then show the link to them.

    Args:
        job_ids: of the clips.
        number: of the dialog in this session.
    """
    begin()
    _ask(jobs_of(job_ids), None, number)


@st.dialog("Share the collection", icon=":material/ios_share:", on_dismiss=close)
def share_collection(chosen: Sequence[str], number: int) -> None:
    """Ask how a collection is shared, and then show the link to it.

    Args:
        chosen: id of the collection.
        number: of the dialog in this session.
    """
    begin()
    if (found := studio().state.collections.get(chosen[0])) is None:
        _nothing("Somebody has deleted this collection.", number)
        return
    _ask(jobs_of(found.clips), found, number)


def _ask(jobs: Sequence[Job], collection: Collection | None, number: int) -> None:
    if app_state().link:
        _show(number)
        return
    user = acting()
    own = [job for job in jobs if user.may(Action.SHARE, job)]
    shown = [job for job in own if can_be_shown(job)]
    if studio().settings.sharing == "off":
        _nothing(OFF, number)
    elif collection is not None and len(own) < len(jobs):
        _nothing("Some clips in it are somebody else’s. An admin can share this collection.", number)
    elif not shown:
        _nothing(_why_not(jobs, own), number)
    else:
        if collection is not None:
            st.markdown(f"**{escape_markdown(collection.title)}**")
        _left_out(jobs, own, shown)
        _fields([job.id for job in shown], collection, number)


def _why_not(jobs: Sequence[Job], own: Sequence[Job]) -> str:
    if jobs and not own:
        return "These are somebody else’s. An admin can share them."
    return "There is no clip to share: choose one that is here and not hidden."


def _nothing(words: str, number: int) -> None:
    st.markdown(words)
    st.button("Close", key=f"app.asked-no-{number}", on_click=close)


def _left_out(jobs: Sequence[Job], own: Sequence[Job], shown: Sequence[Job]) -> None:
    """Say how many clips the link will show, and why not all."""
    others, gone = len(jobs) - len(own), len(own) - len(shown)
    film = "the film of " if is_film(shown, studio().ledger.get) else ""
    words = [f"The link shows {film}**{counted(len(shown), 'clip', 'clips')}**."]
    if others:
        words.append(f"{others:,} left out: somebody else’s, which an admin can share.")
    if gone:
        words.append(f"{gone:,} left out: hidden, or without a clip here.")
    st.markdown(" ".join(words))


def _fields(job_ids: Sequence[str], collection: Collection | None, number: int) -> None:
    key = f"app.share-{number}"
    audience = _audience(key)
    most = most_days(audience, current_user().role)
    with st.form(f"{key}-form", border=False):
        if collection is None:
            st.text_input("Title", placeholder="May be empty", key=f"{key}-title")
        st.pills(
            "Ends by itself after",
            [days for days in OFFERED if days <= most],
            default=DAYS,
            required=True,
            format_func=lambda days: OFFERED[days],
            key=f"{key}-days-{audience}",
        )
        st.checkbox("Show the prompts", value=True, key=f"{key}-prompts")
        st.checkbox("Show who made the clips and when", value=True, key=f"{key}-people")
        st.caption("No prices, and no way to spend. A clip that is hidden or deleted leaves it at once.")
        made_by = collection.id if collection else ""
        answers(number, "Make the link", lambda act: _make(act, job_ids, made_by, number), in_form=True)


def _audience(key: str) -> Audience:
    """Ask who may see the link, where the operator leaves the choice."""
    if studio().settings.sharing != "anyone":
        reach = "signs in here" if has_sign_in() else "can open this studio"
        st.caption(f"Whoever {reach} can open the link.")
        return "team"
    found = st.radio(
        "Who can open it",
        ["team", "anyone"],
        format_func=lambda each: (
            "Anyone who has the link"
            if each == "anyone"
            else "The team (after signing in)"
            if has_sign_in()
            else "Whoever can open this studio"
        ),
        key=f"{key}-audience",
    )
    return cast("Audience", found)


def _make(actions: Actions, job_ids: Sequence[str], collection_id: str, number: int) -> None:
    if app_state().link:
        return  # the second press of a double one: a link that nobody knows would stay open
    # Read at the press, which may come with a choice that no run has seen yet.
    values, key = st.session_state, f"app.share-{number}"
    audience: Audience = "anyone" if values.get(f"{key}-audience") == "anyone" else "team"
    days = values.get(f"{key}-days-{audience}", DAYS)
    if days not in OFFERED:
        raise ShareError("Days: choose how long the link is open.")
    prompts, people = bool(values.get(f"{key}-prompts")), bool(values.get(f"{key}-people"))
    title = str(values.get(f"{key}-title") or "")
    if collection_id:
        new, token = actions.share_collection(
            collection_id, audience=audience, days=days, prompts=prompts, people=people
        )
    else:
        new, token = actions.share(
            job_ids, title=title, audience=audience, days=days, prompts=prompts, people=people
        )
    app_state().link = (new, token)


def _show(number: int) -> None:
    new, token = app_state().link or (Share(id=""), "")
    seen = urlsplit(str(st.context.url or ""))
    address = share_address(token, origin=f"{seen.scheme}://{seen.netloc}" if seen.netloc else "")
    until = datetime.fromtimestamp(new.ends, UTC).astimezone(zone())
    who = "Anyone who has it" if new.audience == "anyone" else "The team"
    day = f"{until.day} {until:%b %Y}"
    st.markdown(f"**The link is ready.** {who} can open it until {escape_markdown(day)}.")
    with st.container(key=f"elsewhere_share-{number}"):
        st.code(address, None, wrap_lines=True)
        with st.container(horizontal=True, vertical_alignment="center"):
            copy_button(f"app.share-copy-{number}", label="Copy link")
            st.link_button("Open", address, type="tertiary", icon=":material/open_in_new:")
            st.button("Done", key=f"app.asked-no-{number}", on_click=close)
    st.caption(
        "Copy it now: the studio cannot show it again. *Sharing*, in the account menu, lists it and ends it."
    )


@st.dialog("End the link", icon=":material/link_off:", on_dismiss=close)
def end(chosen: Sequence[str], number: int) -> None:
    """Ask whether a link is to be ended.

    Args:
        chosen: id of the link, which opens nothing.
        number: of the dialog in this session.
    """
    begin()
    st.markdown("From then on it shows nothing, to nobody, and it cannot be opened again.")
    answers(number, "End the link", lambda actions: _end(actions, chosen[0]))


def _end(actions: Actions, share_id: str) -> bool:
    actions.end_share(share_id)
    app_state().said = "The link has ended."
    return True
