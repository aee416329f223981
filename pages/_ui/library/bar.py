"""The bar of History and Gallery: search, filters, how many jobs are found and what they cost."""

from __future__ import annotations

from contextvars import ContextVar
from functools import partial
from typing import TYPE_CHECKING

import streamlit as st

from kling.studio.amounts import money
from kling.studio.changes import JOBS, LIBRARY
from kling.studio.library import JobQuery, Totals
from kling.studio.library.query import LONGEST_TEXT
from kling.studio.library.store import IndexBroken
from pages._ui.batch_header import batch_header
from pages._ui.context import studio
from pages._ui.current_user import acting, sees_prices
from pages._ui.escape import escape_html
from pages._ui.format import counted
from pages._ui.library.address import GALLERY, asked, change, remember_address
from pages._ui.library.chips import chips
from pages._ui.library.empty import no_index, nothing_found, still_reading
from pages._ui.library.export import export_button
from pages._ui.library.recent import search_script
from pages._ui.live import EVERY_JOB, live_fragment
from pages._ui.wall import at_risk
from pages._ui.wall.controls import controls

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

# Of the run: the page, and the place in its bar for what is drawn after the rows.
_drawn: ContextVar[tuple[str, DeltaGenerator] | None] = ContextVar("bar", default=None)

WOULD_COST = "In the sandbox all is free. At Kling this would be the price."


def bar(page: str) -> JobQuery:
    """Draw the bar and return what is asked.

    Args:
        page: `history` or `gallery`.
    """
    remember_address(page)
    query = asked(page)
    with st.container(key="library_bar", horizontal=True, vertical_alignment="center"):
        with st.container(key="library_search"):
            _search(page, query)
        with st.container(key="library_chips", horizontal=True, vertical_alignment="center"):
            chips(page, query)
            if page == GALLERY:
                at_risk.make_room()
        with st.container(key="library_end", horizontal=True, vertical_alignment="center", width="content"):
            _drawn.set((page, st.empty()))
            if page == GALLERY:
                with st.container(key="to_collections", width="content"):
                    st.page_link("clip_collections.py", label="Collections", icon=":material/library_add:")
                controls()
            else:
                export_button(query)
    # As the address has it: a log of another tool may have a name that no question can hold.
    if (batch := str(st.query_params.get("batch") or "")) and not studio().ledger.opening:
        live_fragment(partial(batch_header, batch, page=page), "batch")
    return query


def _search(page: str, query: JobQuery) -> None:
    key = f"{page}.search"
    if st.session_state.get(key) is None or _same(st.session_state[key]) != query.text:
        st.session_state[key] = query.text  # the address was changed by Back, a link or a button
    st.text_input(
        "Search",
        key=key,
        type="search",
        icon=":material/search:",
        placeholder="Search prompts, shots and ids",
        label_visibility="collapsed",
        max_chars=LONGEST_TEXT,
        live=True,
        on_change=_look_for,
        args=(page, key),
    )
    search_script()


def _look_for(page: str, key: str) -> None:
    if _same(st.session_state[key]) != asked(page).text:
        change(page, text=st.session_state[key])


def _same(text: str) -> str:
    """Return what is looked for, as the address has it; blanks at the end are a word not begun yet."""
    return JobQuery(text=text).text


def totals(query: JobQuery) -> None:
    """Draw how many jobs are found and what they cost, in the bar; and here, what there is to say of none.

    Call it after the rows, which take less time.

    Args:
        query: as `bar` has returned it.
    """
    if (drawn := _drawn.get()) is not None:
        page, place = drawn
        drawn_in = partial(_totals, page, query, place)
        live_fragment(drawn_in, "totals", concerns=lambda: [EVERY_JOB, JOBS, LIBRARY])


def _totals(page: str, query: JobQuery, place: DeltaGenerator) -> None:
    if studio().ledger.opening:
        nothing_found(page, query)
        return
    try:
        found = studio().library.totals(query, who=acting().who)
    except IndexBroken as error:
        no_index(error)
        return
    one, many = ("clip", "clips") if page == GALLERY else ("job", "jobs")
    words = f"<b>{counted(found.jobs, one, many)}{' so far' if found.missing else ''}</b>"
    if sees_prices() and page != GALLERY:
        words += _cost(found)
    place.html(f'<p class="library-totals" role="status">{words}</p>')
    if found.missing:
        still_reading(found.missing)
    elif not found.jobs:
        nothing_found(page, query)


def _cost(found: Totals) -> str:
    """Return what the jobs cost as HTML; nothing where it were that of other jobs than those found."""
    here, others = studio(), found.jobs - found.sums.jobs  # imported, or of another account
    if found.jobs and (not found.sums.jobs or (others and here.connection.is_sandbox)):
        return ""
    about = WOULD_COST if here.connection.is_sandbox else ""
    if others:
        about = f"Without {counted(others, 'job', 'jobs')} that are imported, or of another account."
    title = f' title="{about}"' if about else ""
    amount = money(found.sums.spent.used.money, here.settings.currency)
    said = f"{amount} at Kling" if about == WOULD_COST else amount
    return f" <span{title}>· {escape_html(said)}</span>"
