"""Files that are written whole or not at all, and the room that they leave."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

KEPT_FREE = 512 * 2**20  # bytes that other files leave free on the disk, for the log and the videos


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that it has either its old content or all of the new one, also after a power cut.

    Args:
        path: of the file; its folder has to be there.
        content: all of it.

    Raises:
        OSError: it was not written; the old content is still there.
    """
    with whole_file(path) as part:
        part.write_bytes(content)


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Give an empty file beside `path`, and put it in the place of `path` once the block has filled it.

    Args:
        path: of the file; its folder has to be there.

    Raises:
        OSError: it was not written; the old content is still there.
    """
    part = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")
    try:
        os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        yield part
        _sync(part)
        part.replace(path)
    except BaseException:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


@contextmanager
def for_this_user_only() -> Iterator[None]:
    """Let what is made in the block be readable by this user alone."""
    mask = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(mask)


def give_to_owner_of(like: Path, *paths: Path) -> None:
    """Give files to the owner of another one, where root has made them: the studio could not use them.

    Args:
        like: whose owner they get.
        paths: of files and folders.

    Raises:
        OSError: one of them is not there.
    """
    if os.name == "posix" and os.geteuid() == 0:
        owner = like.stat()
        for path in paths:
            os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)


def sync_folder(folder: Path) -> None:
    """Let the names in a folder survive a power cut, where its file system can promise that.

    Raises:
        OSError: the disk refuses.
    """
    if os.name == "posix":
        _sync(folder)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
