"""What a place is made of: for each, its painters with their distances and sizes, far to near."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from kling.sandbox.draw import air, land, sky, town, water
from kling.sandbox.draw.canvas import Piece
from kling.sandbox.draw.cast import WATER, put
from kling.sandbox.draw.figures import figures
from kling.sandbox.draw.look import Look, mix, rgb


def heavens(seen: Look) -> list[Piece]:
    """The sky and what is in it."""
    scene = seen.scene
    pieces = [sky.sky(seen)]
    if scene.time == "night" and seen.gloom < 0.4:
        pieces += [sky.stars(seen, 3, 0.8), sky.stars(seen, 4, 0.7)]
    if scene.air == "aurora":
        pieces += [
            sky.aurora(seen, 5, "#3fffa8"),
            sky.aurora(seen, 6, "#4ad0ff"),
            sky.aurora(seen, 7, "#6affc0"),
        ]
    thick = 0.55 + seen.gloom if scene.weather != "clear" else 0.30
    if scene.place == "clouds":
        return [*pieces, sky.cloud(seen, 21, 60.0, thick=0.35, low=seen.horizon)]
    if scene.weather != "fog" and scene.air != "aurora":
        pieces.append(sky.cloud(seen, 21, 60.0, thick=thick, low=seen.horizon + 0.02))
    if scene.weather in {"rain", "storm", "cloudy"}:
        pieces.append(sky.cloud(seen, 23, 45.0, thick=thick - 0.2, low=0.42, speed=0.022))
    if scene.weather == "storm":
        pieces.append(air.lightning(seen))
    if scene.air == "rainbow":
        pieces.append(sky.rainbow(seen))
    return pieces


def _foot(seen: Look, base: str = "") -> list[Piece]:  # noqa: PLR0911 - one return a kind of ground
    """What lies before the land in the back, from the horizon to the camera."""
    scene, h = seen.scene, seen.horizon
    white = (
        mix(rgb("#e8eef6"), seen.haze, 0.35)
        * {"noon": 1.0, "dawn": 0.92, "dusk": 0.72, "night": 0.38}[scene.time]
    )
    snowy = scene.season == "winter"
    kind = scene.ground if scene.ground and not (scene.ground == "snow" and base in WATER) else base
    if scene.place in {"sea", "island", "lake"}:
        kind = scene.place if scene.place != "island" else "lagoon"
    if kind in {"lake", "river", "lagoon"}:
        calm = 0.85 if scene.weather in {"clear", "fog"} else 0.4
        shore = (
            land.trees(seen, 71, 9.0, h + 0.02, 0.07, "pine")
            if scene.place in {"mountains", "forest", "lake", "hills"}
            else land.hills(seen, 71, 9.0, h + 0.02, 0.03)
        )
        near = [
            land.hills(seen, 75, 2.6, 1.02, 0.10, white if snowy else None),
            land.grass(seen, 76, 1.6, 1.04, 0.13),
        ]
        return [
            shore,
            water.mirror(seen, h + 0.025, 8.9, calm=calm),
            water.glitter(seen, 72, 8.0, h + 0.03, 0.5),
            water.glitter(seen, 73, 7.0, h + 0.03, 0.5),
            *(near if kind != "lagoon" else []),
        ]
    if kind in {"sea", "surf"}:
        wild = 2.2 if scene.weather == "storm" else 1.0
        waves = [
            water.wave(seen, 80 + i, d, h + b, t * wild)
            for i, (d, b, t) in enumerate(
                (
                    (11, 0.045, 0.016),
                    (7.5, 0.095, 0.026),
                    (5, 0.165, 0.042),
                    (3.3, 0.265, 0.065),
                    (2.1, 0.40, 0.10),
                )
            )
        ]
        return [
            water.mirror(seen, h, 20.0, calm=0.25),
            water.glitter(seen, 72, 19.0, h, 0.7),
            *waves[: 4 if kind == "surf" else 5],
        ]
    if kind in {"road", "track"}:
        colour = white if snowy else land.tone(seen, 3.0)
        if drives(seen):
            return [
                land.ground(seen, 41, 6.0, h, colour),
                land.lane(seen, 43, 2.8, h + 0.16, h + 0.31),
                land.grass(seen, 76, 1.5, 1.05, 0.10),
            ]
        return [land.ground(seen, 41, 6.0, h, colour, road=True), land.grass(seen, 76, 1.5, 1.05, 0.10)]
    if kind in {"flowers", "wheat"}:
        plant = ("#e0483c", "#e9c13a", "#8f6ae0", "#f2efe8", "#ee8fb4")[scene.digest % 5]
        stalk = "#c79a3e" if kind == "wheat" else "#5f9a45"
        tint = "" if kind == "wheat" else scene.tint or plant
        rows = ((7.0, 0.02, 0.03), (4.6, 0.10, 0.05), (3.2, 0.20, 0.08), (2.3, 0.32, 0.11), (1.6, 0.46, 0.16))
        return [land.grass(seen, 40 + i, d, h + b, t, tint, stalk) for i, (d, b, t) in enumerate(rows)]
    if kind == "sand":
        return [land.dunes(seen, 45, 4.5, h + 0.12, 0.05), land.dunes(seen, 46, 2.2, 0.95, 0.12)]
    if kind == "snow" or snowy:
        return [
            land.hills(seen, 51, 4.8, h + 0.14, 0.06, white),
            land.hills(seen, 52, 2.6, 0.90, 0.10, white),
            land.hills(seen, 53, 1.6, 1.04, 0.10, white * 0.94),
        ]
    return [
        land.hills(seen, 51, 4.8, h + 0.14, 0.08),
        land.hills(seen, 52, 2.7, 0.90, 0.11),
        land.grass(seen, 53, 1.6, 1.03, 0.13),
    ]


def drives(seen: Look) -> bool:
    """Whether something drives by: then the road runs from side to side."""
    return any(figures()[name]["way"] == "drive" for name, _ in seen.scene.subjects)


def open_land(seen: Look) -> list[Piece]:
    """Nothing but what lies before it."""
    return [land.hills(seen, 31, 16.0, seen.horizon + 0.02, 0.04), *_foot(seen)]


def _mountains(seen: Look) -> list[Piece]:
    h = seen.horizon
    snow = 0.75 if seen.scene.season == "winter" else 0.28
    return [
        land.peaks(seen, 31, 24.0, h + 0.03, 0.40, snow),
        land.peaks(seen, 32, 14.0, h + 0.06, 0.24, snow - 0.12),
        land.trees(seen, 33, 8.5, h + 0.08, 0.06, "pine"),
        *_foot(seen),
    ]


def _hills(seen: Look) -> list[Piece]:
    h = seen.horizon
    return [
        land.hills(seen, 31, 20.0, h + 0.01, 0.16),
        land.hills(seen, 32, 12.0, h + 0.04, 0.13),
        land.trees(seen, 33, 7.5, h + 0.08, 0.05, "round"),
        *_foot(seen),
    ]


def _forest(seen: Look) -> list[Piece]:
    h = seen.horizon
    kind = "round" if seen.scene.season in {"autumn", "spring"} else "pine"
    leaf = {"autumn": rgb("#b8622a"), "spring": rgb("#8aa85a")}.get(seen.scene.season)
    if leaf is not None:
        leaf = leaf * (0.3 if seen.dark else 0.85)
    back = [
        land.trees(seen, 31, 14.0, h + 0.02, 0.34, kind, leaf),
        land.trees(seen, 32, 8.0, h + 0.05, 0.36, kind, leaf),
        land.trees(seen, 33, 5.4, h + 0.10, 0.42, kind, leaf),
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
        else [land.trees(seen, 34, 3.0, 0.84, 0.36, "trunk", seen.land * 0.6)]
    )
    return [*back, *light, *mist, *_foot(seen), *trunks]


def _fields(seen: Look) -> list[Piece]:
    h = seen.horizon
    base = "flowers" if seen.scene.season in {"spring", "summer"} and seen.scene.digest % 2 else ""
    return [
        land.hills(seen, 31, 20.0, h + 0.01, 0.09),
        land.trees(seen, 33, 12.0, h + 0.03, 0.045, "round"),
        *_foot(seen, base),
    ]


def _village(seen: Look) -> list[Piece]:
    h = seen.horizon
    houses = [
        put(seen, "house", "", 100 + i, at=(x, h + 0.085 + 0.02 * (i % 2)), size=0.115, depth=7.0 - 0.1 * i)
        for i, x in enumerate((-0.62, -0.38, -0.12, 0.14, 0.40, 0.66))
    ]
    church = put(seen, "tower", "", 110, at=(0.03, h + 0.07), size=0.22, depth=7.4)
    return [
        land.hills(seen, 31, 20.0, h + 0.01, 0.18),
        land.hills(seen, 32, 9.0, h + 0.07, 0.07),
        church,
        *houses,
        *_foot(seen),
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


def _sea(seen: Look) -> list[Piece]:
    return _foot(seen, "sea")


def _beach(seen: Look) -> list[Piece]:
    palms = [
        put(seen, "palm", "", 120, at=(-0.72, 0.93), size=0.74, depth=2.1),
        put(seen, "palm", "", 121, at=(0.86, 0.90), size=0.62, depth=2.15),
    ]
    waves = _foot(_with(seen, ground="surf"))
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
        *_foot(seen, "lake"),
    ]


def _lake(seen: Look) -> list[Piece]:
    h = seen.horizon
    snow = 0.7 if seen.scene.season == "winter" else 0.25
    back = (
        land.peaks(seen, 31, 22.0, h + 0.03, 0.34, snow)
        if seen.scene.digest % 2
        else land.hills(seen, 31, 20.0, h + 0.02, 0.20)
    )
    return [back, land.hills(seen, 32, 13.0, h + 0.03, 0.12), *_foot(seen, "lake")]


def _space(seen: Look) -> list[Piece]:
    dice = seen.noise(8)
    side = 1.0 if dice.random() < 0.5 else -1.0
    named = bool(seen.scene.subjects)
    half = seen.frame[0] / seen.unit / 2
    planet = sky.planet(
        seen,
        41,
        at=(side * half * 0.42, 0.66 if named else 0.54),
        radius=0.46 if named else 0.36,
        depth=18.0,
        ring=seen.scene.air == "ring" or seen.scene.digest % 3 == 0,
    )
    moon = sky.planet(seen, 42, at=(-side * half * 0.62, 0.24), radius=0.075, depth=26.0, ring=False)
    return [
        sky.sky(_with(seen)),
        sky.nebula(seen, 33),
        sky.stars(seen, 3, 1.6, 4.0),
        sky.stars(seen, 4, 1.3, 4.0),
        moon,
        planet,
    ]


def _underwater(seen: Look) -> list[Piece]:
    rays = [
        sky.beams(seen, 35 + i, origin=(seen.sun[0], -0.35), strength=0.42, colour=seen.light)
        for i in range(2)
    ]
    floor = [
        land.hills(seen, 31, 14.0, 0.90, 0.18, mix(seen.land, seen.sky[2], 0.6)),
        land.trees(seen, 32, 7.0, 0.97, 0.13, "round", mix(seen.land, rgb("#a8466a"), 0.35)),
        land.hills(seen, 33, 4.0, 1.00, 0.12, mix(seen.land, seen.sky[2], 0.2)),
        land.grass(seen, 34, 2.0, 1.04, 0.22, "#e8705f", "#1f6a5c"),
    ]
    return [water.below(seen), *rays, *floor, air.flying(seen, "bubbles", 55, 3.5)]


def _volcano(seen: Look) -> list[Piece]:
    h = seen.horizon
    cone = put(seen, "volcano", "", 118, at=(0.0, h + 0.06), size=0.5, depth=15.0)
    fire = town.glow(seen, 36, 14.8, (0.0, h - 0.48 / (seen.frame[1] / seen.unit)), 0.22, "#ff7a2f", 0.85)
    return [
        land.peaks(seen, 31, 24.0, h + 0.03, 0.16, 0.0),
        cone,
        fire,
        land.peaks(seen, 32, 10.0, h + 0.10, 0.12, 0.0),
        *_foot(seen),
    ]


def _waterfall(seen: Look) -> list[Piece]:
    h = seen.horizon
    fall = put(seen, "waterfall", "", 117, at=(0.0, h + 0.10), size=0.78, depth=9.4)
    return [
        land.peaks(seen, 31, 22.0, h + 0.03, 0.36, 0.1),
        land.mesas(seen, 32, 12.0, h + 0.06, 0.30),
        fall,
        land.trees(seen, 33, 9.2, h + 0.05, 0.08, "pine"),
        air.fog(seen, 37, 9.1, h + 0.06, 0.5),
        *_foot(seen, "lake"),
    ]


def _arctic(seen: Look) -> list[Piece]:
    h = seen.horizon
    ice = _with(seen, season="winter")
    return [
        land.peaks(ice, 31, 20.0, h + 0.03, 0.22, 1.0),
        land.peaks(ice, 32, 10.0, h + 0.03, 0.09, 1.2),
        water.mirror(seen, h + 0.03, 9.9, calm=0.75),
        water.glitter(seen, 72, 8.0, h + 0.03, 0.5),
        land.hills(ice, 53, 2.4, 0.98, 0.12, rgb("#dfeaf5") * (0.4 if seen.dark else 0.9)),
    ]


def _indoors(seen: Look) -> list[Piece]:
    night, cafe = seen.dark, seen.scene.place == "cafe"
    paints = ("#8a6a54", "#6f7a6a", "#7a6470", "#5f7280")
    tone = rgb(seen.scene.tint or paints[seen.scene.digest % 4]) * (0.42 if night else 0.85)
    wood = rgb("#7a4c2e") * (0.55 if night else 0.95)
    lamp = town.glow(seen, 36, 3.2, (-0.45, 0.22), 0.55, "#ffc878", 0.5 if night else 0.12)
    table = [town.board(seen, wood, 2.0, 0.72)]
    if cafe:
        lights = ("#ffc878", "#ffdca8", "#ff9f5a", "#8fc8ff")
        return [
            sky.sky(seen),
            land.hills(seen, 31, 30.0, 0.62, 0.02, tone * 0.6),
            air.fog(seen, 32, 20.0, 0.56, 0.9),
            town.bokeh(seen, 33, 9.0, lights),
            lamp,
            *table,
        ]
    half = min(0.42, seen.frame[0] / seen.unit * 0.36)
    outside = land.hills(seen, 30, 20.0, 0.56, 0.12)
    return [
        *heavens(seen),
        outside,
        land.trees(seen, 31, 12.0, 0.60, 0.10, "round"),
        town.wall(seen, tone, 4.0, (-half, 0.14, half, 0.60)),
        lamp,
        *table,
    ]


def _stage(seen: Look) -> list[Piece]:
    back = town.wall(seen, rgb(seen.scene.tint or "#3a2440") * 0.6, 9.0, None)
    rays = [
        sky.beams(seen, 35 + i, origin=(x, -0.12), strength=0.5, colour=rgb("#ffe2b0"))
        for i, x in enumerate((-0.25, 0.25))
    ]
    return [
        back,
        *rays,
        town.board(seen, rgb("#6a3f28") * 0.8, 3.4, 0.74),
        town.glow(seen, 37, 3.3, (0.0, 0.82), 0.42, "#ffe2b0", 0.4),
        town.hole(seen, 2.2, "stage"),
        air.flying(seen, "dust", 57, 3.0),
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


def _with(seen: Look, **change: Any) -> Look:
    """The same light on another scene."""
    return replace(seen, scene=replace(seen.scene, **change)) if change else seen


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
    "space": _space,
    "underwater": _underwater,
    "volcano": _volcano,
    "waterfall": _waterfall,
    "arctic": _arctic,
    "room": _indoors,
    "cafe": _indoors,
    "cave": _cave,
    "stage": _stage,
    "clouds": _clouds,
}
