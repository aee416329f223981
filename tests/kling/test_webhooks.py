"""Callbacks: both documented bodies, and the signature."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kling import BalanceDeduction, Status, webhooks
from kling.sandbox.callbacks import signature
from kling.webhooks import CallbackRefused, read, verify

# The documentation's own example.
SECRET = "whsec_dGVzdHNlY3JldHRlc3RzZWNyZXR0ZXN0c2VjcmV0MTI="
NOW = 1781080794
BODY = (
    b'{"id":"1234567890","status":"succeeded","message":"",'
    b'"create_time":1781080778802,"update_time":1781080794151}'
)
HEADERS = {
    "webhook-id": "9876543210",
    "webhook-timestamp": str(NOW),
    "webhook-signature": "v1,UsKlJP00XoQyOn410NM9xv34sP+Gl0jnOO9Lcpr7NJ4=",
}
ANOTHER = "v1,AAAAJP00XoQyOn410NM9xv34sP+Gl0jnOO9Lcpr7NJ4="

LEGACY = {
    "task_id": "831922345719271433",
    "task_status": "succeed",
    "task_status_msg": "",
    "created_at": 1781080778802,
    "updated_at": 1781080794151,
    "final_unit_deduction": "1.5",
    "final_balance_deduction": {"quota": "0.21", "list_price": "0.3", "currency": "USD"},
    "task_info": {"external_task_id": "ours-1"},
    "task_result": {"videos": [{"id": "9", "url": "https://cdn.example/9.mp4", "duration": "5.04"}]},
}
NEW = {
    "id": "831922345719271433",
    "status": "succeeded",
    "message": "",
    "create_time": 1781080778802,
    "update_time": 1781080794151,
    "external_id": "ours-1",
    "outputs": [
        {"type": "image", "id": "8", "url": "https://cdn.example/8.png"},
        {"type": "video", "id": "9", "url": "https://cdn.example/9.mp4", "duration": 5.04},
    ],
    "billing": [
        {"charge_type": "unit", "amount": "1", "package_type": "video"},
        {"charge_type": "unit", "amount": "0.5", "package_type": "video"},
        {"charge_type": "cash", "amount": "0.21", "list_price": "0.3", "currency": "USD"},
    ],
}


def encoded(fields: object) -> bytes:
    return json.dumps(fields).encode()


@pytest.mark.parametrize("body", [LEGACY, NEW])
def test_both_bodies_say_the_same_in_the_same_words(body: dict[str, object]):
    task = read(encoded(body))
    assert task.task_id == "831922345719271433"
    assert task.external_task_id == "ours-1"
    assert task.task_status == Status.SUCCEED
    assert task.final_unit_deduction == Decimal("1.5")
    assert task.final_balance_deduction == BalanceDeduction(Decimal("0.21"), Decimal("0.3"), "USD")
    assert [(video.id, video.url, video.duration) for video in task.videos] == [
        ("9", "https://cdn.example/9.mp4", 5.04)
    ]
    assert task.created_at == datetime.fromtimestamp(1781080778.802, UTC)
    assert task.updated_at == datetime.fromtimestamp(1781080794.151, UTC)
    assert task.raw == body


def test_a_new_body_that_failed_says_why():
    task = read(encoded({"id": 5, "status": "failed", "message": "no **faces**"}))
    assert (task.task_id, task.task_status, task.task_status_msg) == ("5", "failed", "no **faces**")
    assert task.final_unit_deduction is None
    assert task.final_balance_deduction is None
    assert task.videos == ()


@pytest.mark.parametrize(
    "billing",
    ["unit", {}, [None], [{"charge_type": "unit"}], [{"charge_type": "unit", "amount": "1e700000000"}]],
)
def test_a_bill_that_cannot_be_read_is_none(billing):
    assert read(encoded({"id": "5", "billing": billing})).final_unit_deduction is None


@pytest.mark.parametrize("status", ["submitted", "processing", "something new", None, 7])
def test_the_test_callback_of_the_console_and_states_of_later_are_read(status: object):
    assert read(encoded({"id": "1", "status": status, "outputs": []})).task_id == "1"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\xfe",
        b"[]",
        b'"id"',
        b"7",
        b"null",
        b"{}",
        b'{"id": null}',
        b'{"task_id": ""}',
        b"[" * 100_000,
    ],
)
def test_what_names_no_task_is_refused_in_words(body: bytes):
    with pytest.raises(CallbackRefused, match="body"):
        read(body)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from([*NEW, *LEGACY, "amount", "url"]), inner)
    ),
    max_leaves=12,
)


@settings(max_examples=50)  # each body has several fields that were changed
@given(st.sampled_from([LEGACY, NEW]), st.dictionaries(st.sampled_from([*NEW, *LEGACY]), JSON))
def test_fields_of_any_type_never_raise_anything_else(body: dict[str, object], changed: dict[str, object]):
    try:
        task = read(encoded(body | changed))
    except CallbackRefused:
        return
    assert task.task_id


def test_the_documented_example_is_signed():
    verify(SECRET, HEADERS, BODY, NOW)
    verify(SECRET.removeprefix("whsec_"), HEADERS, BODY, NOW)
    verify(SECRET.rstrip("="), HEADERS, BODY, NOW)


def test_names_of_headers_come_in_any_case():
    verify(SECRET, {name.title(): value for name, value in HEADERS.items()}, BODY, NOW)


@pytest.mark.parametrize(
    "given_ones", ["{other} {own}", "{own} {other}", "v1a,x {own}", "x {own}", ",, {own}"]
)
def test_one_right_signature_of_several_is_enough(given_ones: str):
    signatures = given_ones.format(own=HEADERS["webhook-signature"], other=ANOTHER)
    verify(SECRET, HEADERS | {"webhook-signature": signatures}, BODY, NOW)


@pytest.mark.parametrize("seconds", [-300, -1, 0, 299.9, 300])
def test_five_minutes_either_way_are_taken(seconds: float):
    verify(SECRET, HEADERS, BODY, NOW + seconds)


@pytest.mark.parametrize("seconds", [-301, 300.1, 86_400])
def test_an_old_callback_cannot_be_played_again(seconds: float):
    with pytest.raises(CallbackRefused, match="five minutes"):
        verify(SECRET, HEADERS, BODY, NOW + seconds)


@pytest.mark.parametrize("missing", list(HEADERS))
def test_without_one_of_its_headers_it_is_not_signed(missing: str):
    for headers in ({**HEADERS, missing: ""}, {name: HEADERS[name] for name in HEADERS if name != missing}):
        with pytest.raises(CallbackRefused, match="not signed"):
            verify(SECRET, headers, BODY, NOW)


@pytest.mark.parametrize(
    ("changed", "body"),
    [
        ({"webhook-signature": ANOTHER}, BODY),
        ({"webhook-signature": HEADERS["webhook-signature"].removeprefix("v1,")}, BODY),
        ({"webhook-signature": HEADERS["webhook-signature"].replace("v1,", "v2,")}, BODY),
        ({"webhook-signature": HEADERS["webhook-signature"][:-1]}, BODY),
        ({"webhook-signature": "v1,"}, BODY),
        ({"webhook-signature": "v1,é\udc80"}, BODY),
        ({"webhook-id": "9876543211"}, BODY),
        ({"webhook-id": "é\udc80"}, BODY),
        ({"webhook-timestamp": str(NOW + 1)}, BODY),
        ({}, BODY + b" "),
        ({}, b""),
    ],
)
def test_whatever_was_changed_is_noticed(changed: dict[str, str], body: bytes):
    with pytest.raises(CallbackRefused, match="signature"):
        verify(SECRET, HEADERS | changed, body, NOW)


@pytest.mark.parametrize("timestamp", ["soon", "1781080794.5", "1e9", "9" * 5000, "NaN"])
def test_a_timestamp_that_is_no_number_is_refused(timestamp: str):
    with pytest.raises(CallbackRefused, match="webhook-timestamp"):
        verify(SECRET, HEADERS | {"webhook-timestamp": timestamp}, BODY, NOW)


@given(st.binary(min_size=1), st.binary(max_size=300), st.text("abc-_019", min_size=1), st.integers(0, 2**40))
def test_what_another_implementation_signs_is_accepted_with_its_secret_only(
    own_key: bytes, body: bytes, webhook_id: str, now: int
):
    import base64

    secret = "whsec_" + base64.b64encode(own_key).decode()
    headers = {
        "webhook-id": webhook_id,
        "webhook-timestamp": str(now),
        "webhook-signature": signature(secret, webhook_id, now, body),
    }
    verify(secret, headers, body, now)
    with pytest.raises(CallbackRefused):
        verify("whsec_" + base64.b64encode(b"x" + own_key).decode(), headers, body, now)


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_***", "whsec_a", "whsec_é"])
def test_a_secret_that_is_none_is_said(secret: str):
    with pytest.raises(ValueError, match=r".+"):
        webhooks.key(secret)
