"""Takes one frame out of a clip, in its full size, as a PNG.

It runs as a program in a child process with limits (`limited_child`), and imports nothing of the studio:

    frame_of_clip.py CLIP OUT first|last|SECONDS    writes OUT, and prints {} or why there is none, as JSON
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

MOST_PIXELS = 8192 * 4320  # of a frame
LAST_SECONDS = 1.0  # before the end from which it is decoded; the nearest key frame before that is the start
_UNSPECIFIED = 2  # of `AVCOL_SPC`
_HD = 720  # lines from which a clip that does not say so has the colours of BT.709, as Chromium assumes


def take_frame(clip: Path, out: Path, at: str) -> bool:
    """Write a frame as a PNG, and return whether there is one. The caller has to set limits.

    Args:
        clip: an MP4 file.
        out: to write.
        at: `first`, `last`, or seconds from the start: the frame that is seen then, the last one after the
            end.
    """
    rgb = _rgb(clip, at)
    if rgb is None:
        return False
    rgb.to_image().save(out, "PNG", compress_level=1)  # read once more, and gone
    return True


def _rgb(clip: Path, at: str) -> Any:
    """Return a frame in RGB; None if there is none. Whatever else was decoded is out of memory then."""
    with _open(clip) as container:
        stream = container.streams.video[0]
        if not 0 < stream.width * stream.height <= MOST_PIXELS:
            return None
        stream.codec_context.thread_count = 1  # each further thread keeps frames of its own in memory
        stream.codec_context.options = {"max_pixels": str(MOST_PIXELS)}
        seconds = math.inf if at == "last" else 0.0 if at == "first" else max(float(at), 0.0)
        length = Fraction(container.duration or 0, 1_000_000)
        start = min(seconds, max(float(length) - LAST_SECONDS, 0.0))
        frame = _frame(container, stream, start, seconds)
        if frame is None and start > 0:  # there is nothing behind that place
            frame = _frame(container, stream, 0.0, seconds)
    return None if frame is None else _as_seen(frame)


def _frame(container: Any, stream: Any, start: float, seconds: float) -> Any:
    """Return the last frame that begins at `seconds` or before, or the first one; None if there is none."""
    import av

    container.seek(int(start * 1_000_000), backward=True)
    found = None
    for packet in container.demux(stream):
        try:
            frames = packet.decode()
        except av.error.InvalidDataError:
            continue
        for frame in frames:
            if found is not None and frame.time is not None and frame.time > seconds + 1e-6:
                return found
            found = frame
    return found


def _as_seen(frame: Any) -> Any:
    """Return a frame in RGB, with the colours that a browser shows."""
    from av.video.reformatter import ColorRange, Colorspace

    space = frame.colorspace
    if space == _UNSPECIFIED:
        space = Colorspace.ITU709 if frame.height >= _HD else Colorspace.ITU601
    return frame.reformat(format="rgb24", src_colorspace=space, dst_color_range=ColorRange.JPEG)


def _open(clip: Path) -> Any:
    import av

    # The options also reach the decoders that look for the streams' facts. No file makes us open another one.
    options = {"max_pixels": str(MOST_PIXELS), "protocol_whitelist": "file"}
    return av.open(str(clip), format="mp4", options=options)


def main(arguments: Sequence[str]) -> None:
    """Print whether a frame was taken, as JSON.

    Args:
        arguments: the clip, where the frame goes, and which one.
    """
    import av

    clip, out, at = arguments
    try:
        answer = {} if take_frame(Path(clip), Path(out), at) else {"refused": "no_frame"}
    except (av.error.FFmpegError, IndexError, ValueError, OSError):
        answer = {"refused": "no_frame"}
    except MemoryError:
        answer = {"refused": "work"}
    print(json.dumps(answer))  # noqa: T201 - the answer


if __name__ == "__main__":
    main(sys.argv[1:])
