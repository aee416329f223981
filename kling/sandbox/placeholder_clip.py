"""A clip that shows one fading colour: drawn in no time, for runs with thousands of tasks."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from kling.sandbox.render_spec import RenderSpec

_RATE = 44100


def draw_placeholder_clip(spec: RenderSpec, path: Path) -> None:
    """Write a clip of the spec's size, length, frame rate and sound.

    Args:
        spec: everything else in it is ignored.
        path: of the file; whatever is there is replaced.
    """
    with av.open(str(path), "w", options={"movflags": "faststart"}) as file:
        video = file.add_stream("libx264", rate=spec.fps, options={"preset": "ultrafast", "crf": "30"})
        video.width, video.height, video.pix_fmt = spec.width, spec.height, "yuv420p"
        sound = file.add_stream("aac", rate=_RATE, layout="stereo") if spec.sound else None
        frames = spec.seconds * spec.fps
        for number in range(frames):
            picture = np.full((spec.height, spec.width, 3), 40 + 160 * number // frames, np.uint8)
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, spec.fps)
            file.mux(video.encode(frame))
        file.mux(video.encode(None))
        if sound is not None:
            for start in range(0, spec.seconds * _RATE, 1024):
                count = min(1024, spec.seconds * _RATE - start)
                silence = av.AudioFrame.from_ndarray(
                    np.zeros((2, count), np.float32), format="fltp", layout="stereo"
                )
                silence.sample_rate, silence.pts, silence.time_base = _RATE, start, Fraction(1, _RATE)
                file.mux(sound.encode(silence))
            file.mux(sound.encode(None))
