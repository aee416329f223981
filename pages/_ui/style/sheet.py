"""Style sheets of pages and their parts."""

from __future__ import annotations

import json
from pathlib import Path

import streamlit as st

from pages._ui.scripts.assets import kept_by_browsers, lean_sheet

# Each a file beside this module, in this order. The others come with what they are for.
SHEETS = (
    "tokens",
    "controls",
    "frame",
    "lists",
    "curation",
    "job",
    "library_bar",
    "compose",
    "pictures",
    "stage",
    "spend",
    "collections",
)

_WEAR = """\
{
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(%s);
  document.adoptedStyleSheets.push(sheet);
}
"""


def style_sheet(sheet: str) -> None:
    """Draw a `<style>` among the elements of the page, where it takes no space (see main.py).

    Streamlit puts HTML that is only a style into the container of toasts (its issue 9388). A toast from the
    callback of a fragment replaces the first element there, and the page would lose that style.
    """
    st.html(f"{sheet}<i data-style hidden></i>")


def sheet_of_every_page() -> str:
    """Return the path of the style sheets of all pages, as one (routes/page_html.py)."""
    return kept_by_browsers("studio.css", "".join(map(_read, SHEETS)))


def with_sheets(script: str, *names: str) -> str:
    """Return a script that brings style sheets along, for what it alone draws.

    Args:
        script: a module.
        names: of files beside this module.
    """
    return _WEAR % json.dumps(own_sheet(*names), ensure_ascii=False) + script


def own_sheet(*names: str) -> str:
    """Return style sheets that are not on every page, as one.

    Args:
        names: of files beside this module.
    """
    return lean_sheet("".join(map(_read, names)))


def _read(name: str) -> str:
    return (Path(__file__).parent / f"{name}.css").read_text(encoding="utf-8")
