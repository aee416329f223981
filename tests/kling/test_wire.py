"""Answers are read tolerantly, whatever comes."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.utils import format_datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kling import APIError, MaybeSent, Task
from kling.wire import decipher, retry_after, task, tasks
from tests.kling.tools import law

NOW = 1_785_000_000.0
# The documented answer to a query, with the placeholders filled.
DOCUMENTED = {
    "task_id": "750000000000000001",
    "task_status": "succeed",
    "task_status_msg": "",
    "final_unit_deduction": "2.5",
    "watermark_info": {"enabled": True},
    "task_info": {"external_task_id": "wish-1"},
    "task_result": {
        "videos": [
            {
                "id": "v-1",
                "url": "https://cdn.example/v-1.mp4?sig=s3cret",
                "watermark_url": "https://cdn.example/v-1-w.mp4?sig=s3cret",
                "duration": "5.04",
            }
        ]
    },
    "created_at": 1722769557708,
    "updated_at": 1722769587708,
}


def read(answer: object, status: int = 200) -> tuple[object, str]:
    return decipher(status, {}, json.dumps(answer).encode(), NOW)


def test_the_documented_answer_is_read_whole():
    data, request_id = read({"code": 0, "message": "SUCCEED", "request_id": "r-1", "data": DOCUMENTED})
    seen = task(data, request_id)
    assert seen.task_id == "750000000000000001"
    assert seen.task_status == "succeed"
    assert seen.external_task_id == "wish-1"
    assert seen.final_unit_deduction == Decimal("2.5")
    assert seen.watermark is True
    assert seen.created_at == datetime(2024, 8, 4, 11, 5, 57, 708000, tzinfo=UTC)
    assert seen.updated_at is not None
    assert seen.updated_at - datetime(2024, 8, 4, 11, 5, 57, 708000, tzinfo=UTC) == timedelta(seconds=30)
    assert seen.request_id == "r-1"
    (video,) = seen.videos
    assert (video.id, video.duration) == ("v-1", 5.04)
    assert video.url == "https://cdn.example/v-1.mp4?sig=s3cret"
    assert video.watermark_url == "https://cdn.example/v-1-w.mp4?sig=s3cret"
    assert seen.raw == DOCUMENTED


def test_signed_links_are_in_no_repr():
    assert "s3cret" not in repr(task(DOCUMENTED))


def test_fields_and_states_of_the_future_survive():
    seen = task({"task_id": "7", "task_status": "dreaming", "mood": {"a": [1]}})
    assert seen.task_status == "dreaming"
    assert not seen.terminal
    assert seen.raw["mood"] == {"a": [1]}


@pytest.mark.parametrize(
    ("state", "ended"), [("submitted", False), ("processing", False), ("succeed", True), ("failed", True)]
)
def test_two_of_the_documented_states_are_ends(state, ended):
    assert task({"task_id": "7", "task_status": state}).terminal is ended


def test_a_task_with_nothing_but_its_id_is_one():
    assert task({"task_id": "7"}) == Task(task_id="7", task_status="", raw={"task_id": "7"})


def test_a_number_for_an_id_is_read_as_text():
    assert task({"task_id": 750000000000000001}).task_id == "750000000000000001"


@pytest.mark.parametrize("field", [field for field in DOCUMENTED if field != "task_id"])
@pytest.mark.parametrize("value", [None, True, [], {}, "", "x", -1, 1e300, [[]], {"videos": [1, {"url": 5}]}])
def test_a_field_of_another_type_does_no_harm(field, value):
    assert task({**DOCUMENTED, field: value}).task_id == DOCUMENTED["task_id"]


@pytest.mark.parametrize("units", ["", "abc", "nan", "inf", "-inf", None, True, {}])
def test_a_charge_that_is_no_number_is_none(units):
    assert task({"task_id": "7", "final_unit_deduction": units}).final_unit_deduction is None


def test_a_video_without_an_address_is_none():
    assert task({"task_id": "7", "task_result": {"videos": [{"id": "v"}, {"url": ""}, None]}}).videos == ()


@pytest.mark.parametrize("seconds", ["", "abc", "nan", "inf", "1e999", None, {}])
def test_a_duration_that_is_no_number_is_none(seconds):
    (video,) = task({"task_id": "7", "task_result": {"videos": [{"url": "u", "duration": seconds}]}}).videos
    assert video.duration is None


@pytest.mark.parametrize("data", [None, [], {}, "7", {"task_id": ""}, {"task_id": None}, {"task_id": []}])
def test_a_task_without_an_id_cannot_be_followed(data):
    with pytest.raises(MaybeSent):
        task(data)


def test_a_page_passes_over_what_is_no_task():
    assert [seen.task_id for seen in tasks([{"task_id": "1"}, None, {}, "x", {"task_id": "2"}])] == ["1", "2"]


@pytest.mark.parametrize("data", [None, {}, "[]", {"result": []}])
def test_a_page_that_is_no_list_is_not_an_empty_one(data):
    with pytest.raises(MaybeSent):
        tasks(data)


def test_what_cannot_be_read_is_quoted_briefly():
    with pytest.raises(MaybeSent, match=r"HTTP 502.*<html>") as caught:
        decipher(502, {}, b"<html>" + b"x" * 10_000, NOW)
    assert len(str(caught.value)) < 200


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=10,
)
tasklike = st.fixed_dictionaries({}, optional=dict.fromkeys(DOCUMENTED, json_values))


@law
@given(
    st.integers(100, 599), st.binary(max_size=60) | json_values.map(lambda value: json.dumps(value).encode())
)
def test_any_answer_is_read_or_raises_what_is_documented(status, body):
    try:
        decipher(status, {"Retry-After": "soon"}, body, NOW)
    except (APIError, MaybeSent) as error:
        assert str(error)  # noqa: PT017 - there may be none


@law
@given(json_values | tasklike)
def test_any_data_is_a_task_or_raises_what_is_documented(data):
    try:
        seen = task(data)
    except MaybeSent:
        return
    assert seen.task_id
    assert repr(seen)
    for moment in (seen.created_at, seen.updated_at):
        assert moment is None or moment.tzinfo is UTC


@law
@given(st.lists(json_values | tasklike, max_size=4) | json_values)
def test_any_page_is_tasks_or_raises_what_is_documented(data):
    try:
        assert all(seen.task_id for seen in tasks(data))
    except MaybeSent:
        assert not isinstance(data, list)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0),
        ("7", 7),
        ("1.5", 1.5),
        (" 7 ", 7),
        ("-3", 0),
        ("", None),
        ("soon", None),
        ("nan", None),
        ("inf", None),
        ("1e999", None),
        (format_datetime(datetime.fromtimestamp(NOW + 90, UTC), usegmt=True), 90),
        (format_datetime(datetime.fromtimestamp(NOW - 90, UTC), usegmt=True), 0),
        ("Sun, 06 Nov 1994 08:49:37 GMT", 0),
        ("Sun, 06 Nov 1994", None),
        ("Sun, 99 Nov 1994 08:49:37 GMT", None),
    ],
)
def test_a_retry_after_is_seconds_or_a_date_or_nothing(text, seconds):
    assert retry_after(text, NOW) == seconds


dates = st.lists(
    st.sampled_from(
        [
            "Mon,",
            "1",
            "Jan",
            "99999",
            "2000",
            "00:00:00",
            "0:0",
            "GMT",
            "+9999",
            "-0000",
            "-",
            ":",
            "(",
            "é",
            "\0",
        ]
    ),
    max_size=8,
).map(" ".join)


@law
@given(dates | st.text(st.characters(max_codepoint=255), max_size=40) | st.floats().map(str))
@example("Mon, 01 Jan 0001 00:00:00 +9999")
@example("Mon, 01 Jan 0001 00:00:00 -0000")
def test_any_retry_after_is_none_or_a_pause(text):
    seconds = retry_after(text, NOW)
    assert seconds is None or 0 <= seconds < float("inf")


@pytest.fixture
def _in_tokyo(monkeypatch):
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("_in_tokyo")
@pytest.mark.parametrize("date", ["Sat Jul 25 17:21:30 2026", "Sat, 25 Jul 2026 17:21:30 -0000"])
def test_a_retry_after_date_is_in_utc_wherever_the_studio_runs(date):
    assert retry_after(date, NOW) == 90


@law
@given(st.integers(0, 10**8))
def test_any_retry_after_date_is_the_time_left(ahead):
    date = format_datetime(datetime.fromtimestamp(NOW + ahead, UTC), usegmt=True)
    assert retry_after(date, NOW) == ahead
