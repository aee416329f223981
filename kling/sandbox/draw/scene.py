"""Paints a scene: from what was read in the prompt to layers, far to near."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from kling.sandbox.draw.canvas import Canvas, clouds, gradient, ridge, seal, smooth
from kling.sandbox.draw.layers import Floats, Layer
from kling.sandbox.draw.words import Scene

# The sky from zenith to horizon, then the light, then near land.
PALETTES: dict[str, tuple[str, str, str, str, str]] = {
    "dawn": ("#5b7fb0", "#b7b6cf", "#f8d3b4", "#ffe6c2", "#2c3d52"),
    "noon": ("#2f7fd0", "#7db8ea", "#d7ecf7", "#fff8e0", "#2f5a3c"),
    "dusk": ("#2b2d62", "#a64d79", "#fda25b", "#ffd9a0", "#241a36"),
    "night": ("#060a1c", "#10204a", "#2b4a78", "#dbe7ff", "#060a16"),
}
FAR, MIDDLE, NEAR, FORE = 12.0, 5.0, 2.6, 1.4

Maker = Callable[[Canvas], Layer]


def _rgb(code: str) -> Floats:
    return np.array([int(code[i : i + 2], 16) / 255 for i in (1, 3, 5)], np.float32)


def plan(scene: Scene, seed: int, unit: float) -> list[tuple[float, tuple[float, float], Maker]]:
    """The layers of a scene: depth, greatest own movement in units a second, and who paints it."""
    dice = np.random.default_rng(seed)
    top, middle, low, light, land = map(_rgb, PALETTES[scene.time])
    if scene.weather in {"rain", "fog"}:
        grey = np.float32(0.55)
        top, middle, low = (c * (1 - grey) + grey * c.mean() for c in (top, middle, low))
    snowy = scene.weather == "snow" or scene.season == "winter"
    sun = (float(dice.uniform(-0.35, 0.35)), float(dice.uniform(0.2, 0.42)))

    def noise(salt: int) -> np.random.Generator:
        return np.random.default_rng([seed, salt])

    def sky(canvas: Canvas) -> Layer:
        x, y = canvas.x, canvas.y
        rgb = gradient([(0.0, tuple(top)), (0.38, tuple(middle)), (0.66, tuple(low))], y)
        away = np.hypot(x - sun[0], (y - sun[1]) * canvas.tall)
        rgb = np.broadcast_to(rgb, (canvas.height, canvas.width, 3)).copy()
        visible = 0.3 if scene.weather in {"rain", "fog", "snow"} else 1.0
        glow = (0.55 * np.exp(-away * 3.2) * visible)[..., None]
        rgb += (light - rgb) * glow
        radius = 0.045 if scene.time == "night" else 0.06
        disc = (smooth(radius, radius - 1.5 / canvas.unit, away) * visible)[..., None]
        if scene.time == "night":
            disc *= 0.94
            spots = noise(1)
            count = int(420 * canvas.width * canvas.height / canvas.unit**2 * visible)
            sx, sy = spots.integers(0, canvas.width, count), spots.integers(0, canvas.height, count)
            rgb[sy, sx] += (spots.random((count, 1), dtype=np.float32) ** 4 * 0.8).astype(np.float32)
        rgb += (light - rgb) * disc
        return seal(canvas, rgb, None, depth=math.inf, noise=noise(2))

    def cloud(canvas: Canvas) -> Layer:
        form = clouds(canvas, noise(3), scale=(0.9, 0.22))
        heavy = {"clear": 0.55, "cloudy": 0.0, "rain": -0.5, "snow": -0.4, "fog": 0.1}[scene.weather]
        cover = smooth(heavy, heavy + 0.9, form) * smooth(0.66, 0.35, canvas.y) * 0.85
        tint = low * 0.5 + light * 0.5 if scene.weather == "clear" else low * 0.8 + middle * 0.2
        shade = (0.8 + 0.2 * smooth(0.0, 1.2, form))[..., None]
        bright = 0.35 if scene.time == "night" else 1.0
        return seal(
            canvas,
            np.clip(tint * shade * bright, 0, 1),
            cover,
            depth=60.0,
            noise=noise(4),
            motion=lambda seconds: (-0.012 * unit * seconds, 0.0),
        )

    def hills(depth: float, base: float, height: float, salt: int, mist: float) -> Maker:
        def paint(canvas: Canvas) -> Layer:
            x, y = canvas.x, canvas.y
            form = ridge(x + salt * 3.7, seed % 10_000 + salt, scale=0.5 + 0.25 * height, rough=0.45)
            crest = base - height * (0.5 + 0.5 * form) / canvas.tall
            cover = np.clip((y - crest) * canvas.frame[1] + 0.5, 0, 1).astype(np.float32)
            colour = land * (1 - mist) + low * mist
            if snowy:
                colour = colour * 0.35 + (low * 0.4 + 0.5 * light) * 0.65
            down = np.clip((y - crest) * canvas.tall / 0.45, 0, 1)[..., None]
            rgb = colour * (1 - down * 0.35 * mist) + low * (0.35 * mist * down)
            return seal(canvas, rgb.astype(np.float32), cover, depth=depth, noise=noise(salt))

        return paint

    return [
        (math.inf, (0.0, 0.0), sky),
        (60.0, (-0.012, 0.0), cloud),
        (FAR, (0.0, 0.0), hills(FAR, 0.66, 0.30, 11, 0.72)),
        (MIDDLE, (0.0, 0.0), hills(MIDDLE, 0.76, 0.22, 12, 0.45)),
        (NEAR, (0.0, 0.0), hills(NEAR, 0.88, 0.16, 13, 0.18)),
        (FORE, (0.0, 0.0), hills(FORE, 0.99, 0.10, 14, 0.0)),
    ]
