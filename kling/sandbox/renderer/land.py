"""Painters of land: mountains, hills, dunes, mesas, and the ground near the camera."""

# ruff: noqa: PLR0917 - painters take many numbers, always as distance, position, size
from __future__ import annotations

import numpy as np

from kling.sandbox.renderer.canvas import Canvas, Piece, clouds, ridge, single_cel_layer, smooth
from kling.sandbox.renderer.layers import Floats, Layer
from kling.sandbox.renderer.look import Look, mix, rgb


def _under(canvas: Canvas, crest: Floats) -> Floats:
    """The opacity of a shape that fills everything below a line."""
    return np.clip((canvas.y - crest) * canvas.frame[1] + 0.5, 0, 1).astype(np.float32)


def number(look: Look, salt: int) -> int:
    """A seed for the noise of one painter."""
    return look.seed % 10_000 + salt * 31


def tone(look: Look, depth: float, colour: Floats | None = None) -> Floats:
    """A colour at a distance: the farther away, the more it takes the colour of the haze."""
    air = 1 - np.exp(-(depth - 1.2) / (7.0 if look.scene.weather != "fog" else 2.6))
    return mix(look.land if colour is None else colour, look.haze, float(air) * 0.92)


def hills(
    look: Look, salt: int, depth: float, base: float, height: float, colour: Floats | None = None
) -> Piece:
    """Soft hills, hazy at their foot, with a lit crest and faint texture."""

    def paint(canvas: Canvas) -> Layer:
        form = ridge(canvas.x + salt * 3.7, number(look, salt), scale=0.55 + height, octaves=5, rough=0.40)
        crest = base - height * (0.5 + 0.5 * form) / canvas.tall
        return _body(look, canvas, crest, tone(look, depth, colour), depth, salt)

    return Piece(depth, paint)


def terrace(look: Look, salt: int, depth: float, base: float, height: float, colour: Floats) -> Piece:
    """A terrace: water that mirrors the sky along its edge, and green below."""

    def paint(canvas: Canvas) -> Layer:
        form = ridge(canvas.x + salt * 3.7, number(look, salt), scale=0.9, octaves=2, rough=0.3)
        crest = base - height * (0.5 + 0.5 * form) / canvas.tall
        down = (canvas.y - crest) * canvas.tall
        thick = 0.11 / depth
        wet = smooth(thick, thick * 0.8, down)
        shade = 1 - 0.35 * smooth(thick * 2.2, thick, down)
        grain = 0.10 * clouds(canvas, look.noise(salt), scale=(0.05, 0.012), octaves=4)
        green = tone(look, depth, colour) * (shade * (1 + grain))[..., None]
        tints = green + (mix(look.sky[2], look.light, 0.25) - green) * (wet * 0.85)[..., None]
        return single_cel_layer(canvas, tints, _under(canvas, crest), look.noise(salt + 1), depth=depth)

    return Piece(depth, paint)


def _body(look: Look, canvas: Canvas, crest: Floats, colour: Floats, depth: float, salt: int) -> Layer:
    down = (canvas.y - crest) * canvas.tall
    slope = np.gradient(crest[0] * canvas.tall, axis=0)[None, :] * canvas.unit
    toward = np.clip(0.5 + slope * np.clip(4 * (canvas.x - look.sun[0]), -1.2, 1.2), 0, 1)
    rim = np.exp(-np.clip(down, 0, 9) * 26) * toward * 0.30 * (1 - look.gloom) * (0.5 if look.dark else 1)
    grain = clouds(canvas, look.noise(salt), scale=(0.30, 0.05), octaves=5) * (0.05 if depth < 8 else 0.03)
    foot = smooth(0.02, 0.34, down) * min(0.55, depth / 26)
    tints = colour * (1 + grain)[..., None]
    tints = tints + (look.haze - tints) * foot[..., None] + (look.light - tints) * rim[..., None]
    return single_cel_layer(canvas, tints, _under(canvas, crest), look.noise(salt + 1), depth=depth)


def peaks(look: Look, salt: int, depth: float, base: float, height: float, snow: float) -> Piece:
    """Sharp mountains with lit and shaded faces and snow from a certain height up."""

    def paint(canvas: Canvas) -> Layer:
        x, y = canvas.x + salt * 5.1, canvas.y
        seed = number(look, salt)

        def high(at: Floats) -> Floats:
            sharp = 1 - np.abs(ridge(at, seed, scale=0.55, octaves=6, rough=0.46)) * 2.1
            return np.asarray(
                np.clip(0.36 * ridge(at, seed + 5, scale=1.3, octaves=2) + 0.62 * sharp, -0.4, 1.2)
            )

        crest = base - height * high(x) / canvas.tall
        # The line of the crest, moved sideways further down, decides which faces are lit.
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
        return single_cel_layer(canvas, tints, _under(canvas, crest), look.noise(salt + 1), depth=depth)

    return Piece(depth, paint)


def dunes(look: Look, salt: int, depth: float, base: float, height: float) -> Piece:
    """Dunes: long crests, bright on the side of the sun and shaded on the other, with fine ripples."""

    def paint(canvas: Canvas) -> Layer:
        x, y = canvas.x, canvas.y
        seed = number(look, salt)
        sun = 1 if look.sun[0] > 0 else -1

        def high(at: Floats) -> Floats:
            return np.asarray(0.5 + 0.5 * ridge(at, seed, scale=0.9, octaves=2, rough=0.3))

        crest = base - height * high(x) / canvas.tall
        down = (y - crest) * canvas.tall
        sand = {"noon": "#e0b77c", "dawn": "#d9a987", "dusk": "#b9694c", "night": "#2c3352"}[look.scene.time]
        sand = "#b5603a" if look.scene.place == "mars" else sand
        colour = tone(look, depth * 0.75, mix(rgb(sand), look.land, 0.12))
        # One side of a crest is lit. The shade on the other side is slanted, with a sharp upper edge.
        slope = (high(x + 0.02) - high(x - 0.02)) * height / 0.04
        lee = smooth(-0.02, 0.10, slope * sun) * np.exp(-np.clip(down, 0, 9) * 9 / max(0.05, height * 10))
        swell = 0.10 * clouds(canvas, look.noise(salt), scale=(0.7, 0.07), octaves=3)
        ripple = np.sin((down * 150 + 5 * ridge(x, seed + 3, scale=0.25, octaves=3)) * 1.2) * 0.022
        ripple = ripple * smooth(0.0, 0.10, down) * smooth(7.0, 1.5, np.full(1, depth))
        tints = colour * (1.02 - 0.34 * lee + swell + ripple - 0.12 * smooth(0.0, 0.4, down))[..., None]
        rim = np.exp(-np.clip(down, 0, 9) * 60) * 0.34 * (1 - look.gloom) * (1 - 0.8 * lee)
        tints = tints + (look.light - tints) * (rim * (0.4 if look.dark else 1))[..., None]
        return single_cel_layer(canvas, tints, _under(canvas, crest), look.noise(salt + 1), depth=depth)

    return Piece(depth, paint)


def cliff(look: Look, salt: int, depth: float, base: float, height: float, gap: tuple[float, float]) -> Piece:
    """A wall of rock, with a lower part at `gap` (its middle, half its width), where water falls over it."""

    def paint(canvas: Canvas) -> Layer:
        x, y = canvas.x, canvas.y
        seed = number(look, salt)
        level = smooth(gap[1] * 2.9, gap[1] * 4.5, np.abs(x - gap[0]))  # low where water falls over it
        edge = 0.10 * level * ridge(x, seed, scale=0.5, octaves=5, rough=0.5)
        notch = 0.10 * smooth(gap[1] * 1.7, gap[1] * 0.9, np.abs(x - gap[0]))
        away = 0.16 * smooth(0.5, 1.3, np.abs(x - gap[0]))
        crest = base - height * (1 + edge - notch + away) / canvas.tall
        down = (y - crest) * canvas.tall
        bent = x + 0.012 * clouds(canvas, look.noise(salt + 2), scale=(0.10, 0.16), octaves=4)

        def pillar(at: Floats) -> Floats:
            return np.asarray(1 - 2 * np.abs(ridge(at * 5, seed + 3, scale=0.6, octaves=4, rough=0.62)))

        rough = clouds(canvas, look.noise(salt), scale=(0.06, 0.16), octaves=5)
        ledge = np.sin(y * canvas.tall * 46 + 3 * ridge(x, seed + 9, scale=0.4, octaves=3)) * 0.05
        slope = (pillar(bent + 0.008) - pillar(bent - 0.008)) * 2.2
        lit = 1 + 0.26 * np.clip(slope * (-1 if look.sun[0] > 0 else 1), -1, 1) + 0.10 * rough + ledge
        rock = tone(look, depth * 0.35, mix(rgb("#6a6258"), look.land, 0.30) * (0.35 if look.dark else 1.0))
        tints = rock * lit[..., None]
        moss = smooth(0.02, -0.5, rough + down * 5)[..., None] * 0.75
        green = tone(look, depth * 0.35, mix(rgb("#5a7a3a"), look.land, 0.4) * (0.4 if look.dark else 1.0))
        tints = tints + (green * (0.9 + 0.3 * rough[..., None]) - tints) * moss
        wet = smooth(gap[1] * 1.9, gap[1] * 0.8, np.abs(x - gap[0])) * 0.35
        tints = (
            tints * (1 - wet[..., None]) + (look.haze - tints) * (smooth(0.2, 0.6, down) * 0.35)[..., None]
        )
        return single_cel_layer(canvas, tints, _under(canvas, crest), look.noise(salt + 1), depth=depth)

    return Piece(depth, paint)


def mesas(look: Look, salt: int, depth: float, base: float, height: float) -> Piece:
    """Mesas with strata of rock."""

    def paint(canvas: Canvas) -> Layer:
        x, y = canvas.x, canvas.y
        form = ridge(x, number(look, salt), scale=0.5, octaves=5, rough=0.5)
        steps = smooth(-0.25, -0.12, form) * 0.35 + smooth(0.05, 0.14, form) * 0.65
        crest = base - height * (steps + 0.04 * form) / canvas.tall
        down = (y - crest) * canvas.tall
        red = 0.15 if look.scene.time == "noon" or look.scene.place == "mars" else 0.5
        rock = tone(look, depth * 0.22, mix(rgb("#a5512f"), look.land, red))
        strata = (
            np.sin(y * canvas.tall * 70 + 2 * form) * 0.04
            + np.sin(y * canvas.tall * 23 + 1.3 * ridge(x, salt, scale=0.7, octaves=3)) * 0.05
            + clouds(canvas, look.noise(salt), scale=(0.09, 0.12), octaves=5) * 0.06
        )
        tints = rock * (1 + strata)[..., None]
        foot = smooth(0.05, 0.4, down) * min(0.35, depth / 40)
        tints = tints + (look.haze - tints) * foot[..., None]
        return single_cel_layer(canvas, tints, _under(canvas, crest), look.noise(salt + 1), depth=depth)

    return Piece(depth, paint)


def ground(look: Look, salt: int, depth: float, top: float, colour: Floats, *, road: str = "") -> Piece:
    """A flat plain from the horizon to the camera, textured in perspective; a `road` or `path` on it."""

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
            asphalt = mix(rgb("#3a3d45" if road == "road" else "#c8b088"), look.haze, 0.25) * (
                0.35 if look.dark else 0.95
            )
            on = smooth(1.03, 0.99, np.abs(middle) / wide)[..., None]
            tints = tints + (asphalt * (1 + 0.4 * texture)[..., None] - tints) * on
            paint_ = mix(rgb("#f1e3b8"), look.haze, 0.2) * (0.6 if look.dark else 1.0)
            dash = smooth(0.024, 0.014, np.abs(middle) / wide) * (np.sin(away * 42) > -0.1)
            side = smooth(0.020, 0.010, np.abs(np.abs(middle) / wide - 0.93)) * 0.8
            if road == "road":
                tints = tints + (paint_ - tints) * np.maximum(dash, side)[..., None] * 0.85
        tints = tints + (look.haze - tints) * haze[..., None]
        cover = np.broadcast_to(
            np.clip((y - top) * canvas.frame[1] + 0.5, 0, 1), (canvas.height, canvas.width)
        )
        return single_cel_layer(canvas, tints, cover, look.noise(salt + 1), depth=depth)

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
        return single_cel_layer(canvas, tints, cover, look.noise(salt + 1), depth=depth)

    return Piece(depth, paint)
