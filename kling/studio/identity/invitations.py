"""Invitations: a link with which a person sets the password of an account, once, within three days."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import ColumnElement, delete, insert, select, update

from kling.studio.identity.errors import BadInvitation
from kling.studio.identity.people import People, Person
from kling.studio.identity.person_rows import row_of, store_password
from kling.studio.identity.session_info import token_key
from kling.studio.identity.ways import ACCOUNT
from kling.studio.state.database import Database, Note
from kling.studio.state.tables import invitations
from kling.studio.visible_names import visible

SECONDS = 72 * 3600.0  # that a link can be used
KEPT = 30 * 24 * 3600.0  # seconds that it is known afterwards
USELESS = (
    "This link cannot be used any more: it works once, and for three days. Ask an admin of the studio for a "
    "new one."
)


@dataclass(frozen=True, slots=True)
class OpenInvitation:
    """A link that was not used yet.

    Args:
        person_id: of who may use it.
        made_by: name of who made it.
        created: Unix seconds.
        ends: Unix seconds.
    """

    person_id: str
    made_by: str
    created: float
    ends: float


class Invitations:
    """The invitations, for threads to share.

    Args:
        database: where they lie.
        people: whom they are for.
        clock: Unix seconds.
    """

    def __init__(self, database: Database, people: People, clock: Callable[[], float]) -> None:
        self._database, self._people, self._clock = database, people, clock

    def make(self, person_id: str, made_by: str, *, note: Note | None = None) -> str:
        """Make an invitation and return its token; one of before cannot be used any more.

        Args:
            person_id: of who sets a password with it.
            made_by: name of who makes it.
            note: writes down the change, in the same transaction.

        Raises:
            UnknownPerson: there is no such person any more.
            BadInvitation: the person comes in by another sign-in.
            StateError: the database does not answer.
        """
        token, now = secrets.token_urlsafe(32), self._clock()
        with self._people.changes.write(note=note, about=person_id) as connection:
            row = row_of(connection, person_id)
            if row.way != ACCOUNT:
                raise BadInvitation(f"{row.name} comes in by another sign-in and needs no password here.")
            mine = (invitations.c.person_id == person_id) & (invitations.c.used == 0)
            connection.execute(delete(invitations).where(mine | (invitations.c.ends < now - KEPT)))
            connection.execute(
                insert(invitations).values(
                    token_hash=token_key(token),
                    person_id=person_id,
                    made_by=visible(made_by),
                    created=now,
                    ends=now + SECONDS,
                    used=0.0,
                )
            )
        return token

    def look(self, token: str) -> Person | None:
        """Return whom a token is for, None if it cannot be used; nothing changes.

        Raises:
            StateError: the database does not answer.
        """
        if not token_key(token):
            return None
        with self._database.read() as connection:
            person_id = connection.scalar(select(invitations.c.person_id).where(self._usable(token)))
        person = self._people.get(person_id) if person_id else None
        return None if person is None or person.removed else person

    def accept(self, token: str, password: str, *, note: Note | None = None) -> Person:
        """Set the password of the person whom a token is for. Of two at once only one succeeds.

        All sessions of the person end. It takes the time of one hash: call it in a thread (`People.threads`).

        Args:
            token: of the link; a refused password leaves it as it is.
            password: the new one.
            note: writes down the change, in the same transaction.

        Raises:
            BadInvitation: the token cannot be used.
            BadPassword: the password cannot be used.
            StateError: the database does not answer; nothing has changed.
        """
        person = self.look(token)
        if person is None:
            raise BadInvitation(USELESS)
        hashed = self._people.hashed(password)
        with self._people.changes.write(note=note, about=person.id) as connection:
            used = update(invitations).where(self._usable(token)).values(used=self._clock())
            if connection.execute(used).rowcount != 1:
                raise BadInvitation(USELESS)
            store_password(connection, person.id, hashed)
        return self._people.get(person.id) or person

    def open(self) -> tuple[OpenInvitation, ...]:
        """Return the links that can still be used, the newest first.

        Raises:
            StateError: the database does not answer.
        """
        table = invitations.c
        columns = (table.person_id, table.made_by, table.created, table.ends)
        usable = (table.used == 0) & (table.ends > self._clock())
        with self._database.read() as connection:
            rows = connection.execute(select(*columns).where(usable).order_by(table.created.desc())).all()
        return tuple(OpenInvitation(*row) for row in rows)

    def withdraw(self, person_id: str, *, note: Note | None = None) -> None:
        """Make the open link of a person useless.

        Args:
            person_id: of the person.
            note: writes down the change, in the same transaction.

        Raises:
            StateError: the database does not answer; nothing has changed.
        """
        with self._people.changes.write(note=note, about=person_id) as connection:
            of_person = invitations.c.person_id == person_id
            connection.execute(delete(invitations).where(of_person, invitations.c.used == 0))

    def _usable(self, token: str) -> ColumnElement[bool]:
        table = invitations.c
        return (table.token_hash == token_key(token)) & (table.used == 0) & (table.ends > self._clock())
