"""The difference of two texts, word by word; in scripts without blanks, character by character."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import groupby
from typing import Literal, NamedTuple

Kind = Literal["same", "removed", "added"]

# Pieces of both texts together; two legal storyboards have fewer. In longer texts only a common beginning and
# a common end count as the same.
MOST_PIECES = 7_000
# Han, kana, Thai, Lao, Khmer, Burmese and the like: one character a piece. Otherwise words, blanks, marks.
_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)
# `re` does not count accents and vowel signs as letters. An emoji is one piece with its modifiers and with
# the emoji that are joined to it.
_LETTER = rf"(?:[^\W{_UNSPACED}]|[\u0300-\u036f\u0900-\u0dff])"
_EMOJI = "[^\\w\\s](?:[\ufe0f\u20e3\U0001f3fb-\U0001f3ff]|\u200d[^\\w\\s])*"
_PIECE = re.compile(rf"[{_UNSPACED}]|{_LETTER}+(?:['’-]{_LETTER}+)*|\s+|{_EMOJI}|.", re.DOTALL)


class Piece(NamedTuple):
    """A stretch of text, and whether both texts have it, or only the old or the new one."""

    kind: Kind
    text: str


def word_diff(old: str, new: str) -> list[Piece]:
    """Return the pieces of both texts: `same` and `removed` make up `old`, `same` and `added` make up `new`.

    In a replacement the removed piece comes before the added one. No piece is empty, and two neighbours are
    never of the same kind. The cost grows with the square of the number of pieces at most; texts with more
    than `MOST_PIECES` are compared at their beginning and end only.
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
    """Return how many pieces the beginnings of two texts have in common."""
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
    for position, piece in enumerate(a):
        where[piece] = where.get(piece, 0) | 1 << position
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
    """Join neighbours of one kind; blanks between two changes become a part of the changes."""
    runs = [(same, list(group)) for same, group in groupby(pieces, key=lambda piece: piece.kind == "same")]
    found: list[Piece] = []
    removed = added = ""
    for position, (same, run) in enumerate(runs):
        text = "".join(piece for _, piece in run)
        if same and (position in {0, len(runs) - 1} or not text.isspace()):
            found += [Piece("removed", removed), Piece("added", added), Piece("same", text)]
            removed = added = ""
        else:
            removed += "".join(piece for kind, piece in run if kind != "added")
            added += "".join(piece for kind, piece in run if kind != "removed")
    found += [Piece("removed", removed), Piece("added", added)]
    return [piece for piece in found if piece.text]
