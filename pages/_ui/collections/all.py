"""Every collection as a card: its picture, its title, how many clips, and who filled it last."""

from __future__ import annotations

import streamlit as st

from kling.studio.changes import COLLECTIONS
from kling.studio.identity.roles import Action
from kling.studio.state.records import Collection, StateError
from pages._ui.collections.address import collection_link
from pages._ui.collections.facts import cover_of, poster_of, shown_jobs, when_changed
from pages._ui.context import studio
from pages._ui.curation import new_collection_dialog, overlays
from pages._ui.current_user import acting
from pages._ui.escape import bdi, escape_attribute, escape_html, escape_markdown
from pages._ui.format import counted
from pages._ui.live import EVERY_JOB, live_fragment

EMPTY = "No collection yet. Select clips in Gallery or History and press Collect, or begin with an empty one."


def every_collection() -> None:
    """Draw the page."""
    live_fragment(_draw, "collections", concerns=lambda: [COLLECTIONS, EVERY_JOB])


def _draw() -> None:
    with st.container(key="collections"):
        try:
            found = studio().state.collections.all()
        except StateError as error:
            st.error(escape_markdown(str(error)), icon=":material/warning:")
            return
        with st.container(key="collections_head", horizontal=True, vertical_alignment="center"):
            st.page_link("gallery.py", label="Gallery", icon=":material/arrow_back:")
            many = f'<small role="status">{counted(len(found), "collection", "collections")}</small>'
            st.html(f'<h2 class="studio-title">Collections {many if found else ""}</h2>')
            if acting().may(Action.COLLECT):
                st.button(
                    "New collection",
                    icon=":material/add:",
                    key="collections.new",
                    on_click=new_collection_dialog,
                )
        if found:
            st.html(f'<ul class="collections" role="list">{"".join(map(_card, found))}</ul>')
        else:
            st.html(
                f'<p class="studio-nothing"><span class="ms" aria-hidden="true">library_add</span>{EMPTY}</p>'
            )
        overlays()


def _card(collection: Collection) -> str:
    jobs = shown_jobs(collection)
    poster = poster_of(cover_of(collection, jobs))
    picture = (
        f'<img src="{escape_attribute(poster)}" alt="" loading="lazy" decoding="async">'
        if poster
        else '<span class="ms" aria-hidden="true">photo_library</span>'
    )
    who = collection.changed_by or collection.person
    facts = [counted(len(jobs), "clip", "clips"), bdi(who) if who else "", when_changed(collection)]
    return (
        f'<li><a data-open href="{escape_attribute(collection_link(collection.id))}">'
        f'<span class="collection-cover">{picture}</span><b dir="auto">{escape_html(collection.title)}</b>'
        f"<small>{' · '.join(filter(None, facts))}</small></a></li>"
    )
