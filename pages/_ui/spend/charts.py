"""The two charts of Spend, by Altair. Their colours are the tokens of the page, which know the theme.

The pictures are SVG and not a canvas, so that a colour can be a variable of CSS. Altair and pandas take half
a second to load, so they are imported where something is drawn.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import streamlit as st

from kling.studio import amounts
from kling.studio.library import Group, Sums
from kling.studio.library.spend import Times
from pages._ui.context import studio
from pages._ui.escape import escape_attribute
from pages._ui.format import prompt_of
from pages._ui.frame.titles import first_words
from pages._ui.library.address import history_link
from pages._ui.spend.facts import Facts, money, parts_in_cents, unit_words
from pages._ui.spend.period import MOST_DAYS, day_words, month_of

if TYPE_CHECKING:
    import altair as alt

HEIGHT = 252
MOST_MONTHS = 36
WIDEST_BAR = 0.09  # of the chart
MOST_DEAREST = 31  # bars that name their dearest job, which takes a question each
FONT = "Source Sans, sans-serif"


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: a day or a month.

    Args:
        first, last: its days.
        label: below it.
        name: in full, for its tooltip.
        sums: of its jobs.
    """

    first: date
    last: date
    label: str
    name: str
    sums: Sums


def bars_of(facts: Facts) -> tuple[Bar, ...]:
    """Return a bar for each day of the period, or for each of its months if it is long.

    Raises:
        IndexBroken: there is no index.
    """
    period = facts.period
    if period.days > MOST_DAYS:
        found = {row.key: row.sums for row in studio().library.spend(facts.query, Group.MONTH)}
        months = [month_of(date.fromisoformat(f"{key}-01")) for key in _all_months(facts, sorted(found))]
        return tuple(
            Bar(
                max(month.first, period.first),
                min(month.last, period.last),
                f"{month.first:%b %y}",
                month.title,
                found.get(f"{month.first:%Y-%m}", Sums()),
            )
            for month in months
        )
    found = {row.key: row.sums for row in studio().library.spend(facts.query, Group.DAY)}
    days = (period.first + timedelta(days=number) for number in range(period.days))
    return tuple(
        Bar(day, day, day_words(day), f"{day:%a} {day_words(day)}", found.get(day.isoformat(), Sums()))
        for day in days
    )


def _all_months(facts: Facts, keys: Sequence[str]) -> list[str]:
    """Return the months of the period; of a very long one those from the first with jobs to the last."""
    first, last = (f"{day:%Y-%m}" for day in (facts.period.first, facts.period.last))
    if facts.period.days > MOST_MONTHS * 31:
        first, last = (keys[0], keys[-1]) if keys else (first, first)
    found = []
    month = month_of(date.fromisoformat(f"{first}-01"))
    while (key := f"{month.first:%Y-%m}") <= last:
        found.append(key)
        month = month.moved(1)
    return found


def by_day(facts: Facts) -> None:
    """Draw what was spent on each day; a press on a bar shows its jobs in History (links.js).

    Raises:
        IndexBroken: there is no index.
    """
    import altair as alt
    import pandas as pd

    bars = bars_of(facts)
    in_cents = parts_in_cents(facts, [bar.sums for bar in bars])
    spent = [money(charged + due) for _, charged, due in in_cents]
    frame = pd.DataFrame(
        {
            "label": [bar.label for bar in bars],
            "words": [f"{bar.name}: {words}" for bar, words in zip(bars, spent, strict=True)],
            "amount": [float(bar.sums.spent.used.money) for bar in bars],
            "Day": [bar.name for bar in bars],
            "Spent": [
                f"{words} ({unit_words(bar.sums.spent.used.units)})"
                for bar, words in zip(bars, spent, strict=True)
            ],
            "Jobs": [f"{bar.sums.jobs:,}, {bar.sums.failed:,} failed" for bar in bars],
            "Dearest": _dearest(facts, bars),
            "is_now": [bar.first <= facts.today <= bar.last for bar in bars],
        }
    )
    tooltips = ["Day", "Spent", "Jobs", *(["Dearest"] if frame["Dearest"].any() else [])]
    chart = (
        alt.Chart(frame)
        .mark_bar(cornerRadiusTopLeft=3, cornerRadiusTopRight=3, cursor="pointer")
        .encode(
            x=alt.X(
                "label:N",
                sort=None,
                title=None,
                axis=alt.Axis(values=_labels(bars), labelAngle=0, ticks=False, labelOverlap="greedy"),
                scale=alt.Scale(paddingInner=max(0.22, 1 - WIDEST_BAR * len(bars)), paddingOuter=0.1),
            ),
            y=alt.Y("amount:Q", title=None, axis=_money_axis()),
            color=alt.condition("datum.is_now", alt.value("var(--chart-now)"), alt.value("var(--chart)")),
            tooltip=tooltips,
            description="words:N",
        )
    )
    st.altair_chart(
        _dressed(chart, f"What was spent each day, {facts.period.title}. The table has the numbers."),
        theme=None,
        width="stretch",
        key="spend.days",
    )
    links = [history_link(replace(facts.link, first=bar.first, last=bar.last)) for bar in bars]
    st.html(f'<i data-bars="{escape_attribute(json.dumps(links))}" hidden></i>')


def _dearest(facts: Facts, bars: Sequence[Bar]) -> list[str]:
    """Return words on the dearest job of each bar; empty where there is none, or with many bars."""
    if sum(bar.sums.jobs > 0 for bar in bars) > MOST_DEAREST:
        return [""] * len(bars)
    here = studio()
    found = []
    for bar in bars:
        query = replace(facts.query, first=bar.first, last=bar.last)
        job = here.ledger.get(here.library.dearest(query)) if bar.sums.jobs else None
        found.append(first_words(prompt_of(job)) if job else "")
    return found


def _labels(bars: Sequence[Bar]) -> list[str]:
    """Return what stands below the bars: the 1st and each 5th day of a month, or all of a few."""
    if len(bars) <= 12:
        return [bar.label for bar in bars]
    if bars[0].first != bars[0].last:
        step = -(-len(bars) // 12)
        return [bar.label for bar in bars[::step]]
    few = {1, 15} if len(bars) > 45 else {1, 5, 10, 15, 20, 25, 30}
    return [bar.label for bar in bars if bar.first.day in few]


def _money_axis() -> alt.Axis:
    import altair as alt

    before, _, after = amounts.money(Decimal(0), studio().settings.currency).partition("0.00")
    number = "format(datum.value, datum.value % 1 ? ',.2f' : ',d')"
    return alt.Axis(
        orient="right",
        tickCount=4,
        ticks=False,
        labelPadding=8,
        labelExpr=f"{json.dumps(before)} + {number} + {json.dumps(after)}",
    )


def by_hour(times: Sequence[Times], name: str) -> None:
    """Draw how long jobs took by the hour of their order, in three parts.

    Args:
        times: of one model.
        name: of the model.
    """
    import altair as alt
    import pandas as pd

    parts = {"Waited here": "waited", "Queued at Kling": "queued", "Made": "processed"}
    frame = pd.DataFrame(
        [
            {
                "Hour": f"{each.hour:02}:00",
                "Part": part,
                "minutes": (getattr(each, field) or 0) / 60,
                "order": order,
                "Jobs": each.jobs,
            }
            for each in times
            for order, (part, field) in enumerate(parts.items())
        ]
    )
    frame["On average"] = [f"{int(m * 60) // 60}:{int(m * 60) % 60:02}" for m in frame["minutes"]]
    hours = [f"{hour:02}:00" for hour in range(24)]
    chart = (
        alt.Chart(frame)
        .mark_bar(cornerRadius=2)
        .encode(
            x=alt.X(
                "Hour:N",
                title=None,
                scale=alt.Scale(domain=hours, paddingInner=0.22),
                axis=alt.Axis(values=hours[::3], labelAngle=0, ticks=False),
            ),
            y=alt.Y(
                "sum(minutes):Q",
                title=None,
                axis=alt.Axis(
                    orient="right",
                    tickCount=4,
                    ticks=False,
                    labelPadding=8,
                    labelExpr="format(datum.value, datum.value % 1 ? '.1f' : 'd') + ' min'",
                ),
            ),
            color=alt.Color(
                "Part:N",
                sort=None,
                scale=alt.Scale(
                    domain=list(parts), range=["var(--chart-wait)", "var(--chart)", "var(--chart-now)"]
                ),
                legend=alt.Legend(orient="top", title=None, symbolType="square"),
            ),
            order="order:Q",
            tooltip=["Hour", "Part", "On average", "Jobs"],
        )
    )
    st.altair_chart(
        _dressed(chart, f"How long jobs of {name} took by the hour. The table has the numbers."),
        theme=None,
        width="stretch",
        key="spend.hours",
    )


def _dressed(chart: alt.Chart, words: str) -> Any:
    """Return a chart in the looks of the studio.

    Args:
        chart: as it is.
        words: what a reader hears of it.
    """
    text = {"labelColor": "var(--text3)", "labelFont": FONT, "labelFontSize": 12}
    return (
        chart.properties(
            height=HEIGHT,
            background="transparent",
            description=words,
            usermeta={"embedOptions": {"renderer": "svg", "actions": False}},
        )
        .configure_view(stroke=None)
        .configure_axis(domain=False, gridColor="var(--line)", **text)
        .configure_axisX(grid=False, labelPadding=10)
        .configure_legend(labelFont=FONT, labelFontSize=13, labelColor="var(--text2)")
    )
