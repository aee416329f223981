"""Text made comparable: what is searched for and what is searched in both go through `normalise`.

Case, accents, ligatures, full width and the two forms of i in Turkish make no difference. Marks that change a
letter of another script (ガ and カ, the vowels of Hindi) stay.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache

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
# Words with one blank between, of letters of which only the case is changed: ASCII, Cyrillic, Chinese.
# What follows may be a mark, which belongs to the last letter.
_SIMPLE = "[!-~\u0410-\u0418\u041a-\u0438\u043a-\u044f\u4e00-\u9fff]+"
_PLAIN_RUN = re.compile(f"{_SIMPLE}(?: {_SIMPLE})*(?![^\x00-\x7f])")
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
    return tuple(dict.fromkeys(filter(None, found)))


def marks(text: str, terms: Sequence[str]) -> tuple[tuple[int, int], ...]:
    """Return where the terms stand in a text: places of its characters, sorted, none in another one."""
    if text.isascii() and not _UNEVEN.search(text):  # letter by letter the same, as nearly all texts are
        return tuple(_joined(sorted(_places(text.lower(), terms))))
    letters, starts, ends = _letters(text)
    found = ((starts[start], ends[stop - 1]) for start, stop in _places(letters, terms))
    return tuple(_joined(sorted(found)))


def _places(plain: str, terms: Sequence[str]) -> Iterator[tuple[int, int]]:
    for term in terms:
        at = plain.find(term)
        while at >= 0:
            yield at, at + len(term)
            at = plain.find(term, at + len(term))


def _letters(text: str) -> tuple[str, list[int], list[int]]:
    """Return a text as `normalise` does, and where the letter of each of its characters begins and ends."""
    letters: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    at = 0
    while at < len(text):
        if run := _PLAIN_RUN.match(text, at):
            end = run.end()
            letters.append(run[0].lower())
            starts += range(at, end)
            ends += range(at + 1, end + 1)
        else:
            end = at + 1
            while end < len(text) and unicodedata.combining(text[end]):
                end += 1
            for char in _shown(text[at:end]):
                shown = " " if char.isspace() else char
                # Blanks become one, and none is at the start.
                if shown != " " or (letters and not letters[-1].endswith(" ")):
                    letters.append(shown)
                    starts.append(at)
                    ends.append(end)
        at = end
    return "".join(letters), starts, ends


@lru_cache(maxsize=4096)
def _shown(letter: str) -> str:
    return _plain(letter).translate(_TABLE)


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
