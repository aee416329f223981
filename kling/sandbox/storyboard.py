"""Storyboards of the newer generation: `shot 1, 3, words; shot 2, 4, words;` as the text of a prompt (S2)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

_BEGIN = re.compile(r"\s*shot\s+\d{1,9}\s*,\s*\d{1,9}\s*,", re.IGNORECASE)
_SHOT = re.compile(r"\s*shot\s+(\d{1,9})\s*,\s*(\d{1,9})\s*,(.*)", re.IGNORECASE | re.DOTALL)
_MOST_SHOTS = 6
_MOST_WORDS = 512  # characters

Shot = dict[str, Any]


def read_storyboard(prompt: str) -> list[Shot] | None:
    """Return the shots of a prompt in the shape of `multi_prompt`, or None if it is no storyboard.

    A shot that cannot be read has the index and the duration 0.
    """
    if not _BEGIN.match(prompt):
        return None
    parts = [part for part in prompt.split(";") if part.strip()]
    return [_shot(part) for part in parts]


def problems(shots: list[Shot], seconds: int) -> Iterator[str]:
    """Yield what breaks the limits of a storyboard (S2).

    Args:
        shots: as `read_storyboard` returns them.
        seconds: the duration of the video.
    """
    if len(shots) > _MOST_SHOTS:
        yield f"at most {_MOST_SHOTS} shots, not {len(shots)}"
    if [shot["index"] for shot in shots] != list(range(1, len(shots) + 1)):
        yield "each shot must be 'shot n, seconds, words;' with n from 1 on"
    if any(int(shot["duration"]) < 1 for shot in shots):
        yield "each shot must last at least 1 second"
    if any(not shot["prompt"] or len(shot["prompt"]) > _MOST_WORDS for shot in shots):
        yield f"the words of each shot must have 1 to {_MOST_WORDS} characters"
    total = sum(int(shot["duration"]) for shot in shots)
    if total != seconds:
        yield f"the shots add up to {total} seconds, but settings.duration is {seconds}"


def _shot(part: str) -> Shot:
    found = _SHOT.fullmatch(part)
    if found is None:
        return {"index": 0, "prompt": part.strip(), "duration": "0"}
    return {"index": int(found[1]), "prompt": found[3].strip(), "duration": str(int(found[2]))}
