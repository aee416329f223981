"""The frame that a next clip begins with is the last one that is seen, in its colours."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from kling.studio.pictures.frame_of_clip import take_frame
from kling.studio.pictures.store import PictureRefused, Pictures
from tests.studio.clips import zeroed

COLOURS = [(20 + 5 * number, 200 - 4 * number, 60) for number in range(36)]  # of the frames


def film(path: Path, size: tuple[int, int] = (640, 360), **options: str) -> Path:
    """Write a clip whose frames have a colour each, with frames that need later ones (B)."""
    with av.open(str(path), "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=24)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        stream.options = {"preset": "veryfast", "crf": "10", "bf": "3", "g": "12", **options}
        for colour in COLOURS:
            pixels = np.full((size[1], size[0], 3), colour, np.uint8)
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            space = 1 if "bt709" in options.get("x264-params", "") or size[1] >= 720 else 5
            container.mux(stream.encode(frame.reformat(format="yuv420p", dst_colorspace=space)))
        container.mux(stream.encode())
    return path


def colour_at(clip: Path, out: Path, at: str) -> tuple[int, ...]:
    assert take_frame(clip, out, at)
    with Image.open(out) as image:
        pixel = image.getpixel((image.width // 2, image.height // 2))
    assert isinstance(pixel, tuple)
    return pixel


@pytest.mark.parametrize(
    ("at", "number"),
    [("first", 0), ("last", 35), ("0", 0), ("0.5", 12), ("0.53", 12), ("0.99", 23), ("99", 35)],
)
def test_it_is_the_frame_that_is_seen_then(tmp_path: Path, at: str, number: int):
    found = colour_at(film(tmp_path / "clip.mp4"), tmp_path / "out.png", at)
    assert all(abs(a - b) <= 2 for a, b in zip(found, COLOURS[number], strict=True))


@pytest.mark.parametrize(
    ("size", "options"),
    [((640, 360), {}), ((1280, 720), {}), ((640, 360), {"x264-params": "colormatrix=bt709"})],
)
def test_its_colours_are_those_that_a_browser_shows(tmp_path: Path, size, options):
    """A chain of clips must not drift from colour to colour."""
    found = colour_at(film(tmp_path / "clip.mp4", size, **options), tmp_path / "out.png", "last")
    assert all(abs(a - b) <= 2 for a, b in zip(found, COLOURS[-1], strict=True))


def test_it_is_kept_once_and_in_full_size(tmp_path: Path):
    pictures = Pictures(tmp_path / "pictures")
    clip = film(tmp_path / "clip.mp4")
    last = pictures.put_frame(clip)
    assert (last.width, last.height, last.media_type, last.notes) == (640, 360, "image/png", ())
    assert pictures.put_frame(clip, "last") == last
    assert pictures.put_frame(clip, "first").sha256 != last.sha256
    assert sorted(path.suffix for path in pictures.folder.iterdir()) == [".png", ".png"]


def test_a_clip_whose_end_is_damaged_gives_the_last_frame_that_can_be_seen(tmp_path: Path):
    whole = film(tmp_path / "clip.mp4").read_bytes()
    (tmp_path / "damaged.mp4").write_bytes(zeroed(whole, 0.95))
    found = colour_at(tmp_path / "damaged.mp4", tmp_path / "out.png", "last")
    assert any(all(abs(a - b) <= 4 for a, b in zip(found, colour, strict=True)) for colour in COLOURS)


@pytest.mark.parametrize("content", [b"", b"no clip", b"\0\0\0\x18ftypisom\0\0\0\0"])
def test_a_file_without_frames_is_refused_in_words(tmp_path: Path, content: bytes):
    (tmp_path / "clip.mp4").write_bytes(content)
    pictures = Pictures(tmp_path / "pictures")
    with pytest.raises(PictureRefused, match="No frame of the clip"):
        pictures.put_frame(tmp_path / "clip.mp4")
    assert list(pictures.folder.iterdir()) == []


def test_a_clip_that_is_too_small_for_kling_is_refused_in_words(tmp_path: Path, clip: bytes):
    (tmp_path / "clip.mp4").write_bytes(clip)
    with pytest.raises(PictureRefused, match="64 × 36 pixels"):
        Pictures(tmp_path / "pictures").put_frame(tmp_path / "clip.mp4")
