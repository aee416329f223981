"""Invitations: a link that sets a password, once."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from kling.studio.identity.errors import BadInvitation, BadPassword, UnknownPerson
from kling.studio.identity.invitations import OpenInvitation
from kling.studio.identity.people import People, Person
from tests.studio.identity.conftest import GOOD, HOUR, NOW


@pytest.fixture
def ada(people: People) -> Person:
    people.add("Root", "admin")
    return people.add("Ada", "maker")


def test_a_link_sets_the_password_of_its_person(people, invitations, ada):
    token = invitations.make(ada.id, "Root")
    assert invitations.look(token) == ada
    accepted = invitations.accept(token, GOOD)
    assert (accepted.id, accepted.has_password) == (ada.id, True)
    assert people.verify("Ada", GOOD) == accepted


def test_a_link_works_once(invitations, people, ada):
    token = invitations.make(ada.id, "Root")
    invitations.accept(token, GOOD)
    assert invitations.look(token) is None
    with pytest.raises(BadInvitation, match=r"works once, and for three days\. Ask an admin"):
        invitations.accept(token, "the password of a thief")
    assert people.verify("Ada", GOOD)


def test_a_link_works_for_72_hours(invitations, ada, clock):
    token = invitations.make(ada.id, "Root")
    clock.now += 72 * HOUR - 1
    assert invitations.look(token)
    clock.now += 1
    assert invitations.look(token) is None
    with pytest.raises(BadInvitation):
        invitations.accept(token, GOOD)


def test_a_password_that_is_refused_leaves_the_link_as_it_is(invitations, ada):
    token = invitations.make(ada.id, "Root")
    with pytest.raises(BadPassword):
        invitations.accept(token, "short")
    assert invitations.accept(token, GOOD)


def test_a_new_link_makes_the_one_of_before_useless(invitations, ada):
    first = invitations.make(ada.id, "Root")
    second = invitations.make(ada.id, "Root")
    assert invitations.look(first) is None
    assert invitations.look(second) == ada


def test_a_link_is_useless_once_its_person_is_removed_and_stays_so(invitations, people, ada):
    token = invitations.make(ada.id, "Root")
    people.remove(ada.id)
    assert invitations.look(token) is None
    with pytest.raises(UnknownPerson):
        invitations.make(ada.id, "Root")
    people.take_back(ada.id)
    assert invitations.look(token) is None


def test_a_link_is_useless_once_it_was_withdrawn(invitations, people, ada):
    bob = people.add("Bob", "viewer")
    token, other = invitations.make(ada.id, "Root"), invitations.make(bob.id, "Root")
    invitations.withdraw(ada.id)
    assert invitations.look(token) is None
    assert invitations.look(other) == bob


def test_who_sets_a_new_password_is_signed_out_everywhere_else(invitations, people, sessions, ada):
    invitations.accept(invitations.make(ada.id, "Root"), "a password that leaked")
    token = sessions.begin(ada, "account", "")
    invitations.accept(invitations.make(ada.id, "Root"), GOOD)
    assert sessions.who(token) is None
    assert people.verify("Ada", "a password that leaked") is None


def test_who_comes_in_from_outside_gets_no_link(invitations, people):
    ada = people.from_outside("proxy", "1", "Ada")
    with pytest.raises(BadInvitation, match="needs no password here"):
        invitations.make(ada.id, "Root")


def test_open_links_are_listed_without_what_lets_somebody_in(invitations, people, ada, clock):
    bob = people.add("Bob", "viewer")
    tokens = [invitations.make(ada.id, "Root\x1b")]
    clock.now += HOUR
    tokens.append(invitations.make(bob.id, "command line"))
    assert invitations.open() == (
        OpenInvitation(bob.id, "command line", NOW + HOUR, NOW + 73 * HOUR),
        OpenInvitation(ada.id, "Root", NOW, NOW + 72 * HOUR),
    )
    invitations.accept(tokens[1], GOOD)
    clock.now = NOW + 72 * HOUR
    assert invitations.open() == ()


def test_no_token_stands_in_the_database(invitations, ada, tmp_path):
    token = invitations.make(ada.id, "Root")
    assert token.encode() not in b"".join(path.read_bytes() for path in tmp_path.iterdir())


@pytest.mark.parametrize(
    "token", ["", "x", "x" * 43, "x" * 100_000, "\ud800" * 43, "%00" * 20, "A" * 42 + "\n"]
)
def test_a_made_up_link_is_refused_before_a_password_is_looked_at(here, token):
    assert here.invitations.look(token) is None
    with pytest.raises(BadInvitation):
        here.invitations.accept(token, "short")


def test_of_many_who_use_one_link_at_once_one_sets_the_password(process, ada):
    servers, everybody = [process(), process()], threading.Barrier(8)
    token = servers[0].invitations.make(ada.id, "Root")

    def accept(number: int) -> str:
        password = f"password of number {number}"
        everybody.wait(120)
        try:
            servers[number % 2].invitations.accept(token, password)
        except BadInvitation:
            return ""
        return password

    with ThreadPoolExecutor(8) as visitors:
        (accepted,) = filter(None, visitors.map(accept, range(8)))
    right = [number for number in range(8) if servers[0].people.verify("Ada", f"password of number {number}")]
    assert [f"password of number {number}" for number in right] == [accepted]
