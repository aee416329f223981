"""Bodies of animals on four legs, at any moment of a step."""

from __future__ import annotations

import math
from typing import Any

from kling.sandbox.renderer.rigs import DARK, STRIDE, Part, Point, polar

# For each leg: its position along the body, the phase of its step, its brightness. The far pair comes first.
LEGS = ((0.70, 0.0, 0.70), (-0.74, 0.5, 0.66), (0.62, 0.5, 1.0), (-0.80, 0.0, 1.0))


def four_legs(body: dict[str, Any], phase: float, pose: str = "") -> list[Part]:
    """An animal on four legs, at a moment of its step; figures.toml explains the keys of `body`."""
    if pose == "sit" and not body.get("hoofed"):
        return _sitting(body, phase)
    half, deep, leg = body["long"] / 2, body["deep"], body["leg"]
    back, stride = leg + deep, STRIDE.get(pose, 1.0)
    parts = _tail(body, (-half * 0.96, back + deep * 0.5))
    legs = [_leg(body, (half, back), phase, stride, which) for which in range(4)]
    parts += [*legs[0], *legs[1]]
    trunk = (1.0, 0.0), (0.93, 0.62), (0.55, 0.96), (0.0, 0.80), (-0.6, 0.92), (-0.95, 0.60)
    belly = (-1.04, -0.1), (-0.80, -0.85), (-0.42, -0.60 * body.get("tuck", 1.0)), (0.1, -0.82), (0.66, -0.98)
    parts.append({"blob": [n for x, y in (*trunk, *belly) for n in (x * half, back + y * deep)]})
    parts += _marks(body, half, back, deep)
    parts += [*legs[2], *legs[3]]
    nod = 0.02 * math.sin(4 * math.pi * phase) * min(1.0, stride)
    return parts + _head(body, (half * 0.80, back + deep * 0.2), nod)


def _leg(body: dict[str, Any], trunk: Point, phase: float, stride: float, which: int) -> list[Part]:
    (half, back), (along, lead, tone) = trunk, LEGS[which]
    deep, stout = body["deep"], body.get("stout", 1.0)
    angle = 2 * math.pi * (phase + lead)
    swing, bend = 19 * math.sin(angle) * stride, 26 * max(0.0, math.cos(angle)) * stride
    hip = (half * along, back - deep * 0.12)
    if which % 2:  # a hind leg: its heel is high above the ground
        joints = [polar(hip, -72 + swing, hip[1] * 0.40)]
        joints.append(polar(joints[-1], -120 + swing * 0.8 - bend * 0.4, hip[1] * 0.33))
        joints.append(polar(joints[-1], -84 + swing * 0.5 - bend, hip[1] * 0.32))
        radii = [deep * 0.66, deep * 0.42, 0.042 * stout, 0.034 * stout]
    else:
        joints = [polar(hip, -92 + swing, hip[1] * 0.50)]
        joints.append(polar(joints[-1], -90 + swing * 0.7 - bend, hip[1] * 0.48))
        radii = [deep * 0.52, 0.054 * stout, 0.036 * stout]
    numbers = [*hip, radii[0]]
    for joint, radius in zip(joints, radii[1:], strict=True):
        numbers += [*joint, radius]
    foot = joints[-1]
    found: list[Part] = [{"limb": numbers, "tone": tone}]
    sock = body.get("sock", tone)
    found.append({"limb": [*foot, radii[-1], foot[0] + 0.05, foot[1], radii[-1]], "tone": sock})
    if "sock" in body:
        knee = joints[-2]
        middle = (knee[0] + foot[0]) / 2, (knee[1] + foot[1]) / 2
        found.append({"limb": [*middle, radii[-2] * 0.86, *foot, radii[-1]], "tone": sock})
    return found


def _tail(body: dict[str, Any], root: Point) -> list[Part]:
    tail, (x, y) = body["tail"], root
    numbers = [x + 0.08, y - 0.04, tail[2]]
    for i in range(0, len(tail), 3):
        numbers += [x + tail[i], y + tail[i + 1], tail[i + 2]]
    swing = [x, y, 6, 0.2]
    found: list[Part] = [{"limb": numbers, "swing": swing}]
    if "tip" in body:
        one, end = numbers[-6:-3], numbers[-3:]
        middle = [(a + b) / 2 for a, b in zip(one, end, strict=True)]
        found.append({"limb": [*middle, *end], "swing": swing, "tone": body["tip"]})
    return found


def _marks(body: dict[str, Any], half: float, back: float, deep: float) -> list[Part]:
    """Stripes or spots on the flank, and a light chest."""
    found: list[Part] = []
    kind, colour = body.get("marks", ("", ""))
    for i in range(9 if kind else 0):
        x = half * (-0.86 + 0.21 * i)
        if kind == "stripes":
            low = back + deep * (-0.30 + 0.25 * (i % 2))
            line = [x, back + deep * 0.72, 0.020, x - 0.03, back + deep * 0.3, 0.016, x + 0.01, low, 0.004]
            found.append({"limb": line, "tone": colour})
        else:
            size = deep * (0.16 + 0.10 * (i * 7 % 3))
            y = back + deep * (-0.35 + 0.5 * (i * 5 % 3) / 1.4)
            found.append({"ball": [x, y, size * 1.2, size], "tone": colour})
    if "bib" in body:
        found.append(
            {"ball": [half * 0.88, back - deep * 0.25, deep * 0.30, deep * 0.55], "tone": body["bib"]}
        )
    return found


def _head(body: dict[str, Any], chest: Point, nod: float) -> list[Part]:
    nx, ny = body["neck"]
    deep, size = body["deep"], body["head"]
    head = (chest[0] + nx, chest[1] + deep * 0.2 + ny + nod)
    kind, high = body["ear"]
    parts: list[Part] = []
    if "mane" in body:
        parts.append(
            {
                "ball": [head[0] - size * 0.55, head[1] - size * 0.2, size * 1.75, size * 1.95],
                "tone": body["mane"],
            }
        )
    parts.append(
        {"limb": [*chest, deep * 0.74, *head, size * 0.70]} if "mane" not in body else {"ball": [0, 0, 0, 0]}
    )
    for at, tone in ((0.10, 0.75), (-0.35, 1.0)):
        parts.append(_ear(kind, high, (head[0] + size * at, head[1] + size * 0.55), size, tone))
    nose = (head[0] + size * 0.6 + body["snout"], head[1] - size * 0.35 - body["snout"] * 0.35)
    end = max(0.030, size * 0.30)
    fan = parts.pop() if kind == "fan" else None
    parts.append({"limb": [*head, size, *nose, end]})
    if "bib" in body:
        parts.append(
            {
                "limb": [
                    head[0] + size * 0.55,
                    head[1] - size * 0.62,
                    size * 0.3,
                    nose[0] - 0.02,
                    nose[1] - end * 0.4,
                    end * 0.7,
                ],
                "tone": body["bib"],
            }
        )
    parts.append({"ball": [nose[0] + end * 0.75, nose[1] + end * 0.35, end * 0.55, end * 0.5], "tone": DARK})
    if fan:
        parts.append(fan)
    eye = size * 0.14
    parts.append({"ball": [head[0] + size * 0.45, head[1] + size * 0.20, eye, eye * 1.1], "tone": DARK})
    parts.append(
        {"ball": [head[0] + size * 0.49, head[1] + size * 0.25, eye * 0.35, eye * 0.35], "tone": "#f4f0ea"}
    )
    return parts


def _ear(kind: str, high: float, at: Point, size: float, tone: float) -> Part:
    x, y = at
    if kind == "point":
        return {
            "shape": [x - size * 0.42, y - size * 0.1, x - size * 0.1, y + high, x + size * 0.4, y],
            "tone": tone,
        }
    if kind == "flop":
        points = [
            x - size * 0.2,
            y,
            0.045,
            x - size * 0.7,
            y - high * 0.3,
            0.055,
            x - size * 0.8,
            y - high * 0.7,
            0.03,
        ]
        return {"limb": points, "tone": 0.72}
    if kind == "fan":
        return {"ball": [x - size * 0.2, y - size * 0.65, high * 0.75, high], "tone": 0.84}
    return {"ball": [x, y + high * 0.3, high, high], "tone": tone}


def _sitting(body: dict[str, Any], phase: float) -> list[Part]:
    """An animal that sits and breathes."""
    half, deep = body["long"] / 2, body["deep"]
    tall = body["leg"] + deep * 1.6
    breath = 0.008 * math.sin(2 * math.pi * phase)
    parts = _tail(
        {**body, "tail": [-0.22, 0.0, 0.07, -0.44, 0.06, 0.06, -0.56, 0.20, 0.03]}, (-half * 0.55, 0.08)
    )
    shoulder = (half * 0.42, tall * 0.80 + breath)
    for x, tone in ((0.10, 0.7), (0.0, 1.0)):
        foot = (half * 0.52 + x, 0.03)
        arm = {
            "limb": [*shoulder, deep * 0.5, half * 0.50 + x, tall * 0.4, 0.055, *foot, 0.045],
            "tone": tone,
        }
        parts.append(arm)
        if tone < 1:
            outline = [
                half * 0.62,
                tall * 0.92,
                half * 0.10,
                tall * 0.98,
                -half * 0.42,
                tall * 0.62,
                -half * 0.78,
                0.24,
                -half * 0.62,
                0.02,
                half * 0.2,
                0.04,
                half * 0.55,
                tall * 0.5,
            ]
            parts.append({"blob": outline})
            parts += [{"ball": [-half * 0.30, 0.19, half * 0.40, 0.20], "tone": 0.94}]
            parts += [{"limb": [-half * 0.3, 0.05, 0.05, half * 0.18, 0.04, 0.045], "tone": 0.94}]
    if "bib" in body:
        parts.append({"ball": [half * 0.60, tall * 0.66, deep * 0.26, deep * 0.62], "tone": body["bib"]})
    up = {**body, "neck": [min(0.10, body["neck"][0]), max(0.16, body["neck"][1] * 0.8)]}
    return parts + _head(up, (half * 0.40, tall * 0.88 + breath), 0.0)
