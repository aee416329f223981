"""The people, for a command: opened beside a studio that may be running, so without the folder's lock."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from kling.studio.audit import Audit
from kling.studio.identity.invitations import Invitations
from kling.studio.identity.people import People
from kling.studio.identity.roles import COMMANDS, User
from kling.studio.identity.sessions import Sessions
from kling.studio.state.database import Database
from kling.studio.state.faults import FILE, check_file

COMMAND_LINE = User(COMMANDS, COMMANDS, "admin")


class FolderClosed(Exception):
    """The data folder is not this user's; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Opened:
    """What a command needs of the database."""

    people: People
    sessions: Sessions
    invitations: Invitations
    audit: Audit


@contextmanager
def opened(folder: Path) -> Iterator[Opened]:
    """Open the people of a data folder, which is made if it is not there.

    Args:
        folder: the data folder.

    Raises:
        FolderClosed: the folder is another user's, or cannot be made.
        StateError: the database cannot be opened.
    """
    is_new = _prepare(folder)
    check_file(folder / FILE)
    database = Database(folder / FILE)
    try:
        if is_new:
            _give_to_owner(folder)
        people = People(database, time.time)
        yield Opened(
            people,
            Sessions(database, people, time.time),
            Invitations(database, people, time.time),
            Audit(database, time.time),
        )
    finally:
        database.close()


def _prepare(folder: Path) -> bool:
    """Make the folder if it is not there; return whether it has no database yet."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        owner, is_new = folder.stat().st_uid, not (folder / FILE).exists()
    except OSError as error:
        raise FolderClosed(
            f"The data folder {folder} cannot be used ({error.strerror or error}). Run this as the user that "
            "runs the studio, and with its STUDIO_DATA_DIR."
        ) from error
    if is_new and os.name == "posix" and os.geteuid() not in {0, owner}:
        raise FolderClosed(
            f"The data folder {folder} is another user's (number {owner}), who could not read what is made "
            f"here. Run this as that user, for example with sudo -u '#{owner}'."
        )
    return is_new


def _give_to_owner(folder: Path) -> None:
    """Give a new database to the owner of the folder, where root has made it: the studio could not read it.

    SQLite itself gives the files beside it to the owner of the database.
    """
    if os.name == "posix" and os.geteuid() == 0:
        of = folder.stat()
        for path in folder.glob(f"{FILE}*"):
            os.chown(path, of.st_uid, of.st_gid)
