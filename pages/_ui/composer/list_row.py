"""A row of a dialog's list: a picture, a text and facts, as the lists of orders, drafts and clips draw it."""

from __future__ import annotations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages._ui.address import base_path
from pages._ui.escape import escape_attribute, escape_html, escape_markdown
from pages._ui.style.sheet import own_sheet, style_sheet

NO_PICTURE = '<span class="studio-recent-picture"></span>'  # a place of the same size
LONGEST_NAME = 80  # characters of a text in the name of a button
_STYLE = f"<style>{own_sheet('list_row')}</style>"


def list_of_rows(key: str) -> DeltaGenerator:
    """Return the place for the rows of a dialog, with their style.

    Args:
        key: of the place.
    """
    style_sheet(_STYLE)
    return st.container(key=key)


def list_row(text: str, *, facts: str = "", picture: str = "") -> None:
    """Draw it.

    Args:
        text: of which two lines are shown.
        facts: the grey line below it.
        picture: as HTML.
    """
    line = f'<div class="studio-recent-facts">{escape_html(facts)}</div>' if facts else ""
    st.html(
        f'<div class="studio-recent">{picture}<div><div dir="auto" class="studio-recent-text" '
        f'title="{escape_attribute(text)}">{escape_html(text)}</div>{line}</div></div>'
    )


def clip_picture(job_id: str) -> str:
    """Return the picture of a clip as HTML."""
    job = escape_html(job_id)
    return (
        f'<img class="studio-recent-picture" src="{escape_html(base_path())}/clips/{job}.jpg" '
        f'data-clip="{job}" alt="" loading="lazy">'
    )


def name_of_buttons(text: str) -> str:
    """Return what the buttons of a row are about: the begin of its text, as Markdown."""
    name = " ".join(text.split())
    return escape_markdown(name if len(name) <= LONGEST_NAME else f"{name[:LONGEST_NAME]}…")
