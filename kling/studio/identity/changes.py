"""Changes of people, invitations and sessions: counted in the database, so that each process hears of all.

A command changes them beside a running studio, which compares the count twice a second (`watch`).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, insert, select, update

from kling.studio.changes import Changes
from kling.studio.state.database import Database, Note
from kling.studio.state.tables import identity_version

Load = Callable[[Connection], Callable[[], None]]  # reads, and returns what puts it in its place


class IdentityChanges:
    """Writes changes, keeps what this process has in memory up to date, and tells listeners.

    Args:
        database: where people, invitations and sessions lie.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._listeners = Changes()
        self._loaders: list[Load] = []
        self._known = -1

    def keep_loaded(self, load: Load) -> None:
        """Read now, and again after each change.

        Args:
            load: reads with the connection that it is given, and returns what puts the result in its place;
                that is called once the change is on the disk.

        Raises:
            StateError: the database does not answer.
        """
        with self._lock, self._database.read() as connection:
            load(connection)()
            if not self._loaders:
                self._known = _version(connection)
            self._loaders.append(load)

    def subscribe(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call `listener` after each change, in any thread; return a function that ends this."""
        return self._listeners.subscribe(listener)

    def notify(self) -> None:
        """Tell the listeners of a change that needs no write, such as the end of a session by time."""
        self._listeners.notify()

    @contextmanager
    def write(
        self, *, then: Callable[[], None] | None = None, note: Note | None = None, about: str = ""
    ) -> Iterator[Connection]:
        """Give a connection for one change; it is counted, and the listeners are told once it is on the disk.

        Args:
            then: brings what is in memory up to date, cheaper than reading everything again; called once the
                change is on the disk.
            note: writes down the change, in the same transaction.
            about: the id of the person whom the change concerns.

        Raises:
            StateError: nothing was written.
        """
        with self._lock:
            with self._database.write() as connection:
                yield connection
                if note:
                    note(connection, about)
                found = _version(connection)
                if not connection.execute(update(identity_version).values(version=found + 1)).rowcount:
                    connection.execute(insert(identity_version).values(version=found + 1))
                enough = then is not None and found == self._known
                placing = [] if enough else [load(connection) for load in self._loaders]
            for place in placing:
                place()
            if then:
                then()
            self._known = found + 1
        self._listeners.notify()

    def look(self) -> bool:
        """Look whether another process has changed something, and if so read it; return whether it has.

        Raises:
            StateError: the database does not answer; what is in memory stays.
        """
        with self._database.read() as connection:
            if _version(connection) == self._known:
                return False
        with self._lock, self._database.read() as connection:
            placing = [load(connection) for load in self._loaders]
            for place in placing:
                place()
            self._known = _version(connection)
        self._listeners.notify()
        return True


def _version(connection: Connection) -> int:
    return int(connection.scalar(select(identity_version.c.version)) or 0)
