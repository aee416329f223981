"""Takes jobs out of the studio: links to the route that makes the file, and the button that holds them."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from urllib.parse import urlencode

import streamlit as st

from kling.studio.library import JobQuery
from pages._ui.address import base_path
from pages._ui.current_user import sees_prices

WORDS = {"csv": ("CSV", "for a spreadsheet"), "jsonl": ("JSON Lines", "for a program")}


def export_link(query: JobQuery, form: str = "csv", *, ids: Sequence[str] | None = None) -> str:
    """Return the address of a file of jobs.

    Args:
        query: what is in it, whatever its page is.
        form: `csv` or `jsonl`.
        ids: only these jobs; None for all that the question finds.
    """
    what = query.with_page(1).to_address() if ids is None else {"ids": ",".join(ids)}
    return f"{base_path()}/export?{urlencode({**what, 'form': form})}"


def export_button(query: JobQuery, *, key: str = "library.export", ids: Sequence[str] | None = None) -> None:
    """Draw the button whose menu offers exactly what is filtered as a file.

    Args:
        query: what is filtered.
        key: of the button; a page that has two needs two.
        ids: only these jobs; None for all that the question finds.
    """
    with st.popover("Export", icon=":material/download:", key=key):
        st.html(export_links(query, ids=ids))


def export_links(query: JobQuery, *, ids: Sequence[str] | None = None) -> str:
    """Return the links of the menu, and a sentence about what is in the file, as HTML."""
    links = "".join(
        f'<a class="export-link" download href="{escape(export_link(query, form, ids=ids))}">'
        f"<b>{title}</b> <span>{purpose}</span></a>"
        for form, (title, purpose) in WORDS.items()
    )
    what = "The chosen jobs" if ids is not None else "Everything that is filtered, on all pages"
    costs = "" if sees_prices() else ", without costs"
    return f"{links}<p>{what}: one row a job{costs}. Clips are named by their digest.</p>"
