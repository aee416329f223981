"""Whether the braces of a text, `{red|grey}`, were meant as alternatives, also while the end is missing."""

from __future__ import annotations

import re

_BEGUN = re.compile(r"(?<!\\)\{(?:[^{}|\\]|\\.)*\|", re.DOTALL)  # one way to match only: linear


def has_alternatives(text: str) -> bool:
    r"""Whether a brace of the text holds a `|`. Neither counts behind a backslash: `\{a|b\}`, `{a\|b}`."""
    return _BEGUN.search(text) is not None
