"""The question that the address of History or Gallery asks, and the one way to change it.

The address alone says what is asked; every part of the bar is drawn from it. Whatever changes it adds an
entry to the browser's history, but for letters that are typed (see bar.js).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import streamlit as st

from kling.studio.library import JobQuery
from kling.studio.library.query import PARAMETERS
from pages._ui.address import base_path
from pages._ui.current_user import sees_prices
from pages._ui.session_state import app_state

GALLERY = "gallery"


def asked(page: str) -> JobQuery:
    """Return what the address asks, as far as the user may ask it.

    Args:
        page: `history` or `gallery`.
    """
    query = JobQuery.of_address(st.query_params)
    if page == GALLERY:
        query = of_gallery(query)
    return query if sees_prices() else query.without_costs


def history_link(query: JobQuery) -> str:
    """Return the address of the jobs in History that a question finds, below the host."""
    return f"{base_path()}/history?{urlencode(query.to_address())}"


def of_gallery(query: JobQuery) -> JobQuery:
    """Return what Gallery shows of a question: clips, or those that are not saved yet."""
    return replace(query, clips=not query.at_risk)


def ask(page: str, query: JobQuery) -> None:
    """Put a question into the address; call it in a callback."""
    if page == GALLERY:
        query = replace(query, clips=False)
    others = {name: value for name, value in st.query_params.to_dict().items() if name not in PARAMETERS}
    st.query_params.from_dict(others | query.to_address())


def change(page: str, **fields: Any) -> None:
    """Ask the same with other values of some fields, from the first page on; call it in a callback."""
    ask(page, replace(asked(page), page=1, **fields))


def is_asking(query: JobQuery) -> bool:
    """Whether anything is asked for beyond what a page shows by itself."""
    return replace(query, clips=False).is_filtered


def remember_address(page: str) -> None:
    """Keep what the address asks for whoever comes back from another page."""
    app_state().address = page, st.query_params.to_dict()
