"""The clips of Gallery in parts: the first with the page, each further one by its own route."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from itertools import groupby
from typing import Any
from urllib.parse import urlencode

from kling.studio.library import JobQuery, Page
from pages._ui.context import studio
from pages._ui.format import counted
from pages._ui.library.days import day_of, days_of, name_of
from pages._ui.wall.tiles import Looker, tile_facts

PER_PAGE = 40  # tiles that come together: more than a laptop shows at once


def page_of(query: JobQuery, to: Looker) -> Page:
    """Return a part of the clips that a question finds.

    Raises:
        IndexBroken: there is no index.
    """
    return studio().library.page(query, studio().ledger.get, who=to.user.who, per_page=PER_PAGE)


def part_facts(query: JobQuery, page: Page, to: Looker) -> dict[str, Any]:
    """Return what the script is told of a part: its days, and its tiles with the day of each.

    Args:
        query: what is asked for.
        page: what was found.
        to: for whom.
    """
    today = studio().library.today()
    days, tiles = [], []
    counts = _counts(query, page, to)
    for day, rows in days_of(page, query):
        key = day.isoformat() if day else ""
        number = counts.get(day) if day else None
        days.append(
            {
                "key": key,
                "name": name_of(day, today) if day else "",
                "count": counted(number, "clip", "clips") if number else "",
            }
        )
        tiles += [{**tile_facts(row.job, to), "day": key} for row in rows]
    return {
        "days": days,
        "tiles": tiles,
        "number": page.number,
        "more": page.number + 1 if page.has_more else 0,
    }


def list_of(query: JobQuery) -> str:
    """Return the query of the address that asks this: the list that the lightbox walks through."""
    return urlencode(replace(query, page=1, clips=False).to_address())


def _counts(query: JobQuery, page: Page, to: Looker) -> dict[date | None, int]:
    """Return how many clips each day of a part has, with those on other parts."""
    found: Sequence[tuple[date | None, int]] = [
        (day, len(list(rows))) for day, rows in groupby(page.rows, key=day_of)
    ]
    counts = dict(found)
    ends = {found[0][0]} if found and page.number > 1 else set()  # days that other parts may have clips of
    ends |= {found[-1][0]} if found and page.has_more else set()
    for day in ends:
        if day is not None:
            of_day = replace(query.whole, first=day, last=day)
            counts[day] = studio().library.count(of_day, who=to.user.who)
    return counts
