"""The people who may use the studio: who they are, how they come in, and with what role.

A person who is removed stays as a row, so that the id in the log keeps its name. Two people never have names
that look the same (`visible_names.name_key`).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping

from sqlalchemy import Connection, select, update

from kling.studio.identity.changes import IdentityChanges
from kling.studio.identity.errors import RemovedPerson, UnknownPerson
from kling.studio.identity.passwords import Passwords, PasswordThreads
from kling.studio.identity.person import (
    ROLES_OF_ACCOUNTS,
    Person,
    check_subject,
    checked_role,
    hashed_subject,
    is_numbered,
    key_of,
    new_id,
    person_of,
    removed_key,
    shown_name,
)
from kling.studio.identity.person_rows import (
    end_ways_in,
    free_name_for,
    insert_person,
    refuse_if_taken,
    refuse_last_admin,
    row_of,
)
from kling.studio.identity.roles import ROLES, Role
from kling.studio.identity.ways import ACCOUNT, OIDC, PROXY
from kling.studio.state.database import Database, Note
from kling.studio.state.tables import people
from kling.studio.visible_names import name_key, visible

__all__ = ["ACCOUNT", "OIDC", "PROXY", "People", "Person"]

log = logging.getLogger(__name__)


class People:
    """The people, for threads to share. What is read often is kept in memory.

    Args:
        database: where they lie.
        clock: Unix seconds.
        passwords: makes and compares hashes; a test may give cheap ones.

    Attributes:
        changes: through which people, invitations and sessions are changed.
        threads: where a server makes calls that compare or set passwords.

    Raises:
        StateError: the database does not answer.
    """

    def __init__(
        self, database: Database, clock: Callable[[], float], *, passwords: Passwords | None = None
    ) -> None:
        self._database, self._clock = database, clock
        self._passwords = passwords or Passwords()
        self.changes = IdentityChanges(database)
        self.threads = PasswordThreads()
        self._all: Mapping[str, Person] = {}
        self._by_key: Mapping[str, str] = {}
        self._by_subject: Mapping[tuple[str, str], str] = {}
        self._has_accounts = False
        self.changes.keep_loaded(self._load)

    # -- from memory: these never wait ---------------------------------------------------------------------

    @property
    def has_accounts(self) -> bool:
        """Whether anybody has a named account, so that a page for signing in is needed."""
        return self._has_accounts

    def list(self, *, removed: bool = False) -> tuple[Person, ...]:
        """Return everybody by name; with `removed` also those who were removed, behind the others."""
        found = (person for person in self._all.values() if removed or not person.removed)
        return tuple(sorted(found, key=lambda each: (bool(each.removed), name_key(each.name), each.id)))

    def get(self, person_id: str) -> Person | None:
        """Return the person with an id, also one who was removed."""
        return self._all.get(person_id)

    def by_name(self, name: str) -> Person | None:
        """Return who has a name, in any spelling; not one who was removed."""
        person = self._all.get(self._by_key.get(key_of(name), ""))
        return None if person is None or person.removed else person

    # -- changes -------------------------------------------------------------------------------------------

    def add(self, name: str, role: str, *, password: str = "", note: Note | None = None) -> Person:
        """Add a named account. It takes the time of one hash if there is a password.

        Args:
            name: as it is shown.
            role: `viewer`, `maker` or `admin`.
            password: empty if the person sets it through an invitation.
            note: writes down the change, in the same transaction.

        Raises:
            BadName, BadRole, BadPassword: one of them cannot be used.
            NameTaken: somebody has this name.
            StateError: the database does not answer; nothing has changed.
        """
        shown, role_given = shown_name(name), checked_role(role, ROLES_OF_ACCOUNTS)
        hashed = self._passwords.hash(password) if password else ""
        person_id = new_id()
        with self.changes.write(note=note, about=person_id) as connection:
            refuse_if_taken(connection, shown)
            insert_person(
                connection,
                Person(
                    person_id,
                    shown,
                    role_given,
                    ACCOUNT,
                    person_id,
                    bool(hashed),
                    self._clock(),
                    given_role=role_given,
                ),
                hashed,
            )
        return self._sure(person_id)

    def set_role(self, person_id: str, role: str, *, note: Note | None = None) -> Person:
        """Give a person another role; open sessions have it at once.

        Args:
            person_id: of the person.
            role: one of `ROLES`; `none` only where another system says who somebody is.
            note: writes down the change, in the same transaction.

        Raises:
            UnknownPerson: there is no such person any more.
            BadRole: there is no such role, or an account cannot have it.
            LastAdmin: nobody else is an admin.
        """
        with self.changes.write(note=note, about=person_id) as connection:
            row = row_of(connection, person_id)
            new = checked_role(role, ROLES_OF_ACCOUNTS if row.way == ACCOUNT else ROLES)
            if new != "admin":
                refuse_last_admin(connection, row)
            connection.execute(
                update(people).where(people.c.id == person_id).values(role=new, given_role=new)
            )
        return self._sure(person_id)

    def remove(self, person_id: str, *, note: Note | None = None) -> Person:
        """Let a person in no more: all sessions and invitations end. The jobs stay and keep the name.

        Args:
            person_id: of the person.
            note: writes down the change, in the same transaction.

        Raises:
            UnknownPerson: there is no such person any more.
            LastAdmin: nobody else is an admin.
        """
        with self.changes.write(note=note, about=person_id) as connection:
            row = row_of(connection, person_id)
            refuse_last_admin(connection, row)
            connection.execute(
                update(people)
                .where(people.c.id == person_id)
                .values(
                    removed=self._clock(), name_key=removed_key(row.name_key, person_id), password_hash=""
                )
            )
            end_ways_in(connection, person_id)
        return self._sure(person_id)

    def take_back(self, person_id: str, *, note: Note | None = None) -> Person:
        """Undo the removal of a person. An account needs a new invitation; roles are those of before.

        Args:
            person_id: of the person.
            note: writes down the change, in the same transaction.

        Raises:
            UnknownPerson: there is no such person, or the person was not removed.
            NameTaken: somebody else has the name now.
        """
        with self.changes.write(note=note, about=person_id) as connection:
            row = connection.execute(select(people).where(people.c.id == person_id)).one_or_none()
            if row is None or not row.removed:
                raise UnknownPerson("This person was not removed.")
            refuse_if_taken(connection, row.name)
            connection.execute(
                update(people).where(people.c.id == person_id).values(removed=0.0, name_key=key_of(row.name))
            )
        return self._sure(person_id)

    def hashed(self, password: str) -> str:
        """Return the hash of a new password; see `Passwords.hash`."""
        return self._passwords.hash(password)

    # -- who comes in --------------------------------------------------------------------------------------

    def verify(self, name: str, password: str) -> Person | None:
        """Return whose name and password these are, None if one of them is wrong.

        It takes the time of one hash either way: call it in a thread (`threads`), after asking `Tries`.

        Raises:
            StateError: the database does not answer.
        """
        person = self.by_name(name)
        account = person.id if person and person.way == ACCOUNT else ""
        with self._database.read() as connection:  # also without an account, so that it takes as long
            found = connection.scalar(select(people.c.password_hash).where(people.c.id == account))
        hashed = str(found or "")
        right, better = self._passwords.verify(password, hashed)
        if not right or person is None:
            return None
        if better:
            with self.changes.write() as connection:
                same = (people.c.id == person.id) & (people.c.password_hash == hashed)
                connection.execute(update(people).where(same).values(password_hash=better))
        now = self._all.get(person.id)  # the person may have been removed meanwhile
        return None if now is None or now.removed else now

    def from_outside(
        self, way: str, subject: str, name: str, role: Role | None = None, default: Role = "none"
    ) -> Person:
        """Return the person whom another system has let in; the first time, add the person.

        The other system's word on the role is taken as it is, also where the last admin loses it: a command
        on the machine can make another one.

        Args:
            way: `oidc` or `proxy`.
            subject: who it is there; stays the same when the name changes.
            name: as it is shown. Where it is another person's, a number is put behind it.
            role: that the other system or the settings give; None if they give none. Then it is the one that
                an admin has given here.
            default: role of a person to whom nobody gives one.

        Raises:
            RemovedPerson: an admin has removed the person, or the operator has erased what there was.
            BadSubject: the subject cannot be kept.
            StateError: the database does not answer.
        """
        if way not in {OIDC, PROXY}:
            raise ValueError(f"{way!r} is no way in from outside")
        check_subject(subject)
        wanted = next(filter(name_key, (visible(name), visible(subject))), "Somebody")
        known = self._of_subject(way, subject)
        if (
            known
            and not known.removed
            and is_numbered(known.name, wanted)
            and known.role == (role or known.given_role or default)
        ):
            return known
        with self.changes.write() as connection:
            subjects = (subject, hashed_subject(way, subject))
            same = (people.c.way == way) & people.c.subject.in_(subjects)
            row = connection.execute(select(people).where(same)).one_or_none()
            if row is not None and row.removed:
                raise RemovedPerson(f"{row.name} was removed from the studio. Ask an admin to undo that.")
            if row is None:
                person_id, shown = new_id(), free_name_for(connection, wanted)
                new = Person(person_id, shown, role or default, way, subject, False, self._clock())
                insert_person(connection, new, "")
            else:
                person_id = row.id
                shown = (
                    row.name
                    if is_numbered(row.name, wanted)
                    else free_name_for(connection, wanted, person_id)
                )
                new_role = role or row.given_role or default
                if row.role == "admin" and new_role != "admin":
                    log.warning(
                        "%s is no admin any more: the sign-in service or the settings say so.", row.id
                    )
                connection.execute(
                    update(people)
                    .where(people.c.id == person_id)
                    .values(name=shown, name_key=key_of(shown), role=new_role, subject=subject)
                )
        return self._sure(person_id)

    def _of_subject(self, way: str, subject: str) -> Person | None:
        return self._all.get(self._by_subject.get((way, subject), ""))

    def _sure(self, person_id: str) -> Person:
        person = self._all.get(person_id)
        if person is None:  # another process has changed the row in this moment
            raise UnknownPerson("This person is not there any more.")
        return person

    def _load(self, connection: Connection) -> Callable[[], None]:
        found = [(person_of(row), str(row.name_key)) for row in connection.execute(select(people))]

        def place() -> None:
            self._all = {person.id: person for person, _ in found}
            self._by_key = {key: person.id for person, key in found if not person.removed}
            self._by_subject = {(person.way, person.subject): person.id for person, _ in found}
            self._has_accounts = any(person.way == ACCOUNT and not person.removed for person, _ in found)

        return place
