"""The four sums of Spend: what was spent, clips, what a kept clip cost, and what failed."""

from __future__ import annotations

from decimal import Decimal

import streamlit as st

from kling.studio.budget_limits import UNITS, BudgetLine, Scope
from pages._ui.context import studio
from pages._ui.current_user import acting
from pages._ui.escape import escape_html
from pages._ui.format import counted
from pages._ui.spend.facts import Facts, charged_and_due, money, unit_words
from pages._ui.spend.period import month_of


def four_sums(facts: Facts) -> None:
    """Draw them."""
    sums = facts.sums
    st.html(
        f'<dl class="spend-sums">{_spent(facts)}'
        + _sum("Clips", f"{sums.succeeded:,}", f"of {counted(sums.jobs, 'job', 'jobs')}", _rate(facts))
        + _kept(facts)
        + _sum("Failed", f"{facts.failed.failed:,}", f"{money(facts.failed.spent.settled)} charged")
        + "</dl>"
    )


def _sum(name: str, number: str, *notes: str, beside: str = "", below: str = "") -> str:
    """Return one of the four as HTML; `beside` and `below` are HTML."""
    said = "".join(f"<dd>{escape_html(note)}</dd>" for note in notes if note)
    return (
        f'<div><dt>{escape_html(name)}</dt><dd class="spend-number">{escape_html(number)}{beside}</dd>'
        f"{below}{said}</div>"
    )


def _spent(facts: Facts) -> str:
    spent = facts.sums.spent
    name, (_, due) = "Spent", charged_and_due(spent)
    notes = [unit_words(spent.used.units)]
    if spent.reserved.units or spent.reserved.money:
        name = "Spent and still due"
        notes.append(f"{money(due)} of it is not charged yet")
    if spent.unpriced:
        notes.append(f"and {counted(spent.unpriced, 'job', 'jobs')} whose price nobody knows")
    line = _limit(facts)
    if line is None:
        return _sum(name, money(spent.used), " · ".join(notes))
    if line.limit.unit == UNITS:
        notes[0] = line.words
    of = "" if line.limit.unit == UNITS else f" <span>of {escape_html(line.limit.amount_words)}</span>"
    part = min(line.used / line.limit.amount, Decimal(1)) if line.limit.amount else Decimal(1)
    bar = f'<dd class="spend-limit" aria-hidden="true"><i style="width:{part:.1%}"></i></dd>'
    return _sum(name, money(spent.used), " · ".join(notes), beside=of, below=bar)


def _limit(facts: Facts) -> BudgetLine | None:
    """Return the team's limit of this month; None if there is none."""
    if facts.period != month_of(facts.today):
        return None
    lines = studio().budgets.status(acting().user).lines
    return next((line for line in lines if line.limit.scope is Scope.TEAM_MONTH), None)


def _rate(facts: Facts) -> str:
    rate = facts.sums.success_rate
    return "" if rate is None else f"{_percent(rate)} of those that ended"


def _percent(rate: float) -> str:
    """Return a share; 100 % only where it is all of them, 0 % only where it is none."""
    tenths = min(max(round(rate * 1000), int(rate > 0)), 1000 - int(rate < 1))
    return f"{tenths // 10} %" if tenths % 10 == 0 else f"{tenths / 10:.1f} %"


def _kept(facts: Facts) -> str:
    sums = facts.sums
    if not sums.kept:
        return _sum("Spent per kept clip", "–", "None was starred or rated 4 and more")
    each = sums.spent.settled.money / sums.kept  # of what stands in the line below
    return _sum(
        "Spent per kept clip",
        money(each),
        f"{sums.kept:,} starred or rated 4 and more",
        f"{money(sums.kept_cost)} charged for them, of {money(charged_and_due(sums.spent)[0])}",
    )
