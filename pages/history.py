"""History: every job of the log, whoever ordered it, in pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from itertools import product
from typing import Any

import streamlit as st

from kling import catalog
from kling.studio.changes import SCAN
from kling.studio.clip_verification import cost
from kling.studio.jobs import Job
from pages._ui.account_comparison import compare_with_kling
from pages._ui.address import base_path
from pages._ui.batch_header import batch_of_address
from pages._ui.chosen_row import open_chosen_row
from pages._ui.context import studio
from pages._ui.current_user import sees_prices
from pages._ui.format import counted, in_money, is_sandbox, ordered, prompt_of, state, took, zone
from pages._ui.frame.titles import title_of
from pages._ui.job_details import details
from pages._ui.job_status import not_saved
from pages._ui.live import EVERY_JOB, live_fragment
from pages._ui.pagination import keep_address, nothing_yet, page_params, paged
from pages._ui.words import model_title, quality

PER_PAGE = 50


SHORT = ("Quality", "Length", "Shape", "Sound")
_HELP = "What Kling deducted; before that, what the price table says. The sandbox charges nothing."
MONEY: Mapping[str, Any] = {  # columns that only those see who may see prices
    "Cost": st.column_config.TextColumn(help=_HELP, width=70, alignment="right"),
    "Units": st.column_config.NumberColumn(format="%.2f", help=_HELP),
}


def history() -> None:
    keep_address()
    live_fragment(table, "history", concerns=concerned)


def concerned() -> list[str]:
    """Return what the list shows: the one job that the page's address names, or all of them."""
    job_id = str(st.query_params.get("task", ""))
    return [job_id] if job_id else [EVERY_JOB, SCAN]


def table() -> None:
    lists, job_id = studio().ledger.index, st.query_params.get("task", "")
    if job_id and not studio().ledger.opening:
        one_job(job_id)
        return
    batch = batch_of_address("history.py", page="history")
    total = lists.tasks if batch is None else len(batch)

    def part(start: int, stop: int) -> list[Job]:
        return lists.newest(start, stop) if batch is None else batch[start:stop]

    if total:
        shown = paged(
            part, total, key=f"history.page_{batch[0].group}" if batch else "history.page", per_page=PER_PAGE
        )
        st.caption(f"{counted(total, 'task', 'tasks')}, the newest first. Tick a row to see the whole task.")
        choose(shown)
    elif batch is None:
        nothing_yet("Every task that anyone orders is listed here, and stays.", icon="history")
    if batch is None and not studio().ledger.opening:
        compare_with_kling()


def one_job(job_id: str) -> None:
    """Draw one job in place of the list, and the link back to the list."""
    st.set_page_config(page_title=title_of("History"))  # a tick in the list draws this part of the page alone
    job, batch = studio().ledger.get(job_id), st.query_params.get("batch", "")
    st.page_link(
        "history.py",
        label="Back to the batch" if batch else "All tasks",
        icon=":material/arrow_back:",
        query_params=page_params() | ({"batch": batch} if batch else {}),
    )
    if job is None:
        st.info("The log has no task of this id.", icon=":material/search_off:")
    else:
        details(job)


def choose(shown: Sequence[Job]) -> None:
    """Draw the table; ticking a row opens its job."""
    ids = [job.id for job in shown]
    key = f"history.table_{ids[0]}"  # a new job moves the rows: a tick must not stay on another job's row
    rows = [row(job) for job in shown]
    if not sees_prices():
        for each, name in product(rows, MONEY):
            del each[name]
    is_any_at_risk = any(each["Video"] for each in rows)
    st.dataframe(
        rows,
        column_config={
            "Clip": st.column_config.ImageColumn("", width=76),
            "Prompt": st.column_config.TextColumn(width="large"),
            "State": st.column_config.TextColumn(width=120),
            "Person": st.column_config.TextColumn(width=110),
            "Ordered": st.column_config.DatetimeColumn(format="D MMM YYYY, HH:mm", width=140),
            "Video": st.column_config.TextColumn(width=190 if is_any_at_risk else 60),
            **{name: st.column_config.TextColumn(width=70) for name in SHORT},
            **(MONEY if sees_prices() else {}),
        },
        hide_index=True,
        on_select=partial(open_chosen_row, key, ids),
        selection_mode="single-row",
        key=key,
        height="content",
        row_height=44,
    )


def row(job: Job) -> dict[str, Any]:
    units = Decimal(0) if is_sandbox(job) else cost(job)
    model = catalog().models.get(job["model_name"])
    return {
        "Clip": f"{base_path()}/clips/{job.id}.jpg" if job.has_clip else "",
        "Prompt": prompt_of(job),
        "State": state(job)[0],
        "Person": job["person"],
        "Ordered": ordered(job).astimezone(zone()),
        "Cost": "free" if is_sandbox(job) else in_money(units, job) if units is not None else "",
        "Video": not_saved(job, datetime.now(UTC)),
        "Model": model_title(job["model_name"], model),
        "Quality": quality(job["mode"], model) if job["mode"] else "",
        "Length": f"{job['duration']} s" if job["duration"] else "",
        "Shape": job["aspect_ratio"],
        "Sound": "on" if job["sound"] == "on" else "",
        "Units": float(units) if units is not None else None,
        "Took": took(job),
        "Account": job["account"],
        "Id for support": job.id,
    }


history()
