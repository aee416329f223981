"""Small videos for tests, whole and damaged, and who looks at them without starting a process."""

from __future__ import annotations

import struct
import zlib
from fractions import Fraction
from pathlib import Path

from kling.sandbox.placeholder_clip import draw_placeholder_clip
from kling.sandbox.render_spec import RenderSpec, Shot
from kling.studio.jobs import dump_json
from kling.studio.video_check import Decoded, Probe, decode_all, probe_file

FACTS = {"width": 64, "height": 36, "fps": 24.0, "seconds": 1.0, "audio": False}


def tiny_clip(path: Path) -> bytes:
    """Draw a clip of one second and return its bytes."""
    shots = (Shot(prompt="x", seconds=1),)
    draw_placeholder_clip(
        RenderSpec(seed="1", model_name="m", mode="std", width=64, height=36, fps=8, shots=shots), path
    )
    return path.read_bytes()


def examined(path: Path, poster: Path) -> str:
    """Make the poster of a clip; return the log's `extra` of one that has been checked to its end.

    A studio checks each clip once. One that starts with many unchecked ones would do that beside the test.
    """
    return dump_json({"probe": dict(probe_file(path, poster).facts), "check": "ok"})


def boxes(payload: bytes = b"") -> bytes:
    """Return the smallest file that is a whole MP4 by its boxes, around any bytes; no decoder reads it."""
    return _box(b"ftyp", b"isom\0\0\0\0") + _box(b"moov", b"") + _box(b"mdat", payload)


def zeroed(clip: bytes, start: float, end: float = 1.0) -> bytes:
    """Return a clip whose data is zeros between two shares of it; its boxes and its length are whole."""
    at = 0
    while clip[at + 4 : at + 8] != b"mdat":
        at += int.from_bytes(clip[at : at + 4], "big")
    size = int.from_bytes(clip[at : at + 4], "big") - 8
    first, last = (at + 8 + int(size * share) for share in (start, end))
    return clip[:first] + bytes(last - first) + clip[last:]


def huge_frame(path: Path, side: int = 16_000) -> None:
    """Write a small MP4 that is one frame of `side` by `side` pixels: a PNG, in which zeros take no room."""
    import av

    size, block = side * (3 * side + 1), 2**20
    blocks, rest = divmod(size, block)
    first, last = (zlib.compressobj(9, zlib.DEFLATED, -15) for _ in range(2))
    repeated = first.compress(bytes(block)) + first.flush(zlib.Z_FULL_FLUSH)
    ending = last.compress(bytes(rest)) + last.flush() + struct.pack(">I", (size % 65521) << 16 | 1)
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", b"\x78\x9c" + repeated * blocks + ending), (b"IEND", b""))
    picture = b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in parts
    )
    with av.open(str(path), "w", format="mp4") as container:
        stream = container.add_stream("png", rate=1)
        stream.width, stream.height, stream.pix_fmt = side, side, "rgb24"
        packet = av.Packet(picture)
        packet.pts = packet.dts = 0
        packet.duration, packet.time_base = 1, Fraction(1)
        packet.stream, packet.is_keyframe = stream, True
        container.mux(packet)


def _box(kind: bytes, payload: bytes) -> bytes:
    return struct.pack(">I", 8 + len(payload)) + kind + payload


class InProcessChecker:
    """Looks at files as the child process does, but in this one."""

    def probe(self, video: Path, poster: Path) -> Probe:
        return probe_file(video, poster)

    def decode(self, video: Path) -> Decoded:
        return decode_all(video)

    def stop(self) -> None:
        pass


class WordChecker:
    """Takes what a file is from words in it: `broken`, `foreign` (no decoder here), `half` (half broken).

    Args:
        decoded: the names of the files that were decoded.
    """

    def __init__(self) -> None:
        self.decoded: list[str] = []

    def probe(self, video: Path, poster: Path) -> Probe:
        content = video.read_bytes()
        if b"foreign" in content:
            return Probe(problem="This machine has no decoder for its format.", beyond_us=True)
        if b"broken" in content:
            return Probe(problem="No frame of it can be decoded.")
        poster.write_bytes(b"a picture")
        return Probe(FACTS)

    def decode(self, video: Path) -> Decoded:
        self.decoded.append(video.name)
        content = video.read_bytes()
        if b"foreign" in content:
            return Decoded("unchecked", problem="This machine has no decoder for its format.")
        if b"broken" in content:
            return Decoded("broken", problem="No frame of it can be decoded.")
        if b"half" in content:
            return Decoded("broken", 0.5, "12 of its 24 frames cannot be decoded.")
        return Decoded("ok", 1.0)

    def stop(self) -> None:
        pass
