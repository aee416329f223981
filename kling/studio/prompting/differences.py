"""What differs between texts: as the alternatives that stand for all of them, and for each of them in words.

A text is looked at by its words and the space between them, and no other way of telling texts apart is known:
`red car` and `red van` come back as `red {car|van}`, whichever way somebody wrote them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import groupby, product

from kling.studio.prompting.template_language import escape

ENDS = " ,.;:"  # around what differs
_WORD = re.compile(r"\s+|[^\s,.;:]+|[,.;:]+")

_Words = Sequence[str]


def joined(texts: Sequence[str]) -> str:
    """Return the text that stands for exactly these texts: what differs in braces, what they share around it.

    It is written in the language of `template_language`, also where they are all the same.

    Args:
        texts: at least one. Where they are every combination of several alternatives, in the order of
            counting, each gets its own braces; else one pair holds all that differs.
    """
    columns = _columns([_WORD.findall(text) for text in dict.fromkeys(texts)])
    parts = ("|".join(map(escape, column)) for column in columns)
    return "".join(
        part if len(column) == 1 else f"{{{part}}}" for part, column in zip(parts, columns, strict=True)
    )


def differences(texts: Sequence[str]) -> list[str]:
    """Return for each text what the others do not have, as `red · dawn`; empty where all are the same."""
    each = list(dict.fromkeys(texts))
    words = [_WORD.findall(text) for text in each]
    columns = [column for column in _columns(words) if len(column) > 1]
    of_product: list[Sequence[str]] = list(product(*columns))
    rows = of_product if len(columns) > 1 else _by_place(words) or of_product
    found = {
        text: " · ".join(filter(None, (part.strip(ENDS) for part in row)))
        for text, row in zip(each, rows, strict=True)
    }
    return [found[text] for text in texts]


def _columns(words: Sequence[_Words]) -> list[list[str]]:
    """Return what follows each other in texts, whose product they are: one part, or its alternatives.

    Args:
        words: of texts that are all different.
    """
    for size in range(2, len(words) // 2 + 1):
        if len(words) % size == 0 and (halves := _halves(words, size)) is not None:
            return [column for half in halves for column in _columns(half)]
    start, first = _shared(words), words[0]
    rests = [each[start:] for each in words]
    end = _shared([rest[::-1] for rest in rests])
    parts = ["".join(rest[: len(rest) - end]) for rest in rests]
    columns = [["".join(first[:start])], parts, ["".join(first[len(first) - end :])]]
    return [column for column in columns if column != [""]]


def _halves(words: Sequence[_Words], size: int) -> tuple[list[_Words], Sequence[_Words]] | None:
    """Return the beginnings and the ends whose product the texts are, `size` ends of each; None if not so."""
    beginnings: list[_Words] = []
    ends: list[_Words] = []
    for at in range(0, len(words), size):
        block = words[at : at + size]
        start = _shared(block)
        beginnings.append(block[0][:start])
        ends = ends or [each[start:] for each in block]
        if any(each[start:] != end for each, end in zip(block, ends, strict=True)):
            return None
    return beginnings, ends


def _shared(words: Sequence[_Words]) -> int:
    """Return how many words all of the texts share at their beginning."""
    first, short = words[0], min(map(len, words))
    return next((at for at in range(short) if any(each[at] != first[at] for each in words)), short)


def _by_place(words: Sequence[_Words]) -> list[Sequence[str]]:
    """Return for each text the words that are not the others' in the same place; none if lengths differ."""
    if len({*map(len, words)}) > 1:
        return []
    differs = [len({*column}) > 1 for column in zip(*words, strict=True)]
    for at in range(1, len(differs) - 1):  # two words beside each other stay together
        differs[at] |= words[0][at].isspace() and differs[at - 1] and differs[at + 1]
    runs = [[at for at, _ in run] for does, run in groupby(enumerate(differs), lambda each: each[1]) if does]
    return [["".join(each[run[0] : run[-1] + 1]) for run in runs] for each in words]
