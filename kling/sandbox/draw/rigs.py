"""What the bodies of animals and people share."""

from __future__ import annotations

import math
from typing import Any

Part = dict[str, Any]
Point = tuple[float, float]

STRIDE = {"still": 0.0, "sit": 0.0, "run": 1.7}  # against a walk
DARK = "#1a1412"


def polar(start: Point, degrees: float, length: float) -> Point:
    """The point at a distance and an angle (0 to the right, 90 up)."""
    turn = math.radians(degrees)
    return start[0] + length * math.cos(turn), start[1] + length * math.sin(turn)
