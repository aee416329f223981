"""Random histories of people and sessions in two processes, against a model that a few lines of dict are."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from kling.studio.identity.errors import LastAdmin, NameTaken, UnknownPerson
from kling.studio.visible_names import name_key
from tests.studio.identity.conftest import HOUR, Clock, Process

NAMES = st.sampled_from(["Ada", "ADA", "Bob", "B\u043eb", "Cy"])
QUICK = "/dev/shm" if Path("/dev/shm").is_dir() else None  # each step is flushed to the disk
ROLES = st.sampled_from(["viewer", "maker", "admin"])


class Histories(RuleBasedStateMachine):
    """The server has the sessions; a command beside it changes people, and is seen at the next look."""

    persons: Bundle[str] = Bundle("persons")
    tokens: Bundle[str] = Bundle("tokens")

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory(dir=QUICK)
        self.clock = Clock()
        self.server = Process(Path(self.folder.name), self.clock)
        self.commands: list[Process] = []
        self.roles: dict[str, str] = {}  # of people who are there
        self.sessions: dict[str, list[Any]] = {}  # token: person, created, used
        self.ever: set[str] = set()

    def teardown(self) -> None:
        for each in (self.server, *self.commands):
            each.database.close()
        self.folder.cleanup()

    def process(self, *, is_command: bool) -> Process:
        if is_command:
            self.commands.append(Process(Path(self.folder.name), self.clock))
        return self.commands[-1] if is_command else self.server

    def admins(self) -> int:
        return sum(role == "admin" for role in self.roles.values())

    @rule(target=persons, name=NAMES, role=ROLES, is_command=st.booleans())
    def add(self, name, role, is_command):
        try:
            person = self.process(is_command=is_command).people.add(name, role)
        except NameTaken:
            self.server.look()
            assert self.server.people.by_name(name)
            return "nobody"
        assert person.id not in self.ever
        self.ever.add(person.id)
        self.roles[person.id] = role
        self.server.look()
        return person.id

    @rule(target=persons, number=st.integers(1, 3), name=NAMES, role=st.none() | ROLES)
    def come_from_outside(self, number, name, role):
        removed = [
            each
            for each in self.server.people.list(removed=True)
            if each.removed and each.subject == str(number)
        ]
        if removed:
            return removed[0].id
        person = self.server.people.from_outside("oidc", str(number), name, role, "viewer")
        self.ever.add(person.id)
        self.roles[person.id] = role or self.roles.get(person.id, "viewer")
        return person.id

    @rule(who=persons, is_command=st.booleans())
    def remove(self, who, is_command):
        last = self.roles.get(who) == "admin" and self.admins() == 1
        try:
            self.process(is_command=is_command).people.remove(who)
        except LastAdmin:
            assert last
        except UnknownPerson:
            assert who not in self.roles
        else:
            assert not last
            del self.roles[who]
            self.sessions = {token: each for token, each in self.sessions.items() if each[0] != who}
        self.server.look()

    @rule(who=persons, role=ROLES)
    def change_role(self, who, role):
        last = self.roles.get(who) == "admin" and self.admins() == 1 and role != "admin"
        try:
            self.server.people.set_role(who, role)
        except (LastAdmin, UnknownPerson):
            assert last or who not in self.roles
        else:
            assert not last
            self.roles[who] = role

    @rule(target=tokens, who=persons)
    def sign_in(self, who):
        person = self.server.people.get(who)
        if who not in self.roles or person is None:
            return ""
        token = self.server.sessions.begin(person, person.way, "")
        self.sessions[token] = [who, self.clock.now, self.clock.now]
        return token

    @rule(token=consumes(tokens))
    def sign_out(self, token):
        self.server.sessions.end(token)
        self.sessions.pop(token, None)

    @rule(who=persons)
    def sign_out_everywhere(self, who):
        self.server.sessions.end_all(who)
        self.sessions = {token: each for token, each in self.sessions.items() if each[0] != who}

    @rule(token=tokens)
    def use(self, token):
        assert bool(self.server.sessions.who(token)) == (token in self.sessions)
        if token in self.sessions:
            self.sessions[token][2] = self.clock.now

    @rule(hours=st.sampled_from([0.01, 1, 3, 4, 9]))
    def wait(self, hours):
        self.clock.now += hours * HOUR
        self.server.sessions.tick()
        self.sessions = {
            token: each
            for token, each in self.sessions.items()
            if self.clock.now < min(each[1] + 12 * HOUR, each[2] + 4 * HOUR)
        }

    @rule()
    def restart(self):
        self.server.sessions.write_uses()
        self.server.database.close()
        self.server = Process(Path(self.folder.name), self.clock)

    @invariant()
    def each_token_is_whose_it_should_be(self):
        there = self.server.sessions
        for token, (who, _, _) in self.sessions.items():
            user = there.who(token, touch=False)
            assert user is not None
            assert (user.id, user.role) == (who, self.roles[who])
        assert len(there.all()) == len(self.sessions)

    @invariant()
    def no_two_people_have_names_that_look_the_same(self):
        people = self.server.people.list()
        assert {person.id for person in people} == self.roles.keys()
        assert len({name_key(person.name) for person in people}) == len(people)


TestHistories = pytest.mark.timeout(300)(Histories.TestCase)
TestHistories.settings = settings(max_examples=30, stateful_step_count=25)
