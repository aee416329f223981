"""History: every job of the log, whoever ordered it, in pages."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import streamlit as st

from kling.studio.clip_verification import cost
from kling.studio.jobs import Job
from pages._ui.account_comparison import compare_with_kling
from pages._ui.address import base_path
from pages._ui.batch_header import batch_of_address
from pages._ui.context import studio
from pages._ui.current_user import sees_prices
from pages._ui.format import counted, is_sandbox, ordered, prompt_of, state, took, zone
from pages._ui.job_details import details
from pages._ui.job_status import not_saved
from pages._ui.live import live_fragment
from pages._ui.pagination import keep_address, nothing_yet, paged

PER_PAGE = 50


UNITS = {
    "Units": st.column_config.NumberColumn(
        format="%.2f",
        help="What Kling deducted; before that, what the price table says. The sandbox charges nothing.",
    )
}


def history() -> None:
    keep_address()
    st.title("History")
    live_fragment(table, "history")


def table() -> None:
    lists, job_id = studio().ledger.index, st.query_params.get("task", "")
    if job_id and not studio().ledger.opening:
        one_job(job_id)
        return
    batch = batch_of_address("history.py", page="history")
    if batch is None and not studio().ledger.opening:
        compare_with_kling()
    total = lists.tasks if batch is None else len(batch)

    def part(start: int, stop: int) -> list[Job]:
        return lists.newest(start, stop) if batch is None else batch[start:stop]

    if total:
        shown = paged(
            part, total, key=f"history.page_{batch[0].group}" if batch else "history.page", per_page=PER_PAGE
        )
        st.caption(
            f"{counted(total, 'task', 'tasks')}, the newest first.  \nTick a row to see the whole task."
        )
        choose(shown)
    elif batch is None:
        nothing_yet("Every task that anyone orders is listed here, and stays.", icon=":material/history:")


def one_job(job_id: str) -> None:
    """Draw one job in place of the list, and the link back to the list."""
    job, batch = studio().ledger.get(job_id), st.query_params.get("batch", "")
    st.page_link(
        "history.py",
        label="Back to the batch" if batch else "All tasks",
        icon=":material/arrow_back:",
        query_params={"batch": batch} if batch else None,
    )
    if job is None:
        st.info("The log has no task of this id.", icon=":material/search_off:")
    else:
        details(job)


def choose(shown: Sequence[Job]) -> None:
    """Draw the table; ticking a row opens its job."""
    ids = [job.id for job in shown]
    key = f"history.table_{ids[0]}"  # a new job moves the rows: a tick must not stay on another job's row

    def open_it() -> None:
        table = st.session_state.get(key)  # none if the page was left in the same moment
        if table and (rows := table.selection.rows):
            st.query_params["task"] = ids[rows[0]]

    rows = [row(job) for job in shown]
    if not sees_prices():
        for each in rows:
            del each["Units"]
    is_any_at_risk = any(each["Video"] for each in rows)
    st.dataframe(
        rows,
        column_config={
            "State": st.column_config.TextColumn(width=120),
            "Video": st.column_config.TextColumn(width=190 if is_any_at_risk else "small"),
            "Prompt": st.column_config.TextColumn(width="large"),
            "Clip": st.column_config.ImageColumn(width="small"),
            "Ordered": st.column_config.DatetimeColumn(format="D MMM YYYY, HH:mm:ss"),
            **(UNITS if sees_prices() else {}),
        },
        hide_index=True,
        on_select=open_it,
        selection_mode="single-row",
        key=key,
        height="content",
        row_height=44,
    )


def row(job: Job) -> dict[str, Any]:
    units = Decimal(0) if is_sandbox(job) else cost(job)
    return {
        "State": state(job)[0],
        "Prompt": prompt_of(job),
        "Clip": f"{base_path()}/clips/{job.id}.jpg" if job.has_clip else "",
        "Video": not_saved(job, datetime.now(UTC)),
        "Model": job["model_name"],
        "Mode": job["mode"],
        "Duration": f"{job['duration']} s" if job["duration"] else "",
        "Aspect ratio": job["aspect_ratio"],
        "Sound": job["sound"],
        "Units": float(units) if units is not None else None,
        "Took": took(job),
        "Ordered": ordered(job).astimezone(zone()),
        "Person": job["person"],
        "Batch": job.group[:6],
        "Account": job["account"],
        "external_task_id": job.id,
    }


history()
