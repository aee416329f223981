"""What a place is made of: for each, its painters with their distances and sizes, far to near."""

from __future__ import annotations

from collections.abc import Callable

from kling.sandbox.draw import air, inside, land, plants, sky, town, water
from kling.sandbox.draw.canvas import Piece
from kling.sandbox.draw.cast import WATER, put
from kling.sandbox.draw.grounds import drives, foot, on
from kling.sandbox.draw.look import Look, mix, rgb


def open_land(seen: Look) -> list[Piece]:
    """Nothing but what lies before it."""
    return [land.hills(seen, 31, 16.0, seen.horizon + 0.02, 0.04), *foot(seen)]


def _mountains(seen: Look) -> list[Piece]:
    h = seen.horizon
    snow = 0.75 if seen.scene.season == "winter" else 0.28
    return [
        land.peaks(seen, 31, 24.0, h + 0.03, 0.40, snow),
        land.peaks(seen, 32, 14.0, h + 0.06, 0.24, snow - 0.12),
        plants.trees(seen, 33, 8.5, h + 0.08, 0.06, "pine"),
        *foot(seen),
    ]


def _hills(seen: Look) -> list[Piece]:
    h = seen.horizon
    return [
        land.hills(seen, 31, 20.0, h + 0.01, 0.16),
        land.hills(seen, 32, 12.0, h + 0.04, 0.13),
        plants.trees(seen, 33, 7.5, h + 0.08, 0.05, "round"),
        *foot(seen),
    ]


def _forest(seen: Look) -> list[Piece]:
    h = seen.horizon
    bamboo = seen.scene.form == "bamboo"
    leafy = seen.scene.season in {"autumn", "spring"} or seen.scene.form == "jungle"
    kind = "bamboo" if bamboo else "round" if leafy else "pine"
    leaf = {"autumn": rgb("#b8622a"), "spring": rgb("#8aa85a")}.get(seen.scene.season)
    if seen.scene.form:
        leaf = rgb("#7fa24a") if bamboo else rgb("#3f7a3f")
    if leaf is not None:
        leaf = leaf * (0.3 if seen.dark else 0.85)
    back = [
        plants.trees(seen, 31, 14.0, h + 0.02, 0.34, kind, leaf),
        plants.trees(seen, 32, 8.0, h + 0.05, 0.36, kind, leaf),
        plants.trees(seen, 33, 5.4, h + 0.10, 0.42, kind, leaf),
    ]
    light = (
        []
        if seen.dark or seen.gloom > 0.4
        else [sky.beams(seen, 35, origin=(seen.sun[0], seen.sun[1] - 0.2), strength=0.30, colour=seen.light)]
    )
    mist = [air.fog(seen, 37, 10.0, h, 0.35)]
    trunks = (
        []
        if seen.scene.ground in WATER | {"road"}
        else [
            plants.trees(seen, 34, 3.0, 0.84, 0.36, "trunk", seen.land * 0.6)
            if not bamboo
            else plants.trees(
                seen, 34, 3.0, 0.90, 0.5, "bamboo", rgb("#5f8a3a") * (0.3 if seen.dark else 0.8)
            )
        ]
    )
    return [*back, *light, *mist, *foot(seen), *trunks]


def _fields(seen: Look) -> list[Piece]:
    h = seen.horizon
    green = seen.scene.season in {"spring", "summer"} and seen.scene.digest % 2
    base = "flowers" if green else "meadow" if seen.scene.season != "winter" else ""
    return [
        land.hills(seen, 31, 20.0, h + 0.01, 0.09),
        plants.trees(seen, 33, 12.0, h + 0.03, 0.045, "round"),
        *foot(seen, base),
    ]


def _village(seen: Look) -> list[Piece]:
    h = seen.horizon
    houses = [
        put(seen, "house", "", 100 + i, at=(x, h + 0.085 + 0.02 * (i % 2)), size=0.115, depth=7.0 - 0.1 * i)
        for i, x in enumerate((-0.62, -0.38, -0.12, 0.14, 0.40, 0.66))
    ]
    church = put(seen, "church", "", 110, at=(0.03, h + 0.07), size=0.22, depth=7.4)
    return [
        land.hills(seen, 31, 20.0, h + 0.01, 0.18),
        land.hills(seen, 32, 9.0, h + 0.07, 0.07),
        church,
        *houses,
        *foot(seen),
    ]


def _city(seen: Look) -> list[Piece]:
    h, neon = seen.horizon, seen.scene.place == "neon"
    rows = [
        town.skyline(seen, 31, 16.0, h + 0.04, 0.34, neon=neon),
        town.skyline(seen, 32, 9.0, h + 0.06, 0.42, neon=neon),
    ]
    wet = seen.scene.weather in {"rain", "storm"} or neon or seen.scene.ground in WATER
    if wet:
        code = "#ff5fb0" if neon else "#ffc880"
        return [
            *rows,
            town.skyline(seen, 33, 6.0, h + 0.08, 0.5, neon=neon),
            water.mirror(seen, h + 0.085, 5.9, calm=0.55),
            town.glow(seen, 36, 5.8, (0.1, h), 0.5, code, 0.22),
            water.glitter(seen, 72, 5.0, h + 0.09, 0.25),
        ]
    pave = mix(rgb("#44474f"), seen.haze, 0.2) * (0.4 if seen.dark else 0.9)
    return [
        *rows,
        town.skyline(seen, 33, 6.2, h + 0.08, 0.46),
        land.ground(seen, 41, 6.0, h + 0.07, pave, road=not drives(seen)),
        *([land.lane(seen, 43, 2.8, h + 0.16, h + 0.31)] if drives(seen) else []),
    ]


def _desert(seen: Look) -> list[Piece]:
    h = seen.horizon
    rows = ((18.0, 0.02, 0.06), (10.0, 0.07, 0.09), (5.5, 0.15, 0.11), (3.0, 0.27, 0.13), (1.7, 0.42, 0.12))
    sand = [land.dunes(seen, 31 + i, d, h + b, t) for i, (d, b, t) in enumerate(rows)]
    if seen.scene.ground == "road" and drives(seen):
        return [*sand[:4], land.lane(seen, 43, 2.8, h + 0.16, h + 0.31)]
    if seen.scene.ground == "road":
        return [
            *sand[:2],
            land.ground(
                seen,
                41,
                6.0,
                h + 0.03,
                land.tone(seen, 3.0, rgb("#c99a68") * (0.4 if seen.dark else 0.85)),
                road=True,
            ),
        ]
    return sand


def _canyon(seen: Look) -> list[Piece]:
    h = seen.horizon
    return [
        land.mesas(seen, 31, 20.0, h + 0.02, 0.22),
        land.mesas(seen, 32, 11.0, h + 0.08, 0.24),
        land.dunes(seen, 33, 5.0, h + 0.15, 0.05),
        land.dunes(seen, 34, 2.4, 0.95, 0.10),
    ]


def _mars(seen: Look) -> list[Piece]:
    h = seen.horizon
    return [
        land.peaks(seen, 30, 28.0, h + 0.02, 0.16, 0.0),
        land.mesas(seen, 31, 18.0, h + 0.03, 0.15),
        land.dunes(seen, 33, 9.0, h + 0.06, 0.05),
        land.dunes(seen, 34, 4.6, h + 0.16, 0.07),
        land.dunes(seen, 35, 2.2, 0.97, 0.09),
        air.flying(seen, "dust", 57, 3.0),
    ]


def _sea(seen: Look) -> list[Piece]:
    return foot(seen, "sea")


def _beach(seen: Look) -> list[Piece]:
    palms = [
        put(seen, "palm", "", 120, at=(-0.72, 0.93), size=0.74, depth=2.1),
        put(seen, "palm", "", 121, at=(0.86, 0.90), size=0.62, depth=2.15),
    ]
    waves = foot(on(seen, ground="surf"))
    return [
        land.hills(seen, 30, 26.0, seen.horizon + 0.005, 0.05),
        *waves,
        land.dunes(seen, 46, 2.2, 0.92, 0.06),
        *palms,
    ]


def _island(seen: Look) -> list[Piece]:
    h = seen.horizon
    palms = [
        put(seen, "palm", "", 120 + i, at=(x, h + 0.03), size=s, depth=9.4)
        for i, (x, s) in enumerate(((-0.16, 0.24), (0.02, 0.29), (0.13, 0.22)))
    ]
    rock = land.hills(seen, 34, 24.0, h + 0.01, 0.10)
    return [
        rock,
        put(seen, "isle", "", 119, at=(0.0, h + 0.03), size=0.5, depth=9.3),
        *palms,
        *foot(seen, "lake"),
    ]


def _lake(seen: Look) -> list[Piece]:
    h = seen.horizon
    snow = 0.7 if seen.scene.season == "winter" else 0.25
    back = (
        land.peaks(seen, 31, 22.0, h + 0.03, 0.34, snow)
        if seen.scene.digest % 2
        else land.hills(seen, 31, 20.0, h + 0.02, 0.20)
    )
    return [back, land.hills(seen, 32, 13.0, h + 0.03, 0.12), *foot(seen, "lake")]


def _volcano(seen: Look) -> list[Piece]:
    h = seen.horizon
    cone = put(seen, "volcano", "", 118, at=(0.0, h + 0.06), size=0.5, depth=15.0)
    fire = town.glow(seen, 36, 14.8, (0.0, h - 0.48 / (seen.frame[1] / seen.unit)), 0.22, "#ff7a2f", 0.85)
    return [
        land.peaks(seen, 31, 24.0, h + 0.03, 0.16, 0.0),
        cone,
        fire,
        land.peaks(seen, 32, 10.0, h + 0.10, 0.12, 0.0),
        *foot(seen),
    ]


def _waterfall(seen: Look) -> list[Piece]:
    h = seen.horizon
    dice = seen.noise(19)
    middle, half = float(dice.uniform(-0.25, 0.25)), float(dice.uniform(0.10, 0.17))
    top = 0.20
    high = (h + 0.10 - top) * seen.frame[1] / seen.unit
    leaf = mix(seen.land, rgb("#4f7a3a"), 0.5) * (0.4 if seen.dark else 1.0)
    return [
        land.peaks(seen, 31, 24.0, 0.30, 0.16, 0.1),
        plants.trees(seen, 30, 11.0, top + 0.05, 0.10, "round", leaf),
        land.cliff(seen, 32, 10.0, h + 0.10, high, (middle, half)),
        water.falls(seen, 33, 9.6, (middle, top + 0.1 * (h + 0.10 - top), h + 0.075, half)),
        water.falls(seen, 34, 9.7, (middle + half * 2.6, top + 0.01, h + 0.07, half * 0.22)),
        air.fog(seen, 37, 9.3, h + 0.05, 0.62),
        *foot(on(seen, ground="lake"), "lake"),
        air.fog(seen, 38, 8.8, h + 0.055, 0.45),
        plants.trees(seen, 35, 2.4, 1.06, 0.30, "leaves", leaf * 0.7),
    ]


def _arctic(seen: Look) -> list[Piece]:
    h = seen.horizon
    ice = on(seen, season="winter")
    return [
        land.peaks(ice, 31, 20.0, h + 0.03, 0.22, 1.0),
        land.peaks(ice, 32, 10.0, h + 0.03, 0.09, 1.2),
        water.mirror(seen, h + 0.03, 9.9, calm=0.75),
        water.glitter(seen, 72, 8.0, h + 0.03, 0.5),
        land.hills(ice, 53, 2.4, 0.98, 0.12, rgb("#dfeaf5") * (0.4 if seen.dark else 0.9)),
    ]


def _cave(seen: Look) -> list[Piece]:
    return [
        *_lake(seen),
        sky.beams(seen, 35, origin=(seen.sun[0], -0.1), strength=0.35, colour=seen.light),
        town.hole(seen, 1.5, "cave"),
    ]


def _clouds(seen: Look) -> list[Piece]:
    rows = [
        sky.cloud(seen, 22 + 2 * i, d, thick=0.9, low=b, speed=0.01 + 0.02 / d)
        for i, (d, b) in enumerate(((30.0, 0.86), (14.0, 1.0), (6.0, 1.2)))
    ]
    return [
        land.peaks(seen, 31, 34.0, 0.78, 0.2, 0.6),
        air.fog(seen, 38, 32.0, 0.76, 0.9),
        *rows,
        air.fog(seen, 37, 5.0, 1.02, 1.2),
    ]


PLACES: dict[str, Callable[[Look], list[Piece]]] = {
    "mountains": _mountains,
    "hills": _hills,
    "forest": _forest,
    "fields": _fields,
    "village": _village,
    "city": _city,
    "neon": _city,
    "desert": _desert,
    "canyon": _canyon,
    "sea": _sea,
    "beach": _beach,
    "island": _island,
    "lake": _lake,
    "space": inside.space,
    "underwater": inside.underwater,
    "volcano": _volcano,
    "waterfall": _waterfall,
    "arctic": _arctic,
    "room": inside.room,
    "cafe": inside.cafe,
    "cave": _cave,
    "stage": inside.stage,
    "studio": inside.studio,
    "macro": inside.macro,
    "abstract": inside.nothing,
    "mars": _mars,
    "snowfield": lambda seen: _mountains(on(seen, season="winter")),
    "clouds": _clouds,
}
