"""What was spent, added up by person, model and so on: bars, and the same numbers as a table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

import streamlit as st

from kling import catalog
from kling.studio.library import Group, JobQuery, SpendRow, Sums
from pages._ui.context import studio
from pages._ui.escape import escape_attribute, escape_html
from pages._ui.format import counted, prompt_of
from pages._ui.frame.titles import first_words
from pages._ui.library.address import history_link
from pages._ui.people import circle
from pages._ui.spend.facts import Facts, money, parts_in_cents, total_in_cents, unit_number
from pages._ui.spend.period import MOST_DAYS, day_words, month_of
from pages._ui.template_titles import title_of
from pages._ui.words import model_title, quality

MOST_ROWS = 50  # of a table; all others stand in one row together
MOST_BARS = 8
NUMBERS = ("Jobs", "Clips", "Failed", "Kept", "Ordered for", "Charged", "Not charged yet", "Units")


@dataclass(frozen=True, slots=True)
class By:
    """One way to add up.

    Args:
        chip: the word on its chip.
        head: the head of its column.
        group: for the library.
        name: gives the words for a row.
        narrow: narrows a question to the jobs of a row; None where History has no such filter.
    """

    chip: str
    head: str
    group: Group
    name: Callable[[SpendRow], str]
    narrow: Callable[[JobQuery, str], JobQuery] | None


def _model(row: SpendRow) -> str:
    return model_title(row.key, catalog().models.get(row.key)) if row.key else "Not known"


def _template(row: SpendRow) -> str:
    if not row.key:
        return "Without a template"
    return title_of(row.key) or "A template that is not known here"


def _batch(row: SpendRow) -> str:
    jobs = studio().ledger.index.batch(row.key) if row.key else []
    return first_words(prompt_of(jobs[0])) if jobs else (row.key or "Without a batch")


def _on_day(query: JobQuery, key: str) -> JobQuery:
    day = date.fromisoformat(key)
    return replace(query, first=day, last=day)


def _in_month(query: JobQuery, key: str) -> JobQuery:
    month = month_of(date.fromisoformat(f"{key}-01"))
    first, last = query.first or month.first, query.last or month.last
    return replace(query, first=max(first, month.first), last=min(last, month.last))


# By the name in the page's address.
WAYS: Mapping[str, By] = {
    "person": By(
        "By person",
        "Person",
        Group.PERSON,
        lambda row: row.name or "Without a name",
        lambda query, key: replace(query, person=key),
    ),
    "model": By("By model", "Model", Group.MODEL, _model, lambda query, key: replace(query, models=(key,))),
    "quality": By(
        "By quality",
        "Quality",
        Group.MODE,
        lambda row: quality(row.key) or "Not known",
        lambda query, key: replace(query, modes=(key,)),
    ),
    "template": By("By template", "Template", Group.TEMPLATE, _template, None),
    "batch": By("By batch", "Batch", Group.BATCH, _batch, lambda query, key: replace(query, batch=key)),
    "day": By(
        "By day",
        "Day",
        Group.DAY,
        lambda row: day_words(date.fromisoformat(row.key), year=True),
        _on_day,
    ),
}


MONTHS = By(  # in the place of days, where these would be too many
    "By month",
    "Month",
    Group.MONTH,
    lambda row: month_of(date.fromisoformat(f"{row.key}-01")).title,
    _in_month,
)


def way_of(facts: Facts, name: str) -> By:
    """Return how to add up.

    Args:
        facts: what the page is about.
        name: in `WAYS`.
    """
    return MONTHS if name == "day" and facts.period.days > MOST_DAYS else WAYS[name]


def rows_of(facts: Facts, by: By) -> tuple[SpendRow, ...]:
    """Return the groups.

    Raises:
        IndexBroken: there is no index.
    """
    return studio().library.spend(facts.query, by.group)


def bars(facts: Facts, by: By, rows: Sequence[SpendRow]) -> None:
    """Draw the largest groups as bars; a reader hears the table instead, which has the same numbers."""
    shown, _, in_cents = _in_cents(facts, rows)
    spent = {row.key: charged + due for row, (_, charged, due) in zip(shown, in_cents, strict=False)}
    if by.group in {Group.TEMPLATE, Group.BATCH} and len(rows) > 1:  # most have none, and would hide the rest
        shown, rows = ([row for row in each if row.key] for each in (shown, rows))
    largest = sorted(shown, key=lambda row: row.sums.spent.used.money, reverse=True)[:MOST_BARS]
    most = max((row.sums.spent.used.money for row in largest), default=Decimal(0))
    drawn = "".join(
        f"<div><span>{_who(by, row)}<bdi>{escape_html(by.name(row))}</bdi>"
        f"<b>{escape_html(money(spent[row.key]))}</b></span>"
        f'<i style="width:{(row.sums.spent.used.money / most if most else Decimal(0)):.1%}"></i></div>'
        for row in largest
    )
    others = len(rows) - len(largest)
    more = f"<p>{counted(others, 'more is', 'more are')} in the table below.</p>" if others else ""
    st.html(f'<div class="spend-bars" aria-hidden="true">{drawn}{more}</div>')


def table(facts: Facts, by: By, rows: Sequence[SpendRow]) -> None:
    """Draw the numbers as a table, whose rows lead to their jobs in History; the last one has the sums."""
    shown, sums, in_cents = _in_cents(facts, rows)
    names = [_named(facts, by, row) for row in shown]
    if rest := len(rows) - len(shown):
        names.append(f"<bdi>{rest:,} others</bdi>")
    body = "".join(map(_row, names, sums, in_cents))
    head = "".join(f'<th scope="col" role="columnheader">{name}</th>' for name in (by.head, *NUMBERS))
    st.html(
        '<table class="spend-table" role="table">'
        f"<caption>{escape_html(facts.period.title)}, {by.chip.lower()}</caption>"
        f'<thead role="rowgroup"><tr role="row">{head}</tr></thead>'
        f'<tbody role="rowgroup">{body}</tbody>'
        f'<tfoot role="rowgroup">{_row("All", facts.sums, total_in_cents(facts))}</tfoot></table>'
    )


def _named(facts: Facts, by: By, row: SpendRow) -> str:
    """Return the first cell of a row as HTML: its name, as a link where History has a filter for it."""
    name = f"{_who(by, row)}<bdi>{escape_html(by.name(row))}</bdi>"
    if by.narrow is None or not row.key:
        return name
    narrowed = by.narrow(facts.link, row.key)
    if narrowed == facts.link:  # no address can hold this value, such as a name of several lines
        return name
    href = escape_attribute(history_link(narrowed))
    return f'<a href="{href}" data-history>{name}</a>'


def _who(by: By, row: SpendRow) -> str:
    return circle(row.name) if by.group is Group.PERSON and row.name else ""


def _in_cents(
    facts: Facts, rows: Sequence[SpendRow]
) -> tuple[Sequence[SpendRow], Sequence[Sums], Sequence[Sequence[Decimal]]]:
    """Return the groups with a row of their own, then the sums and the amounts in cents of each row.

    All other groups have one row together, the last one.
    """
    shown = rows if len(rows) <= MOST_ROWS + 1 else rows[:MOST_ROWS]
    sums = [row.sums for row in shown]
    if rest := rows[len(shown) :]:
        sums.append(sum((row.sums for row in rest), start=Sums()))
    return shown, sums, parts_in_cents(facts, sums)


def _row(name: str, sums: Sums, in_cents: Sequence[Decimal]) -> str:
    """Return a row as HTML.

    Args:
        name: its first cell as HTML.
        sums: what the others say.
        in_cents: the price when it was ordered, what was charged, and what is not charged yet.
    """
    ordered_for, charged, due = in_cents
    cells = (
        f"{sums.jobs:,}",
        f"{sums.succeeded:,}",
        f"{sums.failed:,}",
        f"{sums.kept:,} of {sums.succeeded:,}",
        money(ordered_for),
        money(charged),
        money(due) if sums.spent.reserved.money or sums.spent.reserved.units else "–",
        unit_number(sums.spent.settled.units),
    )
    said = "".join(
        f'<td role="cell" data-name="{head}">{escape_html(cell)}</td>'
        for head, cell in zip(NUMBERS, cells, strict=True)
    )
    return f'<tr role="row"><th scope="row" role="rowheader">{name}</th>{said}</tr>'
