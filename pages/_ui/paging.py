"""A long list in pages, and what stands there while it is empty."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import streamlit as st

from pages._ui.running import studio

Item = TypeVar("Item")


def paged(jobs: Sequence[Item], *, key: str, per_page: int) -> Sequence[Item]:
    """Draw the way through the pages, if there are several, and return the part of the list that is open."""
    pages = -(-len(jobs) // per_page)
    page = 1
    if pages > 1:
        if st.session_state.get(key, 1) > pages:
            st.session_state[key] = pages
        page = st.pagination(pages, key=key, persist_state="session")
    return jobs[(page - 1) * per_page : page * per_page]


def nothing_yet(words: str, *, icon: str) -> None:
    """Say what will be here, and lead to where it begins."""
    if studio().ledger.opening:
        st.info("The log is being read. What is in it appears by itself.", icon=":material/hourglass_top:")
        return
    st.info(words, icon=icon)
    st.page_link("compose.py", label="Compose the first one", icon=":material/edit_square:")
