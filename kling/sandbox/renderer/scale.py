"""Scales planes of bytes, exactly to a fraction of a pixel, by the scaler of the library that encodes."""

from __future__ import annotations

import math
from typing import Any

import av
import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]

CHOICES = 12  # lengths that `fit` chooses from
# One thread: for planes as small as these, more threads take longer. PyAV has the argument since version 17.
ALONE: dict[str, int] = {"threads": 1} if int(av.__version__.split(".")[0]) >= 17 else {}


def resize(plane: Bytes, width: int, height: int) -> Bytes:
    """A plane at another size, by linear interpolation."""
    if plane.shape == (height, width):
        return plane
    frame: Any = av.VideoFrame.from_ndarray(np.ascontiguousarray(plane), format="gray")
    made = frame.reformat(width, height, interpolation="BILINEAR", **ALONE).planes[0]
    return np.frombuffer(memoryview(made), np.uint8).reshape(height, made.line_size)[:, :width]


def scaled(
    plane: Bytes, at: tuple[float, float], size: tuple[int, int], scale: float
) -> tuple[Bytes, float, float]:
    """Scales a part of a plane.

    Args:
        plane: at its own size.
        at: column and row at which the part begins, also between pixels.
        size: width and height that the part must have after scaling.
        scale: the factor.

    Returns:
        A scaled plane that holds the part, and the column and the row in it at which the part begins.
    """
    if scale == 1.0:
        return plane, *at
    rows, columns = plane.shape
    column, wide, across = _piece(at[0], size[0], columns, scale)
    row, high, down = _piece(at[1], size[1], rows, scale)
    part = resize(plane[row : row + high, column : column + wide], across, down)
    x, y = (at[0] - column) * scale, (at[1] - row) * scale
    short = max(0, math.ceil(y) + size[1] + 1 - down), max(0, math.ceil(x) + size[0] + 1 - across)
    if any(short):  # beyond the end of the plane its last pixels are repeated
        part = np.pad(part, ((0, short[0]), (0, short[1])), mode="edge")
    return part, x, y


def _piece(start: float, long: int, whole: int, scale: float) -> tuple[int, int, int]:
    """The first pixel and the length to take from a line of `whole` pixels, and the length after scaling.

    Lengths are whole numbers, so the scale is not met exactly: of a few lengths the best one is chosen.
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
