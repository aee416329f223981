"""Other people's text, shown as it was typed: in Markdown, in HTML, in an attribute of HTML."""

from __future__ import annotations

import html
import re

_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+\-.!<>|~$:&@=^])")
# Addresses, icons and arrows, which are looked for after Markdown was read, backslash or not.
_MADE_OF_TEXT = re.compile(
    r"(?<=:)(?=//|material|streamlit)|(?<=www)(?=\.)|(?=@)|(?<=[-<>~])(?=[-=>])", re.IGNORECASE
)
_JOINER = "\u2060"  # has no width


def escape_markdown(text: str) -> str:
    """Return text that Markdown shows as it is, for the few elements that take nothing but Markdown."""
    text = _MARKDOWN.sub(r"\\\1", _MADE_OF_TEXT.sub(_JOINER, text))
    return re.sub(r"\s*\n\s*", "  \n", text)  # indented lines would be code, empty ones end a badge


def escape_html(text: str) -> str:
    """Return text for use in HTML."""
    return html.escape(text, quote=True)


def escape_attribute(text: str) -> str:
    """Return text for an attribute in HTML, which Streamlit drops if it looks as if it held a tag."""
    return escape_html(text.replace("<", f"<{_JOINER}").replace(">", f"{_JOINER}>"))
