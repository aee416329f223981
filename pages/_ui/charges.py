"""What Kling charged for a job, and whether that was expected."""

from __future__ import annotations

from decimal import Decimal

import streamlit as st

from kling.studio import amounts
from kling.studio.amounts import in_cents, money
from kling.studio.clip_verification import Charge, charged
from kling.studio.jobs import Job
from pages._ui.context import studio
from pages._ui.current_user import sees_prices
from pages._ui.escape import escape_markdown
from pages._ui.format import in_money, is_sandbox, price


def charge_words(job: Job, charge: Charge) -> str:
    """Return what Kling charged: Units, money of an account that pays in cash, or both."""
    units, cash, listed = charge.charged, charge.cash, charge.list_price
    if cash is None or (not cash and units is not None):
        return "" if units is None else price(units, job)
    instead = f", list price {money(listed, charge.currency)}" if listed not in {None, cash} else ""
    if not units:
        return f"{money(cash, charge.currency)} from the balance{instead}"
    if (total := _total(charge)) is None:
        return f"{price(units, job)} and {money(cash, charge.currency)} from the balance{instead}"
    parts = amounts.shares_in_cents([total - cash, cash], in_cents(total))
    in_units, from_balance = (money(part, charge.currency) for part in parts)
    return f"{in_units} ({amounts.units(units)}) and {from_balance} from the balance{instead}"


def charge_money(job: Job, charge: Charge) -> str:
    """Return what Kling charged in money alone, as one amount where it is of one currency."""
    if not charge.cash:
        return "" if charge.charged is None else in_money(charge.charged, job)
    if not charge.charged:
        return money(charge.cash, charge.currency)
    total = _total(charge)
    if total is not None:
        return money(total, charge.currency)
    return f"{in_money(charge.charged, job)} and {money(charge.cash, charge.currency)}"


def _total(charge: Charge) -> Decimal | None:
    """Return Units and money as one amount, None where their currencies differ or one is not known."""
    if charge.unit_price is None or charge.charged is None or charge.cash is None:
        return None
    return charge.charged * charge.unit_price + charge.cash


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
    if charge.is_expected:
        return f"{words}, as expected."
    currency = studio().settings.currency
    if charge.cash and charge.currency not in {"", currency}:
        return f"{words}. The sums are in {currency} and count the price by the table."
    return f"{words}."


def charge_line(job: Job) -> None:
    """Draw what Kling charged; nothing if `charge_text` is empty."""
    if text := charge_text(job):
        st.caption(escape_markdown(text))
