"""History: every job of the log, whoever ordered it, as the bar asks for them: rows under their days."""

from __future__ import annotations

import streamlit as st

from kling.studio.changes import JOBS, LIBRARY
from kling.studio.library import Page
from pages._ui.curation import overlays
from pages._ui.job.address import open_job
from pages._ui.library.address import asked
from pages._ui.library.bar import bar, totals
from pages._ui.library.rows import page_of, rows
from pages._ui.live import EVERY_JOB, live_fragment, page_is_old_when


def history() -> None:
    if job_id := str(st.query_params.get("task", "")):  # an address of older versions
        open_job(job_id)
    query = bar("history")
    found: list[Page] = []

    def concerned() -> list[str]:
        found[:] = [page_of(query)]
        return [EVERY_JOB, JOBS, LIBRARY, *(row.job.id for row in found[0].rows)]

    def listed() -> None:
        rows(query, *found)
        overlays()

    page_is_old_when(lambda: asked("history") != query)
    live_fragment(listed, "history", concerns=concerned)
    totals(query)


history()
