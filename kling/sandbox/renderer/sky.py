"""Painters of the sky, sun and moon, stars, clouds, aurora, planets."""

from __future__ import annotations

import math

import numpy as np

from kling.sandbox.renderer.canvas import Canvas, Piece, clouds, gradient, ridge, single_cel_layer, smooth
from kling.sandbox.renderer.layers import Floats, Layer
from kling.sandbox.renderer.look import Look, mix, rgb


def sky(look: Look) -> Piece:
    """The colours of the sky, and the sun or the moon with its glow."""
    scene = look.scene

    def paint(canvas: Canvas) -> Layer:
        x, y = canvas.x, canvas.y
        top, middle, low = (tuple(colour) for colour in look.sky)
        stops = [(-0.1, top), (look.horizon * 0.58, middle), (look.horizon + 0.02, low)]
        rgb_ = gradient(stops, y)
        away = np.hypot(x - look.sun[0], (y - look.sun[1]) * canvas.tall)
        shine = (1 - look.gloom) * (0.5 if scene.time == "night" else 1.0)
        glow = 0.5 * np.exp(-away * 2.4) + 0.35 * np.exp(-away * 9)
        # Near the horizon the glow is wider.
        glow = glow + 0.22 * np.exp(-np.abs(x - look.sun[0]) * 0.9 - np.abs(y - look.horizon) * 6)
        rgb_ = rgb_ + (look.light - rgb_) * np.clip(glow * shine, 0, 1)[..., None]
        if look.gloom < 0.5:
            full = scene.heaven == "full moon"
            radius = {"night": 0.075 if full else 0.055, "noon": 0.045}.get(scene.time, 0.062)
            disc = smooth(radius + 1 / canvas.unit, radius - 1 / canvas.unit, away)
            disc = disc * (1 - look.gloom)
            if scene.time == "night" and not full:  # a waxing moon: the earth's shadow lies on one side
                shade = np.hypot(x - look.sun[0] + 0.026, (y - look.sun[1]) * canvas.tall + 0.01)
                disc = disc * (0.16 + 0.84 * smooth(0.040, 0.062, shade))
            rgb_ = rgb_ + (np.clip(look.light * 1.06, 0, 1) - rgb_) * disc[..., None]
        return single_cel_layer(canvas, rgb_, None, look.noise(2), depth=math.inf)

    return Piece(math.inf, paint)


def stars(look: Look, salt: int, amount: float, down: float = 1.0) -> Piece:
    """Points of light. Two such layers with different rhythms seem to twinkle."""

    def paint(canvas: Canvas) -> Layer:
        spots = look.noise(salt)
        light: Floats = np.zeros((canvas.height, canvas.width), np.float32)
        count = int(130 * amount * canvas.width * canvas.height / canvas.unit**2)
        size = max(1, round(canvas.unit / 480))
        columns = spots.integers(2, max(3, canvas.width - 4), count)
        rows = spots.integers(2, max(3, canvas.height - 4), count)
        power = spots.random(count, dtype=np.float32) ** 5 * 0.85 + 0.12
        for row in range(size):
            for column in range(size):
                light[rows + row, columns + column] = power
        big = power > 0.75
        for step in range(1, 2 * size + 1):  # the brightest have short rays
            for dr, dc in ((step, 0), (-step, 0), (0, step), (0, -step)):
                r, c = (
                    np.clip(rows[big] + dr, 0, canvas.height - 1),
                    np.clip(columns[big] + dc, 0, canvas.width - 1),
                )
                light[r, c] = np.maximum(light[r, c], power[big] * 0.55 / step)
        light = light * smooth(look.horizon * down, look.horizon * down - 0.3, canvas.y)
        tints = np.array([0.92, 0.95, 1.0], np.float32)
        speed, start = float(spots.uniform(1.2, 1.9)), float(spots.uniform(0, 6))
        return single_cel_layer(
            canvas,
            tints,
            light,
            look.noise(salt + 50),
            depth=math.inf,
            strength=lambda seconds: 0.72 + 0.24 * math.sin(seconds * speed + start),
        )

    return Piece(math.inf, paint)


def cloud(look: Look, salt: int, depth: float, *, thick: float, low: float, speed: float = 0.012) -> Piece:
    """Drifting clouds with soft edges, lit from below or above by the sun."""
    way = speed * look.seconds

    def paint(canvas: Canvas) -> Layer:
        form = clouds(canvas, look.noise(salt), scale=(1.1, 0.26), octaves=6)
        cover = smooth(0.62 - thick, 1.5 - thick, form) * smooth(low, low - 0.34, canvas.y)
        up = np.roll(form, max(1, int(canvas.unit * 0.03)), axis=0)
        lit = smooth(-0.7, 0.7, (form - up) * (-1 if look.sun[1] > 0.35 else 1))
        away = np.hypot(canvas.x - look.sun[0], (canvas.y - look.sun[1]) * canvas.tall)
        near = np.exp(-away * 1.6) * (1 - look.gloom)
        base = mix(look.sky[2], look.sky[1], 0.45) * (0.72 if look.dark else 0.9)
        bright = mix(look.light, look.sky[2], 0.3 + 0.5 * look.gloom) * (0.5 if look.dark else 1.0)
        rgb_ = base + (bright - base) * np.clip(lit * (0.55 + 0.6 * near), 0, 1)[..., None]
        return single_cel_layer(
            canvas,
            rgb_,
            cover * np.float32(0.42 if look.dark else 0.88),
            look.noise(salt + 1),
            depth=depth,
            motion=lambda seconds: (-speed * look.unit * seconds, 0.0),
        )

    return Piece(depth, paint, (-way, 0.0))


def aurora(look: Look, salt: int, colour: str) -> Piece:
    """A curtain of light, slowly swaying and breathing."""

    def paint(canvas: Canvas) -> Layer:
        x, y = canvas.x, canvas.y
        foot = 0.40 + 0.11 * ridge(x, look.seed % 9999 + salt, scale=0.9, octaves=3)
        folds = 0.62 + 0.38 * ridge(x * 7, look.seed % 9999 + salt + 9, scale=0.5, octaves=3)
        rise = (foot - y) / 0.34
        light = np.where(rise > 0, np.exp(-rise * 2.0), np.exp(rise * 14)) * folds
        fade = 0.55 + 0.45 * ridge(x, look.seed % 9999 + salt + 20, scale=0.8, octaves=2)
        tints = gradient([(0.0, tuple(rgb(colour))), (0.8, tuple(rgb("#7a5cff")))], np.clip(rise, 0, 1))
        speed = 0.5 + 0.1 * (salt % 3)
        return single_cel_layer(
            canvas,
            tints,
            np.asarray(np.clip(light * fade * 0.75, 0, 0.8), np.float32),
            look.noise(salt),
            depth=math.inf,
            motion=lambda seconds: (look.unit * 0.05 * math.sin(seconds * 0.4 + salt), 0.0),
            strength=lambda seconds: 0.75 + 0.22 * math.sin(seconds * speed + salt * 1.3),
        )

    return Piece(math.inf, paint, (0.06, 0.0))


def nebula(look: Look, salt: int, only: str = "", share_of: float = 1.0) -> Piece:
    """Clouds of gas in two colours or one, and the band of a galaxy."""

    def paint(canvas: Canvas) -> Layer:
        x, y = canvas.x, (canvas.y - 0.5) * canvas.tall
        dice = look.noise(salt)
        angle = float(dice.uniform(-0.8, 0.8))
        across = x * math.sin(angle) + y * math.cos(angle)
        form = clouds(canvas, dice, scale=(0.8, 0.6), octaves=6)
        other = clouds(canvas, dice, scale=(0.6, 0.5), octaves=5)
        band = np.exp(-((across + 0.10 * form) ** 2) * 9)
        pairs = (
            ("#ff5f9e", "#4a6bff"),
            ("#37d0c8", "#7a4cff"),
            ("#ff9a52", "#3f6fe0"),
            ("#c65cff", "#2fb4ff"),
        )
        one, two = (rgb(code) for code in pairs[(look.scene.digest + int(dice.integers(2))) % 4])
        if only:
            one, two = rgb(only), rgb(only) * 0.8
        elif look.scene.tint:
            one = mix(one, rgb(look.scene.tint), 0.7)
        share = smooth(-0.6, 0.8, other)[..., None]
        tints = one * share + two * (1 - share)
        cover = np.clip(band * smooth(-0.7, 1.3, form) * 0.95, 0, 0.9) * share_of
        tints = tints * (0.45 + 0.75 * (band * smooth(0.0, 1.5, form))[..., None])
        return single_cel_layer(
            canvas,
            tints,
            cover,
            look.noise(salt + 1),
            depth=math.inf,
        )

    return Piece(math.inf, paint)


def planet(
    look: Look, salt: int, *, at: tuple[float, float], radius: float, depth: float, ring: bool
) -> Piece:
    """A ball with bands, lit from the side of the sun, with a thin blue atmosphere and perhaps a ring."""

    def paint(canvas: Canvas) -> Layer:
        dice = look.noise(salt)
        u = (canvas.x - at[0]) / radius
        v = (canvas.y - at[1]) * canvas.tall / radius
        away = np.hypot(u, v)
        pixel = 1.5 / (radius * canvas.unit)
        ball = smooth(1 + pixel, 1 - pixel, away)
        height = np.sqrt(np.clip(1 - away**2, 0, 1))
        side = math.copysign(0.72, look.sun[0] - at[0] or 1)
        lit = np.clip(u * side - v * 0.45 + height * 0.5, 0, 1) ** 0.8
        pairs = (
            ("#d99a62", "#f2dcb0"),
            ("#3d7fb8", "#cfe8f4"),
            ("#a8546a", "#f0b49a"),
            ("#5a58a8", "#c8b4ec"),
        )
        which = 1 if look.scene.form == "earth" and radius > 0.1 else (look.scene.digest // 7 + salt) % 4
        one, two = (rgb(code) for code in pairs[which])
        bands = ridge(v * 1.6 + 0.10 * clouds(canvas, dice, scale=(0.5, 0.12)), salt, scale=0.3, octaves=4)
        tints = one + (two - one) * smooth(-0.5, 0.6, bands)[..., None]
        tints = tints * (0.03 + 0.97 * lit)[..., None]
        air = np.exp(-np.abs(away - 1) * 16) * np.clip(u * side - v * 0.45 + 0.35, 0, 1)
        tints = tints + rgb("#9fd0ff") * (air * 0.5)[..., None]
        cover = np.maximum(ball, air * 0.55 * (away > 1))
        if ring:
            far = np.hypot(u, (v + 0.28 * u) / 0.24)
            stripe = smooth(1.35, 1.45, far) * smooth(2.25, 2.1, far) * (0.6 + 0.4 * np.sin(far * 26))
            front = np.where((v + 0.28 * u > 0) | (away > 1), stripe, 0) * 0.8
            tints = tints + (two - tints) * front[..., None]
            cover = np.maximum(cover, front)
        return single_cel_layer(canvas, tints, cover.astype(np.float32), dice, depth=depth)

    return Piece(depth, paint)


def rainbow(look: Look) -> Piece:
    """A faint bow opposite to the sun."""

    def paint(canvas: Canvas) -> Layer:
        x, y = canvas.x + math.copysign(0.2, look.sun[0]), (canvas.y - look.horizon - 0.05) * canvas.tall
        band = (np.hypot(x, y) - 0.62) / 0.07
        codes = ("#6a3fd0", "#3f7fe8", "#3fc86a", "#f2e04a", "#f2923a", "#e8413a")
        tints = gradient([(i / 5, tuple(rgb(code))) for i, code in enumerate(codes)], band)
        cover = smooth(-0.15, 0.3, band) * smooth(1.15, 0.7, band) * np.clip(0.75 + y, 0, 1) * 0.42
        return single_cel_layer(canvas, tints, cover, look.noise(77), depth=40.0)

    return Piece(40.0, paint)


def beams(look: Look, salt: int, *, origin: tuple[float, float], strength: float, colour: Floats) -> Piece:
    """Rays of light from a point. Several such layers grow brighter and darker in turn."""

    def paint(canvas: Canvas) -> Layer:
        x, y = canvas.x - origin[0], (canvas.y - origin[1]) * canvas.tall
        angle = np.arctan2(x, np.maximum(y, 1e-3))
        streak = ridge(angle * 3, salt + look.seed % 999, scale=0.35, octaves=3)
        cover = smooth(0.0, 0.7, streak) * np.exp(-np.hypot(x, y) * 1.1) * strength
        cover = cover * smooth(-0.05, 0.1, y)
        pace = 0.7 + 0.17 * (salt % 3)
        return single_cel_layer(
            canvas,
            colour,
            cover,
            look.noise(salt),
            depth=30.0,
            strength=lambda seconds: 0.66 + 0.33 * math.sin(seconds * pace + salt),
        )

    return Piece(30.0, paint)
