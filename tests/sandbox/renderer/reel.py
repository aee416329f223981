"""What the tests of the renderer share: small specs, clips as arrays, and where parts of a frame moved."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt

from kling.sandbox.render_spec import RenderSpec, Shot
from kling.sandbox.renderer import draw_clip

Frames = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float64]
Part = tuple[slice, slice]


def spec(prompt: str = "mountains at noon", seconds: int = 1, **other: Any) -> RenderSpec:
    usual: dict[str, Any] = {
        "seed": "844112200001234567",
        "model_name": "kling-v2-6",
        "mode": "pro",
        "width": 160,
        "height": 90,
        "fps": 24,
        "shots": (Shot(prompt=prompt, seconds=seconds),),
    }
    return RenderSpec(**(usual | other))


@dataclass(frozen=True)
class Reel:
    path: Path
    grey: Frames  # frames, rows, columns
    size: tuple[int, int]
    fps: float
    seconds: float
    audio: npt.NDArray[np.float32] | None  # channels, samples


def shoot(wanted: RenderSpec, folder: Path) -> Reel:
    path = folder / "clip.mp4"
    draw_clip(wanted, path)
    with av.open(str(path)) as file:
        video = file.streams.video[0]
        rate, seconds = float(video.average_rate or 0), float((video.duration or 0) * (video.time_base or 0))
        grey = np.stack([frame.to_ndarray(format="gray") for frame in file.decode(video)]).astype(np.uint8)
    with av.open(str(path)) as file:
        tracks = file.streams.audio
        audio = (
            np.concatenate([frame.to_ndarray() for frame in file.decode(tracks[0])], axis=1)
            if tracks
            else None
        )
    return Reel(path, grey, (grey.shape[2], grey.shape[1]), rate, seconds, audio)


def difference(one: Frames, other: Frames) -> float:
    return float(np.abs(one.astype(int) - other.astype(int)).mean())


def windows(values: Floats, shape: tuple[int, ...]) -> Floats:
    """The sum of every window of a shape."""
    total = np.pad(values.cumsum(0).cumsum(1), ((1, 0), (1, 0)))
    high, wide = shape
    sums: Floats = total[high:, wide:] - total[:-high, wide:] - total[high:, :-wide] + total[:-high, :-wide]
    return sums


def likeness(piece: Floats, frame: Floats) -> tuple[float, int, int]:
    """How well the best place of a frame fits a piece (1: exactly), and its first row and column."""
    piece = (piece - piece.mean()) / (piece.std() + 1e-6)
    mean = windows(frame, piece.shape) / piece.size
    spread = np.sqrt(np.maximum(windows(frame**2, piece.shape) / piece.size - mean**2, 4.0))
    product = np.fft.irfft2(np.fft.rfft2(frame) * np.conj(np.fft.rfft2(piece, frame.shape)), frame.shape)
    fits = product[: mean.shape[0], : mean.shape[1]] / piece.size / spread
    row, column = np.unravel_index(np.argmax(fits), fits.shape)
    return float(fits[row, column]), int(row), int(column)


def slid(first: Frames, last: Frames, part: Part, least: float = 0.6) -> tuple[int, int]:
    """By how many pixels to the right and down a part of the first frame lies in the last one.

    At its new position it fits better than `least`; 1 would be exactly.
    """
    fit, row, column = likeness(first[part].astype(float), last.astype(float))
    assert fit > least
    return column - part[1].start, row - part[0].start
