"""Collections: several people fill and order one, and nobody undoes another."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kling.studio.identity.roles import LOCAL, User
from kling.studio.state.clip_collections import Collections
from kling.studio.state.database import Database
from kling.studio.state.records import (
    CLIPS_OF_ONE,
    COLLECTION_TEXT,
    COLLECTION_TITLE,
    Collection,
    CollectionChanged,
    CollectionError,
)
from tests.kling.tools import law
from tests.studio.state.conftest import NOW, Clock

ADA, MIA = User("p-1", "Ada", "maker"), User("p-2", "Mia", "viewer")


@pytest.fixture
def collections(database: Database, clock: Clock) -> Collections:
    return Collections(database, clock=clock)


@pytest.fixture
def spring(collections: Collections) -> Collection:
    return collections.add(ADA, title="Spring campaign", text="First cuts", clips=["a", "b", "c"])


def test_a_collection_is_kept_through_a_restart(spring, database, clock):
    again = Collections(database, clock=clock)
    assert again.get(spring.id) == spring == again.all()[0]
    assert (spring.person, spring.person_id, spring.made) == ("Ada", "p-1", NOW)


def test_without_sign_in_it_belongs_to_nobody(collections):
    assert collections.add(User(LOCAL, "Ada", "admin"), title="x").person_id == ""


def test_clips_are_put_at_the_end_and_each_is_in_it_once(collections, spring):
    assert collections.put(MIA, spring.id, ["b", "d", "d", "e"]).clips == ("a", "b", "c", "d", "e")
    assert collections.get(spring.id).changed_by == "Mia"


@pytest.mark.parametrize(
    ("moved", "before", "order"),
    [
        (["c"], "a", "cab"),
        (["a"], "", "bca"),
        (["c", "a"], "b", "cab"),
        (["a"], "a", "abc"),
        (["a", "b"], "b", "abc"),
        (["b"], "gone", "acb"),
        (["gone"], "a", "abc"),
        ([], "a", "abc"),
    ],
)
def test_clips_are_moved_together_in_front_of_another(collections, spring, moved, before, order):
    assert collections.move(MIA, spring.id, moved, before=before).clips == tuple(order)


def test_what_two_people_do_at_the_same_time_adds_up(collections, spring):
    with ThreadPoolExecutor(4) as people:
        for number in range(12):
            people.submit(collections.put, MIA, spring.id, [f"m{number}"])
            people.submit(collections.move, ADA, spring.id, ["c"], before="a")
        people.submit(collections.take_out, ADA, spring.id, ["b"])
    found = collections.get(spring.id).clips
    assert sorted(found) == sorted(["a", "c", *(f"m{number}" for number in range(12))])
    assert found.index("c") < found.index("a")


@settings(law, max_examples=30)
@given(st.lists(st.tuples(st.sampled_from("pmt"), st.sampled_from("abcdef"), st.sampled_from("abcdef "))))
def test_any_order_of_changes_loses_and_doubles_no_clip(tmp_path_factory, steps):
    database = Database(tmp_path_factory.mktemp("law") / "studio.sqlite3")
    collections = Collections(database, clock=lambda: NOW)
    made = collections.add(ADA, title="x")
    expected: list[str] = []
    for kind, clip, before in steps:
        if kind == "p":
            collections.put(ADA, made.id, [clip])
            expected += [clip] if clip not in expected else []
        elif kind == "t":
            collections.take_out(ADA, made.id, [clip])
            expected = [each for each in expected if each != clip]
        else:
            collections.move(ADA, made.id, [clip], before=before.strip())
            if clip in expected and clip != before:
                expected.remove(clip)
                expected.insert(expected.index(before) if before in expected else len(expected), clip)
    found = collections.get(made.id)
    assert found is not None
    assert list(found.clips) == expected
    database.close()


def test_words_that_somebody_has_changed_meanwhile_are_not_overwritten(collections, spring):
    collections.put(MIA, spring.id, ["d"])  # that is no change of its words
    collections.change(MIA, spring, title="Summer")
    with pytest.raises(CollectionChanged, match="Mia has changed"):
        collections.change(ADA, spring, text="mine")
    now = collections.get(spring.id)
    assert (now.title, now.text, now.clips) == ("Summer", "First cuts", ("a", "b", "c", "d"))


def test_a_cover_is_one_of_the_clips(collections, spring):
    now = collections.change(ADA, spring, cover="b")
    assert now.cover == "b"
    assert collections.change(ADA, now, cover="x").cover == ""


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"title": " \n "}, "Title"),
        ({"title": "x" * (COLLECTION_TITLE + 1)}, "Title"),
        ({"title": "x", "text": "x" * (COLLECTION_TEXT + 1)}, "Text"),
        ({"title": "x", "clips": [str(number) for number in range(CLIPS_OF_ONE + 1)]}, str(CLIPS_OF_ONE)),
    ],
)
def test_what_does_not_fit_is_refused_with_its_field(collections, words, said):
    with pytest.raises(CollectionError, match=said):
        collections.add(ADA, **words)
    assert collections.all() == ()


def test_hostile_words_are_kept_as_text(collections):
    made = collections.add(ADA, title="\ud800<b>\0\n'; DROP TABLE", text="a\nb")
    assert made.title == "\ufffd<b>\ufffd '; DROP TABLE"
    turned = collections.change(ADA, made, title="\u202eSpring\u202c می‌خواهم", text="\u202ea\nb 👩‍🚀")
    assert (turned.title, turned.text) == ("Spring می‌خواهم", "a\nb 👩‍🚀")
    made = turned
    assert collections.get(made.id) == made


def test_what_was_deleted_is_said_to_who_changes_it(collections, spring):
    collections.delete(spring.id)
    changes: tuple[Callable[[], object], ...] = (
        lambda: collections.put(ADA, spring.id, ["x"]),
        lambda: collections.move(ADA, spring.id, ["a"]),
        lambda: collections.take_out(ADA, spring.id, ["a"]),
        lambda: collections.change(ADA, spring, title="y"),
    )
    for change in changes:
        with pytest.raises(CollectionChanged, match="deleted"):
            change()
    assert collections.get(spring.id) is None
