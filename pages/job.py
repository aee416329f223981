"""A job's page: the clip, what was ordered and what came, what happened, and what people say of it."""

from __future__ import annotations

import streamlit as st

from pages._ui.context import studio
from pages._ui.job.address import job_of_address
from pages._ui.job_details import details
from pages._ui.live import live_fragment
from pages._ui.pagination import keep_address


def page() -> None:
    keep_address()
    job_id = job_of_address(st.query_params)

    def draw() -> None:
        job = studio().ledger.get(job_id)
        if job is None:
            st.info("The log has no task of this id.", icon=":material/search_off:")
        else:
            details(job)

    live_fragment(draw, "job", concerns=lambda: [job_id])


page()
