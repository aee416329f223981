"""What can be wrong with people and their ways in; each text says what to do. It is shown to people."""

from __future__ import annotations


class PeopleError(Exception):
    """A person was not added, changed or let in; nothing was changed."""


class BadName(PeopleError):
    """A name cannot be used."""


class NameTaken(PeopleError):
    """Somebody has this name, or one that looks the same."""


class BadRole(PeopleError):
    """A role cannot be given."""


class BadPassword(PeopleError):
    """A new password cannot be used."""


class BadSubject(PeopleError):
    """Another system names somebody in a way that cannot be kept."""


class UnknownPerson(PeopleError):
    """There is no such person, or the person was removed."""


class RemovedPerson(PeopleError):
    """An admin has removed the person, who tries to come in again."""


class LastAdmin(PeopleError):
    """The change would leave the studio without an admin."""


class BadInvitation(PeopleError):
    """A link of an invitation cannot be used, or none can be made."""


class Busy(PeopleError):
    """Too many passwords are compared at this moment."""
