"""The studio as one object: its folder, its life, and who is told."""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from kling.auth import ApiKey
from kling.errors import NotSent, api_error
from kling.studio.changes import JOBS, NOTICE
from kling.studio.ledger import LedgerError
from kling.studio.library import JobQuery
from kling.studio.notices import PAUSE
from kling.studio.orders import Press
from kling.studio.service import FolderTaken, Studio
from kling.studio.settings import Settings
from tests.kling.tools import Clock
from tests.studio.fakes import FOX, Account, Kling, order_one

Open = Callable[..., Studio]


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Open]:
    """Open studios on one folder; all are stopped at the end."""
    with ExitStack() as stack:

        def make(
            kling: Kling | None = None,
            *,
            folder: Path | None = None,
            credentials: ApiKey | None = None,
            **parts,
        ) -> Studio:
            connection = Account(kling or Kling(), is_sandbox=credentials is None)
            settings = Settings(data_dir=folder or tmp_path / "data", credentials=credentials)
            studio = Studio(settings, connection=connection, **parts)
            stack.callback(studio.stop)
            return studio

        yield make


def now(call: Callable[[], None]) -> None:
    call()


# -- the folder ----------------------------------------------------------------------------------------------


def test_a_second_studio_on_a_folder_says_who_has_it(opened):
    opened()
    with pytest.raises(FolderTaken, match=rf"process {os.getpid()} on .*STUDIO_DATA_DIR"):
        opened()


def test_a_folder_is_free_once_its_studio_has_stopped_in_whatever_thread(opened):
    studio = opened()
    thread = threading.Thread(target=studio.stop)
    thread.start()
    thread.join()
    opened()


def test_the_data_folder_is_for_its_owner_only(opened, tmp_path):
    opened()
    assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "data" / "history.csv").stat().st_mode) == 0o600


def test_a_folder_that_cannot_be_is_told_in_words(opened, tmp_path):
    (tmp_path / "file").write_text("")
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(FolderTaken, match=r"cannot be written .*STUDIO_DATA_DIR"):
            opened(folder=folder)


def test_a_folder_whose_parts_cannot_be_made_is_told_in_words_and_let_go(opened, tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "videos").write_text("")
    with pytest.raises(FolderTaken, match="cannot be written"):
        opened()
    (tmp_path / "data" / "videos").unlink()
    opened()


def test_a_log_that_is_none_is_told_in_words_and_the_folder_let_go(opened, tmp_path):
    (tmp_path / "data").mkdir()
    log = tmp_path / "data" / "history.csv"
    log.write_text("my,own,table\n1,2,3\n")
    with pytest.raises(LedgerError, match="not a log of this studio"):
        opened()
    assert log.read_text() == "my,own,table\n1,2,3\n"
    log.unlink()
    opened()


# -- life ----------------------------------------------------------------------------------------------------


def test_tasks_go_on_after_a_restart_without_any_visitor(opened):
    kling = Kling()
    first = opened(kling, run=now)
    job = order_one(first, FOX, Press(person="Ada", session="s"))
    first.stop()
    kling.change(job.id, task_status="failed")
    second = opened(kling)
    ended = threading.Event()
    second.changes.subscribe(lambda: ended.set() if second.running == 0 else None)
    second.start()
    assert ended.wait(120)
    found = second.ledger.get(job.id)
    assert found is not None
    assert found.state == "failed"


def test_stop_lets_the_call_under_way_end_and_its_answer_be_recorded(opened):
    kling = Kling()
    studio = opened(kling)
    at_post, answer = threading.Event(), threading.Event()

    def slow(_: object) -> None:
        at_post.set()
        answer.wait(120)

    kling.at_post = slow
    job = order_one(studio, FOX, Press(person="", session="s"))
    assert at_post.wait(120)
    stopping = threading.Thread(target=studio.stop)
    stopping.start()
    answer.set()
    stopping.join(120)
    assert studio.ledger.get(job.id).state == "submitted"
    assert studio.connection.lifecycle == ["stopped"]


def test_a_key_that_is_set_later_starts_an_account_of_its_own(opened):
    sandbox = opened(run=now)
    old = order_one(sandbox, FOX, Press(person="", session="s"))
    sandbox.stop()
    kling = Kling()
    studio = opened(kling, credentials=ApiKey("key"), run=now)
    studio.poller.step()
    assert (kling.posts, kling.gets) == ([], [])
    assert not studio.accounts.owns(studio.ledger.get(old.id))
    assert studio.running == 0
    order_one(studio, FOX, Press(person="", session="s"))
    assert studio.running == 1
    assert [job["account"] for job in studio.ledger.index.newest(0, 99)] == [studio.accounts.name, "sandbox"]


# -- what pages see ------------------------------------------------------------------------------------------


def test_listeners_are_told_of_each_change_until_they_leave(opened):
    studio = opened(run=now)
    versions: list[int] = []
    leave = studio.changes.subscribe(lambda: versions.append(studio.changes.version))
    order_one(studio, FOX, Press(person="", session="s"))
    assert len(versions) == 2
    assert versions == sorted(set(versions))
    leave()
    order_one(studio, FOX, Press(person="", session="other"))
    assert len(versions) == 2


def test_followers_hear_what_lists_gain_but_not_of_each_step_of_a_job(opened):
    studio = opened(run=now)
    heard = studio.changes.follow(lambda: None)
    heard.take()
    job = order_one(studio, FOX, Press(person="", session="s"))
    assert heard.take().names == {job.id, JOBS}
    studio.ledger.append(job.id, state="processing")
    assert heard.take().names == {job.id}
    studio.ledger.append(job.id, state="succeed")
    assert heard.take().names == {job.id, JOBS}
    studio.ledger.append(job.id, star="yes", by="ada")
    assert heard.take().names == {job.id, JOBS}


def test_a_listener_that_fails_breaks_no_order_off(opened):
    studio = opened(run=now)

    def gone() -> None:
        raise RuntimeError("Event loop is closed")

    studio.changes.subscribe(gone)
    assert studio.ledger.get(order_one(studio, FOX, Press(person="", session="s")).id).state == "submitted"


def test_followers_hear_that_a_hold_began(opened):
    clock = Clock()
    studio = opened(monotonic=clock)
    heard = studio.changes.follow(lambda: None)
    studio.notices.look()
    heard.take()
    studio.admission.hold("*", "The balance is used up.", 1102, needs_person=True)
    clock.now += PAUSE
    studio.notices.look()
    assert heard.take().names == {NOTICE}


def test_the_newest_order_comes_first(opened):
    studio = opened(run=now)
    ids = [order_one(studio, FOX, Press(person="", session=name)).id for name in "abc"]
    assert [job.id for job in studio.ledger.index.newest(0, 99)] == ids[::-1]


def test_the_operators_callback_address_goes_with_every_order(tmp_path):
    kling = Kling()
    settings = Settings(data_dir=tmp_path, callback_url="https://studio.test/callback")
    studio = Studio(settings, connection=Account(kling), run=now)
    sent: list[str] = []
    kling.at_post = lambda request: sent.append(request.callback_url)
    order_one(studio, FOX, Press(person="", session="s"))
    studio.stop()
    assert sent == ["https://studio.test/callback"]


def test_a_free_look_at_the_account_says_in_words_what_came(opened):
    kling = Kling()
    studio = opened(kling, credentials=ApiKey("key"))
    assert studio.check_connection().message.startswith("Kling answers and accepts the key.")
    kling.lists = [api_error(401, 1002, "access key not found"), NotSent("Kling could not be reached.")]
    refused = studio.check_connection()
    assert not refused.ok
    assert "1002" in refused.message
    assert "Check the key" in refused.message
    assert studio.check_connection().message == "Kling could not be reached."
    assert kling.posts == []


def test_what_an_operator_should_know_is_said(opened, tmp_path, monkeypatch):
    studio = opened(run=now, clock=Clock())
    assert list(studio.warnings) == []
    with (tmp_path / "data" / "history.csv").open("ab") as file:
        file.write(b"somebody was here\n")
    order_one(studio, FOX, Press(person="", session="s"))
    monkeypatch.setattr("kling.studio.operator_warnings.free_bytes", lambda _: 2**20)
    studio.connection.down = NotSent("Kling could not be reached.")
    studio.poller.step()
    disk, lines, trouble = studio.warnings  # the worst one first
    assert trouble == "Kling could not be reached."
    assert "1 line" in lines
    assert disk.startswith("Disk nearly full: 1 MB left")  # what a phone has room for


def test_on_a_nearly_full_disk_the_index_is_in_memory(opened, tmp_path, monkeypatch):
    studio = opened(run=now)
    order_one(studio, FOX, Press(person="", session="s"))
    monkeypatch.setattr("kling.studio.operator_warnings.free_bytes", lambda _: 2**20)
    assert studio.library.count(JobQuery()) == 1
    assert not (tmp_path / "data" / "index.sqlite3").exists()
    disk, index = studio.warnings
    assert disk.startswith("Disk nearly full")
    assert "Searching goes on" in index
