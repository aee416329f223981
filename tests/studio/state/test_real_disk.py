"""A disk that is really full, or really read-only: a small file system, which only root may mount."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from kling.studio.state.database import Database
from kling.studio.state.drafts import DraftStore
from kling.studio.state.records import StateError

MINE = "1" * 32


def mount(*arguments: str) -> str:
    """Call mount; return what it complains of."""
    called = subprocess.run(["mount", *arguments], capture_output=True, text=True, check=False)
    return called.stderr if called.returncode else ""


def fill(disk: Path) -> None:
    """Write until there is no room."""
    handle = os.open(disk / "filler", os.O_WRONLY | os.O_CREAT)
    with contextlib.suppress(OSError):
        while True:
            os.write(handle, b"x" * 4096)
    os.close(handle)
    assert shutil.disk_usage(disk).free < 4096


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    if not sys.platform.startswith("linux") or os.geteuid() != 0:
        pytest.skip("a file system of its own needs root, on Linux")
    folder = tmp_path / "disk"
    folder.mkdir()
    if problem := mount("-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)):
        pytest.skip(f"no file system can be mounted here: {problem}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_is_told_loses_nothing_and_is_written_again_once_there_is_room(disk: Path):
    database = Database(disk / "studio.sqlite3")
    drafts = DraftStore(database, clock=lambda: 1e9)
    drafts.save("0" * 20, MINE, fields={"prompt": "A fox"})
    fill(disk)
    with pytest.raises(StateError, match="disk"):
        drafts.save("1" * 20, MINE, fields={"prompt": "A fox " * 10_000})
    found = drafts.load("0" * 20)
    assert found is not None
    assert found.fields == {"prompt": "A fox"}
    (disk / "filler").unlink()
    drafts.save("0" * 20, MINE, texts={"prompt": "A red fox"})
    database.close()
    again = Database(disk / "studio.sqlite3")
    kept = DraftStore(again, clock=lambda: 1e9).load("0" * 20)
    again.close()
    assert kept is not None
    assert kept.fields == {"prompt": "A red fox"}


def test_no_database_can_be_begun_on_a_full_disk_and_that_is_told(disk: Path):
    fill(disk)
    with pytest.raises(StateError, match="disk"):
        Database(disk / "studio.sqlite3")
    (disk / "filler").unlink()
    Database(disk / "studio.sqlite3").close()


def test_a_database_on_a_read_only_disk_is_told(disk: Path):
    Database(disk / "studio.sqlite3").close()
    copy = disk.with_name("read-only")
    copy.mkdir()
    assert not mount("--bind", str(disk), str(copy))
    try:
        assert not mount("-o", "remount,bind,ro", str(copy))
        with pytest.raises(StateError, match="cannot be"):
            Database(copy / "studio.sqlite3")
    finally:
        subprocess.run(["umount", "-l", str(copy)], check=True)
