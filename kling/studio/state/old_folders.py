"""Takes in the folders `drafts` and `templates`, in which versions before 2026-11-27 kept a file each.

    1. One transaction writes every file's content into the tables, and a row that names the folder.
    2. The folder is renamed: `drafts.before-2`.
    3. The row is deleted.

Whenever the process is killed, the next start goes on: without the row nothing was taken in; with it all was,
and only the rename is left to do.
"""

from __future__ import annotations

import json
import logging
import os
import re
import stat
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Table, delete, insert, select

from kling.studio.state.browsers import OLD_FORM
from kling.studio.state.database import Database
from kling.studio.state.drafts import OLD_OWNER, values_of
from kling.studio.state.records import DRAFT_ID, TEMPLATE_ID, TEMPLATE_LINES, StoredDraft
from kling.studio.state.tables import drafts, taken_in, team_templates
from kling.studio.state.team_templates import body_of
from kling.text import storable
from kling.whole_file import sync_folder

log = logging.getLogger(__name__)

LARGEST = 1_000_000  # bytes of a file: the older versions wrote no larger one
_AT_ONCE = 50  # files that are held in memory
_DEEPEST = 20  # levels of JSON; the older versions wrote four
_Values = Callable[[Path], dict[str, Any]]


class OldFolders:
    """What older versions left in a data folder.

    Args:
        database: takes it in.
        folder: the data folder.
    """

    def __init__(self, database: Database, folder: Path) -> None:
        self._database, self._folder = database, folder
        self.warnings: list[str] = []

    def take_in(self) -> None:
        """Take in everything that is there, once.

        Raises:
            StateError: the database does not answer; the folders are as they were.
        """
        self._take_in("drafts", drafts, _draft_of)
        self._take_in("templates", team_templates, _template_of)

    def _take_in(self, name: str, table: Table, values: _Values) -> None:
        folder = self._folder / name
        marked = taken_in.c.folder == name
        inode = _inode(folder)
        try:
            files = _files(folder) if inode else []
        except OSError as error:
            self.warnings.append(
                f"The folder {name} of an older version cannot be read ({error.strerror or error}), so its "
                f"{name} are not there. Give this user the right to read it, and start the studio again."
            )
            return
        with self._database.write() as connection:
            row = connection.execute(select(taken_in).where(marked)).one_or_none()
            # The folder was renamed before a kill; what has its name now is another one.
            if row and row.inode != inode:
                self._tell_unreadable(name, _renamed_before(folder, row.inode), row.unreadable)
                connection.execute(delete(taken_in).where(marked))
                row = None
            if row is None and not inode:
                return
            unreadable = row.unreadable if row else json.dumps(_copy(files, connection, table, values))
            if row is None:
                connection.execute(insert(taken_in).values(folder=name, inode=inode, unreadable=unreadable))
        try:
            kept = _rename(folder)
        except OSError as error:
            self.warnings.append(
                f"The folder {name} was taken into the database and cannot be renamed "
                f"({error.strerror or error}). Rename it to {name}.before-2."
            )
            kept = folder
        else:
            with self._database.write() as connection:
                connection.execute(delete(taken_in).where(marked))
        self._tell_unreadable(name, kept, unreadable)

    def _tell_unreadable(self, name: str, kept: Path, unreadable: str) -> None:
        for file in json.loads(unreadable):
            log.warning("The file %s/%s of an older version cannot be read.", kept, file)
            self.warnings.append(
                f"A {name.removesuffix('s')} of an older version could not be read. "
                f"Its file is kept as {kept.name}/{file}."
            )


def _inode(folder: Path) -> str:
    """Return what tells a folder from another one of the same name; empty if there is none."""
    if not folder.is_dir():
        return ""
    facts = folder.stat()
    return f"{facts.st_dev}:{facts.st_ino}"


def _renamed_before(folder: Path, inode: str) -> Path:
    """Return the name that a folder has now; the first one that it can have if it is gone."""
    names = sorted(folder.parent.glob(f"{folder.name}.before-*"))
    return next(
        (path for path in names if _inode(path) == inode), folder.with_name(f"{folder.name}.before-2")
    )


def _rename(folder: Path) -> Path:
    number = 2
    while os.path.lexists(kept := folder.with_name(f"{folder.name}.before-{number}")):
        number += 1
    folder.rename(kept)
    sync_folder(folder.parent)
    return kept


def _files(folder: Path) -> list[Path]:
    """Return the files of a folder that may hold something.

    `Path.glob` finds nothing where it may not look, which would pass for an empty folder. The dot makes the
    system refuse a folder whose names may be read and whose files may not.

    Raises:
        OSError: the folder cannot be read.
    """
    with os.scandir(os.path.join(folder, os.curdir)) as entries:  # noqa: PTH118 - a Path drops the dot
        return [folder / name for name in sorted(each.name for each in entries) if name.endswith(".json")]


def _copy(files: list[Path], connection: Connection, table: Table, values: _Values) -> list[str]:
    """Write the files' contents into a table, and return the names of unreadable files.

    What the table has already stays: a folder that came back may be older.
    """
    unreadable: list[str] = []

    def rows() -> Iterator[dict[str, Any]]:
        for path in files:
            try:
                yield values(path)
            except (
                OSError,
                ValueError,
                LookupError,
                TypeError,
                AttributeError,
                OverflowError,
                RecursionError,
            ):
                unreadable.append(storable(path.name, 100))

    everything = rows()
    while some := list(islice(everything, _AT_ONCE)):
        ids = select(table.c.id).where(table.c.id.in_([each["id"] for each in some]))
        there = set(connection.scalars(ids))
        if new := [each for each in some if each["id"] not in there]:
            connection.execute(insert(table), new)
    return unreadable


def _draft_of(path: Path) -> dict[str, Any]:
    stored = _stored(path, DRAFT_ID)
    browser = str(stored["browser"])
    draft = StoredDraft(
        id=path.stem,
        owner=OLD_OWNER + (browser if OLD_FORM.fullmatch(browser) else ""),
        fields=dict(stored["fields"]),
        made=tuple(map(str, stored["made"])),
    )
    return values_of(draft, path.stat().st_mtime)


def _template_of(path: Path) -> dict[str, Any]:
    stored = _stored(path, TEMPLATE_ID)
    lines = {name: stored[name] for name in TEMPLATE_LINES}
    version, request = stored["version"], json.dumps(stored["request"], ensure_ascii=False)
    if not all(isinstance(line, str) for line in lines.values()) or not isinstance(version, int):
        raise TypeError(path.name)
    if not 0 < version < 2**31:
        raise ValueError(path.name)
    body_of(request)
    changed = datetime.fromisoformat(stored["changed"]).astimezone(UTC).isoformat()
    return {"id": path.stem, "version": version, "changed": changed, **lines, "request": request}


def _stored(path: Path, names: re.Pattern[str]) -> dict[str, Any]:
    """Return the JSON object in a file, with all its text."""
    if not names.fullmatch(path.stem) or not stat.S_ISREG(path.stat().st_mode):
        raise ValueError(path.name)  # a pipe would block, and a device never end
    with path.open("rb") as file:
        content = file.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise ValueError(path.name)
    stored = _storable(json.loads(content), _DEEPEST)
    if not isinstance(stored, dict):
        raise TypeError(path.name)
    return stored


def _storable(value: Any, depth: int) -> Any:
    if not depth:
        raise ValueError("nested too deep")
    if isinstance(value, str):
        return storable(value, LARGEST)
    if isinstance(value, Mapping):
        return {storable(name, LARGEST): _storable(each, depth - 1) for name, each in value.items()}
    return [_storable(each, depth - 1) for each in value] if isinstance(value, list) else value
