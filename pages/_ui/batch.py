"""The tasks of one batch: how far it is, what it costs, and what can still be taken back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from decimal import Decimal

import streamlit as st

from kling.studio.jobs import NOT_SENT, SUCCEED, WAITING, Job
from kling.studio.orders import CAME_TO_NOTHING
from pages._ui.running import studio
from pages._ui.status import decide
from pages._ui.words import counted, plain, price, state


def chosen_batch(page: str, *, place: str) -> list[Job] | None:
    """Draw the head of the batch that the page's address names, and return its tasks; None for all tasks."""
    name = str(st.query_params.get("batch", ""))
    if not name or studio().ledger.opening:
        return None
    jobs = studio().lists.batch(name)
    if not jobs:
        st.info("The log has no batch of this name.", icon=":material/stacks:")
        st.page_link(page, label="Show everything", icon=":material/close:")
        return jobs
    with st.container(border=True, key="batch"):
        progress(jobs, place=place)
        expected = _sum([job for job in jobs if job.state not in CAME_TO_NOTHING], "units")
        charged = _sum(jobs, "final_unit_deduction")
        words = f"{price(expected)} by the price table"
        st.caption(plain(f"{words}, {price(charged)} charged so far." if charged else f"{words}."))
        st.page_link(page, label="Show everything", icon=":material/close:")
    return jobs


def progress(jobs: Sequence[Job], *, place: str) -> None:
    """Draw how far a batch is, and take back what is not sent."""
    states = Counter(job.state for job in jobs)
    others = [f"{count:,} {state(_of(jobs, name))[0]}" for name, count in states.items() if name != SUCCEED]
    st.markdown(f"**Batch: {states[SUCCEED]:,} of {counted(len(jobs), 'video', 'videos')} done**")
    st.progress(states[SUCCEED] / len(jobs), text=plain(" · ".join(others)) or None)
    if states[WAITING] or states[NOT_SENT]:
        st.button(
            "Withdraw what is not sent",
            icon=":material/undo:",
            key=f"withdraw-batch-{place}-{jobs[0].group}",
            on_click=decide,
            args=(studio().withdraw_group, jobs[0].group),
        )


def _of(jobs: Sequence[Job], name: str) -> Job:
    return next(job for job in jobs if job.state == name)


def _sum(jobs: Sequence[Job], column: str) -> Decimal:
    return sum((each for job in jobs if (each := job.decimal(column)) is not None), Decimal(0))
