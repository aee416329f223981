"""The days of a list: which rows belong to which of them, how they are called, and their sums."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from itertools import groupby

from kling.studio.amounts import money
from kling.studio.library import Found, Group, IndexBroken, JobQuery, Page
from kling.studio.spending import counted_at
from pages._ui.context import studio
from pages._ui.current_user import acting, sees_prices
from pages._ui.format import counted

BY_DAY = ("newest", "oldest")  # the orders in which the rows of a day stand together


def days_of(page: Page, query: JobQuery) -> list[tuple[date | None, Sequence[Found]]]:
    """Return the rows of a page by the day of their order, in the studio's time zone; None for no days."""
    if query.order not in BY_DAY:
        return [(None, page.rows)]
    return [(day, tuple(rows)) for day, rows in groupby(page.rows, key=_day_of)]


def _day_of(row: Found) -> date:
    """Return the day on which a job was ordered, in the studio's time zone."""
    return counted_at(row.job).astimezone(studio().settings.timezone).date()


def name_of(day: date, today: date) -> str:
    """Return how a day is called: `Today`, `Yesterday`, `Thu 19 Nov`, with the year if it is another one."""
    if day == today:
        return "Today"
    if day == today - timedelta(days=1):
        return "Yesterday"
    return f"{day:%a} {day.day} {day:%b}{f' {day.year}' if day.year != today.year else ''}"


def sums_of(page: Page, query: JobQuery) -> Mapping[str, str]:
    """Return for each day of a page how many jobs were found in it, on all pages, and what they cost.

    Returns:
        Words such as `3 jobs · $0.91`, by the day as `2026-11-27`; without money in the sandbox.
    """
    who, costs = acting().who, {}
    try:
        counts = counts_of(page, query, who)
        if counts and sees_prices() and not studio().connection.is_sandbox:  # which charges nothing
            asked = _of(query, min(counts), max(counts))
            for row in studio().library.spend(asked, Group.DAY, who=who):
                costs[row.key] = row.sums.spent.used.money
    except IndexBroken:
        return {}
    currency = studio().settings.currency
    return {
        day.isoformat(): " · ".join(
            [
                counted(count, "job", "jobs"),
                *([money(cost, currency)] if (cost := costs.get(str(day))) else []),
            ]
        )
        for day, count in counts.items()
    }


def counts_of(page: Page, query: JobQuery, who: str) -> dict[date, int]:
    """Return for each day of a page how many jobs were found in it, on all pages.

    Raises:
        IndexBroken: there is no index.
    """
    counts = {day: len(rows) for day, rows in days_of(page, query) if day is not None}
    days = list(counts)
    ends = [*(days[:1] if page.number > 1 else ()), *(days[-1:] if page.has_more else ())]
    for day in ends:  # other pages may have more of them
        counts[day] = max(counts[day], studio().library.count(_of(query, day, day), who=who))
    return counts


def _of(query: JobQuery, first: date, last: date) -> JobQuery:
    return replace(query.whole, first=first, last=last)
