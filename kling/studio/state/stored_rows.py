"""Reads a database as it is, without a change: it may be older than this version, or a copy somewhere."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, fields
from pathlib import Path

Rows = Sequence[sqlite3.Row]


@dataclass(frozen=True, slots=True)
class StoredRows:
    """The rows of tables that have something of a person; none of a table that is not there."""

    people: Rows = ()
    name_owners: Rows = ()
    audit: Rows = ()
    team_templates: Rows = ()
    collections: Rows = ()
    shares: Rows = ()
    drafts: Rows = ()

    @classmethod
    def read(cls, database: Path, *, is_copy: bool = False) -> StoredRows:
        """Return the rows of a database, which may not be there.

        Args:
            database: its file.
            is_copy: nobody writes it, and nothing must be written beside it.

        Raises:
            sqlite3.Error: it cannot be read.
        """
        if not database.exists():
            return cls()
        address = database.absolute().as_uri()
        if is_copy:  # with a journal beside it, which `restore` has moved along, SQLite has to see that
            address += "?mode=ro" if Path(f"{database}-wal").exists() else "?mode=ro&immutable=1"
        with closing(sqlite3.connect(address, timeout=2, uri=True)) as connection:
            connection.row_factory = sqlite3.Row
            there = {row["name"] for row in connection.execute("SELECT name FROM sqlite_master")}
            tables = [each.name for each in fields(cls) if each.name in there]
            rows = {name: connection.execute(f"SELECT * FROM {name}").fetchall() for name in tables}  # noqa: S608
        return cls(**rows)

    def who(self) -> Iterator[tuple[str, str]]:
        """Yield the ids and names that stand together in a row."""
        for row in self.team_templates:
            yield id_on(row), row["author"]
        for row in (*self.collections, *self.shares):
            yield row["person_id"], row["person"]
        for row in (*self.name_owners, *self.audit):
            yield row["person_id"], row["name"]
        for row in self.people:
            yield row["id"], row["name"]


def id_on(template: sqlite3.Row) -> str:
    """Return the id of who saved a template; empty in a database of a version that did not keep it."""
    return str(template["person_id"]) if "person_id" in template.keys() else ""  # noqa: SIM118 - no mapping
