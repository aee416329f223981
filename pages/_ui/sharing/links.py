"""The links that somebody may end: what each shows, until when, how often it was looked at."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import streamlit as st

from kling.studio.actions import Actions
from kling.studio.share_settings import audience_of
from kling.studio.share_views import can_be_shown
from kling.studio.state.records import Collection, Share, StateError
from pages._ui.collections.address import collection_link
from pages._ui.collections.facts import poster_of
from pages._ui.collections.script import script
from pages._ui.context import studio
from pages._ui.curation import end_share_dialog, overlays
from pages._ui.current_user import acting, has_sign_in
from pages._ui.decide import attempt
from pages._ui.escape import escape_attribute, escape_html, escape_markdown
from pages._ui.format import counted, prompt_of, zone
from pages._ui.people import circle

PER_PART = 50  # links that are drawn before "Show more"
LONGEST = 200  # characters of a prompt that stands for a title
_ACTS = 150  # pixels for the buttons of a row, so that the columns of all rows are in line
OFF = "Sharing is switched off here (STUDIO_SHARING): no link opens. Ask who runs the studio."
EMPTY = "Nothing is shared. Open a clip or a collection, or select clips, and press Share."


def links() -> None:
    """Draw the page."""
    with st.container(key="collections"):
        script()
        st.html('<p class="studio-title" aria-hidden="true">Sharing</p>')  # the heading is in the bar
        if studio().settings.sharing == "off":
            st.warning(OFF, icon=":material/link_off:")
        try:
            found = acting().shares()
        except StateError as error:
            st.error(escape_markdown(str(error)), icon=":material/warning:")
            return
        now = studio().now()
        still = [each for each in found if each.is_open(now)]
        over = [each for each in found if not each.is_open(now)]
        if not found:
            st.html(
                f'<p class="studio-nothing"><span class="ms" aria-hidden="true">ios_share</span>{EMPTY}</p>'
            )
        _part("Open", still, is_open=True)
        _part("Ended", over, is_open=False)
        overlays()


def _part(title: str, shares: Sequence[Share], *, is_open: bool) -> None:
    if not shares:
        return
    key = f"sharing.more_{title.lower()}"
    most = int(st.session_state.get(key) or PER_PART)
    st.html(f'<h2 class="sharing-heading">{title} <small>{len(shares):,}</small></h2>')
    with st.container(key=f"sharing_{title.lower()}"):
        for share in shares[:most]:
            with st.container(horizontal=True, vertical_alignment="center", key=f"share-{share.id}"):
                _row(share, is_open=is_open)
    if len(shares) > most:
        st.button("Show more", key=f"{key}-button", on_click=_show_more, args=(key, most))


def _show_more(key: str, most: int) -> None:
    st.session_state[key] = most + PER_PART


def _row(share: Share, *, is_open: bool) -> None:
    collection = studio().state.collections.get(share.collection_id) if share.collection_id else None
    jobs = [job for job in map(studio().ledger.get, _order(share, collection)) if job is not None]
    shown = [job for job in jobs if can_be_shown(job)]
    title = collection.title if collection else share.title
    if not title and share.collection_id:
        title = "A collection that was deleted"
    elif not title:
        title = " ".join(prompt_of(jobs[0]).split())[:LONGEST] if jobs else "Clips that are gone"
    name = escape_html(title)
    if collection:
        name = f'<a data-open href="{escape_attribute(collection_link(collection.id))}">{name}</a>'
    poster = poster_of(shown[0] if shown else None)
    picture = f'<img src="{escape_attribute(poster)}" alt="" loading="lazy">' if poster else ""
    who = f"{circle(share.person)}<bdi>{escape_html(share.person)}</bdi>" if share.person else ""
    facts = [
        "collection" if share.collection_id else "",
        counted(len(shown), "clip", "clips"),
        _audience(share),
        "" if share.prompts else "without prompts",
        "" if share.people else "without names",
        f"made {_day(share.made)}",
    ]
    st.html(
        f'<div class="sharing-row"><span class="sharing-thumb">{picture}</span>'
        f'<div class="sharing-words"><b dir="auto">{name}</b>'
        f"<small>{escape_html(' · '.join(filter(None, facts)))}</small></div>"
        f'<span class="sharing-who">{who}</span>'
        f'<span class="sharing-seen">{_seen(share)}</span><span class="sharing-until">{_until(share)}</span>'
        "</div>"
    )
    if is_open:
        with st.container(key=f"share_acts-{share.id}", horizontal=True, width=_ACTS):
            _acts(share, collection)


def _acts(share: Share, collection: Collection | None) -> None:
    added = 0 if collection is None else sum(each not in share.clips for each in collection.clips)
    if added:
        st.button(
            "Renew",
            key=f"sharing.renew-{share.id}",
            on_click=attempt,
            args=(_renewed, share.id),
            help=f"{counted(added, 'clip was', 'clips were')} added since. Let the link show all of them.",
        )
    st.button("End", key=f"sharing.end-{share.id}", on_click=end_share_dialog, args=(share.id,))


def _renewed(actions: Actions, share_id: str) -> bool:
    actions.renew_share(share_id)
    return True


def _order(share: Share, collection: Collection | None) -> Sequence[str]:
    if not share.collection_id:
        return share.clips
    return [each for each in collection.clips if each in share.clips] if collection else ()


def _audience(share: Share) -> str:
    if audience_of(share.audience, studio().settings.sharing) == "anyone":
        return "anyone who has it"
    return "the team" if has_sign_in() else "who can open this studio"


def _seen(share: Share) -> str:
    if not share.opened and not share.played:
        return "Not opened yet"
    played = f"{counted(share.played, 'clip', 'clips')} played" if share.played else "nothing played"
    return f"Opened {counted(share.opened, 'time', 'times')}<small>{played}</small>"


def _until(share: Share) -> str:
    if share.ended:
        return f"Ended {_day(share.ended)}"
    return f"{'Until' if share.is_open(studio().now()) else 'Ended'} {_day(share.ends)}"


def _day(then: float) -> str:
    here = datetime.fromtimestamp(then, UTC).astimezone(zone())
    this_year = datetime.now(UTC).astimezone(zone()).year
    return f"{here.day} {here:%b}" + ("" if here.year == this_year else f" {here.year}")
