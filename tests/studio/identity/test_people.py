"""People: accounts, roles, removal, and who comes in from another sign-in."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from kling.studio.identity.errors import (
    BadName,
    BadPassword,
    BadRole,
    BadSubject,
    LastAdmin,
    NameTaken,
    PeopleError,
    RemovedPerson,
    UnknownPerson,
)
from kling.studio.identity.people import People
from kling.studio.identity.roles import User
from kling.studio.state import database as database_module
from kling.studio.state.faults import FILE
from kling.studio.state.records import StateError
from tests.studio.identity.conftest import GOOD, NOW, CountingHasher, Process

# -- accounts ----------------------------------------------------------------------------------------------


def test_a_person_is_found_by_any_spelling_of_the_name(people):
    ada = people.add("Ada  Lovelace", "maker")
    assert (ada.name, ada.role, ada.way, ada.subject) == ("Ada Lovelace", "maker", "account", ada.id)
    assert (ada.has_password, ada.created, ada.removed) == (False, NOW, 0)
    assert people.by_name("ADA LOVELACE") == people.get(ada.id) == ada
    assert ada.user == User(ada.id, "Ada Lovelace", "maker")
    assert (people.by_name("Bob"), people.get("Bob")) == (None, None)


def test_people_are_listed_by_name(people):
    for name in ("bob", "Ada", "Cy"):
        people.add(name, "viewer")
    assert [person.name for person in people.list()] == ["Ada", "bob", "Cy"]


@pytest.mark.parametrize("name", ["ada", " A D A ", "Ad\u0430", "ada\u200b", "ÁDA"])
def test_a_name_that_looks_like_one_that_is_taken_is_refused(people, name):
    people.add("Ada", "viewer")
    with pytest.raises(NameTaken, match=r"There is Ada already.*Choose another name"):
        people.add(name, "admin")
    assert len(people.list()) == 1


@pytest.mark.parametrize(
    ("name", "words"),
    [("", "empty"), (" \t", "empty"), ("\u200b\u3164", "empty"), ("x" * 61, "more than 60 characters")],
)
def test_a_name_that_cannot_be_used_is_refused(people, name, words):
    with pytest.raises(BadName, match=words):
        people.add(name, "viewer")


@pytest.mark.parametrize(
    ("given", "kept"),
    [("Ada\x1b[31m", "Ada[31m"), ("Ada\u202eBob", "AdaBob"), ("A\ud800da", "A\ufffdda"), ("A\n da", "A da")],
)
def test_a_name_keeps_nothing_that_a_terminal_or_a_page_could_act_on(people, given, kept):
    assert people.add(given, "viewer").name == kept


@pytest.mark.parametrize("role", ["none", "", "root", "Admin", "x" * 1000])
def test_an_account_has_one_of_three_roles(people, role):
    with pytest.raises(BadRole, match="viewer, maker, admin"):
        people.add("Ada", role)
    ada = people.add("Ada", "viewer")
    with pytest.raises(BadRole, match="viewer, maker, admin"):
        people.set_role(ada.id, role)


def test_a_bad_password_adds_nobody(people):
    with pytest.raises(BadPassword):
        people.add("Ada", "admin", password="short")
    assert people.list() == ()


def test_there_are_accounts_as_soon_as_one_was_added_and_not_for_people_from_outside(people):
    people.from_outside("oidc", "1", "Ada", "admin")
    assert not people.has_accounts
    bob = people.add("Bob", "viewer")
    assert people.has_accounts
    people.remove(bob.id)
    assert not people.has_accounts


def test_a_role_is_changed(people):
    ada = people.add("Ada", "viewer")
    assert people.set_role(ada.id, "admin").role == "admin"
    assert people.by_name("Ada").role == "admin"


@pytest.mark.parametrize("change", [People.remove, lambda here, who: here.set_role(who, "maker")])
def test_the_last_admin_is_neither_removed_nor_made_less(people, change):
    ada, bob = people.add("Ada", "admin"), people.add("Bob", "admin")
    people.add("Cy", "maker")
    change(people, bob.id)
    with pytest.raises(LastAdmin, match=r"Ada is the only admin who can sign in\. Make somebody else one"):
        change(people, ada.id)
    assert people.get(ada.id) == ada
    assert people.set_role(ada.id, "admin") == ada


@pytest.mark.parametrize("change", [People.remove, lambda here, who: here.set_role(who, "maker")])
def test_an_admin_who_has_never_set_a_password_does_not_count(people, change):
    root, ivy = people.add("root", "admin", password=GOOD), people.add("Ivy", "admin")
    with pytest.raises(LastAdmin, match="root is the only admin who can sign in"):
        change(people, root.id)
    change(people, ivy.id)
    people.from_outside("oidc", "eve", "Eve", "admin")
    change(people, root.id)


def test_of_two_admins_who_remove_each_other_at_once_one_stays(process):
    one, two = process(), process()
    ada, bob = one.people.add("Ada", "admin"), one.people.add("Bob", "admin")

    def removes(process: Process, who: str) -> bool:
        try:
            process.people.remove(who)
        except PeopleError:
            return False
        return True

    with ThreadPoolExecutor(2) as both:
        done = both.map(removes, (one, two), (ada.id, bob.id))
    assert sorted(done) == [False, True]
    one.look()
    assert [person.role for person in one.people.list()] == ["admin"]


# -- removal -----------------------------------------------------------------------------------------------


def test_the_id_of_a_removed_person_keeps_the_name_and_the_name_goes_to_a_new_id(people, clock):
    people.add("Root", "admin")
    ada = people.add("Ada", "maker", password=GOOD)
    clock.now += 5
    gone = people.remove(ada.id)
    assert (gone.name, gone.removed, gone.has_password) == ("Ada", NOW + 5, False)
    assert people.by_name("Ada") is None
    again = people.add("ada", "viewer")
    assert again.id != ada.id
    assert people.by_name("Ada") == again
    assert people.get(ada.id) == gone
    assert [person.id for person in people.list()] == [again.id, people.by_name("root").id]
    assert people.list(removed=True)[-1] == gone


@pytest.mark.parametrize("who", ["removed", "never there"])
def test_who_is_not_there_any_more_cannot_be_changed(people, who):
    people.add("Root", "admin")
    ada = people.add("Ada", "admin")
    people.remove(ada.id)
    unknown = {"removed": ada.id, "never there": "' OR 1=1 --"}[who]
    with pytest.raises(UnknownPerson):
        people.remove(unknown)
    with pytest.raises(UnknownPerson):
        people.set_role(unknown, "admin")


def test_a_removal_can_be_undone_as_long_as_the_name_is_free(people):
    people.add("Root", "admin")
    ada = people.add("Ada", "maker", password=GOOD)
    people.remove(ada.id)
    other = people.add("ada", "viewer")
    with pytest.raises(NameTaken):
        people.take_back(ada.id)
    people.remove(other.id)
    assert people.take_back(ada.id).removed == 0
    assert people.by_name("Ada").role == "maker"
    assert people.verify("Ada", GOOD) is None  # an account needs a new password
    with pytest.raises(UnknownPerson):
        people.take_back(ada.id)


# -- passwords ---------------------------------------------------------------------------------------------


def test_the_right_name_and_password_are_a_person(people):
    ada = people.add("Ada", "maker", password=GOOD)
    assert ada.has_password
    assert people.verify(" aDA", GOOD) == ada


@pytest.mark.parametrize("name", ["Ada", "Bob", "Cy", "Dan", "", "x" * 10_000, "\ud800"])
@pytest.mark.parametrize("password", ["", "wrong" * 4, GOOD.upper(), f"{GOOD} ", "\ud800" * 20, "x" * 5000])
def test_what_is_wrong_is_nobody_and_takes_one_comparison_whatever_is_wrong(here, name, password):
    people = here.people
    people.add("Ada", "maker", password=GOOD)
    people.add("Bob", "maker")  # has no password yet
    people.from_outside("oidc", "1", "Cy")
    people.add("Root", "admin")
    people.remove(people.add("Dan", "maker", password=GOOD).id)
    here.hasher.verified.clear()
    assert people.verify(name, password) is None
    assert len(here.hasher.verified) == 1


def test_a_weaker_hash_of_before_is_replaced_at_the_next_sign_in(process):
    old, new = process(CountingHasher(time_cost=1)), process(CountingHasher(time_cost=2))
    ada = old.people.add("Ada", "maker", password=GOOD)
    new.look()
    for _ in range(2):
        assert new.people.verify("Ada", GOOD) == ada
    assert [",t=1," in hashed for hashed in new.hasher.verified] == [True, False]
    assert old.people.verify("Ada", GOOD) == ada


def test_who_is_removed_while_the_password_is_compared_is_nobody(process):
    class Removing(CountingHasher):
        def verify(self, password: str | bytes, hash: str | bytes) -> bool:  # noqa: A002 - the library's name
            here.people.remove(ada.id)
            return super().verify(password, hash)

    here = process(Removing())
    here.people.add("Root", "admin")
    ada = here.people.add("Ada", "maker", password=GOOD)
    assert here.people.verify("Ada", GOOD) is None
    assert len(here.hasher.verified) == 1


def test_a_new_password_ends_the_sessions_and_the_open_link_of_before(people, sessions, invitations):
    ada = people.add("Ada", "maker", password=GOOD)
    token, link = sessions.begin(ada, "account", ""), invitations.make(ada.id, "Root")
    invitations.accept(invitations.make(ada.id, "Root"), "another long password")
    assert people.verify("Ada", GOOD) is None
    assert people.verify("Ada", "another long password").id == ada.id
    assert (sessions.who(token), invitations.look(link)) == (None, None)


def test_no_hash_and_no_password_stands_in_what_is_shown_of_a_person(people, tmp_path):
    people.add("Ada", "maker", password=GOOD)
    assert "argon2" not in repr(people.list())
    assert GOOD not in repr(people.list())
    assert GOOD.encode() not in b"".join(path.read_bytes() for path in tmp_path.iterdir())


# -- from outside ------------------------------------------------------------------------------------------


def test_somebody_from_outside_is_added_once_and_known_by_the_subject(people):
    ada = people.from_outside("oidc", "sub-1", "Ada", None, "viewer")
    assert (ada.name, ada.role, ada.way, ada.subject) == ("Ada", "viewer", "oidc", "sub-1")
    assert people.from_outside("oidc", "sub-1", "Ada", None, "viewer") == ada
    assert people.from_outside("proxy", "sub-1", "Bob").id != ada.id
    assert people.from_outside("oidc", "SUB-1", "Cy").id != ada.id


@pytest.mark.parametrize(
    ("given", "of_admin", "after"),
    [
        (None, None, "viewer"),
        (None, "maker", "maker"),
        ("none", "maker", "none"),
        ("admin", None, "admin"),
        ("viewer", "admin", "viewer"),
    ],
)
def test_the_role_is_that_of_the_claim_then_that_of_an_admin_then_the_default(people, given, of_admin, after):
    ada = people.from_outside("oidc", "1", "Ada", None, "viewer")
    people.add("Root", "admin")
    if of_admin:
        people.set_role(ada.id, of_admin)
    assert people.from_outside("oidc", "1", "Ada", given, "viewer").role == after
    assert people.get(ada.id).role == after


def test_a_role_that_the_settings_gave_goes_with_them(people):
    people.add("Root", "admin")
    ada = people.from_outside("oidc", "1", "Ada", "admin")
    assert people.from_outside("oidc", "1", "Ada").role == "none"
    assert people.get(ada.id).role == "none"


def test_a_new_default_counts_for_everybody_to_whom_nobody_gave_a_role(people):
    ada, ben = (people.from_outside("oidc", number, number) for number in ("ada", "ben"))
    people.set_role(ben.id, "viewer")
    assert people.from_outside("oidc", ada.subject, ada.name, None, "maker").role == "maker"
    assert people.from_outside("oidc", ben.subject, ben.name, None, "maker").role == "viewer"


def test_a_new_name_outside_is_a_new_name_here(people):
    ada = people.from_outside("oidc", "1", "Ada Byron")
    assert people.from_outside("oidc", "1", "Ada Lovelace").id == ada.id
    assert people.by_name("Ada Lovelace").id == ada.id
    assert people.by_name("Ada Byron") is None


def test_a_name_that_somebody_else_has_gets_a_number_and_keeps_it(people):
    ada = people.add("Ada", "admin", password=GOOD)
    second = people.from_outside("oidc", "2", "ADA", "maker")
    third = people.from_outside("oidc", "3", "Ad\u0430", "maker")
    assert (second.name, third.name) == ("ADA 2", "Ad\u0430 3")
    assert people.from_outside("oidc", "2", "ADA", "maker") == second
    assert people.by_name("ada") == ada
    assert people.verify("ada", GOOD) == ada


def test_the_name_of_a_removed_person_is_not_given_to_somebody_from_outside(people):
    people.add("Root", "admin")
    people.remove(people.add("Ada", "maker").id)
    assert people.from_outside("oidc", "1", "Ada").name == "Ada 2"


def test_a_long_name_makes_room_for_its_number(people):
    long = "x" * 100
    names = [people.from_outside("oidc", str(number), long).name for number in range(12)]
    assert names[:2] == ["x" * 60, f"{'x' * 58} 2"]
    assert names[-1] == f"{'x' * 57} 12"
    assert people.from_outside("oidc", "11", long).name == names[-1]


@pytest.mark.parametrize(("name", "kept"), [("", "sub-1"), ("\u200b", "sub-1"), ("A\x1bda\0", "Ada")])
def test_who_has_no_name_outside_is_called_as_the_subject(people, name, kept):
    assert people.from_outside("proxy", "sub-1", name).name == kept


@pytest.mark.parametrize("subject", ["", "   ", "x" * 256, "a\0b", "\ud800"])
def test_a_subject_that_cannot_be_kept_lets_nobody_in(people, subject):
    with pytest.raises(BadSubject, match="Tell an admin"):
        people.from_outside("oidc", subject, "Ada")
    assert people.list() == ()


@pytest.mark.parametrize("way", ["account", "", "saml"])
def test_only_ways_from_outside_make_people_from_outside(people, way):
    with pytest.raises(ValueError, match="no way in"):
        people.from_outside(way, "1", "Ada")


def test_an_account_s_id_is_nobody_s_subject_outside(people):
    ada = people.add("Ada", "admin")
    assert people.from_outside("oidc", ada.id, "Bob", "viewer").id != ada.id


def test_who_was_removed_does_not_come_back_by_signing_in_again(people):
    people.add("Root", "admin")
    ada = people.from_outside("oidc", "1", "Ada", "maker")
    people.remove(ada.id)
    with pytest.raises(RemovedPerson, match="Ada was removed"):
        people.from_outside("oidc", "1", "Ada", "admin")
    people.take_back(ada.id)
    assert people.from_outside("oidc", "1", "Ada", "maker").id == ada.id


def test_the_claim_of_another_system_is_obeyed_for_the_last_admin_too(people, caplog):
    ada = people.from_outside("oidc", "1", "Ada", "admin")
    assert people.from_outside("oidc", "1", "Ada", "viewer").role == "viewer"
    assert f"{ada.id} is no admin any more" in caplog.text


def test_many_first_sign_ins_of_one_person_at_once_make_one_person(people):
    with ThreadPoolExecutor(8) as tabs:
        ids = {person.id for person in tabs.map(lambda _: people.from_outside("oidc", "1", "Ada"), range(24))}
    assert len(ids) == len(people.list()) == 1


# -- two processes, and a database that does not answer ------------------------------------------------------


def test_what_another_process_changes_is_seen_at_the_next_look(process):
    one, two = process(), process()
    heard: list[int] = []
    one.sessions.subscribe(lambda: heard.append(1))
    ada = two.people.add("Ada", "maker")
    assert one.people.by_name("Ada") is None
    one.look()
    assert one.people.get(ada.id) == ada
    assert one.people.has_accounts
    assert len(heard) == 1
    two.people.set_role(ada.id, "viewer")
    one.look()
    assert one.people.get(ada.id).role == "viewer"
    assert len(heard) == 2
    one.look()
    assert len(heard) == 2


def test_a_change_here_reads_what_another_process_changed_before(process):
    one, two = process(), process()
    two.people.add("Ada", "maker")
    one.people.add("Bob", "maker")
    assert [person.name for person in one.people.list()] == ["Ada", "Bob"]
    with pytest.raises(NameTaken):
        one.people.add("ada", "maker")


def test_two_processes_cannot_both_take_a_name(process):
    one, two = process(), process()
    one.people.add("Ada", "maker")
    with pytest.raises(NameTaken):
        two.people.add("ada", "maker")


def test_while_the_database_does_not_answer_people_are_known_and_not_changed(process, tmp_path, monkeypatch):
    monkeypatch.setattr(database_module, "PATIENCE", 0.01)
    here = process()
    ada = here.people.add("Ada", "maker")
    with closing(sqlite3.connect(tmp_path / FILE, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        here.look()
        with pytest.raises(StateError, match="locked"):
            here.people.add("Bob", "maker")
        other.execute("ROLLBACK")
        other.execute("DROP TABLE people")
    with pytest.raises(StateError):
        here.people.add("Bob", "maker")
    assert here.people.list() == (ada,)
    assert here.people.by_name("Ada") == ada
