"""A long list in pages, and what is drawn while it is empty."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import streamlit as st

from kling.studio.identity.roles import Action
from pages._ui.context import studio
from pages._ui.current_user import acting
from pages._ui.escape import escape_html
from pages._ui.words import NOT_A_MAKER

PAGE = "page"  # name of the parameter in the address
MOST_DIGITS = 8

Item = TypeVar("Item")


def paged(
    part: Callable[[int, int], Sequence[Item]], total: int, *, key: str, per_page: int
) -> Sequence[Item]:
    """Draw the numbers of a list's pages, if there are several, and return the items of the open one.

    Args:
        part: returns the items from one index to before another one.
        total: how many items there are.
        key: of the widget. The number of the open page stands in the address (`?page=2`).
        per_page: how many items a page shows.
    """
    pages = -(-total // per_page)
    page = min(_page_of_address(), max(pages, 1))
    if pages > 1:
        if st.session_state.get(key) != page:
            st.session_state[key] = page
        st.pagination(pages, key=key, on_change=_name_in_address, args=(key,))
    return part((page - 1) * per_page, page * per_page)


def _page_of_address() -> int:
    text = str(st.query_params.get(PAGE, ""))
    return max(1, int(text)) if text.isascii() and text.isdecimal() and len(text) < MOST_DIGITS else 1


def _name_in_address(key: str) -> None:
    if (number := int(st.session_state.get(key) or 1)) > 1:
        st.query_params[PAGE] = str(number)
    else:
        st.query_params.pop(PAGE, None)


def nothing_yet(words: str, *, icon: str) -> None:
    """Say what will be here, with a link to Compose."""
    if studio().ledger.opening:
        st.info("The log is being read. What is in it appears by itself.", icon=":material/hourglass_top:")
        return
    with st.container(key="nothing_yet", horizontal_alignment="center"):
        picture = f'<span class="ms" aria-hidden="true">{icon}</span>'
        st.html(f'<p class="studio-nothing">{picture}{escape_html(words)}</p>')
        if acting().may(Action.ORDER):
            st.page_link("compose.py", label="Make the first one")
        else:
            st.html(f'<p class="studio-nothing">{NOT_A_MAKER}</p>')
