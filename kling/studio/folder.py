"""The data folder: one studio process owns it, and checks that again before it spends money."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import stat
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from kling.studio.files import give_to_owner_of
from kling.studio.ledger import LedgerError


class FolderTaken(Exception):
    """The data folder cannot be used; the text says why and what to do."""


class DataFolder:
    """A data folder, made if it is not there and held until `release`.

    Args:
        path: of the folder.

    Raises:
        FolderTaken: another studio has it, or it cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._owner = path / ".owner.json"
        # The thread that stops the studio may be another one than the one that started it.
        self._lock = FileLock(path / ".lock", timeout=0, thread_local=False)
        try:
            path.mkdir(parents=True, exist_ok=True, mode=0o700)
            _close_if_new(path)
            self._lock.acquire()
            facts = {"pid": os.getpid(), "host": socket.gethostname(), "since": datetime.now(UTC).isoformat()}
            self._owner.write_text(json.dumps(facts), encoding="utf-8")
            give_to_owner_of(path, path / ".lock", self._owner)  # a command of root must not lock others out
            self._inode = self._inode_now()
        except Timeout as error:
            raise FolderTaken(
                f"{self._whose()} Stop it, or set STUDIO_DATA_DIR to another folder."
            ) from error
        except OSError as error:
            self._lock.release()
            raise unwritable(path, error) from error

    def check(self) -> None:
        """Check that the lock file is still ours: once it was deleted, a second studio can start here.

        Raises:
            LedgerError: the lock file was deleted or replaced, so nothing may be spent.
        """
        if self._inode_now() != self._inode:
            raise LedgerError(
                f"The file .lock of {self.path} was deleted or replaced, so another studio may work there "
                "too. Stop all of them, and start one again."
            )

    def release(self) -> None:
        """Give up the folder, so that another studio can take it."""
        self._lock.release()

    def _inode_now(self) -> tuple[int, int] | None:
        try:
            stat = (self.path / ".lock").stat()
        except OSError:
            return None
        return stat.st_dev, stat.st_ino

    def _whose(self) -> str:
        try:
            facts = json.loads(self._owner.read_text(encoding="utf-8"))
            return (
                f"The data folder {self.path} belongs to a studio that is running: process {facts['pid']} "
                f"on {facts['host']}, since {facts['since'][:16]}."
            )
        except (OSError, ValueError, KeyError, TypeError):
            return f"The data folder {self.path} belongs to a studio that is running."


def _close_if_new(path: Path) -> None:
    """Take the rights of other users from a folder that somebody made for the studio and that is empty."""
    with contextlib.suppress(OSError):  # it belongs to somebody else, or its disk knows no rights
        if not any(path.iterdir()):
            path.chmod(stat.S_IMODE(path.stat().st_mode) & ~stat.S_IRWXO)


def is_taken(path: Path) -> bool:
    """Whether a studio, or one of its commands, has the folder."""
    lock = path / ".lock"
    if not lock.exists():
        return False
    try:
        with FileLock(lock, timeout=0):
            return False
    except (Timeout, OSError):
        return True


def unwritable(folder: Path, error: OSError) -> FolderTaken:
    """Return the error for a folder that cannot be written, with the remedy."""
    return FolderTaken(
        f"The data folder {folder} cannot be written ({error.strerror or error}). "
        "Give this user the right to write there, or set STUDIO_DATA_DIR to another folder."
    )
