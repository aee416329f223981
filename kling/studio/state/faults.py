"""What can be wrong with the file of the database, in words. It is looked at without SQLAlchemy."""

from __future__ import annotations

import logging
import sqlite3
from contextlib import closing
from pathlib import Path

from kling.studio.state.records import StateError

log = logging.getLogger(__name__)

FILE = "studio.sqlite3"  # in the data folder
# SQLite would write the changes in these into whatever has the name of the database, a backup too.
_BESIDE = f"{FILE}-wal and {FILE}-shm"
VERSION = 5  # of the tables; a test holds it to the number of migrations
DAMAGED = (
    f"The file is damaged. Stop the studio, move the file and, where they are, {_BESIDE} away, and put the "
    "backup of the file in its place."
)
_HEADER = b"SQLite format 3\0"
_REASONS = {
    "FULL": "The disk is full, or the database may not grow. Make room.",
    "READONLY": "The file cannot be written. Give this user the right to write it and its folder.",
    "BUSY": "Another program has locked the file. Close that program.",
    "LOCKED": "Another program has locked the file. Close that program.",
    "CORRUPT": DAMAGED,
    "NOTADB": DAMAGED,
    "CANTOPEN": "The file cannot be opened. Look at its rights and at those of its folder.",
    "IOERR": "The disk gives errors. Look at the disk.",
}


def check_file(path: Path) -> None:
    """Look whether a file may be opened, without SQLAlchemy: a server that cannot use it should not start.

    Args:
        path: of the database; it need not be there.

    Raises:
        StateError: it was made by a newer version, is damaged, or is no database of the studio.
    """
    try:
        with path.open("rb") as file:
            head = file.read(len(_HEADER))
        if not head:
            return
        if head != _HEADER:
            raise StateError(
                f"The file {path} is no database. Move it away and, where they are, {_BESIDE}. Then put its "
                "backup there, or start without it: drafts and the team's templates begin anew then."
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
                f"The file {path} is damaged. Move it away and, where they are, {_BESIDE}. Then put its "
                "backup there, or start without it: drafts and the team's templates begin anew then."
            ) from error
        log.warning("%s cannot be looked at yet: %s", path.name, error)  # pages say so if that lasts
        return
    if version is None or not isinstance(version[0], int):
        raise StateError(f"The file {path} is another program's database. Move it away.")
    if not 0 <= version[0] <= VERSION:
        raise unusable(version[0], VERSION)


def unusable(found: int, known: int) -> StateError:
    """Return the error for a database whose tables this version does not know, with the remedy.

    Args:
        found: number of its tables, below 0 or above `known`.
        known: number of this version's tables.
    """
    number = f"(its tables have number {found}, this version knows {known})"
    away = (
        f"move {FILE} and, where they are, {_BESIDE} away: drafts and the team's templates begin anew then."
    )
    if found < 0:
        return StateError(
            f"{FILE} was changed by another program {number}. Stop the studio and {away} Or "
            "put its backup there then."
        )
    return StateError(
        f"{FILE} was made by a newer version of the studio {number}. Start that version, or {away}"
    )


def said_of(error: BaseException) -> str:
    """Return what a person is told of an error of the database or of its disk, with the remedy."""
    cause = getattr(error, "orig", None) or error
    if isinstance(cause, OSError):
        return f"{FILE} cannot be used ({cause.strerror or cause}). Look at the disk and at its rights."
    name = fault_of(error)
    known = _REASONS.get(name)
    return f"{FILE} cannot be used. {known or f'The database says: {type(cause).__name__} {name}'.strip()}"


def fault_of(error: BaseException) -> str:
    """Return SQLite's name of an error, such as `FULL`; empty if it is another one."""
    cause = getattr(error, "orig", None) or error
    return str(getattr(cause, "sqlite_errorname", "")).removeprefix("SQLITE_").partition("_")[0]
