"""The layers of a scene, and how they are put together into one frame.

A layer is painted once. It is larger than the frame, so that the camera can move over it, and it is stored
as 8-bit planar YUV 4:2:0, the format of the encoder. Making a frame then only shifts and blends slices of
arrays, which takes a few milliseconds.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from kling.sandbox.renderer.scale import Bytes, scaled

Floats = npt.NDArray[np.floating[Any]]
Planes = tuple[Bytes, Bytes, Bytes]
Pixels = npt.NDArray[np.uint8 | np.uint16]

BAND = 96_000  # pixels that are blended at a time
STEPS = 16  # positions between two pixels; finer steps would not be visible


def still(_seconds: float) -> tuple[float, float]:
    """The motion of a layer that does not move."""
    return (0.0, 0.0)


def full(_seconds: float) -> float:
    """The strength of a layer that is always fully visible."""
    return 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Cel:
    """One painted picture.

    Args:
        colour: Y, U and V, already multiplied by the opacity.
        clear: transparency, 255 where the picture is empty; at full size for Y, at half size for U and V.
        left, top: the position of its first pixel in the frame while the camera is at rest; even.
        solid_row: from this row down the picture is opaque; even.
    """

    colour: Planes
    clear: tuple[Bytes, Bytes]
    left: int
    top: int
    solid_row: int


class Cels(Protocol):
    """The pictures of a layer."""

    def __len__(self) -> int: ...

    def __getitem__(self, number: int, /) -> Cel: ...


class Cycle:
    """Pictures of which each is painted when it is first shown: a short clip does not need all of them.

    Args:
        paint: paints the picture of a number, from 0.
        count: how many there are.
        first: the number of the picture that comes first.
    """

    def __init__(self, paint: Callable[[int], Cel], count: int, first: int = 0) -> None:
        self._paint, self._count, self._first = cache(paint), count, first

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, number: int, /) -> Cel:
        return self._paint((self._first + number) % self._count)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Layer:
    """One plane of the scene, facing the camera.

    Args:
        cels: its pictures; more than one where it is animated.
        depth: distance from the camera; infinite for the sky.
        motion: returns its own movement in pixels after so many seconds.
        rate: cels a second.
        strength: returns its opacity after so many seconds, 0..1.
        fast: whether it moves so far between two frames that positions between pixels are not needed.
        tile: width and height after which the picture repeats; even, and 4 less than those of the cel.
            (0, 0): it does not repeat.
    """

    cels: Cels
    depth: float
    motion: Callable[[float], tuple[float, float]] = field(default=still)
    rate: float = 0.0
    strength: Callable[[float], float] = field(default=full)
    fast: bool = False
    tile: tuple[int, int] = (0, 0)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Mirror:
    """Still or rippled water: it mirrors the picture above the waterline.

    Args:
        top: the y of the waterline in the frame, in pixels, while the camera is at rest.
        depth: the distance of the waterline from the camera.
        tint: Y, U and V of the water's own colour.
        keep: share of the mirrored picture against the tint, at the waterline and at the frame's lower edge.
        ripple: how far rows are displaced, in pixels at the lower edge of the frame.
        squash: by which factor the mirrored picture is compressed vertically.
    """

    top: float
    depth: float
    tint: tuple[float, float, float]
    reflected: tuple[float, float]
    ripple: float
    squash: float = 1.25


@dataclass(frozen=True, slots=True)
class View:
    """The part of the scene that a frame shows, and the position of the camera."""

    left: float
    top: float
    width: int
    height: int
    centre: tuple[float, float]
    at: tuple[float, float, float] = (0.0, 0.0, 0.0)

    def projection(self, depth: float) -> tuple[float, float, float]:
        """Returns the scale of a plane at `depth`, and its shift in pixels to the right and down."""
        x, y, z = self.at
        if math.isinf(depth):
            return 1.0, 0.0, 0.0
        scale = depth / (depth - z)
        return scale, -x / depth * scale, y / depth * scale


def _slide(plane: Bytes, x: float, y: float, width: int, height: int) -> Pixels:
    """A part of a plane; its position may be between pixels."""
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


def compose(layers: Sequence[Layer | Mirror], view: View, seconds: float, out: Planes) -> None:
    """Draws all layers, far to near, into `out`, which has the size of the view."""
    # Rows that are hidden by nearer layers are not drawn. `last` collects where each layer may stop.
    hidden, last = view.height, []
    for layer in reversed(layers):
        last.append(hidden)
        if isinstance(layer, Layer):
            hidden = min(hidden, _hides_from(layer, view, seconds))
    for layer, end in zip(layers, reversed(last), strict=True):
        if isinstance(layer, Mirror):
            _reflect(layer, view, seconds, out)
        else:
            _draw(layer, view, seconds, out, end)


def _cel(layer: Layer, seconds: float) -> Cel:
    return layer.cels[int(seconds * layer.rate + 1e-6) % len(layer.cels)]


def _position(layer: Layer, cel: Cel, view: View, seconds: float) -> tuple[float, float, float]:
    """The scale of a cel, and the position of its first pixel in the view."""
    scale, dx, dy = view.projection(layer.depth)
    mx, my = layer.motion(seconds)
    cx, cy = view.centre
    left = (cel.left + mx - cx) * scale + dx + cx - view.left
    top = (cel.top + my - cy) * scale + dy + cy - view.top
    return (scale, round(left), round(top)) if layer.fast else (scale, left, top)


def _hides_from(layer: Layer, view: View, seconds: float) -> int:
    """The first row of the view that a layer hides completely, as all rows below."""
    cel = _cel(layer, seconds)
    rows, columns = cel.colour[0].shape
    scale, left, top = _position(layer, cel, view, seconds)
    wide = left <= 0 and left + (columns - 2) * scale >= view.width
    low = top + (rows - 2) * scale >= view.height
    if not (wide and low) or layer.strength(seconds) < 1:
        return view.height
    return max(0, math.ceil((top + cel.solid_row * scale) / 2) * 2 + 2)


def _draw(layer: Layer, view: View, seconds: float, out: Planes, end: int) -> None:
    strength = layer.strength(seconds)
    if strength <= 0:
        return
    cel = _cel(layer, seconds)
    scale, left, top = _position(layer, cel, view, seconds)
    rows, columns = cel.colour[0].shape
    low = min(end, view.height)
    if layer.tile == (0, 0):
        x0, y0 = max(0, math.ceil(left / 2) * 2), max(0, math.ceil(top / 2) * 2)
        x1 = min(view.width, math.floor((left + (columns - 2) * scale) / 2) * 2)
        y1 = min(low, math.floor((top + (rows - 2) * scale) / 2) * 2)
        _lay(cel, (scale, left, top), strength, out, (x0, y0, x1, y1))
        return
    for y, y0, y1 in _tiles(top, layer.tile[1] * scale, low):
        for x, x0, x1 in _tiles(left, layer.tile[0] * scale, view.width):
            _lay(cel, (scale, x, y), strength, out, (x0, y0, x1, y1))


def _tiles(start: float, size: float, end: int) -> Iterator[tuple[float, int, int]]:
    """Yields where each tile of a repeating row begins, and which pixels from 0 to `end` it fills."""
    at, first = start % size - size, 0
    while first < end:
        last = min(end, math.ceil((at + size) / 2) * 2)
        if last > first:
            yield at, first, last
            first = last
        at += size


def _lay(
    cel: Cel,
    position: tuple[float, float, float],
    strength: float,
    out: Planes,
    box: tuple[int, int, int, int],
) -> None:
    """Blends a scaled cel into a box (left, top, right, bottom, all even) of the view."""
    scale, left, top = position
    x0, y0, x1, y1 = box
    if x1 <= x0 or y1 <= y0:
        return
    solid = y1
    if strength == 1:
        solid = min(max(math.ceil((top + cel.solid_row * scale) / 2) * 2 + 2, y0), y1)
    for index, (target, plane) in enumerate(zip(out, cel.colour, strict=True)):
        half = 2 if index else 1
        at = ((x0 - left) / half / scale, (y0 - top) / half / scale)
        wide = (x1 - x0) // half
        # colour and transparency are scaled alike: an offset of half a pixel would show as a coloured edge
        colours, x, y = scaled(plane, at, (wide, (y1 - y0) // half), scale)
        clears = colours
        if solid > y0:
            clears, *_ = scaled(cel.clear[half - 1], at, (wide, (y1 - y0) // half), scale)
        for upper, lower, opaque in _bands(y0, solid, y1, wide):
            size = (wide, (lower - upper) // half)
            below = (upper - y0) / half
            part = target[upper // half : lower // half, x0 // half : x1 // half]
            colour = _slide(colours, x, y + below, *size)
            if opaque:
                np.copyto(part, colour, casting="unsafe")
            else:
                through = _slide(clears, x, y + below, *size)
                if strength < 1:
                    colour, through = _fade(colour, through, strength)
                _blend(part, colour, through)


def _bands(top: int, solid: int, end: int, width: int) -> Iterator[tuple[int, int, bool]]:
    """Cuts rows into bands that fit into the processor's cache; this doubles the speed."""
    step = max(16, BAND // max(1, width) // 2 * 2)
    for first, last, opaque in ((top, solid, False), (solid, end, True)):
        for upper in range(first, last, step):
            yield upper, min(upper + step, last), opaque


def _fade(colour: Pixels, clear: Pixels, strength: float) -> tuple[Pixels, Pixels]:
    share = np.uint16(round(strength * 256))
    thin = np.multiply(colour, share, dtype=np.uint16) >> np.uint16(8)
    open_ = np.uint16(255) - (np.multiply(255 - clear, share, dtype=np.uint16) >> np.uint16(8))
    return thin, open_


def _reflect(water: Mirror, view: View, seconds: float, out: Planes) -> None:
    scale, _, dy = view.projection(water.depth)
    cy = view.centre[1]
    line = (water.top - cy) * scale + dy + cy - view.top
    first = max(0, math.ceil(line / 2) * 2)
    foot = 2 * cy - view.top  # the lower edge of the frame, in the view
    if first >= view.height:
        return
    for index, (plane, tint) in enumerate(zip(out, water.tint, strict=True)):
        half = 2 if index else 1
        rows = np.arange(first // half, view.height // half) * half
        down = rows - line
        near = np.clip(down / max(1.0, foot - line), 0, 1.5)
        # Waves are long near the camera and short at the waterline.
        phase = np.log1p(near * 14) * 9
        swing = np.sin(phase * 2.1 - seconds * 2.2) + 0.6 * np.sin(phase * 4.7 + seconds * 3.1 + 1)
        source = line - down * water.squash + swing * (water.ripple * (0.12 + near))
        source = np.clip(source, 0, max(0, first - 1)) / half
        upper = source.astype(np.intp)
        top = plane[: max(1, first // half)]
        upper = np.minimum(upper, len(top) - 1)
        lower = np.minimum(upper + 1, len(top) - 1)
        part = ((source - upper) * 256).astype(np.uint16)[:, None]
        mixed = top[upper] * (np.uint16(256) - part) + top[lower] * part >> np.uint16(8)
        reflected = water.reflected[0] + (water.reflected[1] - water.reflected[0]) * np.clip(near, 0, 1)
        share = (reflected * 256).astype(np.uint16)[:, None]
        added = ((1 - reflected) * tint * 256 + 128).astype(np.uint16)[:, None]
        plane[first // half :] = (mixed * share + added >> np.uint16(8)).astype(np.uint8)
