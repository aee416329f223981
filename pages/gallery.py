"""Gallery: every finished clip, played from our own copy; a batch is one card until it is opened."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from kling.studio.ledger import Job
from pages._ui.batch import chosen_batch, heading, of_batch
from pages._ui.clips import downloads, player, prompt_text, remix
from pages._ui.live import follow
from pages._ui.paging import nothing_yet, paged
from pages._ui.running import studio
from pages._ui.status import badges
from pages._ui.words import counted, moment, order_line, plain

PER_PAGE = 12


def gallery() -> None:
    st.title("Gallery")
    follow(clips, "gallery")


def clips() -> None:
    here, batch = studio(), chosen_batch()
    finished = of_batch(here.finished(), batch)
    if not finished:
        nothing_yet(
            "Finished clips appear here, each played from this studio's own copy.",
            icon=":material/video_library:",
        )
        return
    if batch:
        heading(of_batch(here.newest(), batch), "gallery.py", place="gallery")
    cards = [[job] for job in finished] if batch else together(finished)
    shown = paged(cards, key="gallery_page", per_page=PER_PAGE)
    st.caption(f"{counted(len(finished), 'clip', 'clips')}, the newest first, safe in the studio's own copy")
    not_safe()
    with st.container(horizontal=True, key="cards"):
        for card in shown:
            with st.container(border=True, key=f"card-{card[0].group if len(card) > 1 else card[0].id}"):
                draw(card)


def together(finished: Sequence[Job]) -> list[list[Job]]:
    """Return the clips as cards: those of a batch in one."""
    cards: dict[str, list[Job]] = {}
    for job in finished:
        cards.setdefault(job.group or job.id, []).append(job)
    return list(cards.values())


def draw(card: Sequence[Job]) -> None:
    here, job = studio(), card[0]
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
    who = f" · {job['person']}" if job["person"] else ""
    st.caption(plain(f"{order_line(job)} · {moment(job.ordered_at)}{who}"))
    with st.container(horizontal=True, vertical_alignment="center"):
        downloads(here, job, place="gallery")
        remix(job)


def not_safe() -> None:
    at_risk, gone = studio().not_safe
    if at_risk:
        st.warning(
            f"{at_risk:,} at risk: finished at Kling, and not fetched yet. The studio keeps trying; Kling "
            "deletes them after 30 days. History says why and how many days are left.",
            icon=":material/hourglass_bottom:",
        )
    if gone:
        st.caption(f"{gone:,} gone: Kling had cleared them before they could be fetched.")


gallery()
