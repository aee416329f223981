"""A long list in pages, and what is drawn while it is empty."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import streamlit as st

from kling.studio.identity.roles import Action
from pages._ui.context import studio
from pages._ui.current_user import acting

Item = TypeVar("Item")


def paged(
    part: Callable[[int, int], Sequence[Item]], total: int, *, key: str, per_page: int
) -> Sequence[Item]:
    """Draw the numbers of a list's pages, if there are several, and return the items of the open one.

    Args:
        part: returns the items from one index to before another one.
        total: how many items there are.
        key: of the widget; the page that is open stays open in this session.
        per_page: how many items a page shows.
    """
    pages = -(-total // per_page)
    page = 1
    if pages > 1:
        if st.session_state.get(key, 1) > pages:
            st.session_state[key] = pages
        page = st.pagination(pages, key=key, persist_state="session")
    return part((page - 1) * per_page, page * per_page)


def keep_address() -> None:
    """Show the parameters of the page's address in the browser.

    Streamlit 1.67 takes over the parameters of a link that leads to the page that is open, and leaves the
    address in the browser, and so its history, as it was.
    """
    st.query_params.from_dict(st.query_params.to_dict())


def nothing_yet(words: str, *, icon: str) -> None:
    """Say what will be here, with a link to Compose."""
    if studio().ledger.opening:
        st.info("The log is being read. What is in it appears by itself.", icon=":material/hourglass_top:")
        return
    st.info(words, icon=icon)
    if acting().may(Action.ORDER):
        st.page_link("compose.py", label="Compose the first one", icon=":material/edit_square:")
