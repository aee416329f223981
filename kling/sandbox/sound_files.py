"""The sound of a clip as files of its own."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import av

_CODECS = {".mp3": "libmp3lame", ".wav": "pcm_s16le"}
_FORMATS = {".mp3": "s16p", ".wav": "s16"}


def write_sounds(clip: Path, paths: Iterable[Path]) -> None:
    """Write the sound of a clip into files; whatever is there is replaced.

    Args:
        clip: a file with a sound track.
        paths: they end in `.mp3` or `.wav`, which decides the format.
    """
    for path in paths:
        half_written = path.with_name(f"drawing-{os.getpid()}-{path.name}")
        try:
            _write(clip, half_written)
            half_written.replace(path)
        finally:
            half_written.unlink(missing_ok=True)


def _write(clip: Path, path: Path) -> None:
    with av.open(str(clip)) as source, av.open(str(path), "w", format=path.suffix[1:]) as target:
        rate = source.streams.audio[0].rate
        sound = target.add_stream(_CODECS[path.suffix], rate=rate, layout="stereo")
        if not isinstance(sound, av.AudioStream):
            raise TypeError(f"{path.suffix} is no sound")
        resampler = av.AudioResampler(format=_FORMATS[path.suffix], layout="stereo", rate=rate)
        for frame in source.decode(audio=0):
            for part in resampler.resample(frame):
                target.mux(sound.encode(part))
        target.mux(sound.encode(None))
