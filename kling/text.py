"""Text from outside, made so that every file, database and page can hold it."""

from __future__ import annotations

import re

# Half of a surrogate pair is no character and cannot be encoded; PostgreSQL holds no NUL.
_UNSTORABLE = re.compile("[\ud800-\udfff\0]")
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
