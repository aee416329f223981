"""A change of people and its entry in the audit are written together, or neither of them is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Connection, select

from kling.studio.audit import Audit
from kling.studio.identity.errors import LastAdmin
from kling.studio.identity.names import Names
from kling.studio.identity.roles import User
from kling.studio.state import tables
from kling.studio.state.database import Note
from kling.studio.state.records import StateError
from tests.studio.identity.conftest import GOOD, Clock, Process

ROOT = User("p0", "Root", "admin")
TABLES = (tables.people, tables.invitations, tables.sessions, tables.name_owners, tables.audit)


class Case:
    """Ada with a session and an open link, Ben who was removed, and what changes them."""

    def __init__(self, here: Process, clock: Clock) -> None:
        self.here, self.people, self.sessions = here, here.people, here.sessions
        self.invitations, self.names = here.invitations, Names(here.people, clock)
        self.people.add("Root", "admin")
        self.ada, self.ben = self.people.add("Ada", "maker", password=GOOD), self.people.add("Ben", "viewer")
        self.people.remove(self.ben.id)
        self.names.give("anna", self.ada.id, "Root")
        self.link = self.invitations.make(self.ada.id, "Root")
        self.session = self.sessions.session_id(self.sessions.begin(self.ada, "account", ""))

    def seen(self) -> tuple[object, ...]:
        """Everything that is stored, and what is in memory."""
        with self.here.database.read() as connection:
            rows = [sorted(map(repr, connection.execute(select(each)))) for each in TABLES]
        return (*rows, self.people.list(removed=True), self.sessions.all())


CHANGES: dict[str, Callable[[Case, Note], Any]] = {
    "add": lambda case, note: case.people.add("Mia", "maker", note=note),
    "set_role": lambda case, note: case.people.set_role(case.ada.id, "viewer", note=note),
    "remove": lambda case, note: case.people.remove(case.ada.id, note=note),
    "take_back": lambda case, note: case.people.take_back(case.ben.id, note=note),
    "invite": lambda case, note: case.invitations.make(case.ada.id, "Root", note=note),
    "withdraw": lambda case, note: case.invitations.withdraw(case.ada.id, note=note),
    "accept": lambda case, note: case.invitations.accept(case.link, GOOD + "!", note=note),
    "end_by_id": lambda case, note: case.sessions.end_by_id(case.ada.id, case.session, note=note),
    "end_all": lambda case, note: case.sessions.end_all(case.ada.id, note=note),
    "give": lambda case, note: case.names.give("bea", case.ada.id, "Root", note=note),
    "name_back": lambda case, note: case.names.take_back("anna", note=note),
}


@pytest.fixture
def case(process: Callable[[], Process], clock: Clock) -> Case:
    return Case(process(), clock)


def refused(_connection: Connection, _about: str) -> None:
    raise StateError("The disk is full.")


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_what_cannot_be_noted_is_not_done(case: Case, change: Callable[[Case, Note], Any]):
    before = case.seen()
    with pytest.raises(StateError, match="disk is full"):
        change(case, refused)
    assert case.seen() == before


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_what_is_done_is_noted_with_whom_it_concerns(
    case: Case, clock: Clock, change: Callable[[Case, Note], Any]
):
    audit, before = Audit(case.here.database, clock), case.seen()
    change(case, audit.entry(ROOT, "manage people", did="it"))
    (entry,) = audit.search()
    assert (entry.person_id, entry.name, entry.details) == ("p0", "Root", {"did": "it"})
    about = case.people.get(entry.thing)
    assert (about is None) == (change is CHANGES["name_back"])
    assert case.seen() != before


def test_what_is_refused_is_not_noted(case: Case, clock: Clock):
    audit = Audit(case.here.database, clock)
    root = case.people.by_name("Root")
    assert root is not None
    with pytest.raises(LastAdmin):
        case.people.remove(root.id, note=audit.entry(ROOT, "manage people", did="removed"))
    assert audit.search() == ()
