"""Gallery: every finished clip, played from the studio's own copy; a batch is one card until it is opened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from kling.studio.jobs import SUCCEED, Job
from pages._ui.batch_header import batch_of_address
from pages._ui.context import studio
from pages._ui.escape import escape_markdown
from pages._ui.format import counted, moment, order_line, ordered
from pages._ui.job_status import badges
from pages._ui.live import live_fragment
from pages._ui.pagination import keep_address, nothing_yet, paged
from pages._ui.player import downloads, player, prompt_text, remix
from pages._ui.stable_cards import cards

PER_PAGE = 12


def gallery() -> None:
    keep_address()
    live_fragment(clips, "gallery")


def clips() -> None:
    lists, batch = studio().ledger.index, batch_of_address("gallery.py", page="gallery")
    if batch is not None:
        in_batch(batch)
        return
    if not lists.clips:
        nothing_yet(
            "Finished clips appear here, each played from this studio's own copy.",
            icon="photo_library",
        )
        return
    # In one container, so that the cards below keep their position when something is added here: Streamlit
    # draws an element anew when its position changes, and the clip in it stops.
    with st.container():
        shown = paged(lists.page_of_cards, lists.cards, key="gallery.page", per_page=PER_PAGE)
        st.caption(f"{counted(lists.clips, 'clip', 'clips')}, the newest first, in the studio's own copy")
        not_safe()
    draw_all({card[0].group or card[0].id: card for card in shown})


def in_batch(jobs: Sequence[Job]) -> None:
    done = [job for job in jobs if job.has_clip]
    if done:
        key = f"gallery.page_{done[0].group}"
        with st.container():
            shown = paged(lambda start, stop: done[start:stop], len(done), key=key, per_page=PER_PAGE)
        draw_all({job.id: [job] for job in shown})
    elif jobs:
        st.caption("Its clips appear here as they are done.")


def draw_all(shown: Mapping[str, Sequence[Job]]) -> None:
    cards("card", list(shown), lambda key: draw(shown[key]), horizontal=True)


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
        st.warning(
            f"{counted(at_risk, 'video is', 'videos are')} not saved yet: finished at Kling, and not "
            "fetched. The studio keeps trying; Kling deletes them after 30 days. History says why, how many "
            "days are left, and gives the link.",
            icon=":material/hourglass_bottom:",
        )
    if gone:
        st.caption(
            f"{counted(gone, 'video is', 'videos are')} lost: Kling cleared them before they were fetched."
        )


gallery()
