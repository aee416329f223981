"""Gallery: every finished clip, played from the studio's own copy; a batch is one card until it is opened."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import streamlit as st

from kling.studio.jobs import SUCCEED, Job
from kling.studio.library import JobQuery
from kling.studio.library.store import IndexBroken
from pages._ui.context import studio
from pages._ui.current_user import acting
from pages._ui.escape import escape_markdown
from pages._ui.format import counted, moment, order_line, ordered
from pages._ui.job_status import badges
from pages._ui.library.address import GALLERY, asked, is_asking
from pages._ui.library.bar import bar, totals
from pages._ui.live import live_fragment
from pages._ui.pagination import paged
from pages._ui.player import downloads, player, prompt_text, remix
from pages._ui.stable_cards import cards

PER_PAGE = 12


def gallery() -> None:
    query = bar(GALLERY)
    live_fragment(partial(clips, query), "gallery", is_page_old=lambda: asked(GALLERY) != query)
    totals(query)


def clips(query: JobQuery) -> None:
    lists = studio().ledger.index
    if studio().ledger.opening:
        return
    # In one container, so that the cards below keep their position when something is added here: Streamlit
    # draws an element anew when its position changes, and the clip in it stops.
    with st.container():
        not_safe()
        if is_asking(query):
            shown: dict[str, Sequence[Job]] = {job.id: [job] for job in found(query)}
        else:
            part = paged(lists.page_of_cards, lists.cards, key="gallery.page", per_page=PER_PAGE)
            shown = {card[0].group or card[0].id: card for card in part}
    cards("card", list(shown), lambda key: draw(shown[key]), horizontal=True)


def found(query: JobQuery) -> list[Job]:
    """Draw the numbers of the pages of what is asked for, and return the jobs of the open one."""
    library, who = studio().library, acting().who

    def part(start: int, _stop: int) -> list[Job]:
        asked_for = query.with_page(start // PER_PAGE + 1)
        page = library.page(asked_for, studio().ledger.get, who=who, per_page=PER_PAGE)
        return [row.job for row in page.rows]

    try:
        return list(paged(part, library.count(query, who=who), key="gallery.page_found", per_page=PER_PAGE))
    except IndexBroken:
        return []  # `totals` says why


def draw(card: Sequence[Job]) -> None:
    # A batch is shown by the job that was done first, because that one stays the same when others are done.
    job = min(card, key=lambda each: each.since.get(SUCCEED, each.ordered_at))
    player(job, boxed=True)
    if len(card) > 1:
        st.page_link(
            "gallery.py",
            label=f"Batch: all {counted(len(card), 'clip', 'clips')}",
            icon=":material/stacks:",
            query_params={"batch": job.group},
        )
    prompt_text(job, lines=2)
    badges(job)
    st.caption(
        escape_markdown(" · ".join(filter(None, [order_line(job), moment(ordered(job)), job["person"]])))
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        downloads(job)
        remix(job)


def not_safe() -> None:
    at_risk, gone = studio().downloads.not_safe
    if at_risk:
        with st.container(key="not_safe", width="content"):
            st.page_link(
                "history.py",
                label=f"{at_risk:,} not saved yet",
                icon=":material/schedule:",
                query_params={"risk": "1"},
                help="Finished at Kling, and not fetched. The studio keeps trying; Kling deletes them after "
                "30 days. History says why, how many days are left, and gives the link.",
            )
    if gone:
        st.caption(
            f"{counted(gone, 'video is', 'videos are')} lost: Kling cleared them before they were fetched."
        )


gallery()
