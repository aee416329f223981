"""Texts of others, as plain text that a page can show beside its own."""

from __future__ import annotations

import unicodedata

from kling.text import storable

_JOINERS = frozenset("\u200c\u200d")  # Persian needs the first, emoji the second


def printable(text: str) -> str:
    r"""Return the text without what is no letter, sign, blank or end of a line.

    Controls, marks that turn the direction of writing, halves of surrogate pairs and characters that nobody
    has assigned go; each kind of line end becomes `\n`. A piece of a text becomes a piece of the result.
    """
    ends = text.replace("\r\n", "\n")
    return "".join(filter(None, map(_shown, ends)))


def one_line(text: str) -> str:
    """Return a text as a title in one line, printable and storable."""
    return " ".join(printable(storable(text)).split())


def _shown(char: str) -> str:
    if char == "\n" or char in _JOINERS:
        return char
    if char in "\r\x0b\x0c\x85\u2028\u2029":
        return "\n"
    if char == "\t":
        return " "
    return "" if unicodedata.category(char)[0] == "C" else char
