"""Painters of land: ranges, hills, dunes, trees on a crest, grass, and the ground near the camera."""

# ruff: noqa: PLR0917 - painters take many numbers, in the order of space: distance, place, size
from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from kling.sandbox.draw.canvas import Canvas, Piece, clouds, ridge, seal, smooth
from kling.sandbox.draw.layers import Floats, Layer
from kling.sandbox.draw.look import Look, mix, rgb


def _under(canvas: Canvas, crest: Floats) -> Floats:
    """Covers everything below a line of heights."""
    return np.clip((canvas.y - crest) * canvas.frame[1] + 0.5, 0, 1).astype(np.float32)


def _number(look: Look, salt: int) -> int:
    return look.seed % 10_000 + salt * 31


def tone(look: Look, depth: float, colour: Floats | None = None) -> Floats:
    """A colour as it looks through the air at a distance."""
    air = 1 - np.exp(-(depth - 1.2) / (7.0 if look.scene.weather != "fog" else 2.6))
    return mix(look.land if colour is None else colour, look.haze, float(air) * 0.92)


def hills(
    look: Look, salt: int, depth: float, base: float, height: float, colour: Floats | None = None
) -> Piece:
    """Soft hills, hazy at their foot, with a lit crest and faint texture."""

    def paint(canvas: Canvas) -> Layer:
        form = ridge(canvas.x + salt * 3.7, _number(look, salt), scale=0.55 + height, octaves=5, rough=0.40)
        crest = base - height * (0.5 + 0.5 * form) / canvas.tall
        return _body(look, canvas, crest, tone(look, depth, colour), depth, salt)

    return Piece(depth, paint)


def _body(look: Look, canvas: Canvas, crest: Floats, colour: Floats, depth: float, salt: int) -> Layer:
    down = (canvas.y - crest) * canvas.tall
    slope = np.gradient(crest[0] * canvas.tall, axis=0)[None, :] * canvas.unit
    toward = np.clip(0.5 + slope * np.where(canvas.x < look.sun[0], -1.2, 1.2), 0, 1)
    rim = np.exp(-np.clip(down, 0, 9) * 26) * toward * 0.30 * (1 - look.gloom) * (0.5 if look.dark else 1)
    grain = clouds(canvas, look.noise(salt), scale=(0.30, 0.05), octaves=5) * (0.05 if depth < 8 else 0.03)
    foot = smooth(0.02, 0.34, down) * min(0.55, depth / 26)
    tints = colour * (1 + grain)[..., None]
    tints = tints + (look.haze - tints) * foot[..., None] + (look.light - tints) * rim[..., None]
    return seal(
        canvas,
        np.clip(tints, 0, 1).astype(np.float32),
        _under(canvas, crest),
        look.noise(salt + 1),
        depth=depth,
    )


def peaks(look: Look, salt: int, depth: float, base: float, height: float, snow: float) -> Piece:
    """Sharp mountains with lit and shaded faces and snow from a certain height up."""

    def paint(canvas: Canvas) -> Layer:
        x, y = canvas.x + salt * 5.1, canvas.y
        number = _number(look, salt)

        def high(at: Floats) -> Floats:
            sharp = 1 - np.abs(ridge(at, number, scale=0.55, octaves=6, rough=0.46)) * 2.1
            return np.asarray(
                np.clip(0.36 * ridge(at, number + 5, scale=1.3, octaves=2) + 0.62 * sharp, -0.4, 1.2)
            )

        crest = base - height * high(x) / canvas.tall
        # Faces: the crest's line, pushed sideways with the way down, shades left and right of each ridge.
        down = (y - crest) * canvas.tall
        turn = clouds(canvas, look.noise(salt), scale=(0.07, 0.10), octaves=4)
        bend = x + 0.05 * turn * np.clip(down * 3, 0, 1)
        step = np.float32(0.012)
        slope = (high(bend + step) - high(bend - step)) / (2 * step) * height
        lit = smooth(-0.9, 0.9, slope * (1 if look.sun[0] > 0 else -1) * -1 + 0.25 * turn)
        rock = tone(look, depth)
        face = rock * (0.80 + 0.42 * lit)[..., None]
        glow = mix(look.light, look.haze, 0.35) * (0.42 if look.dark else 1.0)
        line = (0.5 - snow) * height
        white = smooth(-0.05, 0.06, (base - y) * canvas.tall - line + 0.05 * turn) * smooth(0.0, 0.01, down)
        cold = mix(glow, look.sky[1], 0.55)
        snowy = cold + (glow - cold) * lit[..., None]
        keep = min(0.9, 0.35 + snow)
        tints = (
            face
            + (mix(rock, glow, 0.85) * 0 + snowy - face) * (white * keep * (0.75 + 0.25 * lit))[..., None]
        )
        foot = smooth(0.04, 0.42, down) * 0.62
        tints = tints + (look.haze - tints) * foot[..., None]
        return seal(
            canvas,
            np.clip(tints, 0, 1).astype(np.float32),
            _under(canvas, crest),
            look.noise(salt + 1),
            depth=depth,
        )

    return Piece(depth, paint)


def dunes(look: Look, salt: int, depth: float, base: float, height: float) -> Piece:
    """Sand: long crests, the side towards the sun bright, the other in shade, fine ripples."""

    def paint(canvas: Canvas) -> Layer:
        x, y = canvas.x, canvas.y
        number = _number(look, salt)
        crest = base - height * (0.5 + 0.5 * ridge(x, number, scale=0.9, octaves=2, rough=0.3)) / canvas.tall
        down = (y - crest) * canvas.tall
        sand = {"noon": "#e0b77c", "dawn": "#d9a987", "dusk": "#b9694c", "night": "#2c3352"}[look.scene.time]
        colour = tone(look, depth * 0.75, mix(rgb(sand), look.land, 0.12))
        edge = ridge(x + 0.35 * down, number + 7, scale=0.5, octaves=3, rough=0.4)
        lit = smooth(-0.15, 0.25, edge + 0.2)
        ripple = np.sin((down * 150 + 5 * ridge(x, number + 3, scale=0.25, octaves=3)) * 1.2) * 0.022
        ripple = ripple * smooth(0.0, 0.10, down) * smooth(7.0, 1.5, np.full(1, depth))
        tints = colour * (0.66 + 0.42 * lit + ripple)[..., None]
        rim = np.exp(-np.clip(down, 0, 9) * 40) * 0.34 * (1 - look.gloom)
        tints = tints + (look.light - tints) * (rim * (0.4 if look.dark else 1))[..., None]
        return seal(
            canvas,
            np.clip(tints, 0, 1).astype(np.float32),
            _under(canvas, crest),
            look.noise(salt + 1),
            depth=depth,
        )

    return Piece(depth, paint)


def mesas(look: Look, salt: int, depth: float, base: float, height: float) -> Piece:
    """Table mountains with strata."""

    def paint(canvas: Canvas) -> Layer:
        x, y = canvas.x, canvas.y
        form = ridge(x, _number(look, salt), scale=0.5, octaves=5, rough=0.5)
        steps = smooth(-0.25, -0.12, form) * 0.35 + smooth(0.05, 0.14, form) * 0.65
        crest = base - height * (steps + 0.04 * form) / canvas.tall
        down = (y - crest) * canvas.tall
        rock = tone(look, depth, mix(rgb("#a5512f"), look.land, 0.25 if look.scene.time == "noon" else 0.6))
        strata = (
            np.sin(y * canvas.tall * 90 + 2 * form) * 0.05
            + clouds(canvas, look.noise(salt), scale=(0.05, 0.3)) * 0.06
        )
        tints = rock * (1 + strata)[..., None]
        foot = smooth(0.05, 0.4, down) * min(0.5, depth / 20)
        tints = tints + (look.haze - tints) * foot[..., None]
        return seal(
            canvas,
            np.clip(tints, 0, 1).astype(np.float32),
            _under(canvas, crest),
            look.noise(salt + 1),
            depth=depth,
        )

    return Piece(depth, paint)


def trees(
    look: Look, salt: int, depth: float, base: float, height: float, kind: str, colour: Floats | None = None
) -> Piece:
    """A row of trees that stand close: pines, or round crowns, or bare trunks that leave the frame."""

    def paint(canvas: Canvas) -> Layer:
        unit, dice = canvas.unit, look.noise(salt)
        grow = 2 if canvas.width * canvas.height < 4_000_000 else 1  # drawn larger: smooth edges
        sheet = Image.new("L", (canvas.width * grow, canvas.height * grow))
        pen = ImageDraw.Draw(sheet)
        ground = (base * canvas.frame[1] - canvas.top) * grow
        line = ridge(canvas.x, _number(look, salt), scale=0.8, octaves=3)[0] * 0.16 * height * unit * grow
        at = float(dice.uniform(-0.1, 0.0)) * unit
        while at < canvas.width:
            size = height * unit * grow * float(dice.uniform(0.6, 1.15))
            foot = ground + float(line[min(canvas.width - 1, max(0, int(at)))])
            _tree(pen, kind, at * grow, foot, size, dice)
            at += height * unit * float(dice.uniform(0.14, 0.34)) * (2.6 if kind == "trunk" else 1.0)
        if kind != "trunk":
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
        return seal(canvas, np.clip(tints, 0, 1).astype(np.float32), cover, look.noise(salt + 1), depth=depth)

    return Piece(depth, paint)


def _tree(
    pen: ImageDraw.ImageDraw, kind: str, x: float, foot: float, size: float, dice: np.random.Generator
) -> None:
    if kind == "pine":
        wide = size * float(dice.uniform(0.17, 0.24))
        pen.rectangle((x - size * 0.015, foot - size * 0.2, x + size * 0.015, foot + size * 0.1), fill=255)
        levels = 7
        for level in range(levels):
            low, part = foot - size * (0.08 + 0.13 * level), 1 - level / levels
            lean = float(dice.uniform(-0.06, 0.06)) * wide
            pen.polygon(
                [
                    (x - wide * part + lean, low),
                    (x, low - size * 0.24),
                    (x + wide * part + lean, low),
                    (x, low - size * 0.03),
                ],
                fill=255,
            )
    elif kind == "trunk":
        wide = size * float(dice.uniform(0.016, 0.04))
        lean = float(dice.uniform(-0.03, 0.03)) * size
        pen.polygon(
            [
                (x - wide * 1.7, foot + size * 0.1),
                (x - wide + lean, foot - size * 6),
                (x + wide + lean, foot - size * 6),
                (x + wide * 1.7, foot + size * 0.1),
            ],
            fill=255,
        )
        for _ in range(4):
            y, way = foot - size * float(dice.uniform(0.3, 1.6)), float(dice.choice([-1, 1]))
            pen.line(
                [(x, y), (x + way * size * 0.16, y - size * 0.12), (x + way * size * 0.30, y - size * 0.15)],
                fill=255,
                width=max(1, int(wide * 0.5)),
            )
    else:
        pen.rectangle((x - size * 0.03, foot - size * 0.5, x + size * 0.03, foot + size * 0.1), fill=255)
        for _ in range(16):
            r = size * float(dice.uniform(0.09, 0.19))
            cx = x + size * float(dice.normal(0, 0.13))
            cy = foot - size * float(dice.uniform(0.42, 0.86))
            pen.ellipse((cx - r, cy - r, cx + r, cy + r), fill=255)


def grass(
    look: Look, salt: int, depth: float, base: float, height: float, flowers: str = "", colour: str = ""
) -> Piece:
    """Blades on the near ground that sway; flowers among them where there are any."""

    def paint(canvas: Canvas) -> Layer:
        unit, dice = canvas.unit, look.noise(salt)
        green = tone(look, depth, rgb(colour) * (0.22 if look.dark else 0.9) if colour else None)
        ground = base * canvas.frame[1] - canvas.top
        # Heads are coloured, blades are not: two sheets.
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
        return seal(
            canvas,
            np.clip(tints, 0, 1).astype(np.float32),
            cover,
            look.noise(salt + 1),
            depth=depth,
            motion=lambda seconds: (unit * 0.006 * float(np.sin(seconds * 1.1 + start)), 0.0),
        )

    return Piece(depth, paint, (0.01, 0.0))


def ground(look: Look, salt: int, depth: float, top: float, colour: Floats, *, road: bool = False) -> Piece:
    """A flat plain from the horizon to the camera, with texture in perspective, and maybe a road on it."""

    def paint(canvas: Canvas) -> Layer:
        x, y = canvas.x, canvas.y
        down = np.clip((y - top) * canvas.tall, 1e-4, None)
        away = 0.06 / (down + 0.02)
        texture = clouds(canvas, look.noise(salt), scale=(0.5, 0.03), octaves=6) * 0.10
        haze = np.exp(-down * 7) * 0.85
        tints = colour * (1 + texture)[..., None]
        if road:
            middle = x - 0.05 - 0.10 * np.sin(down * 5.0) * np.clip(0.5 - down, 0, 1)
            wide = 0.02 + 0.75 * down
            asphalt = mix(rgb("#3a3d45"), look.haze, 0.25) * (0.35 if look.dark else 0.95)
            on = smooth(1.03, 0.99, np.abs(middle) / wide)[..., None]
            tints = tints + (asphalt * (1 + 0.4 * texture)[..., None] - tints) * on
            paint_ = mix(rgb("#f1e3b8"), look.haze, 0.2) * (0.6 if look.dark else 1.0)
            dash = smooth(0.024, 0.014, np.abs(middle) / wide) * (np.sin(away * 42) > -0.1)
            side = smooth(0.020, 0.010, np.abs(np.abs(middle) / wide - 0.93)) * 0.8
            tints = tints + (paint_ - tints) * np.maximum(dash, side)[..., None] * 0.85
        tints = tints + (look.haze - tints) * haze[..., None]
        cover = np.broadcast_to(
            np.clip((y - top) * canvas.frame[1] + 0.5, 0, 1), (canvas.height, canvas.width)
        )
        return seal(
            canvas,
            np.clip(tints, 0, 1).astype(np.float32),
            cover.astype(np.float32),
            look.noise(salt + 1),
            depth=depth,
        )

    return Piece(depth, paint)


def lane(look: Look, salt: int, depth: float, top: float, foot: float) -> Piece:
    """A road from side to side."""

    def paint(canvas: Canvas) -> Layer:
        y = canvas.y
        share = (y - top) / (foot - top)
        asphalt = mix(rgb("#3d4048"), look.haze, 0.22) * (0.4 if look.dark else 0.95)
        grain = clouds(canvas, look.noise(salt), scale=(0.4, 0.02), octaves=5) * 0.07
        tints = asphalt * (1 + grain - 0.15 * smooth(0, 1, share))[..., None]
        line = mix(rgb("#f1e3b8"), look.haze, 0.2) * (0.55 if look.dark else 1.0)
        dash = smooth(0.035, 0.02, np.abs(share - 0.5)) * (np.mod(canvas.x, 0.3) < 0.17)
        edge = smooth(0.03, 0.015, np.abs(np.abs(share - 0.5) - 0.45)) * 0.8
        tints = tints + (line - tints) * (np.maximum(dash, edge) * 0.8)[..., None]
        cover = smooth(-0.01, 0.01, share) * smooth(1.01, 0.99, share)
        cover = np.broadcast_to(cover, (canvas.height, canvas.width))
        return seal(canvas, np.clip(tints, 0, 1), cover, look.noise(salt + 1), depth=depth)

    return Piece(depth, paint)
