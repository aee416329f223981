"""The colours and the light of one scene, which all painters share."""

from __future__ import annotations

import colorsys
import math
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from kling.sandbox.renderer.layers import Floats
from kling.sandbox.renderer.prompt_reader import Scene

# Palettes of places that do not depend on the time of day.
PALETTES = {"space": "space", "underwater": "deep", "neon": "neon", "mars": "mars", "moon": "moon"}
DIM = {"rain": 0.5, "storm": 0.65, "fog": 0.45, "snow": 0.35, "cloudy": 0.5}  # share of grey in the colours


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """The colours and the light of a scene. Every painter gets it.

    Args:
        scene: what the prompt asks for.
        seed: of all random shapes.
        sky: colours from the zenith to the horizon.
        light, haze, land, water: colours of the sun or moon, of far land, near land, deep water.
        sun: the position of the sun or moon: x in units from the middle, y as a share of the frame's height.
        horizon: its y, as a share of the frame's height.
        frame: width and height in pixels.
        seconds: the duration of the shot.
    """

    scene: Scene
    seed: int
    sky: tuple[Floats, Floats, Floats]
    light: Floats
    haze: Floats
    land: Floats
    water: Floats
    sun: tuple[float, float]
    horizon: float
    frame: tuple[int, int]
    seconds: int

    @property
    def unit(self) -> float:
        """Pixels of the frame's shorter side."""
        return float(min(self.frame))

    @property
    def dark(self) -> bool:
        """Whether it is so dark that lamps are on."""
        return self.scene.time == "night" or self.scene.place in {"neon", "space"}

    @property
    def gloom(self) -> float:
        """How much the weather hides the sun, 0..1."""
        return DIM.get(self.scene.weather, 0.0)

    def noise(self, salt: int) -> np.random.Generator:
        """A random generator. Each painter has a `salt`, so that painters do not depend on each other."""
        return np.random.default_rng([self.seed, salt])


def rgb(code: str) -> Floats:
    """A colour from `#rrggbb`."""
    return np.array([int(code[i : i + 2], 16) / 255 for i in (1, 3, 5)], np.float32)


def mix(one: Floats, other: Floats, share: float) -> Floats:
    """A colour between two."""
    return np.asarray(one * (1 - share) + other * share, np.float32)


@cache
def _palettes() -> dict[str, list[dict[str, list[str] | str]]]:
    return tomllib.loads(Path(__file__).with_name("palettes.toml").read_text(encoding="utf-8"))


def choose_look(scene: Scene, seed: int, frame: tuple[int, int], seconds: int) -> Look:
    """Chooses colours and light for a scene."""
    dice = np.random.default_rng([seed, 1, scene.digest])
    name = PALETTES.get(scene.place, scene.time)
    if name == "deep" and (scene.form == "abyss" or scene.mood == "dark" or scene.time == "night"):
        name = "abyss"
    choice = _palettes()[name]
    found = choice[(scene.digest + int(dice.integers(2))) % len(choice)]
    sky = [rgb(code) for code in found["sky"]]
    others = [rgb(str(found[part])) for part in ("light", "haze", "land", "water")]
    shift = float(dice.uniform(-0.012, 0.012)) + ((scene.digest >> 8) % 100 - 50) / 2500
    colours = [_turn(colour, shift) for colour in (*sky, *others)]
    if scene.tint:
        tint = rgb(scene.tint)
        colours = [_stain(colour, tint, 0.30) for colour in colours]
    grey = DIM.get(scene.weather, 0.0)
    lift = {"rain": 0.86, "storm": 0.62, "fog": 1.0, "snow": 0.97}.get(scene.weather, 1.0)
    cold = np.array([0.95, 1.0, 1.06], np.float32)
    colours = [(mix(c, c.mean() * cold, grey) * lift).astype(np.float32) for c in colours]
    if scene.mood == "dark":
        colours = [(mix(c, c.mean() * cold, 0.25) * 0.78).astype(np.float32) for c in colours]
    elif scene.mood == "bright":
        colours = [np.clip(mix(c, c.mean(), -0.14) * 1.04, 0, 1).astype(np.float32) for c in colours]
    colours[5] = _season(colours[5], scene)
    low = {"dawn": (0.44, 0.54), "noon": (0.10, 0.2), "dusk": (0.42, 0.55), "night": (0.14, 0.26)}
    side = 0.42 * frame[0] / min(frame)
    sun = (float(dice.uniform(-side, side)), float(dice.uniform(*low[scene.time])))
    if scene.light in {"left", "right"}:
        sun = (math.copysign(max(abs(sun[0]), 0.5 * side), 1 if scene.light == "right" else -1), sun[1])
    elif scene.light == "back":  # low in the middle, behind the subject
        sun = (sun[0] * 0.2, max(sun[1], 0.40))
    horizon = 0.62 + float(dice.uniform(-0.05, 0.03))
    return Look(
        scene,
        seed,
        (colours[0], colours[1], colours[2]),
        colours[3],
        colours[4],
        colours[5],
        colours[6],
        sun,
        horizon,
        frame,
        seconds,
    )


def _season(land: Floats, scene: Scene) -> Floats:
    glow = {"autumn": "#8a4a1c", "winter": "#8fa4b8", "spring": "#4f7a3c"}.get(scene.season)
    if glow is None:
        return land
    level = {"noon": 0.6, "dawn": 0.45, "dusk": 0.35, "night": 0.12}[scene.time]
    return mix(land, rgb(glow) * (0.35 + level), min(0.8, level + 0.2))


def _turn(colour: Floats, shift: float) -> Floats:
    hue, light, full = colorsys.rgb_to_hls(*map(float, np.clip(colour, 0, 1)))
    return np.array(colorsys.hls_to_rgb((hue + shift) % 1, light, full), np.float32)


def _stain(colour: Floats, tint: Floats, share: float) -> Floats:
    """A colour that is moved towards another hue at the same brightness."""
    weights = np.array([0.3, 0.59, 0.11], np.float32)
    level = float(colour @ weights) / max(0.12, float(tint @ weights))
    return np.clip(mix(colour, tint * level, share), 0, 1).astype(np.float32)
