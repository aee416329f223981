"""A picture is kept once, under the hash of what is sent; nothing else is ever taken for it."""

from __future__ import annotations

import hashlib
import io
import os
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from kling.studio.limited_child import ChildFailed
from kling.studio.pictures.maker import At, ChildMaker
from kling.studio.pictures.reencode import MOST_BYTES, Refused, reencode
from kling.studio.pictures.store import (
    KEPT_SECONDS,
    MOST_HANDED_IN,
    Picture,
    PictureMissing,
    PictureRefused,
    Pictures,
)
from tests.studio.pictures.samples import hand_in, quarters, saved, turned

NOW = 1_795_000_000.0
PHOTO = saved(quarters(), "PNG")


class InProcess:
    """Makes pictures here, or does what a child does that a file has taken over."""

    def __init__(self, instead: Callable[[Path], dict[str, Any]] | None = None) -> None:
        self.made = 0
        self._instead = instead

    def remake(self, file: Path, out: Path, *, crop: bool = False) -> dict[str, Any]:
        self.made += 1
        if self._instead:
            return self._instead(out)
        try:
            return reencode(file, out, crop=crop)
        except Refused as refused:
            return refused.answer

    def take_frame(self, clip: Path, out: Path, at: At) -> dict[str, Any]:  # noqa: ARG002 - as the child's
        out.write_bytes(PHOTO)
        return {}

    def stop(self) -> None:
        pass


class Clock:
    now = NOW

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def maker() -> InProcess:
    return InProcess()


@pytest.fixture
def pictures(tmp_path: Path, maker: InProcess, clock: Clock) -> Pictures:
    return Pictures(tmp_path / "pictures", maker=maker, clock=clock)


def files(pictures: Pictures) -> list[str]:
    return sorted(path.name for path in pictures.folder.glob("*"))


def test_its_name_is_the_hash_of_what_is_sent(pictures: Pictures):
    picture = hand_in(pictures, PHOTO)
    content = pictures.read(picture.sha256)
    assert hashlib.sha256(content).hexdigest() == picture.sha256
    assert len(content) == picture.bytes
    assert pictures.find(picture.sha256) == picture
    assert files(pictures) == [f"{picture.sha256}.png"]
    assert pictures.path(picture.sha256).stat().st_mode & 0o077 == 0


def test_it_is_found_by_the_beginning_of_its_name(pictures: Pictures):
    name = hand_in(pictures, PHOTO).sha256
    assert (pictures.named(name[:12]), pictures.named("x")) == (name, "")


def test_the_same_picture_is_kept_once(pictures: Pictures, tmp_path: Path):
    (tmp_path / "photo").write_bytes(PHOTO)
    first = hand_in(pictures, PHOTO)
    assert hand_in(pictures, PHOTO) == first
    assert pictures.put_file(tmp_path / "photo") == first
    assert pictures.put_frame(tmp_path / "clip.mp4") == first
    assert len(files(pictures)) == 1


def test_a_picture_that_comes_back_is_not_made_anew(pictures: Pictures, maker: InProcess, tmp_path: Path):
    """A photo would lose a little each time, and so become another one."""
    first = hand_in(pictures, turned(6))
    content = pictures.read(first.sha256)
    (tmp_path / "again").write_bytes(content)
    assert hand_in(pictures, content).sha256 == pictures.put_file(tmp_path / "again").sha256 == first.sha256
    assert maker.made == 1


@pytest.mark.parametrize("name", ["", "0" * 64, "../history", "A" * 64, "0" * 63, f"{'0' * 64}.png"])
def test_what_is_not_here_is_missing(pictures: Pictures, name: str):
    hand_in(pictures, PHOTO)
    assert pictures.find(name) is None
    with pytest.raises(LookupError):
        pictures.read(name)


@pytest.mark.parametrize("damage", [b"", PHOTO[:-9], saved(quarters((640, 480)), "PNG")])
def test_a_file_that_was_changed_is_never_sent(pictures: Pictures, damage: bytes):
    picture = hand_in(pictures, PHOTO)
    pictures.path(picture.sha256).write_bytes(damage)
    with pytest.raises(PictureMissing, match="was changed"):
        pictures.read(picture.sha256)


def test_a_picture_whose_file_was_changed_can_be_put_back(pictures: Pictures):
    picture = hand_in(pictures, PHOTO)
    pictures.path(picture.sha256).write_bytes(b"damaged")
    hand_in(pictures, PHOTO)
    assert hashlib.sha256(pictures.read(picture.sha256)).hexdigest() == picture.sha256


def test_what_a_killed_process_has_left_is_gone(pictures: Pictures):
    picture = hand_in(pictures, PHOTO)
    (pictures.folder / "0123.in.part").write_bytes(b"half")
    Pictures(pictures.folder)
    assert files(pictures) == [f"{picture.sha256}.png"]


def test_a_file_that_is_too_large_is_not_looked_at(pictures: Pictures, maker: InProcess, tmp_path: Path):
    large = tmp_path / "large"
    with large.open("wb") as file:
        file.truncate(MOST_HANDED_IN + 1)
    with pytest.raises(PictureRefused, match="50 MB") as refused:
        pictures.put_file(large)
    assert refused.value.status == 413
    with pytest.raises(PictureRefused, match="50 MB"):
        hand_in(pictures, bytes(MOST_HANDED_IN + 1))
    assert maker.made == 0


def test_a_disk_that_fills_is_left_to_the_log(tmp_path: Path, maker: InProcess):
    pictures = Pictures(tmp_path / "pictures", maker=maker, free=lambda _folder: 0)
    with pytest.raises(PictureRefused, match="too full") as refused:
        hand_in(pictures, PHOTO)
    assert refused.value.status == 507
    assert files(pictures) == []


def test_a_large_file_is_never_in_the_memory_of_the_studio(tmp_path: Path):
    pictures = Pictures(tmp_path / "pictures", maker=InProcess(writes(PHOTO)))
    large = tmp_path / "large"
    with large.open("wb") as file:
        file.truncate(MOST_HANDED_IN)
    tracemalloc.start()
    pictures.put_file(large)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 2 * 2**20


# -- a child that a file has taken over ----------------------------------------------------------------------


def writes(content: bytes, **answer: Any) -> Callable[[Path], dict[str, Any]]:
    def instead(out: Path) -> dict[str, Any]:
        out.write_bytes(content)
        return {"kind": "PNG", "width": 480, "height": 320, "notes": [], **answer}

    return instead


def fails(_out: Path) -> dict[str, Any]:
    raise ChildFailed("limits")


@pytest.mark.parametrize(
    "instead",
    [
        writes(b"<html>"),
        writes(b""),
        writes(PHOTO, width=9999),
        writes(PHOTO, height="320"),
        writes(PHOTO, kind="JPEG"),
        writes(PHOTO, kind="../x"),
        writes(PHOTO, kind=["PNG"]),
        writes(PHOTO + bytes(MOST_BYTES)),
        lambda _out: {"kind": "PNG", "width": 480, "height": 320},
        lambda _out: {"refused": {"a": 1}},
        lambda _out: {"refused": "pixels", "width": -1, "height": "x", "most": 1e400},
        fails,
    ],
)
def test_its_answer_is_not_believed(tmp_path: Path, instead: Callable[[Path], dict[str, Any]]):
    pictures = Pictures(tmp_path / "pictures", maker=InProcess(instead))
    with pytest.raises(PictureRefused):
        hand_in(pictures, PHOTO)
    assert files(pictures) == []


def test_its_words_are_never_shown(tmp_path: Path):
    instead = writes(PHOTO, notes=["<script>", {"a": 1}, "turned", 7])
    picture = hand_in(Pictures(tmp_path / "pictures", maker=InProcess(instead)), PHOTO)
    assert picture.notes == ("It was turned upright.",)


def test_after_the_stop_nothing_is_decoded(tmp_path: Path):
    pictures = Pictures(tmp_path / "pictures", maker=ChildMaker())
    pictures.stop()
    with pytest.raises(PictureRefused, match="is stopping") as refused:
        hand_in(pictures, PHOTO)
    assert refused.value.status == 503


# -- what nobody needs ---------------------------------------------------------------------------------------


def test_pictures_that_nobody_needs_go_after_a_day(pictures: Pictures, clock: Clock):
    needed, left = hand_in(pictures, PHOTO), hand_in(pictures, saved(quarters((400, 400)), "PNG"))
    clock.now = NOW + KEPT_SECONDS
    assert pictures.forget({needed.sha256}) == 0
    clock.now += 1
    assert pictures.forget({needed.sha256}) == 1
    assert list(pictures.kept()) == [needed.sha256]
    assert pictures.find(left.sha256) is None


def test_a_picture_that_was_handed_in_again_has_another_day(pictures: Pictures, clock: Clock):
    picture = hand_in(pictures, PHOTO)
    clock.now = NOW + KEPT_SECONDS + 1
    hand_in(pictures, pictures.read(picture.sha256))
    assert pictures.forget(()) == 0


def test_other_files_in_the_folder_stay(pictures: Pictures, clock: Clock):
    hand_in(pictures, PHOTO)
    (pictures.folder / "notes.txt").write_text("mine")
    os.utime(pictures.folder / "notes.txt", (0, 0))
    clock.now = NOW + KEPT_SECONDS + 1
    pictures.forget(())
    assert files(pictures) == ["notes.txt"]


def test_facts_are_read_from_the_head_of_the_file_alone(pictures: Pictures):
    picture = hand_in(pictures, turned(6))
    assert pictures.find(picture.sha256) == Picture(
        picture.sha256, 320, 480, picture.bytes, "image/jpeg", notes=()
    )
    with Image.open(io.BytesIO(pictures.read(picture.sha256))) as image:
        assert image.size == (320, 480)
