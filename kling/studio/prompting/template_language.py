r"""Variables and alternatives in a prompt: `a {red|blue} fox in {place}` as every text that it can be.

- `{a|b|c}` is one of its alternatives. One may be empty, or hold others: `{a {red|blue} fox|an owl}`.
- `{name}` is a variable: each of its values in turn, the same everywhere in one row. Values are plain text.
- `\{`, `\}`, `\|` and `\\` are the character itself, any other backslash is a backslash; and
  a `|` outside of braces is a `|`.

The order is that of counting: variables change slowest, in the order in which the text names them, then
alternatives from left to right; the last one changes fastest. Equal texts are not merged here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, product
from math import prod

MOST_TEXTS = 10_000  # more are not written out
DEEPEST = 20  # alternatives inside each other
_UNCOUNTED = 10**9  # counting stops here, because a text of a thousand pairs stands for 2 ** 1000 texts
_SPECIAL = re.compile(r"[{}|\\]")
_TOKEN = re.compile(r"\\[{}|\\]|[{}|]|(?:[^{}|\\]|\\(?![{}|\\]))+")

Values = Mapping[str, Sequence[str]]


class TemplateSyntaxError(ValueError):
    """The text cannot be expanded; the message says why, where, and what helps.

    Args:
        message: for people.
        at: index of the character that it is about.
    """

    def __init__(self, message: str, at: int = 0) -> None:
        super().__init__(message)
        self.at = at


@dataclass(frozen=True, slots=True)
class _Name:
    name: str
    at: int


@dataclass(frozen=True, slots=True)
class _Choice:
    alternatives: tuple[_Sequence, ...]


_Sequence = tuple[str | _Name | _Choice, ...]


def expand(text: str, variables: Values | None = None) -> list[str]:
    """Return every text that `text` stands for, in the order that the module describes.

    Args:
        text: with variables and alternatives.
        variables: the values of each name; those that the text does not use do not count.

    Raises:
        TemplateSyntaxError: braces do not match, a variable is not defined, or there are over `MOST_TEXTS`.
    """
    return [texts[0] for texts in expand_all((text,), variables)]


def expand_all(texts: Sequence[str], variables: Values | None = None) -> list[tuple[str, ...]]:
    """Expand several texts of one request together: a variable has the same value in all of them.

    Raises:
        TemplateSyntaxError: as `expand`.
    """
    variables = variables or {}
    number = count_all(texts, variables)
    if number > MOST_TEXTS:
        raise TemplateSyntaxError(
            f"This stands for {_number_words(number)} texts; at most {MOST_TEXTS:,} are written out."
        )
    parsed = [_parse(text, variables) for text in texts]
    used = list(dict.fromkeys(name.name for sequence in parsed for name in _names(sequence)))
    rows: list[tuple[str, ...]] = []
    for values in product(*(variables[name] for name in used)):
        chosen = dict(zip(used, values, strict=True))
        rows += product(*(list(_texts(sequence, chosen)) for sequence in parsed))
    return rows


def count_all(texts: Sequence[str], variables: Values | None = None) -> int:
    """Return how many rows `expand_all` would give, without making them; a billion means a billion or more.

    Raises:
        TemplateSyntaxError: as `expand`, except for their number.
    """
    variables = variables or {}
    parsed = [_parse(text, variables) for text in texts]
    used = {name.name for sequence in parsed for name in _names(sequence)}
    number = prod(len(variables[name]) for name in used)
    for sequence in parsed:
        number = min(number * _count(sequence), _UNCOUNTED)
    return min(number, _UNCOUNTED)


def escape(text: str) -> str:
    """Return a text that stands for exactly `text`: `expand(escape(text)) == [text]`."""
    return _SPECIAL.sub(lambda found: f"\\{found[0]}", text)


def _number_words(number: int) -> str:
    return "more than a billion" if number >= _UNCOUNTED else f"{number:,}"


def _parse(text: str, variables: Values) -> _Sequence:
    """Return the text as a tree."""
    open_at: list[int] = []  # where each open brace stands
    groups: list[list[list[str | _Name | _Choice]]] = [[[]]]  # its alternatives so far, each a sequence
    for token in _TOKEN.finditer(text):
        found, at = token[0], token.start()
        if found == "{":
            if len(open_at) == DEEPEST:
                raise TemplateSyntaxError(f"Braces lie more than {DEEPEST} deep at character {at + 1}.", at)
            open_at.append(at)
            groups.append([[]])
        elif found == "}":
            if not open_at:
                raise TemplateSyntaxError(
                    f"The }} at character {at + 1} closes nothing. A literal one is \\}}.", at
                )
            groups[-2][-1].append(_group(groups.pop(), open_at.pop(), variables))
        elif found == "|" and open_at:
            groups[-1].append([])
        else:
            groups[-1][-1].append(found[1] if _escaped(found) else found)
    if open_at:
        at = open_at[-1]
        raise TemplateSyntaxError(f"The {{ at character {at + 1} is never closed. A literal one is \\{{.", at)
    return tuple(groups[0][0])


def _escaped(token: str) -> bool:
    return len(token) == 2 and token[0] == "\\" and token[1] in "{}|\\"


def _group(alternatives: list[list[str | _Name | _Choice]], at: int, variables: Values) -> _Name | _Choice:
    if len(alternatives) > 1:
        return _Choice(tuple(tuple(sequence) for sequence in alternatives))
    inside = alternatives[0]
    name = "".join(part for part in inside if isinstance(part, str)).strip()
    if not name or not all(isinstance(part, str) for part in inside):
        raise TemplateSyntaxError(
            f"The braces at character {at + 1} hold nothing to choose from: write {{one|another}}, or "
            "\\{ and \\} for literal ones.",
            at,
        )
    if not variables.get(name):
        why = "has no values" if name in variables else "is not defined"
        raise TemplateSyntaxError(
            f"The variable {{{name[:40]}}} at character {at + 1} {why}: give it values, or write \\{{ and "
            "\\} for literal braces.",
            at,
        )
    return _Name(name, at)


def _names(sequence: _Sequence) -> Iterator[_Name]:
    for part in sequence:
        if isinstance(part, _Name):
            yield part
        elif isinstance(part, _Choice):
            for alternative in part.alternatives:
                yield from _names(alternative)


def _count(sequence: _Sequence) -> int:
    number = 1
    for part in sequence:
        if isinstance(part, _Choice):
            number = min(number * sum(map(_count, part.alternatives)), _UNCOUNTED)
    return number


def _texts(sequence: _Sequence, chosen: Mapping[str, str]) -> Iterator[str]:
    parts: list[list[str]] = []
    for part in sequence:
        if isinstance(part, str):
            parts.append([part])
        elif isinstance(part, _Name):
            parts.append([chosen[part.name]])
        else:
            parts.append([text for alternative in part.alternatives for text in _texts(alternative, chosen)])
    return map("".join, islice(product(*parts), MOST_TEXTS))
