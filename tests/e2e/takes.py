"""Takes of one batch to compare: clips of any size, shape and length, with sound where it is wanted."""

from __future__ import annotations

import time
from pathlib import Path

import av
import numpy as np

from kling import TextToVideo
from kling.studio.archive import Archive
from kling.studio.jobs import request_cells
from kling.studio.ledger.csv_file import LogFile
from kling.studio.ledger.csv_ledger import CsvLedger
from tests.studio.clips import examined

RATE = 48_000  # of sound


def draw(
    path: Path, size: tuple[int, int] = (320, 180), *, seconds: float = 4, fps: int = 24, tone: float = 0
) -> None:
    """Encode a clip in which a bar moves from the left to the right.

    Args:
        path: of the file.
        size: width and height in pixels.
        seconds: of its length.
        fps: pictures a second.
        tone: in hertz; 0 for no sound.
    """
    wide, high = size
    count = round(seconds * fps)
    x, y = np.meshgrid(np.arange(wide), np.arange(high))
    with av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"}) as container:
        stream = container.add_stream(
            "libx264", rate=fps, options={"preset": "ultrafast", "crf": "30", "g": "48"}
        )
        stream.width, stream.height, stream.pix_fmt = wide, high, "yuv420p"
        sound = container.add_stream("aac", rate=RATE, layout="mono") if tone else None
        for number in range(count):
            waves = (127 + 100 * np.sin((x + 8 * number) / 90) * np.cos(y / 70)).astype(np.uint8)
            picture = np.stack([waves, waves // 2, 255 - waves], axis=2)
            at = number * (wide - 10) // count
            picture[:, at : at + 10] = 255
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
        if sound is not None:
            wave = np.sin(2 * np.pi * tone * np.arange(round(seconds * RATE)) / RATE).astype(np.float32)
            for start in range(0, len(wave) - 1023, 1024):
                frame = av.AudioFrame.from_ndarray(
                    wave[None, start : start + 1024] * 0.1, format="fltp", layout="mono"
                )
                frame.sample_rate, frame.pts = RATE, start
                container.mux(sound.encode(frame))
            container.mux(sound.encode())


class Takes:
    """Writes the log and the archive of a studio before its server starts.

    Args:
        data: the folder.
    """

    def __init__(self, data: Path) -> None:
        self._archive = Archive(data / "videos")
        self._ledger = CsvLedger(LogFile(data / "history.csv"), clock=time.time)

    def add(self, job_id: str, request: TextToVideo, clip: Path | None = None, **cells: str) -> str:
        """Write down a task that has ended, with its clip if there is one; return its id."""
        known = {"person": "Ada", **request_cells(request)}
        if clip is not None:
            path = self._archive.video(job_id)
            path.write_bytes(clip.read_bytes())
            facts = examined(path, self._archive.poster(job_id))
            known |= {"state": "succeed", "file": path.name, "extra": facts}
        self._ledger.append(job_id, **{**known, **cells})
        return job_id
