"""What the tests of the renderer share: small orders, and clips as arrays."""

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
