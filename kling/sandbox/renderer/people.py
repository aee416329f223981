"""Bodies of people, at any moment of a step."""

from __future__ import annotations

import math
from typing import Any

from kling.sandbox.renderer.rigs import DARK, SEATED, STRIDE, Part, lowered, polar

SKIN = "#c99a7c"


def two_legs(body: dict[str, Any], phase: float, pose: str = "") -> list[Part]:
    """A person, at a moment of a step; figures.toml explains the keys of `body`."""
    if pose in SEATED:
        return _seated(body, phase, pose)
    coat, stride = body["coat"], STRIDE.get(pose, 1.0)
    skin: Any = body.get("skin", SKIN)
    legs: Any = body.get("legs", 0.62)
    step = 2 * math.pi * phase
    parts: list[Part] = []
    for lead, far in ((0.5, True), (0.0, False)):
        swing = 24 * math.sin(step + 2 * math.pi * lead) * stride + (0 if stride else (3 if far else -3))
        bend = 30 * max(0.0, math.cos(step + 2 * math.pi * lead)) * stride
        hip = (0.0, 0.50)
        knee = polar(hip, -90 + swing, 0.245)
        foot = polar(knee, -90 + swing * 0.6 - bend, 0.225)
        tone = body.get("farlegs", legs) if far else legs
        tone = tone * 0.8 if far and isinstance(tone, float) else tone
        parts.append({"limb": [*hip, 0.060, *knee, 0.046, *foot, 0.030], "tone": tone})
        parts.append(
            {
                "limb": [foot[0] - 0.01, foot[1] - 0.008, 0.026, foot[0] + 0.06, foot[1] - 0.014, 0.019],
                "tone": "#241c1a",
            }
        )
    arm = -26 * math.sin(step) * stride
    for way in (-1, 1):
        shoulder = (0.0, 0.770)
        elbow = polar(shoulder, -94 + way * arm * 0.7, 0.155)
        hand = polar(elbow, -80 + way * arm * 0.9 + 14 * (stride > 1), 0.140)
        tone = 0.74 if way < 0 else 1.10
        sleeve = [
            {"limb": [*hand, 0.020, *polar(hand, -82, 0.018), 0.021], "tone": skin},
            {"limb": [*shoulder, 0.043, *elbow, 0.034, *hand, 0.024], "tone": tone},
        ]
        parts = [*sleeve, *parts] if way < 0 else [*parts, *_trunk(coat, step, stride), *sleeve]
    return parts + _face(body, skin)


def _seated(body: dict[str, Any], phase: float, pose: str) -> list[Part]:
    """A person who sits on a stone (`sit`) or a bench (`perch`), or rides an animal (`ride`)."""
    skin: Any = body.get("skin", SKIN)
    legs: Any = 0.9 if body["coat"] > 0.5 else body.get("legs", 0.62)
    down, nod = SEATED[pose], 0.008 * math.sin(2 * math.pi * phase)
    hip = (0.0, 0.50 - down)
    parts: list[Part] = []
    if pose == "sit":
        parts.append(
            {"blob": [-0.17, -0.02, -0.19, 0.19, 0.10, 0.22, 0.15, 0.16, 0.14, -0.02], "tone": "#57504a"}
        )
    for near in (False, True) if pose != "ride" else (True,):
        knee = polar(hip, (6 if near else 0) if pose != "ride" else -28, 0.235)
        foot = polar(knee, -84 if near else -74, 0.235)
        tone = legs if near or not isinstance(legs, float) else legs * 0.8
        leg: list[Part] = [
            {"limb": [*hip, 0.070, *knee, 0.052, *foot, 0.032], "tone": tone},
            {
                "limb": [foot[0] - 0.01, foot[1] - 0.008, 0.028, foot[0] + 0.07, foot[1] - 0.014, 0.019],
                "tone": "#241c1a",
            },
        ]
        shoulder = (0.0, 0.770 - down)
        elbow = polar(shoulder, -88 if near else -70, 0.155)
        hand = polar(elbow, 2 if near else 8, 0.140)
        arm: list[Part] = [
            {"limb": [*hand, 0.020, *polar(hand, -10, 0.018), 0.021], "tone": skin},
            {"limb": [*shoulder, 0.043, *elbow, 0.034, *hand, 0.024], "tone": 1.10 if near else 0.74},
        ]
        trunk: list[Part] = [lowered(part, down) for part in _trunk(0.06, 0.0, 0.0)] if near else []
        parts += [*leg, *arm] if not near else [*trunk, *leg, *arm]
    return parts + [lowered(part, down - nod) for part in _face(body, skin)]


def _trunk(coat: float, step: float, stride: float) -> list[Part]:
    low, hem = 0.49 - 0.37 * coat, 0.064 + 0.10 * coat
    sway = 0.022 * math.sin(step) * stride
    points = [
        -0.050,
        0.825,
        -0.088,
        0.775,
        -0.080,
        0.60,
        -hem + sway,
        low,
        hem + sway,
        low - 0.01,
        0.082,
        0.60,
        0.094,
        0.745,
        0.052,
        0.825,
    ]
    return [{"blob": points}]


def _face(body: dict[str, Any], skin: Any) -> list[Part]:
    """Neck and head in profile, with hair."""
    s = body.get("head", 1.0)
    hair, brown = body.get("hair", 0.0), body.get("hairs", "#2b1d18")
    cy = 0.835 + 0.083 * s
    parts: list[Part] = [
        {"limb": [0.0, 0.80, 0.028, 0.010, 0.86, 0.026], "tone": skin},
        {
            "blob": [
                -0.050 * s,
                cy + 0.010,
                -0.030 * s,
                cy + 0.066 * s,
                0.030 * s,
                cy + 0.068 * s,
                0.062 * s,
                cy + 0.024 * s,
                0.060 * s,
                cy - 0.010 * s,
                0.050 * s,
                cy - 0.058 * s,
                0.020 * s,
                cy - 0.078 * s,
                -0.035 * s,
                cy - 0.050 * s,
            ],
            "tone": skin,
        },
        {"ball": [0.066 * s, cy - 0.010 * s, 0.013 * s, 0.016 * s], "tone": skin},
        {"ball": [0.038 * s, cy + 0.012 * s, 0.008 * s, 0.010 * s], "tone": DARK},
    ]
    if body.get("beard"):
        parts.append(
            {
                "blob": [
                    0.0,
                    cy - 0.030,
                    0.055,
                    cy - 0.040,
                    0.060,
                    cy - 0.10,
                    0.02,
                    cy - 0.10 - body["beard"],
                    -0.01,
                    cy - 0.08,
                ],
                "tone": brown,
            }
        )
    if body.get("bald"):
        return parts
    mop = [
        -0.030 * s,
        cy - 0.050 * s - hair,
        -0.082 * s,
        cy - 0.02 * s - hair * 0.6,
        -0.080 * s,
        cy + 0.045 * s,
        -0.035 * s,
        cy + 0.094 * s,
        0.040 * s,
        cy + 0.084 * s,
        0.066 * s,
        cy + 0.046 * s,
        0.020 * s,
        cy + 0.040 * s,
        -0.012 * s,
        cy + 0.0 * s,
    ]
    parts.append({"blob": mop, "tone": brown})
    return parts
