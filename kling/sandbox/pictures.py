"""Pictures in the body of a create call: checked, and taken out of the request.

In the request a reference takes the picture's place, so that a request stays small and can be shown. Nothing
is fetched: a picture that is a URL stays that URL.
"""

from __future__ import annotations

import base64
import hashlib
import io
import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kling.sandbox.refusals import Refused, refusal

MAX_PIXELS = 50_000_000  # the sandbox's limit: it decodes them to draw
_LEAST_SIDE = 300  # pixels (S2, S4)
_MOST_RATIO = 2.5  # (S2, S4)
_MB = 1 << 20
_URL = re.compile(r"https?://", re.IGNORECASE)
_ORIENTATION = 0x0112  # EXIF
_TURNED = (5, 6, 7, 8)  # orientations that swap the sides
_FRAME_OF_A_URL = (16, 9)


@dataclass(slots=True)
class Pictures:
    """The pictures of one create call.

    Args:
        most_mb: how many MB (of 1,048,576 bytes) a picture may have: 10 in the older generation, 50 in the
            newer one.
        contents: the bytes of each picture, by its reference in the request.
        frames: width and height of each, by its reference or URL; of a URL 16 and 9.
    """

    most_mb: int
    contents: dict[str, bytes] = field(default_factory=dict)
    frames: dict[str, tuple[int, int]] = field(default_factory=dict)

    def take(self, text: str, name: str) -> str:
        """Return what takes a picture's place in the request: its URL, or `sha256:` and its digest.

        Args:
            text: a URL or Base64; nothing in it is trusted.
            name: of the field, for messages.

        Raises:
            Refused: 1201: it is neither, or no picture that Kling takes.
        """
        if _URL.match(text):
            self.frames[text] = _FRAME_OF_A_URL
            return text
        content = _decoded(text, name, self.most_mb)
        reference = f"sha256:{hashlib.sha256(content).hexdigest()}"
        self.frames[reference] = _frame(content, name)
        self.contents[reference] = content
        return reference


def references(request: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the references to pictures in a task's request: of its first and its last frame."""
    return tuple(request[name] for name in ("image", "image_tail") if name in request)


def _decoded(text: str, name: str, most_mb: int) -> bytes:
    if text[:5].lower() == "data:":
        raise refusal("picture-base64", field=name)
    if len(text) > most_mb * _MB * 4 / 3 + 4096:
        raise refusal("picture-bytes", field=name, most=most_mb)
    try:
        content = base64.b64decode("".join(text.split()), validate=True)
    except ValueError as error:
        raise Refused(1201, f"{name}: is neither a URL nor valid Base64") from error
    if len(content) > most_mb * _MB:
        raise refusal("picture-bytes", field=name, most=most_mb)
    return content


def _frame(content: bytes, name: str) -> tuple[int, int]:
    """Return width and height of a picture as one sees it; only its head is read."""
    from PIL import Image  # loaded only where a picture comes

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(content), formats=("JPEG", "PNG")) as picture:
                width, height = picture.size
                turned = picture.getexif().get(_ORIENTATION) in _TURNED
    except Exception as error:
        # A file of somebody else; Pillow raises many kinds of errors for broken ones.
        raise refusal("picture-format", field=name) from error
    if width * height > MAX_PIXELS:
        raise refusal("picture-format", field=name)
    if min(width, height) < _LEAST_SIDE or max(width, height) > _MOST_RATIO * min(width, height):
        raise refusal("picture-sides", field=name, width=width, height=height)
    return (height, width) if turned else (width, height)
