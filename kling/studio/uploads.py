"""What people hand in: kept in the data folder for an hour while the studio runs, for whoever has sent it.

A file is written as it arrives, and bounded while it does: by its size, by how many there are, and by the
room that is left on the disk. What it is, its bytes say (`image_check`).
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self, TypeVar

from kling.studio.image_check import Picture, picture_of

FOLDER = "uploads"  # below the data folder
MOST_BYTES = 20 * 2**20  # of one file
MOST_OF_ONE = 20  # files of one person
MOST = 200  # files of everybody
KEPT_SECONDS = 3600.0
KEPT_FREE = 512 * 2**20  # bytes that stay free on the disk, for the log and the videos
_ID = re.compile("[0-9a-f]{32}")
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


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that was taken.

    Args:
        id: by which it is asked for.
        owner: id of the person whose it is.
        path: where it lies.
        picture: what it is.
        ends: seconds of the clock after which it is deleted.
    """

    id: str
    owner: str
    path: Path
    picture: Picture
    ends: float


class Uploads:
    """The files, for threads to share. Those of an earlier process are deleted.

    Args:
        data_dir: the data folder.
        monotonic: seconds that never jump.
        look: says what a file is; a test may give a quick one.
        free: returns how many bytes are free on the disk of a folder.
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        monotonic: Callable[[], float],
        look: Callable[[Path], Picture | None] = picture_of,
        free: Callable[[Path], int] = lambda folder: shutil.disk_usage(folder).free,
    ) -> None:
        self._folder, self._monotonic, self._look, self._free = data_dir / FOLDER, monotonic, look, free
        self._lock = threading.Lock()
        self._looking = threading.Semaphore(2)
        self._kept: dict[str, Upload] = {}
        self._arriving: dict[str, int] = {}
        self.stop()

    def stop(self) -> None:
        """Delete all files: nobody can ask for them in the next process."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def begin(self, owner: str) -> Arriving:
        """Begin to take a file, in a `with`.

        Args:
            owner: id of the person who sends it.

        Raises:
            UploadRefused: there are too many, or the disk is too full.
        """
        self.delete_old()
        with self._lock:
            mine = sum(each.owner == owner for each in self._kept.values()) + self._arriving.get(owner, 0)
            if mine >= MOST_OF_ONE or len(self._kept) + sum(self._arriving.values()) >= MOST:
                raise UploadRefused(
                    "Too many files were handed in. Each is kept for an hour: wait a while.", 429
                )
            self._arriving[owner] = self._arriving.get(owner, 0) + 1
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self.check_room()
            return Arriving(self, owner, self._folder / f"{secrets.token_hex(16)}.part")
        except BaseException:
            self._arrived(owner)
            raise

    def find(self, upload_id: str, owner: str) -> Upload | None:
        """Return a file; None if there is none, if its hour is over, or if it is another person's."""
        self.delete_old()
        found = self._kept.get(upload_id) if _ID.fullmatch(upload_id) else None
        return found if found and found.owner == owner else None

    def delete_old(self) -> None:
        """Delete files whose hour is over."""
        now = self._monotonic()
        with self._lock:
            old = [each for each in self._kept.values() if now >= each.ends]
            for each in old:
                del self._kept[each.id]
        for each in old:
            each.path.unlink(missing_ok=True)

    def check_room(self) -> None:
        """Raise UploadRefused where the disk is too full to take more."""
        if self._free(self._folder) < KEPT_FREE + MOST_BYTES:
            raise UploadRefused("The disk of the studio is too full to take files. Tell its operator.", 507)

    def _keep(self, owner: str, part: Path) -> Upload:
        with self._looking:
            picture = self._look(part)
        if picture is None:
            raise UploadRefused(
                "This is no picture that the studio takes: send a PNG, JPEG or WebP file.", 415
            )
        path = part.with_suffix(picture.suffix)
        part.rename(path)
        upload = Upload(path.stem, owner, path, picture, self._monotonic() + KEPT_SECONDS)
        with self._lock:
            self._kept[upload.id] = upload
        return upload

    def _arrived(self, owner: str) -> None:
        with self._lock:
            self._arriving[owner] -= 1
            if not self._arriving[owner]:
                del self._arriving[owner]


class Arriving:
    """A file that is being written. It is gone after the `with`, unless `keep` was called."""

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
            raise UploadRefused(f"The file cannot be kept: {error.strerror or error}.", 507) from error

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
            raise UploadRefused(f"The file cannot be kept: {error.strerror or error}.", 507) from error
        return take(self._part)

    def keep(self) -> Upload:
        """Keep what was written, if it is a picture.

        Raises:
            UploadRefused: it is none, or it cannot be written.
        """
        try:
            self._file.close()
            return self._uploads._keep(self._owner, self._part)  # noqa: SLF001 - the other half of `begin`
        except OSError as error:
            raise UploadRefused(f"The file cannot be kept: {error.strerror or error}.", 507) from error
