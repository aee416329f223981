"""Names of the log that belong to no account, and whom an admin has given them to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select

from kling.studio.identity.errors import NameTaken
from kling.studio.identity.people import People
from kling.studio.identity.person import key_of
from kling.studio.identity.person_rows import row_of
from kling.studio.state.database import Note
from kling.studio.state.tables import name_owners
from kling.studio.visible_names import visible
from kling.text import storable


@dataclass(frozen=True, slots=True)
class OldName:
    """A name of jobs that belong to no account.

    Args:
        name: the spelling that most of the jobs have.
        count: how many jobs, in any spelling.
    """

    name: str
    count: int


@dataclass(frozen=True, slots=True)
class GivenName:
    """A name whose jobs were given to a person.

    Args:
        name: as it was given.
        person_id: whose they are now.
        given_by: name of who gave it.
        given: Unix seconds.
    """

    name: str
    person_id: str
    given_by: str
    given: float


class Names:
    """Whose the names of the log are, for threads to share.

    Args:
        people: whom names are given to.
        clock: Unix seconds.

    Raises:
        StateError: the database does not answer.
    """

    def __init__(self, people: People, clock: Callable[[], float]) -> None:
        self._people, self._clock = people, clock
        self._given: Mapping[str, GivenName] = {}  # by key
        people.changes.keep_loaded(self._load)

    def owner_of(self, name: str) -> str:
        """Return the id of the person whom a name was given to, empty if it was not; from memory.

        Args:
            name: of a job without a person's id, as the log has it.
        """
        given = self._given.get(key_of(name)) if self._given and name else None
        return given.person_id if given else ""

    def given(self) -> tuple[GivenName, ...]:
        """Return the names that were given away, the last one first."""
        return tuple(sorted(self._given.values(), key=lambda each: (-each.given, each.name)))

    def unowned(self, names: Iterable[str]) -> tuple[OldName, ...]:
        """Return the names that are nobody's, the most frequent first.

        Args:
            names: of the jobs that have no person's id, one for each job.
        """
        groups: dict[str, Counter[str]] = {}
        for name, count in Counter(names).items():
            shown = visible(storable(name))
            if (key := key_of(shown)) and key not in self._given:
                groups.setdefault(key, Counter())[shown] += count
        found = [
            OldName(max(each, key=lambda name: (each[name], name)), each.total()) for each in groups.values()
        ]
        return tuple(sorted(found, key=lambda each: (-each.count, each.name)))

    def give(self, name: str, person_id: str, by: str, *, note: Note | None = None) -> None:
        """Give the jobs of a name, in all its spellings, to a person.

        Args:
            name: of jobs without a person's id.
            person_id: whose they are from now on.
            by: name of who decides that.
            note: writes down the change, in the same transaction.

        Raises:
            UnknownPerson: there is no such person any more.
            NameTaken: the name was given to somebody else; take it back first.
            StateError: the database does not answer; nothing has changed.
        """
        shown = visible(storable(name))
        key = key_of(shown)
        with self._people.changes.write(note=note, about=person_id) as connection:
            row_of(connection, person_id)
            there = connection.execute(
                select(name_owners.c.person_id).where(name_owners.c.name_key == key)
            ).scalar()
            if there == person_id:
                return
            if there or not key:
                raise NameTaken(f"The jobs of {shown} belong to somebody already. Take them back first.")
            connection.execute(
                insert(name_owners).values(
                    name_key=key,
                    name=shown,
                    person_id=person_id,
                    given_by=visible(storable(by)),
                    given=self._clock(),
                )
            )

    def take_back(self, name: str, *, note: Note | None = None) -> None:
        """Undo `give`: the jobs of the name are nobody's again.

        Args:
            name: in any spelling.
            note: writes down the change, in the same transaction.

        Raises:
            StateError: the database does not answer; nothing has changed.
        """
        with self._people.changes.write(note=note) as connection:
            connection.execute(delete(name_owners).where(name_owners.c.name_key == key_of(name)))

    def _load(self, connection: Connection) -> Callable[[], None]:
        found = {
            row.name_key: GivenName(row.name, row.person_id, row.given_by, row.given)
            for row in connection.execute(select(name_owners))
        }

        def place() -> None:
            self._given = found

        return place
