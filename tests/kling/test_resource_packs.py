"""The packs of an account: what is asked, and how the answer is read."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kling.errors import APIError, MaybeSent, RateLimited
from kling.resource_packs import EXPIRED, ONLINE, RUN_OUT, ResourcePack, call, read
from tests.kling.tools import law

ENTRY = {
    "resource_pack_name": "Trial-Video-100Units-5Con-1Months",
    "resource_pack_id": "pack-1",
    "resource_pack_type": "decreasing_total",
    "total_quantity": 100.0,
    "remaining_quantity": 12.5,
    "purchase_time": 1_795_000_000_000,
    "effective_time": 1_795_000_000_000,
    "invalid_time": 1_797_592_000_000,
    "status": "online",
}


def answer(*entries: Any) -> dict[str, Any]:
    return {"code": 0, "msg": "success", "resource_pack_subscribe_infos": list(entries)}


def test_both_times_are_asked_for_in_milliseconds():
    asked = call(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 11, 26, tzinfo=UTC))
    assert (asked.method, asked.path) == ("GET", "/account/costs")
    assert asked.params == {"start_time": 1_767_225_600_000, "end_time": 1_795_651_200_000}


def test_a_pack_is_read_under_our_own_names():
    time = datetime.fromtimestamp(1_795_000_000, UTC)
    assert read(answer(ENTRY)) == (
        ResourcePack(
            name="Trial-Video-100Units-5Con-1Months",
            id="pack-1",
            kind="decreasing_total",
            total=Decimal(100),
            remaining=Decimal("12.5"),
            bought=time,
            begins=time,
            ends=datetime.fromtimestamp(1_797_592_000, UTC),
            status=ONLINE,
        ),
    )


def test_the_slots_of_a_pack_stand_in_its_name():
    assert ResourcePack(name="Trial-Video-100Units-5Con-1Months").slots == 5
    assert ResourcePack(name="Convention pack of 20").slots is None


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ("online", ONLINE),
        ("runOut", RUN_OUT),
        ("run_out", RUN_OUT),
        ("Expired", EXPIRED),
        ("frozen", "frozen"),
    ],
)
def test_a_status_is_understood_in_other_spellings_and_else_kept(said, status):
    assert read(answer(ENTRY | {"status": said}))[0].status == status


def test_without_packs_the_list_is_absent():
    assert read({"code": 0, "msg": "success"}) == ()
    assert read({"code": 0, "resource_pack_subscribe_infos": None}) == ()


def test_a_refusal_inside_the_answer_is_an_error():
    with pytest.raises(RateLimited, match="too fast"):
        read({"code": 1302, "msg": "too fast"})


@pytest.mark.parametrize(
    "data", [None, [], "no", {}, {"task_id": "8"}, {"resource_pack_subscribe_infos": {}}]
)
def test_an_answer_about_something_else_is_none(data):
    with pytest.raises(MaybeSent, match="not about resource packs"):
        read(data)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*ENTRY, "code"]), inner),
    max_leaves=20,
)


@law
@given(data=JSON | JSON.map(answer))
def test_any_answer_is_read_or_refused_and_nothing_else_is_raised(data):
    try:
        packs = read(data)
    except (APIError, MaybeSent):
        return
    assert all(isinstance(pack.name, str) for pack in packs)
