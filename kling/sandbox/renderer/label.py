"""The label on each picture, which says that it is a preview, and the watermark if the spec asks for one."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from kling.sandbox.render_spec import RenderSpec
from kling.sandbox.renderer.layers import Planes
from kling.sandbox.renderer.scale import Bytes

# Left, top, its brightness, and how much of the picture shows through it.
Stamp = tuple[int, int, Bytes, Bytes]
SMALL = 100  # the letters' part of the two sides of the frame together; legible where a clip is shown large
ALIKE = 0.75  # correlation from which a part of a picture counts as the label
INK = 40  # brightness of the stamp from which a pixel belongs to a letter
CHROMA = 4 / 3  # by which the stamp divides the colours
LUMA = np.array([0.2126, 0.7152, 0.0722], np.float32)  # BT.709
VEIL = 0.26  # darkness behind the letters, so that they are legible on snow


def stamps_of(spec: RenderSpec) -> tuple[Stamp, ...]:
    """The label, and the watermark if the spec asks for one."""
    found = [_label(spec)]
    if spec.watermark:
        found.append(_stamp(spec, "KLING SANDBOX", spec.width / 26, at_right=True))
    return tuple(found)


def _label(spec: RenderSpec) -> Stamp:
    return _stamp(spec, "Sandbox preview", (spec.width + spec.height) / SMALL)


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


def without_label(picture: Bytes, spec: RenderSpec) -> Bytes:
    """Takes the label out of a picture that is a frame of an earlier clip, because it gets one again.

    Args:
        picture: of the size of the frame: rows, columns, and R, G and B. One without the label is returned.
        spec: of the clip that shows the picture.
    """
    left, top, light, _ = _label(spec)
    box = picture[top : top + light.shape[0], left : left + light.shape[1]].astype(np.float32)
    level = box @ LUMA
    written = light[: level.shape[0], : level.shape[1]].astype(np.float32)
    if level.std() < 1 or np.corrcoef(level.ravel(), written.ravel())[0, 1] < ALIKE:
        return picture
    # What the stamp did to the places between the letters, undone; the letters are filled from around them.
    grey = level[..., None]
    bare = np.clip(grey / (1 - VEIL) + CHROMA * (box - grey), 0, 255)
    reach = max(1.0, (spec.width + spec.height) / SMALL / 6)
    ink = Image.fromarray(np.where(written > INK, 255, 0).astype(np.uint8))
    plate = np.asarray(ink.filter(ImageFilter.MaxFilter(3)), np.float32)[..., None] < INK
    share = _blurred(np.repeat(plate, 3, axis=2).astype(np.float32) * 255, reach) / 255
    around = _blurred((bare * plate).astype(np.float32), reach) / np.maximum(share, 0.01)
    made = picture.copy()
    made[top : top + box.shape[0], left : left + box.shape[1]] = np.where(plate, bare, around).clip(0, 255)
    return made


def _blurred(picture: npt.NDArray[np.float32], reach: float) -> npt.NDArray[np.float32]:
    blur = ImageFilter.GaussianBlur(reach)
    return np.asarray(Image.fromarray(picture.clip(0, 255).astype(np.uint8)).filter(blur), np.float32)
