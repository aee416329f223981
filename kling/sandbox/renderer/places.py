"""The places of the lexicon. A place is a list of painters with their distances and sizes, far to near."""

from __future__ import annotations

from collections.abc import Callable

from kling.sandbox.renderer import air, inside, land, plants, sky, town, water, wilds
from kling.sandbox.renderer.canvas import Piece
from kling.sandbox.renderer.cast import WATER, put
from kling.sandbox.renderer.grounds import foreground, has_vehicle, with_scene
from kling.sandbox.renderer.look import Look, mix, rgb


def open_land(look: Look) -> list[Piece]:
    """Hills, and the ground before them."""
    return [land.hills(look, 31, 16.0, look.horizon + 0.02, 0.04), *foreground(look)]


def _mountains(look: Look) -> list[Piece]:
    h = look.horizon
    snow = 0.75 if look.scene.season == "winter" else 0.28
    return [
        land.peaks(look, 31, 24.0, h + 0.03, 0.40, snow),
        land.peaks(look, 32, 14.0, h + 0.06, 0.24, snow - 0.12),
        plants.trees(look, 33, 8.5, h + 0.08, 0.06, "pine"),
        *foreground(look),
    ]


def _hills(look: Look) -> list[Piece]:
    h = look.horizon
    if look.scene.form == "terraces":
        return wilds.terraces(look)
    return [
        land.hills(look, 31, 20.0, h + 0.01, 0.16),
        land.hills(look, 32, 12.0, h + 0.04, 0.13),
        plants.trees(look, 33, 7.5, h + 0.08, 0.05, "round"),
        *foreground(look),
    ]


def _forest(look: Look) -> list[Piece]:
    h = look.horizon
    bamboo = look.scene.form == "bamboo"
    leafy = look.scene.season in {"autumn", "spring"} or look.scene.form == "jungle"
    kind = "bamboo" if bamboo else "round" if leafy else "pine"
    leaf = {"autumn": rgb("#b8622a"), "spring": rgb("#8aa85a")}.get(look.scene.season)
    if look.scene.form:
        leaf = rgb("#7fa24a") if bamboo else rgb("#3f7a3f")
    if leaf is not None:
        leaf = leaf * (0.3 if look.dark else 0.85)
    rows = ((14.0, 0.02, 0.34), (8.0, 0.05, 0.36), (5.4, 0.10, 0.42))
    if look.scene.ground in WATER:  # then the trees stand beyond the water
        rows = ((14.0, 0.0, 0.30), (11.0, 0.01, 0.26), (9.2, 0.02, 0.20))
    tall = 0.55 if look.scene.heaven == "stars" else 1.0
    back = [plants.trees(look, 31 + i, d, h + b, t * tall, kind, leaf) for i, (d, b, t) in enumerate(rows)]
    light = (
        []
        if look.dark or look.gloom > 0.4
        else [sky.beams(look, 35, origin=(look.sun[0], look.sun[1] - 0.2), strength=0.30, colour=look.light)]
    )
    mist = [air.fog(look, 37, 10.0, h, 0.35)]
    trunks = (
        []
        if look.scene.ground in WATER | {"road"} or look.scene.heaven == "stars"
        else [
            plants.trees(look, 34, 3.0, 0.84, 0.36, "trunk", look.land * 0.6)
            if not bamboo
            else plants.trees(
                look, 34, 3.0, 0.90, 0.5, "bamboo", rgb("#5f8a3a") * (0.3 if look.dark else 0.8)
            )
        ]
    )
    return [*back, *light, *mist, *foreground(look), *trunks]


def _fields(look: Look) -> list[Piece]:
    h = look.horizon
    green = look.scene.season in {"spring", "summer"} and look.scene.digest % 2
    base = "flowers" if green else "meadow" if look.scene.season != "winter" else ""
    return [
        land.hills(look, 31, 20.0, h + 0.01, 0.09),
        plants.trees(look, 33, 12.0, h + 0.03, 0.045, "round"),
        *foreground(look, base),
    ]


def _park(look: Look) -> list[Piece]:
    h, scene = look.horizon, look.scene
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
    wide = look.frame[0] / look.unit / 2
    named = {name for name, _ in scene.subjects}
    return [
        plants.trees(look, 32, 12.0, h + 0.03, 0.20, "round", rgb(leaf) * level * 0.9),
        plants.trees(look, 33, 8.0, h + 0.05, 0.13, "round", rgb(leaf) * level),
        land.ground(look, 41, 6.0, h + 0.04, rgb(lawn) * level, road="path"),
        *(
            put(
                look,
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
            else [put(look, "bench", "", 129, at=(0.42 * wide, 0.87), size=0.17, depth=3.2)]
        ),
        plants.grass(look, 76, 1.5, 1.05, 0.09),
    ]


def _stadium(look: Look) -> list[Piece]:
    h, wide = look.horizon, look.frame[0] / look.unit / 2
    level = max({"noon": 0.95, "dawn": 0.8, "dusk": 0.65, "night": 0.5}[look.scene.time], 0.5)
    lawn = rgb("#dfe9f0" if look.scene.season == "winter" else "#4f9a45")  # snow or ice in winter
    masts = [
        put(look, "floodlight", "", 120 + i, at=(x * wide, h + 0.06), size=0.42, depth=9.5)
        for i, x in enumerate((-0.8, 0.8))
    ]
    lights = [
        town.glow(
            look,
            126 + i,
            9.4,
            (x * wide, h + 0.06 - 0.42 * look.unit / look.frame[1]),
            0.3,
            "#f4f8ff",
            0.6 if look.scene.time in {"night", "dusk"} or look.gloom else 0.1,
        )
        for i, x in enumerate((-0.8, 0.8))
    ]
    return [
        *masts,
        put(look, "grandstand", "", 123, at=(0.0, h + 0.075), size=0.24, depth=9.0),
        *lights,
        land.ground(look, 41, 6.0, h + 0.07, lawn * level),
        *([land.lane(look, 43, 2.8, h + 0.16, h + 0.31)] if has_vehicle(look) else []),
        *([] if look.scene.season == "winter" else [plants.grass(look, 76, 1.5, 1.06, 0.08, "", "#4f9a45")]),
    ]


def _village(look: Look) -> list[Piece]:
    h = look.horizon
    houses = [
        put(
            look,
            "house",
            "#f2efe8" if "#f2efe8" in look.scene.inks else "",
            100 + i,
            at=(x, h + 0.085 + 0.02 * (i % 2)),
            size=0.115,
            depth=7.0 - 0.1 * i,
        )
        for i, x in enumerate((-0.62, -0.38, -0.12, 0.14, 0.40, 0.66))
    ]
    church = put(look, "church", "", 110, at=(0.03, h + 0.07), size=0.22, depth=7.4)
    snow = 0.75 if look.scene.season == "winter" else 0.3
    alps = [land.peaks(look, 30, 24.0, h + 0.03, 0.42, snow)] if look.scene.beyond == "mountains" else []
    return [
        *alps,
        land.hills(look, 31, 20.0, h + 0.01, 0.18 if not alps else 0.10),
        land.hills(look, 32, 9.0, h + 0.07, 0.07),
        church,
        *houses,
        *foreground(look),
    ]


def _city(look: Look) -> list[Piece]:
    h, neon = look.horizon, look.scene.place == "neon"
    far = {"mountains": [land.peaks(look, 30, 30.0, h + 0.03, 0.66, 0.9)]}.get(look.scene.beyond, [])
    rows = [
        *far,
        town.skyline(look, 31, 16.0, h + 0.04, 0.34, neon=neon),
        town.skyline(look, 32, 9.0, h + 0.06, 0.42, neon=neon),
    ]
    wet = look.scene.weather in {"rain", "storm"} or neon or look.scene.ground in WATER
    if wet:
        code = "#ff5fb0" if neon else "#ffc880"
        return [
            *rows,
            town.skyline(look, 33, 6.0, h + 0.08, 0.5, neon=neon),
            water.mirror(look, h + 0.085, 5.9, calm=0.55),
            town.glow(look, 36, 5.8, (0.1, h), 0.5, code, 0.22),
            water.glitter(look, 72, 5.0, h + 0.09, 0.25),
        ]
    pave = mix(rgb("#44474f"), look.haze, 0.2) * (0.4 if look.dark else 0.9)
    return [
        *rows,
        town.skyline(look, 33, 6.2, h + 0.08, 0.46),
        land.ground(look, 41, 6.0, h + 0.07, pave, road="" if has_vehicle(look) else "road"),
        *([land.lane(look, 43, 2.8, h + 0.16, h + 0.31)] if has_vehicle(look) else []),
    ]


def _desert(look: Look) -> list[Piece]:
    h = look.horizon
    rows = ((18.0, 0.02, 0.06), (10.0, 0.07, 0.09), (5.5, 0.15, 0.11), (3.0, 0.27, 0.13), (1.7, 0.42, 0.12))
    sand = [land.dunes(look, 31 + i, d, h + b, t) for i, (d, b, t) in enumerate(rows)]
    if look.scene.ground in WATER:
        return [*sand[:3], *wilds.oasis(look), *sand[4:]]
    if look.scene.ground == "road" and has_vehicle(look):
        return [*sand[:4], land.lane(look, 43, 2.8, h + 0.16, h + 0.31)]
    if look.scene.ground == "road":
        return [
            *sand[:2],
            land.ground(
                look,
                41,
                6.0,
                h + 0.03,
                land.tone(look, 3.0, rgb("#c99a68") * (0.4 if look.dark else 0.85)),
                road="road",
            ),
        ]
    return sand


def _sea(look: Look) -> list[Piece]:
    return foreground(look, "sea")


def _beach(look: Look) -> list[Piece]:
    palms = [
        put(look, "palm", "", 120, at=(-0.72, 0.93), size=0.74, depth=2.1),
        put(look, "palm", "", 121, at=(0.86, 0.90), size=0.62, depth=2.15),
    ]
    waves = foreground(with_scene(look, ground="surf"))
    return [
        land.hills(look, 30, 26.0, look.horizon + 0.005, 0.05),
        *waves,
        land.dunes(look, 46, 2.2, 0.92, 0.06),
        *palms,
    ]


def _island(look: Look) -> list[Piece]:
    h = look.horizon
    palms = [
        put(look, "palm", "", 120 + i, at=(x, h + 0.03), size=s, depth=9.4)
        for i, (x, s) in enumerate(((-0.16, 0.24), (0.02, 0.29), (0.13, 0.22)))
    ]
    rock = land.hills(look, 34, 24.0, h + 0.01, 0.10)
    return [
        rock,
        put(look, "isle", "", 119, at=(0.0, h + 0.03), size=0.5, depth=9.3),
        *palms,
        *foreground(look, "lake"),
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
    "snowfield": lambda look: _mountains(with_scene(look, season="winter")),
    "clouds": wilds.clouds,
}
