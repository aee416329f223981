"""A camera move as a plain sentence, for models that take no `camera_control`, and back.

What each axis does and which sign is which: S1. The sandbox draws the words as the same
move; a test holds that.
"""

from __future__ import annotations

import re

from kling.camera_control import CameraControl

MOVES = {
    ("horizontal", -1): "moves left",
    ("horizontal", 1): "moves right",
    ("vertical", -1): "descends",
    ("vertical", 1): "rises",
    ("pan", -1): "pans left",
    ("pan", 1): "pans right",
    ("tilt", -1): "tilts down",
    ("tilt", 1): "tilts up",
    ("roll", -1): "rolls counterclockwise",
    ("roll", 1): "rolls clockwise",
    ("zoom", -1): "zooms in",  # a longer focal length sees less
    ("zoom", 1): "zooms out",
}
PRESETS = {
    "down_back": "moves backward and down",
    "forward_up": "moves forward and tilts up",
    "right_turn_forward": "pans right, then moves forward",
    "left_turn_forward": "pans left, then moves forward",
}
# The largest value of an axis for an adverb, the adverb, and the value that the adverb is read as.
STRENGTHS = ((3.0, "slowly", 2.0), (6.5, "steadily", 5.0), (10.0, "quickly", 8.0))
_PRESET_ADVERB = "steadily"

_SENTENCES = {
    f"The camera {move} {adverb}.": CameraControl(type="simple", config={axis: sign * value})
    for (axis, sign), move in MOVES.items()
    for _, adverb, value in STRENGTHS
} | {f"The camera {move} {_PRESET_ADVERB}.": CameraControl(type=preset) for preset, move in PRESETS.items()}
_WRITTEN = re.compile("|".join(map(re.escape, _SENTENCES)))
_WITH_BLANK = re.compile(f" ?(?:{_WRITTEN.pattern})")


def move_in_words(control: CameraControl) -> str:
    """Return the sentence for a move: its direction, and whether it goes slowly, steadily or quickly.

    A move that the API would refuse (no axis, or one that it does not have) has no words: the text is empty.
    Of several axes the strongest counts.
    """
    if control.type in PRESETS:
        return f"The camera {PRESETS[control.type]} {_PRESET_ADVERB}."
    axis, value = max(control.config.items(), key=lambda each: abs(each[1]), default=("", 0))
    move = MOVES.get((axis, (value > 0) - (value < 0)))
    if control.type != "simple" or move is None:
        return ""
    adverb = next((adverb for most, adverb, _ in STRENGTHS if abs(value) <= most), STRENGTHS[-1][1])
    return f"The camera {move} {adverb}."


def with_move(prompt: str, control: CameraControl | None) -> str:
    """Return the prompt with the sentence of a move, in the place of an earlier one or else at its end.

    Args:
        prompt: nothing else of it changes, except that a missing full stop is added before the sentence.
        control: the move; None removes an earlier sentence.
    """
    sentence = move_in_words(control) if control else ""
    if not sentence:
        return _WITH_BLANK.sub("", prompt)
    if earlier := _WRITTEN.search(prompt):
        return prompt[: earlier.start()] + sentence + _WITH_BLANK.sub("", prompt[earlier.end() :])
    gap = "" if not prompt or prompt[-1].isspace() else ". " if prompt[-1].isalnum() else " "
    return prompt + gap + sentence


def find_move(prompt: str) -> CameraControl | None:
    """Return the move that `with_move` wrote into a prompt, with its adverb's value, or None."""
    found = _WRITTEN.search(prompt)
    return _SENTENCES[found[0]] if found else None
