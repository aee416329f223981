"""The rows of History. list.js draws them: they stay where they are when a job changes, also under a finger.

A hidden element carries what it shows. The sums of the days come in a second one, after the rows.
"""

from __future__ import annotations

import json
import time
from functools import cache, partial
from pathlib import Path
from typing import Any

import streamlit as st

from kling.studio.identity.roles import Action
from kling.studio.library import IndexBroken, JobQuery, Page
from pages._ui.address import base_path
from pages._ui.compare.address import MOST
from pages._ui.context import studio
from pages._ui.curation.presses import answered, did
from pages._ui.current_user import acting, sees_prices
from pages._ui.job.address import job_link
from pages._ui.library.columns import COLUMNS
from pages._ui.library.days import days_of, name_of, sums_of
from pages._ui.library.export import export_link
from pages._ui.library.row_facts import facts_of, viewer
from pages._ui.scripts.assets import loader
from pages._ui.scripts.script import ELEMENTS, FINGER, LISTS, SENDING, hidden_facts, script_of
from pages._ui.sharing.allowed import may_share
from pages._ui.style.sheet import with_sheets

_PARTS = ("list_row", "list_menu", "list_columns", "list_fingers", "list_bar", "list")
_FILES = (ELEMENTS, FINGER, LISTS, SENDING, *(Path(__file__).with_name(f"{name}.js") for name in _PARTS))
KEY = "history.list"
ANY = "-"  # stands for an id in the addresses that the script fills in


@cache
def _component() -> Any:
    """Return the script as a component, which Streamlit is told of once."""
    script = with_sheets(
        script_of(*_FILES, BASE=base_path(), MOST_COMPARED=MOST), "list_menus", "library_list"
    )
    return st.components.v2.component("studio_list", js=loader("list", script), isolate_styles=False)


def page_of(query: JobQuery) -> Page:
    """Return the rows of the page that a question names; none while nothing can be looked up (`totals`)."""
    try:
        return studio().library.page(query, studio().ledger.get, who=acting().who)
    except IndexBroken:
        return Page((), 1, has_more=False)


def rows(query: JobQuery, page: Page) -> None:
    """Draw the list; call it in a live part, so that it is drawn again when a job changes.

    Args:
        query: what is asked for.
        page: what was found.
    """
    with st.container(key="history"):
        _component()(key=KEY, on_did_change=partial(did, KEY))
        st.html(hidden_facts("list", list_facts(query, page), did=answered()))
        _pages(query, page)
        st.html(hidden_facts("sums", {"of": _name(query, page), "days": sums_of(page, query)}))


def list_facts(query: JobQuery, page: Page) -> dict[str, Any]:
    """Return what the script is told."""
    to, today = viewer(page.rows), studio().library.today()
    return {
        "of": _name(query, page),
        "link": job_link(ANY, query.with_page(page.number)),
        "remix": f"{base_path()}/?from={ANY}" if to.orders else "",
        "export": export_link(query, ids=[ANY]),
        "money": sees_prices(),
        "can": [*(["collect"] if to.user.may(Action.COLLECT) else []), *(["share"] if may_share() else [])],
        "columns": [[name, width] for name, (width, _) in COLUMNS.items()],
        "now": int(time.time() * 1000),
        "days": [
            {
                "key": str(day or ""),
                "name": name_of(day, today) if day else "",
                "rows": [facts_of(row, to, dated=day is None) for row in found],
            }
            for day, found in days_of(page, query)
            if found
        ],
    }


def _name(query: JobQuery, page: Page) -> str:
    """Return what tells one list from another: what is selected is kept while it is the same."""
    return json.dumps([query.to_address(), page.number])


def _pages(query: JobQuery, page: Page) -> None:
    """Draw the ways to the pages before and after this one."""
    if page.number == 1 and not page.has_more:
        return
    with st.container(horizontal=True, key="history_pages"):
        for words, icon, number, is_there in (
            ("Previous page", "chevron_left", page.number - 1, page.number > 1),
            ("Next page", "chevron_right", page.number + 1, page.has_more),
        ):
            st.page_link(
                "history.py",
                label=words,
                icon=f":material/{icon}:",
                query_params=query.with_page(number if is_there else page.number).to_address(),
                disabled=not is_there,
            )
            if number < page.number:
                st.caption(f"Page {page.number:,}", width="content")
