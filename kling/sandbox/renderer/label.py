"""The label on each picture, which says that it is a preview, and the watermark if the spec asks for one."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from kling.sandbox.render_spec import RenderSpec
from kling.sandbox.renderer.layers import Planes
from kling.sandbox.renderer.scale import Bytes

Stamp = tuple[
    int, int, Bytes, Bytes
]  # left, top, its brightness, and how much of the picture shows through it
SMALL = 100  # the letters' part of the two sides of the frame together; legible where a clip is shown large
VEIL = 0.26  # darkness behind the letters, so that they are legible on snow


def stamps_of(spec: RenderSpec) -> tuple[Stamp, ...]:
    """The label, and the watermark if the spec asks for one."""
    size = (spec.width + spec.height) / SMALL
    found = [_stamp(spec, "Sandbox preview", size)]
    if spec.watermark:
        found.append(_stamp(spec, "KLING SANDBOX", spec.width / 26, at_right=True))
    return tuple(found)


def _stamp(spec: RenderSpec, words: str, size: float, *, at_right: bool = False) -> Stamp:
    """Return words in an upper corner: a player has its controls at the bottom."""
    pad = max(2, round(spec.width / 100))
    font = _fitting(words, size, spec.width - 4 * pad)
    width = min(int(font.getlength(words) + 2 * pad) // 2 * 2 + 2, spec.width)
    height = int(1.25 * font.size + 1.4 * pad) // 2 * 2
    ink, base = Image.new("L", (width, height)), 0.7 * pad + 0.97 * font.size
    ImageDraw.Draw(ink).text((pad, base), words, fill=219, font=font, anchor="ls")
    drawn = np.asarray(ink, np.float32) / 255
    light = 16 * VEIL * (1 - drawn) + 235 * drawn
    clear = 255 * (1 - VEIL) * (1 - drawn)
    margin = pad // 2 * 2
    left = (spec.width - width - margin if at_right else margin) // 2 * 2
    return max(left, 0), margin, light.astype(np.uint8), clear.astype(np.uint8)


def _fitting(words: str, size: float, width: float) -> ImageFont.FreeTypeFont:
    size = max(5.0, size)
    font = ImageFont.load_default(size)
    while font.getlength(words) > width and size > 5:
        size -= 1
        font = ImageFont.load_default(size)
    if not isinstance(font, ImageFont.FreeTypeFont):
        raise TypeError("Pillow has to be built with FreeType")
    return font


def apply_stamp(stamp: Stamp, out: Planes) -> None:
    """Draws a stamp onto a finished frame."""
    left, top, light, clear = stamp
    rows, columns = light.shape
    part = out[0][top : top + rows, left : left + columns]
    shown = part.astype(np.uint16) * clear[: part.shape[0], : part.shape[1]] // 255
    part[:] = (shown + light[: part.shape[0], : part.shape[1]]).astype(np.uint8)
    for plane in out[1:]:
        part = plane[top // 2 : (top + rows) // 2, left // 2 : (left + columns) // 2]
        part[:] = ((part.astype(np.uint16) * 3 + 128) // 4).astype(np.uint8)
