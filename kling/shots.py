"""The field `multi_prompt`: the shots of a storyboard, their rules, and their JSON both ways (S4)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from kling.catalog import Catalog
from kling.problems import Problem, text_problems
from kling.request_body import Reader

SHOT_TYPES = ("customize", "intelligence")
_FIELDS = ("index", "prompt", "duration")
_SECONDS = re.compile("[1-9][0-9]?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """One shot of a storyboard: its prompt, and its whole seconds as a string."""

    prompt: str
    duration: str


def shots_to_wire(shots: Sequence[Shot]) -> list[dict[str, Any]]:
    """Return the value of `multi_prompt`."""
    return [
        {"index": index, "prompt": shot.prompt, "duration": shot.duration}
        for index, shot in enumerate(shots, 1)
    ]


def read_shots(body: Reader) -> tuple[Shot, ...]:
    """Return the shots of the field `multi_prompt`, by their index; one without keeps its place."""
    numbered = []
    for place, part in enumerate(body.parts("multi_prompt", _FIELDS, "shots"), 1):
        index = part.number("index")
        shot = Shot(prompt=part.text("prompt"), duration=part.text("duration"))
        numbered.append((place if index is None else index, place, shot))
    return tuple(shot for _, _, shot in sorted(numbered, key=lambda each: each[:2]))


def storyboard_problems(shots: Sequence[Shot], duration: str, known: Catalog) -> Iterator[Problem]:
    """Yield each rule that the shots of a storyboard break.

    Args:
        shots: of `multi_prompt`.
        duration: of the whole video, whole seconds as a string.
        known: the catalog, for its limits.
    """
    if not 1 <= len(shots) <= known.shot_limit:
        yield Problem("multi_prompt", f"A storyboard has 1 to {known.shot_limit} shots, not {len(shots)}.")
    for number, shot in enumerate(shots, 1):
        name = f"multi_prompt[{number}]"
        if not shot.prompt.strip():
            yield Problem(name, f"Write what shot {number} shows.")
        yield from text_problems(name, shot.prompt, known.shot_prompt_limit)
        if not _SECONDS.fullmatch(shot.duration):
            yield Problem(name, f"Shot {number} lasts at least 1 second, in whole seconds.")
    if not shots or not all(_SECONDS.fullmatch(shot.duration) for shot in shots):
        return
    total = sum(int(shot.duration) for shot in shots)
    if str(total) != duration:
        yield Problem("multi_prompt", f"The shots last {total} s together and the video {duration} s.")
