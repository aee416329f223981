"""The MP4: frames and sound in, one streamable file out, nothing kept in memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt

from kling.sandbox.renderer.layers import Planes

RATE = 48_000  # of the sound
PRESET = "superfast"
QUALITY = "21"  # crf: about 2 MB for five seconds of 720p
RATE_LIMIT = 5_600_000 / (1280 * 720)  # bits a second for each pixel: 4 MB hold any five seconds of 720p
LARGE = 2_500_000  # pixels; what is larger was painted smaller, so it has no finer detail to keep
LARGE_QUALITY = "25"


def write(
    path: Path,
    frames: Iterable[Planes],
    *,
    size: tuple[int, int],
    fps: int,
    sound: Iterator[npt.NDArray[np.float32]] | None = None,
) -> None:
    """Encodes frames as they come, and after every `fps` of them one second of sound."""
    with av.open(str(path), "w", format="mp4", options={"movflags": "faststart"}) as container:
        video = container.add_stream("libx264", rate=fps)
        video.width, video.height = size
        video.pix_fmt = "yuv420p"
        video.options = {
            "preset": PRESET,
            "crf": QUALITY if size[0] * size[1] < LARGE else LARGE_QUALITY,
            "maxrate": str(round(size[0] * size[1] * RATE_LIMIT)),
            "bufsize": str(round(size[0] * size[1] * RATE_LIMIT / 2)),
            "threads": "2",
            "x264-params": "colorprim=bt709:transfer=bt709:colormatrix=bt709:range=tv",
        }
        audio = container.add_stream("aac", rate=RATE, layout="stereo") if sound else None
        if audio:
            audio.bit_rate = 128_000
        for number, planes in enumerate(frames):
            container.mux(video.encode(_frame(planes, number, fps)))
            if audio and sound and number % fps == 0:
                chunk = next(sound)
                block = av.AudioFrame.from_ndarray(
                    np.ascontiguousarray(chunk), format="fltp", layout="stereo"
                )
                block.sample_rate, block.time_base = RATE, Fraction(1, RATE)
                block.pts = number // fps * RATE
                container.mux(audio.encode(block))
        container.mux(video.encode(None))
        if audio:
            container.mux(audio.encode(None))


def _frame(planes: Planes, number: int, fps: int) -> av.VideoFrame:
    height, width = planes[0].shape
    frame = av.VideoFrame(width, height, "yuv420p")
    for target, source in zip(frame.planes, planes, strict=True):
        rows, columns = source.shape
        memory = np.frombuffer(memoryview(target), np.uint8).reshape(rows, target.line_size)
        memory[:, :columns] = source
    frame.pts, frame.time_base = number, Fraction(1, fps)
    return frame
