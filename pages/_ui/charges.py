"""What Kling charged for a job, and whether that was expected."""

from __future__ import annotations

import streamlit as st

from kling.studio.amounts import money
from kling.studio.clip_verification import Charge, charged
from kling.studio.jobs import Job
from pages._ui.current_user import sees_prices
from pages._ui.escape import escape_markdown
from pages._ui.format import is_sandbox, price


def charge_words(job: Job, charge: Charge) -> str:
    """Return what Kling charged: Units, money of an account that pays in cash, or both."""
    parts = []
    if charge.charged is not None and (charge.charged or not charge.cash):
        parts.append(price(charge.charged, job))
    if charge.cash is not None and (charge.cash or charge.charged is None):
        listed = charge.list_price
        instead = (
            f", list price {money(listed, job['currency'])}" if listed not in {None, charge.cash} else ""
        )
        parts.append(f"{money(charge.cash, job['currency'])} from the balance{instead}")
    return " and ".join(parts)


def charge_text(job: Job) -> str:
    """Return what Kling charged as a sentence.

    It is empty while nobody knows, for a job of the sandbox, which charges nothing, and for a viewer.
    """
    charge = charged(job)
    if charge is None or not charge.is_known or is_sandbox(job) or not sees_prices():
        return ""
    words = f"Charged {charge_words(job, charge)}"
    if charge.differs:
        return f"{words}; {price(charge.estimated, job)} were expected."
    if charge.estimated is not None and charge.charged == charge.estimated:
        return f"{words}, as expected."
    return f"{words}."


def charge_line(job: Job) -> None:
    """Draw what Kling charged; nothing if `charge_text` is empty."""
    if text := charge_text(job):
        st.caption(escape_markdown(text))
