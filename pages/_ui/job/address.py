"""The address of a job's page: the job's id, and where somebody came from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import streamlit as st

from kling.studio.library import JobQuery
from pages._ui.address import base_path

ID = "id"  # name of the parameter with the `external_task_id`
OLDER = "task"  # the same in an address of History that an older version gave
BACK = "back"  # the page that somebody came from, if it is not History
PLACES = ("history", "gallery", "spend", "compose")


def job_params(job_id: str, query: JobQuery | None = None, *, page: str = "history") -> dict[str, str]:
    """Return the parameters of the address of a job's page.

    Args:
        job_id: the `external_task_id`.
        query: of the list that leads there: the page then leads back to it, and to its neighbours in it.
        page: that leads there, one of `PLACES`.
    """
    back = {BACK: page} if page in PLACES[1:] else {}
    return {ID: job_id} | (query.to_address() if query else {}) | back


def job_link(job_id: str, query: JobQuery | None = None, *, page: str = "history") -> str:
    """Return the address of a job's page below the host; the arguments are those of `job_params`."""
    return f"{base_path()}/job?{urlencode(job_params(job_id, query, page=page))}"


def open_job(job_id: str, query: JobQuery | None = None, *, page: str = "history") -> None:
    """Go to a job's page within the session; the arguments are those of `job_params`."""
    st.switch_page("job.py", query_params=job_params(job_id, query, page=page))


def job_of_address(parameters: Mapping[str, Any]) -> str:
    """Return the id of the job that an address names, empty if it names none."""
    return str(parameters.get(ID) or "")


def back_of_address(parameters: Mapping[str, Any]) -> str:
    """Return the page that an address says somebody came from."""
    page = str(parameters.get(BACK) or "")
    return page if page in PLACES else PLACES[0]


def lead_on() -> None:
    """Go to a job's page where an address of History names a job, as links of older versions do."""
    if job_id := str(st.query_params.get(OLDER) or ""):
        open_job(job_id, JobQuery.of_address(st.query_params))
