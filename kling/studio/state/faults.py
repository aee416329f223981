"""What can be wrong with the file of the database, in words. It is looked at without SQLAlchemy."""

from __future__ import annotations

import logging
import sqlite3
from contextlib import closing
from pathlib import Path

from kling.studio.state.records import StateError

log = logging.getLogger(__name__)

FILE = "studio.sqlite3"  # in the data folder
VERSION = 2  # of the tables; a test holds it to the number of migrations
_HEADER = b"SQLite format 3\0"
_REASONS = {
    "FULL": "The disk is full, or the database may not grow. Make room.",
    "READONLY": "The file cannot be written. Give this user the right to write it and its folder.",
    "BUSY": "Another program has locked the file. Close that program.",
    "LOCKED": "Another program has locked the file. Close that program.",
    "CORRUPT": "The file is damaged. Stop the studio and put the backup of the file in its place.",
    "NOTADB": "The file is damaged. Stop the studio and put the backup of the file in its place.",
    "CANTOPEN": "The file cannot be opened. Look at its rights and at those of its folder.",
    "IOERR": "The disk gives errors. Look at the disk.",
}


def check_file(path: Path) -> None:
    """Look whether a file may be opened, without SQLAlchemy: a server that cannot use it should not start.

    Args:
        path: of the database; it need not be there.

    Raises:
        StateError: it was made by a newer version, or is no database.
    """
    try:
        with path.open("rb") as file:
            head = file.read(len(_HEADER))
        if not head:
            return
        if head != _HEADER:
            raise StateError(
                f"The file {path} is no database. Move it away and put its backup there, or start without "
                "it: drafts and the team's templates begin anew then."
            )
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=1)) as found:
            tables = found.execute(
                "SELECT count(*), sum(name = 'schema_version') FROM sqlite_master"
            ).fetchone()
            if not tables[0]:
                return
            version = found.execute("SELECT version FROM schema_version").fetchone() if tables[1] else None
    except FileNotFoundError:
        return
    except (OSError, sqlite3.Error) as error:
        if str(getattr(error, "sqlite_errorname", "")).startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
            raise StateError(
                f"The file {path} is damaged. Move it away and put its backup there, or start without it: "
                "drafts and the team's templates begin anew then."
            ) from error
        log.warning("%s cannot be looked at yet: %s", path.name, error)  # pages say so if that lasts
        return
    if version is None or not isinstance(version[0], int):
        raise StateError(f"The file {path} is another program's database. Move it away.")
    if version[0] > VERSION:
        raise newer(version[0], VERSION)


def newer(found: int, known: int) -> StateError:
    """Return the error for a database of a newer version, with the remedy."""
    return StateError(
        f"{FILE} was made by a newer version of the studio (its tables have number {found}, this version "
        f"knows {known}). Start that version, or move {FILE} away: drafts and the team's templates begin "
        "anew then."
    )


def said_of(error: BaseException) -> str:
    """Return what a person is told of an error of the database or of its disk, with the remedy."""
    cause = getattr(error, "orig", None) or error
    if isinstance(cause, OSError):
        return f"{FILE} cannot be used ({cause.strerror or cause}). Look at the disk and at its rights."
    name = str(getattr(cause, "sqlite_errorname", "")).removeprefix("SQLITE_").partition("_")[0]
    known = _REASONS.get(name)
    return f"{FILE} cannot be used. {known or f'The database says: {type(cause).__name__} {name}'.strip()}"
