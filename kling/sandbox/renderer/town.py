"""Painters of skylines, of rooms, and of artificial light."""

# ruff: noqa: PLR0917 - painters take many numbers, always as distance, position, size
from __future__ import annotations

import math

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from kling.sandbox.renderer.canvas import Canvas, Piece, clouds, ridge, single_cel_layer, smooth
from kling.sandbox.renderer.land import tone
from kling.sandbox.renderer.layers import Floats, Layer
from kling.sandbox.renderer.look import Look, mix, rgb

WARM = ("#ffd58a", "#ffe3ae", "#ffc46b", "#fff0cf")
NEON = ("#ff3fa4", "#2fe6ff", "#b45cff", "#ffd23f", "#3fffb0")


def skyline(  # noqa: C901 - one loop over houses
    look: Look, salt: int, depth: float, base: float, height: float, *, neon: bool = False
) -> Piece:
    """A row of buildings. Their windows are lit at night, and a neon city has glowing signs."""

    def paint(canvas: Canvas) -> Layer:
        unit, dice = canvas.unit, look.noise(salt)
        size = (canvas.width, canvas.height)
        foot = base * canvas.frame[1] - canvas.top
        shape, lamps = Image.new("L", size), Image.new("RGB", size)
        pen, lamp = ImageDraw.Draw(shape), ImageDraw.Draw(lamps)
        lit = 0.42 if look.dark else 0.26 if look.scene.time == "dusk" else 0.0
        glass = mix(look.sky[1], look.light, 0.3)
        x = float(dice.uniform(-0.1, 0)) * unit
        while x < canvas.width:
            wide = unit * height * float(dice.uniform(0.16, 0.34))
            tall = unit * height * float(dice.uniform(0.35, 1.0)) * (1.25 if dice.random() < 0.15 else 0.85)
            top = foot - tall
            pen.rectangle((x, top, x + wide, canvas.height), fill=255)
            if dice.random() < 0.45:  # a smaller storey on top, or a mast
                pen.rectangle((x + wide * 0.2, top - tall * 0.06, x + wide * 0.8, top), fill=255)
            if dice.random() < 0.25:
                pen.line(
                    (x + wide / 2, top - tall * 0.22, x + wide / 2, top),
                    fill=255,
                    width=max(1, int(unit * 0.003)),
                )
            step = max(3.0, unit * 0.034 * min(1.0, 4.0 / depth))
            for row in np.arange(top + step, min(foot + unit * 0.3, canvas.height), step * 1.25):
                for column in np.arange(x + step * 0.6, x + wide - step * 0.8, step):
                    if lit and dice.random() < lit:
                        fill = rgb((NEON if neon and dice.random() < 0.3 else WARM)[int(dice.integers(4))])
                        fill = fill * float(dice.uniform(0.45, 1.0))
                    elif not lit and dice.random() < 0.75:
                        fill = glass * float(dice.uniform(0.5, 0.8))
                    else:
                        continue
                    lamp.rectangle(
                        (column, row, column + step * 0.5, row + step * 0.62),
                        fill=tuple(int(255 * c) for c in fill),
                    )
            if neon and dice.random() < 0.75 and depth < 9:
                code = rgb(NEON[int(dice.integers(len(NEON)))])
                sx, sy = x + wide * float(dice.uniform(0.1, 0.6)), top + tall * float(dice.uniform(0.2, 0.6))
                sw, sh = unit * height * 0.05, unit * height * float(dice.uniform(0.14, 0.3))
                box = (sx, sy, sx + sw, sy + sh) if dice.random() < 0.6 else (sx, sy, sx + sh * 0.8, sy + sw)
                lamp.rectangle(
                    box, outline=tuple(int(255 * c) for c in code), width=max(2, int(unit * 0.005))
                )
            x += wide * float(dice.uniform(0.95, 1.25))
        cover = np.asarray(shape, np.float32) / 255
        light = np.asarray(lamps, np.float32) / 255
        blur = unit * 0.012
        halo = np.asarray(lamps.filter(ImageFilter.GaussianBlur(blur)), np.float32) / 255
        wall = tone(
            look,
            depth * 0.62,
            None if look.dark else mix(look.land, mix(look.sky[0], rgb("#6b6f7c"), 0.6), 0.7),
        )
        down = smooth(base - height / canvas.tall, base, canvas.y)[..., None]
        tints = wall + (look.haze - wall) * (down * min(0.5, depth / 22))
        fade = max(0.35, 1 - depth / 26)
        shown = light * fade * (1.0 if lit else 0.35)
        tints = tints * (1 - np.clip(light.max(axis=2, keepdims=True) * (1 if lit else 0.35), 0, 1)) + shown
        if lit:
            tints = tints + halo * (1.2 if neon else 0.6) * fade
        return single_cel_layer(canvas, tints, cover, look.noise(salt + 1), depth=depth)

    return Piece(depth, paint)


def glow(
    look: Look, salt: int, depth: float, at: tuple[float, float], size: float, code: str, power: float
) -> Piece:
    """A soft light around a point that flickers slightly."""

    def paint(canvas: Canvas) -> Layer:
        away = np.hypot(canvas.x - at[0], (canvas.y - at[1]) * canvas.tall)
        cover = np.exp(-((away / size) ** 1.4)) * power
        return single_cel_layer(
            canvas,
            rgb(code),
            cover,
            look.noise(salt),
            depth=depth,
            strength=lambda seconds: (
                0.9 + 0.07 * math.sin(seconds * 2.3 + salt) + 0.03 * math.sin(seconds * 5.1)
            ),
        )

    return Piece(depth, paint)


def bokeh(look: Look, salt: int, depth: float, codes: tuple[str, ...]) -> Piece:
    """Blurred lights."""

    def paint(canvas: Canvas) -> Layer:
        dice, unit = look.noise(salt), canvas.unit
        paint_ = np.zeros((canvas.height, canvas.width, 3), np.float32)
        total = np.full((canvas.height, canvas.width), 1e-4, np.float32)
        for _ in range(int(26 * canvas.width / unit)):
            x = float(dice.uniform(0, canvas.width))
            y = float(dice.uniform(0.05, 0.58)) * canvas.frame[1] - canvas.top
            r = unit * float(dice.uniform(0.02, 0.065))
            x0, y0 = max(0, int(x - r - 3)), max(0, int(y - r - 3))
            rows, columns = np.mgrid[
                y0 : min(canvas.height, int(y + r + 3)), x0 : min(canvas.width, int(x + r + 3))
            ]
            if rows.size == 0:
                continue
            away = np.hypot(columns - x, rows - y) / r
            disc = smooth(1.02, 0.94, away) * (0.6 + 0.4 * away**3) * float(dice.uniform(0.15, 0.5))
            part = np.s_[rows[0, 0] : rows[-1, 0] + 1, columns[0, 0] : columns[0, -1] + 1]
            paint_[part] += rgb(codes[int(dice.integers(len(codes)))]) * disc[..., None]
            total[part] += disc
        return single_cel_layer(
            canvas, np.clip(paint_ / total[..., None], 0, 1), np.clip(total, 0, 0.85), dice, depth=depth
        )

    return Piece(depth, paint)


def wall(look: Look, colour: Floats, depth: float, window: tuple[float, float, float, float] | None) -> Piece:
    """The wall of a room; `window` (left, top, right, bottom) is a hole in it."""

    def paint(canvas: Canvas) -> Layer:
        x, y = canvas.x, canvas.y
        away = np.hypot(x - (look.sun[0] * 0.4), (y - 0.35) * canvas.tall)
        plaster = clouds(canvas, look.noise(9), scale=(0.4, 0.4), octaves=5) * 0.03
        tints = colour * (1.12 - 0.40 * smooth(0.1, 1.3, away) + plaster)[..., None]
        panel = (
            smooth(0.008, 0.0, np.abs(np.mod(x + 0.3, 0.42) - 0.21) - 0.004) * smooth(0.60, 0.62, y) * 0.10
        )
        tints = tints * (1 - panel)[..., None]
        cover = np.ones_like(tints[..., 0])
        if window:
            left, top, right, bottom = window
            pane = np.minimum(np.minimum(x - left, right - x), np.minimum(y - top, bottom - y) * canvas.tall)
            frame = smooth(-0.035, -0.031, pane)[..., None]
            wood = mix(rgb("#e8ddcc"), colour, 0.25) * (0.35 if look.dark else 0.95)
            tints = tints + (wood - tints) * frame
            middle = np.minimum(np.abs(x - (left + right) / 2), np.abs(y - (top + bottom) / 2) * canvas.tall)
            bar = smooth(0.010, 0.007, middle)
            cover = 1 - smooth(0.0, 0.003, pane) * (1 - bar)
        return single_cel_layer(canvas, tints, cover, look.noise(10), depth=depth)

    return Piece(depth, paint)


def board(look: Look, colour: Floats, depth: float, top: float) -> Piece:
    """A table or a floor: wood with a soft reflection of the light."""

    def paint(canvas: Canvas) -> Layer:
        x, y = canvas.x, canvas.y
        down = (y - top) * canvas.tall
        fibre = clouds(canvas, look.noise(14), scale=(1.2, 0.02), octaves=5) * 0.10
        planks = smooth(0.004, 0.0, np.abs(np.mod(x / (0.35 + np.clip(down, 0, 2)) + 9, 0.5) - 0.25)) * 0.2
        gloss = np.exp(-(((x - look.sun[0] * 0.5) / 0.5) ** 2)) * np.exp(-np.clip(down, 0, 3) * 5) * 0.45
        tints = colour * (1 + fibre - planks - 0.35 * smooth(0, 0.5, down))[..., None]
        tints = tints + (mix(look.light, colour, 0.3) - tints) * gloss[..., None]
        lip = smooth(0.016, 0.012, down)[..., None]  # the front edge is brighter
        tints = tints + (np.clip(colour * 1.35, 0, 1) - tints) * lip * 0.6
        cover = np.broadcast_to(np.clip(down * canvas.unit + 0.5, 0, 1), (canvas.height, canvas.width))
        return single_cel_layer(canvas, tints, cover, look.noise(15), depth=depth)

    return Piece(depth, paint)


def floor(look: Look, colour: Floats, depth: float, top: float) -> Piece:
    """A smooth floor that continues into the wall behind it."""

    def paint(canvas: Canvas) -> Layer:
        down = (canvas.y - top) * canvas.tall
        grain = 0.02 * clouds(canvas, look.noise(16), scale=(0.7, 0.2), octaves=4)
        tints = colour * (1.04 + grain - 0.22 * smooth(0.02, 0.34, down))[..., None]
        cover = np.broadcast_to(smooth(-0.10, 0.06, down), (canvas.height, canvas.width))
        return single_cel_layer(canvas, tints, cover, look.noise(17), depth=depth)

    return Piece(depth, paint)


def hole(look: Look, depth: float, kind: str) -> Piece:
    """A dark frame around an opening: the mouth of a cave, or the curtains of a stage."""

    def paint(canvas: Canvas) -> Layer:
        x, y = canvas.x, (canvas.y - 0.5) * canvas.tall
        angle = np.arctan2(y, x)
        turn = np.stack([np.cos(angle), np.sin(angle)])  # noise over these two has no seam around the opening
        rough = 0.16 * ridge(turn[0] * 2, look.seed % 997, scale=0.7, octaves=6, rough=0.6)
        rough = rough + 0.16 * ridge(turn[1] * 2 + 9, look.seed % 997, scale=0.7, octaves=6, rough=0.6)
        half = canvas.frame[0] / canvas.unit / 2
        if kind == "stage":
            fold = np.sin(x * 34 + np.sin(y * 2)) * 0.5 + 0.5
            cover = smooth(half * 0.62, half * 0.66, np.abs(x) + 0.02 * np.sin(y * 9))
            tints = mix(rgb("#7a1722"), look.land, 0.1) * (0.25 + 0.75 * fold)[..., None]
        else:
            away = np.hypot(x / (half * 0.78), y / 0.47) + rough
            cover = smooth(0.96, 1.0, away)
            rock = clouds(canvas, look.noise(61), scale=(0.14, 0.14), octaves=5)
            rim = np.exp(-np.clip(away - 0.96, 0, 9) * 9)
            tints = mix(rgb("#16131a"), look.haze, 0.06) * (1 + 0.4 * rock)[..., None]
            tints = tints + (look.light * 0.6 - tints) * (rim * 0.35 * smooth(-0.4, 1, rock))[..., None]
        return single_cel_layer(canvas, tints, cover, look.noise(62), depth=depth)

    return Piece(depth, paint)
