"""Drafts come back, nobody else changes or loses them, and they do not fill the disk."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest
from sqlalchemy import Engine, event, update

from kling.studio.state.database import Database
from kling.studio.state.drafts import DraftStore, values_of
from kling.studio.state.records import (
    DRAFT_BYTES,
    DRAFT_SECONDS,
    DRAFTS_OF_ONE,
    NotKept,
    StateError,
    StoredDraft,
    TooLarge,
)
from kling.studio.state.tables import drafts as table
from kling.text import LONGEST_TEXT

MINE, THEIRS = "1" * 32, "2" * 32


def found(drafts: DraftStore, draft_id: str) -> StoredDraft:
    draft = drafts.load(draft_id)
    assert draft is not None
    return draft


def test_a_draft_comes_back_after_a_restart(database, drafts, clock):
    draft = drafts.open("", MINE)
    drafts.save(draft.id, MINE, fields={"prompt": "A fox", "takes": 2}, made=("v1",))
    drafts.save(draft.id, MINE, texts={"prompt": "A fox run"})
    again = DraftStore(database, clock=clock).open(draft.id, MINE)
    assert again.id == draft.id
    assert again.fields == {"prompt": "A fox run", "takes": 2}
    assert again.made == ("v1",)


def test_another_browser_gets_a_copy_without_the_jobs_and_cannot_change_the_first(drafts):
    draft = drafts.open("", MINE)
    drafts.save(draft.id, MINE, fields={"prompt": "A fox"}, made=("v1",))
    copy = drafts.open(draft.id, THEIRS)
    assert (copy.id != draft.id, copy.fields, copy.made) == (True, {"prompt": "A fox"}, ())
    with pytest.raises(NotKept, match="another browser"):
        drafts.save(draft.id, THEIRS, fields={"prompt": "Changed"})
    drafts.save(copy.id, THEIRS, fields={"prompt": "Changed"})
    assert found(drafts, draft.id).fields["prompt"] == "A fox"


def test_the_newest_drafts_of_an_owner_come_first_without_damaged_ones(database, drafts, clock):
    for number, owner in enumerate("aabaa"):
        clock.now += 1
        drafts.save(f"{number:020}", owner, fields={"prompt": str(number)})
    with database.write() as connection:
        connection.execute(update(table).where(table.c.id == f"{3:020}").values(fields="{"))
    assert [(each.fields["prompt"], each.changed) for each in drafts.newest("a", 3)] == [
        ("4", clock.now),
        ("1", clock.now - 3),
    ]
    assert drafts.newest("", 9) == ()


def test_typed_shots_go_into_the_storyboard(drafts):
    draft = drafts.open("", MINE)
    shots = ({"prompt": "", "duration": "2"}, {"prompt": "", "duration": "3"})
    drafts.save(draft.id, MINE, fields={"shots": shots})
    drafts.save(draft.id, MINE, texts={"shot_2": "A fox runs", "shot_7": "nowhere", "shot_0": "nowhere"})
    assert found(drafts, draft.id).fields["shots"] == [
        {"prompt": "", "duration": "2"},
        {"prompt": "A fox runs", "duration": "3"},
    ]


def test_two_tabs_that_write_the_same_draft_keep_what_each_has_changed(drafts):
    draft = drafts.open("", MINE)
    drafts.save(draft.id, MINE, fields={"prompt": "A fox", "mode": "std"})
    drafts.save(draft.id, MINE, fields={"mode": "pro"})
    drafts.save(draft.id, MINE, texts={"prompt": "A red fox"})
    assert found(drafts, draft.id).fields == {"prompt": "A red fox", "mode": "pro"}


@pytest.mark.parametrize("draft_id", ["", "x", "../../etc/passwd", "g" * 20, "A" * 20, "0" * 21])
def test_an_address_that_names_no_draft_opens_a_new_one(drafts, draft_id):
    assert drafts.load(draft_id) is None
    assert drafts.open(draft_id, MINE).fields == {}
    with pytest.raises(NotKept, match="no address"):
        drafts.save(draft_id, MINE, fields={"prompt": "A fox"})


def test_a_new_draft_is_not_written_before_it_says_something(drafts):
    assert drafts.load(drafts.open("", MINE).id) is None


def test_whoever_has_no_id_owns_no_draft_and_overwrites_none(drafts):
    draft = drafts.open("", MINE)
    drafts.save(draft.id, MINE, fields={"prompt": "A fox"})
    copy = drafts.open(draft.id, "")
    assert (copy.id != draft.id, copy.fields) == (True, {"prompt": "A fox"})
    assert "no cookies" in copy.not_kept
    with pytest.raises(NotKept, match="no cookies"):
        drafts.save(draft.id, "", fields={"prompt": "Changed"})
    assert found(drafts, draft.id).fields == {"prompt": "A fox"}


@pytest.mark.parametrize("fields", ["", "{", "[1]", '"text"', "[" * 99_999])
def test_a_draft_that_cannot_be_read_is_told_and_never_overwritten(database, drafts, fields):
    draft = drafts.open("", MINE)
    drafts.save(draft.id, MINE, fields={"prompt": "A fox"})
    with database.write() as connection:
        connection.execute(update(table).values(fields=fields))
    for verb in (drafts.load, lambda each: drafts.open(each, THEIRS), lambda each: drafts.open(each, MINE)):
        with pytest.raises(StateError, match="damaged"):
            verb(draft.id)
    for owner in (MINE, THEIRS):
        with pytest.raises(StateError):
            drafts.save(draft.id, owner, fields={"prompt": "New"})
    with database.read() as connection:
        assert connection.scalar(table.select().with_only_columns(table.c.fields)) == fields


def test_a_read_that_fails_once_does_not_empty_the_draft(drafts):
    draft = drafts.open("", MINE)
    drafts.save(draft.id, MINE, fields={"prompt": "A fox", "takes": 2})

    def fail(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith("SELECT"):
            raise StateError("The disk gives errors.")

    event.listen(Engine, "before_cursor_execute", fail)
    try:
        for owner in (MINE, THEIRS):
            with pytest.raises(StateError, match="disk"):
                drafts.open(draft.id, owner)
            with pytest.raises(StateError, match="disk"):
                drafts.save(draft.id, owner, fields={"takes": 3})
    finally:
        event.remove(Engine, "before_cursor_execute", fail)
    assert found(drafts, draft.id).fields == {"prompt": "A fox", "takes": 2}


def test_a_draft_that_is_too_large_is_refused_in_words_and_the_last_one_stays(drafts):
    draft = drafts.open("", MINE)
    drafts.save(draft.id, MINE, texts={"prompt": "A fox"})
    with pytest.raises(TooLarge, match=r"too long .* of 65,536 bytes.*Shorten"):
        drafts.save(draft.id, MINE, texts={"prompt": "x" * DRAFT_BYTES})
    assert found(drafts, draft.id).fields == {"prompt": "A fox"}


@pytest.mark.parametrize(
    ("text", "kept"),
    [("half \ud800 a pair", "half \ufffd a pair"), ("n\0l", "n\ufffdl"), ("🎬 猫", "🎬 猫")],
)
def test_any_text_can_be_kept_and_is_never_emptied(drafts, text, kept):
    draft = drafts.open("", MINE)
    fields = {"prompt": text, "own": [text], "shots": [{"prompt": text, "duration": "2"}]}
    drafts.save(draft.id, MINE, fields=fields)
    drafts.save(draft.id, MINE, texts={"negative_prompt": text})
    assert found(drafts, draft.id).fields == {
        "prompt": kept,
        "own": [kept],
        "shots": [{"prompt": kept, "duration": "2"}],
        "negative_prompt": kept,
    }


def test_a_text_over_the_limit_of_one_text_is_told(drafts):
    draft = drafts.open("", MINE)
    with pytest.raises(TooLarge):
        drafts.save(draft.id, MINE, texts={"prompt": "x" * (LONGEST_TEXT + 1)})
    assert drafts.load(draft.id) is None


def test_ids_of_jobs_are_kept_once_the_last_one_first_and_no_more_than_fifty(drafts):
    draft = drafts.open("", MINE)
    drafts.save(draft.id, MINE, made=tuple(f"v{number:03}" for number in range(40)))
    drafts.save(draft.id, MINE, made=tuple(f"v{number:03}" for number in range(30, 70)))
    assert found(drafts, draft.id).made == tuple(f"v{number:03}" for number in reversed(range(20, 70)))


def test_who_has_a_hundred_drafts_loses_the_own_oldest_that_ordered_nothing(drafts, clock):
    theirs = drafts.open("", THEIRS)
    drafts.save(theirs.id, THEIRS, fields={"prompt": "Theirs"})
    ids = []
    for number in range(DRAFTS_OF_ONE):
        clock.now += 1
        ids.append(drafts.open("", MINE).id)
        drafts.save(ids[-1], MINE, fields={"prompt": "A fox"}, made=("v1",) if number == 0 else None)
    clock.now += 1
    drafts.save(ids[1], MINE, texts={"prompt": "touched"})
    new = drafts.open("", MINE)
    drafts.save(new.id, MINE, fields={"prompt": "One more"})
    gone = [draft_id for draft_id in ids if drafts.load(draft_id) is None]
    assert gone == [ids[2]]
    assert found(drafts, new.id).fields == {"prompt": "One more"}
    assert found(drafts, theirs.id).fields == {"prompt": "Theirs"}


def test_if_all_of_a_hundred_drafts_ordered_something_the_oldest_gives_way(drafts, clock):
    ids = []
    for _ in range(DRAFTS_OF_ONE + 1):
        clock.now += 1
        ids.append(drafts.open("", MINE).id)
        drafts.save(ids[-1], MINE, made=("v1",))
    assert [draft_id for draft_id in ids if drafts.load(draft_id) is None] == ids[:1]


def test_a_full_store_refuses_what_is_new_or_grows_and_deletes_nothing(database, clock):
    drafts: Any = DraftStore(database, clock=clock, most_bytes=20_000)
    ids = [drafts.open("", owner).id for owner in (MINE, THEIRS)]
    for draft_id, owner in zip(ids, (MINE, THEIRS), strict=True):
        drafts.save(draft_id, owner, fields={"prompt": "x" * 9_000})
    assert not drafts.is_full
    other = drafts.open("", "3" * 32)
    with pytest.raises(NotKept, match=r"no space left.*still in this page"):
        drafts.save(other.id, other.owner, fields={"prompt": "x" * 9_000})
    with pytest.raises(NotKept, match="no space left"):
        drafts.save(ids[0], MINE, fields={"prompt": "y" * 18_000})
    assert drafts.is_full
    assert [len(found(drafts, draft_id).fields["prompt"]) for draft_id in ids] == [9_000, 9_000]
    drafts.save(ids[0], MINE, fields={"prompt": "y" * 9_000})
    drafts.save(ids[0], MINE, fields={"prompt": "short"})
    drafts.save(other.id, other.owner, fields={"prompt": "x" * 9_000})
    assert not drafts.is_full


def test_a_copy_that_finds_no_space_is_shown_and_says_that_it_is_not_kept(database, clock):
    drafts = DraftStore(database, clock=clock, most_bytes=2_200)
    draft = drafts.open("", MINE)
    drafts.save(draft.id, MINE, fields={"prompt": "A fox"})
    copy = drafts.open(draft.id, THEIRS)
    drafts.save(copy.id, THEIRS, fields={"prompt": "Fills it"})
    another = drafts.open(draft.id, "3" * 32)
    assert another.fields == {"prompt": "A fox"}
    assert "no space left" in another.not_kept
    assert drafts.load(another.id) is None


def test_drafts_of_any_number_of_others_take_none_from_anybody_also_after_a_restart(database, clock):
    drafts = DraftStore(database, clock=clock, most_bytes=30_000)
    mine = drafts.open("", MINE)
    drafts.save(mine.id, MINE, fields={"prompt": "A fox"})
    refused = 0
    for number in range(80):
        try:
            drafts.save(f"{number:020x}", f"{number:032x}", fields={"prompt": "More"})
        except NotKept:
            refused += 1
    assert refused > 0
    again = DraftStore(database, clock=clock)
    again.delete_old()
    assert found(again, mine.id).fields == {"prompt": "A fox"}
    assert found(again, f"{0:020x}").fields == {"prompt": "More"}


def test_a_draft_that_nobody_changed_for_ninety_days_goes(drafts, clock):
    first, second = (drafts.open("", MINE).id for _ in range(2))
    drafts.save(first, MINE, fields={"prompt": "old"})
    clock.now += DRAFT_SECONDS - 10
    drafts.save(second, MINE, fields={"prompt": "new"})
    assert drafts.load(first) is not None
    clock.now += 20
    drafts.delete_old()
    assert drafts.load(first) is None
    assert drafts.load(second) is not None


def test_a_running_studio_deletes_old_drafts_when_somebody_begins_one(drafts, clock):
    drafts.save("0" * 20, MINE, fields={"prompt": "old"})
    clock.now += DRAFT_SECONDS + 1
    drafts.save("1" * 20, THEIRS, fields={"prompt": "new"})
    assert drafts.load("0" * 20) is None


def test_many_who_save_at_once_lose_nothing(drafts):
    draft = drafts.open("", MINE)
    names = [f"field{number}" for number in range(40)]

    def save(part: list[str]) -> None:
        for name in part:
            drafts.save(draft.id, MINE, fields={name: name})

    threads = [threading.Thread(target=save, args=(names[start::4],)) for start in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found(drafts, draft.id).fields == {name: name for name in names}


def test_a_draft_of_an_older_version_that_is_too_large_may_shrink_and_may_not_grow(
    database: Database, drafts
):
    prompt = "x" * 200_000
    row = values_of(StoredDraft(id="0" * 20, owner=MINE, fields={"prompt": prompt}), 1.79e9)
    with database.write() as connection:
        connection.execute(table.insert().values(**row))
    assert found(drafts, "0" * 20).fields["prompt"] == prompt
    with pytest.raises(TooLarge):
        drafts.save("0" * 20, MINE, texts={"negative_prompt": "more"})
    drafts.save("0" * 20, MINE, texts={"prompt": "y" * 99_000})
    assert found(drafts, "0" * 20).fields["prompt"] == "y" * 99_000


def test_what_is_no_json_of_a_form_is_kept_as_far_as_it_can_be(drafts):
    deep: object = "text"
    for _ in range(50):
        deep = [deep]
    drafts.save("0" * 20, MINE, fields={"a": deep, "b": object(), "c": 1.5, "d": True, "shots": 5})
    kept = found(drafts, "0" * 20).fields
    assert json.dumps(kept["a"]).count("[") <= 8
    assert (kept["b"], kept["c"], kept["d"]) == (None, 1.5, True)


def test_an_integer_that_no_form_holds_is_dropped(drafts):
    drafts.save("0" * 20, MINE, fields={"a": 10**400, "b": [2**63, -(2**63), 7]})
    assert found(drafts, "0" * 20).fields == {"a": None, "b": [None, -(2**63), 7]}
