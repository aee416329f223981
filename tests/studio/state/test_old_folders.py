"""What older versions kept in files is taken in once and whole, whenever the studio is killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from kling import TextToVideo
from kling.studio.state.database import Database
from kling.studio.state.drafts import DraftStore
from kling.studio.state.old_folders import OldFolders
from kling.studio.state.team_templates import TeamTemplates
from tests.studio.state.conftest import NOW

ROOT = Path(__file__).parents[3]
OLD = "a" * 32
FOX = TextToVideo(prompt="A fox")


def draft(folder: Path, number: int, **changes: object) -> None:
    content = {"browser": OLD, "fields": {"prompt": f"Fox {number}"}, "made": [f"v{number}"]}
    path = folder / "drafts" / f"{number:020x}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({**content, **changes}))
    os.utime(path, (NOW - number, NOW - number))


def template(folder: Path, number: int, **changes: object) -> None:
    content = {
        "title": f"Fox {number}",
        "category": "Film",
        "teaches": "How",
        "author": "Ann",
        "changed": "2026-11-01T10:00:00+00:00",
        "version": 3,
        "request": FOX.to_wire(),
    }
    path = folder / "templates" / f"{number:016x}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({**content, **changes}))


def start(folder: Path, database: Database) -> OldFolders:
    here = OldFolders(database, folder)
    here.take_in()
    return here


def prompts(database: Database, numbers: range) -> list[str | None]:
    drafts = DraftStore(database, clock=lambda: NOW)
    found = [drafts.load(f"{number:020x}") for number in numbers]
    return [each.fields["prompt"] if each else None for each in found]


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if path.is_dir()}


def test_every_draft_and_template_is_there_and_the_folders_are_put_aside(tmp_path, database):
    for number in range(120):
        draft(tmp_path, number)
    template(tmp_path, 1)
    here = start(tmp_path, database)
    assert here.warnings == []
    assert prompts(database, range(120)) == [f"Fox {number}" for number in range(120)]
    (found,) = TeamTemplates(database, clock=lambda: NOW).all()
    assert (found.id, found.title, found.teaches, found.version) == (f"{1:016x}", "Fox 1", "How", 3)
    assert (found.author, found.request, f"{found.changed:%d %B}") == ("Ann", FOX, "01 November")
    assert names(tmp_path) == {"drafts.before-2", "templates.before-2"}
    assert len(list((tmp_path / "drafts.before-2").iterdir())) == 120


def test_a_folder_that_was_put_aside_is_never_read_again(tmp_path, database):
    draft(tmp_path, 1)
    start(tmp_path, database)
    drafts = DraftStore(database, clock=lambda: NOW)
    drafts.give_to("mine", OLD)
    drafts.save(f"{1:020x}", "mine", fields={"prompt": "Changed"})
    start(tmp_path, database)
    assert prompts(database, range(1, 2)) == ["Changed"]


def test_the_times_of_the_last_change_are_kept(tmp_path, database):
    days = 24 * 3600
    draft(tmp_path, 1)
    draft(tmp_path, 100 * days)
    start(tmp_path, database)
    drafts = DraftStore(database, clock=lambda: NOW)
    assert drafts.load(f"{100 * days:020x}") is not None
    drafts.delete_old()
    assert drafts.load(f"{100 * days:020x}") is None
    assert drafts.load(f"{1:020x}") is not None


def test_a_draft_of_a_megabyte_and_more_than_an_owner_may_have_are_taken_in_whole(tmp_path, database):
    text = "x" * 900_000
    draft(tmp_path, 0, fields={"prompt": text, "own": [text[:50_000]]})
    for number in range(1, 150):
        draft(tmp_path, number)
    start(tmp_path, database)
    assert prompts(database, range(150)) == [text, *(f"Fox {number}" for number in range(1, 150))]


def test_text_that_no_database_can_hold_is_mended_and_the_rest_stays(tmp_path, database):
    draft(tmp_path, 1, fields={"prompt": "half \ud800 a pair", "own": ["n\0l"]})
    template(tmp_path, 1, teaches="half \ud800 a pair")
    here = start(tmp_path, database)
    assert here.warnings == []
    found = DraftStore(database, clock=lambda: NOW).load(f"{1:020x}")
    assert found is not None
    assert found.fields == {"prompt": "half \ufffd a pair", "own": ["n\ufffdl"]}
    (kept,) = TeamTemplates(database, clock=lambda: NOW).all()
    assert kept.teaches == "half \ufffd a pair"


def test_fields_that_this_version_does_not_know_are_kept(tmp_path, database):
    draft(tmp_path, 1, fields={"prompt": "Fox", "of_another_version": {"deep": [1, 2]}})
    start(tmp_path, database)
    found = DraftStore(database, clock=lambda: NOW).load(f"{1:020x}")
    assert found is not None
    assert found.fields["of_another_version"] == {"deep": [1, 2]}


SPOILED = {
    "empty.json": b"",
    f"{5:020x}.json": b"\xff\xfe garbage",
    f"{6:020x}.json": b'{"browser": "cut off',
    f"{7:020x}.json": b"[" * 100_000,
    f"{8:020x}.json": b'{"browser": "", "fields": [1], "made": 0}',
    f"{9:020x}.json": b'{"browser": "", "fields": {}, "made": []}' + b" " * 1_000_001,
}
SPOILED_TEMPLATES: list[dict[str, object]] = [
    {"version": "1"},
    {"version": 2**40},
    {"changed": "yesterday"},
    {"title": ["x"]},
    {"request": {"prompt": [1]}},
    {"request": None},
    {"changed": None},
    {"changed": "0001-01-01T00:00:00+14:00"},
]


def test_what_cannot_be_read_stays_in_its_file_and_an_operator_is_told_which(tmp_path, database):
    draft(tmp_path, 1)
    template(tmp_path, 1)
    for name, content in SPOILED.items():
        (tmp_path / "drafts" / name).write_bytes(content)
    for number, change in enumerate(SPOILED_TEMPLATES, 10):
        template(tmp_path, number, **change)
    (tmp_path / "templates" / "x.unreadable").write_bytes(b"of an earlier start")
    here = start(tmp_path, database)
    assert len(here.warnings) == len(SPOILED) + len(SPOILED_TEMPLATES)
    assert (
        "A draft of an older version could not be read. Its file is kept as drafts.before-2/empty.json."
        in here.warnings
    )
    assert any(f"kept as templates.before-2/{10:016x}.json" in warning for warning in here.warnings)
    kept = {path.name: path.read_bytes() for path in (tmp_path / "drafts.before-2").iterdir()}
    assert SPOILED.items() <= kept.items()
    assert prompts(database, range(1, 2)) == ["Fox 1"]
    assert len(TeamTemplates(database, clock=lambda: NOW).all()) == 1
    assert start(tmp_path, database).warnings == []


@pytest.mark.parametrize("mode", [0o000, 0o444])
def test_a_folder_that_may_not_be_read_is_told_and_taken_in_later(tmp_path, database, monkeypatch, mode):
    draft(tmp_path, 1)
    folder = tmp_path / "drafts"
    folder.chmod(mode)

    def refuse(_path: object) -> None:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as as_root:
        if os.geteuid() == 0:  # whom no mode keeps out
            as_root.setattr(os, "scandir", refuse)
        (warning,) = start(tmp_path, database).warnings
    assert warning.startswith("The folder drafts of an older version cannot be read (Permission denied)")
    assert names(tmp_path) == {"drafts"}
    folder.chmod(0o700)
    assert start(tmp_path, database).warnings == []
    assert prompts(database, range(1, 2)) == ["Fox 1"]


def test_pipes_and_devices_in_a_folder_are_left_alone(tmp_path, database):
    draft(tmp_path, 1)
    os.mkfifo(tmp_path / "drafts" / f"{2:020x}.json")
    (tmp_path / "drafts" / f"{3:020x}.json").symlink_to("/dev/zero")
    assert len(start(tmp_path, database).warnings) == 2
    assert prompts(database, range(1, 4)) == ["Fox 1", None, None]


def test_a_link_that_leads_nowhere_does_not_keep_a_folder_from_its_new_name(tmp_path, database):
    draft(tmp_path, 1)
    (tmp_path / "drafts.before-2").symlink_to("nowhere")
    assert start(tmp_path, database).warnings == []
    assert names(tmp_path) == {"drafts.before-3"}


def test_a_second_folder_of_an_older_version_adds_what_is_new_and_changes_nothing(tmp_path, database):
    draft(tmp_path, 1)
    start(tmp_path, database)
    draft(tmp_path, 1, fields={"prompt": "Older"})
    draft(tmp_path, 2)
    start(tmp_path, database)
    assert prompts(database, range(1, 3)) == ["Fox 1", "Fox 2"]
    assert names(tmp_path) == {"drafts.before-2", "drafts.before-3"}


def test_a_folder_that_cannot_be_renamed_is_told_and_not_read_twice(tmp_path, database, monkeypatch):
    template(tmp_path, 1)

    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    with monkeypatch.context() as broken:
        broken.setattr(Path, "rename", refuse)
        assert "Rename it to templates.before-2" in start(tmp_path, database).warnings[0]
    templates = TeamTemplates(database, clock=lambda: NOW)
    templates.delete(*templates.all())
    assert start(tmp_path, database).warnings == []
    assert templates.all() == ()
    assert names(tmp_path) == {"templates.before-2"}


KILLED = """
import os, signal, sys
from pathlib import Path
from kling.studio.state import old_folders
from kling.studio.state.database import Database

where, folder = sys.argv[1], Path(sys.argv[2])
def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)
if where == "while reading":
    real, seen = old_folders._draft_of, []
    def values(path):
        seen.append(path)
        return die() if len(seen) > 60 else real(path)
    old_folders._draft_of = values
elif where == "before the rename":
    Path.rename = die
elif where == "after the rename":
    old_folders.sync_folder = die
old_folders.OldFolders(Database(folder / "studio.sqlite3"), folder).take_in()
"""


@pytest.mark.parametrize("where", ["while reading", "before the rename", "after the rename"])
def test_a_kill_at_any_point_loses_and_doubles_no_draft(tmp_path, where):
    for number in range(120):
        draft(tmp_path, number)
    (tmp_path / "drafts" / "empty.json").touch()
    killed = subprocess.run([sys.executable, "-c", KILLED, where, str(tmp_path)], cwd=ROOT, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert names(tmp_path) == {"drafts.before-2" if where == "after the rename" else "drafts"}
    database = Database(tmp_path / "studio.sqlite3")
    here = start(tmp_path, database)
    assert prompts(database, range(120)) == [f"Fox {number}" for number in range(120)]
    assert names(tmp_path) == {"drafts.before-2"}
    told = "A draft of an older version could not be read. Its file is kept as drafts.before-2/empty.json."
    assert here.warnings == [told]
    assert start(tmp_path, database).warnings == []
    database.close()
