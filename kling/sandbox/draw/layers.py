"""Layers of the scene, and putting them together into one frame.

A layer is painted once, larger than the frame by what the camera will uncover, and kept as 8-bit planar YUV
4:2:0, the encoder's own format. A frame is then only shifts and blends of slices: a few milliseconds.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from PIL import Image

Bytes = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]
Planes = tuple[Bytes, Bytes, Bytes]
Pixels = npt.NDArray[np.uint8 | np.uint16]

STEPS = 16  # positions between two pixels; finer steps cannot be seen


def _still(_seconds: float) -> tuple[float, float]:
    return (0.0, 0.0)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Layer:
    """One painted plane of the scene, facing the camera.

    Args:
        colour: Y, U and V, already multiplied by the cover.
        clear: what shows through, 255 where the layer is empty; at full and at half size.
        left, top: where its first pixel lies in the frame while the camera is at rest; even.
        depth: distance from the camera; infinite for the sky.
        solid_row: from this row down nothing shows through; even.
        motion: its own movement in pixels after so many seconds.
    """

    colour: Planes
    clear: tuple[Bytes, Bytes]
    left: int
    top: int
    depth: float
    solid_row: int
    motion: Callable[[float], tuple[float, float]] = field(default=_still)


@dataclass(frozen=True, slots=True)
class View:
    """The part of the scene that a frame shows: where the camera looks and from where."""

    left: float
    top: float
    width: int
    height: int
    centre: tuple[float, float]
    at: tuple[float, float, float] = (0.0, 0.0, 0.0)

    def place(self, depth: float) -> tuple[float, float, float]:
        """Returns scale and shift, in pixels, of a plane at `depth`."""
        x, y, z = self.at
        if math.isinf(depth):
            return 1.0, 0.0, 0.0
        scale = depth / (depth - z)
        return scale, -x / depth * scale, y / depth * scale


def _slide(plane: Bytes, x: float, y: float, width: int, height: int) -> Pixels:
    """A window of a plane at a position between pixels."""
    column, row = math.floor(x * STEPS + 0.5), math.floor(y * STEPS + 0.5)
    (column, fx), (row, fy) = divmod(column, STEPS), divmod(row, STEPS)
    window: Pixels = plane[row : row + height + bool(fy), column : column + width + bool(fx)]
    if fx:
        window = _mix(window[:, :-1], window[:, 1:], fx)
    if fy:
        window = _mix(window[:-1], window[1:], fy)
    return window


def _mix(a: Pixels, b: Pixels, part: int) -> npt.NDArray[np.uint16]:
    mixed = np.multiply(a, np.uint16(STEPS - part), dtype=np.uint16)
    mixed += np.multiply(b, np.uint16(part), dtype=np.uint16)
    mixed += np.uint16(STEPS // 2)
    mixed >>= np.uint16(4)
    return mixed


def _blend(out: Bytes, colour: Pixels, clear: Pixels) -> None:
    mixed = np.multiply(out, clear, dtype=np.uint16)
    mixed += np.uint16(255)
    mixed >>= np.uint16(8)
    mixed += colour
    np.copyto(out, mixed, casting="unsafe")


def compose(layers: tuple[Layer, ...], view: View, seconds: float, out: Planes) -> None:
    """Draws all layers, far to near, into `out`, which has the view's size."""
    for layer in layers:
        _draw(layer, view, seconds, out)


def _draw(layer: Layer, view: View, seconds: float, out: Planes) -> None:
    scale, dx, dy = view.place(layer.depth)
    mx, my = layer.motion(seconds)
    cx, cy = view.centre
    # where the layer's first pixel falls in `out`
    left = (layer.left + mx - cx) * scale + dx + cx - view.left
    top = (layer.top + my - cy) * scale + dy + cy - view.top
    rows, columns = layer.colour[0].shape
    x0, y0 = max(0, math.ceil(left / 2) * 2), max(0, math.ceil(top / 2) * 2)
    x1 = min(view.width, math.floor((left + (columns - 2) * scale) / 2) * 2)
    y1 = min(view.height, math.floor((top + (rows - 2) * scale) / 2) * 2)
    if x1 <= x0 or y1 <= y0:
        return
    solid = min(max(math.ceil((top + layer.solid_row * scale) / 2) * 2 + 2, y0), y1)
    for index, (target, plane) in enumerate(zip(out, layer.colour, strict=True)):
        half = 2 if index else 1
        clear = layer.clear[half - 1]
        for upper, lower, opaque in ((y0, solid, False), (solid, y1, True)):
            if lower <= upper:
                continue
            size = ((x1 - x0) // half, (lower - upper) // half)
            at = ((x0 - left) / half / scale, (upper - top) / half / scale)
            part = target[upper // half : lower // half, x0 // half : x1 // half]
            colour = _window(plane, at, size, scale)
            if opaque:
                np.copyto(part, colour, casting="unsafe")
            else:
                _blend(part, colour, _window(clear, at, size, scale))


def _window(plane: Bytes, at: tuple[float, float], size: tuple[int, int], scale: float) -> Pixels:
    if scale == 1.0:
        return _slide(plane, *at, *size)
    column, row = int(at[0]), int(at[1])
    wide, high = size[0] / scale, size[1] / scale
    # only what is needed: Pillow would otherwise be handed the whole plane
    near = plane[row : row + math.ceil(high) + 2, column : column + math.ceil(wide) + 2]
    x, y = at[0] - column, at[1] - row
    box = (x, y, min(x + wide, near.shape[1]), min(y + high, near.shape[0]))
    return np.asarray(Image.fromarray(near).resize(size, Image.Resampling.BILINEAR, box=box))
