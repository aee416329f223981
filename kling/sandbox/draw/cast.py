"""Who is in a scene: places and moves the figures that the prompt names."""

from __future__ import annotations

import math

import numpy as np

from kling.sandbox.draw.canvas import Canvas, Piece
from kling.sandbox.draw.figures import figures, paint
from kling.sandbox.draw.layers import Layer
from kling.sandbox.draw.look import Look

WATER = {"lake", "sea", "river"}
CELS = 16
SMALL = {"dog", "cat", "fox", "wolf", "rabbit", "butterfly", "swan", "penguin", "flower", "cup", "book"}
PEOPLE = {"person", "woman", "child", "couple", "umbrella", "bicycle"}


def subject(seen: Look, name: str, colour: str, number: int) -> list[Piece]:
    """The pieces of one subject, where its kind belongs; a flock is many."""
    figure = figures()[name]
    dice = seen.noise(200 + number)
    foot, depth, size = _spot(seen, name, dice)
    if SMALL & {name} and PEOPLE & {other for other, _ in seen.scene.subjects}:
        size *= 0.5  # alone they may fill the frame; beside a person they keep their measure
    half = seen.frame[0] / seen.unit / 2
    x = (0.0, -0.42, 0.40)[number] * half + float(dice.uniform(-0.12, 0.12)) * half
    # Others of a group: where they stand from the first, how large and in what colour.
    group: list[tuple[float, float, float, str]] = [(0.0, 0.0, 1.0, colour)]
    if name == "couple":
        group = [(-0.16, 0.0, 1.0, colour), (0.17, 0.0, 0.93, "#9a4a58")]
    elif name == "balloon":
        group += [(-1.5, 0.25, 0.42, "#3f7fb8"), (1.3, -0.7, 0.55, "#e0b13a")]
    else:
        for _ in range(int(figure.get("flock", 1)) - 1):
            across, up = float(dice.normal(0, 2.4)), float(dice.normal(0, 1.1))
            flat = 0.05 if figure["way"] == "stand" else 1.0
            group.append((across, up * flat, float(dice.uniform(0.7, 1.1)), colour))
    return [
        put(
            seen,
            name,
            code,
            210 + 10 * number + one,
            at=(x + dx * size, foot + dy * size * seen.unit / seen.frame[1]),
            size=size * near,
            depth=depth + 0.01 * one,
        )
        for one, (dx, dy, near, code) in enumerate(group)
    ]


def _spot(seen: Look, name: str, dice: np.random.Generator) -> tuple[float, float, float]:
    """Where a figure's foot is (share of the height), its distance and its size."""
    figure, scene, h = figures()[name], seen.scene, seen.horizon
    way, size = figure["way"], float(figure["size"])
    wet = scene.place in {"sea", "island", "lake"} or scene.ground in WATER
    if scene.place == "underwater":
        return float(dice.uniform(0.40, 0.56)), 4.0, size
    if scene.place == "space":
        return float(dice.uniform(0.60, 0.68)), 4.0, size
    if figure.get("low"):
        return float(dice.uniform(0.60, 0.70)), 2.4, size
    if scene.place in {"room", "cafe"} and way not in {"table", "fly"}:
        return 0.80, 1.95, size * 1.3
    if name == "balloon":
        return float(dice.uniform(0.52, 0.58)), 6.5, size
    if way == "far" and wet and name not in {"lighthouse", "bridge"}:
        size *= 0.55  # on the far shore
    spots = {
        "fly": (float(dice.uniform(0.30, 0.42)), 6.5),
        "rise": (0.56, 5.0),
        "hover": (0.86 if name == "astronaut" else 0.4, 4.0),
        "float": (h + 0.13, 5.5),
        "swim": (h + 0.17, 4.95),
        "far": (h + 0.04, 8.95) if wet else (h + 0.13, 4.9),
        "table": (0.86 if scene.place in {"room", "cafe"} else 0.90, 1.95),
        "drive": (h + 0.25, 2.75),
    }
    return *spots.get(way, (0.84 if scene.place == "stage" else 0.90, 2.55)), size


def put(
    seen: Look, name: str, colour: str, salt: int, *, at: tuple[float, float], size: float, depth: float
) -> Piece:
    """A figure that moves as its kind does; it is at its place in the middle of the shot."""
    figure = figures()[name]
    way, pace, cycle = figure["way"], float(figure.get("pace", 0.0)), float(figure.get("cycle", 1.0))
    dice = seen.noise(salt)
    left = bool(np.random.default_rng(seen.seed).random() < 0.5) and way not in {"far", "table"}
    if left:
        pace = -pace
    bob = {"fly": 0.012, "float": 0.006, "swim": 0.012, "hover": 0.012}.get(way, 0.0)
    phase, lead = float(dice.uniform(0, 6)), float(dice.uniform(0, cycle))
    middle, unit = seen.seconds / 2, seen.unit

    def paints(canvas: Canvas) -> Layer:
        spot = (at[0] * unit + canvas.frame[0] / 2, at[1] * canvas.frame[1])
        count = CELS if cycle < 2 else 2 * CELS
        cels = paint(seen, name, colour, spot, size, depth, canvas, count=count, left=left)
        turned = int(lead / cycle * len(cels))
        dx, dy = spot[0] - int(spot[0]) // 2 * 2, spot[1] - int(spot[1]) // 2 * 2
        rise = -0.07 if way == "rise" else 0.0
        return Layer(
            cels=cels[turned:] + cels[:turned],
            depth=depth,
            rate=len(cels) / cycle,
            motion=lambda seconds: (
                dx + pace * unit * (seconds - middle),
                dy + unit * (rise * (seconds - middle) + bob * math.sin(seconds * 1.5 + phase)),
            ),
        )

    return Piece(depth, paints)
