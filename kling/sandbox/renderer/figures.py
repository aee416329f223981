"""Draws figures: people, animals and things. A figure has a few parts that turn, swing or flap in a cycle."""

# ruff: noqa: PLR0917 - painters take many numbers, always as distance, position, size
from __future__ import annotations

import math
import tomllib
from functools import cache, lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from kling.sandbox.renderer.animals import four_legs
from kling.sandbox.renderer.canvas import Canvas, cel
from kling.sandbox.renderer.layers import Cel, Cycle, Floats
from kling.sandbox.renderer.look import Look, mix, rgb
from kling.sandbox.renderer.people import two_legs
from kling.sandbox.renderer.rigs import SEATED, Part, Point, lowered

# Places that have lamps or other light of their own.
LIT = {"room", "cafe", "stage", "studio", "macro", "space", "underwater", "moon"}

FURS = {"#f2efe8", "#23232a", "#8d939c", "#7a4f32"}  # white, black, grey, brown: natural colours of animals


@cache
def figures() -> dict[str, dict[str, Any]]:
    """Every figure by name."""
    return tomllib.loads(Path(__file__).with_name("figures.toml").read_text(encoding="utf-8"))


def parts_of(figure: dict[str, Any], phase: float, pose: str = "") -> list[Part]:
    """The parts of a figure at a moment of its cycle; the parts at the back come first."""
    body: list[Part] = []
    if "four" in figure:
        body = four_legs(figure["four"], phase, pose)
    elif "two" in figure:
        body = two_legs(figure["two"], phase, pose)
    by = SEATED.get(pose, 0.0) if "two" in figure else 0.0
    behind, before = ([lowered(part, by) for part in figure.get(key, ())] for key in ("behind", "parts"))
    return [*behind, *body, *before]


def _moved(part: Part, points: list[Point], phase: float) -> list[Point]:
    """The points of a part at a moment of its cycle."""
    if "swing" in part:
        px, py, degrees, lead = part["swing"]
        turn = math.radians(degrees * math.sin(2 * math.pi * (phase + lead)))
    elif "turn" in part:
        (px, py, lead) = part["turn"]
        turn = -2 * math.pi * (phase + lead)
    elif "flap" in part:
        pivot, lead = part["flap"]
        beat = 0.52 + 0.48 * math.sin(2 * math.pi * (phase + lead))
        return [(x, pivot + (y - pivot) * beat) for x, y in points]
    else:
        return points
    c, s = math.cos(turn), math.sin(turn)
    return [(px + c * (x - px) - s * (y - py), py + s * (x - px) + c * (y - py)) for x, y in points]


@cache
def reach(name: str, pose: str = "") -> tuple[float, float, float]:
    """How far a figure extends sideways, up and down from its foot in its whole cycle."""
    across, up, down = 0.1, 0.1, 0.1
    for phase in (step / 8 for step in range(8)):
        for part in parts_of(figures()[name], phase, pose):
            if "limb" in part:
                n, thick = part["limb"], max(part["limb"][2::3])
                points = [(n[i], n[i + 1]) for i in range(0, len(n), 3)]
            elif "ball" in part or "ring" in part:
                n = part.get("ball") or part["ring"]
                points, thick = [(n[0], n[1])], max(n[2:])
            else:
                n, thick = part.get("shape") or part["blob"], 0.06
                points = [(n[i], n[i + 1]) for i in range(0, len(n), 2)]
            for x, y in _moved(part, points, phase):
                across, up, down = max(across, abs(x) + thick), max(up, y + thick), max(down, thick - y)
    return across * 1.06 + 0.04, up * 1.06 + 0.04, down * 1.06 + 0.04


@lru_cache(maxsize=1024)  # most parts have the same points in all pictures of a cycle
def _round(points: tuple[Point, ...]) -> tuple[Point, ...]:
    """A closed line through all points, without corners (Catmull-Rom)."""
    made = []
    for i in range(len(points)):
        a, b, c, d = (np.array(points[(i + k - 1) % len(points)]) for k in range(4))
        for u in np.arange(0, 1, 0.125):
            at = 0.5 * (
                2 * b + (c - a) * u + (2 * a - 5 * b + 4 * c - d) * u * u + (3 * b - a - 3 * c + d) * u**3
            )
            made.append((float(at[0]), float(at[1])))
    return tuple(made)


def _bow(numbers: list[float]) -> list[float]:
    """A limb of three joints as points of one smooth curve."""
    a, b, c = (np.array(numbers[i : i + 3]) for i in (0, 3, 6))
    middle = 2 * b - (a + c) / 2
    steps = np.linspace(0, 1, 10)
    return [float(v) for u in steps for v in (1 - u) ** 2 * a + 2 * u * (1 - u) * middle + u * u * c]


def _draw(
    pen: ImageDraw.ImageDraw, part: Part, phase: float, fill: tuple[int, ...], grow: float, at: Point
) -> None:
    def pixels(points: list[Point]) -> list[Point]:
        return [(at[0] + x * grow, at[1] - y * grow) for x, y in _moved(part, points, phase)]

    if "limb" in part:
        n = part["limb"]
        if part.get("bow"):
            n = _bow(n)
        joints, radii = pixels([(n[i], n[i + 1]) for i in range(0, len(n), 3)]), [r * grow for r in n[2::3]]
        for (x, y), r in zip(joints, radii, strict=True):
            pen.ellipse((x - r, y - r, x + r, y + r), fill=fill)
        for (p, q), (r, s) in zip(pairwise(joints), pairwise(radii), strict=True):
            long = math.dist(p, q)
            if long < 0.5:
                continue
            ux, uy = (q[1] - p[1]) / long, (p[0] - q[0]) / long  # across
            pen.polygon(
                [
                    (p[0] + ux * r, p[1] + uy * r),
                    (q[0] + ux * s, q[1] + uy * s),
                    (q[0] - ux * s, q[1] - uy * s),
                    (p[0] - ux * r, p[1] - uy * r),
                ],
                fill=fill,
            )
    elif "ball" in part or "ring" in part:
        x, y, rx, ry = part.get("ball") or part["ring"]
        ((cx, cy),) = pixels([(x, y)])
        if "ring" in part:
            pen.ellipse(
                (cx - rx * grow, cy - rx * grow, cx + rx * grow, cy + rx * grow),
                outline=fill,
                width=max(1, int(ry * grow)),
            )
        else:
            pen.ellipse((cx - rx * grow, cy - ry * grow, cx + rx * grow, cy + ry * grow), fill=fill)
    else:
        n = part.get("shape") or part["blob"]
        points = [(n[i], n[i + 1]) for i in range(0, len(n), 2)]
        pen.polygon(pixels(list(_round(tuple(points))) if "blob" in part else points), fill=fill)


def _own(look: Look, figure: dict[str, Any], colour: str) -> Floats:
    """The main colour of a figure: its own, or the one that the prompt names for it."""
    own = rgb(colour or figure["colour"])
    if colour and "four" in figure:  # a red fox is only reddish, but a white bear is white
        own = mix(own, rgb(figure["colour"]), 0.10 if colour in FURS else 0.55)
    if look.scene.place == "neon":  # the light of its signs falls on everything
        own = mix(own, look.light, 0.25)
    return own


def paint(
    look: Look,
    name: str,
    colour: str,
    at: Point,
    size: float,
    depth: float,
    canvas: Canvas,
    *,
    count: int,
    start: float,
    left: bool,
    pose: str = "",
) -> Cycle:
    """The pictures of a figure's cycle, its foot at a place of the frame (pixels), in the scene's light.

    The first one shows the moment `start` of the cycle, 0..1.
    """
    figure = figures()[name]
    scale = size * canvas.unit
    half, up, below = (max(8, math.ceil(scale * far / 2) * 2) for far in reach(name, pose))
    x0, y0 = (int(v) // 2 * 2 for v in at)
    below = min(below, max(8, canvas.top + canvas.height - y0))  # the part below the canvas is never shown
    board = Canvas(x0 - half, y0 - up, 2 * half, up + below, canvas.frame)
    grow = 3 if half < 500 else 2
    ambient = {"noon": 0.98, "dawn": 0.84, "dusk": 0.68, "night": 0.44}[look.scene.time]
    if look.scene.place in {"city", "neon", "village"}:
        ambient = max(ambient, 0.62 if look.scene.place != "neon" else 0.85)  # street lamps
    if figure["way"] == "table" or look.scene.place in LIT:
        ambient = max(ambient, 0.8)
    dim = {"table": 0.8}.get(figure["way"], 0.5) if look.scene.light == "back" else 1.0
    ambient *= (1 - 0.25 * look.gloom) * dim
    own = _own(look, figure, colour)
    if look.scene.hair and "two" in figure:
        figure = figure | {"two": figure["two"] | {"hairs": look.scene.hair}}
    air = min(0.55, 0.035 * depth) + (0.15 if look.scene.weather == "fog" else 0)
    warm = mix(np.ones(3, np.float32), look.light, 0.35)

    def fill(tone: float | str) -> tuple[int, ...]:
        if tone == "lamp":
            bright = rgb("#ffdf9a") if ambient < 0.9 else rgb("#5a6a78")
            return (*(int(255 * c) for c in bright), 255)
        paint_ = rgb(tone) if isinstance(tone, str) else own * tone
        lit = mix(np.clip(paint_ * ambient * warm, 0, 1), look.haze, air)
        return (*(int(255 * c) for c in np.clip(lit, 0, 1)), 255)

    base = fill(1.0)[:3]
    count = count if "cycle" in figure else 1

    def picture(number: int) -> Cel:
        phase = number / count
        sheet = Image.new("RGBA", (board.width * grow, board.height * grow), (*base, 0))
        pen = ImageDraw.Draw(sheet)
        for part in parts_of(figure, phase, pose):
            _draw(pen, part, phase, fill(part.get("tone", 1.0)), scale * grow, (half * grow, up * grow))
        if left:
            sheet = sheet.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        small = np.asarray(sheet.reduce(grow), np.float32) / 255
        cover = np.ascontiguousarray(small[..., 3])
        return cel(board, _shade(look, small, scale, ambient), cover, look.noise(90))

    return Cycle(picture, count, int(start * count))


def _shade(look: Look, picture: Floats, scale: float, ambient: float) -> Floats:
    """Shades a flat figure: lighter above, darker below, with a bright rim on the side of the sun."""
    alpha = picture[..., 3]
    side = -1 if look.sun[0] < 0 else 1
    step = max(1, int(scale * 0.022))
    rim = np.clip(alpha - np.roll(alpha, (step, -side * step), axis=(0, 1)), 0, 1)
    soft = Image.fromarray((alpha * 255).astype(np.uint8)).filter(ImageFilter.GaussianBlur(scale * 0.07))
    inner = np.asarray(soft, np.float32) / 255
    volume = np.roll(inner, (-2 * step, side * 2 * step), axis=(0, 1)) - np.roll(
        inner, (2 * step, -side * 2 * step), axis=(0, 1)
    )
    tints = picture[..., :3] * (1 + 0.42 * volume)[..., None]
    tints = (
        tints
        + (look.light - tints) * (rim * 0.42 * (1 - 0.7 * look.gloom) * (0.5 + 0.5 * ambient))[..., None]
    )
    return np.asarray(np.clip(tints, 0, 1), np.float32)
