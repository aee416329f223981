"""The head of Spend: its period with arrows, any range, what to add up by, and the export."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import streamlit as st

from kling.studio.spending import counted_at
from pages._ui.context import studio
from pages._ui.escape import escape_html
from pages._ui.library.export import export_button
from pages._ui.spend.facts import Facts
from pages._ui.spend.groups import WAYS
from pages._ui.spend.period import MONTH, RANGE, Period, month_of, period_of, year_of

BY = "by"  # name of the parameter of the address
_BY_KEY = "spend.by"


def way_of_address(ways: Sequence[str]) -> str:
    """Return by what the address says that is added up.

    Args:
        ways: those that there are for the user, the first for an address that names none of them.
    """
    name = str(st.query_params.get(BY, ""))
    return name if name in ways else ways[0]


def head(facts: Facts, ways: Sequence[str]) -> None:
    """Draw it.

    Args:
        facts: what the page is about.
        ways: names in `WAYS` that the user can choose among.
    """
    period = facts.period
    with st.container(key="spend-head", horizontal=True, vertical_alignment="center"):
        with st.container(key="spend-period", horizontal=True, vertical_alignment="center", width="content"):
            st.html(f'<h2 class="studio-title">{escape_html(period.title)}</h2>', width="content")
            for steps, words, icon in ((-1, "Earlier", "chevron_left"), (1, "Later", "chevron_right")):
                st.button(
                    words,
                    icon=f":material/{icon}:",
                    key=f"spend.{words.lower()}",
                    type="tertiary",
                    disabled=steps > 0 and period.last >= facts.today,
                    on_click=_go,
                    args=(period.moved(steps),),
                )
            _range(facts)
        st.session_state[_BY_KEY] = way_of_address(ways)
        st.pills(
            "Add up",
            ways,
            format_func=lambda each: WAYS[each].chip,
            required=True,
            key=_BY_KEY,
            label_visibility="collapsed",
            on_change=_choose,
            args=(ways[0],),
            width="content",
        )
        export_button(facts.link, key="spend.export")


def _range(facts: Facts) -> None:
    """Draw what opens any range of days."""
    # Each period has a field of its own: what was chosen in it stays while only the first day is chosen.
    key = f"spend.range-{facts.period.first}-{facts.period.last}"
    with st.popover("Dates", icon=":material/date_range:", key="spend.dates"):
        st.date_input(
            "From and to",
            value=(facts.period.first, facts.period.last),
            min_value=date(1971, 1, 1),
            max_value=date(8998, 12, 31),
            format="YYYY-MM-DD",
            key=key,
            on_change=_take_range,
            args=(key,),
        )
        today = facts.today
        st.button("This month", key="spend.this_month", on_click=_go, args=(month_of(today),))
        st.button(
            "This year",
            key="spend.this_year",
            on_click=_go,
            args=(year_of(today),),
        )


def _take_range(key: str) -> None:
    """Show the days that were chosen, in the callback of their field; one day alone is only half of it."""
    chosen = st.session_state.get(key)
    if isinstance(chosen, tuple | list) and len(chosen) == len(RANGE):
        first, last = chosen
        _go(Period(first, last))


def _go(period: Period) -> None:
    """Name a period in the address, in a callback."""
    kept = {name: value for name, value in st.query_params.to_dict().items() if name not in {MONTH, *RANGE}}
    st.query_params.from_dict({**kept, **period.to_address(studio().library.today())})


def elsewhere(facts: Facts) -> None:
    """Say that nothing was ordered in the period, with the way to the newest month that has something."""
    st.html(f'<p class="spend-none">Nothing was ordered in {escape_html(facts.period.title)}.</p>')
    here = studio()
    newest = here.library.page(replace(facts.query, first=None, last=None), here.ledger.get, per_page=1).rows
    if newest:
        month = month_of(counted_at(newest[0].job).astimezone(here.settings.timezone).date())
        st.button(f"Show {month.title}", key="spend.elsewhere", on_click=_go, args=(month,))


def _choose(default: str) -> None:
    """Name in the address what is added up by, in a callback."""
    chosen = str(st.session_state.get(_BY_KEY) or default)
    if chosen == default:
        st.query_params.pop(BY, None)
    else:
        st.query_params[BY] = chosen


def period_of_address() -> Period:
    """Return the period that the address names."""
    return period_of(st.query_params, studio().library.today())
