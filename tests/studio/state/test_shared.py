"""The state as a whole: when it opens, what keeps a server from starting, and cookies of older versions."""

from __future__ import annotations

import json
import re
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from kling import TextToVideo
from kling.studio.service import Studio
from kling.studio.settings import Settings
from kling.studio.state import database, drafts
from kling.studio.state.drafts import EXCHANGE_SECONDS
from kling.studio.state.faults import FILE, VERSION, said_of
from kling.studio.state.records import NotKept, StateError
from tests.studio.state.conftest import NOW

OLD = "a" * 32
DRAFT = "0" * 20


def old_draft(folder: Path, draft_id: str = DRAFT, browser: str = OLD, prompt: str = "A fox") -> None:
    (folder / "drafts").mkdir(exist_ok=True)
    content = {"browser": browser, "fields": {"prompt": prompt}, "made": ["v1"]}
    (folder / "drafts" / f"{draft_id}.json").write_text(json.dumps(content))


def test_it_opens_in_the_background_and_who_needs_it_earlier_waits(state):
    here = state()
    assert here.browsers_if_open is None
    here.start()
    assert here.drafts.load(DRAFT) is None
    assert here.browsers_if_open is here.browsers


def test_drafts_templates_and_ids_of_browsers_outlive_a_restart(state):
    here = state()
    cookie = here.cookie_for("")
    owner = here.browsers.verify(cookie)
    here.drafts.save(DRAFT, owner, fields={"prompt": "A fox"})
    template = here.templates.add(TextToVideo(prompt="A fox"), title="Fox")
    again = state()
    assert again.cookie_for(cookie) == ""
    assert again.browsers.verify(cookie) == owner
    assert again.drafts.open(DRAFT, owner).fields == {"prompt": "A fox"}
    assert again.templates.all() == (template,)


def test_a_made_up_cookie_is_replaced(state):
    here = state()
    for cookie in ("", "x", OLD, f"{OLD}.{'0' * 64}"):
        assert here.browsers.verify(here.cookie_for(cookie))


def test_a_cookie_of_the_old_form_is_exchanged_once_and_owns_nothing_afterwards(state, tmp_path, clock):
    old_draft(tmp_path)
    old_draft(tmp_path, "1" * 20, "b" * 32, "Theirs")
    here = state()
    with pytest.raises(NotKept):
        here.drafts.save(DRAFT, OLD, fields={"prompt": "Stolen"})
    first = here.browsers.verify(here.cookie_for(OLD))
    assert here.drafts.open(DRAFT, first).made == ("v1",)
    clock.now += EXCHANGE_SECONDS
    second = here.browsers.verify(here.cookie_for(OLD))
    assert first != second
    assert here.drafts.open(DRAFT, second).made == ()
    assert here.drafts.open("1" * 20, first).made == ()
    again = state()
    assert again.drafts.open(DRAFT, again.browsers.verify(again.cookie_for(OLD))).made == ()
    assert again.drafts.open(DRAFT, first).made == ("v1",)


def test_tabs_that_come_at_once_with_one_old_cookie_get_the_same_new_one(state, tmp_path):
    old_draft(tmp_path)
    here = state()
    here.drafts.load(DRAFT)
    with ThreadPoolExecutor(8) as tabs:
        cookies = set(tabs.map(here.cookie_for, [OLD] * 24))
    assert len(cookies) == 1
    assert here.drafts.open(DRAFT, here.browsers.verify(cookies.pop())).made == ("v1",)


def test_made_up_cookies_of_the_old_form_wait_for_no_writer_and_each_gets_its_own_id(state, tmp_path):
    here = state()
    here.drafts.load(DRAFT)
    with closing(sqlite3.connect(tmp_path / FILE, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        first, second = here.cookie_for(OLD), here.cookie_for(OLD)
        other.execute("ROLLBACK")
    assert here.browsers.verify(first) != here.browsers.verify(second)


def test_nobody_gets_the_drafts_of_browsers_without_cookies(state, tmp_path):
    old_draft(tmp_path, browser="")
    here = state()
    mine = here.browsers.verify(here.cookie_for(""))
    copy = here.drafts.open(DRAFT, mine)
    assert (copy.id != DRAFT, copy.fields, copy.made) == (True, {"prompt": "A fox"}, ())


def test_the_id_that_a_browser_has_now_is_no_cookie_of_the_old_form(state):
    here = state()
    owner = here.browsers.verify(here.cookie_for(""))
    here.drafts.save(DRAFT, owner, fields={"prompt": "A fox"}, made=("v1",))
    thief = here.browsers.verify(here.cookie_for(owner))
    assert here.drafts.open(DRAFT, thief).made == ()


def test_a_version_that_no_studio_writes_keeps_the_server_from_starting(state, tmp_path):
    state().drafts.load(DRAFT)
    state().stop()
    with closing(sqlite3.connect(tmp_path / FILE)) as changed, changed:
        changed.execute("UPDATE schema_version SET version = -1")
    with pytest.raises(StateError, match=rf"changed by another program.*move .*{FILE}-wal.* away"):
        state()


def test_a_newer_version_s_database_keeps_the_server_from_starting(state, tmp_path):
    state().drafts.load(DRAFT)
    state().stop()
    with closing(sqlite3.connect(tmp_path / FILE)) as newer, newer:
        newer.execute("UPDATE schema_version SET version = ?", (VERSION + 1,))
    with pytest.raises(StateError, match=r"newer version.*Start that version, or move"):
        state()


def test_a_studio_that_may_not_start_gives_its_folder_free(tmp_path):
    (tmp_path / FILE).write_bytes(b"no database " * 400)
    for _ in range(2):
        with pytest.raises(StateError, match="is no database"):
            Studio(Settings(data_dir=tmp_path))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"text that is no database " * 400, "is no database"),
        (b"SQLite format 3\0" + b"\xff" * 8000, "damaged"),
    ],
)
def test_a_file_that_is_no_database_keeps_the_server_from_starting(state, tmp_path, content, words):
    (tmp_path / FILE).write_bytes(content)
    with pytest.raises(StateError, match=rf"{words}.*[Mm]ove it away.*{FILE}-wal and {FILE}-shm"):
        state()
    assert (tmp_path / FILE).read_bytes() == content


def test_a_database_of_another_program_keeps_the_server_from_starting(state, tmp_path):
    with closing(sqlite3.connect(tmp_path / FILE)) as other, other:
        other.execute("CREATE TABLE theirs (x)")
    with pytest.raises(StateError, match="another program"):
        state()


def test_an_empty_file_and_one_that_has_no_tables_yet_are_begun(state, tmp_path):
    (tmp_path / FILE).touch()
    assert state().drafts.load(DRAFT) is None
    state().stop()
    (tmp_path / FILE).unlink()
    with closing(sqlite3.connect(tmp_path / FILE)) as empty:
        empty.execute("PRAGMA journal_mode=WAL")
    assert state().drafts.load(DRAFT) is None


def test_an_opening_that_failed_is_told_at_once_and_tried_again_later(state, tmp_path, clock, monkeypatch):
    monkeypatch.setattr(database, "PATIENCE", 0.01)
    here = state()
    with closing(sqlite3.connect(tmp_path / FILE, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(StateError, match="locked"):
            here.drafts.load(DRAFT)
        other.execute("ROLLBACK")
    with pytest.raises(StateError, match="locked"):
        here.cookie_for("")
    assert any("locked" in warning for warning in here.warnings)
    assert here.browsers_if_open is None
    clock.now += 11
    assert here.drafts.load(DRAFT) is None
    assert list(here.warnings) == []


def test_a_state_that_was_stopped_answers_with_words(state):
    here = state()
    here.drafts.load(DRAFT)
    here.stop()
    with pytest.raises(StateError, match="stopping"):
        here.drafts.load(DRAFT)


def test_an_operator_is_told_when_the_space_for_drafts_is_used_up(state, monkeypatch):
    here = state()
    here.drafts.save(DRAFT, OLD, fields={"prompt": "A fox"})
    monkeypatch.setattr(drafts, "LEAST", 2**40)
    with pytest.raises(NotKept):
        here.drafts.save("1" * 20, OLD, fields={"prompt": "A fox"})
    assert list(here.warnings) == []
    monkeypatch.setattr(drafts, "DRAFT_BYTES", 2**41)
    with pytest.raises(NotKept):
        here.drafts.save("1" * 20, OLD, fields={"prompt": "A fox"})
    assert any("space for drafts is used up" in warning for warning in here.warnings)


def test_an_operator_is_told_of_damage_that_the_running_studio_meets(state, tmp_path):
    here = state()
    for number in range(20):
        here.drafts.save(f"{number:020x}", OLD, fields={"prompt": "A fox " * 5000})
    again = state()
    assert again.drafts.load(DRAFT) is not None
    assert list(again.warnings) == []
    with (tmp_path / FILE).open("r+b") as file:
        file.seek(8 * 4096)
        file.write(b"\xa5" * 20 * 4096)
    with pytest.raises(StateError, match="damaged"):
        again.backup(tmp_path / "copy")
    assert any("The file is damaged" in warning for warning in again.warnings)


def test_a_backup_that_is_put_in_place_as_the_words_of_a_damaged_file_say_holds_all_of_it(state, tmp_path):
    here = state()
    here.drafts.save(DRAFT, OLD, fields={"prompt": "A fox"})
    here.backup(tmp_path / "copy")
    for number in range(40):
        here.drafts.save(f"{number:020x}", OLD, fields={"prompt": "Later " * 2000})
    crashed = {name: (tmp_path / name).read_bytes() for name in (FILE, f"{FILE}-wal", f"{FILE}-shm")}
    here.stop()
    for name, content in crashed.items():  # as a killed process leaves them
        (tmp_path / name).write_bytes(content)
    damaged = sqlite3.DatabaseError()
    damaged.sqlite_errorname = "SQLITE_CORRUPT"
    away = [name for name in crashed if re.search(rf"{name}\b(?!-)", said_of(damaged))]
    assert away == list(crashed)
    for name in away:
        (tmp_path / name).unlink()
    (tmp_path / "copy").rename(tmp_path / FILE)
    again = state()
    assert again.drafts.open(DRAFT, OLD).fields == {"prompt": "A fox"}
    assert again.drafts.load("1".zfill(20)) is None


def test_a_backup_holds_what_was_kept(state, tmp_path):
    here = state()
    owner = here.browsers.verify(here.cookie_for(""))
    here.drafts.save(DRAFT, owner, fields={"prompt": "A fox"})
    here.backup(tmp_path / "copy")
    with closing(sqlite3.connect(tmp_path / "copy")) as copy:
        assert copy.execute("SELECT changed, fields FROM drafts").fetchall() == [(NOW, '{"prompt": "A fox"}')]
