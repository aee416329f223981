"""One person as a value, and the rules for names and roles."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from itertools import count
from typing import TYPE_CHECKING, Any, Literal

from kling.studio.identity.errors import BadName, BadRole, BadSubject
from kling.studio.identity.roles import ROLES, Role, User
from kling.studio.visible_names import PERSON_LIMIT, name_key, visible
from kling.text import storable

if TYPE_CHECKING:  # pages import this module, and the first one does not wait for the database
    from sqlalchemy import Row

ROLES_OF_ACCOUNTS: tuple[Role, ...] = ("viewer", "maker", "admin")
SUBJECT_LIMIT = 255  # characters
_HASHED = re.compile("erased:[0-9a-f]{64}")
_LONGEST_KEY = 200  # characters; a longer one is stored as its hash


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who may use the studio, or might once.

    Args:
        id: ours; never given to somebody else.
        name: as it is shown.
        role: what the person may do.
        way: `account`, `oidc` or `proxy`.
        subject: who that way says it is; the id where the way is `account`. Of an erased person, its hash.
        has_password: whether a password was set.
        created: Unix seconds.
        removed: Unix seconds; 0 for a person who was not removed.
        seen: Unix seconds when a session of the person was last used, as far as it is written down; 0 if none
            was. `Sessions.of` knows open sessions to the second.
        given_role: that an admin has given here; empty if none has.
    """

    id: str
    name: str
    role: Role
    way: str
    subject: str
    has_password: bool
    created: float
    removed: float = 0.0
    seen: float = 0.0
    given_role: Role | Literal[""] = ""

    @property
    def user(self) -> User:
        """The person as `roles` asks for it."""
        return User(self.id, self.name, self.role)


def person_of(row: Row[Any]) -> Person:
    """Return the person of a row. A role that this version does not know counts as none."""
    return Person(
        id=row.id,
        name=row.name,
        role=row.role if row.role in ROLES else "none",
        way=row.way,
        subject=row.subject,
        has_password=bool(row.password_hash),
        created=row.created,
        removed=row.removed,
        seen=row.seen,
        given_role=row.given_role if row.given_role in ROLES else "",
    )


def new_id() -> str:
    """Return an id for a person: `p` and 16 hexadecimal digits, so that it is no browser's."""
    return f"p{secrets.token_hex(8)}"


def shown_name(name: str) -> str:
    """Return a name as it is shown.

    Raises:
        BadName: it shows nothing, or is too long.
    """
    shown = visible(storable(name))
    if not name_key(shown):
        raise BadName("The name is empty. Give one that can be seen, such as Ada.")
    if len(" ".join(name.split())) > PERSON_LIMIT:
        raise BadName(f"The name has more than {PERSON_LIMIT} characters. Give a shorter one.")
    return shown


def key_of(name: str) -> str:
    """Return the text by which names are compared, as it is stored; it has no blank."""
    key = name_key(name)
    return key if len(key) <= _LONGEST_KEY else sha256(key.encode()).hexdigest()


def removed_key(key: str, person_id: str) -> str:
    """Return what the key of a removed person becomes, so that the name is free; `base_key` undoes it."""
    return f"{key} {person_id}"


def hashed_subject(way: str, subject: str) -> str:
    """Return what the subject of an erased person becomes: not readable, and it still keeps them out."""
    if _HASHED.fullmatch(subject):
        return subject
    return f"erased:{sha256(f'{way} {subject}'.encode()).hexdigest()}"


def base_key(key: str) -> str:
    """Return a key without what `removed_key` puts behind it."""
    return key.partition(" ")[0]


def numbered(name: str) -> Iterator[str]:
    """Yield a name, and then the name with 2, 3, ... behind it."""
    yield name
    for number in count(2):
        end = f" {number}"
        yield name[: PERSON_LIMIT - len(end)].rstrip() + end


def is_numbered(name: str, of: str) -> bool:
    """Whether a name is another one, with or without a number behind it."""
    number = name.rpartition(" ")[2]
    whole = number.isascii() and number.isdecimal() and len(number) < 6
    return name == of or (whole and name == of[: PERSON_LIMIT - len(number) - 1].rstrip() + f" {number}")


def free_name(name: str, is_taken: Callable[[str], bool]) -> str:
    """Return the first of `numbered` whose key is not taken."""
    return next(each for each in numbered(name) if not is_taken(key_of(each)))


def checked_role(role: str, allowed: tuple[Role, ...]) -> Role:
    """Return a role that may be given.

    Raises:
        BadRole: it is none of `allowed`.
    """
    for each in allowed:
        if each == role:
            return each
    raise BadRole(f"{role[:20]!r} is no role that can be given: choose one of {', '.join(allowed)}.")


def check_subject(subject: str) -> None:
    """Raise where the name that another system has for somebody cannot be kept.

    Raises:
        BadSubject: it cannot.
    """
    if not subject.strip() or storable(subject, SUBJECT_LIMIT) != subject:
        raise BadSubject(
            "The sign-in service names you in a way that cannot be kept: with nothing, with more than "
            f"{SUBJECT_LIMIT} characters, or with one that cannot be stored. Tell an admin of the studio."
        )
