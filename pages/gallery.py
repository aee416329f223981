"""Gallery: every finished clip, played from our own copy."""

from __future__ import annotations

import streamlit as st

from kling.studio.ledger import SUCCEED
from pages._ui.clips import downloads, player, prompt_text, remix
from pages._ui.live import follow
from pages._ui.paging import nothing_yet, paged
from pages._ui.running import studio
from pages._ui.words import moment, order_line, plain

PER_PAGE = 12


def gallery() -> None:
    st.title("Gallery")
    follow(clips, "gallery")


def clips() -> None:
    here = studio()
    finished = [job for job in here.newest() if job.state == SUCCEED and job["file"]]
    if not finished:
        nothing_yet(
            "Finished clips appear here, each played from this studio's own copy.",
            icon=":material/video_library:",
        )
        return
    shown = paged(finished, key="gallery_page", per_page=PER_PAGE)
    at_risk, gone = here.not_safe
    clips_word = "clip" if len(finished) == 1 else "clips"
    st.caption(f"{len(finished):,} {clips_word}, the newest first, safe in the studio's own copy")
    if at_risk:
        st.warning(
            f"{at_risk:,} at risk: finished at Kling, and not fetched yet. The studio keeps trying; Kling "
            "deletes them after 30 days. History says why and how many days are left.",
            icon=":material/hourglass_bottom:",
        )
    if gone:
        st.caption(f"{gone:,} gone: Kling had cleared them before they could be fetched.")
    grid = st.grid("auto", min_column_width=300)
    for job in shown:
        with grid.cell(), st.container(border=True, key=f"card-{job.id}"):
            player(job)
            prompt_text(job, lines=2)
            who = f" · {job['person']}" if job["person"] else ""
            st.caption(plain(f"{order_line(job)} · {moment(job.ordered_at)}{who}"))
            with st.container(horizontal=True):
                downloads(here, job, place="gallery")
                remix(job)


gallery()
