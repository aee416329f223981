"""Tasks folded from the log's rows."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kling.studio.jobs import (
    COLUMNS,
    OPEN,
    STATES,
    SUCCEED,
    Job,
    StateChanged,
    fold,
)
from kling.studio.ledger import LedgerError
from kling.studio.ledger.csv_file import Contents, LogFile, encode_row
from kling.studio.ledger.csv_ledger import CsvLedger as Ledger
from tests.kling.tools import Clock, law

NOW = "2026-11-22T10:00:00.000+00:00"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "history.csv"


@pytest.fixture
def ledger(path: Path) -> Ledger:
    return opened(path)


def opened(path: Path, **parts) -> Ledger:
    return Ledger(LogFile(path, fsync=lambda _: None), clock=Clock(tick=1.0), **parts)


def folded(*rows: dict[str, str]) -> Job:
    job: Job | None = None
    for row in rows:
        job = fold(job, {"external_task_id": "a", "time": NOW} | row)
    assert job is not None
    return job


# -- the ledger ----------------------------------------------------------------------------------------------


def same(one: Ledger, other: Ledger) -> bool:
    return one.jobs() == other.jobs() and set(ids(one.unfinished())) == set(ids(other.unfinished()))


def ids(jobs: tuple[Job, ...]) -> list[str]:
    return [job.id for job in jobs]


@law
@given(
    st.lists(
        st.tuples(
            st.sampled_from("abcd"),
            st.sampled_from(["", *STATES]),
            st.fixed_dictionaries(
                {}, optional={"prompt": st.text(), "file": st.just("a.mp4"), "note": st.text()}
            ),
        ),
        max_size=15,
    )
)
def test_reading_the_file_again_gives_what_memory_holds(tmp_path_factory, changes):
    path = tmp_path_factory.mktemp("log") / "history.csv"
    ledger = opened(path)
    for job_id, state, cells in changes:
        ledger.append(job_id, state=state, **cells)
    again = opened(path)
    assert same(ledger, again)
    assert {job.id for job in ledger.unfinished()} == {
        job.id for job in ledger.jobs() if job.state in OPEN or (job.state == SUCCEED and not job["file"])
    }


def test_text_that_cannot_be_stored_is_the_same_in_memory_and_in_the_file(path, ledger):
    job = ledger.append("a", state="failed", message="half a fox: \ud83e", note="x" * 200_000)
    assert job["message"] == "half a fox: ?"
    assert same(ledger, opened(path))


def test_a_change_is_refused_in_a_state_in_which_it_may_not_happen(path, ledger):
    ledger.append("a", state="waiting")
    before = path.read_bytes()
    with pytest.raises(StateChanged, match="is waiting by now"):
        ledger.append("a", only={"intent"}, state="submitted")
    with pytest.raises(StateChanged, match="not in the log"):
        ledger.append("b", only={"intent"}, state="submitted")
    assert path.read_bytes() == before
    assert ledger.append("a", only={"waiting"}, state="intent").state == "intent"


def test_every_change_is_told_once_and_when_it_is_on_the_disk(path):
    told: list[str] = []
    here = opened(path, on_change=lambda: told.append(opened(path).jobs()[-1].state))
    here.append("a", state="waiting")
    here.append("a", state="intent")
    assert told == ["waiting", "intent"]


def test_what_somebody_appends_or_edits_is_seen_at_the_next_change(path, ledger):
    ledger.append("a", state="processing")
    with path.open("ab") as file:
        file.write(encode_row(["b", NOW, "failed", *[""] * (len(COLUMNS) - 3)]))
    ledger.append("a", rating="5")
    assert [job.id for job in ledger.jobs()] == ["a", "b"]
    assert same(ledger, opened(path))


def test_a_stale_copy_saved_over_the_log_does_not_drop_a_task_that_runs(path, ledger):
    ledger.append("old", state="processing")
    stale = path.read_bytes()
    ledger.append("paid", state="submitted", task_id="7", account="sandbox")
    ledger.append("ended", state="failed")
    path.write_bytes(stale)
    ledger.append("old", state="succeed")
    paid = opened(path).get("paid")
    assert paid is not None
    assert (paid.state, paid["task_id"], paid["account"]) == ("submitted", "7", "sandbox")
    assert same(ledger, opened(path))


def test_a_log_that_is_gone_refuses_orders_until_it_is_back(path, ledger):
    ledger.append("a", state="processing")
    path.rename(path.with_name("away"))
    with pytest.raises(LedgerError, match="is gone"):
        ledger.append("b", state="intent")
    path.with_name("away").rename(path)
    ledger.append("b", state="intent")
    assert [job.id for job in opened(path).jobs()] == ["a", "b"]


def test_columns_may_be_moved_and_missing_ones_live_in_extra(path):
    columns = ["extra", "state", "time", "prompt", "external_task_id", "mine"]
    path.write_bytes(encode_row(columns))
    ledger = opened(path)
    ledger.append("a", state="intent", prompt="A fox", account="sandbox", mode="pro", extra='{"x":1}')
    ledger.append("a", task_id="123456789012345678", state="submitted")
    again = opened(path).get("a")
    assert again is not None
    assert (again["account"], again["mode"], again["task_id"]) == ("sandbox", "pro", "123456789012345678")
    assert again.extra["x"] == 1
    assert again.request == ledger.jobs()[0].request
    assert path.read_bytes().startswith(encode_row(columns))


def test_lines_that_cannot_be_read_are_counted(path, ledger):
    with path.open("ab") as file:
        file.write(b"what is this?\n")
    ledger.append("a", state="intent")
    assert ledger.unreadable == 1


def test_a_log_that_cannot_be_written_changes_nothing_in_memory(path):
    full = False

    def write(handle: int, data: bytes) -> int:
        if full:
            raise OSError(28, "No space left on device")
        return os.write(handle, data)

    ledger = Ledger(LogFile(path, write=write), clock=Clock())
    ledger.append("a", state="waiting")
    full = True
    with pytest.raises(LedgerError, match="No space left"):
        ledger.append("a", state="intent")
    assert ledger.jobs()[0].state == "waiting"
    full = False
    ledger.append("a", state="intent")
    assert same(ledger, opened(path))


# -- a long log is read while the pages are there already -----------------------------------------------


class SlowFile(LogFile):
    """A log whose reading waits until it is told to go on."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, fsync=lambda _: None)
        self.go_on = threading.Event()

    def read(self) -> Contents:
        self.go_on.wait(10)
        return super().read()


def test_a_log_that_is_read_later_looks_empty_until_it_is_there_and_loses_no_row(path, ledger):
    ledger.append("a", state="succeed")
    file, told = SlowFile(path), threading.Event()
    later = Ledger(file, clock=Clock(), read_later=True, on_change=told.set)
    assert (later.opening, later.jobs(), later.unfinished()) == (True, (), ())
    appended: list[Job] = []
    writer = threading.Thread(target=lambda: appended.append(later.append("b", state="intent")))
    writer.start()
    file.go_on.set()
    writer.join(10)
    assert told.wait(10)
    assert [job.id for job in later.jobs()] == ["a", "b"]
    assert [job.id for job in opened(path).jobs()] == ["a", "b"]


def test_a_log_that_cannot_be_read_later_refuses_every_row(path):
    path.write_text("a,b,c\n1,2,3\n")
    file, told = SlowFile(path), threading.Event()
    later = Ledger(file, clock=Clock(), read_later=True, on_change=told.set)
    file.go_on.set()
    assert told.wait(10)
    assert later.failure
    with pytest.raises(LedgerError):
        later.append("a", state="intent")
    assert path.read_text() == "a,b,c\n1,2,3\n"
