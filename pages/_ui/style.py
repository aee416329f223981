"""Style sheets of pages and their parts."""

from __future__ import annotations

import streamlit as st


def style_sheet(sheet: str) -> None:
    """Draw a `<style>` in the flow of the page, where it takes no room (main.py).

    Streamlit puts HTML that is only a style into the container of toasts (its issue 9388). There a toast
    from the callback of a fragment takes the place of the first one, and the page loses that style.
    """
    st.html(f"{sheet}<i data-style hidden></i>")
