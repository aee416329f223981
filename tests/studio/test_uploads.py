"""What people hand in: what is taken, for whom and how long."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from kling.studio import uploads as module
from kling.studio.image_check import Picture, picture_of
from kling.studio.uploads import KEPT_SECONDS, MOST, MOST_BYTES, MOST_OF_ONE, Upload, UploadRefused, Uploads
from tests.studio.fakes import Bench

PNG = Picture("image/png", ".png", 1, 1)
ROOM = 2**40


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def uploads(tmp_path: Path, clock: Clock) -> Uploads:
    return Uploads(tmp_path, monotonic=clock, look=lambda _file: PNG, free=lambda _folder: ROOM)


def hand_in(uploads: Uploads, owner: str = "ada", data: bytes = b"a picture") -> Upload:
    with uploads.begin(owner) as arriving:
        arriving.write(data)
        return arriving.keep()


def files(folder: Path) -> list[Path]:
    return list((folder / module.FOLDER).glob("*"))


def test_a_file_belongs_to_whoever_has_sent_it(uploads: Uploads):
    kept = hand_in(uploads)
    assert uploads.find(kept.id, "ada") == kept
    assert kept.path.read_bytes() == b"a picture"
    assert kept.path.stat().st_mode & 0o077 == 0
    for upload_id, owner in (
        (kept.id, "mia"),
        (kept.id, ""),
        ("0" * 32, "ada"),
        ("../x", "ada"),
        ("", "ada"),
    ):
        assert uploads.find(upload_id, owner) is None


def test_a_file_is_gone_after_an_hour(uploads: Uploads, clock: Clock, tmp_path: Path):
    kept = hand_in(uploads)
    clock.now = KEPT_SECONDS - 1
    assert uploads.find(kept.id, "ada")
    clock.now = KEPT_SECONDS
    assert uploads.find(kept.id, "ada") is None
    assert files(tmp_path) == []


def test_what_an_earlier_process_has_left_is_gone(tmp_path: Path, uploads: Uploads, clock: Clock):
    hand_in(uploads)
    assert files(tmp_path)
    Uploads(tmp_path, monotonic=clock)
    assert files(tmp_path) == []


def test_nothing_stays_when_the_studio_stops(tmp_path: Path):
    bench = Bench(tmp_path)
    hand_in(Uploads(tmp_path, monotonic=bench.clock, look=lambda _file: PNG, free=lambda _folder: ROOM))
    assert files(tmp_path)
    bench.studio.stop()
    assert not (tmp_path / module.FOLDER).exists()


def test_a_file_that_is_too_large_is_refused_while_it_arrives(uploads: Uploads, tmp_path: Path):
    with uploads.begin("ada") as arriving:
        arriving.write(bytes(MOST_BYTES))
        with pytest.raises(UploadRefused, match="20 MB") as refused:
            arriving.write(b"x")
    assert refused.value.status == 413
    assert files(tmp_path) == []


def test_nobody_keeps_more_than_their_share(uploads: Uploads, clock: Clock):
    for _ in range(MOST_OF_ONE):
        hand_in(uploads)
    with pytest.raises(UploadRefused, match="wait a while"):
        uploads.begin("ada")
    hand_in(uploads, "mia")
    clock.now = KEPT_SECONDS
    hand_in(uploads)


def test_files_that_are_still_arriving_count(uploads: Uploads):
    with uploads.begin("ada"):
        for _ in range(MOST_OF_ONE - 1):
            hand_in(uploads)
        with pytest.raises(UploadRefused):
            uploads.begin("ada")
    hand_in(uploads)


def test_all_together_keep_no_more_than_a_bound(uploads: Uploads):
    for number in range(MOST):
        hand_in(uploads, f"person {number}")
    with pytest.raises(UploadRefused):
        uploads.begin("one more")


@pytest.mark.parametrize("free", [[0], [ROOM, 0]])
def test_a_disk_that_fills_is_left_to_the_log(tmp_path: Path, clock: Clock, free: list[int]):
    uploads = Uploads(tmp_path, monotonic=clock, look=lambda _file: PNG, free=lambda _folder: free.pop(0))
    with pytest.raises(UploadRefused, match="disk") as refused:
        hand_in(uploads)
    assert refused.value.status == 507
    assert files(tmp_path) == []


def test_what_is_no_picture_is_not_kept(tmp_path: Path, clock: Clock):
    uploads = Uploads(tmp_path, monotonic=clock, look=lambda _file: None, free=lambda _folder: ROOM)
    with pytest.raises(UploadRefused, match="PNG, JPEG or WebP") as refused:
        hand_in(uploads)
    assert refused.value.status == 415
    assert files(tmp_path) == []


def test_what_arrives_can_be_kept_elsewhere_whatever_it_is(uploads: Uploads, tmp_path: Path):
    with uploads.begin("ada") as arriving:
        arriving.write(b"<svg/>")
        assert arriving.hand_to(Path.read_bytes) == b"<svg/>"
    assert files(tmp_path) == []


# -- what a file is ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "media_type"), [("PNG", "image/png"), ("JPEG", "image/jpeg"), ("WEBP", "image/webp")]
)
def test_the_kinds_that_kling_takes_are_known_by_their_bytes(tmp_path: Path, kind: str, media_type: str):
    file = tmp_path / "named.txt"
    Image.new("RGB", (6, 4), "red").save(file, kind)
    assert picture_of(file) == Picture(media_type, {"JPEG": ".jpg"}.get(kind, f".{kind.lower()}"), 6, 4)


def gif(file: Path) -> None:
    Image.new("RGB", (6, 4), "red").save(file, "GIF")


def half_a_png(file: Path) -> None:
    Image.effect_noise((60, 40), 90).save(file, "PNG")
    file.write_bytes(file.read_bytes()[:900])


def page(file: Path) -> None:
    file.write_text("<script>alert(1)</script>")


def drawing(file: Path) -> None:
    file.write_text('<svg xmlns="http://www.w3.org/2000/svg"/>')


def bomb(file: Path) -> None:
    """A PNG of a few hundred bytes that says it has 30,000 x 30,000 pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0)
    data = zlib.compress(bytes(100_000))
    file.write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("write", [gif, half_a_png, page, drawing, bomb, Path.touch])
def test_anything_else_is_no_picture(tmp_path: Path, write: Callable[[Path], None]):
    file = tmp_path / "picture.png"
    write(file)
    assert picture_of(file) is None


def test_a_picture_that_takes_too_much_memory_is_none(tmp_path: Path):
    large, small = tmp_path / "large.png", tmp_path / "small.png"
    for file, side in ((large, 7000), (small, 7)):
        Image.new("RGB", (side, side)).save(file, "PNG", compress_level=1)
    assert picture_of(large, memory=2**27) is None
    assert picture_of(small, memory=2**27)
