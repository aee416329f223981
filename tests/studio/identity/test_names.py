"""Names of the old log, and whom they were given to."""

from __future__ import annotations

import pytest

from kling.studio.identity.errors import NameTaken, UnknownPerson
from kling.studio.identity.names import GivenName, Names, OldName
from kling.studio.identity.people import People, Person
from tests.studio.identity.conftest import NOW


@pytest.fixture
def names(people: People, clock) -> Names:
    return Names(people, clock)


@pytest.fixture
def ada(people: People) -> Person:
    people.add("Root", "admin")
    return people.add("Ada", "maker")


def test_names_are_counted_in_all_their_spellings_and_shown_in_the_most_frequent_one(names):
    log = ["ada"] * 2 + ["Ada"] * 3 + ["A da"] + ["Bob"] * 7 + ["", " ", "\u200b", "Cy\x1b"]
    assert names.unowned(log) == (OldName("Bob", 7), OldName("Ada", 6), OldName("Cy", 1))
    assert names.unowned([]) == ()


def test_a_name_that_is_given_belongs_to_the_person_in_each_spelling(names, ada):
    names.give("ada l", ada.id, "Root")
    for spelling in ("ada l", "ADA L", "Adal", " Ada  L "):
        assert names.owner_of(spelling) == ada.id
    assert (names.owner_of("ada"), names.owner_of(""), names.owner_of("\u200b")) == ("", "", "")
    assert names.unowned(["Ada L", "Bob"]) == (OldName("Bob", 1),)
    assert names.given() == (GivenName("ada l", ada.id, "Root", NOW),)


def test_an_account_owns_no_name_of_the_log_by_having_the_same(names, ada):
    assert names.owner_of(ada.name) == ""
    assert names.unowned(["Ada"]) == (OldName("Ada", 1),)


def test_giving_can_be_undone_and_done_again(names, people, ada):
    bob = people.add("Bob", "maker")
    names.give("old", ada.id, "Root")
    names.give("OLD", ada.id, "Root")
    with pytest.raises(NameTaken, match="Take them back first"):
        names.give("Old", bob.id, "Root")
    names.take_back("o l d")
    assert (names.owner_of("old"), names.given()) == ("", ())
    names.give("old", bob.id, "Root")
    assert names.owner_of("old") == bob.id


@pytest.mark.parametrize("name", ["", " ", "\u200b"])
def test_jobs_without_a_name_are_given_to_nobody(names, ada, name):
    with pytest.raises(NameTaken):
        names.give(name, ada.id, "Root")


def test_a_name_is_given_only_to_somebody_who_is_there(names, people, ada):
    names.give("old", ada.id, "Root")
    people.remove(ada.id)
    with pytest.raises(UnknownPerson):
        names.give("other", ada.id, "Root")
    assert names.owner_of("old") == ada.id  # the log's past does not change


def test_what_another_process_gives_is_seen_at_the_next_look(here, names, process, clock, ada):
    other = process()
    Names(other.people, clock).give("old", ada.id, "Root")
    here.look()
    assert names.owner_of("old") == ada.id
