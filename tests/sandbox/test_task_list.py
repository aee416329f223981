"""`/tasks`: tasks of both generations by their ids, and by the time of their creation."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.sandbox.conftest import base64_of, picture

NEW = "/text-to-video/kling-3.0"
FOX = {"prompt": "A fox"}


def ids_of(tasks: Any) -> list[str]:
    return [task["id"] for task in tasks]


def listed(bench, **body: Any) -> Any:
    answer = bench.ask("/tasks", body)
    assert answer.body["code"] == 0, answer.body
    return answer.body["data"]


@pytest.mark.parity("tasks-ids", "tasks-twenty")
@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({}, "task_ids or external_task_ids is required"),
        ({"task_ids": " , "}, "task_ids or external_task_ids is required"),
        ({"ids": "1"}, "task_ids or external_task_ids is required"),
        ({"task_ids": "1", "external_task_ids": "2"}, "task_ids or external_task_ids is required"),
        ({"task_ids": ",".join(map(str, range(21)))}, "cannot exceed 20 in total"),
    ],
)
def test_a_question_without_ids_or_with_too_many_is_refused(bench, query, words):
    answer = bench.call("GET", "/tasks", **query)
    assert (answer.status, answer.body["code"]) == (400, 1201)
    assert words in answer.body["message"]


@pytest.mark.parity("tasks-unknown", "tasks-both")
def test_tasks_of_both_generations_come_in_the_order_of_their_ids(bench):
    new = bench.made(NEW, FOX | {"options": {"external_task_id": "new"}})["id"]
    old = bench.create(external_task_id="old")["task_id"]
    assert ids_of(bench.tasks(old, "8" * 18, new, old)) == [old, new]
    assert ids_of(bench.tasks("old", "new", external=True)) == [old, new]
    assert bench.tasks("nobody", external=True) == []
    assert bench.tasks("old") == [], "an external id is no task id"
    assert bench.tasks(old)[0]["external_id"] == "old"


@pytest.mark.parity("tasks-unknown")
def test_of_duplicates_every_task_is_shown_the_first_one_first(bench):
    bench.change(duplicates="accept")
    twice = [bench.made(NEW, FOX | {"options": {"external_task_id": "mine"}})["id"] for _ in range(2)]
    assert ids_of(bench.tasks("mine", external=True)) == twice


@pytest.mark.parity("lists-apart")
def test_an_older_endpoint_shows_its_own_tasks_only(bench):
    image = {"model_name": "kling-v3", "prompt": "Snow falls", "image": base64_of(picture())}
    old = bench.create()["task_id"]
    framed = bench.made("/v1/videos/image2video", image | {"external_task_id": "framed"})["task_id"]
    new = bench.made(NEW, FOX)["id"]
    later = bench.create()["task_id"]
    lists = {
        path: bench.call("GET", path).body["data"]
        for path in ("/v1/videos/text2video", "/v1/videos/image2video")
    }
    assert [[task["task_id"] for task in found] for found in lists.values()] == [[later, old], [framed]]
    assert (
        bench.call("GET", "/v1/videos/text2video", pageNum="2", pageSize="1").body["data"][0]["task_id"]
        == old
    )
    for one in (framed, "framed", new):
        assert bench.call("GET", f"/v1/videos/text2video/{one}").body["code"] == 1201
    assert bench.call("GET", "/v1/videos/image2video/framed").body["data"]["task_id"] == framed


@pytest.mark.parity("tasks-page")
def test_pages_follow_one_another_by_their_cursor(bench):
    bench.change(concurrency=50)
    made = []
    for number in range(7):
        made.append(bench.made(NEW, FOX)["id"] if number % 2 else bench.create()["task_id"])
        bench.later(1)
    found, cursor, page = [], "", {}
    for _ in range(3):
        page = listed(bench, limit=3, cursor=cursor)
        found += ids_of(page["result"])
        assert page["count"] == len(page["result"])
        cursor = page.get("next_cursor", "")
        bench.create()  # a new task moves no page
    assert found == made[::-1]
    assert (page["has_more"], cursor) == (False, "")


@pytest.mark.parity("tasks-window", "tasks-cursor", "tasks-empty")
def test_a_window_in_numbers_or_texts_and_nothing_in_it(bench):
    task = bench.made(NEW, FOX)
    at = task["create_time"]
    for start, end in ((at, at + 1), (str(at), str(at + 1)), (at + 0.4, at + 1.4)):
        assert ids_of(listed(bench, start_time=start, end_time=end, limit=2.0)["result"]) == [task["id"]]
    assert listed(bench, start_time=at + 1, end_time=at + 2) == {"count": 0, "has_more": False}
    assert "start_time" in bench.ask("/tasks", {"start_time": 2, "end_time": 1}).body["message"]
    assert "cursor" in bench.ask("/tasks", {"cursor": "mine"}).body["message"]
    assert bench.call("POST", "/tasks").body["data"]["count"] == 1
    bench.engine.advance(31 * 24 * 3600 * 1000)
    assert listed(bench)["count"] == 0, "30 days by default"


def test_filters_by_state_and_by_product(bench):
    done = bench.made(NEW, FOX)["id"]
    bench.finish()
    failed = bench.made(NEW, {"prompt": "sandbox-failed"})["id"]
    bench.later(5)
    running = bench.create()["task_id"]
    bench.later(1)
    new = bench.made(NEW, FOX)["id"]

    def by(*values: str, key: str = "status") -> list[str]:
        return ids_of(listed(bench, filters=[{"key": key, "values": list(values)}]).get("result", []))

    assert by("succeeded") == [done]
    assert by("failed", "submitted") == [new, failed]
    assert by("processing") == [running]
    assert by("video", key="product_type") == [new, running, failed, done]
    assert by("image", "try_on", key="product_type") == []
    for wrong in ({"key": "status", "values": ["succeed"]}, {"key": "model", "values": []}):
        assert bench.ask("/tasks", {"filters": [wrong]}).body["code"] == 1201


def test_a_task_that_is_not_shown_yet_is_in_no_list(bench):
    bench.change(lag=5)
    task_id = bench.made(NEW, FOX | {"options": {"external_task_id": "mine"}})["id"]
    assert bench.tasks(task_id) == bench.tasks("mine", external=True) == []
    assert listed(bench)["count"] == 0
    bench.later(5)
    assert len(bench.tasks(task_id)) == listed(bench)["count"] == 1


def test_strict_refuses_unknown_keys_of_a_list(bench):
    assert listed(bench, pageNum=1)["count"] == 0
    bench.change(strict=True)
    assert bench.ask("/tasks", {"pageNum": 1}).body["message"].startswith("pageNum")


@pytest.mark.parametrize(
    ("fault", "bill"),
    [
        ("cash", [("cash", "0.42")]),
        ("cash-only", [("cash", "0.42")]),
        ("cash-mixed", [("unit", "1.5"), ("cash", "0.21")]),
        ("huge-deduction", [("unit", "1e700000000")]),
        ("no-videos", []),
    ],
)
def test_faults_of_what_was_charged(bench, fault, bill):
    task_id = bench.made(NEW, FOX)["id"]
    bench.finish()
    (task,) = asked(bench, fault, task_id)
    assert [(one["charge_type"], one["amount"]) for one in task["billing"]] == bill
    assert bool(task["outputs"]) == (fault != "no-videos")


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        ("status-succeed", "succeed"),
        ("status-completed", "completed"),
        ("status-uppercase", "SUCCEEDED"),
        ("unknown-status", "reviewing"),
    ],
)
def test_faults_of_states(bench, fault, status):
    task_id = bench.made(NEW, FOX)["id"]
    bench.finish()
    assert asked(bench, fault, task_id)[0]["status"] == status


def test_faults_of_lists_times_and_strangers(bench):
    ids = [bench.made(NEW, FOX)["id"] for _ in range(3)]
    assert asked(bench, "list-empty", *ids) == []
    assert ids_of(asked(bench, "list-partial", *ids)) == [ids[1]]
    assert asked(bench, "times-in-seconds", ids[0])[0]["create_time"] < 10**11
    assert ids_of(asked(bench, "stranger", *ids[:2])) == [ids[2]]
    (made_up,) = asked(bench, "stranger", *ids)
    assert made_up["external_id"] == "a-strangers-task"


def test_a_result_comes_some_seconds_after_the_success(bench):
    bench.plan(on="create", fault="late-videos")
    task_id = bench.made(NEW, FOX)["id"]
    bench.draw()
    bench.later(4)
    (task,) = bench.tasks(task_id)
    assert (task["status"], task["outputs"], task["billing"]) == ("succeeded", [], [])
    bench.later(10)
    assert bench.tasks(task_id)[0]["outputs"]


def test_plans_are_for_one_of_the_tasks_that_are_asked_for(bench):
    ids = [bench.made(NEW, FOX | {"options": {"external_task_id": name}})["id"] for name in ("one", "two")]
    bench.plan(on="query", external_task_id="two", code=5001)
    bench.plan(on="list", code=1302)
    assert len(bench.tasks(ids[0])) == 1
    assert [bench.call("GET", "/tasks", task_ids=",".join(ids)).body["code"] for _ in range(2)] == [5001, 0]
    assert [bench.ask("/tasks", {}).body["code"] for _ in range(2)] == [1302, 0]


def asked(bench, fault: str, *ids: str) -> Any:
    """Ask with a fault; return the answer unchecked, as it goes over the wire."""
    from kling.sandbox.engine import Request

    before = bench.engine.settings
    bench.change(faults=frozenset({fault}))
    headers = {"authorization": bench.authorization}
    request = Request(method="GET", path="/tasks", query={"task_ids": ",".join(ids)}, headers=headers)
    answer = bench.engine.handle(request, bench.now)
    bench.engine.settings = before
    return json.loads(json.dumps(answer.body))["data"]
