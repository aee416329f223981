"""What was found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Level = Literal["ok", "warning", "problem"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Args:
        about: what it is, in a word or two.
        level: whether it is in order, may go wrong, or keeps the studio from working.
        what: what was seen. No secret is in it.
        remedy: what to do; empty where nothing has to be done.
    """

    about: str
    level: Level
    what: str
    remedy: str = ""


def ok(about: str, what: str) -> Finding:
    """Return that something is in order."""
    return Finding(about, "ok", what)


def warning(about: str, what: str, remedy: str) -> Finding:
    """Return what may go wrong."""
    return Finding(about, "warning", what, remedy)


def problem(about: str, what: str, remedy: str) -> Finding:
    """Return what keeps the studio from working."""
    return Finding(about, "problem", what, remedy)
