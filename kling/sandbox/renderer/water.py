"""Painters of water: a mirroring surface, glitter, waves, waterfalls, and the sea from below."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from kling.sandbox.renderer.canvas import (
    BASE,
    TO_YUV,
    Canvas,
    Piece,
    cel,
    clouds,
    gradient,
    ridge,
    single_cel_layer,
    smooth,
)
from kling.sandbox.renderer.land import number
from kling.sandbox.renderer.layers import Floats, Layer, Mirror
from kling.sandbox.renderer.look import Look, mix, rgb


def mirror(look: Look, top: float, depth: float, *, calm: float) -> Piece:
    """Water below a line. With `calm` 1 it mirrors clearly, with 0 hardly."""
    tint = TO_YUV @ (look.water * 0.8) + BASE
    reflected = (0.55 + 0.35 * calm, 0.22 + 0.42 * calm)

    def paint(canvas: Canvas) -> Mirror:
        return Mirror(
            top=top * canvas.frame[1],
            depth=depth,
            tint=(float(tint[0]), float(tint[1]), float(tint[2])),
            reflected=reflected,
            ripple=canvas.unit * (0.028 - 0.018 * calm),
        )

    return Piece(depth, paint)


def glitter(look: Look, salt: int, depth: float, top: float, amount: float) -> Piece:
    """Short bright dashes, dense below the sun. Two such layers that slide against each other sparkle."""
    way = 0.02 * look.seconds * (1 if salt % 2 else -1)

    def paint(canvas: Canvas) -> Layer:
        x, down = canvas.x, (canvas.y - top) * canvas.tall
        fine = clouds(canvas, look.noise(salt), scale=(0.10, 0.012), octaves=4)
        under = np.exp(-(((x - look.sun[0]) / (0.07 + 0.55 * np.clip(down, 0, 2))) ** 2))
        cover = smooth(0.55, 1.0, fine + 0.35 * under) * smooth(0.0, 0.02, down)
        strength = amount * (0.14 + 0.86 * under) * (1 - 0.7 * look.gloom)
        start = float(salt)
        return single_cel_layer(
            canvas,
            mix(look.light, look.sky[2], 0.15),
            np.asarray(np.clip(cover * strength, 0, 0.9), np.float32),
            look.noise(salt + 1),
            depth=depth,
            motion=lambda seconds: (way / look.seconds * look.unit * seconds, 0.0),
            strength=lambda seconds: 0.74 + 0.24 * math.sin(seconds * 1.7 + start * 2),
        )

    return Piece(depth, paint, (way, 0.0))


def wave(look: Look, salt: int, depth: float, base: float, height: float) -> Piece:
    """One long wave with foam on its crest, which rises and falls and moves sideways."""
    run = (0.05 + 0.10 / depth) * (1 if salt % 2 else -1)

    def paint(canvas: Canvas) -> Layer:
        x, y = canvas.x, canvas.y
        number = look.seed % 9999 + salt
        form = ridge(x, number, scale=0.34 + 0.5 / depth, octaves=4, rough=0.36)
        crest = base - height * (0.5 + 0.5 * form) / canvas.tall
        down = (y - crest) * canvas.tall
        deep = mix(look.water, look.haze, min(0.55, depth / 18))
        shine = mix(look.water, look.sky[2], 0.55)
        tints = gradient(
            [(0.0, tuple(shine)), (0.06, tuple(mix(deep, shine, 0.35))), (0.30, tuple(deep * 0.8))], down
        )
        fine = clouds(canvas, look.noise(salt), scale=(0.22, 0.03), octaves=5)
        tints = tints * (1 + 0.09 * fine)[..., None]
        foam = smooth(0.016, 0.0, np.abs(down - 0.006)) * smooth(0.0, 0.7, form) * smooth(-0.6, 0.9, fine)
        under = np.exp(-(((x - look.sun[0]) / 0.35) ** 2)) * smooth(0.7, 1.4, fine) * 0.5 * (1 - look.gloom)
        white = mix(look.light, look.sky[2], 0.35)
        tints = tints + (white - tints) * np.clip(foam * 0.75 + under, 0, 1)[..., None]
        cover = np.clip((y - crest) * canvas.frame[1] / 2 + 0.5, 0, 1)
        lift, phase = height * 0.22 * canvas.unit, salt * 1.7
        return single_cel_layer(
            canvas,
            tints,
            cover,
            look.noise(salt + 1),
            depth=depth,
            motion=lambda seconds: (
                run * look.unit * seconds,
                lift * math.sin(seconds * 1.25 + phase),
            ),
        )

    return Piece(depth, paint, (run * look.seconds, 0.03))


def falls(look: Look, salt: int, depth: float, box: tuple[float, float, float, float]) -> Piece:
    """Falling water: streaks that move down endlessly. `box` is its middle, top, foot and half its width."""
    middle, top, foot, half = box
    period, speed = 0.40, 0.52  # units after which it repeats; units a second

    def paint(canvas: Canvas) -> Layer:
        unit, high = canvas.unit, canvas.frame[1]
        left = int((middle - half * 1.7) * unit + canvas.frame[0] / 2) // 2 * 2
        board = Canvas(left, int(top * high) // 2 * 2, int(half * 3.4 * unit) // 2 * 2, 0, canvas.frame)
        board = replace(board, height=int((foot - top) * high) // 2 * 2 + 2)
        rows = max(8, round(period * unit))
        streak = _streaks(look.noise(salt), rows, board.width, unit)
        down = np.clip((board.y - top) / (foot - top), 0, 1)
        edge = 1 + 0.10 * ridge(board.y * board.tall, number(look, salt), scale=0.10, octaves=3) + 0.22 * down
        side = np.abs(board.x - middle) / half / edge
        light = mix(look.light, rgb("#ffffff"), 0.4) * {"night": 0.45, "dusk": 0.86}.get(look.scene.time, 1.0)
        cold = mix(look.sky[1], look.water, 0.4)
        cels = []
        count = round(period / speed * 24)
        for step in range(count):
            fine = streak[(np.arange(board.height) - round(rows * step / count)) % rows]
            cover = smooth(1.0, 0.72, side + 0.12 * fine) * (0.80 + 0.20 * fine) * smooth(0.0, 0.02, down)
            bright = np.clip(0.50 + 0.42 * fine + 0.25 * down + 0.25 * smooth(0.05, 0.0, down), 0, 1)
            cels.append(cel(board, cold + (light - cold) * bright[..., None], cover, look.noise(salt + 1)))
        return Layer(cels=tuple(cels), depth=depth, rate=count * speed / period)

    return Piece(depth, paint)


def _streaks(dice: np.random.Generator, rows: int, columns: int, unit: float) -> Floats:
    """Noise in long thin streaks, -1..1, that can repeat: its last row fits its first one."""
    across, down = np.meshgrid(np.fft.rfftfreq(columns), np.fft.fftfreq(rows))
    total = np.zeros((rows, columns))
    for wide, long, share in ((0.016, 0.11, 1.0), (0.006, 0.05, 0.6)):
        lens = np.exp(-2 * math.pi**2 * unit**2 * ((wide * across) ** 2 + (long * down) ** 2))
        rough = np.fft.irfft2(np.fft.rfft2(dice.normal(0, 1, (rows, columns))) * lens, (rows, columns))
        total += share * rough / rough.std()
    return np.clip(total / 2.2, -1, 1).astype(np.float32)


def below(look: Look) -> Piece:
    """The sea from below the surface: bright above, dark below."""

    def paint(canvas: Canvas) -> Layer:
        x, y = canvas.x, canvas.y
        tints = gradient(
            [(-0.1, tuple(look.sky[0])), (0.35, tuple(look.sky[1])), (0.95, tuple(look.sky[2]))], y
        )
        glow = np.exp(-np.hypot(x - look.sun[0], (y + 0.1) * canvas.tall) * 2.0) * 0.75
        tints = tints + (look.light - tints) * glow[..., None]
        return single_cel_layer(canvas, tints, None, look.noise(5), depth=math.inf)

    return Piece(math.inf, paint)
