"""The clips of Gallery in parts: the first with the page, each further one by its own route."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from kling.studio.library import IndexBroken, JobQuery, Page
from pages._ui.context import studio
from pages._ui.format import counted
from pages._ui.library.days import counts_of, days_of, name_of
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
    try:
        counts = counts_of(page, query, to.user.who)
    except IndexBroken:
        counts = {}
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
