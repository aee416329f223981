"""Answers are read tolerantly, whatever comes."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.utils import format_datetime

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kling import APIError, BalanceDeduction, MaybeSent, Status, Task
from kling.json_values import DEPTH, moment, number, parse
from kling.wire import decipher, retry_after, task, tasks
from tests.kling.tools import law

NOW = 1_785_000_000.0
# The documented answer to a query, with the placeholders filled.
DOCUMENTED = {
    "task_id": "750000000000000001",
    "task_status": "succeed",
    "task_status_msg": "",
    "final_unit_deduction": "2.5",
    "final_balance_deduction": {"quota": "0.35", "list_price": "0.4"},
    "watermark_info": {"enabled": True},
    "task_info": {"external_task_id": "job-1"},
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
    assert seen.external_task_id == "job-1"
    assert seen.final_unit_deduction == Decimal("2.5")
    assert seen.final_balance_deduction == BalanceDeduction(Decimal("0.35"), Decimal("0.4"))
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


@pytest.mark.parametrize("data", [None, {}, "[]", {"total": 0}, {"a": [], "b": []}, {"errors": []}])
def test_a_page_that_is_no_list_is_not_an_empty_one(data):
    with pytest.raises(MaybeSent):
        tasks(data)


def test_what_cannot_be_read_is_quoted_briefly():
    with pytest.raises(MaybeSent, match=r"HTTP 502.*<html>") as caught:
        decipher(502, {}, b"<html>" + b"x" * 10_000, NOW)
    assert len(str(caught.value)) < 200


# -- states --------------------------------------------------------------------------------------------------

VIDEO = {"videos": [{"id": "v", "url": "https://cdn.example/v.mp4"}]}
SPELLINGS = {
    Status.SUBMITTED: ["submitted", "Submitted", "pending", "queued", "in-queue"],
    Status.PROCESSING: ["processing", "PROCESSING", "running", "in progress", "in_progress"],
    Status.SUCCEED: ["succeed", "succeeded", "Success", "completed", "COMPLETED", " succeed "],
    Status.FAILED: ["failed", "FAILED", "fail", "failure"],
}


@pytest.mark.parametrize(
    ("spelling", "status"), [(each, status) for status, spellings in SPELLINGS.items() for each in spellings]
)
def test_a_state_in_another_spelling_is_the_documented_one(spelling, status):
    seen = task({"task_id": "7", "task_status": spelling})
    assert seen.task_status == status
    assert seen.raw["task_status"] == spelling


@pytest.mark.parametrize("state", ["processing", "dreaming", "", None, 99, "FAILED", "succeeded", {}])
def test_a_task_that_lists_a_video_has_succeeded_whatever_it_is_called(state):
    assert task({"task_id": "7", "task_status": state, "task_result": VIDEO}).task_status == Status.SUCCEED


@pytest.mark.parametrize("videos", [None, [], [{"id": "v"}], [{"id": "v", "url": ""}], [{"url": 7}]])
def test_a_failed_task_without_a_video_has_failed(videos):
    seen = task({"task_id": "7", "task_status": "failed", "task_result": {"videos": videos}})
    assert seen.task_status == Status.FAILED


@pytest.mark.parametrize("state", ["dreaming", "Cancelled", "expired", "error", "99"])
def test_a_state_that_nobody_documented_is_kept_as_klings_own_word(state):
    seen = task({"task_id": "7", "task_status": state})
    assert (seen.task_status, seen.terminal) == (state, False)


# -- numbers -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ("2.5", "2.5"),
        (2.5, "2.5"),
        (0, "0"),
        ("0", "0"),
        ("0.00", "0"),
        ("-0", "0"),
        (" 1 ", "1"),
        ("+1", "1"),
        (".5", "0.5"),
        ("5.", "5"),
        ("1e3", "1000"),
        (1e-7, "0"),
        ("1e-400", "0"),
        ("2.50", "2.50"),
        ("5.0399999999999", "5.040000"),
        ("999999999999.999999", "999999999999.999999"),
    ],
)
def test_a_number_is_read_exactly_and_written_out(value, read):
    assert str(number(value)) == read


@pytest.mark.parametrize(
    "value",
    [
        *("1e700000000", "-1e700000000", "1e12", "1000000000000", 10**12, 1e300, "1e9999", "9" * 50_000),
        *("0." + "0" * 50_000 + "1", "1_000", "1,5", "٥", "0x10", "--1", "1e", "e5", ".", True, [1]),
    ],
    ids=lambda value: str(value)[:12],
)
def test_a_number_out_of_bounds_is_none(value):
    assert number(value) is None


@law
@given(
    st.text("0123456789.eE+- ", max_size=45)
    | st.integers()
    | st.floats()
    | st.decimals().map(str)
    | st.text(max_size=9)
)
@example("1e700000000")
def test_any_number_is_within_its_bounds_or_none(value):
    found = number(value)
    if found is not None:
        before, _, after = str(abs(found)).partition(".")
        assert len(before) <= 12
        assert len(after) <= 6
        assert (before + after).isdigit()


@pytest.mark.parametrize(
    ("value", "quota", "list_price"),
    [
        ({"quota": "0", "list_price": 0}, 0, 0),
        ({"quota": "0.35"}, "0.35", None),
        ({"list_price": "0.4", "quota": "x"}, None, "0.4"),
    ],
)
def test_a_deduction_from_a_cash_account_is_read_as_far_as_it_can_be(value, quota, list_price):
    seen = task({"task_id": "7", "final_balance_deduction": value}).final_balance_deduction
    amounts = [None if each is None else Decimal(each) for each in (quota, list_price)]
    assert seen == BalanceDeduction(amounts[0], amounts[1])


@pytest.mark.parametrize(
    ("said", "currency"), [("CNY", "CNY"), ("<b>", ""), (None, ""), (5, ""), ("USDT", "")]
)
def test_a_deduction_has_a_currency_where_the_answer_names_one(said, currency):
    value = {"quota": "1", "currency": said}
    assert task(
        {"task_id": "7", "final_balance_deduction": value}
    ).final_balance_deduction == BalanceDeduction(Decimal(1), None, currency)


@pytest.mark.parametrize("value", [None, "", "0", 5, [], {}, {"quota": "1e700000000", "list_price": None}])
def test_a_deduction_that_cannot_be_read_is_none(value):
    assert task({"task_id": "7", "final_balance_deduction": value}).final_balance_deduction is None


# -- times ---------------------------------------------------------------------------------------------------

SUMMER = datetime(2026, 7, 25, 17, 20, tzinfo=UTC)


@pytest.mark.parametrize(
    "value",
    [
        *(1785000000, "1785000000", 1785000000.0, 1785000000000, "1785000000000", 1785000000000.0),
        *(1785000000000000, 1785000000000000000, "2026-07-25T17:20:00Z", "2026-07-25T17:20:00+00:00"),
        *("2026-07-25 17:20:00", "2026-07-25T17:20:00.000", "2026-07-26T01:20:00+08:00", "20260725T172000Z"),
    ],
)
def test_a_time_is_told_by_its_size_or_its_text(value):
    seen = task({"task_id": "7", "updated_at": value}).updated_at
    assert seen == SUMMER
    assert seen.tzinfo is UTC


@pytest.mark.parametrize(
    "value",
    [
        *(0, 5, -1, -1785000000000, "", "soon", True, None, [], 1e300, "9" * 60, "1e30", float("nan")),
        *("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "1970-01-01", "20260725", 10**20),
    ],
)
def test_a_time_that_can_be_none_of_klings_is_none(value):
    assert task({"task_id": "7", "updated_at": value}).updated_at is None


@law
@given(st.integers() | st.floats() | st.text(max_size=30) | st.datetimes().map(str))
def test_any_time_is_in_utc_or_none(value):
    found = moment(value)
    assert found is None or (found.tzinfo is UTC and 2020 <= found.year < 2200)


# -- texts, ids and sizes ------------------------------------------------------------------------------------


def test_texts_are_bounded_and_can_be_stored():
    seen = task(
        {
            "task_id": "7",
            "task_status": "x" * 65_800,
            "task_status_msg": "\ud800\0" + "x" * 65_800,
            "task_info": {"external_task_id": "w" * 65_800},
            "task_result": {"videos": [{"id": "v" * 999, "url": f"https://a/{n}"} for n in range(999)]},
        },
        "r-1",
    )
    seen.task_status_msg.encode()
    assert len(seen.task_status_msg) == 1000
    assert len(seen.external_task_id) == 256
    assert len(seen.videos) == 20
    assert max(len(video.id) for video in seen.videos) <= 128
    assert len(task({"task_id": "7", "task_status": "x" * 65_800}).task_status) == 60
    _, request_id = read({"code": 0, "request_id": "r" * 999, "data": None})
    assert len(request_id) == 128


@pytest.mark.parametrize("url", ["https://a/" + "x" * 20_000, "https://a/\n", 5, None, []])
def test_a_link_that_nobody_could_open_is_none(url):
    assert task({"task_id": "7", "task_result": {"videos": [{"url": url}]}}).videos == ()


@pytest.mark.parametrize(
    "task_id", ["x" * 129, "a b", "a\n", "\ud800", 8.8e17, 0.5, True, [], {}, "9" * 4000]
)
def test_an_id_that_could_not_be_asked_for_is_none(task_id):
    with pytest.raises(MaybeSent):
        task({"task_id": task_id})


@pytest.mark.parametrize(
    ("task_id", "text"), [(0, "0"), (75.0, "75"), ("x" * 128, "x" * 128), (10**100, "1" + "0" * 100)]
)
def test_an_id_is_told_as_text(task_id, text):
    assert task({"task_id": task_id}).task_id == text


@pytest.mark.parametrize(
    "body",
    [
        b"[" * (DEPTH + 1) + b"]" * (DEPTH + 1),
        b'{"a":' * (DEPTH + 1) + b"1" + b"}" * (DEPTH + 1),
        b"[" * 1_000_000,
        b"[" + b"[]," * 1_000_000 + b"0]",
        b"9" * 5000,
        b"{",
        b"\xff",
    ],
    ids=["arrays", "objects", "endless", "many", "digits", "half", "bytes"],
)
def test_an_answer_that_is_too_deep_or_none_is_not_read(body):
    assert parse(body) is None


def test_an_answer_as_deep_as_allowed_is_read():
    assert parse(b"[" * (DEPTH - 1) + b"]" * (DEPTH - 1)) is not None
    assert parse(b'{"a": NaN, "b": [Infinity, 1e999, 2.5]}') == {"a": None, "b": [None, None, 2.5]}


# -- pages ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wrap",
    [
        lambda page: page,
        lambda page: {"list": page, "total": 2},
        lambda page: {"tasks": page},
        lambda page: {"result": page, "count": 2, "has_more": False},
        lambda page: {"video_tasks": page, "page": {"number": 1}},
    ],
)
def test_a_page_may_be_wrapped(wrap):
    assert [seen.task_id for seen in tasks(wrap([{"task_id": "1"}, {"task_id": "2"}]))] == ["1", "2"]


@pytest.mark.parametrize("data", [[], {"list": [], "total": 0}, {"result": []}])
def test_an_empty_page_may_be_wrapped_too(data):
    assert tasks(data) == ()


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
    for time_ in (seen.created_at, seen.updated_at):
        assert time_ is None or time_.tzinfo is UTC


@settings(law, max_examples=40)  # each has several of what the law above tries
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


def test_a_refusal_that_quotes_the_bytes_of_a_picture_is_told_without_them():
    message = f"image value '{'iVBORw0KGgo/' * 20}==' is invalid"
    with pytest.raises(APIError) as caught:
        read({"code": 1201, "message": message}, status=400)
    assert caught.value.message == "image value '…' is invalid"
