"""Painters of small things in the air, such as rain, snow, petals and sparks, and of fog and lightning."""

# ruff: noqa: PLR0917 - painters take many numbers, always as distance, position, size
from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from kling.sandbox.renderer.canvas import Canvas, Piece, cel, clouds, single_cel_layer, smooth
from kling.sandbox.renderer.layers import Floats, Layer
from kling.sandbox.renderer.look import Look, mix, rgb


@dataclass(frozen=True, slots=True)
class Drift:
    """Small things of one kind.

    Args:
        count: things in each square unit.
        size: their radius in units.
        fall: their speed in units a second, to the right and down.
        sway: how far they swing, in units.
        colours: one of these is chosen for each; an empty text stands for the colour of the light.
        cover: their opacity, 0 to 1.
        long: the length of a streak in sizes; 0: they are soft balls; -1: they are leaves.
        glows: whether each has a glow around it.
        hollow: whether they are bubbles.
    """

    count: float
    size: float
    fall: tuple[float, float]
    sway: float
    colours: tuple[str, ...]
    cover: float
    long: float = 0.0
    glows: bool = False
    hollow: bool = False


FIRE = ("#ff5a4a", "#ffd24a", "#5aa8ff", "#6aff9a", "#ff7ad8", "#fff0d0")
BURST = 48  # pictures in the animation of a firework
STEAM = 40  # pictures in the animation of steam
SPARE = 0.35  # a sheet is larger than the frame by so many units
KINDS = {
    "rain": Drift(70, 0.0016, (-0.10, 1.5), 0.0, ("",), 0.34, 34),
    "snow": Drift(60, 0.0050, (-0.03, 0.13), 0.020, ("#ffffff",), 0.85),
    "petals": Drift(14, 0.0080, (-0.07, 0.09), 0.025, ("#ffc4d6", "#ffdfe8", "#f79cba"), 0.9, -1),
    "leaves": Drift(9, 0.0110, (-0.07, 0.11), 0.030, ("#d9772b", "#c8452a", "#e8b13a"), 0.92, -1),
    "fireflies": Drift(12, 0.0105, (0.012, -0.012), 0.020, ("#f6ff9a", "#ffe88a"), 0.9, glows=True),
    "sparks": Drift(16, 0.0045, (0.03, -0.22), 0.020, ("#ffb347", "#ff7a2f", "#ffe08a"), 0.95, glows=True),
    "dust": Drift(22, 0.0040, (0.012, -0.010), 0.012, ("",), 0.35, glows=True),
    "bubbles": Drift(9, 0.0075, (0.0, -0.10), 0.012, ("#dffaff",), 0.45),
    "soap": Drift(5, 0.034, (0.03, -0.05), 0.030, ("#e8fbff", "#ffe4f8", "#e6e4ff"), 0.75, hollow=True),
    "rocks": Drift(2.6, 0.030, (-0.05, 0.012), 0.0, ("#7a7068", "#57504a", "#8f857a"), 1.0, -1),
    "lanterns": Drift(4, 0.028, (0.012, -0.035), 0.010, ("#ffb85a", "#ff9a3c", "#ffd08a"), 0.95, glows=True),
}


def flying(look: Look, kind: str, salt: int, depth: float) -> Piece:
    """One layer of small things: a sheet larger than the frame, which repeats without a seam."""
    drift = KINDS[kind]
    near = 3.0 / depth

    def paint(canvas: Canvas) -> Layer:
        unit, dice = canvas.unit, look.noise(salt)
        wide, high = (round((side / unit + SPARE) * unit / 2) * 2 for side in canvas.frame)
        grow = 2
        sheet = Image.new("RGBA", (wide * grow, high * grow))
        pen = ImageDraw.Draw(sheet, "RGBA")
        for _ in range(int(drift.count * wide * high / unit**2 * (1.3 if depth > 3 else 0.8))):
            x, y = float(dice.uniform(0, wide)), float(dice.uniform(0, high))
            r = max(0.55, drift.size * near * unit * float(dice.uniform(0.5, 1.15)))
            code = drift.colours[int(dice.integers(len(drift.colours)))]
            fill = (*_tint(look, kind, code), int(255 * drift.cover * float(dice.uniform(0.45, 1.0))))
            turn = float(dice.uniform(0, math.pi))
            far = r * max(2.0, drift.long + 2)
            for ox in _again(x, far, wide):
                for oy in _again(y, far, high):
                    _thing(pen, (x + ox) * grow, (y + oy) * grow, r * grow, drift, fill, turn, grow)
        paint_ = (np.asarray(sheet.reduce(grow)) / np.float32(255)).astype(np.float32)
        colour, cover = paint_[..., :3], paint_[..., 3]
        if drift.glows:
            cover, colour = _halo(cover, colour, drift.size * near * unit)
        # slightly larger than the sheet, because it is also placed between two pixels
        down, across = np.arange(high + 4) % high, np.arange(wide + 4) % wide
        board = Canvas(0, 0, wide + 4, high + 4, canvas.frame)
        part = np.ix_(down, across)
        vx, vy = (unit * v * near for v in drift.fall)
        swing, pace = drift.sway * near * unit, float(dice.uniform(0.8, 1.2))
        return Layer(
            cels=(cel(board, colour[part], cover[part], look.noise(salt + 1), whole=True),),
            depth=depth,
            motion=lambda seconds: (
                vx * seconds + swing * math.sin(seconds * pace * 1.6 + salt),
                vy * seconds,
            ),
            fast=kind in {"rain", "snow"},
            tile=(wide, high),
        )

    return Piece(depth, paint)


def _again(at: float, far: float, size: int) -> list[int]:
    """The offsets at which a thing is drawn again, because it crosses an edge of the repeating sheet."""
    return [0, *([size] if at < far else []), *([-size] if at > size - far else [])]


def _tint(look: Look, kind: str, code: str) -> tuple[int, int, int]:
    tint = rgb(code) if code else mix(look.light, look.haze, 0.3)
    if kind == "snow":
        tint = mix(tint, look.haze, 0.55 if look.dark else 0.15)
    if kind in {"petals", "leaves"}:
        tint = tint * (0.4 if look.dark else 0.95)
    red, green, blue = (int(255 * c) for c in np.clip(tint, 0, 1))
    return red, green, blue


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
    elif drift.hollow:
        *tint, cover = fill
        width = max(1, round(r * 0.12))
        pen.ellipse((x - r, y - r, x + r, y + r), fill=(*tint, cover // 6), outline=fill, width=width)
        # A highlight on the bubble.
        pen.ellipse((x - r * 0.6, y - r * 0.65, x - r * 0.2, y - r * 0.3), fill=fill)
    else:
        pen.ellipse((x - r, y - r, x + r, y + r), fill=fill)


def _halo(cover: Floats, colour: Floats, spread: float) -> tuple[Floats, Floats]:
    """A glow around each light. The sheet repeats, so the blur wraps around its edges."""
    rows, columns = cover.shape
    waves = np.hypot(*np.meshgrid(np.fft.rfftfreq(columns), np.fft.fftfreq(rows)))
    lens = np.exp(-2 * (math.pi * spread * 1.4 * waves) ** 2)

    def blur(plane: Floats) -> Floats:
        return np.asarray(np.fft.irfft2(np.fft.rfft2(plane) * lens, plane.shape), np.float32)

    soft = blur(cover)
    tints = np.stack([blur(colour[..., band] * cover) for band in range(3)], axis=-1)
    tints = np.clip(tints / np.maximum(soft[..., None], 1e-4), 0, 1)
    total = np.maximum(cover, np.clip(soft * 1.3, 0, 1))
    share = (cover / np.maximum(total, 1e-4))[..., None]
    return total, np.asarray(colour * share + tints * (1 - share), np.float32)


def fog(look: Look, salt: int, depth: float, middle: float, thick: float) -> Piece:
    """A bank of mist that drifts slowly."""
    way = 0.02 * look.seconds * (1 if salt % 2 else -1)

    def paint(canvas: Canvas) -> Layer:
        form = clouds(canvas, look.noise(salt), scale=(0.9, 0.16), octaves=4)
        level = np.exp(-(((canvas.y - middle) / 0.13) ** 2))
        cover = np.clip(level * (0.62 + 0.38 * form) * thick, 0, 0.92)
        tint = mix(look.haze, look.sky[2], 0.45) * (0.8 if look.dark else 1.0)
        return single_cel_layer(
            canvas,
            tint.astype(np.float32),
            cover,
            look.noise(salt + 1),
            depth=depth,
            motion=lambda seconds: (way / look.seconds * look.unit * seconds, 0.0),
        )

    return Piece(depth, paint, (way, 0.0))


def steam(look: Look, salt: int, depth: float, at: tuple[float, float], size: float) -> Piece:
    """Wisps that rise from something hot, beginning at `at`."""

    def paint(canvas: Canvas) -> Layer:
        unit, high, wide = canvas.unit, size * 0.9, size * 0.5
        left = int((at[0] - wide) * unit + canvas.frame[0] / 2) // 2 * 2
        top = int(at[1] * canvas.frame[1] - high * unit) // 2 * 2
        board = Canvas(left, top, int(2 * wide * unit) // 2 * 2, int(high * unit) // 2 * 2, canvas.frame)
        up = np.clip((at[1] - board.y) * board.tall / high, 0, 1)
        cels = []
        for step in range(STEAM):
            phase, cover = 2 * math.pi * step / STEAM, np.zeros((board.height, board.width), np.float32)
            for wisp in range(3):
                bend = np.sin(up * (5 + wisp) - phase + 2.1 * wisp) * (0.02 + 0.10 * up)
                line = at[0] + size * (0.13 * (wisp - 1) + bend)
                thick = size * (0.018 + 0.085 * up)
                fade = smooth(0.0, 0.12, up) * (1 - up) ** 1.4
                cover += np.exp(-(((board.x - line) / thick) ** 2)) * fade * (0.5 - 0.1 * wisp)
            cels.append(
                cel(board, np.full(3, 0.96, np.float32), np.clip(cover * 0.62, 0, 0.8), look.noise(salt))
            )
        return Layer(cels=tuple(cels), depth=depth, rate=STEAM / 2.6)

    return Piece(depth, paint)


def firework(look: Look, salt: int) -> Piece:
    """One firework that bursts again and again: its sparks fly apart, sink and fade."""
    dice = look.noise(salt)
    half = look.frame[0] / look.unit / 2
    at = (float(dice.uniform(-0.8, 0.8)) * half, float(dice.uniform(0.16, 0.40)))
    size, start = float(dice.uniform(0.16, 0.28)), float(dice.uniform(0, 1))
    colour = rgb(FIRE[int(dice.integers(len(FIRE)))])
    ways = dice.normal(0, 1, (110, 3))
    ways = ways / np.linalg.norm(ways, axis=1, keepdims=True) * dice.uniform(0.75, 1.0, (110, 1))

    def paint(canvas: Canvas) -> Layer:
        side = math.ceil(size * 1.35 * canvas.unit / 2) * 2
        left = int(at[0] * canvas.unit + canvas.frame[0] / 2) // 2 * 2 - side
        top = int(at[1] * canvas.frame[1]) // 2 * 2 - side
        board = Canvas(left, top, 2 * side, 2 * side, canvas.frame)
        cels = []
        for step in range(BURST):
            time = (step / BURST + start) % 1
            sheet = Image.new("L", (2 * side, 2 * side))
            pen = ImageDraw.Draw(sheet)
            # The tail of a spark first, then the spark.
            for late, light in ((0.06, 0.35), (0.03, 0.6), (0.0, 1.0)):
                then = max(0.0, time - late)
                reach = size * canvas.unit * (1 - math.exp(-then * 4.5))
                r = max(0.7, canvas.unit * 0.0042 * (1.2 - time))
                bright = int(255 * light * max(0.0, 1 - time * 1.25))
                for x, y in ways[:, :2] * reach + (side, side + 0.16 * size * canvas.unit * then**2 * 3):
                    pen.ellipse((x - r, y - r, x + r, y + r), fill=bright)
            soft = sheet.filter(ImageFilter.GaussianBlur(canvas.unit * 0.006))
            cover = np.maximum(np.asarray(sheet, np.float32), np.asarray(soft, np.float32) * 0.9) / 255
            hot = mix(colour, np.ones(3, np.float32), max(0.0, 0.7 - 2 * time))
            cels.append(cel(board, hot, cover, look.noise(salt)))
        return Layer(cels=tuple(cels), depth=55.0, rate=BURST / 2.4)

    return Piece(55.0, paint)


def lightning(look: Look) -> Piece:
    """Far lightning behind clouds. It swells and fades slowly: a flashing picture is unpleasant to watch."""

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

        return single_cel_layer(canvas, rgb("#cfd8ff"), cover, dice, depth=70.0, strength=strength)

    return Piece(70.0, paint)
