"""Text from outside, made so that every file, database and page can hold it."""

from __future__ import annotations

import re
import unicodedata

# Half of a surrogate pair is no character and cannot be encoded; PostgreSQL holds no NUL.
_UNSTORABLE = re.compile("[\ud800-\udfff\0]")
_JOINERS = frozenset("\u200c\u200d")  # Persian needs the first, emoji the second
LONGEST_TEXT = 100_000  # characters; more than Kling takes, so that a long paste is shown and not cut


def storable(text: str, limit: int = LONGEST_TEXT) -> str:
    """Return a text that can be stored.

    Args:
        text: from anywhere.
        limit: the most characters; a longer text is cut there, with `…` as its last character.

    Returns:
        The text with U+FFFD in the place of NUL and of each half of a surrogate pair.
    """
    cut = text if len(text) <= limit else text[: limit - 1] + "…"
    return _UNSTORABLE.sub("\ufffd", cut)


def printable(text: str) -> str:
    r"""Return the text without what is no letter, sign, blank or end of a line.

    Controls, marks that turn the direction of writing, halves of surrogate pairs and characters that nobody
    has assigned go; each kind of line end becomes `\n`. A piece of a text becomes a piece of the result.
    """
    ends = text.replace("\r\n", "\n")
    return "".join(filter(None, map(_shown, ends)))


def _shown(char: str) -> str:
    if char == "\n" or char in _JOINERS:
        return char
    if char in "\r\x0b\x0c\x85\u2028\u2029":
        return "\n"
    if char == "\t":
        return " "
    return "" if unicodedata.category(char)[0] == "C" else char
