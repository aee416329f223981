"""The canvas of the painters, with its coordinates; noise and gradients; and how paint becomes a layer."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image

from kling.sandbox.renderer.layers import Cel, Floats, Layer, Mirror, full, still
from kling.sandbox.renderer.scale import Bytes

# BT.709: the rows give Y, U and V for R, G and B in 0..1, in the narrow range that players expect.
TO_YUV = np.array(
    [[46.559, 156.629, 15.812], [-25.664, -86.336, 112.0], [112.0, -101.730, -10.270]], np.float32
)
BASE = np.array([16.0, 128.0, 128.0], np.float32)


@dataclass(frozen=True, slots=True)
class Canvas:
    """A rectangle of the scene in pixels, in the coordinates of the frame.

    Args:
        left, top: the position of its corner in the frame while the camera is at rest; even.
        width, height: its size in pixels; even.
        frame: width and height of the frame in pixels.
    """

    left: int
    top: int
    width: int
    height: int
    frame: tuple[int, int]

    @property
    def unit(self) -> float:
        """Pixels of the frame's shorter side: the unit of lengths."""
        return float(min(self.frame))

    @property
    def x(self) -> Floats:
        """The x of each column, in units, 0 in the middle of the frame; an array of one row."""
        columns = np.arange(self.width, dtype=np.float32) + (self.left + 0.5 - self.frame[0] / 2)
        return (columns / np.float32(self.unit))[None, :]

    @property
    def y(self) -> Floats:
        """The y of each row, as a share of the frame's height, 0 at its top; an array of one column."""
        rows = np.arange(self.height, dtype=np.float32) + (self.top + 0.5)
        return (rows / np.float32(self.frame[1]))[:, None]

    @property
    def tall(self) -> float:
        """The frame's height in units."""
        return self.frame[1] / self.unit


def cel(
    canvas: Canvas, rgb: Floats, cover: Floats | None, noise: np.random.Generator, *, whole: bool = False
) -> Cel:
    """Turns paint into a picture, cropped to the part that is painted.

    Args:
        canvas: that was painted on.
        rgb: colours in 0..1, of any shape that broadcasts to the canvas.
        cover: opacity in 0..1, likewise; None: everything is opaque.
        noise: for the dither.
        whole: whether the picture is not cropped.
    """
    shape = (canvas.height, canvas.width)
    rgb = np.broadcast_to(rgb, (*shape, 3))
    left, top = canvas.left, canvas.top
    alpha = None if cover is None else np.broadcast_to(cover, shape)
    if alpha is not None and not whole:
        rows, columns = _span(alpha.max(axis=1)), _span(alpha.max(axis=0))
        alpha, rgb = alpha[rows, columns], rgb[rows, columns]
        left, top = left + columns.start, top + rows.start
    # A little noise before rounding: without this dither a smooth sky would show bands.
    dither = noise.random(rgb.shape[:2], dtype=np.float32)
    small, small_dither = _halve(rgb), dither[::2, ::2]
    small_alpha = None if alpha is None else _halve(alpha)
    planes: list[Bytes] = []
    for index in range(3):
        source, share, grain = (small, small_alpha, small_dither) if index else (rgb, alpha, dither)
        plane = source @ TO_YUV[index] + BASE[index]
        if share is not None:
            plane = plane * share
        planes.append(np.clip(plane + grain, 0, 255).astype(np.uint8))
    solid = 0
    if alpha is None or small_alpha is None:
        clear = (np.zeros((0, 0), np.uint8), np.zeros((0, 0), np.uint8))
    else:
        clear = (_clear(alpha), _clear(small_alpha))
        open_rows = np.flatnonzero(clear[0].any(axis=1))
        solid = 0 if open_rows.size == 0 else math.ceil((int(open_rows[-1]) + 1) / 2) * 2
    return Cel((planes[0], planes[1], planes[2]), clear, left, top, solid)


def _span(cover: Floats) -> slice:
    """The range from the first to the last position that is painted; even."""
    found = np.flatnonzero(cover > 1 / 512)
    if found.size == 0:
        return slice(0, 2)
    return slice(max(0, int(found[0]) // 2 * 2 - 2), min(len(cover), (int(found[-1]) // 2 + 2) * 2))


def single_cel_layer(
    canvas: Canvas,
    rgb: Floats,
    cover: Floats | None,
    noise: np.random.Generator,
    *,
    depth: float,
    motion: Callable[[float], tuple[float, float]] | None = None,
    strength: Callable[[float], float] | None = None,
) -> Layer:
    """Turns paint into a layer of one picture; colours outside of 0..1 are clipped."""
    paint = np.clip(rgb, 0, 1).astype(np.float32)
    over = None if cover is None else np.asarray(cover, np.float32)
    return Layer(
        cels=(cel(canvas, paint, over, noise),),
        depth=depth,
        motion=motion or still,
        strength=strength or full,
    )


def _clear(alpha: Floats) -> Bytes:
    return np.asarray(255.5 - 255 * alpha, dtype=np.float32).astype(np.uint8)


def _halve(array: Floats) -> Floats:
    return (array[::2, ::2] + array[1::2, ::2] + array[::2, 1::2] + array[1::2, 1::2]) * np.float32(0.25)


def ridge(x: Floats, seed: int, *, scale: float, octaves: int = 5, rough: float = 0.5) -> Floats:
    """Smooth noise over x, -1..1, as for a line of hills; at the same x it is the same on every canvas."""
    total = np.zeros_like(x)
    size, reach = 1.0, 0.0
    for octave in range(octaves):
        at = x * (2**octave / scale) + octave * 17.3
        cell = np.floor(at)
        u = at - cell
        u = u * u * (3 - 2 * u)
        total += size * (_hash(cell, seed + octave) * (1 - u) + _hash(cell + 1, seed + octave) * u)
        reach += size
        size *= rough
    return (total / np.float32(reach)).astype(np.float32)


def _hash(cell: Floats, seed: int) -> Floats:
    n = cell.astype(np.int64).astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(seed * 7919 + 13)
    n ^= n >> np.uint64(31)
    n *= np.uint64(0xBF58476D1CE4E5B9)
    n ^= n >> np.uint64(29)
    return ((n & np.uint64(0xFFFFFF)).astype(np.float32) / np.float32(0x7FFFFF)) - 1


def clouds(
    canvas: Canvas, noise: np.random.Generator, *, scale: tuple[float, float], octaves: int = 5
) -> Floats:
    """Soft two-dimensional noise, about -1..1; `scale` is the size of its largest forms in units."""
    total = np.zeros((canvas.height, canvas.width), np.float32)
    size = 1.0
    for octave in range(octaves):
        across = max(2, math.ceil(canvas.width / canvas.unit / scale[0] * 2**octave)) + 3
        down = max(2, math.ceil(canvas.height / canvas.unit / scale[1] * 2**octave)) + 3
        if across > canvas.width or down > canvas.height:
            break
        grid = noise.uniform(-1, 1, (down, across)).astype(np.float32)
        total += size * np.asarray(
            Image.fromarray(grid).resize(
                (canvas.width, canvas.height), Image.Resampling.BICUBIC, box=(1, 1, across - 1, down - 1)
            )
        )
        size *= 0.5
    return total


def smooth(low: float, high: float, value: Floats) -> Floats:
    """0 below `low`, 1 above `high`, and an S-shaped curve between."""
    u = np.clip((value - low) / (high - low), 0, 1)
    return np.asarray(u * u * (3 - 2 * u), np.float32)


def gradient(stops: list[tuple[float, tuple[float, ...]]], at: Floats) -> Floats:
    """The colour of each value, interpolated between stops."""
    places = [stop for stop, _ in stops]
    return np.stack(
        [np.interp(at, places, [colour[band] for _, colour in stops]) for band in range(3)], axis=-1
    ).astype(np.float32)


@dataclass(frozen=True, slots=True)
class Piece:
    """A layer that is still to be painted.

    Args:
        depth: distance from the camera.
        paint: paints it onto a canvas that is as large as the part that the camera will show.
        reach: how far the layer moves by itself, in units; the canvas is larger by this.
    """

    depth: float
    paint: Callable[[Canvas], Layer | Mirror]
    reach: tuple[float, float] = (0.0, 0.0)
