"""The seal of the log: a note of how much of the log the studio knew when it last wrote to it.

With it a start can tell the rows that a studio wrote or read from those that somebody changed meanwhile.
"""

from __future__ import annotations

import os
import weakref
import zlib
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from kling.studio.ledger.csv_text import decode_cell, encode_cell


@dataclass(frozen=True, slots=True)
class Seal:
    """The content of a seal.

    Args:
        size, crc: length and CRC-32 of the part of the log that the studio knew.
        stamp: inode and time of the last change (ctime) of the log's file. No program can set that time, so a
            copy that was put back has another one, even if its own seal was put back with it.
        time: when it was written, in Unix seconds.
        doubtful: ids of jobs that the studio had only read from the file and could not confirm.
    """

    size: int
    crc: int
    stamp: tuple[int, int]
    time: float
    doubtful: tuple[str, ...]


class SealFile:
    """The seal's file, beside the log.

    Its first line has a fixed width and is written in place: size and CRC-32 of the known part of the log,
    the inode and ctime of the log's file, the time, and the CRC-32 of the lines below, which are the ids.
    Nothing is fsynced, because a seal that is lost, torn or older than the log only confirms fewer rows.

    Args:
        path: of the seal.
    """

    _WIDTH = 98

    def __init__(self, path: Path) -> None:
        self._path = path
        self._handle = -1
        self._doubtful: Collection[str] | None = None  # the ids that the file holds
        self._crc_of_ids = 0
        self._close: Callable[[], object] = lambda: None

    def write(
        self, size: int, crc: int, stamp: tuple[int, int], now: float, doubtful: Collection[str]
    ) -> None:
        """Write the seal. A seal that cannot be written is no error: the next start confirms fewer rows."""
        with suppress(OSError):
            if self._handle < 0:
                self._open()
            if doubtful != self._doubtful:
                self._write_ids(doubtful)
            inode, changed = stamp
            known = f"{size:020d} {crc:08x} {inode:020d} {changed:020d}"
            line = f"{known} {max(now, 0.0):016.3f} {self._crc_of_ids:08x}\n"
            os.pwrite(self._handle, line.encode(), 0)

    def read(self) -> Seal | None:
        """Return the seal, None if there is none or it is damaged."""
        try:
            data = self._path.read_bytes()
            line, ids = data[: self._WIDTH].decode("ascii"), data[self._WIDTH :]
            size, crc, inode, changed, time, crc_of_ids = line.split()
            doubtful = tuple(map(decode_cell, ids.decode().splitlines()))
            seal = Seal(int(size), int(crc, 16), (int(inode), int(changed)), float(time), doubtful)
            return seal if int(crc_of_ids, 16) == zlib.crc32(ids) and line.endswith("\n") else None
        except (OSError, ValueError):
            return None

    def reopen_if_gone(self) -> None:
        """Let the next `write` create the file again if somebody has deleted it."""
        if self._handle >= 0 and os.fstat(self._handle).st_nlink == 0:
            self.close()

    def close(self) -> None:
        """Close the file; the next `write` opens it again."""
        self._close()
        self._handle = -1

    def _open(self) -> None:
        self._handle = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._close = weakref.finalize(self, os.close, self._handle)
        self._doubtful = None

    def _write_ids(self, doubtful: Collection[str]) -> None:
        ids = "".join(f"{encode_cell(job_id)}\n" for job_id in sorted(doubtful)).encode("utf-8", "replace")
        self._doubtful, self._crc_of_ids = None, zlib.crc32(ids)
        os.pwrite(self._handle, ids, self._WIDTH)
        os.ftruncate(self._handle, self._WIDTH + len(ids))
        self._doubtful = doubtful
