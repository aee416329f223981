"""Helpers for the bodies of animals and people."""

from __future__ import annotations

import math
from typing import Any

Part = dict[str, Any]
Point = tuple[float, float]

SEATED = {"sit": 0.24, "perch": 0.24, "ride": 0.24}  # how much lower the body of a person is in this pose
STRIDE = {"still": 0.0, "sit": 0.0, "run": 1.7}  # length of a step, as a factor of walking
DARK = "#1a1412"


def lowered(part: Part, by: float) -> Part:
    """The same part, moved down by a length."""
    every = {"limb": (1, 3), "shape": (1, 2), "blob": (1, 2), "ball": (1, 9), "ring": (1, 9)}
    every |= {"swing": (1, 9), "turn": (1, 9), "flap": (0, 9)}
    found = dict(part)
    for kind, (first, step) in every.items():
        if kind in part:
            found[kind] = [n - by if i % step == first else n for i, n in enumerate(part[kind])]
    return found


def polar(start: Point, degrees: float, length: float) -> Point:
    """The point at a distance and an angle (0 to the right, 90 up)."""
    turn = math.radians(degrees)
    return start[0] + length * math.cos(turn), start[1] + length * math.sin(turn)
