"""Every code of the error table, and the account behind some of them."""

from __future__ import annotations

import json

import pytest

from kling.sandbox import contract
from kling.sandbox.contract import TEXT_TO_VIDEO
from kling.sandbox.responses import PACK_MS
from tests.sandbox.conftest import REQUEST


@pytest.mark.parametrize("code", contract.ERRORS)
def test_every_code_can_be_planned(bench, code):
    bench.plan(code=code, times=2)
    for method, body in (("POST", json.dumps(REQUEST).encode()), ("GET", b"")):
        answer = bench.call(method, TEXT_TO_VIDEO, body)
        assert (answer.body["code"], answer.status) == (code, contract.ERRORS[code]["http"])
        assert "data" not in answer.body
    assert bench.page() == []


@pytest.mark.parity("moderation")
@pytest.mark.parametrize("code", contract.ERRORS)
def test_every_code_can_be_asked_for_in_a_prompt(bench, code):
    body = bench.refused(prompt=f"A fox and sandbox-{code} in the snow")
    assert body["code"] == code
    assert "prompt" in body["message"]
    assert bench.page() == []


def test_other_words_ask_for_nothing(bench):
    for prompt in ("sandbox-9999", "sandbox-1", "sandbox-13001", "mysandbox-1301", "a sandbox"):
        bench.create(prompt=prompt)


@pytest.mark.parity("other-endpoints")
@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("DELETE", TEXT_TO_VIDEO, 1202),
        ("HEAD", TEXT_TO_VIDEO, 1202),
        ("PUT", f"{TEXT_TO_VIDEO}/1", 1202),
        ("POST", f"{TEXT_TO_VIDEO}/1", 1202),
        ("POST", "/account/costs", 1202),
        ("BREW", "/account/costs", 1202),
        ("GET", "/", 1203),
        ("POST", "/v1/videos/omni-video", 1203),
        ("GET", "/v1/videos/text2video2", 1203),
        ("GET", "/tasks/1", 1203),
        ("GET", "/text-to-video/kling-3.0", 1202),
        ("POST", "/text-to-video", 1203),
        ("DELETE", "/tasks", 1202),
    ],
)
def test_wrong_methods_and_paths(bench, method, path, code):
    answer = bench.call(method, path)
    assert (answer.status, answer.body["code"]) == (404, code)


@pytest.mark.parity("concurrency")
def test_tasks_in_flight_are_limited_per_model(bench):
    bench.change(concurrency=2)
    for _ in range(2):
        bench.create()
    answer = bench.post({"model_name": "kling-v2-6", "prompt": "A fox"})
    assert answer.status == 429
    assert answer.body == {
        "code": 1303,
        "message": "parallel task over resource pack limit",
        "request_id": "request",
    }
    bench.create(model_name="kling-v3")
    bench.finish()
    bench.create()


def test_a_failed_task_frees_its_place(bench):
    bench.change(concurrency=1)
    bench.plan(outcome="failed", message="The picture was too dark")
    task_id = bench.create()["task_id"]
    assert bench.refused()["code"] == 1303
    bench.later(3)
    bench.create()
    assert bench.task(task_id)["task_status_msg"] == "The picture was too dark"


@pytest.mark.parity("balance")
def test_a_pack_is_used_up(bench):
    bench.change(units=4)
    for _ in range(2):
        bench.create()
    body = bench.refused()
    assert (body["code"], body["message"]) == (1102, "Account balance not enough")
    bench.finish()
    assert bench.refused()["code"] == 1102
    pack = bench.costs()["data"]["resource_pack_subscribe_infos"][0]
    assert (pack["total_quantity"], pack["remaining_quantity"], pack["status"]) == (4.0, 1.0, "online")


def test_units_of_a_failed_task_are_free_again(bench):
    bench.change(units=1.5)
    bench.create(prompt="sandbox-failed")
    assert bench.refused()["code"] == 1102
    bench.later(3)
    bench.create()


def test_a_pack_expires(bench):
    bench.change(units=100)
    bench.engine.advance(PACK_MS)
    assert bench.refused()["code"] == 1102
    assert bench.costs()["data"]["resource_pack_subscribe_infos"][0]["status"] == "expired"
    bench.change(units=0)
    bench.engine.reset(bench.now)
    assert bench.costs()["data"]["resource_pack_subscribe_infos"][0]["status"] == "runOut"


@pytest.mark.parity("costs-absent", "costs-window")
def test_account_costs(bench):
    assert bench.costs()["data"] == {"code": 0, "msg": "success"}
    bench.change(units=100)
    name = bench.costs()["data"]["resource_pack_subscribe_infos"][0]["resource_pack_name"]
    assert name == "Sandbox-Video-100Units-20Con-6Months"
    assert len(bench.costs(resource_pack_name=name)["data"]["resource_pack_subscribe_infos"]) == 1
    assert "resource_pack_subscribe_infos" not in bench.costs(resource_pack_name="another")["data"]
    for missing in ("start_time", "end_time"):
        body = bench.costs(**{missing: ""})
        assert body["code"] == 1201
        assert missing in body["message"]


@pytest.mark.parity("costs-rate")
def test_strict_limits_account_queries_to_one_a_second(bench):
    bench.change(strict=True)
    assert bench.costs()["code"] == 0
    assert bench.costs()["code"] == 1302
    bench.later(1)
    assert bench.costs()["code"] == 0


def test_plans_are_for_a_task_or_for_a_number_of_calls(bench):
    bench.plan(on="query", external_task_id="mine", code=5001)
    bench.plan(on="list", code=1302, times=2)
    task_id = bench.create(external_task_id="mine")["task_id"]
    other = bench.create()["task_id"]
    assert bench.call("GET", f"{TEXT_TO_VIDEO}/{other}").body["code"] == 0
    assert [bench.call("GET", f"{TEXT_TO_VIDEO}/{task_id}").body["code"] for _ in range(2)] == [5001, 0]
    assert [bench.call("GET", TEXT_TO_VIDEO).body["code"] for _ in range(3)] == [1302, 1302, 0]


def test_a_planned_loss_takes_effect_or_not(bench):
    bench.plan(on="create", fault="reset", accept=False)
    bench.plan(on="create", fault="reset")
    assert bench.refused(external_task_id="mine")["code"] == 5000
    assert bench.engine.store.count_by_external_task_id() == {}
    bench.create(external_task_id="mine")
    assert bench.engine.store.count_by_external_task_id() == {"mine": 1}
