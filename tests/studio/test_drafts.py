"""Drafts on the disk: they come back, nobody else changes them, and they do not fill it."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from kling.studio import drafts
from kling.studio.drafts import Drafts

MINE, THEIRS = "1" * 32, "2" * 32


def opened(tmp_path: Path, now: float = 1e9) -> Drafts:
    return Drafts(tmp_path / "drafts", clock=lambda: now)


def test_a_draft_comes_back_after_a_restart(tmp_path: Path):
    here = opened(tmp_path)
    draft = here.open("", MINE)
    assert here.save(draft.id, MINE, fields={"prompt": "A fox", "takes": 2}, made=("v1",))
    assert here.save(draft.id, MINE, texts={"prompt": "A fox run"})
    again = opened(tmp_path).open(draft.id, MINE)
    assert again.id == draft.id
    assert again.fields == {"prompt": "A fox run", "takes": 2}
    assert again.made == ("v1",)


def test_another_browser_gets_a_copy_without_the_tasks_and_cannot_change_the_first(tmp_path: Path):
    here = opened(tmp_path)
    draft = here.open("", MINE)
    here.save(draft.id, MINE, fields={"prompt": "A fox"}, made=("v1",))
    copy = here.open(draft.id, THEIRS)
    assert (copy.id != draft.id, copy.fields, copy.made) == (True, {"prompt": "A fox"}, ())
    assert not here.save(draft.id, THEIRS, fields={"prompt": "Changed"})
    assert here.save(copy.id, THEIRS, fields={"prompt": "Changed"})
    first = here.load(draft.id)
    assert first is not None
    assert first.fields["prompt"] == "A fox"


def test_typed_shots_go_into_the_storyboard(tmp_path: Path):
    here = opened(tmp_path)
    draft = here.open("", MINE)
    here.save(
        draft.id, MINE, fields={"shots": [{"prompt": "", "duration": "2"}, {"prompt": "", "duration": "3"}]}
    )
    here.save(draft.id, MINE, texts={"shot_2": "A fox runs", "shot_7": "nowhere"})
    found = here.load(draft.id)
    assert found is not None
    assert found.fields["shots"] == [
        {"prompt": "", "duration": "2"},
        {"prompt": "A fox runs", "duration": "3"},
    ]


@pytest.mark.parametrize("draft_id", ["", "x", "../../etc/passwd", "g" * 20, "A" * 20, "0" * 21])
def test_an_address_that_names_no_draft_opens_a_new_one(tmp_path: Path, draft_id: str):
    here = opened(tmp_path)
    assert here.load(draft_id) is None
    assert here.open(draft_id, MINE).fields == {}
    assert not here.save(draft_id, MINE, fields={"prompt": "A fox"})
    assert not any(path.is_file() for path in tmp_path.rglob("*"))


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"browser": 1}', '{"browser":"","fields":[1],"made":0}', "[" * 99999]
)
def test_a_spoiled_file_is_an_empty_draft(tmp_path: Path, content: str):
    here = opened(tmp_path)
    draft = here.open("", MINE)
    (tmp_path / "drafts" / f"{draft.id}.json").write_text(content)
    assert here.open(draft.id, MINE).fields == {}


def test_a_draft_that_is_too_large_is_not_kept_and_the_last_one_stays(tmp_path: Path):
    here = opened(tmp_path)
    draft = here.open("", MINE)
    here.save(draft.id, MINE, texts={"prompt": "A fox"})
    assert not here.save(draft.id, MINE, texts={"prompt": "x" * drafts.MOST_BYTES})
    found = here.load(draft.id)
    assert found is not None
    assert found.fields == {"prompt": "A fox"}


def test_a_disk_that_refuses_loses_nothing_that_was_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    here = opened(tmp_path)
    draft = here.open("", MINE)
    here.save(draft.id, MINE, texts={"prompt": "A fox"})

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(Path, "write_bytes", full)
        assert not here.save(draft.id, MINE, texts={"prompt": "A fox runs"})
    found = here.load(draft.id)
    assert found is not None
    assert found.fields == {"prompt": "A fox"}
    assert [path.suffix for path in (tmp_path / "drafts").iterdir()] == [".json"]


def test_what_nobody_touched_for_long_goes_and_so_do_the_oldest_of_too_many(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(drafts, "MOST_DRAFTS", 3)
    here = opened(tmp_path)
    ids = [here.open("", MINE).id for _ in range(5)]
    for age, draft_id in enumerate(ids):
        here.save(draft_id, MINE, texts={"prompt": str(age)})
        at = 1e9 - age * 1000
        os.utime(tmp_path / "drafts" / f"{draft_id}.json", (at, at))
    (tmp_path / "drafts" / "torn.part").write_text("x")
    again = opened(tmp_path)
    assert [again.load(draft_id) is not None for draft_id in ids] == [True, True, True, False, False]
    later = opened(tmp_path, 1e9 + drafts.KEPT_SECONDS - 500)
    assert [later.load(draft_id) is not None for draft_id in ids] == [True, False, False, False, False]


def test_whoever_fills_the_folder_loses_their_own_drafts_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(drafts, "MOST_DRAFTS", 4)
    here = opened(tmp_path)
    mine, *theirs = [here.open("", MINE).id, *(here.open("", THEIRS).id for _ in range(9))]
    here.save(mine, MINE, texts={"prompt": "A fox"})
    os.utime(tmp_path / "drafts" / f"{mine}.json", (1e9 - 9000, 1e9 - 9000))
    for draft_id in theirs:
        here.save(draft_id, THEIRS, texts={"prompt": "More"})
    again = opened(tmp_path)
    assert again.load(mine) is not None
    assert sum(again.load(draft_id) is not None for draft_id in theirs) == 3


def test_two_who_save_at_once_lose_nothing(tmp_path: Path):
    here = opened(tmp_path)
    draft = here.open("", MINE)
    names = [f"field{number}" for number in range(40)]

    def save(part: list[str]) -> None:
        for name in part:
            here.save(draft.id, MINE, fields={name: name})

    threads = [threading.Thread(target=save, args=(names[start::4],)) for start in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = here.load(draft.id)
    assert found is not None
    assert found.fields == {name: name for name in names}
