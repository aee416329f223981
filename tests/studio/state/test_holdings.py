"""A database that was deleted is missed: its limits and its accounts do not end without a word."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from kling.studio.budget_limits import Limit, Scope
from kling.studio.state.faults import FILE
from kling.studio.state.holdings import HOLDINGS, missed, read
from kling.studio.state.shared import SharedState

LIMIT = Limit("sandbox", Scope.TEAM_MONTH, Limit.NOTHING, "units")
Start = Callable[[], SharedState]


def delete_database(folder: Path) -> None:
    for path in folder.glob(f"{FILE}*"):
        path.unlink()


def filled(state: Start, folder: Path) -> None:
    """Leave a folder whose database had a limit and an account, and is gone."""
    here = state()
    here.limits.put(LIMIT)
    here.people.add("Ada", "admin")
    here.stop()
    delete_database(folder)


def warnings(here: SharedState) -> str:
    here.check()
    return " ".join(here.warnings)


def test_what_was_in_a_deleted_database_is_said_at_each_start(state: Start, tmp_path: Path):
    filled(state, tmp_path)
    for _ in range(2):
        here = state()
        said = warnings(here)
        assert "held 1 limit of a budget and 1 account, and there are none now" in said
        assert "put a backup" in said
        here.stop()


def test_the_backup_in_its_place_ends_the_warning(state: Start, tmp_path: Path):
    here = state()
    here.limits.put(LIMIT)
    here.backup(tmp_path / "copy")
    here.stop()
    delete_database(tmp_path)
    here = state()
    assert "limit of a budget" in warnings(here)
    here.stop()
    delete_database(tmp_path)
    (tmp_path / "copy").rename(tmp_path / FILE)
    assert warnings(state()) == ""


def test_what_is_made_anew_is_not_missed_any_more(state: Start, tmp_path: Path):
    filled(state, tmp_path)
    here = state()
    here.limits.put(LIMIT)
    assert "limit" not in warnings(here)
    assert "1 account" in warnings(here)
    here.people.add("Ada", "admin")
    assert warnings(here) == ""


def test_what_was_removed_on_purpose_is_not_missed(state: Start, tmp_path: Path):
    here = state()
    here.limits.put(LIMIT)
    here.limits.remove({LIMIT.account}, LIMIT.scope)
    here.stop()
    assert read(tmp_path) == {}
    delete_database(tmp_path)
    assert warnings(state()) == ""


def test_whoever_meant_it_deletes_the_file(state: Start, tmp_path: Path):
    filled(state, tmp_path)
    here = state()
    assert warnings(here)
    (tmp_path / HOLDINGS).unlink()
    assert warnings(here) == ""
    here.stop()
    assert warnings(state()) == ""


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"limits": "7"}', '{"limits": -1}', '{"limits": true}', "\ud800", "[" * 9000]
)
def test_a_file_that_cannot_be_used_says_nothing(state: Start, tmp_path: Path, text: str):
    (tmp_path / HOLDINGS).write_bytes(text.encode("utf-8", "surrogatepass"))
    assert warnings(state()) == ""


def test_the_words_count():
    assert "held 3 limits of budgets, and" in missed({"limits": 3}, {})
    assert missed({"limits": 3}, {"limits": 1}) == ""
