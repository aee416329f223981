"""The lexicon: the words that the renderer knows, and how they are found in a text."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

LETTER = (
    "[a-zà-öø-ÿа-яё]"  # letters of scripts with spaces between words; other scripts need no word boundary
)
SIMILE = re.compile(r"\blike (?:an? |the )?[a-z]+")  # a comparison names nothing that is in the picture


@cache
def lexicon() -> dict[str, dict[str, Any]]:
    """The words that the renderer knows, by group and meaning."""
    return tomllib.loads(Path(__file__).with_name("lexicon.toml").read_text(encoding="utf-8"))


@cache
def pattern(group: str, meaning: str) -> re.Pattern[str]:
    """The pattern that finds the words of a meaning, and their plurals."""
    words = "|".join(map(_with_plural, lexicon()[group][meaning]))
    return re.compile(rf"(?<!{LETTER})(?:{words})(?!{LETTER})")


def _with_plural(word: str) -> str:
    """A pattern for a word and its plural; it finds `foxes` for `fox`, but not `manes` for `man`."""
    if re.search("[^aeiou]y$", word):
        return re.escape(word[:-1]) + "(?:y|ies)"
    return re.escape(word) + (
        "(?:es)?" if re.search("(?:[sxz]|ch|sh)$", word) else "(?:e?s)?" if word.endswith("o") else "s?"
    )


@cache
def _read_as() -> re.Pattern[str]:
    phrases = "|".join(sorted(map(_with_plural, lexicon()["read_as"]), key=len, reverse=True))
    return re.compile(rf"(?<!{LETTER})(?:{phrases})(?!{LETTER})")


def normalise(text: str) -> str:
    """The text with phrases replaced whose single words would mean something else, such as `hot dog`."""
    phrases = lexicon()["read_as"]

    def meant(match: re.Match[str]) -> str:
        phrase = match[0]
        return str(next(phrases[p] for p in (phrase, phrase[:-1], phrase[:-2]) if p in phrases))

    return _read_as().sub(meant, SIMILE.sub(" ", text))


def find_meanings(group: str, text: str, unwanted: str = "") -> list[tuple[int, str]]:
    """The meanings in a group that a text names, each with its position, sorted by it.

    Args:
        group: of the lexicon.
        text: that is searched.
        unwanted: a meaning that this text names too is left out.
    """
    found = []
    for meaning in lexicon()[group]:
        match = pattern(group, meaning).search(text)
        if match and not pattern(group, meaning).search(unwanted):
            found.append((match.start(), meaning))
    return sorted(found)


def first_meaning(group: str, text: str, unwanted: str = "") -> str:
    """The meaning that the text names first, or an empty text; the arguments are those of `find_meanings`."""
    found = find_meanings(group, text, unwanted)
    return found[0][1] if found else ""
