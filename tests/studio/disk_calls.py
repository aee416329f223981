"""What is put on the disk, and in which order: for tests of what a power cut leaves."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import pytest


class DiskCalls:
    """The files and folders that are synced, and the files that take the place of another, from now on."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._calls: list[tuple[str, int]] = []
        fsync, replace = os.fsync, os.replace

        def note_sync(handle: int) -> None:
            fsync(handle)
            self._calls.append(("sync", os.fstat(handle).st_ino))

        def note_replace(source: str | Path, target: str | Path) -> None:
            replace(source, target)
            self._calls.append(("replace", Path(target).stat().st_ino))

        monkeypatch.setattr(os, "fsync", note_sync)
        monkeypatch.setattr(os, "replace", note_replace)

    def of(self, paths: Iterable[Path]) -> list[str]:
        """Return what was done with some files and folders, such as `sync a.mp4`."""
        names = {path.stat().st_ino: path.name for path in paths}
        return [f"{call} {names[inode]}" for call, inode in self._calls if inode in names]
