"""The lexicon: the words that the painter knows, and where a text says them."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

LETTER = "[a-zà-öø-ÿа-яё]"  # of scripts that put blanks between words
SIMILE = re.compile(r"\blike (?:an? |the )?[a-z]+")  # is not in the picture


@cache
def lexicon() -> dict[str, dict[str, Any]]:
    """The words that the painter knows, by group and meaning."""
    return tomllib.loads(Path(__file__).with_name("lexicon.toml").read_text(encoding="utf-8"))


@cache
def pattern(group: str, meaning: str) -> re.Pattern[str]:
    """What finds a meaning's words and their plurals."""
    words = "|".join(map(_with_plural, lexicon()[group][meaning]))
    return re.compile(rf"(?<!{LETTER})(?:{words})(?!{LETTER})")


def _with_plural(word: str) -> str:
    """A word and its plural: foxes, but no manes of a man."""
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
    """The text in the words of the lexicon: what a phrase means where its words say something else."""
    phrases = lexicon()["read_as"]

    def meant(match: re.Match[str]) -> str:
        phrase = match[0]
        return str(next(phrases[p] for p in (phrase, phrase[:-1], phrase[:-2]) if p in phrases))

    return _read_as().sub(meant, SIMILE.sub(" ", text))


def find_meanings(group: str, text: str, unwanted: str = "") -> list[tuple[int, str]]:
    """The meanings in `group` that `text` names and `unwanted` does not, each with its place, in order."""
    found = []
    for meaning in lexicon()[group]:
        match = pattern(group, meaning).search(text)
        if match and not pattern(group, meaning).search(unwanted):
            found.append((match.start(), meaning))
    return sorted(found)


def first_meaning(group: str, text: str, unwanted: str = "") -> str:
    """The meaning that stands first, or nothing."""
    found = find_meanings(group, text, unwanted)
    return found[0][1] if found else ""
