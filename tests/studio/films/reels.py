"""Clips whose frames and samples say when they belong, and what is seen and heard of a film."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

RATE = 48_000
SIZE = (320, 180)
Wave = Callable[[Any], Any]  # from seconds to samples, -1 to 1


def tone(hertz: float, loud: float = 0.3) -> Wave:
    return lambda time: loud * np.sin(2 * np.pi * hertz * time)


def clicks_at(*times: float) -> Wave:
    """Return silence with a short burst at each time."""
    return lambda time: sum((abs(time - at) < 0.001) * 0.8 for at in times) + 0.0 * time


def reel(
    path: Path,
    *,
    first: int = 0,
    frames: int = 24,
    rate: Fraction | int = 24,
    size: tuple[int, int] = SIZE,
    sound: Wave | None = None,
    sound_rate: int = RATE,
    sound_layout: str = "stereo",
    sound_seconds: float | None = None,
    ticks: int = 0,
    codec: str = "libx264",
    **options: str,
) -> Path:
    """Write a clip in which a white bar moves by four pixels with each frame, from number `first` on.

    Args:
        ticks: parts of a second to which the times of frames are rounded; 0: they are exact.
    """
    with av.open(str(path), "w", format="mp4") as container:
        stream: Any = container.add_stream(codec, rate=Fraction(rate))
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        stream.options = (
            {"preset": "veryfast", "crf": "12", "bf": "3", **options} if codec == "libx264" else {}
        )
        if ticks:
            stream.codec_context.time_base = Fraction(1, ticks)
        track: Any = container.add_stream("aac", rate=sound_rate, layout=sound_layout) if sound else None
        for number in range(first, first + frames):
            picture = np.full((size[1], size[0], 3), 40, np.uint8)
            picture[:, 4 * number : 4 * number + 20] = 230
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            if ticks:
                frame.pts, frame.time_base = round((number - first) / rate * ticks), Fraction(1, ticks)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
        if track and sound:
            seconds = frames / rate if sound_seconds is None else sound_seconds
            wave = sound(np.arange(round(seconds * sound_rate)) / sound_rate).astype(np.float32)
            samples = np.stack([wave] * (1 if sound_layout == "mono" else 2))
            block = av.AudioFrame.from_ndarray(samples, format="fltp", layout=sound_layout)
            block.sample_rate, block.pts, block.time_base = sound_rate, 0, Fraction(1, sound_rate)
            container.mux(track.encode(block))
            container.mux(track.encode())
    return path


@dataclass(frozen=True)
class Shown:
    """What a player shows of a file.

    Args:
        times: of each frame, in seconds.
        bars: which number each frame has, by where its bar is.
        samples: two rows, from the time 0 on.
    """

    times: Sequence[float]
    bars: Sequence[int]
    samples: Any

    def heard(self, start: float, end: float) -> Any:
        """Return one channel between two times."""
        return self.samples[0, round(start * RATE) : round(end * RATE)]


def shown(path: Path) -> Shown:
    times, bars = [], []
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            line = frame.to_ndarray(format="gray")[frame.height // 2].astype(int)
            times.append(float(frame.time or 0))
            bars.append(round(int((line > 135).argmax()) / 4))
    samples = np.zeros((2, 0), np.float32)
    with av.open(str(path)) as container:
        if container.streams.audio:
            # Chromium plays one channel on both sides as it is; a resampler would make it less loud.
            layout = container.streams.audio[0].layout.name
            resampler = av.AudioResampler("fltp", layout, RATE)
            decoded = [each for frame in container.decode(audio=0) for each in resampler.resample(frame)]
            assert decoded[0].time == 0
            samples = np.concatenate([frame.to_ndarray() for frame in decoded], axis=1)
            samples = samples.repeat(2 // samples.shape[0], axis=0)
    return Shown(times, bars, samples)


def packets(path: Path) -> list[bytes]:
    """Return the bytes of each encoded picture."""
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(video=0) if packet.size]
