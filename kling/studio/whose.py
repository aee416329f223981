"""Whose a thing is: the person's whose id is on it; where it has none, that of who alone has its name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from kling.studio.identity.roles import COMMANDS, LOCAL
from kling.studio.visible_names import name_key

_NO_IDS = frozenset({"", LOCAL, COMMANDS})


class NotOnePerson(Exception):
    """A name shows nothing, or does not say which of several people is meant; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Whose:
    """One person, to tell what is theirs.

    Args:
        person_id: empty for a name that no account has.
        name: as it is shown; empty for nobody.
        names: keys of their names of now and before, without those that somebody else has or had too.
        given: keys of the names of the log that an admin gave them.
        shared: the names that somebody else has or had too, as they are shown.
    """

    person_id: str = ""
    name: str = ""
    names: frozenset[str] = frozenset()
    given: frozenset[str] = frozenset()
    shared: tuple[str, ...] = ()

    @property
    def is_nobody(self) -> bool:
        """Whether single jobs are meant, not a person."""
        return not (self.person_id or self.names)

    def has(self, person_id: str, name: str) -> bool:
        """Whether something is theirs.

        Args:
            person_id: that is on it; it may be empty.
            name: that is on it.
        """
        if person_id not in _NO_IDS:
            return person_id == self.person_id
        return bool(name) and name_key(name) in self.names

    def has_in_log(self, person_id: str, name: str) -> bool:
        """The same for a job, or a row of the log, whose name an admin may have given to somebody."""
        is_given = person_id in _NO_IDS and bool(name) and name_key(name) in self.given
        return is_given or self.has(person_id, name)

    def may_have(self, person_id: str, name: str) -> bool:
        """Whether something in an old copy may be theirs: the account may have had another id there."""
        named = bool(name) and name_key(name) in self.names | self.given
        return named or self.has(person_id, name)


NOBODY = Whose()


def person_of(
    text: str, accounts: Mapping[str, str], given: Mapping[str, str], noted: Iterable[tuple[str, str]]
) -> Whose:
    """Return the person who is meant by a name in any spelling, or by an id.

    Args:
        text: the name or the id.
        accounts: names by ids, also of those who were removed.
        given: names of the log that an admin gave away, with the ids of who got them.
        noted: ids and names that stand together somewhere, the older ones first. An id that is no account's
            is somebody's too, whose account is in another database.

    Raises:
        NotOnePerson: it shows nothing; several people have the name; or nobody has it now, and somebody had.
    """
    now = dict(accounts)
    names: dict[str, dict[str, str]] = {person_id: {} for person_id in accounts}  # shown ones by keys
    for person_id, name in (*noted, *((owner, name) for name, owner in given.items()), *accounts.items()):
        if person_id not in _NO_IDS:
            if person_id not in accounts:
                now[person_id] = name or now.get(person_id, "")
            if key := name_key(name):
                names.setdefault(person_id, {})[key] = name
    key = name_key(text)
    if not key:
        raise NotOnePerson("Give the name of a person, or an id.")
    if text in now:
        found = [text]
    else:
        found = [person_id for person_id, name in now.items() if name_key(name) == key]
        had = [person_id for person_id, theirs in names.items() if key in theirs]
        if len(found) > 1 or (had and not found):
            listed = "".join(f"\n  {each}  {now[each]}" for each in sorted({*found, *had}))
            how = "Several people have" if found else "Nobody has now, but had or got,"
            raise NotOnePerson(
                f"{how} the name {text}. Give the id of the one who is meant; `people list --removed` says "
                f"more:{listed}"
            )
    if not found:
        return Whose("", text, frozenset({key}))
    (person_id,) = found
    theirs = names.get(person_id, {})
    others = {each for other, known in names.items() if other != person_id for each in known}
    return Whose(
        person_id,
        now[person_id],
        frozenset(theirs.keys() - others),
        frozenset(name_key(name) for name, owner in given.items() if owner == person_id),
        tuple(sorted(theirs[each] for each in theirs.keys() & others)),
    )
