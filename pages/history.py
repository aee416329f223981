"""History: every task of the log, whoever ordered it, in pages."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import streamlit as st

from kling.studio.archive import safety
from kling.studio.ledger import Job
from pages._ui.batch import chosen_batch, heading, of_batch
from pages._ui.details import details
from pages._ui.live import base_path, follow
from pages._ui.paging import nothing_yet, paged
from pages._ui.running import studio
from pages._ui.words import counted, state, took, zone

PER_PAGE = 50


def history() -> None:
    st.title("History")
    follow(table, "history")


def table() -> None:
    here, batch = studio(), chosen_batch()
    jobs = of_batch(here.newest(), batch)
    if not jobs and batch and not here.ledger.opening:
        st.info("The log has no batch of this name.", icon=":material/stacks:")
        st.page_link("history.py", label="Show everything", icon=":material/history:")
        return
    if not jobs:
        nothing_yet("Every task that anyone orders is listed here, and stays.", icon=":material/history:")
        return
    if batch:
        heading(jobs, "history.py", place="history")
    shown = paged(jobs, key="history_page", per_page=PER_PAGE)
    st.caption(f"{counted(len(jobs), 'task', 'tasks')}, the newest first")
    asked = st.query_params.get("task", "")
    chosen = choose(shown, asked)
    if chosen:
        st.query_params["task"] = chosen
    elif asked:
        del st.query_params["task"]
    job = here.job(chosen)
    if job is not None:
        details(job)
    elif chosen:
        st.info("The log has no task of this id.", icon=":material/search_off:")
    else:
        st.caption("Choose a row to see the whole task.")


def choose(shown: Sequence[Job], asked: str) -> str:
    """Draw the table, and return the id of the task that is chosen in it or named by the page's address."""
    ids = [job.id for job in shown]
    key = f"history_table_{ids[0]}"
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
        selection_default={"selection": {"rows": [ids.index(asked)] if asked in ids else []}},
        key=key,
        row_height=44,
    )
    rows = event.selection.rows
    selected = ids[rows[0]] if rows and rows[0] < len(ids) else ""
    before = st.session_state.get("history_selected")
    st.session_state.history_selected = (key, selected)
    # A link may have changed the address since: the table wins only when somebody has just chosen in it.
    return selected if before is not None and before[0] == key and before[1] != selected else asked


def row(job: Job) -> dict[str, Any]:
    units = job.decimal("final_unit_deduction") or job.decimal("units")
    word, days = safety(job, datetime.now(UTC))
    return {
        "State": state(job)[0],
        "Prompt": job["prompt"] or " / ".join(shot.prompt for shot in job.request.multi_prompt),
        "Clip": f"{base_path()}/clips/{job.id}.jpg" if job["file"] else "",
        "Video": f"{word}, {days} days left" if word == "at risk" else word,
        "Model": job["model_name"],
        "Mode": job["mode"],
        "Duration": f"{job['duration']} s",
        "Aspect ratio": job["aspect_ratio"],
        "Sound": job["sound"],
        "Units": float(units) if units is not None else None,
        "Took": took(job),
        "Ordered": job.ordered_at.astimezone(zone()),
        "Person": job["person"],
        "Batch": job.group[:6],
        "Account": job["account"],
        "external_task_id": job.id,
    }


history()
