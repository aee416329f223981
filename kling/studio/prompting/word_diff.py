"""The difference of two texts, word by word; in scripts without blanks, character by character."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import groupby
from typing import Literal, NamedTuple

Kind = Literal["same", "removed", "added"]

# Of both texts together, more than two legal storyboards have. Above it only what both begin and end with
# is taken as the same.
MOST_PIECES = 7_000
# Han, kana, Thai, Lao, Khmer, Burmese and the like: one character a piece. Otherwise words, blanks, marks.
_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)
# Accents and vowel signs are no letters to `re`; an emoji goes with its skin and with what it is joined to.
_LETTER = rf"(?:[^\W{_UNSPACED}]|[\u0300-\u036f\u0900-\u0dff])"
_EMOJI = "[^\\w\\s](?:[\ufe0f\u20e3\U0001f3fb-\U0001f3ff]|\u200d[^\\w\\s])*"
_PIECE = re.compile(rf"[{_UNSPACED}]|{_LETTER}+(?:['’-]{_LETTER}+)*|\s+|{_EMOJI}|.", re.DOTALL)


class Piece(NamedTuple):
    """A stretch of text, and whether both texts have it, or only the old or the new one."""

    kind: Kind
    text: str


def word_diff(old: str, new: str) -> list[Piece]:
    """Return what became of `old`: joined, same and removed are `old`, same and added are `new`.

    Where something was replaced, what was removed comes first. No piece is empty, and no two neighbours are
    of one kind. The cost is bounded by the square of the pieces, in few steps on long numbers; texts that are
    much longer are compared at their beginning and end only.
    """
    a, b = _PIECE.findall(old), _PIECE.findall(new)
    head = _alike(a, b)
    tail = _alike(a[head:][::-1], b[head:][::-1])
    middle_a, middle_b = a[head : len(a) - tail], b[head : len(b) - tail]
    if len(middle_a) + len(middle_b) > MOST_PIECES:
        changed = [*_all("removed", middle_a), *_all("added", middle_b)]
    else:
        changed = _aligned(middle_a, middle_b)
    return _grouped([*_all("same", a[:head]), *changed, *_all("same", a[len(a) - tail :])])


def _all(kind: Kind, texts: Sequence[str]) -> list[Piece]:
    return [Piece(kind, text) for text in texts]


def _alike(a: Sequence[str], b: Sequence[str]) -> int:
    """Return how many pieces two texts begin with together."""
    count = 0
    for one, other in zip(a, b, strict=False):
        if one != other:
            break
        count += 1
    return count


def _aligned(a: Sequence[str], b: Sequence[str]) -> list[Piece]:
    """Return both texts along a longest common subsequence.

    One number holds a row of the usual table: bit i of row j is 0 where a[: i + 1] has one piece more in
    common with b[:j] than a[:i] has (Hyyrö, "Bit-parallel LCS-length computation revisited", 2004).
    """
    where: dict[str, int] = {}
    for place, piece in enumerate(a):
        where[piece] = where.get(piece, 0) | 1 << place
    full = (1 << len(a)) - 1
    row, rows = full, [full]
    for piece in b:
        shared = row & where.get(piece, 0)
        row = ((row + shared) | (row - shared)) & full
        rows.append(row)
    found: list[Piece] = []
    i, j = len(a), len(b)
    while i or j:
        if j == 0 or (i and rows[j] >> i - 1 & 1):
            i -= 1
            found.append(Piece("removed", a[i]))
        elif i == 0 or not rows[j - 1] >> i - 1 & 1:
            j -= 1
            found.append(Piece("added", b[j]))
        else:
            i, j = i - 1, j - 1
            found.append(Piece("same", a[i]))
    return found[::-1]


def _grouped(pieces: list[Piece]) -> list[Piece]:
    """Return neighbours of a kind as one; a blank between two changes changes with them."""
    runs = [(same, list(group)) for same, group in groupby(pieces, key=lambda piece: piece.kind == "same")]
    found: list[Piece] = []
    removed = added = ""
    for place, (same, run) in enumerate(runs):
        text = "".join(piece for _, piece in run)
        if same and (place in {0, len(runs) - 1} or not text.isspace()):
            found += [Piece("removed", removed), Piece("added", added), Piece("same", text)]
            removed = added = ""
        else:
            removed += "".join(piece for kind, piece in run if kind != "added")
            added += "".join(piece for kind, piece in run if kind != "removed")
    found += [Piece("removed", removed), Piece("added", added)]
    return [piece for piece in found if piece.text]
