"""One collection: its words, what can be done with it, and its clips in the order that people gave them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import streamlit as st

from kling.studio.changes import COLLECTIONS
from kling.studio.identity.roles import Action, may
from kling.studio.jobs import Job
from kling.studio.state.records import Collection, StateError
from pages._ui.address import base_path
from pages._ui.collections.address import collection_link
from pages._ui.collections.facts import cover_of, poster_of, shown_jobs, when_changed
from pages._ui.context import studio
from pages._ui.curation import (
    delete_collection_dialog,
    edit_collection_dialog,
    overlays,
    share_collection_dialog,
)
from pages._ui.current_user import acting
from pages._ui.escape import bdi, escape_attribute, escape_html, escape_markdown
from pages._ui.format import counted
from pages._ui.live import live_fragment
from pages._ui.panels import panel
from pages._ui.sharing.allowed import may_share
from pages._ui.viewer.address import COLLECTION

KEY = "collection.wall"
MENU = "collection.more"  # session key: whether the menu is open
MORE: Mapping[str, tuple[str, str]] = {  # beside what every wall can do with what is selected
    "take_out": ("Take out", "playlist_remove"),
    "cover": ("Use as cover", "wallpaper"),
}
EMPTY = "There is no clip in it yet. Select clips in Gallery or History and press Collect."


def one_collection(collection_id: str) -> None:
    """Draw the page.

    Args:
        collection_id: of the address; it may be anybody's text.
    """

    def concerned() -> Sequence[str]:
        try:
            found = studio().state.collections.get(collection_id)
        except StateError:
            found = None
        return [COLLECTIONS, *(found.clips if found else ())]

    live_fragment(partial(_draw, collection_id), "collection", concerns=concerned)


def _draw(collection_id: str) -> None:
    with st.container(key="collection"):
        try:
            found = studio().state.collections.get(collection_id)
        except StateError as error:
            st.error(escape_markdown(str(error)), icon=":material/warning:")
            return
        if found is None:
            with st.container(key="collections"):
                st.page_link("clip_collections.py", label="Collections", icon=":material/arrow_back:")
                st.info("There is no such collection. Somebody may have deleted it.", icon=":material/info:")
                overlays()
            return
        jobs = shown_jobs(found)
        _head(found, jobs)
        if jobs:
            from pages._ui.wall.wall import wall

            can = acting().may(Action.COLLECT)
            wall(
                jobs,
                KEY,
                among=f"{COLLECTION}={found.id}",
                collection=found.id if can else "",
                more=MORE if can else {},
            )
        else:
            st.html(
                '<p class="studio-nothing"><span class="ms" aria-hidden="true">photo_library</span>'
                f"{EMPTY}</p>"
            )
        overlays()


def _head(collection: Collection, jobs: Sequence[Job]) -> None:
    text = f'<p dir="auto">{escape_html(collection.text)}</p>' if collection.text else ""
    with st.container(key="collection_head"):
        st.page_link("clip_collections.py", label="Collections", icon=":material/arrow_back:")
        with st.container(key="collection_line", horizontal=True, vertical_alignment="bottom"):
            cover = poster_of(cover_of(collection, jobs))
            picture = f'<img src="{escape_attribute(cover)}" alt="">' if cover else ""
            st.html(
                f'<div class="collection-words">{picture}<div>'
                f'<h2 dir="auto">{escape_html(collection.title)}</h2>'
                f"{text}<small>{_facts(collection, jobs)}</small></div></div>"
            )
            with st.container(
                key="collection_acts", horizontal=True, vertical_alignment="center", width="content"
            ):
                _acts(collection, jobs)


def _facts(collection: Collection, jobs: Sequence[Job]) -> str:
    """Return as HTML how many clips it has, and who made and changed it."""
    away = len(collection.clips) - len(jobs)
    changed = f"changed {when_changed(collection)}"
    if collection.changed_by:
        changed += f" by {bdi(collection.changed_by)}"
    parts = [
        counted(len(jobs), "clip", "clips"),
        f"{away:,} hidden or gone" if away else "",
        f"made by {bdi(collection.person)}" if collection.person else "",
        changed,
    ]
    return " · ".join(filter(None, parts))


def _acts(collection: Collection, jobs: Sequence[Job]) -> None:
    user = acting()
    if jobs:
        told = {"ids": [job.id for job in jobs], "among": f"{COLLECTION}={collection.id}"}
        st.html(
            f'<button type="button" class="collection-present" '
            f'data-present="{escape_attribute(json.dumps(told))}">'
            '<span class="ms" aria-hidden="true">slideshow</span>Present</button>',
            width="content",
        )
        if may_share():
            st.button(
                "Share",
                icon=":material/ios_share:",
                key="collection.share",
                on_click=share_collection_dialog,
                args=(collection.id,),
            )
    links = ""
    if jobs:
        href = f"{base_path()}/take-away?collection={collection.id}&form=zip"
        links = (
            f'<a class="job-icon" download href="{escape_attribute(href)}" title="Download ZIP">'
            '<span class="ms" aria-hidden="true">download</span>'
            '<span class="job-label">Download ZIP</span></a>'
        )
    address = escape_attribute(collection_link(collection.id))
    links += (
        f'<a class="job-icon" data-copy href="{address}" title="Copy link">'
        '<span class="ms" aria-hidden="true">link</span><span class="job-label">Copy link</span></a>'
    )
    st.html(f'<div class="job-links">{links}</div>', width="content")
    if user.may(Action.COLLECT):
        panel("More", partial(_more, collection), key=MENU, icon="more_horiz", kind="popover")


def _more(collection: Collection) -> None:
    st.button(
        "Change title and text",
        icon=":material/edit:",
        type="tertiary",
        key="collection.edit",
        on_click=_from_menu,
        args=(edit_collection_dialog, collection.id),
    )
    if may(acting().user, Action.DELETE_COLLECTION, collection.person_id):
        st.button(
            "Delete the collection",
            icon=":material/delete:",
            type="tertiary",
            key="collection.delete",
            on_click=_from_menu,
            args=(delete_collection_dialog, collection.id),
        )


def _from_menu(act: Any, what: str) -> None:
    """Close the menu and do what was pressed in it: it would lie over the dialog."""
    st.session_state[MENU] = False
    act(what)
