"""The arithmetic of a storyboard: one to six shots of whole seconds that add up to the video's duration.

Every function returns new shots and leaves prompts as they are. Seconds that cannot be read count as 1.
Limits are the catalog's; the text form is the official one (S2).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from kling.catalog import catalog
from kling.shots import Shot
from kling.studio.prompting import shot_list
from kling.studio.prompting.shot_list import ShotListError

Shots = tuple[Shot, ...]

# What ends a shot in front of the next one; in a prompt it is written as something else.
_NEXT_SHOT = re.compile(
    r"；(?=\s*\W{0,12}(?:shot|scene|cut|clip|beat|segment|panel|镜|鏡|分|场|場|第))", re.IGNORECASE
)


class StoryboardError(ValueError):
    """A change of these shots is not possible; the message says why."""


def seconds(shot: Shot) -> int:
    """Return how long a shot lasts, at least 1."""
    return int(shot.duration) if re.fullmatch("[1-9][0-9]?", shot.duration) else 1


def total(shots: Sequence[Shot]) -> int:
    """Return how many seconds the shots last together."""
    return sum(map(seconds, shots))


def remainder(shots: Sequence[Shot], duration: str) -> int:
    """Return the seconds of the video that no shot fills yet; negative if the shots last too long."""
    return int(duration) - total(shots)


def spread(number: int, duration: str, prompts: Sequence[str] = ()) -> Shots:
    """Return `number` shots that share the duration as evenly as whole seconds can, longer ones first.

    Args:
        number: of shots, moved into 1 to 6 and to no more than there are seconds.
        duration: seconds of the video; the sum.
        prompts: of the first shots; the others are empty.
    """
    length = max(1, int(duration))
    number = max(1, min(number, catalog().shot_limit, length))
    share, more = divmod(length, number)
    words = [*prompts, *[""] * number]
    return tuple(_shot(words[position], share + (position < more)) for position in range(number))


def fill(shots: Sequence[Shot], duration: str, which: int = -1) -> Shots:
    """Return shots that add up to the duration, by making shot `which` longer or shorter.

    If it would get shorter than a second, its neighbours before it give, then those after it.

    Args:
        shots: one to six.
        duration: seconds of the video; the sum.
        which: index of the shot; negative counts from the end.

    Raises:
        StoryboardError: there are more shots than seconds, or no shot.
    """
    if not 0 < len(shots) <= int(duration):
        raise StoryboardError(f"{len(shots)} shots cannot share {duration} s: each lasts at least 1 s.")
    position = which % len(shots)
    lengths = [seconds(shot) for shot in shots]
    missing = int(duration) - sum(lengths)
    for index in (position, *reversed(range(position)), *range(position + 1, len(shots))):
        given = max(missing, 1 - lengths[index])
        lengths[index] += given
        missing -= given
    return _with_lengths(shots, lengths)


def split(shots: Sequence[Shot], index: int) -> Shots:
    """Cut one shot into two of the same prompt; together they last as long as it did.

    Raises:
        StoryboardError: it lasts 1 s, or there are six shots already.
    """
    length = seconds(shots[index])
    if len(shots) >= catalog().shot_limit:
        raise StoryboardError(f"There are {catalog().shot_limit} shots already, which is the most.")
    if length < 2:
        raise StoryboardError(f"Shot {index + 1} lasts 1 s and cannot be cut in two.")
    halves = (_shot(shots[index].prompt, length - length // 2), _shot(shots[index].prompt, length // 2))
    return (*shots[:index], *halves, *shots[index + 1 :])


def move(shots: Sequence[Shot], index: int, to: int) -> Shots:
    """Move a shot to another position; nothing else changes."""
    others = [shot for position, shot in enumerate(shots) if position != index]
    to = max(0, min(to, len(others)))
    return (*others[:to], shots[index], *others[to:])


def remove(shots: Sequence[Shot], index: int) -> Shots:
    """Take a shot and its prompt out; the one before it (or after the first) lasts longer: the sum stays.

    Raises:
        StoryboardError: it is the only one.
    """
    if len(shots) < 2:
        raise StoryboardError("A storyboard has at least one shot.")
    others = [*shots[:index], *shots[index + 1 :]]
    heir = max(index - 1, 0)
    others[heir] = _shot(others[heir].prompt, seconds(others[heir]) + seconds(shots[index]))
    return tuple(others)


def add(shots: Sequence[Shot], prompt: str = "") -> Shots:
    """Add a shot at the end, which takes half of the longest one's seconds, so that the sum stays.

    Raises:
        StoryboardError: there are six already, or every shot lasts 1 s.
    """
    if len(shots) >= catalog().shot_limit:
        raise StoryboardError(f"There are {catalog().shot_limit} shots already, which is the most.")
    if not shots:
        return (_shot(prompt, 1),)
    longest = max(range(len(shots)), key=lambda position: (seconds(shots[position]), position))
    length = seconds(shots[longest])
    if length < 2:
        raise StoryboardError("Every shot lasts 1 s: make the video longer first.")
    lengths = [seconds(shot) for shot in shots]
    lengths[longest] -= length // 2
    return (*_with_lengths(shots, lengths), _shot(prompt, length // 2))


def to_text(shots: Sequence[Shot]) -> str:
    """Return the shots as one text: `shot 1, 3, words; shot 2, 4, words;`.

    A `;` in a prompt would end its shot there, so it is written as a comma, and a line end as a blank.
    """
    return " ".join(
        f"shot {position}, {seconds(shot)}, {_in_one_line(shot.prompt)};"
        for position, shot in enumerate(shots, 1)
    )


def _in_one_line(prompt: str) -> str:
    return _NEXT_SHOT.sub("，", " ".join(prompt.split()).replace(";", ","))


def from_text(text: str, duration: str = "5") -> Shots:
    """Read shots that somebody pasted: the form of `to_text`, or one of those of `shot_list`.

    Args:
        text: also a list, a table or JSON.
        duration: seconds of the video, which shots without a length share.

    Raises:
        StoryboardError: it is none of them, is not numbered 1, 2, 3 and so on, or has more than six shots.
    """
    try:
        return shot_list.read(text, duration)
    except ShotListError as error:
        raise StoryboardError(str(error)) from None


def _shot(prompt: str, length: int) -> Shot:
    return Shot(prompt=prompt, duration=str(length))


def _with_lengths(shots: Sequence[Shot], lengths: Sequence[int]) -> Shots:
    return tuple(replace(shot, duration=str(length)) for shot, length in zip(shots, lengths, strict=True))
