"""People, at each moment of a step."""

from __future__ import annotations

import math
from typing import Any

from kling.sandbox.draw.rigs import DARK, STRIDE, Part, polar

SKIN = "#c99a7c"


def two_legs(body: dict[str, Any], phase: float, pose: str = "") -> list[Part]:
    """A person, at a moment of a step; how `body` is told stands in figures.toml."""
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
