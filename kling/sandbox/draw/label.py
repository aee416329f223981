"""The small print on the picture: that it is a preview, and the watermark where one was ordered."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from kling.sandbox.draw.layers import Planes
from kling.sandbox.draw.scale import Bytes
from kling.sandbox.order import Order

Stamp = tuple[int, int, Bytes, Bytes]  # left, top, brightness, what shows through
LARGE = 34  # letters across the frame's width: still legible where the clip is a card of 300 pixels
SMALL = 68
VEIL = 0.26  # behind the letters: legible on snow too


def stamps(order: Order) -> tuple[Stamp, ...]:
    """The label, and the watermark of a file that carries one."""
    details = f"{_plain(order.model_name)} · {_plain(order.mode)} · seed {_plain(order.seed)}"
    lines = [("Sandbox preview", order.width / LARGE, 0.86), (details, order.width / SMALL, 0.70)]
    found = [_stamp(order, lines, (0, 1))]
    if order.watermark:
        found.append(_stamp(order, [("KLING SANDBOX", order.width / 26, 0.85)], (1, 0)))
    return tuple(found)


def _plain(text: str) -> str:
    """Short and printable; the built-in font has no glyphs beyond Latin."""
    return "".join(letter for letter in text if " " <= letter <= "~")[:32]


def _stamp(order: Order, lines: list[tuple[str, float, float]], corner: tuple[int, int]) -> Stamp:
    pad = max(2, round(order.width / 100))
    fonts = [_fitting(words, size, order.width - 4 * pad) for words, size, _ in lines]
    wide = max(font.getlength(words) for font, (words, _, _) in zip(fonts, lines, strict=True))
    width = min(int(wide + 2 * pad) // 2 * 2 + 2, order.width)
    height = int(sum(1.25 * font.size for font in fonts) + 1.4 * pad) // 2 * 2
    ink, at = Image.new("L", (width, height)), 0.7 * pad
    for font, (words, _, strength) in zip(fonts, lines, strict=True):
        at += 1.25 * font.size
        place = (pad, at - 0.28 * font.size)
        ImageDraw.Draw(ink).text(place, words, fill=round(255 * strength), font=font, anchor="ls")
    drawn = np.asarray(ink, np.float32) / 255
    light = 16 * VEIL * (1 - drawn) + 235 * drawn
    clear = 255 * (1 - VEIL) * (1 - drawn)
    margin = pad // 2 * 2
    left = (order.width - width - margin if corner[0] else margin) // 2 * 2
    top = (order.height - height - margin if corner[1] else margin) // 2 * 2
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


def press(stamp: Stamp, out: Planes) -> None:
    """Puts a stamp on a finished frame."""
    left, top, light, clear = stamp
    rows, columns = light.shape
    part = out[0][top : top + rows, left : left + columns]
    shown = part.astype(np.uint16) * clear[: part.shape[0], : part.shape[1]] // 255
    part[:] = (shown + light[: part.shape[0], : part.shape[1]]).astype(np.uint8)
    for plane in out[1:]:
        part = plane[top // 2 : (top + rows) // 2, left // 2 : (left + columns) // 2]
        part[:] = ((part.astype(np.uint16) * 3 + 128) // 4).astype(np.uint8)
