"""What people hand in: a file of the data folder while it arrives, for somebody who keeps it elsewhere.

It is written as it arrives, and bounded while it does: by its size, by how many there are, and by the room
that is left on the disk. What it is, its bytes say, to whoever keeps it (`pictures/store.py`).
"""

from __future__ import annotations

import os
import secrets
import shutil
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self, TypeVar

from kling.studio.files import KEPT_FREE

FOLDER = "uploads"  # below the data folder
MOST_BYTES = 20 * 2**20  # of one file
MOST_OF_ONE = 20  # files of one person at a time
MOST = 200  # files of everybody at a time
Taken = TypeVar("Taken")


class UploadRefused(Exception):
    """A file is not taken; the text says why, and what to do.

    Args:
        words: for whoever sent it.
        status: of HTTP.
    """

    def __init__(self, words: str, status: int = 422) -> None:
        super().__init__(words)
        self.status = status


class Uploads:
    """The files, for threads to share. Those of an earlier process are deleted.

    Args:
        data_dir: the data folder.
        free: returns how many bytes are free on the disk of a folder.
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        free: Callable[[Path], int] = lambda folder: shutil.disk_usage(folder).free,
    ) -> None:
        self._folder, self._free = data_dir / FOLDER, free
        self._lock = threading.Lock()
        self._arriving: dict[str, int] = {}
        self.stop()

    def stop(self) -> None:
        """Delete what was left while it arrived: nobody can go on with it in the next process."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def begin(self, owner: str) -> Arriving:
        """Begin to take a file, in a `with`.

        Args:
            owner: id of the person who sends it.

        Raises:
            UploadRefused: there are too many, or the disk is too full.
        """
        with self._lock:
            mine = self._arriving.get(owner, 0)
            if mine >= MOST_OF_ONE or sum(self._arriving.values()) >= MOST:
                raise UploadRefused("Too many files are being handed in: wait a while.", 429)
            self._arriving[owner] = mine + 1
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self.check_room()
            return Arriving(self, owner, self._folder / f"{secrets.token_hex(16)}.part")
        except BaseException:
            self._arrived(owner)
            raise

    def check_room(self) -> None:
        """Raise UploadRefused where the disk is too full to take more."""
        if self._free(self._folder) < KEPT_FREE + MOST_BYTES:
            raise UploadRefused("The disk of the studio is too full to take files. Tell its operator.", 507)

    def _arrived(self, owner: str) -> None:
        with self._lock:
            self._arriving[owner] -= 1
            if not self._arriving[owner]:
                del self._arriving[owner]


class Arriving:
    """A file that is being written. It is gone after the `with`."""

    def __init__(self, uploads: Uploads, owner: str, part: Path) -> None:
        self._uploads, self._owner, self._part = uploads, owner, part
        self._size = 0
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        self._file: BinaryIO = os.fdopen(handle, "wb")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError):  # what could not be written is deleted anyway
            self._file.close()
        self._part.unlink(missing_ok=True)
        self._uploads._arrived(self._owner)  # noqa: SLF001 - the other half of `begin`

    def write(self, data: bytes) -> None:
        """Write a part.

        Raises:
            UploadRefused: it is too large, or the disk is too full.
        """
        self._size += len(data)
        if self._size > MOST_BYTES:
            raise UploadRefused(f"The file is too large: it may have {MOST_BYTES // 2**20} MB.", 413)
        self._uploads.check_room()
        try:
            self._file.write(data)
        except OSError as error:
            raise _not_kept(error) from error

    def hand_to(self, take: Callable[[Path], Taken]) -> Taken:
        """Give what was written to somebody who keeps it elsewhere, such as `Pictures.put_file`.

        Args:
            take: gets the file, which is deleted after the `with`. What it raises is passed on.

        Raises:
            UploadRefused: it cannot be written.
        """
        try:
            self._file.close()
        except OSError as error:
            raise _not_kept(error) from error
        return take(self._part)


def _not_kept(error: OSError) -> UploadRefused:
    why = error.strerror or error
    return UploadRefused(f"The file cannot be kept: {why}. Tell the studio's operator.", 507)
