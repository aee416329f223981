"""Tasks folded from the log's rows."""

from __future__ import annotations

import json
import os
import threading
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kling.models import CameraControl, Shot, Task, TextToVideo
from kling.studio.jobs import (
    COLUMNS,
    OPEN,
    STATES,
    SUCCEED,
    TERMINAL,
    Job,
    StateChanged,
    fold,
    request_cells,
    task_cells,
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


# -- the fold ------------------------------------------------------------------------------------------------

SAYING = [name for name in COLUMNS if name not in {"external_task_id", "state", "extra"}]
ROWS = st.lists(
    st.fixed_dictionaries(
        {"external_task_id": st.sampled_from("abc"), "state": st.sampled_from(["", *STATES])},
        optional={name: st.sampled_from(["", "1", "2", "three"]) for name in SAYING},
    ),
    max_size=12,
)


@law
@given(ROWS)
def test_the_fold_is_the_last_of_each_group_as_pandas_sees_it(rows):
    import pandas as pd

    jobs: dict[str, Job] = {}
    for row in rows:
        jobs[row["external_task_id"]] = fold(jobs.get(row["external_task_id"]), row)
    frame = pd.DataFrame(rows, columns=list(COLUMNS), dtype=object).replace("", None)
    last = frame.groupby("external_task_id").last()
    for job in jobs.values():
        told = last.loc[job.id, SAYING].dropna().to_dict()
        assert {name: job[name] for name in SAYING if job[name]} == told


@law
@given(st.lists(st.sampled_from(["", *STATES]), min_size=1))
def test_an_end_is_an_end_and_before_it_the_last_state_counts(states):
    said = [state for state in states if state]
    ends = [state for state in said if state in TERMINAL]
    job = folded(*({"state": state} for state in states))
    assert job.state == (ends[0] if ends else said[-1] if said else "")


def test_a_rating_does_not_undo_a_state():
    assert folded({"state": "succeed"}, {"rating": "5"}).state == "succeed"


def test_a_state_that_somebody_typed_does_not_take_a_task_out_of_sight():
    assert folded({"state": "processing"}, {"state": "favourite"}).state == "processing"


def test_extra_is_merged_and_what_is_no_json_is_passed_over():
    job = folded({"extra": '{"a":1}'}, {"extra": "words"}, {"extra": '{"b":2}'}, {"extra": "[1]"})
    assert job.extra == {"a": 1, "b": 2}
    assert folded({"extra": "words"}).extra == {}


def test_the_first_time_of_each_state_is_kept():
    job = folded(
        {"state": "intent", "time": "2026-11-22T10:00:00+00:00"},
        {"state": "processing", "time": "2026-11-22T10:00:05"},
        {"state": "processing", "time": "2026-11-22T10:00:09+00:00"},
        {"state": "succeed", "time": "2026-11-22T11:00:20+01:00"},
    )
    assert job.ordered_at == datetime(2026, 11, 22, 10, tzinfo=UTC)
    assert job.since["processing"].second == 5
    assert job.ended_at == datetime(2026, 11, 22, 10, 0, 20, tzinfo=UTC)


def test_a_state_counts_as_reached_though_its_time_cannot_be_read():
    job = folded({"state": "intent"}, {"state": "unknown", "time": "22.11.2026"})
    assert job.since["unknown"] == job.since["intent"]
    assert folded({"state": "intent", "time": "yesterday"}).ordered_at.year == 1970


# -- requests ------------------------------------------------------------------------------------------------

TEXT = st.text(st.characters(codec="utf-8"))
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
REQUESTS = st.builds(
    TextToVideo,
    prompt=TEXT,
    model_name=TEXT,
    negative_prompt=TEXT,
    mode=st.none() | st.sampled_from(["std", "pro", "4k"]),
    duration=st.sampled_from(["5", "10", "15"]),
    aspect_ratio=TEXT,
    sound=st.sampled_from(["on", "off"]),
    cfg_scale=st.none() | NUMBERS,
    camera_control=st.none()
    | st.builds(CameraControl, type=TEXT, config=st.dictionaries(TEXT, NUMBERS | st.integers(-10, 10))),
    multi_shot=st.booleans(),
    shot_type=st.none() | st.sampled_from(["customize", "intelligence"]),
    multi_prompt=st.lists(st.builds(Shot, prompt=TEXT, duration=TEXT), max_size=6).map(tuple),
    watermark=st.booleans(),
    callback_url=TEXT,
    external_task_id=st.just("a"),
)


@law
@given(REQUESTS)
def test_a_request_comes_back_from_its_cells_as_it_was_ordered(request_):
    row = {"external_task_id": "a", **request_cells(request_)}
    assert fold(None, row).request == request_


def test_a_spreadsheet_that_shouts_true_changes_no_request():
    assert folded({"multi_shot": "TRUE", "watermark_info": "TRUE"}).request.multi_shot
    assert folded({"watermark_info": "TRUE"}).request.watermark


@pytest.mark.parametrize(
    "cells",
    [
        {"camera_control": "[[["},
        {"camera_control": '{"type":1,"config":[]}'},
        {"multi_prompt": '{"a":1}'},
        {"multi_prompt": '[1,{"prompt":2}]'},
        {"cfg_scale": "much"},
        {"extra": "[" * 100_000},
    ],
)
def test_cells_that_somebody_spoilt_still_make_a_request(cells):
    assert folded(cells, {"prompt": "A fox"}).request.prompt == "A fox"


def test_units_are_noted_with_the_order():
    assert request_cells(TextToVideo(prompt="A fox"))["units"] == "1.5"
    assert request_cells(TextToVideo(prompt="A fox", model_name="kling-of-tomorrow"))["units"] == ""


def test_a_state_that_the_api_does_not_document_counts_as_processing_and_is_noted():
    cells = task_cells(Task(task_id="1", task_status="queued"))
    assert cells["state"] == "processing"
    assert json.loads(cells["extra"]) == {"task_status": "queued"}


def test_the_deduction_counts_when_the_task_has_ended():
    running = Task(task_id="1", task_status="processing", final_unit_deduction=Decimal(0))
    ended = Task(task_id="1", task_status="succeed", final_unit_deduction=Decimal("1.5"))
    assert task_cells(running)["final_unit_deduction"] == ""
    assert task_cells(ended)["final_unit_deduction"] == "1.5"


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
