"""What a place is made of: for each, its painters with their distances and sizes, far to near."""

from __future__ import annotations

from collections.abc import Callable

from kling.sandbox.renderer import air, inside, land, plants, sky, town, water, wilds
from kling.sandbox.renderer.canvas import Piece
from kling.sandbox.renderer.cast import WATER, put
from kling.sandbox.renderer.grounds import drives, foot, on
from kling.sandbox.renderer.look import Look, mix, rgb


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
    if seen.scene.form == "terraces":
        return wilds.terraces(seen)
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
    rows = ((14.0, 0.02, 0.34), (8.0, 0.05, 0.36), (5.4, 0.10, 0.42))
    if seen.scene.ground in WATER:  # the wood ends where the water begins
        rows = ((14.0, 0.0, 0.30), (11.0, 0.01, 0.26), (9.2, 0.02, 0.20))
    tall = 0.55 if seen.scene.heaven == "stars" else 1.0
    back = [plants.trees(seen, 31 + i, d, h + b, t * tall, kind, leaf) for i, (d, b, t) in enumerate(rows)]
    light = (
        []
        if seen.dark or seen.gloom > 0.4
        else [sky.beams(seen, 35, origin=(seen.sun[0], seen.sun[1] - 0.2), strength=0.30, colour=seen.light)]
    )
    mist = [air.fog(seen, 37, 10.0, h, 0.35)]
    trunks = (
        []
        if seen.scene.ground in WATER | {"road"} or seen.scene.heaven == "stars"
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


def _park(seen: Look) -> list[Piece]:
    h, scene = seen.horizon, seen.scene
    leaf = {"autumn": "#c8702a", "winter": "#9fb0bc"}.get(scene.season, "#4f8a3e")
    lawn = {"autumn": "#a89a48", "winter": "#e4ebf2"}.get(scene.season, "#6fa04a")
    level = {"noon": 0.9, "dawn": 0.75, "dusk": 0.5, "night": 0.22}[scene.time]
    blooms = scene.air == "petals" or scene.season == "spring"
    near = (
        (-0.66, 0.86, 0.50, 3.4),
        (0.64, 0.82, 0.42, 3.8),
        (-0.24, 0.76, 0.26, 5.0),
        (0.30, 0.75, 0.24, 5.2),
    )
    wide = seen.frame[0] / seen.unit / 2
    named = {name for name, _ in scene.subjects}
    return [
        plants.trees(seen, 32, 12.0, h + 0.03, 0.20, "round", rgb(leaf) * level * 0.9),
        plants.trees(seen, 33, 8.0, h + 0.05, 0.13, "round", rgb(leaf) * level),
        land.ground(seen, 41, 6.0, h + 0.04, rgb(lawn) * level, road="path"),
        *(
            put(
                seen,
                "cherry" if blooms else "tree",
                "" if blooms else leaf,
                120 + i,
                at=(x * wide, y),
                size=s,
                depth=d,
            )
            for i, (x, y, s, d) in enumerate(near)
        ),
        *(
            []
            if "bench" in named
            else [put(seen, "bench", "", 129, at=(0.42 * wide, 0.87), size=0.17, depth=3.2)]
        ),
        plants.grass(seen, 76, 1.5, 1.05, 0.09),
    ]


def _stadium(seen: Look) -> list[Piece]:
    h, wide = seen.horizon, seen.frame[0] / seen.unit / 2
    level = max({"noon": 0.95, "dawn": 0.8, "dusk": 0.65, "night": 0.5}[seen.scene.time], 0.5)
    lawn = rgb("#dfe9f0" if seen.scene.season == "winter" else "#4f9a45")  # or ice
    masts = [
        put(seen, "floodlight", "", 120 + i, at=(x * wide, h + 0.06), size=0.42, depth=9.5)
        for i, x in enumerate((-0.8, 0.8))
    ]
    lights = [
        town.glow(
            seen,
            126 + i,
            9.4,
            (x * wide, h + 0.06 - 0.42 * seen.unit / seen.frame[1]),
            0.3,
            "#f4f8ff",
            0.6 if seen.scene.time in {"night", "dusk"} or seen.gloom else 0.1,
        )
        for i, x in enumerate((-0.8, 0.8))
    ]
    return [
        *masts,
        put(seen, "grandstand", "", 123, at=(0.0, h + 0.075), size=0.24, depth=9.0),
        *lights,
        land.ground(seen, 41, 6.0, h + 0.07, lawn * level),
        *([land.lane(seen, 43, 2.8, h + 0.16, h + 0.31)] if drives(seen) else []),
        *([] if seen.scene.season == "winter" else [plants.grass(seen, 76, 1.5, 1.06, 0.08, "", "#4f9a45")]),
    ]


def _village(seen: Look) -> list[Piece]:
    h = seen.horizon
    houses = [
        put(
            seen,
            "house",
            "#f2efe8" if "#f2efe8" in seen.scene.inks else "",
            100 + i,
            at=(x, h + 0.085 + 0.02 * (i % 2)),
            size=0.115,
            depth=7.0 - 0.1 * i,
        )
        for i, x in enumerate((-0.62, -0.38, -0.12, 0.14, 0.40, 0.66))
    ]
    church = put(seen, "church", "", 110, at=(0.03, h + 0.07), size=0.22, depth=7.4)
    snow = 0.75 if seen.scene.season == "winter" else 0.3
    alps = [land.peaks(seen, 30, 24.0, h + 0.03, 0.42, snow)] if seen.scene.beyond == "mountains" else []
    return [
        *alps,
        land.hills(seen, 31, 20.0, h + 0.01, 0.18 if not alps else 0.10),
        land.hills(seen, 32, 9.0, h + 0.07, 0.07),
        church,
        *houses,
        *foot(seen),
    ]


def _city(seen: Look) -> list[Piece]:
    h, neon = seen.horizon, seen.scene.place == "neon"
    far = {"mountains": [land.peaks(seen, 30, 30.0, h + 0.03, 0.66, 0.9)]}.get(seen.scene.beyond, [])
    rows = [
        *far,
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
        land.ground(seen, 41, 6.0, h + 0.07, pave, road="" if drives(seen) else "road"),
        *([land.lane(seen, 43, 2.8, h + 0.16, h + 0.31)] if drives(seen) else []),
    ]


def _desert(seen: Look) -> list[Piece]:
    h = seen.horizon
    rows = ((18.0, 0.02, 0.06), (10.0, 0.07, 0.09), (5.5, 0.15, 0.11), (3.0, 0.27, 0.13), (1.7, 0.42, 0.12))
    sand = [land.dunes(seen, 31 + i, d, h + b, t) for i, (d, b, t) in enumerate(rows)]
    if seen.scene.ground in WATER:
        return [*sand[:3], *wilds.oasis(seen), *sand[4:]]
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
                road="road",
            ),
        ]
    return sand


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


PLACES: dict[str, Callable[[Look], list[Piece]]] = {
    "mountains": _mountains,
    "hills": _hills,
    "forest": _forest,
    "fields": _fields,
    "village": _village,
    "city": _city,
    "neon": _city,
    "desert": _desert,
    "canyon": wilds.canyon,
    "sea": _sea,
    "beach": _beach,
    "island": _island,
    "lake": wilds.lake,
    "moon": wilds.moon,
    "park": _park,
    "stadium": _stadium,
    "space": inside.space,
    "underwater": inside.underwater,
    "volcano": wilds.volcano,
    "waterfall": wilds.waterfall,
    "arctic": wilds.arctic,
    "room": inside.room,
    "cafe": inside.cafe,
    "cave": wilds.cave,
    "stage": inside.stage,
    "studio": inside.studio,
    "macro": inside.macro,
    "abstract": inside.nothing,
    "mars": wilds.mars,
    "snowfield": lambda seen: _mountains(on(seen, season="winter")),
    "clouds": wilds.clouds,
}
