"""Tasks folded from the log's rows."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from kling.studio.jobs import (
    COLUMNS,
    STATES,
    Job,
    fold,
)
from kling.studio.ledger import LedgerError
from kling.studio.ledger.csv_file import LogFile
from kling.studio.ledger.csv_ledger import CsvLedger as Ledger
from kling.studio.ledger.csv_text import Contents, encode_row
from tests.kling.tools import Clock

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


@pytest.mark.parametrize("how", ["deleted", "emptied", "only its header", "cut in its header"])
def test_a_log_that_vanishes_while_the_studio_runs_is_written_anew_from_memory(path, ledger, how):
    for number in range(3):
        ledger.append(f"v{number}", state="waiting", prompt="A fox", account="sandbox")
        ledger.append(f"v{number}", state="submitted", task_id=f"{number}7")
    ledger.append("v0", state="succeed", file="v0.mp4", rating="5")
    before = [(job.id, job.state, job["task_id"], job["rating"], job.since) for job in ledger.jobs()]
    path.unlink()
    if how != "deleted":
        header = encode_row(COLUMNS)
        path.write_bytes({"emptied": b"", "only its header": header}.get(how, header[:20]))
    ledger.sync()
    for each in (ledger, opened(path)):
        after = [(job.id, job.state, job["task_id"], job["rating"], job.since) for job in each.jobs()]
        assert after == before
    assert [words for words in ledger.warnings if "history.csv was" in words]
    assert not ledger.unconfirmed


def test_a_folder_that_is_not_there_is_told_and_forgets_nothing(tmp_path):
    folder = tmp_path / "volume"
    folder.mkdir()
    ledger = opened(folder / "history.csv")
    ledger.append("a", state="processing", task_id="7")
    folder.rename(tmp_path / "away")
    for act in (ledger.sync, lambda: ledger.append("b", state="intent")):
        with pytest.raises(LedgerError, match=r"history\.csv cannot be"):
            act()
    ledger.beat()
    assert [job["task_id"] for job in ledger.jobs()] == ["7"]
    (tmp_path / "away").rename(folder)
    ledger.append("b", state="intent")
    assert [job.id for job in opened(folder / "history.csv").jobs()] == ["a", "b"]


def test_a_log_that_vanished_on_a_full_disk_is_written_when_there_is_room(path):
    full = False

    def write(handle: int, data: bytes) -> int:
        if full:
            raise OSError(28, "No space left on device")
        return os.write(handle, data)

    ledger = Ledger(LogFile(path, write=write), clock=Clock())
    ledger.append("a", state="processing", task_id="7")
    path.unlink()
    full = True
    for _ in range(2):
        with pytest.raises(LedgerError, match="No space left"):
            ledger.sync()
    assert not path.exists()
    full = False
    ledger.sync()
    assert [job["task_id"] for job in opened(path).jobs()] == ["7"]


def test_at_a_start_a_log_that_is_not_there_is_new(path):
    ledger = opened(path)
    assert (ledger.jobs(), ledger.warnings, ledger.unconfirmed) == ((), (), frozenset())
    assert ledger.generation == 1


def test_columns_may_be_moved_and_missing_ones_are_added(path):
    columns = ["extra", "state", "time", "prompt", "external_task_id", "mine"]
    path.write_bytes(encode_row(columns))
    ledger = opened(path)
    ledger.append("a", state="intent", prompt="A fox", account="sandbox", mode="pro", extra='{"x":1}')
    ledger.append("a", task_id="123456789012345678", state="submitted")
    again = opened(path).get("a")
    assert again is not None
    assert (again["account"], again["mode"], again["task_id"]) == ("sandbox", "pro", "123456789012345678")
    assert again.extra == {"x": 1}
    assert again.request == ledger.jobs()[0].request
    assert path.read_bytes().startswith(encode_row([*COLUMNS, "mine"]))


def test_a_column_that_somebody_deletes_while_the_studio_runs_comes_back_with_what_it_said(path, ledger):
    ledger.append("a", state="submitted", task_id="7", account="sandbox")
    lines = path.read_text().splitlines()
    at = COLUMNS.index("task_id")
    cut = [line.split(",") for line in lines]
    path.write_text("".join(",".join(cells[:at] + cells[at + 1 :]) + "\n" for cells in cut))
    ledger.append("a", rating="5")
    again = opened(path).get("a")
    assert again is not None
    assert (again["task_id"], again["rating"], again.state) == ("7", "5", "submitted")
    assert len(list(path.parent.glob("history.csv.before-*"))) == 1


def test_a_log_of_an_older_version_without_a_seal_is_not_believed(path):
    columns = [name for name in COLUMNS if name not in {"endpoint", "star"}]
    path.write_bytes(
        b"".join(map(encode_row, [columns, *([job, NOW, job] + [""] * (len(columns) - 3) for job in STATES)]))
    )
    ledger = opened(path)
    assert ledger.unconfirmed == {"waiting", "intent", "unknown", "not_sent"}
    ledger.append("new", state="waiting")
    assert opened(path).unconfirmed == {"waiting", "intent", "unknown", "not_sent"}


def test_a_spreadsheet_that_rounded_the_ids_does_no_harm(path, ledger):
    ledger.append("a", state="submitted", task_id="880000000000000001")
    path.write_bytes(path.read_bytes().replace(b"880000000000000001", b"8.8E+17"))
    assert [job.accepted for job in opened(path).jobs()] == [True]
    ledger.sync()
    assert [job["task_id"] for job in opened(path).jobs()] == ["880000000000000001"]


def test_a_log_that_is_none_any_more_is_refused_and_forgets_nothing(path, ledger):
    ledger.append("a", state="submitted", task_id="7")
    path.write_text("a;b\n1;2\n")
    with pytest.raises(LedgerError, match="not a log of this studio"):
        ledger.sync()
    with pytest.raises(LedgerError, match="not a log of this studio"):
        ledger.append("b", state="waiting")
    assert [job["task_id"] for job in ledger.jobs()] == ["7"]
    assert path.read_text() == "a;b\n1;2\n"


def test_lines_that_cannot_be_read_are_counted(path, ledger):
    with path.open("ab") as file:
        file.write(b"what is this?\n")
    ledger.append("a", state="intent")
    assert ledger.unreadable == 1
    assert ledger.warnings[0].startswith("1 line of history.csv cannot be read")


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
        self.go_on.wait(120)
        return super().read()


def test_a_log_that_is_read_later_looks_empty_until_it_is_there_and_loses_no_row(path, ledger):
    ledger.append("a", state="succeed")
    file, told = SlowFile(path), threading.Event()
    later = Ledger(file, clock=Clock(), read_later=True, on_change=lambda _ids: told.set())
    assert (later.opening, later.jobs(), later.unfinished()) == (True, (), ())
    appended: list[Job] = []
    writer = threading.Thread(target=lambda: appended.append(later.append("b", state="intent")))
    writer.start()
    file.go_on.set()
    writer.join(120)
    assert told.wait(120)
    assert [job.id for job in later.jobs()] == ["a", "b"]
    assert [job.id for job in opened(path).jobs()] == ["a", "b"]


def test_a_log_that_cannot_be_read_later_refuses_every_row(path):
    path.write_text("a,b,c\n1,2,3\n")
    file, told = SlowFile(path), threading.Event()
    later = Ledger(file, clock=Clock(), read_later=True, on_change=lambda _ids: told.set())
    file.go_on.set()
    assert told.wait(120)
    assert later.failure
    later.sync()
    later.beat()
    with pytest.raises(LedgerError):
        later.append("a", state="intent")
    assert path.read_text() == "a,b,c\n1,2,3\n"


def test_a_log_that_is_gone_at_the_start_is_said_if_there_had_been_one(tmp_path):
    first = Ledger(LogFile(tmp_path / "history.csv"), clock=Clock(1_795_000_000.0))
    assert first.warnings == ()
    first.append("a", state="waiting", prompt="A fox")
    (tmp_path / "history.csv").unlink()
    [warning] = Ledger(LogFile(tmp_path / "history.csv"), clock=Clock(1_795_000_000.0)).warnings
    assert "was gone when the studio started" in warning
    assert "backup" in warning
