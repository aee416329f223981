"""Painters of plants: rows of trees, and grass and flowers near the camera."""

# ruff: noqa: PLR0917 - painters take many numbers, always as distance, position, size
from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw

from kling.sandbox.renderer.canvas import Canvas, Piece, clouds, ridge, single_cel_layer, smooth
from kling.sandbox.renderer.land import number, tone
from kling.sandbox.renderer.layers import Floats, Layer
from kling.sandbox.renderer.look import Look, mix, rgb


def trees(
    look: Look, salt: int, depth: float, base: float, height: float, kind: str, colour: Floats | None = None
) -> Piece:
    """A row of trees: `pine`, `round` crowns, `trunk` or `bamboo` (taller than the frame), or `leaves`."""

    def paint(canvas: Canvas) -> Layer:
        unit, dice = canvas.unit, look.noise(salt)
        draw, apart = KINDS[kind]
        # Trees are drawn larger and reduced, for smooth edges.
        grow = 2 if canvas.width * canvas.height < 4_000_000 else 1
        sheet = Image.new("L", (canvas.width * grow, canvas.height * grow))
        pen = ImageDraw.Draw(sheet)
        ground = (base * canvas.frame[1] - canvas.top) * grow
        line = ridge(canvas.x, number(look, salt), scale=0.8, octaves=3)[0] * 0.16 * height * unit * grow
        at = float(dice.uniform(-0.1, 0.0)) * unit
        while at < canvas.width:
            size = height * unit * grow * float(dice.uniform(0.6, 1.15))
            foot = ground + float(line[min(canvas.width - 1, max(0, int(at)))])
            draw(pen, at * grow, foot, size, dice)
            at += height * unit * float(dice.uniform(0.14, 0.34)) * apart
        if kind not in {"trunk", "bamboo"}:
            edge = [(i * grow, ground + float(line[i])) for i in range(0, canvas.width, 8)]
            pen.polygon(
                [
                    *edge,
                    (canvas.width * grow, edge[-1][1]),
                    (canvas.width * grow, sheet.height),
                    (0, sheet.height),
                ],
                fill=255,
            )
        small = sheet.reduce(grow) if grow > 1 else sheet
        cover = np.asarray(small, np.float32) / 255
        turned = {"autumn": "#a8562a", "spring": "#d99ab0" if look.scene.air == "petals" else "#7a9c50"}
        leafy = (
            rgb(turned.get(look.scene.season, "")) * (0.3 if look.dark else 0.85)
            if (kind == "round" and colour is None and look.scene.season in turned)
            else colour
        )
        shade = tone(look, depth, leafy)
        down = (canvas.y - base) * canvas.tall
        leaf = clouds(canvas, look.noise(salt + 3), scale=(0.05, 0.05), octaves=3) * 0.10
        up = smooth(0.0, -height, down)
        tints = shade * (0.86 + 0.3 * up + leaf)[..., None]
        lit = np.exp(-np.abs(canvas.x - look.sun[0]) * 1.3) * up * 0.22 * (1 - look.gloom)
        tints = tints + (look.light - tints) * (lit * (0.3 if look.dark else 1))[..., None]
        mist = smooth(-0.6 * height, 0.10, down) * min(0.6, depth / 13)
        tints = tints + (look.haze - tints) * mist[..., None]
        if look.scene.season == "winter":
            white = np.clip(cover - np.roll(cover, max(1, int(unit * 0.006)), axis=0), 0, 1)
            tints = tints + (mix(look.light, look.haze, 0.5) - tints) * (white * 0.7)[..., None]
        return single_cel_layer(canvas, tints, cover, look.noise(salt + 1), depth=depth)

    return Piece(depth, paint)


def _pine(pen: ImageDraw.ImageDraw, x: float, foot: float, size: float, dice: np.random.Generator) -> None:
    wide, levels = size * float(dice.uniform(0.17, 0.24)), 7
    pen.rectangle((x - size * 0.015, foot - size * 0.2, x + size * 0.015, foot + size * 0.1), fill=255)
    for level in range(levels):
        low, part = foot - size * (0.08 + 0.13 * level), 1 - level / levels
        lean = float(dice.uniform(-0.06, 0.06)) * wide
        left, right = (x - wide * part + lean, low), (x + wide * part + lean, low)
        pen.polygon([left, (x, low - size * 0.24), right, (x, low - size * 0.03)], fill=255)


def _round(pen: ImageDraw.ImageDraw, x: float, foot: float, size: float, dice: np.random.Generator) -> None:
    pen.rectangle((x - size * 0.03, foot - size * 0.5, x + size * 0.03, foot + size * 0.1), fill=255)
    for _ in range(16):
        r = size * float(dice.uniform(0.09, 0.19))
        cx = x + size * float(dice.normal(0, 0.13))
        cy = foot - size * float(dice.uniform(0.42, 0.86))
        pen.ellipse((cx - r, cy - r, cx + r, cy + r), fill=255)


def _trunk(pen: ImageDraw.ImageDraw, x: float, foot: float, size: float, dice: np.random.Generator) -> None:
    wide = size * float(dice.uniform(0.016, 0.04))
    lean = float(dice.uniform(-0.03, 0.03)) * size
    low, high = foot + size * 0.1, foot - size * 6
    pen.polygon(
        [(x - wide * 1.7, low), (x - wide + lean, high), (x + wide + lean, high), (x + wide * 1.7, low)],
        fill=255,
    )
    for _ in range(4):
        y, way = foot - size * float(dice.uniform(0.3, 1.6)), float(dice.choice([-1, 1]))
        branch = [(x, y), (x + way * size * 0.16, y - size * 0.12), (x + way * size * 0.30, y - size * 0.15)]
        pen.line(branch, fill=255, width=max(1, int(wide * 0.5)))


def _bamboo(pen: ImageDraw.ImageDraw, x: float, foot: float, size: float, dice: np.random.Generator) -> None:
    wide = max(1.0, size * float(dice.uniform(0.010, 0.020)))
    lean = float(dice.uniform(-0.04, 0.04)) * size
    for joint in range(16):
        ends = [(x + lean * part, foot - size * part) for part in (joint * 0.16, joint * 0.16 + 0.152)]
        pen.line(ends, fill=255, width=max(1, round(wide * 2)))
    for _ in range(16):
        part, way = float(dice.uniform(0.5, 2.2)), float(dice.choice([-1, 1]))
        at, long = (x + lean * part, foot - size * part), size * float(dice.uniform(0.10, 0.18))
        tip = (at[0] + way * long, at[1] + long * float(dice.uniform(0.1, 0.6)))
        pen.polygon([at, (at[0] + way * long * 0.5, at[1] - long * 0.05), tip], fill=255)


def _leaves(pen: ImageDraw.ImageDraw, x: float, foot: float, size: float, dice: np.random.Generator) -> None:
    for _ in range(7):
        turn, long = float(dice.uniform(-1.3, 1.3)), size * float(dice.uniform(0.6, 1.0))
        c, s = long * np.cos(turn), long * np.sin(turn)
        middle = (x + 0.55 * s - 0.06 * long * turn, foot - 0.6 * c)
        left, right = (middle[0] - 0.1 * c, middle[1] - 0.1 * s), (middle[0] + 0.1 * c, middle[1] + 0.1 * s)
        pen.polygon([(x, foot), left, (x + s, foot - c), right], fill=255)


# Each kind of tree: the function that draws one, and the distance to the next one.
KINDS: dict[
    str, tuple[Callable[[ImageDraw.ImageDraw, float, float, float, np.random.Generator], None], float]
]
KINDS = {
    "pine": (_pine, 1.0),
    "round": (_round, 1.0),
    "trunk": (_trunk, 2.6),
    "bamboo": (_bamboo, 0.55),
    "leaves": (_leaves, 1.6),
}


def grass(
    look: Look, salt: int, depth: float, base: float, height: float, flowers: str = "", colour: str = ""
) -> Piece:
    """Blades of grass that sway near the camera, with flowers if `tint` names their colour."""

    def paint(canvas: Canvas) -> Layer:
        unit, dice = canvas.unit, look.noise(salt)
        green = tone(look, depth, rgb(colour) * (0.22 if look.dark else 0.9) if colour else None)
        ground = base * canvas.frame[1] - canvas.top
        # Flower heads and blades have different colours, so each gets a sheet of its own.
        blades = Image.new("L", (canvas.width, canvas.height))
        heads = Image.new("RGB", (canvas.width, canvas.height))
        mask = Image.new("L", (canvas.width, canvas.height))
        pen, spot, seen = ImageDraw.Draw(blades), ImageDraw.Draw(heads), ImageDraw.Draw(mask)
        pen.rectangle((0, min(ground, canvas.height), canvas.width, canvas.height), fill=255)
        for _ in range(int(canvas.width / unit * 420)):
            x, long = float(dice.uniform(0, canvas.width)), height * unit * float(dice.uniform(0.3, 1.0))
            lean = float(dice.normal(0.12, 0.2)) * long
            wide = max(1.0, long * 0.035)
            foot = ground + unit * 0.02
            pen.polygon(
                [
                    (x - wide, foot),
                    (x + lean * 0.4, foot - long * 0.6),
                    (x + lean, foot - long),
                    (x + wide, foot),
                ],
                fill=255,
            )
        for _ in range(int(canvas.width / unit * 46) if flowers else 0):
            x, long = float(dice.uniform(0, canvas.width)), height * unit * float(dice.uniform(0.0, 1.15))
            r = unit * height * float(dice.uniform(0.05, 0.12))
            tint = mix(rgb(flowers), np.array(dice.uniform(0, 1, 3), np.float32), 0.14) * (
                0.35 if look.dark else 1
            )
            fill = tuple(int(255 * c) for c in np.clip(mix(tint, look.haze, 0.12), 0, 1))
            y = ground - long + unit * height * 0.2
            for dx, dy in ((-0.7, 0), (0.7, 0), (0, -0.7), (0, 0.6)):
                shape = (x + (dx - 0.75) * r, y + (dy - 0.75) * r, x + (dx + 0.75) * r, y + (dy + 0.75) * r)
                spot.ellipse(shape, fill=fill)
                seen.ellipse(shape, fill=255)
        soft = np.asarray(blades, np.float32) / 255
        flowery = np.asarray(mask, np.float32)[..., None] / 255
        down = (canvas.y - base) * canvas.tall
        shade = (0.95 + 0.5 * smooth(0.02, -height, down) - 0.35 * smooth(0.0, 0.3, down))[..., None]
        tints = np.asarray(heads, np.float32) / 255 * flowery + green * shade * (1 - flowery)
        cover = np.maximum(soft, flowery[..., 0])
        start = float(salt)
        return single_cel_layer(
            canvas,
            tints,
            cover,
            look.noise(salt + 1),
            depth=depth,
            motion=lambda seconds: (unit * 0.006 * float(np.sin(seconds * 1.1 + start)), 0.0),
        )

    return Piece(depth, paint, (0.01, 0.0))
