"""Spend: what a month or any range has cost, for whom and for what, and whether Kling's books agree."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from kling.studio.changes import LIBRARY, SCAN
from kling.studio.library import IndexBroken
from pages._ui.account_comparison import compare_with_kling
from pages._ui.context import studio
from pages._ui.current_user import sees_prices
from pages._ui.escape import escape_markdown
from pages._ui.format import counted
from pages._ui.library.empty import still_reading
from pages._ui.live import EVERY_JOB, live_fragment
from pages._ui.pagination import nothing_yet
from pages._ui.scripts.assets import loader
from pages._ui.spend.books import books
from pages._ui.spend.charts import by_day
from pages._ui.spend.facts import Facts, facts_of
from pages._ui.spend.groups import WAYS, bars, rows_of, table, way_of
from pages._ui.spend.head import elsewhere, head, period_of_address, way_of_address
from pages._ui.spend.sums import four_sums
from pages._ui.spend.times import times
from pages._ui.words import NOTHING_CHARGED, SANDBOX

_SCRIPT = Path(__file__).parent / "_ui" / "spend" / "links.js"


def spend() -> None:
    if not sees_prices():
        st.info("Costs are shown to makers and admins.", icon=":material/lock:")
        return
    with st.container(key="spend"):
        _component()(key="spend.links")
        if studio().ledger.opening or not studio().ledger.index.tasks:
            live_fragment(_nothing, "spend", concerns=lambda: [EVERY_JOB, SCAN])
            return
        live_fragment(_whole, "spend", concerns=lambda: [EVERY_JOB, LIBRARY, SCAN])


def _nothing() -> None:
    if not studio().ledger.opening and studio().ledger.index.tasks:
        st.rerun()
    nothing_yet("What clips cost is added up here, from the first one on.", icon="bar_chart")
    if not studio().ledger.opening:
        compare_with_kling()


def _whole() -> None:
    try:
        _draw(facts_of(period_of_address()))
    except IndexBroken as error:
        st.error(escape_markdown(f"Nothing can be added up now. {error}"), icon=":material/warning:")


def _draw(facts: Facts) -> None:
    ways = list(WAYS)
    head(facts, ways)
    if facts.totals.missing:
        still_reading(facts.totals.missing, "Sums are without them until then.")
    four_sums(facts)
    _caption(facts)
    if not facts.totals.jobs:
        if not facts.totals.missing:
            elsewhere(facts)
        books(facts)
        return
    days = _groups(facts, way_of_address(ways))
    with st.container(key="spend-times"):
        hours, paces = st.container(key="spend-hours"), st.container(key="spend-paces")
    books(facts)
    # The charts come last: the first one in the life of the server loads Altair, and the numbers do not wait.
    with days:
        st.html(f'<h2 class="spend-head">{way_of(facts, "day").chip}</h2>')
        by_day(facts)
    times(facts, hours, paces)


def _groups(facts: Facts, name: str) -> DeltaGenerator:
    """Draw the sums in groups; return the place for the chart of days."""
    by = way_of(facts, name)
    rows = rows_of(facts, by)
    with st.container(key="spend-charts"):
        days = st.container(key="spend-days")
        with st.container(key="spend-groups"):
            shown = WAYS["model"] if name == "day" else by
            st.html(f'<h2 class="spend-head">{shown.chip}</h2>')
            bars(facts, shown, rows if shown is by else rows_of(facts, shown))
    table(facts, by, rows)
    return days


def _caption(facts: Facts) -> None:
    here = studio()
    parts = []
    if here.connection.is_sandbox:
        parts.append(f"{SANDBOX}, {NOTHING_CHARGED}: these would be Kling’s list prices")
    parts.append(f"Days are those of {here.settings.timezone}")
    if imported := facts.totals.jobs - facts.sums.jobs:
        parts.append(f"{counted(imported, 'job is', 'jobs are')} in no sum: imported, or of another account")
    st.caption(escape_markdown(f"{'. '.join(parts)}."))


@cache
def _component() -> Any:
    """Return the script as a component, which Streamlit is told of once."""
    script = loader("spend", _SCRIPT.read_text(encoding="utf-8"))
    return st.components.v2.component("studio_spend_links", js=script, isolate_styles=False)


spend()
