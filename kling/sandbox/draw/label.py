"""The small print on the picture: that it is a preview, and the watermark where one was ordered."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from kling.sandbox.draw.layers import Planes
from kling.sandbox.draw.scale import Bytes
from kling.sandbox.order import Order

Stamp = tuple[int, int, Bytes, Bytes]  # left, top, brightness, what shows through


def stamps(order: Order) -> tuple[Stamp, ...]:
    """The label, and the watermark of a file that carries one."""
    size = max(8, round(min(order.width, order.height) / 38))
    words = f"Sandbox preview · {_plain(order.model_name)} · {_plain(order.mode)} · seed {_plain(order.seed)}"
    found = [_stamp(order, words, size, (0, 1), 0.72)]
    if order.watermark:
        found.append(_stamp(order, "KLING SANDBOX", size * 2, (1, 0), 0.85))
    return tuple(found)


def _plain(text: str) -> str:
    """Short and printable; the built-in font has no glyphs beyond Latin."""
    return "".join(letter for letter in text if " " <= letter <= "~")[:32]


def _stamp(order: Order, words: str, size: int, corner: tuple[int, int], strength: float) -> Stamp:
    font = ImageFont.load_default(size)
    margin = max(2, size // 2)
    while font.getlength(words) > order.width - 4 * margin and size > 5:
        size -= 1
        font = ImageFont.load_default(size)
    pad = max(2, size // 3)
    box = font.getbbox(words)
    width, height = (int(side) + 2 * pad for side in (box[2], size * 1.25))
    width, height = min(width + width % 2, order.width), min(height + height % 2, order.height)
    letters = Image.new("L", (width, height))
    ImageDraw.Draw(letters).text((pad, pad + size * 1.0), words, fill=255, font=font, anchor="ls")
    ink = np.asarray(letters, np.float32) / 255 * strength
    # a dark veil behind the letters keeps them legible on snow
    veil = np.full_like(ink, 0.34)
    light = 16 * veil * (1 - ink) + 235 * ink
    clear = 255 * (1 - veil) * (1 - ink)
    left = (order.width - width - margin if corner[0] else margin) // 2 * 2
    top = (order.height - height - margin if corner[1] else margin) // 2 * 2
    return max(left, 0), max(top, 0), light.astype(np.uint8), clear.astype(np.uint8)


def press(stamp: Stamp, out: Planes) -> None:
    """Puts a stamp on a finished frame."""
    left, top, light, clear = stamp
    rows, columns = light.shape
    part = out[0][top : top + rows, left : left + columns]
    part[:] = (
        part.astype(np.uint16) * clear[: part.shape[0], : part.shape[1]] // 255
        + light[: part.shape[0], : part.shape[1]]
    ).astype(np.uint8)
    for plane in out[1:]:
        part = plane[top // 2 : (top + rows) // 2, left // 2 : (left + columns) // 2]
        part[:] = ((part.astype(np.uint16) + 128) // 2).astype(np.uint8)
