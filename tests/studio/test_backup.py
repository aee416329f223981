"""A backup is made while a studio works, and restores to the same history."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from kling.studio import backup
from kling.studio.__main__ import main
from kling.studio.backup import KNOWN, MANIFEST, BackupError, back_up, sha256_of
from kling.studio.folder import DataFolder, FolderTaken
from kling.studio.identity.invitations import Invitations
from kling.studio.identity.people import People
from kling.studio.identity.roles import User
from kling.studio.identity.sessions import Sessions
from kling.studio.jobs import Job, fold
from kling.studio.ledger.csv_file import LogFile
from kling.studio.ledger.csv_ledger import CsvLedger
from kling.studio.ledger.csv_text import parse
from kling.studio.ledger.rewrite import rewrite_log
from kling.studio.restoring import restore
from kling.studio.shares import Shares
from kling.studio.state.database import Database
from kling.studio.state.faults import FILE
from tests.studio import processes

ROOT = Path(__file__).parents[2]
LOG = "history.csv"


def jobs_of(log: bytes) -> dict[str, Job]:
    jobs: dict[str, Job] = {}
    for row in parse(log).rows:
        jobs[row["external_task_id"]] = fold(jobs.get(row["external_task_id"]), row)
    return jobs


def drafts_of(folder: Path) -> int:
    with closing(sqlite3.connect(folder / FILE)) as database:
        return int(database.execute("SELECT count(*) FROM drafts").fetchone()[0])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A small data folder whose studio is stopped."""
    data = tmp_path / "data"
    (data / "videos").mkdir(parents=True)
    ledger = CsvLedger(LogFile(data / LOG), clock=lambda: 1_795_000_000.0)
    ledger.append("v1", state="waiting", person="ada", prompt="A fox", account="sandbox")
    ledger.append("v2", state="succeed", task_id="7", file="v2.mp4", prompt="An owl", account="sandbox")
    (data / "videos" / "v2.mp4").write_bytes(b"clip")
    (data / "videos" / "v3.mp4.part").write_bytes(b"half")
    (data / "previews").mkdir()
    (data / "previews" / "a.mp4").write_bytes(b"drawn again")
    (data / "studio.id").write_text("abcdefgh\n")
    (data / "accounts.json").write_text('{"accounts": []}')
    return data


def test_a_backup_made_under_load_restores_to_the_same_history(tmp_path):
    data = tmp_path / "data"
    with processes.sandbox("--pace", "seconds:0.05", "--concurrency", "20") as url:
        loaded = subprocess.Popen(
            [sys.executable, "-m", "tests.studio.loaded", str(data), url],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            assert loaded.stdout is not None
            assert loaded.stdout.readline() == "loaded\n"
            for number in range(4):
                back_up(data, tmp_path / f"backup{number}")
        finally:
            loaded.communicate("", timeout=120)
    assert loaded.returncode == 0
    whole = (data / LOG).read_bytes()
    sizes = []
    for number in range(4):
        restored = tmp_path / f"restored{number}"
        restore(tmp_path / f"backup{number}", restored)
        log = (restored / LOG).read_bytes()
        assert whole.startswith(log)
        ledger = CsvLedger(LogFile(restored / LOG), clock=lambda: 1_795_000_000.0)
        assert {job.id: job for job in ledger.jobs()} == jobs_of(log)
        for job in ledger.jobs():
            if job.has_clip:
                clip = restored / "videos" / job["file"]
                assert sha256_of(clip) == job["file_sha256"]
        assert drafts_of(restored) >= len(ledger.jobs()) - 1 or len(ledger.jobs()) >= 100
        sizes.append(len(log))
    assert sizes == sorted(sizes)
    assert sizes[-1] > sizes[0], "nothing happened meanwhile"
    back_up(data, tmp_path / "last")
    restore(tmp_path / "last", tmp_path / "at-rest")
    assert jobs_of((tmp_path / "at-rest" / LOG).read_bytes()) == jobs_of(whole)


def test_it_has_all_that_belongs_to_the_folder_and_nothing_that_is_made_anew(folder, tmp_path):
    done = back_up(folder, tmp_path / "b")
    names = {path.relative_to(tmp_path / "b").as_posix() for path in (tmp_path / "b").rglob("*.*")}
    assert names == {LOG, "videos/v2.mp4", "studio.id", "accounts.json", MANIFEST}
    assert (done.jobs, done.files, done.notes) == (2, 4, [])
    assert json.loads((folder / KNOWN).read_text())[0]["to"] == str(tmp_path / "b")


def test_videos_share_their_place_on_the_same_disk_unless_copies_are_wanted(folder, tmp_path):
    clip = folder / "videos" / "v2.mp4"
    assert back_up(folder, tmp_path / "linked").linked == 1
    assert (tmp_path / "linked" / "videos" / "v2.mp4").stat().st_ino == clip.stat().st_ino
    assert back_up(folder, tmp_path / "copied", link=False).linked == 0
    assert (tmp_path / "copied" / "videos" / "v2.mp4").stat().st_ino != clip.stat().st_ino


def test_only_this_user_can_read_a_backup(folder, tmp_path):
    back_up(folder, tmp_path / "b")
    assert (tmp_path / "b").stat().st_mode & 0o077 == 0


def test_a_row_that_is_being_written_is_left_to_the_next_backup(folder, tmp_path):
    whole = (folder / LOG).read_bytes()
    with (folder / LOG).open("ab") as log:
        log.write(b"v9,2026")
    back_up(folder, tmp_path / "b")
    assert (tmp_path / "b" / LOG).read_bytes() == whole


def test_clips_that_are_missing_are_said(folder, tmp_path):
    (folder / "videos" / "v2.mp4").unlink()
    assert "1 clip that" in back_up(folder, tmp_path / "b").notes[0]


@pytest.mark.parametrize("name", ["data/inside", ".", "data"])
def test_a_backup_does_not_lie_in_the_folder_or_around_it(folder, tmp_path, name):
    with pytest.raises(BackupError, match=r"neither in the data folder nor above|is there already"):
        back_up(folder, tmp_path / name)


def test_what_is_there_is_not_overwritten(folder, tmp_path):
    back_up(folder, tmp_path / "b")
    with pytest.raises(BackupError, match="name a new folder"):
        back_up(folder, tmp_path / "b")


def test_a_backup_that_fails_leaves_nothing(folder, tmp_path):
    (folder / FILE).write_bytes(b"no database at all, but as long as one may be" * 100)
    with pytest.raises(BackupError, match="was not made"):
        back_up(folder, tmp_path / "b")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data"]


def test_what_waits_in_a_restored_log_is_left_to_a_person(folder, tmp_path):
    back_up(folder, tmp_path / "b")
    restore(tmp_path / "b", folder)
    ledger = CsvLedger(LogFile(folder / LOG), clock=lambda: 1_795_000_010.0)
    assert ledger.unconfirmed == {"v1"}


def test_what_was_there_is_moved_aside_and_stays(folder, tmp_path):
    back_up(folder, tmp_path / "b")
    (folder / "videos" / "v5.mp4").write_bytes(b"later")
    notes = restore(tmp_path / "b", folder).notes
    assert (folder / "before-restore-1" / "videos" / "v5.mp4").read_bytes() == b"later"
    assert not (folder / "videos" / "v5.mp4").exists()
    assert (folder / "videos" / "v2.mp4").read_bytes() == b"clip"
    assert "before-restore-1" in notes[0]


def test_a_session_that_has_ended_since_does_not_come_back_with_the_backup(folder, tmp_path):
    def opened() -> tuple[Database, Sessions, Invitations]:
        database = Database(folder / FILE)
        people = People(database, lambda: 1_795_000_000.0)
        return (
            database,
            Sessions(database, people, lambda: 1_795_000_000.0),
            Invitations(database, people, lambda: 1_795_000_000.0),
        )

    database = Database(folder / FILE)
    ada = People(database, lambda: 1_795_000_000.0).add("ada", "admin")
    database.close()
    database, sessions, invitations = opened()
    token, invitation = sessions.begin(ada, "account", "Firefox"), invitations.make(ada.id, "bob")
    assert sessions.who(token)
    back_up(folder, tmp_path / "b")
    sessions.end(token)
    database.close()
    restore(tmp_path / "b", folder)
    database, sessions, invitations = opened()
    assert sessions.who(token) is None
    assert invitations.look(invitation) is None
    database.close()


def test_no_shared_link_comes_back_with_the_backup(folder, tmp_path):
    def clock() -> float:
        return 1_795_000_000.0

    database = Database(folder / FILE)
    shares = Shares(database, clock=clock, monotonic=clock)
    share, token = shares.add(User("p-1", "Ada", "maker"), ["v2"], ends=clock() + 1000)
    back_up(folder, tmp_path / "b")
    shares.end(share.id)
    database.close()
    restore(tmp_path / "b", folder)
    database = Database(folder / FILE)
    shares = Shares(database, clock=clock, monotonic=clock)
    assert shares.find(token) is None
    assert [each.id for each in shares.all()] == [share.id]
    database.close()


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root can give files away")
def test_what_root_restores_and_erases_belongs_to_the_owner_of_the_folder(folder, tmp_path):
    for path in (folder, *folder.rglob("*")):
        os.chown(path, 1234, 1234)
    back_up(folder, tmp_path / "b")
    restore(tmp_path / "b", folder)
    CsvLedger(LogFile(folder / LOG), clock=lambda: 1_795_000_000.0)
    os.chown(folder / f"{LOG}.seal", 1234, 1234)
    rewrite_log(folder / LOG, lambda row: {**row, "prompt": ""})
    assert [path.name for path in folder.rglob("*") if path.stat().st_uid != 1234] == []


def test_nothing_is_restored_while_a_studio_has_the_folder(folder, tmp_path):
    back_up(folder, tmp_path / "b")
    owned = DataFolder(folder)
    try:
        with pytest.raises(FolderTaken, match="belongs to a studio"):
            restore(tmp_path / "b", folder)
    finally:
        owned.release()


@pytest.fixture
def damage(folder: Path, tmp_path: Path) -> Iterator[Path]:
    """A backup that a test damages; the folder is as it was afterwards."""
    back_up(folder, tmp_path / "b")
    before = sorted((path, path.stat().st_ino) for path in folder.iterdir())
    yield tmp_path / "b"
    after = {
        (path, path.stat().st_ino) for path in folder.iterdir() if path.name not in {".lock", ".owner.json"}
    }
    assert after <= set(before)


def test_a_backup_that_lacks_a_file_is_refused(damage, folder):
    (damage / "accounts.json").unlink()
    with pytest.raises(BackupError, match=r"accounts.json is missing\. Nothing was changed"):
        restore(damage, folder)


def test_a_backup_that_was_changed_is_refused(damage, folder):
    with (damage / LOG).open("ab") as log:
        log.write(b"more\n")
    with pytest.raises(BackupError, match="not what was backed up"):
        restore(damage, folder)


@pytest.mark.parametrize(
    "manifest",
    ["", "{", "[]", '{"form": 1}', '{"form": 1, "files": {"history.csv": [1, ""], "../x": [1, ""]}}'],
)
def test_a_folder_that_is_no_backup_is_refused(damage, folder, manifest):
    (damage / MANIFEST).write_text(manifest)
    with pytest.raises(BackupError, match="is no backup"):
        restore(damage, folder)


def test_a_backup_of_another_version_is_refused(damage, folder):
    (damage / MANIFEST).write_text('{"form": 2, "files": {"history.csv": [1, ""]}}')
    with pytest.raises(BackupError, match="another version"):
        restore(damage, folder)


def test_the_commands_say_what_they_did(folder, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("STUDIO_DATA_DIR", str(folder))
    mask = os.umask(0o022)
    try:
        assert main(["backup", str(tmp_path / "b")]) == 0
        assert "In the backup: 2 jobs, 4 files, 1 of them shared" in capsys.readouterr().out
        assert main(["backup", str(tmp_path / "b")]) == 1
        assert main(["restore", str(tmp_path / "b")]) == 1
        assert "--yes" in capsys.readouterr().err
        assert main(["restore", str(tmp_path / "b"), "--yes"]) == 0
        assert "What waited in the backup is left to a person" in capsys.readouterr().out
        assert main(["restore", str(tmp_path / "nowhere"), "--yes"]) == 1
    finally:
        os.umask(mask)


def test_a_running_sandbox_keeps_its_tasks_and_holds_no_backup_up(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(backup, "PATIENCE", 0.05)
    (folder / "sandbox").mkdir()
    with closing(sqlite3.connect(folder / "sandbox" / "sandbox.sqlite")) as database:
        database.execute("PRAGMA locking_mode = EXCLUSIVE")
        database.execute("CREATE TABLE tasks (id)")
        done = back_up(folder, tmp_path / "copy")
    assert "keeps its own tasks" in " ".join(done.notes)
    assert not (tmp_path / "copy" / "sandbox" / "sandbox.sqlite").exists()
    assert jobs_of((tmp_path / "copy" / LOG).read_bytes()).keys() == {"v1", "v2"}


def test_a_backup_that_is_broken_off_leaves_nothing(folder, tmp_path, monkeypatch):
    def broken_off(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "sync", broken_off)
    with pytest.raises(KeyboardInterrupt):
        back_up(folder, tmp_path / "copy")
    assert not list(tmp_path.glob("copy*"))
