"""A long list in pages, and what stands there while it is empty."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import streamlit as st

from pages._ui.context import studio

Item = TypeVar("Item")


def paged(
    part: Callable[[int, int], Sequence[Item]], total: int, *, key: str, per_page: int
) -> Sequence[Item]:
    """Draw the way through the pages of a list, if there are several, and return what the open one shows.

    Args:
        part: gives the list from one place to before another one.
        total: how long it is.
        key: of the widget; the page that is open stays open in this session.
        per_page: how many a page shows.
    """
    pages = -(-total // per_page)
    page = 1
    if pages > 1:
        if st.session_state.get(key, 1) > pages:
            st.session_state[key] = pages
        page = st.pagination(pages, key=key, persist_state="session")
    return part((page - 1) * per_page, page * per_page)


def keep_address() -> None:
    """Let the browser's address, and its way back, follow a link that leads to the page that is open.

    Streamlit takes over such a link's parameters without showing them.
    """
    st.query_params.from_dict(st.query_params.to_dict())


def nothing_yet(words: str, *, icon: str) -> None:
    """Say what will be here, and lead to where it begins."""
    if studio().ledger.opening:
        st.info("The log is being read. What is in it appears by itself.", icon=":material/hourglass_top:")
        return
    st.info(words, icon=icon)
    st.page_link("compose.py", label="Compose the first one", icon=":material/edit_square:")
