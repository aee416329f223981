"""Text made comparable: what is searched for and what is searched in both go through `normalise`.

Case, accents, ligatures, full width and the two forms of i in Turkish make no difference. Marks that change a
letter of another script (ガ and カ, the vowels of Hindi) stay.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence

MOST_TERMS = 8
LONGEST_TERM = 100  # characters

# Accents of Latin, Greek and Cyrillic letters; characters without a picture. Control characters part words.
_DROPPED = (
    *range(0x300, 0x370),
    0xAD,
    0x200B,
    0x200C,
    0x200D,
    0x200E,
    0x200F,
    *range(0x202A, 0x202F),
    *range(0x2060, 0x2065),
    *range(0xFE00, 0xFE10),
    0xFEFF,
)
_TABLE: dict[int, str | None] = {
    **dict.fromkeys(_DROPPED),
    **dict.fromkeys((*range(0x20), *range(0x7F, 0xA0)), " "),
    ord("ı"): "i",
}
_UNEVEN = re.compile(r"^ |  |[\x00-\x1f\x7f]")  # blanks that `normalise` changes
_TERM = re.compile(r'"([^"]*)"?|([^\s"]+)')


def normalise(text: str) -> str:
    """Return what all spellings of a text have in common; runs of blanks become one blank."""
    plain = text.lower() if text.isascii() else _plain(text)
    return " ".join(plain.translate(_TABLE).split())


def _plain(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text.casefold())
    return unicodedata.normalize("NFKD", plain.casefold())


def terms_of(text: str) -> tuple[str, ...]:
    """Return the words of a search, normalised, each once; all have to be found.

    Words between double quotes are one term, so that they have to stand side by side.
    """
    found = (normalise(quoted or word)[:LONGEST_TERM].strip() for quoted, word in _TERM.findall(text))
    return tuple(dict.fromkeys(filter(None, found)))[:MOST_TERMS]


def marks(text: str, terms: Sequence[str]) -> tuple[tuple[int, int], ...]:
    """Return where the terms stand in a text: places of its characters, sorted, none in another one."""
    if text.isascii() and not _UNEVEN.search(text):  # letter by letter the same, as nearly all texts are
        return tuple(_joined(sorted(_places(text.lower(), terms))))
    pieces = list(_pieces(text))
    plain = "".join(piece for piece, _, _ in pieces)
    starts: list[int] = []
    ends: list[int] = []
    for piece, start, end in pieces:
        starts += [start] * len(piece)
        ends += [end] * len(piece)
    found = ((starts[start], ends[stop - 1]) for start, stop in _places(plain, terms))
    return tuple(_joined(sorted(found)))


def _places(plain: str, terms: Sequence[str]) -> Iterator[tuple[int, int]]:
    for term in terms:
        at = plain.find(term)
        while at >= 0:
            yield at, at + len(term)
            at = plain.find(term, at + len(term))


def _pieces(text: str) -> Iterator[tuple[str, int, int]]:
    """Yield the normal form of each letter with its marks, and where the letter begins and ends."""
    blank = True  # blanks at the start are left out
    at = 0
    while at < len(text):
        end = at + 1
        while end < len(text) and unicodedata.combining(text[end]):
            end += 1
        part = text[at:end]
        piece = (part.lower() if part.isascii() else _plain(part)).translate(_TABLE)
        for char in piece:
            if not char.isspace():
                yield char, at, end
                blank = False
            elif not blank:
                yield " ", at, end
                blank = True
        at = end


def _joined(found: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    start, stop = -1, -1
    for left, right in found:
        if left > stop:
            if stop >= 0:
                yield start, stop
            start, stop = left, right
        else:
            stop = max(stop, right)
    if stop >= 0:
        yield start, stop
