"""A job's page: the clip, what was ordered and what came, what happened, and what people say of it."""

from __future__ import annotations

from functools import partial

import streamlit as st

from kling.studio.library import JobQuery
from pages._ui.current_user import sees_prices
from pages._ui.job.address import back_of_address, job_of_address
from pages._ui.job.keys import keys
from pages._ui.job.page import concerned, job_page
from pages._ui.live import live_fragment


def page() -> None:
    job_id = job_of_address(st.query_params)
    query, back = JobQuery.of_address(st.query_params), back_of_address(st.query_params)
    if not sees_prices():
        query = query.without_costs  # counts and neighbours would tell the prices
    live_fragment(partial(job_page, job_id, query, back), "job", concerns=partial(concerned, job_id))
    keys()


page()
