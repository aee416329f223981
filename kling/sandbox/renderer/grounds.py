"""The parts that most places share: the sky, and the ground between the camera and the land in the back."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from kling.sandbox.renderer import air, land, plants, sky, water
from kling.sandbox.renderer.canvas import Piece
from kling.sandbox.renderer.cast import WATER
from kling.sandbox.renderer.figures import figures
from kling.sandbox.renderer.look import Look, mix, rgb


def sky_pieces(look: Look) -> list[Piece]:
    """The sky, with stars, clouds, aurora, lightning, fireworks or a rainbow."""
    scene = look.scene
    pieces = [sky.sky(look)]
    if scene.time == "night" and look.gloom < 0.4:
        many = 2.0 if scene.heaven == "stars" else 0.8
        pieces += [sky.stars(look, 3, many), sky.stars(look, 4, many)]
        if scene.heaven == "stars":
            pieces.append(sky.nebula(look, 9, "#8fa8e0", 0.45))
    if scene.air == "aurora":
        pieces += [
            sky.aurora(look, 5, "#3fffa8"),
            sky.aurora(look, 6, "#4ad0ff"),
            sky.aurora(look, 7, "#6affc0"),
        ]
    thick = 0.55 + look.gloom if scene.weather != "clear" else 0.30
    if scene.place == "clouds":
        return [*pieces, sky.cloud(look, 21, 60.0, thick=0.35, low=look.horizon)]
    if scene.weather != "fog" and scene.air != "aurora":
        pieces.append(sky.cloud(look, 21, 60.0, thick=thick, low=look.horizon + 0.02))
    if scene.weather in {"rain", "storm", "cloudy"}:
        pieces.append(sky.cloud(look, 23, 45.0, thick=thick - 0.2, low=0.42, speed=0.022))
    if scene.weather == "storm":
        pieces.append(air.lightning(look))
    if scene.air == "fireworks":
        pieces += [air.firework(look, 350 + i) for i in range(6)]
    if scene.air == "rainbow":
        pieces.append(sky.rainbow(look))
    return pieces


def foreground(look: Look, base: str = "") -> list[Piece]:  # noqa: PLR0911 - one return a kind of ground
    """The ground from the horizon to the camera: water, road, field, sand, snow or hills."""
    scene, h = look.scene, look.horizon
    white = (
        mix(rgb("#e8eef6"), look.haze, 0.35)
        * {"noon": 1.0, "dawn": 0.92, "dusk": 0.72, "night": 0.38}[scene.time]
    )
    snowy = scene.season == "winter"
    kind = scene.ground if scene.ground and not (scene.ground == "snow" and base in WATER) else base
    if scene.place in {"sea", "island", "lake"}:
        kind = scene.place if scene.place != "island" else "lagoon"
    if kind in {"lake", "river", "lagoon"}:
        calm = 0.85 if scene.weather in {"clear", "fog"} else 0.4
        shore = (
            plants.trees(look, 71, 9.0, h + 0.02, 0.07, "pine")
            if scene.place in {"mountains", "forest", "lake", "hills"}
            else land.hills(look, 71, 9.0, h + 0.02, 0.03)
        )
        near = [
            land.hills(look, 75, 2.6, 1.02, 0.10, white if snowy else None),
            plants.grass(look, 76, 1.6, 1.04, 0.13),
        ]
        return [
            shore,
            water.mirror(look, h + 0.025, 8.9, calm=calm),
            water.glitter(look, 72, 8.0, h + 0.03, 0.5),
            water.glitter(look, 73, 7.0, h + 0.03, 0.5),
            *(near if kind != "lagoon" else []),
        ]
    if kind in {"sea", "surf"}:
        wild = 2.2 if scene.weather == "storm" or scene.form == "swell" else 1.0
        waves = [
            water.wave(look, 80 + i, d, h + b, t * wild)
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
            water.mirror(look, h, 20.0, calm=0.25),
            water.glitter(look, 72, 19.0, h, 0.7),
            *waves[: 4 if kind == "surf" else 5],
        ]
    if kind in {"road", "track"}:
        colour = white if snowy else land.tone(look, 3.0)
        if has_vehicle(look):
            return [
                land.ground(look, 41, 6.0, h, colour),
                land.lane(look, 43, 2.8, h + 0.16, h + 0.31),
                plants.grass(look, 76, 1.5, 1.05, 0.10),
            ]
        return [land.ground(look, 41, 6.0, h, colour, road="road"), plants.grass(look, 76, 1.5, 1.05, 0.10)]
    if kind in {"flowers", "wheat", "meadow"}:
        plant = ("#e0483c", "#e9c13a", "#8f6ae0", "#f2efe8", "#ee8fb4")[scene.digest % 5]
        dry = kind == "wheat" or (kind == "meadow" and scene.season == "autumn")
        stalk = "#c79a3e" if dry else "#5f9a45"
        if any(name == "sunflower" for name, _ in scene.subjects):
            plant = "#f2c02e"
        tint = scene.tint or plant if kind == "flowers" else ""
        rows = ((7.0, 0.02, 0.03), (4.6, 0.10, 0.05), (3.2, 0.20, 0.08), (2.3, 0.32, 0.11), (1.6, 0.46, 0.16))
        return [plants.grass(look, 40 + i, d, h + b, t, tint, stalk) for i, (d, b, t) in enumerate(rows)]
    if kind == "sand":
        return [land.dunes(look, 45, 4.5, h + 0.12, 0.05), land.dunes(look, 46, 2.2, 0.95, 0.12)]
    if kind == "snow" or snowy:
        return [
            land.hills(look, 51, 4.8, h + 0.14, 0.06, white),
            land.hills(look, 52, 2.6, 0.90, 0.10, white),
            land.hills(look, 53, 1.6, 1.04, 0.10, white * 0.94),
        ]
    return [
        land.hills(look, 51, 4.8, h + 0.14, 0.08),
        land.hills(look, 52, 2.7, 0.90, 0.11),
        plants.grass(look, 53, 1.6, 1.03, 0.13),
    ]


def has_vehicle(look: Look) -> bool:
    """Whether a vehicle drives through the picture: the road then runs from side to side."""
    return any(figures()[name]["way"] == "drive" for name, _ in look.scene.subjects)


def with_scene(look: Look, **change: Any) -> Look:
    """The same look with some fields of its scene changed."""
    return replace(look, scene=replace(look.scene, **change)) if change else look
