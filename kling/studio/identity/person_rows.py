"""The rows of people: what has to hold in the same transaction as a change."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from kling.studio.identity.errors import LastAdmin, NameTaken, UnknownPerson
from kling.studio.identity.person import Person, base_key, free_name, key_of
from kling.studio.identity.ways import ACCOUNT, is_last_admin
from kling.studio.state.tables import invitations, people, sessions


def row_of(connection: Connection, person_id: str) -> Row[Any]:
    """Return the row of a person.

    Raises:
        UnknownPerson: there is no such person, or the person was removed.
    """
    row = connection.execute(select(people).where(people.c.id == person_id)).one_or_none()
    if row is None or row.removed:
        raise UnknownPerson("There is no such person, or the person was removed.")
    return row


def insert_person(connection: Connection, person: Person, hashed: str) -> None:
    """Write a new person.

    Args:
        connection: of a change.
        person: the new one.
        hashed: of the password; empty if there is none.
    """
    connection.execute(
        insert(people).values(
            id=person.id,
            name=person.name,
            name_key=key_of(person.name),
            role=person.role,
            given_role=person.given_role,
            way=person.way,
            subject=person.subject,
            password_hash=hashed,
            created=person.created,
            removed=0.0,
            seen=0.0,
        )
    )


def refuse_if_taken(connection: Connection, name: str) -> None:
    """Raise where a name looks like the one of somebody who was not removed.

    Raises:
        NameTaken: it does.
    """
    same = people.c.name_key == key_of(name)
    if there := connection.scalar(select(people.c.name).where(same)):
        raise NameTaken(
            f"There is {there} already, and two people cannot have names that look the same. "
            "Choose another name, such as one with the family name."
        )


def free_name_for(connection: Connection, name: str, person_id: str = "") -> str:
    """Return a name that nobody else has or had: only an admin gives away the name of a removed person."""
    others = select(people.c.name_key).where(people.c.id != person_id)
    taken = {base_key(key) for key in connection.scalars(others)}
    return free_name(name, taken.__contains__)


def refuse_last_admin(connection: Connection, row: Row[Any]) -> None:
    """Raise where a person is the only admin who can sign in.

    Raises:
        LastAdmin: the person is.
    """
    admins = select(people.c.id, people.c.way, people.c.password_hash).where(
        people.c.role == "admin", people.c.removed == 0
    )
    if is_last_admin(row.id, connection.execute(admins)):
        raise LastAdmin(
            f"{row.name} is the only admin who can sign in. Make somebody else one first; an invitation that "
            "was not used is not enough."
        )


def store_password(connection: Connection, person_id: str, hashed: str) -> None:
    """Store the hash of a new password; sessions and open invitations of before end.

    Raises:
        UnknownPerson: there is no such account any more.
    """
    row = row_of(connection, person_id)
    if row.way != ACCOUNT:
        raise UnknownPerson(f"{row.name} comes in by another sign-in and has no password here.")
    connection.execute(update(people).where(people.c.id == person_id).values(password_hash=hashed))
    end_ways_in(connection, person_id)


def end_ways_in(connection: Connection, person_id: str) -> None:
    """End the sessions and the open invitations of a person."""
    of_person = invitations.c.person_id == person_id
    connection.execute(delete(invitations).where(of_person, invitations.c.used == 0))
    connection.execute(delete(sessions).where(sessions.c.person_id == person_id))
