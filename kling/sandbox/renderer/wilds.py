"""Places far from people: canyons, volcanoes, waterfalls, ice, caves, other worlds."""

from __future__ import annotations

from kling.sandbox.renderer import air, land, plants, sky, town, water
from kling.sandbox.renderer.canvas import Piece
from kling.sandbox.renderer.cast import put
from kling.sandbox.renderer.grounds import foreground, with_scene
from kling.sandbox.renderer.look import Look, mix, rgb


def canyon(look: Look) -> list[Piece]:
    """Mesas of sandstone."""
    h = look.horizon
    return [
        land.mesas(look, 31, 20.0, h + 0.02, 0.22),
        land.mesas(look, 32, 11.0, h + 0.08, 0.24),
        land.dunes(look, 33, 5.0, h + 0.15, 0.05),
        land.dunes(look, 34, 2.4, 0.95, 0.10),
    ]


def mars(look: Look) -> list[Piece]:
    """Red sand and far mesas."""
    h = look.horizon
    return [
        land.peaks(look, 30, 28.0, h + 0.02, 0.16, 0.0),
        land.mesas(look, 31, 18.0, h + 0.03, 0.15),
        land.dunes(look, 33, 9.0, h + 0.06, 0.05),
        land.dunes(look, 34, 4.6, h + 0.16, 0.07),
        land.dunes(look, 35, 2.2, 0.97, 0.09),
        air.flying(look, "dust", 57, 3.0),
    ]


def oasis(look: Look) -> list[Piece]:
    """A pool between dunes, with palms around it."""
    h, wide = look.horizon, look.frame[0] / look.unit / 2
    palms = ((-0.70, 0.19, 0.40), (-0.52, 0.17, 0.30), (0.48, 0.18, 0.34), (0.66, 0.20, 0.46))
    return [
        *(
            put(look, "palm", "", 120 + i, at=(x * wide, h + y), size=s, depth=5.0 - 0.05 * i)
            for i, (x, y, s) in enumerate(palms)
        ),
        plants.grass(look, 71, 4.7, h + 0.20, 0.03),
        water.mirror(look, h + 0.19, 4.6, calm=0.8),
        water.glitter(look, 72, 4.5, h + 0.195, 0.4),
    ]


def terraces(look: Look) -> list[Piece]:
    """Fields in steps down a slope, with water along the edge of each."""
    h = look.horizon
    level = {"noon": 0.95, "dawn": 0.85, "dusk": 0.6, "night": 0.25}[look.scene.time]
    rows = ((14.0, 0.03), (10.5, 0.07), (8.0, 0.12), (6.0, 0.18), (4.6, 0.25), (3.4, 0.34), (2.3, 0.46))
    greens = ("#6f9f3f", "#86b04c", "#5f9440")
    return [
        land.hills(look, 31, 24.0, h + 0.01, 0.18),
        *(
            land.terrace(look, 40 + 2 * i, d, h + b, 0.09, rgb(greens[i % 3]) * level)
            for i, (d, b) in enumerate(rows)
        ),
        plants.trees(look, 33, 12.0, h + 0.05, 0.05, "round"),
    ]


def moon(look: Look) -> list[Piece]:
    """The surface of the moon: grey dust, a black sky, and the earth in it."""
    look = with_scene(look, time="noon")
    h, side = look.horizon, -1.0 if look.sun[0] > 0 else 1.0
    half = look.frame[0] / look.unit / 2
    rows = ((18.0, 0.02, 0.05), (9.0, 0.06, 0.05), (4.6, 0.16, 0.07), (2.2, 0.34, 0.09))
    return [
        sky.sky(look),
        sky.stars(look, 3, 1.4),
        sky.stars(look, 4, 1.2),
        sky.planet(
            with_scene(look, form="earth"),
            41,
            at=(side * half * 0.5, 0.24),
            radius=0.12,
            depth=40.0,
            ring=False,
        ),
        land.peaks(look, 30, 28.0, h + 0.02, 0.12, 0.0),
        *(land.hills(look, 31 + i, d, h + b, t, look.land) for i, (d, b, t) in enumerate(rows)),
    ]


def lake(look: Look) -> list[Piece]:
    """Still water before mountains or hills."""
    h = look.horizon
    snow = 0.7 if look.scene.season == "winter" else 0.25
    back = (
        land.peaks(look, 31, 22.0, h + 0.03, 0.34, snow)
        if look.scene.digest % 2
        else land.hills(look, 31, 20.0, h + 0.02, 0.20)
    )
    return [back, land.hills(look, 32, 13.0, h + 0.03, 0.12), *foreground(look, "lake")]


def volcano(look: Look) -> list[Piece]:
    """A volcano with glowing lava."""
    h = look.horizon
    cone = put(look, "volcano", "", 118, at=(0.0, h + 0.06), size=0.5, depth=15.0)
    fire = town.glow(look, 36, 14.8, (0.0, h - 0.48 / (look.frame[1] / look.unit)), 0.22, "#ff7a2f", 0.85)
    return [
        land.peaks(look, 31, 24.0, h + 0.03, 0.16, 0.0),
        cone,
        fire,
        land.peaks(look, 32, 10.0, h + 0.10, 0.12, 0.0),
        *foreground(look),
    ]


def waterfall(look: Look) -> list[Piece]:
    """A cliff over which water falls into a pool."""
    h = look.horizon
    dice = look.noise(19)
    middle, half = float(dice.uniform(-0.25, 0.25)), float(dice.uniform(0.10, 0.17))
    top = 0.20
    high = (h + 0.10 - top) * look.frame[1] / look.unit
    leaf = mix(look.land, rgb("#4f7a3a"), 0.5) * (0.4 if look.dark else 1.0)
    return [
        land.peaks(look, 31, 24.0, 0.30, 0.16, 0.1),
        plants.trees(look, 30, 11.0, top + 0.05, 0.10, "round", leaf),
        land.cliff(look, 32, 10.0, h + 0.10, high, (middle, half)),
        water.falls(look, 33, 9.6, (middle, top + 0.1 * (h + 0.10 - top), h + 0.075, half)),
        water.falls(look, 34, 9.7, (middle + half * 2.6, top + 0.01, h + 0.07, half * 0.22)),
        air.fog(look, 37, 9.3, h + 0.05, 0.62),
        *foreground(with_scene(look, ground="lake"), "lake"),
        air.fog(look, 38, 8.8, h + 0.055, 0.45),
        plants.trees(look, 35, 2.4, 1.06, 0.30, "leaves", leaf * 0.7),
    ]


def arctic(look: Look) -> list[Piece]:
    """Ice and open water."""
    h = look.horizon
    ice = with_scene(look, season="winter")
    return [
        land.peaks(ice, 31, 20.0, h + 0.03, 0.22, 1.0),
        land.peaks(ice, 32, 10.0, h + 0.03, 0.09, 1.2),
        water.mirror(look, h + 0.03, 9.9, calm=0.75),
        water.glitter(look, 72, 8.0, h + 0.03, 0.5),
        land.hills(ice, 53, 2.4, 0.98, 0.12, rgb("#dfeaf5") * (0.4 if look.dark else 0.9)),
    ]


def cave(look: Look) -> list[Piece]:
    """The view out of a cave onto a lake."""
    return [
        *lake(look),
        sky.beams(look, 35, origin=(look.sun[0], -0.1), strength=0.35, colour=look.light),
        town.hole(look, 1.5, "cave"),
    ]


def clouds(look: Look) -> list[Piece]:
    """The sky above the clouds."""
    rows = [
        sky.cloud(look, 22 + 2 * i, d, thick=0.9, low=b, speed=0.01 + 0.02 / d)
        for i, (d, b) in enumerate(((30.0, 0.86), (14.0, 1.0), (6.0, 1.2)))
    ]
    return [
        land.peaks(look, 31, 34.0, 0.78, 0.2, 0.6),
        air.fog(look, 38, 32.0, 0.76, 0.9),
        *rows,
        air.fog(look, 37, 5.0, 1.02, 1.2),
    ]
