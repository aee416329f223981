"""The jobs of one batch: how many are done, what they cost, and a button to cancel what is not sent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from decimal import Decimal

import streamlit as st

from kling.studio.actions import Actions
from kling.studio.amounts import money
from kling.studio.clip_verification import Charge, charged
from kling.studio.jobs import NOT_SENT, OPEN, SUCCEED, WAITING, Job
from pages._ui.charges import charge_words
from pages._ui.context import studio
from pages._ui.current_user import acting, sees_prices
from pages._ui.decide import decide
from pages._ui.escape import escape_markdown
from pages._ui.format import counted, is_sandbox, price, state
from pages._ui.words import CANCEL_REST

COSTS = frozenset({SUCCEED, *OPEN})  # states of jobs that are to cost what the price table says


def batch_header(name: str, *, page: str) -> None:
    """Draw how a batch goes on, and the link that leads back to everything.

    Args:
        name: its id.
        page: `history` or `gallery`.
    """
    script = f"{page}.py"
    jobs = studio().ledger.index.batch(name)
    if not jobs:
        st.info("The log has no batch of this name.", icon=":material/stacks:")
        st.page_link(script, label="Show everything", icon=":material/close:")
        return
    with st.container(border=True, key="batch"):
        progress(jobs, page=page)
        own = [job for job in jobs if not job.imported]  # what was taken in is in no sum
        if own and sees_prices():
            st.caption(escape_markdown(_cost(own)))
        if page == "gallery" and not any(job.has_clip for job in jobs):
            st.caption("Its clips appear here as they are done.")
        st.page_link(script, label="Show everything", icon=":material/close:")


def progress(jobs: Sequence[Job], *, page: str) -> None:
    """Draw how many jobs of a batch are done, and a button to cancel what is not sent."""
    states = Counter(job.state for job in jobs)
    others = [f"{count:,} {state(_of(jobs, name))[0]}" for name, count in states.items() if name != SUCCEED]
    st.markdown(f"**Batch: {states[SUCCEED]:,} of {counted(len(jobs), 'clip', 'clips')} done**")
    st.progress(states[SUCCEED] / len(jobs), text=escape_markdown(" · ".join(others)) or None)
    is_left = any(job.state in {WAITING, NOT_SENT} and job.endpoint is not None for job in jobs)
    if is_left and acting().may_withdraw_group(jobs):
        st.button(
            CANCEL_REST,
            icon=":material/undo:",
            key=f"{page}.withdraw-batch-{jobs[0].group}",
            on_click=decide,
            args=(Actions.withdraw_group, jobs[0].group),
        )


def _cost(jobs: Sequence[Job]) -> str:
    """Return what a batch is to cost, and what Kling has charged for it so far."""
    job = jobs[0]  # ordered by one press: a Unit costs the same for all of them
    expected = sum((job.decimal("units") or Decimal(0) for job in jobs if job.state in COSTS), Decimal(0))
    if is_sandbox(job):
        return f"{price(expected, job)} at Kling."
    words = f"{price(expected, job)} by the price table"
    charges = [charge for each in jobs if (charge := charged(each)) is not None and charge.is_known]
    if not charges:
        return f"{words}."
    units = [charge.charged for charge in charges if charge.charged is not None]
    cash: dict[str, Decimal] = {}
    for charge in charges:
        if charge.cash is not None:
            cash[charge.currency] = cash.get(charge.currency, Decimal(0)) + charge.cash
    currency = job["currency"]
    total = Charge(
        None,
        sum(units, Decimal(0)) if any(units) or (units and not cash) else None,
        cash.pop(currency, None),
        currency=currency,
        unit_price=job.decimal("unit_price"),
    )
    said = [charge_words(job, total), *(f"{money(cash[each], each)} from the balance" for each in cash)]
    return f"{words}, {' and '.join(filter(None, said))} charged so far."


def _of(jobs: Sequence[Job], name: str) -> Job:
    return next(job for job in jobs if job.state == name)
