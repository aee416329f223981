"""Whose the files of the studio are, and the room that they leave."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

KEPT_FREE = 512 * 2**20  # bytes that other files leave free on the disk, for the log and the videos


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
