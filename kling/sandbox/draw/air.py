"""Painters of what flies and falls: rain, snow, petals, sparks; and of fog and lightning."""

# ruff: noqa: PLR0917 - painters take many numbers, in the order of space: distance, place, size
from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image, ImageDraw

from kling.sandbox.draw.canvas import Canvas, Piece, clouds, seal, smooth
from kling.sandbox.draw.layers import Layer
from kling.sandbox.draw.look import Look, mix, rgb


@dataclass(frozen=True, slots=True)
class Drift:
    """Small things of one kind.

    Args:
        count: for each square unit.
        size: in units.
        fall: units a second, to the right and down.
        sway: how far they swing, in units.
        colours: of the things; an empty text takes the light's.
        cover: how solid they are.
        long: of a streak, along its way, in sizes; 0 is a soft ball, -1 a leaf.
    """

    count: float
    size: float
    fall: tuple[float, float]
    sway: float
    colours: tuple[str, ...]
    cover: float
    long: float = 0.0


KINDS = {
    "rain": Drift(70, 0.0016, (-0.10, 1.5), 0.0, ("",), 0.34, 34),
    "snow": Drift(60, 0.0050, (-0.03, 0.13), 0.020, ("#ffffff",), 0.85),
    "petals": Drift(14, 0.0080, (-0.07, 0.09), 0.025, ("#ffc4d6", "#ffdfe8", "#f79cba"), 0.9, -1),
    "leaves": Drift(9, 0.0110, (-0.07, 0.11), 0.030, ("#d9772b", "#c8452a", "#e8b13a"), 0.92, -1),
    "fireflies": Drift(12, 0.0105, (0.012, -0.012), 0.020, ("#f6ff9a", "#ffe88a"), 0.9),
    "sparks": Drift(16, 0.0045, (0.03, -0.22), 0.020, ("#ffb347", "#ff7a2f", "#ffe08a"), 0.95),
    "dust": Drift(22, 0.0040, (0.012, -0.010), 0.012, ("",), 0.35),
    "bubbles": Drift(9, 0.0075, (0.0, -0.10), 0.012, ("#dffaff",), 0.45),
    "lanterns": Drift(4, 0.028, (0.012, -0.035), 0.010, ("#ffb85a", "#ff9a3c", "#ffd08a"), 0.95),
}


def flying(look: Look, kind: str, salt: int, depth: float) -> Piece:
    """One layer of small things; it is painted once and repeats itself without a seam."""
    drift = KINDS[kind]
    near = 3.0 / depth
    period = 0.9 if kind == "rain" else 1.25  # units; after this the same things come again

    def paint(canvas: Canvas) -> Layer:
        unit, dice = canvas.unit, look.noise(salt)
        tile = max(8, round(period * unit))
        vx, vy = (tile / 1.0 * v * near / period for v in drift.fall)
        grow = 2
        sheet = Image.new("RGBA", (tile * grow, tile * grow))
        pen = ImageDraw.Draw(sheet, "RGBA")
        soft = drift.long == 0
        for _ in range(int(drift.count * period**2 * (1.3 if depth > 3 else 0.8))):
            x, y = (float(dice.uniform(0, tile)) for _ in range(2))
            r = max(0.55, drift.size * near * unit * float(dice.uniform(0.5, 1.15)))
            code = drift.colours[int(dice.integers(len(drift.colours)))]
            tint = rgb(code) if code else mix(look.light, look.haze, 0.3)
            if kind == "snow":
                tint = mix(tint, look.haze, 0.55 if look.dark else 0.15)
            if kind in {"petals", "leaves"}:
                tint = tint * (0.4 if look.dark else 0.95)
            alpha = int(255 * drift.cover * float(dice.uniform(0.45, 1.0)))
            fill = (*(int(255 * c) for c in np.clip(tint, 0, 1)), alpha)
            turn = float(dice.uniform(0, math.pi))
            for ox in (-tile, 0, tile):
                for oy in (-tile, 0, tile):
                    _thing(pen, (x + ox) * grow, (y + oy) * grow, r * grow, drift, fill, turn, grow)
        image = sheet.resize((tile, tile), Image.Resampling.BOX)
        paint_ = (np.asarray(image) / np.float32(255)).astype(np.float32)
        colour, cover = paint_[..., :3], paint_[..., 3]
        if soft and kind in {"fireflies", "sparks", "lanterns", "dust"}:
            cover, colour = _halo(cover, colour, drift, tile)
        # Columns and rows that the canvas shows, of the endless pattern.
        across = (np.arange(canvas.width) + canvas.left) % tile
        down = (np.arange(canvas.height) + canvas.top) % tile
        swing, pace = drift.sway * near * unit, float(dice.uniform(0.8, 1.2))
        layer = seal(
            canvas,
            colour[np.ix_(down, across)],
            cover[np.ix_(down, across)],
            look.noise(salt + 1),
            depth=depth,
            motion=lambda seconds: (
                (vx * seconds) % tile + swing * math.sin(seconds * pace * 1.6 + salt),
                (vy * seconds) % tile,
            ),
        )
        return replace(layer, fast=kind in {"rain", "snow"})

    return Piece(depth, paint, (period + 0.12, period + 0.04))


def _thing(
    pen: ImageDraw.ImageDraw,
    x: float,
    y: float,
    r: float,
    drift: Drift,
    fill: tuple[int, ...],
    turn: float,
    grow: int,
) -> None:
    if drift.long > 0:
        way = math.hypot(*drift.fall)
        dx, dy = (part / way * r * drift.long for part in drift.fall)
        pen.line((x, y, x + dx, y + dy), fill=fill, width=max(1, round(r * 1.6), grow - 1))
    elif drift.long < 0:
        c, s = math.cos(turn), math.sin(turn)
        points = [(1.0, 0.0), (0.3, 0.5), (-0.8, 0.35), (-1.0, 0.0), (-0.5, -0.45), (0.4, -0.4)]
        pen.polygon([(x + r * (c * u - s * v), y + r * (s * u + c * v)) for u, v in points], fill=fill)
    else:
        pen.ellipse((x - r, y - r, x + r, y + r), fill=fill)


def _halo(
    cover: np.typing.NDArray[np.float32], colour: np.typing.NDArray[np.float32], drift: Drift, tile: int
) -> tuple[np.typing.NDArray[np.float32], np.typing.NDArray[np.float32]]:
    """A glow around each light. Its pattern repeats too, so it is blurred as a ring."""
    spread = drift.size * tile * 1.1
    waves = np.hypot(*np.meshgrid(np.fft.rfftfreq(tile), np.fft.fftfreq(tile)))
    lens = np.exp(-2 * (math.pi * spread * waves) ** 2)

    def blur(plane: np.typing.NDArray[np.float32]) -> np.typing.NDArray[np.float32]:
        return np.asarray(np.fft.irfft2(np.fft.rfft2(plane) * lens, plane.shape), np.float32)

    glow = np.clip(blur(cover) * 1.3, 0, 1)
    tints = np.stack([blur(colour[..., band] * cover) for band in range(3)], axis=-1)
    tints = np.clip(tints / np.maximum(blur(cover)[..., None], 1e-4), 0, 1)
    total = np.maximum(cover, glow)
    share = (cover / np.maximum(total, 1e-4))[..., None]
    return total, (colour * share + tints * (1 - share)).astype(np.float32)


def fog(look: Look, salt: int, depth: float, middle: float, thick: float) -> Piece:
    """A bank of mist that drifts slowly."""
    way = 0.02 * look.seconds * (1 if salt % 2 else -1)

    def paint(canvas: Canvas) -> Layer:
        form = clouds(canvas, look.noise(salt), scale=(0.9, 0.16), octaves=4)
        level = np.exp(-(((canvas.y - middle) / 0.13) ** 2))
        cover = np.clip(level * (0.62 + 0.38 * form) * thick, 0, 0.92)
        tint = mix(look.haze, look.sky[2], 0.45) * (0.8 if look.dark else 1.0)
        return seal(
            canvas,
            tint.astype(np.float32),
            np.asarray(cover, np.float32),
            look.noise(salt + 1),
            depth=depth,
            motion=lambda seconds: (way / look.seconds * look.unit * seconds, 0.0),
        )

    return Piece(depth, paint, (way, 0.0))


def lightning(look: Look) -> Piece:
    """A far storm lights the clouds now and then: it swells and fades, and never flashes."""

    def paint(canvas: Canvas) -> Layer:
        dice = look.noise(31)
        at = (float(dice.uniform(-0.6, 0.6)), 0.3)
        away = np.hypot(canvas.x - at[0], (canvas.y - at[1]) * canvas.tall * 1.6)
        form = clouds(canvas, dice, scale=(0.5, 0.2), octaves=5)
        cover = (
            np.exp(-away * 2.6)
            * (0.7 + 0.3 * smooth(-1, 1, form))
            * smooth(look.horizon + 0.02, 0.4, canvas.y)
        )
        start = float(dice.uniform(0.6, 1.4))

        def strength(seconds: float) -> float:
            phase = (seconds - start) % 2.6
            return 0.55 * math.exp(-(((phase - 0.5) / 0.22) ** 2)) + 0.05

        return seal(
            canvas, rgb("#cfd8ff"), np.asarray(cover, np.float32), dice, depth=70.0, strength=strength
        )

    return Piece(70.0, paint)
