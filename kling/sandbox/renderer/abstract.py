"""Painters of abstract pictures: flowing silk, ink, smoke and floating shapes."""

from __future__ import annotations

import math

import numpy as np

from kling.sandbox.renderer.canvas import (
    Canvas,
    Piece,
    cel,
    clouds,
    gradient,
    ridge,
    single_cel_layer,
    smooth,
)
from kling.sandbox.renderer.layers import Floats, Layer
from kling.sandbox.renderer.look import Look, mix, rgb

# Sets of matching colours, dark to bright. The first two colours of a set are the background.
INKS = (
    ("#160a2c", "#3a1650", "#7a2a86", "#d8437e", "#ff8a5c", "#ffd28a"),
    ("#04182c", "#0a3a5c", "#10708f", "#2fb3b0", "#8fe0c8", "#f4f6d8"),
    ("#0c0a24", "#241a5e", "#4a38c0", "#9a54e8", "#f06ad0", "#ffc4e8"),
    ("#20120c", "#5a2a1c", "#a84a2a", "#e8823a", "#f6c45c", "#fff0c8"),
    ("#0a1c16", "#14463a", "#2f8560", "#8fc46a", "#e6dc7a", "#fff6d8"),
)
PASTEL = ("#e8e4f0", "#f6ece4", "#b8cce8", "#f0b8bc", "#f4d8a4", "#b4dcc8")


def inks(look: Look) -> list[Floats]:
    """The set of colours of a picture: the named ones if the prompt names any."""
    if look.scene.tint == "#ee8fb4" or (look.scene.form == "shapes" and look.scene.mood != "dark"):
        return [rgb(code) for code in PASTEL]
    named = [rgb(code) for code in look.scene.inks]
    if named:  # shades of them, dark to bright
        white, shades = np.ones(3, np.float32), (0.16, 0.34, 0.85, 1.0)
        found = [named[i % len(named)] * share for i, share in enumerate(shades)]
        return [*found, *(mix(named[i % len(named)], white, 0.18 + 0.22 / len(named)) for i in (0, 1))]
    return [rgb(code) for code in INKS[look.scene.digest % len(INKS)]]


def backdrop(look: Look) -> Piece:
    """A soft gradient with slow clouds of colour."""

    def paint(canvas: Canvas) -> Layer:
        colours = inks(look)
        if look.scene.form == "ink":
            colours = [rgb(code) for code in ("#f4f5f4", "#e2e8ec", "#cbd6de")]
        form = clouds(canvas, look.noise(2), scale=(1.2, 0.8), octaves=3)
        tints = gradient(
            [
                (-0.2, tuple(colours[0])),
                (0.6, tuple(colours[1])),
                (1.3, tuple(mix(colours[1], colours[2], 0.5))),
            ],
            canvas.y + 0.16 * form,
        )
        return single_cel_layer(canvas, tints, None, look.noise(3), depth=math.inf)

    return Piece(math.inf, paint)


def silk(look: Look, salt: int, depth: float) -> Piece:
    """One fold of silk, bright along its upper edge, more transparent below. Folds slide over each other."""
    dice = look.noise(salt)
    middle, wide = float(dice.uniform(-0.10, 0.90)), float(dice.uniform(0.10, 0.30))
    waves = [(float(dice.uniform(0.9, 3.6)), float(dice.uniform(0, 6))) for _ in range(3)]
    slant = float(dice.uniform(-0.30, 0.30))
    which, sway = int(dice.integers(2, 6)), float(dice.uniform(0.10, 0.20)) * (1 if salt % 2 else -1)
    pace, start = float(dice.uniform(0.45, 0.8)), float(dice.uniform(0, 6))

    def paint(canvas: Canvas) -> Layer:
        x, colours = canvas.x, inks(look)
        line = sum(0.15 / (1 + i) * np.sin(x * often + begin) for i, (often, begin) in enumerate(waves))
        line = middle + slant * x + line + 0.03 * ridge(x, look.seed % 9999 + salt, scale=0.8, octaves=2)
        down = (canvas.y - line) * canvas.tall / wide
        fine = clouds(canvas, look.noise(salt + 1), scale=(1.0, 0.10), octaves=4)
        own, light = colours[which], colours[min(5, which + 1)]
        shade = np.exp(-np.clip(down, 0, 9) * 3.2)
        tints = (
            mix(own, colours[1], 0.45) + (own - mix(own, colours[1], 0.45)) * np.exp(-down * down)[..., None]
        )
        tints = tints + (light - tints) * (shade * (0.75 + 0.25 * fine))[..., None]
        cover = smooth(0.0, 0.03, down) * np.exp(-np.clip(down, 0, 9) * 1.7) * (0.94 + 0.06 * fine)
        return single_cel_layer(
            canvas,
            tints,
            np.clip(cover, 0, 0.97),
            look.noise(salt + 2),
            depth=depth,
            motion=lambda seconds: (
                sway * look.unit * (1 + math.sin(seconds * pace + start)),
                0.05 * look.unit * (1 + math.sin(seconds * pace * 1.3 + start * 2)),
            ),
        )

    return Piece(depth, paint, (2 * sway, 0.1))


def plume(look: Look, salt: int, depth: float, which: int) -> Piece:
    """One cloud of ink in water, or of smoke: dense inside, frayed at the edge."""
    dice = look.noise(salt)
    half = look.frame[0] / look.unit / 2
    at = (float(dice.uniform(-0.7, 0.7)) * half, float(dice.uniform(0.15, 0.75)))
    radius = float(dice.uniform(0.34, 0.62))
    pace, start = float(dice.uniform(0.3, 0.6)), float(dice.uniform(0, 6))
    way = (float(dice.uniform(-0.05, 0.05)), float(dice.uniform(0.03, 0.07)))

    def paint(canvas: Canvas) -> Layer:
        colour = inks(look)[which]
        form = clouds(canvas, look.noise(salt + 1), scale=(0.5, 0.6), octaves=6)
        fine = clouds(canvas, look.noise(salt + 2), scale=(0.22, 0.30), octaves=5)
        away = np.hypot(canvas.x - at[0], (canvas.y - at[1]) * canvas.tall) / radius + 0.42 * form
        folds = smooth(-0.9, 1.0, fine + 0.6 * form)
        cover = smooth(1.15, 0.25, away) * (0.45 + 0.5 * folds)
        tints = colour * (0.55 + 0.6 * folds)[..., None]
        tints = tints + (1 - tints) * (smooth(0.75, 1.0, folds) * 0.18)[..., None]
        return single_cel_layer(
            canvas,
            np.clip(tints, 0, 1),
            np.clip(cover, 0, 0.95),
            look.noise(salt + 3),
            depth=depth,
            motion=lambda seconds: (
                look.unit * (way[0] * (seconds - look.seconds / 2) + 0.02 * math.sin(seconds * pace + start)),
                look.unit * way[1] * (seconds - look.seconds / 2),
            ),
        )

    return Piece(depth, paint, (0.3, 0.4))


def shape(look: Look, salt: int, depth: float) -> Piece:
    """A ball, a ring, a block or a triangle with soft light on it, that floats and turns."""
    dice = look.noise(salt)
    half = look.frame[0] / look.unit / 2
    at = (float(dice.uniform(-0.85, 0.85)) * half, float(dice.uniform(0.14, 0.86)))
    size, kind = float(dice.uniform(0.07, 0.17)) * 4.5 / depth, salt % 4
    which, begin, pace = int(dice.integers(2, 6)), float(dice.uniform(0, 6)), float(dice.uniform(0.5, 0.9))

    def paint(canvas: Canvas) -> Layer:
        side = math.ceil(size * canvas.unit * 1.5 / 2) * 2
        left = int((at[0] * canvas.unit + canvas.frame[0] / 2) // 2 * 2 - side)
        top = int(at[1] * canvas.frame[1] // 2 * 2 - side)
        board = Canvas(left, top, 2 * side, 2 * side, canvas.frame)
        u, v = (board.x - at[0]) / size, (board.y - at[1]) * board.tall / size
        steps = 1 if kind in {0, 1} else 48
        colour = inks(look)[which]
        cels = []
        for step in range(steps):
            turn = math.pi * 2 * step / steps / (3 if kind == 3 else 4) + begin
            p, q = u * math.cos(turn) - v * math.sin(turn), u * math.sin(turn) + v * math.cos(turn)
            away = _distance(kind, p, q)
            cover = smooth(1.2 / (size * board.unit), -1.2 / (size * board.unit), away)
            lit = np.clip(0.5 - 0.5 * (u * (-1 if look.sun[0] < 0 else 1) * -1 + v) / 1.2, 0, 1)
            tints = mix(colour, colour * 0.55, 0.0) * (0.62 + 0.5 * lit)[..., None]
            tints = (
                tints + (1 - tints) * (np.exp(-(((u + 0.35) ** 2 + (v + 0.4) ** 2) * 5)) * 0.35)[..., None]
            )
            cels.append(cel(board, np.clip(tints, 0, 1), cover, look.noise(salt + 1)))
        return Layer(
            cels=tuple(cels),
            depth=depth,
            rate=len(cels) / 9.0,
            motion=lambda seconds: (
                0.05 * look.unit * math.sin(seconds * pace * 0.7 + begin),
                0.06 * look.unit * math.sin(seconds * pace + begin * 2),
            ),
        )

    return Piece(depth, paint)


def _distance(kind: int, p: Floats, q: Floats) -> Floats:
    """The distance of points from the edge of a shape; negative inside of it."""
    if kind == 0:
        return np.asarray(np.hypot(p, q) - 0.9)
    if kind == 1:
        return np.asarray(np.abs(np.hypot(p, q) - 0.72) - 0.2)
    if kind == 2:
        return np.asarray(np.maximum(np.abs(p), np.abs(q)) - 0.72)
    slant = np.abs(0.866 * p) - 0.5 * q
    return np.asarray(np.maximum(q, slant) - 0.5)
