"""History: every task of the log, whoever ordered it, in pages."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import streamlit as st

from kling.studio.archive import safety
from kling.studio.ledger import SUCCEED, Job
from pages._ui.clips import downloads, player, prompt_text, remix
from pages._ui.live import base_path, follow
from pages._ui.paging import nothing_yet, paged
from pages._ui.running import studio
from pages._ui.status import decisions, status
from pages._ui.words import moment, plain, state, took, zone

PER_PAGE = 50


def history() -> None:
    st.title("History")
    follow(table, "history")


def table() -> None:
    here = studio()
    jobs = here.newest()
    if not jobs:
        nothing_yet("Every task that anyone orders is listed here, and stays.", icon=":material/history:")
        return
    shown = paged(jobs, key="history_page", per_page=PER_PAGE)
    st.caption(f"{len(jobs):,} {'task' if len(jobs) == 1 else 'tasks'}, the newest first")
    ids = [job.id for job in shown]
    chosen = st.query_params.get("task", "")
    event: Any = st.dataframe(
        [row(job) for job in shown],
        column_config={
            "Clip": st.column_config.ImageColumn(width="small"),
            "Ordered": st.column_config.DatetimeColumn(format="D MMM YYYY, HH:mm:ss"),
            "Prompt": st.column_config.TextColumn(width="large"),
            "Units": st.column_config.NumberColumn(
                format="%.2f", help="What Kling deducted; before that, what the price table says."
            ),
        },
        hide_index=True,
        on_select="rerun",
        selection_mode="single-row",
        # A new task moves the rows, so the table is drawn anew; the choice stays with its task, not its row.
        selection_default={"selection": {"rows": [ids.index(chosen)] if chosen in ids else []}},
        key=f"history_table_{ids[0]}",
        row_height=44,
    )
    rows = event.selection.rows
    if rows and rows[0] < len(ids):
        chosen = ids[rows[0]]
    elif chosen in ids:  # it was chosen, and somebody took that back
        chosen = ""
    if chosen:
        st.query_params["task"] = chosen
    elif "task" in st.query_params:
        del st.query_params["task"]
    job = here.job(chosen)
    if job is None:
        st.caption("Choose a row to see the whole task.")
    else:
        details(job)


def row(job: Job) -> dict[str, Any]:
    units = job.decimal("final_unit_deduction") or job.decimal("units")
    word, days = safety(job, datetime.now(UTC))
    return {
        "Clip": f"{base_path()}/clips/{job.id}.jpg" if job["file"] else "",
        "Ordered": job.ordered_at.astimezone(zone()),
        "State": state(job)[0],
        "Video": f"{word}, {days} days left" if word == "at risk" else word,
        "Prompt": job["prompt"] or " / ".join(shot.prompt for shot in job.request.multi_prompt),
        "Model": job["model_name"],
        "Mode": job["mode"],
        "Duration": f"{job['duration']} s",
        "Aspect ratio": job["aspect_ratio"],
        "Sound": job["sound"],
        "Units": float(units) if units is not None else None,
        "Took": took(job),
        "Person": job["person"],
        "Account": job["account"],
        "external_task_id": job.id,
    }


def details(job: Job) -> None:
    here = studio()
    with st.container(border=True, key="details"):
        words: Any = st.container()
        if job.state == SUCCEED and job["file"]:
            picture, words = st.columns([3, 2])
            with picture:
                player(job, preload="metadata")
                with st.container(horizontal=True):
                    downloads(here, job, place="history")
        with words:
            status(here, job)
            decisions(here, job, place="history")
            remix(job)
            prompt_text(job, lines=40)
            facts = {
                "Ordered": moment(job.ordered_at),
                "Person": job["person"],
                "Account": job["account"],
                "Negative prompt": job["negative_prompt"],
                "Units": job["final_unit_deduction"] or job["units"],
                "external_task_id": job.id,
                "task_id": job["task_id"],
                "request_id": job["request_id"],
            }
            for name, fact in facts.items():
                if fact:
                    st.caption(f"{name}: {plain(fact)}")


history()
