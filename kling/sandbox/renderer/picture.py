"""A picture as a scene: layers of it at different depths, which a camera moves past.

Nothing is known about what the picture shows. What is lower in it is taken to be nearer, as in most pictures
with a ground; between two depths the layers blend over a wide strip, so that no edge shows. While the camera
is at rest all layers together are exactly the picture.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps

from kling.sandbox.renderer.camera import REST, Leg, Pose, path_from_words
from kling.sandbox.renderer.canvas import Canvas, Piece, single_cel_layer, smooth
from kling.sandbox.renderer.layers import Floats, Layer
from kling.sandbox.renderer.scale import Bytes

# The distance of each layer from the camera, and the height from which it covers the layers behind it, as a
# share of the frame from its top. The inverse of the distance grows evenly: then the shift between neighbours
# is always the same, and small.
DEPTHS = tuple((1 / (0.11 + 0.04 * number), 0.30 + 0.10 * number if number else 0.0) for number in range(7))
BLEND = 0.10  # share of the frame's height over which a layer begins
APPROACH = Pose(x=0.05, z=0.22)  # the move of a prompt that names none
DISSOLVE = (0.45, 0.94)  # shares of the shot at which the last picture begins to show, and alone is left


def read_picture(path: Path, frame: tuple[int, int]) -> Bytes:
    """Returns a picture as one sees it, cut and scaled to the frame: rows, columns, and R, G and B.

    Args:
        path: a JPEG or PNG file.
        frame: width and height in pixels.
    """
    with Image.open(path, formats=("JPEG", "PNG")) as file:
        file.draft("RGB", (max(frame), max(frame)))  # decodes a large JPEG at a smaller size
        picture = ImageOps.exif_transpose(file)
        if picture.mode.startswith("I"):  # 16 bits a colour
            picture = picture.point(lambda level: level / 256).convert("L")
        if picture.has_transparency_data:
            white = Image.new("RGBA", picture.size, "white")
            picture = Image.alpha_composite(white, picture.convert("RGBA"))
        return np.asarray(ImageOps.fit(picture.convert("RGB"), frame, Image.Resampling.LANCZOS))


def picture_pieces(picture: Bytes, seed: int) -> list[Piece]:
    """The pieces of a picture, far to near.

    Args:
        picture: as `read_picture` returns it.
        seed: of the dither.
    """
    return [Piece(depth, _painter(picture, depth, above, seed)) for depth, above in DEPTHS]


def last_piece(picture: Bytes, seconds: int, seed: int) -> Piece:
    """The piece of the picture with which a shot ends: it fades in before everything else.

    Args:
        picture: as `read_picture` returns it.
        seconds: the duration of the shot.
        seed: of the dither.
    """
    begin, end = (share * seconds for share in DISSOLVE)

    def strength(at: float) -> float:
        return float(smooth(begin, end, np.float32(at)))  # type: ignore[arg-type]

    def paint(canvas: Canvas) -> Layer:
        noise = np.random.default_rng([seed, 92])
        cover = np.ones((1, 1), np.float32)  # not None: a layer that fades in needs its transparency
        rgb = _extended(picture, canvas)
        return single_cel_layer(canvas, rgb, cover, noise, depth=float("inf"), strength=strength)

    return Piece(float("inf"), paint)


def picture_path(legs: tuple[Leg, ...], *, returns: bool) -> tuple[Pose, ...]:
    """The poses of the camera before a picture: it starts at rest, so that the first frame is the picture.

    Args:
        legs: the move that the prompt names, as `path_from_words` takes it.
        returns: whether it also ends at rest, so that the last frame is the last picture.
    """
    path = path_from_words(legs) if legs else (REST, APPROACH)
    path = path if path[0] == REST else (REST, *path)
    return (*path, REST) if returns and path[-1] != REST else path


def _painter(picture: Bytes, depth: float, above: float, seed: int) -> Callable[[Canvas], Layer]:
    def paint(canvas: Canvas) -> Layer:
        cover = smooth(above, above + BLEND, canvas.y) if above else None
        noise = np.random.default_rng([seed, round(depth * 10)])
        return single_cel_layer(canvas, _extended(picture, canvas), cover, noise, depth=depth)

    return paint


def _extended(picture: Bytes, canvas: Canvas) -> Floats:
    """The colours of a canvas: the picture, mirrored beyond its edges."""
    rows = _mirrored(np.arange(canvas.height) + canvas.top, picture.shape[0])
    columns = _mirrored(np.arange(canvas.width) + canvas.left, picture.shape[1])
    return picture[np.ix_(rows, columns)].astype(np.float32) / np.float32(255)


def _mirrored(at: npt.NDArray[np.int_], length: int) -> npt.NDArray[np.int_]:
    turned: npt.NDArray[np.int_] = at % (2 * length)
    return np.where(turned < length, turned, 2 * length - 1 - turned)
