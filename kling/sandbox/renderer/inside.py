"""Places without open land: rooms, stages, space, under water, and abstract pictures."""

from __future__ import annotations

import numpy as np

from kling.sandbox.renderer import abstract, air, land, plants, sky, town, water
from kling.sandbox.renderer.canvas import Piece
from kling.sandbox.renderer.cast import put
from kling.sandbox.renderer.figures import figures
from kling.sandbox.renderer.grounds import sky_pieces
from kling.sandbox.renderer.look import Look, mix, rgb


def space(look: Look) -> list[Piece]:
    """Stars, gas, a planet and its moon."""
    dice = look.noise(8)
    side = 1.0 if dice.random() < 0.5 else -1.0
    named = bool(look.scene.subjects)
    half = look.frame[0] / look.unit / 2
    planet = sky.planet(
        look,
        41,
        at=(side * half * 0.42, 0.66 if named else 0.54),
        radius=0.46 if named else 0.36,
        depth=18.0,
        ring=look.scene.air == "ring" or (look.scene.digest % 3 == 0 and look.scene.form != "earth"),
    )
    moon = sky.planet(look, 42, at=(-side * half * 0.62, 0.24), radius=0.075, depth=26.0, ring=False)
    return [
        sky.sky(look),
        sky.nebula(look, 33),
        sky.stars(look, 3, 1.6, 4.0),
        sky.stars(look, 4, 1.3, 4.0),
        moon,
        planet,
    ]


def underwater(look: Look) -> list[Piece]:
    """Light from above, and a reef."""
    rays = [
        sky.beams(look, 35 + i, origin=(look.sun[0], -0.35), strength=0.42, colour=look.light)
        for i in range(2)
    ]
    floor = [
        land.hills(look, 31, 14.0, 0.90, 0.18, mix(look.land, look.sky[2], 0.6)),
        plants.trees(look, 32, 7.0, 0.97, 0.13, "round", mix(look.land, rgb("#a8466a"), 0.35)),
        land.hills(look, 33, 4.0, 1.00, 0.12, mix(look.land, look.sky[2], 0.2)),
        plants.grass(look, 34, 2.0, 1.04, 0.22, "#e8705f", "#1f6a5c"),
    ]
    return [water.below(look), *rays, *floor, air.flying(look, "bubbles", 55, 3.5)]


HEARTH = {"xmastree", "fireplace", "sofa", "shelf", "potted"}
# The furniture of a room that the prompt does not furnish: left and right of the window.
FURNITURE = (("shelf", "potted"), ("potted", "sofa"), ("sofa", "shelf"), ("fireplace", "potted"))


def room(look: Look) -> list[Piece]:
    """A wall with a window, a floor, and furniture on both sides."""
    paints = ("#8a6a54", "#6f7a6a", "#7a6470", "#5f7280")
    tone = rgb(look.scene.tint or paints[look.scene.digest % 4]) * (0.42 if look.dark else 0.85)
    wide = look.frame[0] / look.unit
    half = min(0.42, wide * 0.36)
    named = {name for name, _ in look.scene.subjects}
    # Where something small lies, a table stands in front, and no furniture hides it.
    laid = any(figures()[name].get("small") for name in named)
    cloth = rgb(("#d8cbb4", "#c8a878", "#a8b4b0")[look.scene.digest // 5 % 3]) * (0.5 if look.dark else 0.95)
    pair = FURNITURE[3 if look.scene.season == "winter" else look.scene.digest % 4]
    standing = [
        put(look, name, "", 130 + i, at=(side * wide * 0.40, 0.765), size=0.46, depth=3.6)
        for i, (name, side) in enumerate(zip(pair, (-1, 1), strict=True))
        if name not in named and wide > 1.2 and not (side < 0 and named & HEARTH)
    ]
    return [
        *sky_pieces(look),
        *_outside(look),
        town.wall(look, tone, 4.0, (-half, 0.12, half, 0.56)),
        town.glow(look, 36, 3.2, (-0.62, 0.30), 0.5, "#ffc878", 0.5 if look.dark else 0.12),
        town.board(look, rgb("#7a4c2e") * (0.55 if look.dark else 0.95), 3.7, 0.70),
        *standing,
        *([town.board(look, cloth, 2.0, 0.76)] if laid else []),
        *fire_light(look, {*named, *pair} if wide > 1.2 else named),
    ]


def _outside(look: Look) -> list[Piece]:
    """The view from the window."""
    if look.scene.beyond in {"city", "neon"}:
        neon = look.scene.beyond == "neon"
        return [
            town.skyline(look, 30, 16.0, 0.60, 0.30, neon=neon),
            town.skyline(look, 31, 9.0, 0.64, 0.36, neon=neon),
        ]
    if look.scene.beyond in {"sea", "beach", "lake", "island"}:
        return [land.hills(look, 30, 26.0, 0.42, 0.04), water.mirror(look, 0.42, 20.0, calm=0.3)]
    back = land.peaks(look, 30, 20.0, 0.56, 0.3, 0.4) if look.scene.beyond == "mountains" else None
    return [back or land.hills(look, 30, 20.0, 0.56, 0.12), plants.trees(look, 31, 12.0, 0.60, 0.10, "round")]


def fire_light(look: Look, names: set[str]) -> list[Piece]:
    """The glow of a fireplace."""
    if "fireplace" not in names:
        return []
    side = (
        -0.40 * look.frame[0] / look.unit
        if not any(n == "fireplace" for n, _ in look.scene.subjects)
        else 0.0
    )
    return [town.glow(look, 39, 1.9, (side, 0.66), 0.5, "#ff9a4a", 0.42 if look.dark else 0.25)]


def cafe(look: Look) -> list[Piece]:
    """A table, and blurred lights behind it."""
    tone = rgb(look.scene.tint or ("#6a4632", "#3f5a5e", "#5a4256", "#6a5a3a")[look.scene.digest % 4])
    lights = ("#ffc878", "#ffdca8", "#ff9f5a", "#8fc8ff")
    return [
        town.wall(look, tone * (0.5 if look.dark else 0.9), 30.0, None),
        town.glow(look, 37, 20.0, (look.sun[0] * 0.6, 0.30), 0.8, "#ffd9a0", 0.45),
        town.bokeh(look, 33, 9.0, lights),
        town.bokeh(look, 34, 6.0, lights),
        town.board(look, rgb("#7a4c2e") * (0.6 if look.dark else 1.0), 2.0, 0.72),
    ]


def studio(look: Look) -> list[Piece]:
    """A softly lit backdrop that continues into the table without a seam."""
    paints = ("#c9b8a6", "#a8b8c0", "#c4a8ac", "#8f9a94")
    tone = rgb(look.scene.tint or paints[look.scene.digest % 4]) * 0.82
    low = mix(tone, np.ones(3, np.float32), 0.22) * 0.92
    return [
        town.floor(look, tone * 0.86, 30.0, -9.0),
        town.glow(
            look, 36, 20.0, (look.sun[0] * 0.5, 0.42), 0.95, "#fff4e2", 0.50 if tone.mean() > 0.2 else 0.16
        ),
        town.floor(look, low, 2.0, 0.70),
        town.glow(look, 37, 1.97, (0.0, 0.90), 0.45, "#fff4e2", 0.30),
    ]


def macro(look: Look) -> list[Piece]:
    """Blurred green plants."""
    lights = ("#c8e08a", "#8fc86a", "#f2f0b8", "#7ab85a")
    green = rgb(look.scene.tint or ("#3f6a34", "#4a7040", "#2f5f48")[look.scene.digest % 3])
    return [
        town.floor(look, green * 0.9, 30.0, -9.0),
        town.glow(look, 36, 20.0, (look.sun[0], 0.25), 0.9, "#f6f2c0", 0.6),
        town.bokeh(look, 33, 9.0, lights),
        town.bokeh(look, 34, 6.0, lights),
        plants.grass(look, 35, 3.2, 1.04, 0.20, "", "#5f9a45"),
    ]


def stage(look: Look) -> list[Piece]:
    """Boards, curtains and spotlights."""
    back = town.wall(look, rgb(look.scene.tint or "#3a2440") * 0.6, 9.0, None)
    rays = [
        sky.beams(look, 35 + i, origin=(x, -0.12), strength=0.5, colour=rgb("#ffe2b0"))
        for i, x in enumerate((-0.25, 0.25))
    ]
    return [
        back,
        *rays,
        town.board(look, rgb("#6a3f28") * 0.8, 3.4, 0.74),
        town.glow(look, 37, 3.3, (0.0, 0.82), 0.42, "#ffe2b0", 0.4),
        town.hole(look, 2.2, "stage"),
        air.flying(look, "dust", 57, 3.0),
    ]


def nothing(look: Look) -> list[Piece]:
    """An abstract picture: shapes, ink or smoke if the prompt names them, else silk."""
    if look.scene.form == "shapes":
        return [
            abstract.backdrop(look),
            *(abstract.silk(look, 300 + i, 30.0 - i) for i in range(2)),
            *(abstract.shape(look, 320 + i, 10.0 - 0.6 * i) for i in range(13)),
        ]
    if look.scene.form in {"ink", "smoke"}:
        clouds = [abstract.plume(look, 300 + 5 * i, 24.0 - 1.6 * i, 2 + i % 4) for i in range(9)]
        return [abstract.backdrop(look), *clouds]
    folds = [abstract.silk(look, 300 + i, 24.0 - 1.6 * i) for i in range(13)]
    return [abstract.backdrop(look), *folds, air.flying(look, "dust", 57, 3.0)]
