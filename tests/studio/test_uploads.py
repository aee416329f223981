"""What people hand in: how much is taken, from whom, and that nothing of it stays where it arrived."""

from __future__ import annotations

import errno
import io
import re
from contextlib import ExitStack
from pathlib import Path

import pytest

from kling.studio import uploads as module
from kling.studio.uploads import MOST, MOST_BYTES, MOST_OF_ONE, UploadRefused, Uploads
from tests.studio.fakes import Bench

ROOM = 2**40


@pytest.fixture
def uploads(tmp_path: Path) -> Uploads:
    return Uploads(tmp_path, free=lambda _folder: ROOM)


def hand_in(uploads: Uploads, owner: str = "ada") -> bytes:
    with uploads.begin(owner) as arriving:
        arriving.write(b"a picture")
        return arriving.hand_to(Path.read_bytes)


def files(folder: Path) -> list[Path]:
    return list((folder / module.FOLDER).glob("*"))


def test_what_arrives_is_kept_elsewhere_or_gone(uploads: Uploads, tmp_path: Path):
    with uploads.begin("ada") as arriving:
        arriving.write(b"<svg/>")
        (part,) = files(tmp_path)
        assert part.stat().st_mode & 0o077 == 0
        assert arriving.hand_to(Path.read_bytes) == b"<svg/>"
    assert files(tmp_path) == []


def test_what_an_earlier_process_has_left_is_gone(tmp_path: Path, uploads: Uploads):
    with uploads.begin("ada"):
        assert files(tmp_path)
        Uploads(tmp_path)
        assert files(tmp_path) == []


def test_nothing_stays_when_the_studio_stops(tmp_path: Path):
    bench = Bench(tmp_path)
    with bench.studio.uploads.begin("ada"):
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


def test_a_file_that_cannot_be_written_is_refused_and_says_whom_to_tell(uploads: Uploads, monkeypatch):
    class Full(io.FileIO):
        def write(self, _data: object) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("kling.studio.uploads.os.fdopen", Full)
    whom = "No space left on device. Tell the studio's operator."
    with uploads.begin("ada") as arriving, pytest.raises(UploadRefused, match=re.escape(whom)):
        arriving.write(b"x")


def test_nobody_hands_in_more_than_their_share_at_a_time(uploads: Uploads):
    with ExitStack() as stack:
        for _ in range(MOST_OF_ONE):
            stack.enter_context(uploads.begin("ada"))
        with pytest.raises(UploadRefused, match="wait a while") as refused:
            uploads.begin("ada")
        assert refused.value.status == 429
        assert hand_in(uploads, "mia") == b"a picture"
    assert hand_in(uploads) == b"a picture"


def test_all_together_hand_in_no_more_than_a_bound(uploads: Uploads):
    with ExitStack() as stack:
        for number in range(MOST):
            stack.enter_context(uploads.begin(f"person {number}"))
        with pytest.raises(UploadRefused):
            uploads.begin("one more")
    assert hand_in(uploads, "one more") == b"a picture"


@pytest.mark.parametrize("free", [[0], [ROOM, 0]])
def test_a_disk_that_fills_is_left_to_the_log(tmp_path: Path, free: list[int]):
    uploads = Uploads(tmp_path, free=lambda _folder: free.pop(0))
    with pytest.raises(UploadRefused, match="disk") as refused:
        hand_in(uploads)
    assert refused.value.status == 507
    assert files(tmp_path) == []
