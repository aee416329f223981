"""The limits of budgets: only these are stored; what is used of them is a sum over the log (`spending`)."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection

from sqlalchemy import Connection, delete, insert, select

from kling.studio.budget_limits import Limit, Scope
from kling.studio.jobs import bounded
from kling.studio.state.database import Database, Note
from kling.studio.state.tables import limits


class LimitStore:
    """The limits of all accounts, read once and kept in memory: only this process changes them.

    Args:
        database: where they lie.

    Attributes:
        on_change: called after each change.

    Raises:
        StateError: the database does not answer.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._writing = threading.Lock()
        self.on_change: Callable[[], None] = lambda: None
        with database.read() as connection:
            self._all = _read(connection)

    @property
    def all(self) -> tuple[Limit, ...]:
        """Every limit; never waits."""
        return self._all

    def put(self, limit: Limit, *, instead_of: Collection[str] = (), note: Note | None = None) -> None:
        """Store a limit in the place of the one of the same account, scope and person.

        Args:
            limit: the new one.
            instead_of: further names of its account, whose limits of that scope and person are removed.
            note: writes down the change, in the same transaction; called with the person's id.

        Raises:
            StateError: the database does not answer; nothing has changed.
        """
        with self._writing, self._database.write() as connection:
            _delete(connection, {limit.account, *instead_of}, limit.scope, limit.person_id)
            connection.execute(
                insert(limits).values(
                    account=limit.account,
                    scope=limit.scope.value,
                    person_id=limit.person_id,
                    amount=f"{limit.amount:f}",
                    unit=limit.unit,
                )
            )
            if note:
                note(connection, limit.person_id)
            found = _read(connection)
        self._all = found
        self.on_change()

    def remove(
        self, accounts: Collection[str], scope: Scope, person_id: str = "", *, note: Note | None = None
    ) -> None:
        """Remove a limit under each of these names of an account; `note` as in `put`.

        Raises:
            StateError: the database does not answer; nothing has changed.
        """
        with self._writing, self._database.write() as connection:
            _delete(connection, accounts, scope, person_id)
            if note:
                note(connection, person_id)
            found = _read(connection)
        self._all = found
        self.on_change()


def _delete(connection: Connection, accounts: Collection[str], scope: Scope, person_id: str) -> None:
    table = limits.c
    same = table.account.in_(sorted(accounts)), table.scope == scope.value, table.person_id == person_id
    connection.execute(delete(limits).where(*same))


def _read(connection: Connection) -> tuple[Limit, ...]:
    """Return the stored limits. What somebody has written there by hand and cannot be read counts as 0."""
    scopes = {scope.value: scope for scope in Scope}
    return tuple(
        Limit(row.account, scopes[row.scope], bounded(row.amount) or Limit.NOTHING, row.unit, row.person_id)
        for row in connection.execute(select(limits).order_by(limits.c.scope, limits.c.person_id))
        if row.scope in scopes
    )
