"""Reads a prompt: which of the lexicon's words it says, and what follows for the picture."""

from __future__ import annotations

import hashlib
import re
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

PLACES = ("mountains", "sea", "fields", "forest", "desert", "city")
TIMES = ("dawn", "noon", "dusk", "dusk", "night")


@dataclass(frozen=True, slots=True)
class Scene:
    """What is to be painted, in the lexicon's terms."""

    place: str
    time: str
    weather: str
    season: str
    mood: str


@cache
def lexicon() -> dict[str, dict[str, list[str]]]:
    """The words that the painter knows, by group and meaning."""
    return tomllib.loads(Path(__file__).with_name("lexicon.toml").read_text(encoding="utf-8"))


def first(group: str, text: str, unwanted: str = "") -> str | None:
    """The meaning in `group` whose word stands first in `text` and is not unwanted."""
    found = {
        meaning: place
        for meaning, words in lexicon()[group].items()
        if (place := _position(words, text)) is not None and _position(words, unwanted) is None
    }
    return min(found, key=lambda meaning: found[meaning]) if found else None


def _position(words: list[str], text: str) -> int | None:
    match = re.search(rf"(?<![a-z])(?:{'|'.join(map(re.escape, words))})(?![a-z])", text)
    return match.start() if match else None


def read(prompt: str, negative: str = "") -> Scene:
    """What a prompt asks for; what it leaves open follows from the prompt itself, so that prompts differ."""
    text, unwanted = prompt.lower(), negative.lower()
    digest = hashlib.sha256(prompt.encode("utf-8", "surrogatepass")).digest()
    season = first("season", text, unwanted)
    weather = first("weather", text, unwanted)
    return Scene(
        place=first("place", text, unwanted) or PLACES[digest[0] % len(PLACES)],
        time=first("time", text, unwanted) or TIMES[digest[1] % len(TIMES)],
        weather=weather or "clear",
        season=season or "summer",
        mood=first("mood", text, unwanted) or "calm",
    )
