"""Writes frames and sound into one MP4 that can be streamed, without keeping them in memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt

from kling.sandbox.renderer.layers import Planes

RATE = 48_000  # samples a second of the sound
PRESET = "superfast"
QUALITY = "21"  # crf: about 2 MB for five seconds of 720p
# Bits a second for each pixel: no five seconds of 720p take more than 4 MB.
RATE_LIMIT = 5_600_000 / (1280 * 720)
LARGE = 2_500_000  # pixels; larger frames were enlarged, so a lower quality loses no detail
LARGE_QUALITY = "25"


def write(
    path: Path,
    frames: Iterable[Planes],
    *,
    size: tuple[int, int],
    fps: int,
    sound: Iterator[npt.NDArray[np.float32]] | None = None,
) -> None:
    """Encodes frames as they come, and one second of sound with every `fps` frames.

    Args:
        path: of the file.
        frames: Y, U and V of each frame; the arrays may be reused.
        size: width and height in pixels.
        fps: frames a second.
        sound: one second of stereo at a time; None: the file gets no audio track.
    """
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
                container.mux(audio.encode(_block(next(sound), number // fps)))
        container.mux(video.encode(None))
        if audio:
            container.mux(audio.encode(None))


def dub(source: Path, path: Path, sound: Iterator[npt.NDArray[np.float32]]) -> None:
    """Copies the pictures of a clip into another file, with a sound as long as the iterator.

    Args:
        source: the clip; its own sound is left out.
        path: of the new file.
        sound: one second of stereo at a time.
    """
    options = {"movflags": "faststart"}
    with av.open(str(source)) as given, av.open(str(path), "w", format="mp4", options=options) as container:
        video = container.add_stream_from_template(given.streams.video[0])
        audio = container.add_stream("aac", rate=RATE, layout="stereo")
        audio.bit_rate = 128_000
        second = 0
        for packet in given.demux(given.streams.video[0]):
            if packet.dts is None:
                continue
            while packet.dts * packet.time_base >= second and (chunk := next(sound, None)) is not None:
                container.mux(audio.encode(_block(chunk, second)))
                second += 1
            packet.stream = video
            container.mux(packet)
        for chunk in sound:
            container.mux(audio.encode(_block(chunk, second)))
            second += 1
        container.mux(audio.encode(None))


def _block(chunk: npt.NDArray[np.float32], second: int) -> av.AudioFrame:
    block = av.AudioFrame.from_ndarray(np.ascontiguousarray(chunk), format="fltp", layout="stereo")
    block.sample_rate, block.time_base = RATE, Fraction(1, RATE)
    block.pts = second * RATE
    return block


def _frame(planes: Planes, number: int, fps: int) -> av.VideoFrame:
    height, width = planes[0].shape
    frame = av.VideoFrame(width, height, "yuv420p")
    for target, source in zip(frame.planes, planes, strict=True):
        rows, columns = source.shape
        memory = np.frombuffer(memoryview(target), np.uint8).reshape(rows, target.line_size)
        memory[:, :columns] = source
    frame.pts, frame.time_base = number, Fraction(1, fps)
    return frame
