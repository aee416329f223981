"""Style sheets of pages and their parts."""

from __future__ import annotations

import streamlit as st


def style_sheet(sheet: str) -> None:
    """Draw a `<style>` among the elements of the page, where it takes no space (see main.py).

    Streamlit puts HTML that is only a style into the container of toasts (its issue 9388). A toast from the
    callback of a fragment replaces the first element there, and the page would lose that style.
    """
    st.html(f"{sheet}<i data-style hidden></i>")
