"""How pages show a person beside what they did: initials on a circle whose colour belongs to the name."""

from __future__ import annotations

from zlib import crc32

from pages._ui.escape import escape_html

COLOURS = 4  # of circles; tokens.css has them as --people-0 to --people-3


def initials(name: str) -> str:
    """Return one or two letters that stand for a name; empty without a name."""
    words = name.split()
    return "".join(word[0] for word in (words[:1] + words[1:][-1:])).upper()


def colour_of(name: str) -> int:
    """Return the number of a name's colour, below `COLOURS`; case makes no other colour."""
    return crc32(name.casefold().encode()) % COLOURS


def circle(name: str) -> str:
    """Return the circle as HTML, for a place that says the name in words too: readers do not hear it."""
    letters = escape_html(initials(name)) or "?"
    return f'<span class="studio-person" data-colour="{colour_of(name)}" aria-hidden="true">{letters}</span>'
