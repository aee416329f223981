"""Style sheets of pages and their parts."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from pages._ui.scripts.assets import kept_by_browsers

# Each a file beside this module, in this order.
SHEETS = (
    "tokens",
    "controls",
    "frame",
    "lists",
    "curation",
    "job",
    "library_bar",
    "library_list",
    "wall",
    "compose",
    "pictures",
    "stage",
    "spend",
    "viewer",
    "deck",
    "compare",
    "collections",
)


def style_sheet(sheet: str) -> None:
    """Draw a `<style>` among the elements of the page, where it takes no space (see main.py).

    Streamlit puts HTML that is only a style into the container of toasts (its issue 9388). A toast from the
    callback of a fragment replaces the first element there, and the page would lose that style.
    """
    st.html(f"{sheet}<i data-style hidden></i>")


def sheet_of_every_page() -> str:
    """Return the path of the style sheets of all pages, as one (routes/page_html.py)."""
    here = Path(__file__).parent
    text = "".join((here / f"{name}.css").read_text(encoding="utf-8") for name in SHEETS)
    return kept_by_browsers("studio.css", text)
