"""A sandbox that shows a task later than it accepts it, and one that takes an id twice."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kling.sandbox.contract import TEXT_TO_VIDEO
from kling.sandbox.store import Store
from tests.sandbox.conftest import Bench


def shown(bench: Bench) -> list[str]:
    return [task["task_info"]["external_task_id"] for task in bench.page()]


@pytest.mark.parity("read-after-write")
def test_a_task_is_accepted_at_once_and_shown_after_the_lag(bench):
    bench.change(lag=18)
    task_id = bench.create(external_task_id="mine")["task_id"]
    bench.draw()
    for seconds in (0, 17.9):
        bench.later(seconds)
        for either_id in ("mine", task_id):
            answer = bench.call("GET", f"{TEXT_TO_VIDEO}/{either_id}")
            assert (answer.status, answer.body["code"]) == (400, 1201)
            assert answer.body["message"] == f"Task not found by id/external id: {either_id}"
        assert bench.page() == []
        assert bench.refused(external_task_id="mine")["message"] == "External_task_id mine already exists"
        assert bench.engine.store.count_by_external_task_id() == {"mine": 1}
    bench.later(0.1)
    assert bench.task("mine") == bench.task(task_id) == bench.page()[0]
    assert bench.task("mine")["task_status"] == "succeed"


def test_a_hidden_task_holds_its_slot_and_its_units(bench):
    bench.change(lag=60, concurrency=1)
    bench.create()
    assert bench.refused()["code"] == 1303
    bench.change(concurrency=5, units=2)
    assert bench.refused()["code"] == 1102


def test_the_lag_can_be_changed_while_it_runs(bench):
    bench.create(external_task_id="before")
    bench.change(lag=10)
    bench.create(external_task_id="lagging")
    bench.change(lag=0)
    bench.create(external_task_id="after")
    assert shown(bench) == ["after", "before"]
    bench.later(10)
    assert shown(bench) == ["after", "lagging", "before"]


def test_a_lag_can_be_planned_for_one_task(bench):
    bench.plan(on="create", external_task_id="late", lag=120)
    bench.create(external_task_id="prompt")
    bench.create(external_task_id="late")
    assert shown(bench) == ["prompt"]
    bench.later(120)
    assert shown(bench) == ["late", "prompt"]
    bench.change(lag=60)
    bench.plan(on="create", lag=0)
    bench.create(external_task_id="at once")
    assert shown(bench)[0] == "at once"


def test_being_asked_for_does_not_age_a_task_that_is_not_shown(bench):
    bench.change(lag=5)
    bench.plan(on="create", pace="polls:2")
    bench.create(external_task_id="mine")
    bench.draw()
    for _ in range(3):
        bench.call("GET", f"{TEXT_TO_VIDEO}/mine")
        bench.page()
    bench.later(5)
    assert [bench.task("mine")["task_status"] for _ in range(2)] == ["processing", "succeed"]


def test_a_plan_for_a_hidden_task_meets_its_calls(bench):
    bench.change(lag=5)
    bench.plan(on="query", external_task_id="mine", code=5001)
    task_id = bench.create(external_task_id="mine")["task_id"]
    assert bench.call("GET", f"{TEXT_TO_VIDEO}/{task_id}").body["code"] == 5001


def test_tasks_without_lag_are_shown_also_when_the_clock_goes_back(bench):
    bench.create(external_task_id="mine")
    bench.later(-3600)
    assert bench.task("mine")
    assert shown(bench) == ["mine"]


def test_a_hidden_task_is_still_hidden_after_a_restart(bench, tmp_path):
    for expected in (["old"], ["hidden", "old"]):
        store = Store(str(tmp_path / "sandbox.sqlite"))
        again = Bench(store)
        again.now = bench.now
        if "hidden" not in store.count_by_external_task_id():
            again.create(external_task_id="old")
            again.plan(on="create", lag=30)
            again.create(external_task_id="hidden")
        assert shown(again) == expected
        assert again.refused(external_task_id="hidden")["code"] == 1201
        bench.later(30)
        store.close()


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(
    lags=st.lists(st.sampled_from([0, 0, 1, 5, 60]), max_size=12),
    size=st.integers(1, 5),
    seconds=st.sampled_from([0, 1, 5]),
    oldest_first=st.booleans(),
)
def test_pages_are_those_of_the_shown_tasks(lags, size, seconds, oldest_first):
    store = Store()
    try:
        bench = Bench(store)
        for lag in lags:
            bench.change(lag=lag)
            bench.create()
        now = bench.engine.clock(bench.now + seconds)
        expected = [number for number, lag in enumerate(lags, start=1) if lag <= seconds]
        if not oldest_first:
            expected.reverse()
        pages = [
            [task.seq for task in store.page(number, size, oldest_first=oldest_first, shown_at=now)]
            for number in range(1, len(lags) + 2)
        ]
        assert pages[0] == expected[:size]
        assert [seq for page in pages for seq in page] == expected
    finally:
        store.close()


@pytest.mark.parity("duplicates")
def test_an_id_that_is_taken_twice_makes_two_tasks_and_finds_the_first(bench):
    bench.change(duplicates="accept")
    first, second = (bench.create(external_task_id="mine", prompt=words)["task_id"] for words in ("a", "b"))
    assert first != second
    assert bench.task("mine")["task_id"] == first
    assert bench.task(second)["task_info"]["external_task_id"] == "mine"
    assert [task["task_id"] for task in bench.page()] == [second, first]
    assert bench.engine.store.count_by_external_task_id() == {"mine": 2}
    bench.finish()
    bench.task("mine")
    assert bench.engine.store.units_used == 3
    bench.change(duplicates="refuse")
    assert bench.refused(external_task_id="mine")["code"] == 1201


def test_of_two_tasks_with_one_id_the_first_that_is_shown_is_found(bench):
    bench.change(duplicates="accept")
    bench.plan(on="create", lag=30)
    first, second = (bench.create(external_task_id="mine")["task_id"] for _ in range(2))
    assert bench.task("mine")["task_id"] == second
    bench.later(30)
    assert bench.task("mine")["task_id"] == first
