"""Answers that say something else than is documented, planned for a call or for the whole engine."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest

from kling.sandbox import contract
from kling.sandbox.body_faults import BODY_FAULTS
from kling.sandbox.contract import TEXT_TO_VIDEO
from kling.sandbox.engine import Request
from kling.sandbox.faults import RAW
from kling.sandbox.plans import TASK_FAULTS

STATUSES = {
    "status-succeeded": ["submitted", "processing", "succeeded", "failed"],
    "status-completed": ["submitted", "processing", "completed", "failed"],
    "status-uppercase": ["SUBMITTED", "PROCESSING", "SUCCEED", "FAILED"],
    "unknown-status": ["reviewing"] * 4,
}


def asked(bench, path: str = TEXT_TO_VIDEO, *faults: str, body: Any = None, **query: str) -> Any:
    """Ask with faults in the engine's settings; return the answer unchecked, as it goes over the wire."""
    before = bench.engine.settings
    bench.change(faults=frozenset(faults))
    request = Request(
        method="GET" if body is None else "POST",
        path=path,
        query=query,
        headers={"authorization": bench.authorization, "content-type": "application/json"},
        body=b"" if body is None else json.dumps(body).encode(),
    )
    answer = bench.engine.handle(request, bench.now)
    bench.engine.settings = before
    return answer


def task(bench, *faults: str) -> Any:
    return asked(bench, f"{TEXT_TO_VIDEO}/mine", *faults).body["data"]


def test_every_fault_can_be_planned_and_is_explained():
    from kling.sandbox import plans

    offered = set(contract.OPENAPI["components"]["schemas"]["Plan"]["properties"]["fault"]["enum"])
    assert offered >= BODY_FAULTS | TASK_FAULTS | RAW
    assert all(name in str(plans.__doc__) for name in offered)


@pytest.mark.parametrize("fault", sorted(BODY_FAULTS))
def test_no_fault_breaks_another_call_or_an_account(bench, fault):
    bench.change(units=100)
    task_request = {"model_name": "kling-v2-6", "prompt": "A fox", "external_task_id": "mine"}
    window = {"start_time": "0", "end_time": "1"}
    for path, body, query in (
        (TEXT_TO_VIDEO, task_request, {}),
        (TEXT_TO_VIDEO, task_request, {}),
        (TEXT_TO_VIDEO, None, {}),
        (f"{TEXT_TO_VIDEO}/mine", None, {}),
        ("/nowhere", None, {}),
        ("/account/costs", None, window),
    ):
        answer = asked(bench, path, fault, body=body, **query)
        assert json.loads(json.dumps(answer.body))
    plain = contract.problems("AccountCostsAnswer", asked(bench, "/account/costs", **window).body)
    assert list(plain) == [], "a fault of an answer stays in that answer"


@pytest.mark.parametrize(("fault", "names"), STATUSES.items())
def test_states_in_other_spellings(bench, fault, names):
    bench.create(external_task_id="mine")
    seen = [task(bench, fault)["task_status"]]
    bench.later(1)
    seen.append(asked(bench, TEXT_TO_VIDEO, fault).body["data"][0]["task_status"])
    bench.finish()
    seen.append(task(bench, fault)["task_status"])
    bench.create(external_task_id="fails", prompt="sandbox-failed")
    bench.later(60)
    seen.append(asked(bench, f"{TEXT_TO_VIDEO}/fails", fault).body["data"]["task_status"])
    assert seen == names


@pytest.mark.parametrize(
    ("fault", "good", "bad"), [("code-text", '"0"', '"1201"'), ("code-float", "0.0", "1201.0")]
)
def test_codes_of_other_types(bench, fault, good, bad):
    for path, code in ((TEXT_TO_VIDEO, good), (f"{TEXT_TO_VIDEO}/nobody", bad)):
        answer = asked(bench, path, fault)
        assert json.dumps(answer.body).startswith(f'{{"code": {code},')
        assert answer.status == (200 if code == good else 400)


def test_times_in_seconds_and_as_texts(bench):
    created = bench.create(external_task_id="mine")["created_at"]
    assert task(bench, "times-in-seconds")["created_at"] == created // 1000
    text = task(bench, "times-in-iso")["updated_at"]
    assert datetime.fromisoformat(text).timestamp() * 1000 == created


@pytest.mark.parity("balance-deduction")
def test_a_cash_account_beside_or_instead_of_units(bench):
    bench.create(external_task_id="mine")
    zero = {"quota": "0", "list_price": "0"}
    assert task(bench, "cash")["final_balance_deduction"] == zero
    bench.finish()
    assert task(bench)["final_balance_deduction"] == zero
    paid = {"quota": "0.21", "list_price": "0.21"}
    beside = task(bench, "cash")
    assert (beside["final_unit_deduction"], beside["final_balance_deduction"]) == ("0", paid)
    assert list(contract.problems("Task", beside)) == []
    instead = asked(bench, TEXT_TO_VIDEO, "cash-only").body["data"][0]
    assert instead["final_balance_deduction"] == paid
    assert "final_unit_deduction" not in instead


def test_a_deduction_that_no_number_holds(bench):
    bench.create(external_task_id="mine")
    assert task(bench, "huge-deduction")["final_unit_deduction"] == "1e700000000"


def test_a_task_that_succeeded_without_a_video(bench):
    bench.create(external_task_id="mine")
    bench.finish()
    for faults in (["no-videos"], ["no-videos", "cash"]):
        empty = task(bench, *faults)
        assert (empty["task_status"], empty["task_result"]) == ("succeed", {"videos": []})
        assert empty["final_unit_deduction"] == "0"
        assert empty["final_balance_deduction"]["quota"] == "0"
    assert task(bench)["task_result"]["videos"]


@pytest.mark.parametrize("planned", [True, False])
def test_a_result_comes_some_seconds_after_the_success(bench, planned):
    faults = [] if planned else ["late-videos"]
    if planned:
        bench.plan(on="create", fault="late-videos")
    bench.create(external_task_id="mine")
    bench.draw()
    seen = []
    for seconds in (1, 2, 9.9, 0.1):
        bench.later(seconds)
        shown = task(bench, *faults)
        assert asked(bench, TEXT_TO_VIDEO, *faults).body["data"] == [shown]
        seen.append(
            (shown["task_status"], len(shown["task_result"]["videos"]), shown["final_unit_deduction"])
        )
    assert seen == [("processing", 0, "0"), ("succeed", 0, "0"), ("succeed", 0, "0"), ("succeed", 1, "1.5")]


def test_a_list_that_is_not_there_while_tasks_are(bench):
    bench.create(external_task_id="mine")
    answer = asked(bench, TEXT_TO_VIDEO, "list-404")
    assert (answer.status, answer.body["code"]) == (404, 1203)
    assert task(bench, "list-404")["task_status"] == "submitted"


def test_lists_that_are_wrapped_partial_empty_or_out_of_order(bench):
    ids = [bench.create()["task_id"] for _ in range(5)][::-1]
    whole = bench.page()
    assert asked(bench, TEXT_TO_VIDEO, "list-object").body["data"] == {"list": whole, "total": 5}
    partial = asked(bench, TEXT_TO_VIDEO, "list-partial").body["data"]
    assert [one["task_id"] for one in partial] == ids[1::2]
    assert asked(bench, TEXT_TO_VIDEO, "list-empty").body["data"] == []
    shuffled = [one["task_id"] for one in asked(bench, TEXT_TO_VIDEO, "other-order").body["data"]]
    assert shuffled != ids
    assert sorted(shuffled) == sorted(ids)


def test_a_query_is_answered_with_a_strangers_task(bench):
    bench.create(external_task_id="mine")
    made_up = task(bench, "stranger")
    assert list(contract.problems("Task", made_up)) == []
    assert made_up["task_info"]["external_task_id"] != "mine"
    assert made_up["task_result"]["videos"]
    other = bench.create(external_task_id="other")["task_id"]
    assert task(bench, "stranger")["task_id"] == other
    assert (
        asked(bench, f"{TEXT_TO_VIDEO}/other", "stranger").body["data"]["task_info"]["external_task_id"]
        == "mine"
    )
    assert asked(bench, f"{TEXT_TO_VIDEO}/nobody", "stranger").body["data"]["task_id"] == other


def test_a_fault_is_planned_for_some_calls_and_several_hold_at_once(bench):
    bench.create(external_task_id="mine")
    bench.finish()
    bench.plan(on="query", fault="status-uppercase", times=2)
    seen = [task(bench, "status-completed", "times-in-seconds") for _ in range(3)]
    assert [one["task_status"] for one in seen] == ["COMPLETED", "COMPLETED", "completed"]
    assert seen[0]["created_at"] < 10**11
