"""Jobs: how they are folded from rows, and how requests and tasks become cells and come back."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kling.camera_control import CameraControl
from kling.endpoint import ENDPOINTS
from kling.shots import Shot
from kling.studio.clip_verification import charged, mismatches
from kling.studio.durations import DurationStats, kind_of, timeline
from kling.studio.jobs import (
    COLUMNS,
    CURATION,
    FAILED,
    STATES,
    SUCCEED,
    WITHDRAWN,
    Job,
    bounded,
    fold,
    request_cells,
    task_cells,
    truncate,
)
from kling.studio.jobs.columns import column_of
from kling.studio.ledger.restore import missing_rows
from kling.studio.prompting.words import as_text_to_video
from kling.tasks import BalanceDeduction, Task, Video
from kling.text_to_video import TextToVideo
from tests.kling.tools import law

NOW = "2026-11-22T10:00:00.000+00:00"
OF_THE_FOLD = {"external_task_id", "state", "extra", "final_unit_deduction", "final_balance_deduction"}
SAYING = [name for name in COLUMNS if name not in OF_THE_FOLD]
ACCEPTED = ("submitted", "processing", "failed", "succeed")  # the later, the stronger


def folded(*rows: Mapping[str, str]) -> Job:
    job: Job | None = None
    for row in rows:
        job = fold(job, {"external_task_id": "a", "time": NOW} | dict(row))
    assert job is not None
    return job


# -- the fold ------------------------------------------------------------------------------------------------

TIMES = st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1)).map(  # noqa: DTZ001 - a zone is added
    lambda time: time.replace(tzinfo=UTC).isoformat()
)
ROWS = st.lists(
    st.fixed_dictionaries(
        {"time": TIMES, "state": st.sampled_from(["", *STATES])},
        optional={
            "task_id": st.sampled_from(["7", "8.8E+17"]),
            "task_status_msg": st.just("The model fell over"),
            "file": st.just("a.mp4"),
            "final_unit_deduction": st.sampled_from(["0", "1.5"]),
            "code": st.just("1201"),
        },
    ),
    min_size=1,
    max_size=8,
)


@law
@given(
    st.lists(
        st.fixed_dictionaries({}, optional={name: st.sampled_from("123") for name in SAYING}), min_size=1
    )
)
def test_the_fold_is_the_last_of_each_column_as_pandas_sees_it(rows):
    import pandas as pd

    job = folded(*rows)
    table = pd.DataFrame([{"external_task_id": "a", "time": NOW} | row for row in rows], dtype=object)
    told = table.groupby("external_task_id").last().loc["a"].dropna().to_dict()
    assert {name: job[name] for name in SAYING if job[name]} == told


@law
@given(ROWS, st.data())
def test_no_order_and_no_copies_of_the_rows_change_what_is_known_of_the_money(rows, data):
    job = folded(*rows)
    other = folded(*data.draw(st.permutations(rows + data.draw(st.lists(st.sampled_from(rows))))))
    assert other.accepted == job.accepted
    assert other["final_unit_deduction"] == job["final_unit_deduction"]
    assert other.since == job.since
    if job.accepted or job.state in {FAILED, WITHDRAWN}:
        assert other.state == job.state


@law
@given(ROWS, st.data())
def test_a_row_of_a_task_makes_a_job_accepted_whatever_else_is_lost(rows, data):
    kept = [row for row in rows if data.draw(st.booleans())]
    if not kept:
        return
    job = folded(*kept)
    if any("task_id" in row or "file" in row or row["state"] in {"submitted", "processing"} for row in kept):
        assert job.accepted
    if job.accepted:
        assert folded(*rows).accepted
        assert job.state in ACCEPTED
        assert ACCEPTED.index(folded(*rows).state) >= ACCEPTED.index(job.state)


@pytest.mark.parametrize(
    ("rows", "state"),
    [
        ([{"state": "waiting"}, {"state": "intent"}], "intent"),
        ([{"state": "intent"}, {"state": "waiting"}], "waiting"),
        ([{"state": "withdrawn"}, {"state": "waiting"}], "withdrawn"),
        ([{"state": "failed"}, {"state": "withdrawn"}, {"state": "unknown"}], "failed"),
        ([{"state": "succeed"}, {"state": "failed", "task_id": "7"}], "succeed"),
        ([{"state": "failed", "task_id": "7"}, {"state": "processing"}], "failed"),
        # a call that was refused, and Kling has the job after all
        ([{"state": "failed", "code": "1201"}, {"state": "submitted", "task_id": "7"}], "submitted"),
        ([{"state": "submitted", "task_id": "7"}, {"state": "failed", "code": "1201"}], "submitted"),
        # older versions wrote the end of a task without its id
        ([{"state": "submitted", "task_id": "7"}, {"state": "failed", "task_status_msg": "No"}], "failed"),
        ([{"state": "submitted", "task_id": "7"}, {"state": "failed", "updated_at": NOW}], "failed"),
        ([{"state": "withdrawn"}, {"task_id": "7"}], "submitted"),
        ([{"state": "waiting"}, {"file": "a.mp4"}], "succeed"),
        ([{"rating": "5"}], "not_sent"),
    ],
)
def test_a_life_goes_one_way(rows, state):
    assert folded(*rows).state == state
    assert folded(*rows[::-1]).state == (rows[0]["state"] if state in {"intent", "waiting"} else state)


def test_a_rating_does_not_undo_a_state():
    assert folded({"state": "succeed"}, {"rating": "5"}).state == "succeed"


def test_a_state_that_somebody_typed_does_not_take_a_job_out_of_sight():
    assert folded({"state": "processing"}, {"state": "favourite"}).state == "processing"
    assert folded({"state": "favourite"}).state == "not_sent"


@pytest.mark.parametrize("column", sorted(CURATION))
def test_what_people_said_is_taken_back_with_a_dash(column):
    job = folded({"state": "succeed"}, {column: "5"}, {column: "-"})
    assert (job[column], column in job.cells) == ("", False)
    assert folded({column: "-"}, {column: "5"})[column] == "5"
    assert folded({"prompt": "-"})["prompt"] == "-"


def test_extra_is_merged_and_what_is_no_json_is_passed_over():
    job = folded({"extra": '{"a":1}'}, {"extra": "words"}, {"extra": '{"b":2}'}, {"extra": "[1]"})
    assert job.extra == {"a": 1, "b": 2}
    assert folded({"extra": "words"}).extra == {}


def test_the_charge_is_the_larger_number():
    rows = [{"final_unit_deduction": "0"}, {"final_unit_deduction": "1.5"}, {"final_unit_deduction": "much"}]
    for each in (rows, rows[::-1]):
        assert folded(*each).decimal("final_unit_deduction") == Decimal("1.5")


def test_the_first_time_of_each_state_is_kept():
    job = folded(
        {"state": "processing", "time": "2026-11-22T10:00:09+00:00"},
        {"state": "intent", "time": "2026-11-22T10:00:00+00:00"},
        {"state": "processing", "time": "2026-11-22T10:00:05"},
        {"state": "succeed", "time": "2026-11-22T11:00:20+01:00"},
    )
    assert job.ordered_at == datetime(2026, 11, 22, 10, tzinfo=UTC)
    assert job.since["processing"].second == 5
    assert job.ended_at == datetime(2026, 11, 22, 10, 0, 20, tzinfo=UTC)


def test_a_state_counts_as_reached_though_its_time_cannot_be_read():
    job = folded({"state": "intent"}, {"state": "unknown", "time": "22.11.2026"})
    assert job.since["unknown"] == job.since["intent"]
    assert folded({"state": "intent", "time": "yesterday"}).ordered_at.year == 1970
    assert folded({"state": "intent", "time": "yesterday"}, {"state": "intent"}).ordered_at.year == 2026


@law
@given(ROWS, ROWS)
def test_the_rows_that_are_missing_make_of_what_was_found_what_was_known(known_rows, found_rows):
    known, found = folded(*known_rows), folded(*found_rows)
    for before in (None, found):
        job = before
        for row in missing_rows(known, before):
            job = fold(job, row)
            assert job.accepted >= known.accepted  # after the first row already
        assert job is not None
        both = folded(*found_rows, *known_rows) if before else known
        assert (job.accepted, job.state if job.accepted else "") == (
            both.accepted,
            both.state if both.accepted else "",
        )
        if not job.accepted and (before is None or before.state not in {FAILED, WITHDRAWN}):
            assert job.state == known.state
        assert job.since.keys() >= known.since.keys()
        assert all(job.since[state] <= time for state, time in known.since.items())
        assert missing_rows(known, job) == []


# -- what cells hold -----------------------------------------------------------------------------------------

BOMBS = [
    "1e700000000",
    "-1e700000000",
    "9" * 5000,
    "1" + "0" * 13,
    "NaN",
    "-Infinity",
    "sNaN123",
    "0x10",
    "１２",
    "1_000",
    '{"type":"simple","config":"words"}',
    '{"type":{"a":1},"config":{"zoom":"1","pan":true,"tilt":1e999,"roll":' + "9" * 400 + "}}",
    '{"take":' + "9" * 400 + ',"gone":1,"probe":[]}',
    '{"take":true,"probe":{"seconds":"x","width":[],"audio":1}}',
    '[{"prompt":{"a":1},"duration":NaN}]',
    '"\\ud83d"',
    '{"\\ud83d":"\\ude00","type":"\\ud83d"}',
    "[" * 100_000,
    '{"a":' * 900 + "1" + "}" * 900,
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00",
    "2026-11-22T10:00:00",
    "2026-11-22",
    "20261122T100000Z",
    "1795000000",
    "8.8E+17",
    "TRUE",
    "16:9",
    "-",
    "\ud83d",
    "=1+1",
]
CELLS = st.one_of(st.text(), st.sampled_from(BOMBS), st.sampled_from(STATES), st.datetimes().map(str))


@law
@given(st.lists(st.dictionaries(st.sampled_from(COLUMNS), CELLS), min_size=1, max_size=4))
def test_nothing_raises_whatever_a_cell_holds(rows):
    stored = [{name: truncate(cell) for name, cell in row.items()} for row in rows]
    everything(fold_all(stored))
    everything(Job({name: cell for row in stored for name, cell in row.items() if cell}))


@pytest.mark.parametrize("column", COLUMNS)
def test_nothing_raises_for_any_bomb_in_any_column(column):
    for bomb in BOMBS:
        everything(fold_all([{column: truncate(bomb)}, {"state": SUCCEED}, {"extra": '{"a":1}'}]))


def fold_all(rows: Sequence[Mapping[str, str]]) -> Job:
    job = Job()
    for row in rows:
        job = fold(job, row)
    return job


def everything(job: Job) -> None:
    """Look at all that a job says, and write it down."""
    now = datetime(2026, 11, 22, tzinfo=UTC)
    numbers: list[Any] = [job.decimal(column) for column in COLUMNS]
    assert all(number is None or len(f"{number:f}") <= 21 for number in numbers)
    moments = [job.moment(column) for column in COLUMNS]
    assert all(
        moment is None or (moment - now, moment.timestamp(), moment.tzinfo is UTC)[2] for moment in moments
    )
    assert job.state in STATES
    assert isinstance(job.code, int)
    assert isinstance(job.accepted or job.gone or job.has_clip, bool)
    # An endpoint that is not known says nothing of its request (test_unknown_endpoint.py).
    request = job.request if job.endpoint is not None else TextToVideo()
    assert json.dumps(request.to_wire(), allow_nan=False).encode()
    assert request.problems() is not None
    said = (job.message, job.id, job.parent, job.group, job.take, job.ordered_at - now, job.ended_at)
    assert repr((said, dict(job.extra), request)).encode()
    assert repr((timeline(job, now), mismatches(job), charged(job)))
    assert DurationStats([job]).usual(kind_of(job)) is None
    assert Job(dict(job.cells), dict(job.since), dict(job.opinions)) == job


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", "0"),
        ("1.5", "1.5"),
        (" 1.5 ", "1.5"),
        ("-0.5", "-0.5"),
        ("999999999999", "999999999999"),
        ("1000000000000", None),
        ("1E+11", "100000000000"),
        ("0.1234567", "0.123457"),
        ("1e-700000000", "0"),
        ("1e700000000", None),
        ("999999999999.9999999", None),
        ("", None),
        ("much", None),
        ("NaN", None),
        ("Infinity", None),
        ("1" * 65, None),
    ],
)
def test_numbers_have_twelve_digits_before_the_point_and_six_after_it(text, number):
    assert bounded(text) == (None if number is None else Decimal(number))


@pytest.mark.parametrize(
    ("cell", "code"),
    [("1303", 1303), ("1303.0", 1303), ("0", 0), ("", 0), ("E5", 0), ("1.5", 0), ("1e900", 0)],
)
def test_a_code_is_a_whole_number(cell, code):
    assert Job({"code": cell}).code == code


@pytest.mark.parametrize(
    ("cell", "moment"),
    [
        ("2026-11-22T10:00:00.500+00:00", datetime(2026, 11, 22, 10, 0, 0, 500_000, tzinfo=UTC)),
        ("2026-11-22T11:00:00+01:00", datetime(2026, 11, 22, 10, tzinfo=timezone(timedelta(0)))),
        ("2026-11-22 10:00:00", datetime(2026, 11, 22, 10, tzinfo=UTC)),
        ("yesterday", None),
        ("", None),
        ("0001-01-01T00:00:00+14:00", None),
    ],
)
def test_a_time_is_in_utc(cell, moment):
    assert Job({"updated_at": cell}).moment("updated_at") == moment


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("Kling did not take a value. Nothing was spent.", "Kling did not take a value."),
        (
            "No connection. Nothing was spent. It is sent by itself as soon as there is a connection.",
            "No connection. It is sent by itself as soon as there is a connection.",
        ),
        ("The balance is not enough. It waits here, and nothing was spent.", "The balance is not enough."),
        ("Withdrawn; nothing was spent.", "Cancelled."),
        (
            "It never arrived, and nothing was spent. Send it now, or withdraw it.",
            "Send it now, or cancel it.",
        ),
        ("It never arrived. Send it now, or withdraw it.", "It never arrived. Send it now, or cancel it."),
        ("Nothing was spent.", ""),
        ("Nothing was sent and nothing was spent.", "Nothing was sent."),
        ("Accepted.", "Accepted."),
        ("", ""),
    ],
)
def test_older_versions_words_about_money_are_not_said_again_and_cancel_is_the_word(cell, message):
    assert Job({"message": cell}).message == message


# -- requests ------------------------------------------------------------------------------------------------

TEXT = st.text(st.characters(codec="utf-8"))
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
FIELDS: dict[str, Any] = {
    **dict.fromkeys((field.name for field in fields(TextToVideo)), ...),  # drawn by its type
    "prompt": TEXT,
    "model_name": TEXT,
    "negative_prompt": TEXT,
    "mode": st.none() | st.sampled_from(["std", "pro", "4k"]),
    "duration": st.sampled_from(["5", "10", "15"]),
    "aspect_ratio": TEXT,
    "sound": st.sampled_from(["on", "off"]),
    "cfg_scale": st.none() | NUMBERS,
    "camera_control": st.none()
    | st.builds(CameraControl, type=TEXT, config=st.dictionaries(TEXT, NUMBERS | st.integers(-10, 10))),
    "multi_shot": st.booleans(),
    "shot_type": st.none() | st.sampled_from(["customize", "intelligence"]),
    "multi_prompt": st.lists(st.builds(Shot, prompt=TEXT, duration=TEXT), max_size=6).map(tuple),
    "watermark": st.booleans(),
    "callback_url": TEXT,
    "external_task_id": st.just("a"),
}
REQUESTS = st.builds(TextToVideo, **FIELDS)


@law
@given(REQUESTS)
def test_a_request_comes_back_from_its_cells_as_it_was_ordered(request_):
    row = {"external_task_id": "a", **request_cells(request_)}
    assert fold(None, row).request == request_


HEADER = (
    "external_task_id,time,state,person,person_id,account,endpoint,"
    "model_name,prompt,negative_prompt,mode,duration,aspect_ratio,sound,cfg_scale,camera_control,"
    "multi_shot,shot_type,multi_prompt,watermark_info,callback_url,"
    "image,image_tail,source_video_id,video_url,sound_effect_prompt,bgm_prompt,asmr_mode,"
    "units,unit_price,currency,task_id,code,message,request_id,task_status_msg,created_at,updated_at,"
    "final_unit_deduction,final_balance_deduction,video_id,video_duration,"
    "file,file_bytes,file_sha256,watermark_file,rating,star,tags,note,hidden,deleted,by,by_name,"
    "parent,batch,extra"
)


def test_the_columns_stand_in_the_order_in_which_the_log_has_them():
    """A field that a request gets later has a column among those of the other fields."""
    known = HEADER.split(",")
    assert [name for name in COLUMNS if name in known] == known
    later = [column_of(name) for each in ENDPOINTS for name in each.request.FIELDS]
    first, last = COLUMNS.index("model_name"), COLUMNS.index("units")
    assert set(COLUMNS) - set(known) <= set(later) & set(COLUMNS[first:last])


def test_each_field_of_a_request_has_a_column():
    assert TextToVideo.FIELDS.keys() <= set(COLUMNS)
    assert request_cells(TextToVideo(prompt="A fox")).keys() <= set(COLUMNS)


def test_a_spreadsheet_that_shouts_true_changes_no_request():
    assert as_text_to_video(folded({"multi_shot": "TRUE", "watermark_info": "TRUE"}).request).multi_shot
    assert as_text_to_video(folded({"watermark_info": "TRUE"}).request).watermark


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
    assert as_text_to_video(folded(cells, {"prompt": "A fox"}).request).prompt == "A fox"


def test_units_are_noted_with_the_order():
    assert request_cells(TextToVideo(prompt="A fox"))["units"] == "1.5"
    assert request_cells(TextToVideo(prompt="A fox"))["endpoint"] == "text2video"
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
    assert task_cells(replace(running, task_status="failed"))["final_unit_deduction"] == "0"
    absurd = replace(ended, final_unit_deduction=Decimal("1e700000000"))
    assert task_cells(absurd)["final_unit_deduction"] == ""


@pytest.mark.parametrize("status", ["succeed", "failed", "processing"])
def test_the_charge_of_a_cash_account_counts_when_the_task_has_ended(status):
    cash = BalanceDeduction(quota=Decimal("0.49"), list_price=Decimal("0.98"))
    cells = task_cells(Task(task_id="1", task_status=status, final_balance_deduction=cash))
    said = (cells["final_balance_deduction"], cells["extra"])
    assert said == (("", "") if status == "processing" else ("0.49", '{"list_price":"0.98"}'))


def test_an_absurd_charge_says_nothing():
    cash = BalanceDeduction(quota=Decimal("1e700000000"), list_price=Decimal("NaN"))
    cells = task_cells(Task(task_id="1", task_status="succeed", final_balance_deduction=cash))
    assert (cells["final_balance_deduction"], cells["extra"]) == ("", "")


def test_what_a_task_says_is_noted_without_its_addresses():
    video = Video(id="v-1", url="https://cdn/x?sig", watermark_url="https://cdn/w?sig", duration=5.04)
    cells = task_cells(
        Task(task_id="1", task_status="succeed", videos=(video,), created_at=datetime.now(UTC))
    )
    assert (cells["video_id"], cells["video_duration"]) == ("v-1", "5.04")
    assert "cdn" not in str(cells)
    assert cells.keys() <= set(COLUMNS)
