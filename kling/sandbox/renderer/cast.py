"""Places the figures that a prompt names, and moves them."""

from __future__ import annotations

import math

import numpy as np

from kling.sandbox.renderer import air
from kling.sandbox.renderer.canvas import Canvas, Piece
from kling.sandbox.renderer.figures import figures, paint, reach
from kling.sandbox.renderer.layers import Layer
from kling.sandbox.renderer.look import Look
from kling.sandbox.renderer.prompt_reader import Scene

WATER = {"lake", "sea", "river"}
CELS = 16
PACE = {"sit": 0.0, "still": 0.0, "run": 2.2}  # as a factor of walking
CLOSE, FAR = 1.45, 0.55  # factors of size for a subject that the prompt calls close or far
PORTRAIT = 1.35  # the size of a person in a close shot, in units
# Animals that a person can ride.
MOUNTS = ("horse", "camel", "elephant", "deer", "bear", "tiger", "lion", "cow")


def subject_pieces(look: Look, name: str, colour: str, number: int) -> list[Piece]:
    """The pieces of one subject: usually one figure, and several for a group or a flock."""
    name = figure_for(look.scene, name)
    figure = figures()[name]
    mount = mount_of(look.scene)
    if mount:
        # A rider and the animal have the same position.
        number = 0 if name == mount or "two" in figure else number
    dice = look.noise(200 + number)
    foot, depth, size = _spot(look, mount if mount and "two" in figure else name, dice)
    if figure.get("small") and any("two" in figures()[other] for other, _ in look.scene.subjects):
        size *= 0.5  # alone it may fill the frame, but beside a person it must look small
    half = look.frame[0] / look.unit / 2
    x = (0.0, -0.42, 0.40)[number] * half + float(dice.uniform(-0.12, 0.12)) * half
    if figure["way"] == "hearth" and half > 0.6:  # beside the window
        x = (-0.80, 0.80, -0.5)[number] * half
    if mount and "two" in figure:
        back = figures()[mount]
        own = float(figure["size"]) * size / float(back["size"])
        body = back.get("four", {"leg": 0.30, "deep": 0.0})  # or a bench
        up = size * (body["leg"] + 1.75 * body["deep"]) - 0.26 * own
        spot = (x, foot - up * look.unit / look.frame[1])
        return [
            put(look, name, colour, 210, at=spot, size=own, depth=depth - 0.005, pace=back.get("pace", 0.0))
        ]
    # The members of a group: offset from the first one (x, y), factor of size, colour.
    group: list[tuple[float, float, float, str]] = [(0.0, 0.0, 1.0, colour)]
    if name == "couple":
        group = [(-0.16, 0.0, 1.0, colour), (0.17, 0.0, 0.93, "#9a4a58")]
    elif name == "balloon":
        group += [(-1.5, 0.25, 0.42, "#3f7fb8"), (1.3, -0.7, 0.55, "#e0b13a")]
    else:
        size *= 1 - 0.09 * (_count(look.scene, number) - 1)
        room = 1.0 if "flock" in figure else 0.75 if "two" in figure else reach(name)[0]
        for _ in range(max(int(figure.get("flock", 1)), _count(look.scene, number)) - 1):
            side = 1 if len(group) % 2 else -1  # left and right in turn, so that they do not cover each other
            across = (side * (0.7 + 0.55 * len(group)) + float(dice.uniform(-0.3, 0.3))) * room
            up = float(dice.normal(0, 0.9))
            flat = 1.0 if figure["way"] in {"fly", "swim"} else 0.05
            group.append((across, up * flat, float(dice.uniform(0.7, 1.1)), colour))
    hot = [
        air.steam(look, 290 + number, depth - 0.01, (x, foot - 0.5 * size * look.unit / look.frame[1]), size)
    ]
    return (hot if figure.get("hot") else []) + [
        put(
            look,
            name,
            code,
            210 + 10 * number + one,
            at=(x + dx * size, foot + dy * size * look.unit / look.frame[1]),
            size=size * near,
            depth=depth + 0.01 * one,
        )
        for one, (dx, dy, near, code) in enumerate(group)
    ]


def _count(scene: Scene, number: int) -> int:
    """How many of a subject are drawn: at most two if there are other subjects too."""
    return min(scene.counts[number], 2 if len(scene.subjects) > 1 else 5) if scene.counts else 1


def figure_for(scene: Scene, name: str) -> str:
    """The figure that is drawn for a subject; it depends on the place: under water a person is a diver."""
    if scene.place == "underwater" and "two" in figures()[name]:
        return "diver"
    return "spacewalker" if name == "astronaut" and scene.place not in {"space", "underwater"} else name


def mount_of(scene: Scene) -> str:
    """The animal that somebody rides, or the bench that somebody sits on; empty if there is none."""
    names = [figure_for(scene, name) for name, _ in scene.subjects]
    if not any("two" in figures()[name] for name in names):
        return ""
    seats = {"ride": MOUNTS, "sit": ("bench",)}.get(scene.pose, ())
    return next((name for name in names if name in seats), "")


def _spot(look: Look, name: str, dice: np.random.Generator) -> tuple[float, float, float]:
    """The y of a figure's foot (a share of the frame's height), its distance and its size."""
    figure, scene, h = figures()[name], look.scene, look.horizon
    way, size = figure["way"], float(figure["size"])
    if scene.near == "close" and "two" in figure and scene.place not in {"underwater", "space"}:
        return 0.17 + 1.03 * PORTRAIT * look.unit / look.frame[1], 1.95, PORTRAIT
    if way not in {"far", "hearth"}:
        size *= {"close": CLOSE, "far": FAR}.get(scene.near, 1.0)
    if scene.place in {"room", "cafe", "studio"}:
        return _inside(look, way, size, small="small" in figure)
    if scene.place in {"underwater", "space"}:
        low, high = {"underwater": (0.40, 0.56), "space": (0.60, 0.68)}[scene.place]
        return float(dice.uniform(low, high)), 4.0, size
    wet = scene.place in {"sea", "island", "lake"} or scene.ground in WATER
    if way == "far" and wet and name not in {"lighthouse", "bridge"}:
        size *= 0.55  # on the far shore
    if "two" in figure and scene.near != "far" and len(scene.subjects) == 1 and sum(scene.counts) == 1:
        size *= 1.2  # a single person may be larger
    stand = 0.84 if scene.place == "stage" else 0.90
    spots = {
        "fly": (
            (float(dice.uniform(0.20, 0.28)), 5.6)  # in front of the houses, above the street
            if scene.place in {"city", "neon"}
            else (float(dice.uniform(0.34, 0.46)), 2.9)  # between the trees
            if scene.place == "forest"
            else (float(dice.uniform(0.30, 0.42)), 6.5)
        ),
        "rise": (0.56, 5.0),
        "hover": (0.4, 4.0) if "two" not in figure else (0.74, 2.5),
        "float": (h + 0.13, 5.5),
        "ride": (h + (0.13 if scene.form == "swell" else 0.20), 4.0),
        "swim": (h + 0.17, 4.95),
        "far": (h + 0.04, 8.95) if wet else (h + 0.13, 4.9),
        "table": (0.90, 1.95),
        "drive": (h + 0.25, 2.75),
    }
    foot, depth = spots.get(way, (stand, 2.55))
    if figure.get("low"):
        foot, depth = float(dice.uniform(0.60, 0.70)), 2.4
    if name == "balloon":
        foot, depth = float(dice.uniform(0.52, 0.58)), 6.5
    return foot, depth, size * (0.6 if way == "hearth" else 1.0)


def _inside(look: Look, way: str, size: float, *, small: bool) -> tuple[float, float, float]:
    """The same for a room: the figure stands at the wall, on the floor, on the table or behind it."""
    if way == "hearth":
        return 0.765, 3.6, size * 0.86
    if way in {"far", "table"}:  # a building is drawn as a small model
        return 0.86, 1.95, size * (0.8 if way == "far" else 1.0)
    if way == "wall":
        return 0.70, 3.65, size
    if way == "fly" or (look.scene.place == "cafe" and small):  # a cat sits on the table
        return (0.40, 2.4, size) if way == "fly" else (0.90, 1.95, size * 1.3)
    if look.scene.place == "cafe" or any(
        figures()[name]["way"] == "table" for name, _ in look.scene.subjects
    ):
        return 0.70 + size * 0.75, 2.2, size * 1.6
    return 0.88, 1.95, size * 1.45


def put(
    look: Look,
    name: str,
    colour: str,
    salt: int,
    *,
    at: tuple[float, float],
    size: float,
    depth: float,
    pace: float | None = None,
) -> Piece:
    """A figure that moves as its kind does. In the middle of the shot it is at the position `at`."""
    figure = figures()[name]
    way, cycle = figure["way"], float(figure.get("cycle", 1.0))
    pace = float(figure.get("pace", 0.0)) if pace is None else pace
    dice = look.noise(salt)
    pose = look.scene.pose if "four" in figure or "two" in figure else ""
    if mount := mount_of(look.scene):
        pose = "" if "two" not in figure else "perch" if mount == "bench" else "ride"
    elif pose == "ride":
        pose = ""
    pace, cycle = (
        pace * PACE.get(pose, 1.0),
        cycle * (0.62 if pose == "run" else 3.0 if pose == "sit" else 1.0),
    )
    by_chance = "left" if np.random.default_rng(look.seed).random() < 0.5 else "right"
    left = (look.scene.facing or by_chance) == "left" and way not in {"far", "table", "hearth"}
    if left:
        pace = -pace
    if look.scene.near == "close" and "two" in figure:  # in a portrait the person only breathes
        pose, pace = "still", 0.0
    bob = {
        "walk": 0.0025 if pose == "still" else 0.0,
        "fly": 0.012,
        "float": 0.006,
        "swim": 0.012,
        "hover": 0.012,
    }.get(way, 0.0)
    phase, lead = float(dice.uniform(0, 6)), float(dice.uniform(0, cycle))
    middle, unit = look.seconds / 2, look.unit

    def paints(canvas: Canvas) -> Layer:
        spot = (at[0] * unit + canvas.frame[0] / 2, at[1] * canvas.frame[1])
        count = 1 if "two" in figure and pose == "still" else CELS if cycle < 2 else 2 * CELS
        start = lead / cycle
        cels = paint(
            look, name, colour, spot, size, depth, canvas, count=count, start=start, left=left, pose=pose
        )
        dx, dy = spot[0] - int(spot[0]) // 2 * 2, spot[1] - int(spot[1]) // 2 * 2
        rise = -0.07 if way == "rise" else 0.0
        return Layer(
            cels=cels,
            depth=depth,
            rate=len(cels) / cycle,
            motion=lambda seconds: (
                dx + pace * unit * (seconds - middle),
                dy + unit * (rise * (seconds - middle) + bob * math.sin(seconds * 1.5 + phase)),
            ),
        )

    return Piece(depth, paints)
