"""Escapes text of other people for Markdown, HTML, and attributes of HTML."""

from __future__ import annotations

import html
import re

_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+\-.!<>|~$:&@=^])")
# Streamlit makes links, icons and arrows of these after it has read the Markdown, backslash or not.
_MADE_OF_TEXT = re.compile(
    r"(?<=:)(?=//|material|streamlit)|(?<=www)(?=\.)|(?=@)|(?<=[-<>~])(?=[-=>])", re.IGNORECASE
)
_JOINER = "\u2060"  # WORD JOINER, which is invisible


def escape_markdown(text: str) -> str:
    """Return text that Markdown shows as it is."""
    text = _MARKDOWN.sub(r"\\\1", _MADE_OF_TEXT.sub(_JOINER, text))
    # An indented line would be code, and an empty one would end a badge.
    return re.sub(r"\s*\n\s*", "  \n", text)


def with_link(text: str, label: str, address: str) -> str:
    """Return text and a link behind it as Markdown.

    Args:
        text: of anybody; it is escaped.
        label: the words of the link.
        address: below the host, already encoded, as `job_link` returns it.
    """
    return f"{escape_markdown(text)} [{escape_markdown(label)}]({address})"


def escape_html(text: str) -> str:
    """Return text for use in HTML."""
    return html.escape(text, quote=True)


def bdi(text: str) -> str:
    """Return a name for HTML; words beside it stay in place where it is written from right to left."""
    return f"<bdi>{escape_html(text)}</bdi>"


def escape_attribute(text: str) -> str:
    """Return text for an attribute in HTML. Streamlit would drop an attribute that seems to contain a tag."""
    return escape_html(text.replace("<", f"<{_JOINER}").replace(">", f"{_JOINER}>"))
