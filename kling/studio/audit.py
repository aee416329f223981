"""The audit: who did what and when. Rows are added and read here, never changed or deleted.

No prompt and no secret is ever written: callers give ids, names and numbers.
"""

from __future__ import annotations

import csv
import io
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, or_, select

from kling.studio.identity.roles import User
from kling.studio.ledger.csv_text import encode_cell
from kling.studio.state.database import Database, Note
from kling.studio.state.tables import audit
from kling.studio.visible_names import visible
from kling.text import storable

ACTION_LIMIT = 40  # characters
THING_LIMIT = 120
DETAIL_LIMIT = 200  # of one value
DETAILS = 20  # of one entry
NEVER = frozenset(
    {"prompt", "negative_prompt", "text", "request", "password", "token", "secret", "key", "cookie", "hash"}
)
STRANGERS = 200  # entries an hour of those who have not signed in; more are counted, not written
_HOUR = 3600.0
COLUMNS = ("id", "time", "person_id", "name", "action", "thing", "details")


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """What somebody did.

    Args:
        id: counts up.
        time: Unix seconds.
        person_id: of who did it; empty for somebody who has not signed in.
        name: of who did it, as it was then.
        action: what was done, such as `order`.
        thing: to what: an id or a name; may be empty.
        details: more of it.
    """

    id: int
    time: float
    person_id: str
    name: str
    action: str
    thing: str
    details: Mapping[str, Any]


class Audit:
    """The audit, for threads to share.

    Args:
        database: where it lies.
        clock: Unix seconds.
        page: rows that are read at once.
    """

    def __init__(self, database: Database, clock: Callable[[], float], *, page: int = 1000) -> None:
        self._database, self._clock, self._page = database, clock, page
        self._lock = threading.Lock()
        self._hour, self._strangers = -1, 0

    def note(self, user: User, action: str, thing: str = "", **details: object) -> None:
        """Write down that somebody has done something.

        Args:
            user: who; with an empty id for somebody who has not signed in. Strangers can write only so much.
            action: what; the value of an `Action`, or another short text such as `sign in`.
            thing: to what.
            details: short values; long ones are cut.

        Raises:
            ValueError: a detail has the name of something that is never written; a mistake of the caller.
            StateError: the database does not answer; nothing was written.
        """
        write = self.entry(user, action, **details)
        if user.id or self._may_write(self._clock()):
            with self._database.write() as connection:
                write(connection, thing)

    def entry(self, user: User, action: str, **details: object) -> Note:
        """Return what writes an entry in the transaction of what it is about: both are written, or neither.

        Args:
            user: as in `note`, and so is the rest.
            action: what is done.
            details: short values.

        Returns:
            It is called with the connection and the thing.

        Raises:
            ValueError: as `note`.
        """
        if never := NEVER & details.keys():
            raise ValueError(f"the audit never holds: {', '.join(sorted(never))}")
        shown = {name: _detail(value) for name, value in list(details.items())[:DETAILS]}

        def write(connection: Connection, thing: str) -> None:
            connection.execute(
                insert(audit).values(
                    time=self._clock(),
                    person_id=storable(user.id, 20),
                    name=visible(storable(user.name)),
                    action=_line(action, ACTION_LIMIT),
                    thing=_line(thing, THING_LIMIT),
                    details=json.dumps(shown, ensure_ascii=False),
                )
            )

        return write

    def search(
        self,
        text: str = "",
        *,
        person: str = "",
        action: str = "",
        before_id: int | None = None,
        most: int = 100,
    ) -> tuple[AuditEntry, ...]:
        """Return entries, the newest first.

        Args:
            text: stands in the name, the action, the thing or the details, in any case.
            person: id or name of who did it; empty for everybody.
            action: what was done; empty for everything.
            before_id: leaves out this entry and newer ones; for the next page.
            most: how many at most.

        Raises:
            StateError: the database does not answer.
        """
        wanted = " ".join(storable(text, DETAIL_LIMIT).casefold().split())
        found: list[AuditEntry] = []
        for entry in self._read(person, action, before_id, newest_first=True):
            if len(found) >= most:
                break
            if not wanted or wanted in _words(entry):
                found.append(entry)
        return tuple(found)

    def actions(self) -> tuple[str, ...]:
        """Return what has ever been done, to choose from."""
        with self._database.read() as connection:
            return tuple(connection.scalars(select(audit.c.action).distinct().order_by(audit.c.action)))

    def export(self) -> Iterator[str]:
        """Yield the audit as lines of CSV, the oldest entry first, safe to open in a spreadsheet.

        Raises:
            StateError: the database does not answer.
        """
        yield _csv(COLUMNS)
        for entry in self._read("", "", None, newest_first=False):
            when = datetime.fromtimestamp(entry.time, UTC).isoformat(timespec="seconds")
            details = json.dumps(entry.details, ensure_ascii=False)
            yield _csv((str(entry.id), when, entry.person_id, entry.name, entry.action, entry.thing, details))

    def _read(
        self, person: str, action: str, before_id: int | None, *, newest_first: bool
    ) -> Iterator[AuditEntry]:
        """Yield entries page by page, so that no transaction stays open while somebody fetches slowly."""
        table = audit.c
        edge = before_id
        while True:
            query = select(audit).limit(self._page).order_by(table.id.desc() if newest_first else table.id)
            if person:
                query = query.where(or_(table.person_id == person, table.name == person))
            if action:
                query = query.where(table.action == action)
            if edge is not None:
                query = query.where(table.id < edge if newest_first else table.id > edge)
            with self._database.read() as connection:
                rows = connection.execute(query).all()
            yield from map(_entry, rows)
            if len(rows) < self._page:
                return
            edge = rows[-1].id

    def _may_write(self, now: float) -> bool:
        with self._lock:
            hour = int(now // _HOUR)
            if hour != self._hour:
                self._hour, self._strangers = hour, 0
            self._strangers += 1
            return self._strangers <= STRANGERS


def _detail(value: object) -> Any:
    """Return a value as it is kept: numbers and the like as they are, everything else as a short text."""
    if value is None or isinstance(value, bool | float) or (isinstance(value, int) and abs(value) < 2**63):
        return value
    return _line(str(value), DETAIL_LIMIT)


def _line(text: str, most: int) -> str:
    shown = "".join(char if char.isprintable() else " " for char in storable(text, 4 * most))
    return storable(" ".join(shown.split()), most)


def _words(entry: AuditEntry) -> str:
    details = " ".join(f"{name} {value}" for name, value in entry.details.items())
    return f"{entry.name} {entry.action} {entry.thing} {details}".casefold()


def _entry(row: Row[Any]) -> AuditEntry:
    try:
        details = json.loads(row.details)
    except ValueError:
        details = {}
    found = details if isinstance(details, dict) else {}
    return AuditEntry(row.id, row.time, row.person_id, row.name, row.action, row.thing, found)


def _csv(cells: tuple[str, ...]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="\r\n").writerow([encode_cell(cell) for cell in cells])
    return line.getvalue()
