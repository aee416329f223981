"""Planes of bytes at other sizes, to a fraction of a pixel, by the scaler that comes with the encoder."""

from __future__ import annotations

import math
from typing import Any

import av
import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]

CHOICES = 12  # lengths to choose from
# Planes are small: handing them to more threads costs more than it brings. PyAV asks since 17.
ALONE: dict[str, int] = {"threads": 1} if int(av.__version__.split(".")[0]) >= 17 else {}


def resize(plane: Bytes, width: int, height: int) -> Bytes:
    """A plane at another size, between pixels linearly."""
    if plane.shape == (height, width):
        return plane
    frame: Any = av.VideoFrame.from_ndarray(np.ascontiguousarray(plane), format="gray")
    made = frame.reformat(width, height, interpolation="BILINEAR", **ALONE).planes[0]
    return np.frombuffer(memoryview(made), np.uint8).reshape(height, made.line_size)[:, :width]


def scaled(
    plane: Bytes, at: tuple[float, float], size: tuple[int, int], scale: float
) -> tuple[Bytes, float, float]:
    """The part of a plane that begins `at` and is `size` (width, height) long when scaled.

    Returns what is needed of the plane, at its new size, and where in it the part begins.
    """
    if scale == 1.0:
        return plane, *at
    rows, columns = plane.shape
    column, wide, across = _piece(at[0], size[0], columns, scale)
    row, high, down = _piece(at[1], size[1], rows, scale)
    part = resize(plane[row : row + high, column : column + wide], across, down)
    x, y = (at[0] - column) * scale, (at[1] - row) * scale
    short = max(0, math.ceil(y) + size[1] + 1 - down), max(0, math.ceil(x) + size[0] + 1 - across)
    if any(short):  # the plane ends here: its last pixels go on
        part = np.pad(part, ((0, short[0]), (0, short[1])), mode="edge")
    return part, x, y


def _piece(start: float, long: int, whole: int, scale: float) -> tuple[int, int, int]:
    """First pixel and length to take from a line of `whole`, and its length when scaled.

    Lengths are whole numbers and scales are not: of a few lengths it is the one that comes out best.
    """
    first = min(max(0, int(start)), whole - 1)
    least = math.ceil(start - first + (long + 2) / scale)
    taken, made = fit(least, scale)
    return (first, taken, made) if first + taken <= whole else (first, *fit(whole - first, scale, choices=1))


def fit(least: int, scale: float, *, choices: int = CHOICES, step: int = 1) -> tuple[int, int]:
    """A length of at least `least`, and its scaled length, both multiples of `step` and nearly exact."""
    least = math.ceil(least / step) * step
    lengths = range(least, least + choices * step, step)
    best = min(lengths, key=lambda length: abs(length * scale / step - round(length * scale / step)))
    return best, max(step, round(best * scale / step) * step)
