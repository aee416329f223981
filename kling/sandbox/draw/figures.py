"""Draws who and what is in the picture: figures of a few parts, which a cycle turns, swings and flaps."""

# ruff: noqa: PLR0917 - painters take many numbers, in the order of space: distance, place, size
from __future__ import annotations

import math
import tomllib
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from kling.sandbox.draw.canvas import Canvas, cel
from kling.sandbox.draw.layers import Cel, Floats
from kling.sandbox.draw.look import Look, mix, rgb

Part = dict[str, Any]
Point = tuple[float, float]
LEGS = ((0.40, 0.0, 0.78), (-0.42, 0.5, 0.74), (0.34, 0.5, 1.0), (-0.34, 0.0, 1.0))
SKIN = "#c99a7c"


@cache
def figures() -> dict[str, dict[str, Any]]:
    """Every figure by name."""
    return tomllib.loads(Path(__file__).with_name("figures.toml").read_text(encoding="utf-8"))


def _four(body: dict[str, Any], phase: float) -> list[Part]:
    """An animal on four legs, at a moment of its step."""
    long, deep, leg = body["long"] / 2, body["deep"], body["leg"]
    back, stout = leg + deep, body.get("stout", 1.0)
    parts: list[Part] = []
    tail = body["tail"]
    joints = [(-long + 0.04, back + deep * 0.4, tail[2])]
    joints += [
        (-long + tail[i], back + deep * 0.4 + tail[i + 1], tail[i + 2]) for i in range(0, len(tail), 3)
    ]
    parts.append({"limb": [n for joint in joints for n in joint], "swing": [-long, back, 5, 0.2]})
    legs = []
    for place, lead, tone in LEGS:
        swing = 20 * math.sin(2 * math.pi * (phase + lead))
        bend = 24 * max(0.0, math.cos(2 * math.pi * (phase + lead)))
        hip = (long * place / 0.42, leg + deep * 0.65)
        knee = _polar(hip, -90 + swing, hip[1] * 0.52)
        foot = _polar(knee, -90 + swing * 0.6 - bend, hip[1] * 0.48)
        r = deep * 0.56 * (0.75 + 0.25 * stout), 0.060 * stout, 0.036 * stout
        shoe = (foot[0] + 0.04, foot[1])
        legs.append({"limb": [*hip, r[0], *knee, r[1], *foot, r[2], *shoe, r[2]], "tone": tone})
    parts += legs[:2]
    chest, rump = (long * 0.86, back), (-long * 0.84, back - deep * 0.02)
    parts.append(
        {
            "limb": [
                *rump,
                deep * 0.92,
                -long * 0.3,
                back + deep * 0.03,
                deep * 0.86,
                long * 0.4,
                back,
                deep,
                *chest,
                deep * 0.9,
            ]
        }
    )
    parts += legs[2:]
    nx, ny = body["neck"]
    nod = 0.02 * math.sin(4 * math.pi * phase)
    head, size = (chest[0] + nx, chest[1] + deep * 0.35 + ny + nod), body["head"]
    parts.append({"limb": [chest[0] - 0.03, chest[1] + deep * 0.1, deep * 0.78, *head, size * 0.72]})
    kind, high = body["ear"]
    for at, tone in ((0.10, 0.75), (-0.35, 1.0)):
        x, y = head[0] + size * at, head[1] + size * 0.55
        if kind == "point":
            ear = {
                "shape": [x - size * 0.42, y - size * 0.1, x - size * 0.1, y + high, x + size * 0.4, y],
                "tone": tone,
            }
        elif kind == "flop":
            ear = {
                "limb": [
                    x - size * 0.2,
                    y,
                    0.045,
                    x - size * 0.7,
                    y - high * 0.3,
                    0.055,
                    x - size * 0.8,
                    y - high * 0.7,
                    0.03,
                ],
                "tone": 0.72,
            }
        elif kind == "fan":
            ear = {"ball": [head[0] - size * 0.55, head[1] - size * 0.1, high * 0.75, high], "tone": 0.84}
        else:
            ear = {"ball": [x, y + high * 0.3, high, high], "tone": tone}
        parts.append(ear)
    nose = (head[0] + size * 0.6 + body["snout"], head[1] - size * 0.35 - body["snout"] * 0.35)
    parts.insert(-1 if kind == "fan" else len(parts), {"limb": [*head, size, *nose, max(0.035, size * 0.34)]})
    parts.append({"ball": [head[0] + size * 0.45, head[1] + size * 0.18, 0.022, 0.026], "tone": "#14100e"})
    return parts


def _two(body: dict[str, Any], phase: float) -> list[Part]:
    """A person, at a moment of a step."""
    suit, coat = body.get("suit", 1.0), body["coat"]
    parts: list[Part] = []
    skin: Any = 1.0 if suit > 1 else SKIN
    for lead, tone in ((0.5, 0.55), (0.0, 0.7)):
        swing = 22 * math.sin(2 * math.pi * (phase + lead))
        bend = 26 * max(0.0, math.cos(2 * math.pi * (phase + lead)))
        hip = (0.0, 0.50)
        knee = _polar(hip, -90 + swing, 0.25)
        foot = _polar(knee, -90 + swing * 0.7 - bend * 0.8, 0.235)
        r = 0.052 * suit, 0.040 * suit, 0.028 * suit
        parts.append(
            {
                "limb": [*hip, r[0], *knee, r[1], *foot, r[2], foot[0] + 0.05, foot[1] - 0.005, r[2] * 0.8],
                "tone": tone if suit == 1 else tone + 0.3,
            }
        )
    arm = -24 * math.sin(2 * math.pi * phase)
    shoulder = (0.0, 0.775)
    for way, tone in ((-1, 0.75), (1, 1.12)):
        elbow = _polar(shoulder, -90 + way * arm * 0.7, 0.16)
        hand = _polar(elbow, -78 + way * arm * 0.9, 0.15)
        part = {"limb": [*shoulder, 0.036 * suit, *elbow, 0.030 * suit, *hand, 0.022 * suit], "tone": tone}
        parts.insert(0 if way < 0 else len(parts), part)
    low = 0.50 - 0.36 * coat
    sway = 0.02 * math.sin(2 * math.pi * phase)
    hem = 0.06 + 0.09 * coat
    body_part: Part = {
        "blob": [
            -0.075 * suit,
            0.80,
            -0.085 * suit,
            0.60,
            -hem * suit + sway,
            low,
            hem * suit + sway,
            low,
            0.085 * suit,
            0.60,
            0.075 * suit,
            0.80,
            0.0,
            0.835,
        ]
    }
    if body.get("square"):
        body_part = {"shape": [-0.13, 0.82, -0.11, 0.46, 0.11, 0.46, 0.13, 0.82]}
    parts.insert(-1, body_part)
    head = 0.068 * body.get("head", 1.0) * (1.7 if suit > 1 else 1.0)
    if not suit > 1:
        parts.append({"limb": [0.005, 0.80, 0.026, 0.01, 0.88, 0.024], "tone": skin})
    parts.append({"ball": [0.012, 0.918, head * 0.88, head], "tone": skin})
    if suit == 1:
        hair = body.get("hair", 0.0)
        parts.append(
            {
                "blob": [
                    -0.055,
                    0.90 - hair,
                    -0.068,
                    0.95,
                    -0.02,
                    1.0,
                    0.05,
                    0.985,
                    0.07,
                    0.95,
                    0.02,
                    0.955,
                    -0.02,
                    0.90,
                ],
                "tone": "#2b1d18",
            }
        )
    return parts


def _polar(start: Point, degrees: float, length: float) -> Point:
    return start[0] + length * math.cos(math.radians(degrees)), start[1] + length * math.sin(
        math.radians(degrees)
    )


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


def _round(points: list[Point]) -> list[Point]:
    """A closed line through all points, without corners (Catmull-Rom)."""
    made = []
    for i in range(len(points)):
        a, b, c, d = (np.array(points[(i + k - 1) % len(points)]) for k in range(4))
        for u in np.arange(0, 1, 0.125):
            at = 0.5 * (
                2 * b + (c - a) * u + (2 * a - 5 * b + 4 * c - d) * u * u + (3 * b - a - 3 * c + d) * u**3
            )
            made.append((float(at[0]), float(at[1])))
    return made


def _bow(numbers: list[float]) -> list[float]:
    """A limb of three joints as one even curve."""
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
        for (p, q), (r, s) in zip(pairwise(joints), pairwise(radii), strict=True):
            steps = max(2, int(math.dist(p, q) / max(1.0, 0.35 * min(r, s))))
            for u in np.linspace(0, 1, min(steps, 60)):
                x, y, w = p[0] + (q[0] - p[0]) * u, p[1] + (q[1] - p[1]) * u, r + (s - r) * u
                pen.ellipse((x - w, y - w, x + w, y + w), fill=fill)
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
        pen.polygon(pixels(_round(points) if "blob" in part else points), fill=fill)


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
    left: bool,
) -> tuple[Cel, ...]:
    """The pictures of a figure's cycle, its foot at a place of the frame (pixels), in the scene's light."""
    figure = figures()[name]
    extent = 4.6 if name in {"train", "bridge"} else 2.4
    scale = size * canvas.unit
    half = max(8, math.ceil(scale * extent / 2) * 2)
    up, below = (
        max(8, math.ceil(scale * 2.1 / 2) * 2),
        max(4, math.ceil(scale * (1.4 if figure["way"] in {"swim", "fly", "rise"} else 0.35) / 2) * 2),
    )
    x0, y0 = (int(v) // 2 * 2 for v in at)
    board = Canvas(x0 - half, y0 - up, 2 * half, up + below, canvas.frame)
    grow = 3 if half < 500 else 2
    ambient = {"noon": 0.98, "dawn": 0.80, "dusk": 0.58, "night": 0.32}[look.scene.time]
    if figure["way"] == "table" or look.scene.place in {"room", "cafe", "stage", "space"}:
        ambient = max(ambient, 0.8)
    ambient *= 1 - 0.25 * look.gloom
    own = rgb(colour or figure["colour"])
    if colour and "four" in figure:  # a red fox is not as red as a red car
        own = mix(own, rgb(figure["colour"]), 0.55)
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
    moves = any(key in figure for key in ("cycle",)) and count > 1
    cels = []
    for number in range(count if moves else 1):
        phase = number / count
        sheet = Image.new("RGBA", (board.width * grow, board.height * grow), (*base, 0))
        pen = ImageDraw.Draw(sheet)
        parts = list(figure.get("parts", ()))
        if "four" in figure:
            parts = [*_four(figure["four"], phase), *parts]
        elif "two" in figure:
            parts = [*_two(figure["two"], phase), *parts]
        for part in parts:
            _draw(pen, part, phase, fill(part.get("tone", 1.0)), scale * grow, (half * grow, up * grow))
        if left:
            sheet = sheet.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        small = np.asarray(sheet.reduce(grow), np.float32) / 255
        cels.append(
            cel(
                board,
                _shade(look, small, scale, ambient),
                np.ascontiguousarray(small[..., 3]),
                look.noise(90),
            )
        )
    return tuple(cels)


def _shade(look: Look, picture: Floats, scale: float, ambient: float) -> Floats:
    """Form: lighter above, a rim of light on the sun's side, darker below."""
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
