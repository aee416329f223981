"""A picture stays as long as anything refers to it: a job, a draft, a template; then it goes, everywhere."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from kling.sandbox.contract import IMAGE_TO_VIDEO
from kling.sandbox.pace import Pace
from kling.sandbox.store import Store
from kling.studio.backup import back_up
from kling.studio.erasure import erase, find
from kling.studio.ledger.csv_file import LogFile
from kling.studio.ledger.csv_ledger import CsvLedger
from kling.studio.pictures.references import Cleaning, named_in
from kling.studio.pictures.store import KEPT_SECONDS, Picture, Pictures
from kling.studio.restoring import restore
from kling.studio.state.database import Database
from kling.studio.state.drafts import DraftStore
from kling.studio.state.faults import FILE
from kling.studio.state.records import StateError
from kling.studio.state.shared import SharedState
from tests.studio.pictures.samples import hand_in, quarters, saved
from tests.studio.pictures.test_store import Clock, InProcess

TIME = 1_795_000_000.0
NOW = datetime(2026, 11, 27, tzinfo=UTC)
SIDES = {"ordered": 320, "tail": 330, "drafted": 340, "shared": 350, "unused": 360}


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    data = tmp_path / "data"
    data.mkdir()
    return data


@pytest.fixture
def pictures(folder: Path, clock: Clock) -> Pictures:
    return Pictures(folder / "pictures", maker=InProcess(), clock=clock)


@pytest.fixture
def kept(folder: Path, pictures: Pictures) -> dict[str, Picture]:
    """Ada has ordered with two pictures and drafted with a third; bob and she share one; one is left over."""
    made = {name: hand_in(pictures, saved(quarters((side, side)), "PNG")) for name, side in SIDES.items()}
    ledger = ledger_of(folder)
    ended = {"state": "failed", "task_id": "7", "account": "k#1", "endpoint": "image2video"}
    images = {"image": made["ordered"].sha256, "image_tail": made["tail"].sha256}
    ledger.append("v1", person="Ada", prompt="A fox", **images, **ended)
    ledger.append("v2", person="bob", prompt="An owl", image=made["shared"].sha256, **ended)
    ledger.append("v3", person="Ada", prompt="A hare", image=made["shared"].sha256, **ended)
    database = Database(folder / FILE)
    drafts = DraftStore(database, clock=lambda: TIME)
    drafts.save("0" * 20, "browser", fields={"image": made["drafted"].sha256})
    database.close()
    return made


def ledger_of(folder: Path) -> CsvLedger:
    return CsvLedger(LogFile(folder / "history.csv"), clock=lambda: TIME)


def texts(folder: Path) -> list[str]:
    state = SharedState(folder, clock=lambda: TIME, monotonic=lambda: 0.0)
    found = state.texts()
    state.stop()
    return found


def left(pictures: Pictures, kept: dict[str, Picture]) -> set[str]:
    return {name for name, picture in kept.items() if picture.sha256 in set(pictures.kept())}


def test_only_what_nobody_names_goes(folder, pictures, kept, clock):
    cleaning = Cleaning(pictures, ledger_of(folder), lambda: texts(folder))
    assert cleaning.step() == 0  # it may be a draft's in a moment
    clock.now += KEPT_SECONDS + 1
    assert cleaning.step() == 1
    assert left(pictures, kept) == kept.keys() - {"unused"}


def test_nothing_goes_while_the_log_or_the_database_cannot_be_read(folder, pictures, kept, clock):
    clock.now += KEPT_SECONDS + 1

    def no_answer() -> list[str]:
        raise StateError("The database does not answer.")

    assert Cleaning(pictures, ledger_of(folder), no_answer).step() == 0
    for trouble in ({"opening": True, "failure": ""}, {"opening": False, "failure": "It cannot be read."}):
        ledger: Any = SimpleNamespace(jobs=tuple, **trouble)
        assert Cleaning(pictures, ledger, lambda: ()).step() == 0
    assert left(pictures, kept) == kept.keys()


def test_a_hash_is_found_in_any_text_and_parts_of_longer_ones_are_not():
    one, other = "0a" * 32, "f" * 64
    assert named_in([f'{{"image":"{one}"}}', "", "x" * 100, f"{other}f", f"({other})"]) == {one, other}


def test_a_backup_has_the_pictures_and_they_come_back(folder, tmp_path, pictures, kept):
    done = back_up(folder, tmp_path / "backup")
    assert not [note for note in done.notes if "picture" in note]
    assert done.linked == len(kept)  # they are never changed in place
    shutil.rmtree(folder)
    restore(tmp_path / "backup", folder)
    assert {pictures.read(picture.sha256) for picture in kept.values()}


def test_a_backup_says_which_pictures_are_missing(folder, tmp_path, pictures, kept):
    pictures.path(kept["tail"].sha256).unlink()
    done = back_up(folder, tmp_path / "backup")
    assert f"1 picture that the log names is not in {folder / 'pictures'}." in done.notes


def test_films_are_in_no_backup_because_they_follow_from_clips(folder, tmp_path, kept):
    assert kept
    (folder / "films").mkdir()
    (folder / "films" / "x.mp4").write_bytes(b"a film")
    back_up(folder, tmp_path / "backup")
    assert not (tmp_path / "backup" / "films").exists()


def test_with_a_person_go_the_pictures_that_nobody_else_needs_and_all_films(folder, pictures, kept):
    (folder / "films").mkdir()
    (folder / "films" / "x.mp4").write_bytes(b"a film")
    erase(folder, find(folder, person="ada"), NOW)
    assert left(pictures, kept) == {"drafted", "shared"}  # whose draft it is, nobody knows
    assert list((folder / "films").iterdir()) == []
    log = (folder / "history.csv").read_bytes()
    assert kept["ordered"].sha256.encode() not in log
    assert kept["shared"].sha256.encode() in log  # bob's


def test_with_one_job_go_its_pictures(folder, pictures, kept):
    erase(folder, find(folder, job_id="v2"), NOW)
    assert left(pictures, kept) == kept.keys() - {"unused"}  # Ada's job needs the shared one
    erase(folder, find(folder, job_id="v3"), NOW)
    assert left(pictures, kept) == kept.keys() - {"unused", "shared"}


def test_the_sandbox_forgets_the_pictures_of_an_erased_job_too(folder, kept):
    assert kept
    (folder / "sandbox").mkdir()
    store = Store(str(folder / "sandbox" / "sandbox.sqlite"))
    request = {
        "model_name": "kling-v3",
        "image": "sha256:ab",
        "external_task_id": "v1",
        "bgm_prompt": "a lute",
    }
    store.add(
        request, now=1, units=1.0, pace=Pace(), endpoint=IMAGE_TO_VIDEO, pictures={"sha256:ab": b"secret"}
    )
    store.close()
    erase(folder, find(folder, job_id="v1"), NOW)
    stored = (folder / "sandbox" / "sandbox.sqlite").read_bytes()
    assert b"secret" not in stored
    assert b"a lute" not in stored
    assert b"sha256:ab" not in stored


def test_a_picture_in_the_log_is_one_even_if_its_column_is_new(folder, pictures, kept, clock):
    ledger = ledger_of(folder)
    ledger.append("v9", state="failed", extra=json.dumps({"later": kept["unused"].sha256}))
    clock.now += KEPT_SECONDS + 1
    assert Cleaning(pictures, ledger, lambda: texts(folder)).step() == 0
