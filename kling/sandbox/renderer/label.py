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
LARGE = 34  # letters that would fit across the frame; legible even if the clip is shown 300 pixels wide
SMALL = 68
VEIL = 0.26  # darkness behind the letters, so that they are legible on snow


def stamps_of(spec: RenderSpec) -> tuple[Stamp, ...]:
    """The label, and the watermark if the spec asks for one."""
    details = f"{_plain(spec.model_name)} · {_plain(spec.mode)} · seed {_plain(spec.seed)}"
    lines = [("Sandbox preview", spec.width / LARGE, 0.86), (details, spec.width / SMALL, 0.70)]
    found = [_stamp(spec, lines, (0, 1))]
    if spec.watermark:
        found.append(_stamp(spec, [("KLING SANDBOX", spec.width / 26, 0.85)], (1, 0)))
    return tuple(found)


def _plain(text: str) -> str:
    """The printable ASCII characters of a text, at most 32: the built-in font has no others."""
    return "".join(letter for letter in text if " " <= letter <= "~")[:32]


def _stamp(spec: RenderSpec, lines: list[tuple[str, float, float]], corner: tuple[int, int]) -> Stamp:
    pad = max(2, round(spec.width / 100))
    fonts = [_fitting(words, size, spec.width - 4 * pad) for words, size, _ in lines]
    wide = max(font.getlength(words) for font, (words, _, _) in zip(fonts, lines, strict=True))
    width = min(int(wide + 2 * pad) // 2 * 2 + 2, spec.width)
    height = int(sum(1.25 * font.size for font in fonts) + 1.4 * pad) // 2 * 2
    ink, at = Image.new("L", (width, height)), 0.7 * pad
    for font, (words, _, strength) in zip(fonts, lines, strict=True):
        at += 1.25 * font.size
        position = (pad, at - 0.28 * font.size)
        ImageDraw.Draw(ink).text(position, words, fill=round(255 * strength), font=font, anchor="ls")
    drawn = np.asarray(ink, np.float32) / 255
    light = 16 * VEIL * (1 - drawn) + 235 * drawn
    clear = 255 * (1 - VEIL) * (1 - drawn)
    margin = pad // 2 * 2
    left = (spec.width - width - margin if corner[0] else margin) // 2 * 2
    top = (spec.height - height - margin if corner[1] else margin) // 2 * 2
    return max(left, 0), max(top, 0), light.astype(np.uint8), clear.astype(np.uint8)


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
