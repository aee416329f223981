"""Gallery: every finished clip as a picture on a wall, by day; a press opens it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import streamlit as st

from kling.studio.changes import JOBS, LIBRARY
from kling.studio.library import JobQuery, Page
from kling.studio.library.store import IndexBroken
from pages._ui.context import studio
from pages._ui.curation import overlays
from pages._ui.job.address import job_link
from pages._ui.library.address import GALLERY, asked
from pages._ui.library.bar import bar, totals
from pages._ui.library.rows import ANY
from pages._ui.live import EVERY_JOB, live_fragment, page_is_old_when
from pages._ui.wall import at_risk
from pages._ui.wall.gallery import PER_PAGE, list_of, page_of, part_facts
from pages._ui.wall.wall import draw, looker

KEY = "gallery.wall"


def gallery() -> None:
    query = bar(GALLERY)
    chip = partial(at_risk.chip, query, at_risk.room())
    found: list[Page] = []

    def concerned() -> list[str]:
        found[:] = [first_of(query)]
        return [EVERY_JOB, JOBS, LIBRARY, *(row.job.id for row in found[0].rows)]

    def listed() -> None:
        clips(query, found[0], chip)
        overlays()

    page_is_old_when(lambda: asked(GALLERY) != query)
    live_fragment(listed, GALLERY, concerns=concerned)
    totals(query)


def first_of(query: JobQuery) -> Page:
    """Return the first part of what is asked for; nothing while nothing can be looked up (see `totals`)."""
    try:
        return page_of(query.with_page(1), looker())
    except IndexBroken:
        return Page((), 1, has_more=False)


def clips(query: JobQuery, page: Page, chip: Callable[[], None]) -> None:
    """Draw what is asked for."""
    # In one container, so that the wall keeps its position when something is added here: Streamlit draws an
    # element anew when its position changes, and the clip in it stops.
    with st.container(key="at_risk_words"):
        chip()
        at_risk.say(query)
    to, address = looker(), query.with_page(1).to_address()
    told = {
        "of": str(address),
        "among": list_of(query),
        **part_facts(query, page, to),
        "per_page": PER_PAGE,
        "shows_hidden": bool(query.hidden),
        "link": job_link(ANY, query, page=GALLERY),
    }
    draw(told, KEY, to, version=studio().changes.version)


gallery()
