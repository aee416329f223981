"""What becomes of a task: its states, its result, its price, and how it is found again."""

from __future__ import annotations

import pytest

from kling.sandbox.contract import TEXT_TO_VIDEO
from kling.sandbox.engine import RISK_CONTROL
from kling.sandbox.responses import RETENTION_MS

DAY = 24 * 3600


def test_a_task_goes_from_submitted_through_processing_to_succeed(bench):
    task_id = bench.create(external_task_id="mine")["task_id"]
    bench.draw()
    seen = []
    for _ in range(8):
        task = bench.task(task_id)
        seen.append((task["task_status"], task["updated_at"] - task["created_at"]))
        bench.later(0.5)
    assert seen == [("submitted", 0)] * 2 + [("processing", 700)] * 4 + [("succeed", 3000)] * 2


def test_it_succeeds_no_sooner_than_its_clip_is_drawn(bench):
    task_id = bench.create()["task_id"]
    bench.later(10)
    assert bench.task(task_id)["task_status"] == "processing"
    bench.draw()
    task = bench.task(task_id)
    assert (task["task_status"], task["updated_at"] - task["created_at"]) == ("succeed", 10_000)


@pytest.mark.parity("pending-shape")
def test_a_task_has_the_official_shape_in_every_state(bench):
    fields = [
        "task_id",
        "task_status",
        "task_status_msg",
        "final_unit_deduction",
        "final_balance_deduction",
        "watermark_info",
        "task_info",
    ]
    task_id = bench.create()["task_id"]
    pending = bench.task(task_id)
    assert list(pending) == [*fields, "task_result", "created_at", "updated_at"]
    assert (pending["task_result"], pending["final_unit_deduction"]) == ({"videos": []}, "0")
    bench.finish()
    done = bench.task(task_id)
    assert list(done) == list(pending)
    assert list(done["task_result"]["videos"][0]) == ["id", "url", "duration"]


def test_either_id_finds_the_task_and_a_page_shows_the_same(bench):
    task_id = bench.create(external_task_id="mine")["task_id"]
    bench.finish()
    assert bench.task("mine") == bench.task(task_id) == bench.page()[0]


@pytest.mark.parity("task-not-found")
@pytest.mark.parametrize("unknown", ["800000000000000000", "nobody", "x" * 3000, "../etc", "\x00"])
def test_an_unknown_task_is_a_bad_request_and_not_a_404(bench, unknown):
    answer = bench.call("GET", f"{TEXT_TO_VIDEO}/{unknown}")
    assert (answer.status, answer.body["code"]) == (400, 1201)
    assert answer.body["message"] == f"Task not found by id/external id: {unknown[:200]}"


@pytest.mark.parity("list-order")
def test_a_list_goes_from_the_newest_to_the_oldest_in_pages(bench):
    ids = [bench.create()["task_id"] for _ in range(5)][::-1]
    assert [task["task_id"] for task in bench.page()] == ids
    pages = [bench.page(pageNum=str(number), pageSize="2") for number in (1, 2, 3, 4, 1000)]
    assert [[task["task_id"] for task in page] for page in pages] == [ids[:2], ids[2:4], ids[4:], [], []]


@pytest.mark.parametrize("name", ["pageNum", "pageSize"])
@pytest.mark.parametrize("value", ["0", "-1", "1001", "x", "", "1.5", "٣", "9" * 5000])
def test_a_page_that_is_none_is_refused(bench, name, value):
    answer = bench.call("GET", TEXT_TO_VIDEO, **{name: value})
    assert answer.body["code"] == 1201
    assert answer.body["message"].startswith(name)


def test_the_largest_page_is_taken(bench):
    assert bench.page(pageNum="1000", pageSize="500") == []
    assert bench.call("GET", TEXT_TO_VIDEO, pageSize="501").body["code"] == 1201


@pytest.mark.parity("deduction")
@pytest.mark.parametrize(
    ("fields", "deduction"),
    [
        ({}, "1.5"),
        ({"mode": "pro", "sound": "on"}, "5"),
        ({"mode": "pro", "sound": "on", "duration": "10"}, "10"),
        ({"model_name": "kling-v2-5-turbo", "mode": "pro"}, "2.5"),
        ({"model_name": "kling-v3"}, "3"),
        ({"model_name": "kling-v3", "mode": "pro", "sound": "on", "duration": "15"}, "18"),
        ({"model_name": "kling-v3", "mode": "4k", "duration": "15"}, "45"),
        ({"model_name": "kling-v1", "mode": "pro"}, "3.5"),
        ({"model_name": "kling-v2-1-master", "mode": "pro", "duration": "10"}, "20"),
    ],
)
def test_the_deduction_follows_the_price_table(bench, fields, deduction):
    bench.change(retired="serve")
    task_id = bench.create(**fields)["task_id"]
    bench.finish()
    assert bench.task(task_id)["final_unit_deduction"] == deduction


@pytest.mark.parity("watermark-url")
def test_a_watermarked_clip_is_there_exactly_when_asked_for(bench):
    plain = bench.create(watermark_info={"enabled": False})["task_id"]
    marked = bench.create(watermark_info={"enabled": True})["task_id"]
    bench.finish()
    assert bench.task(plain)["watermark_info"] == {"enabled": False}
    assert "watermark_url" not in bench.task(plain)["task_result"]["videos"][0]
    assert bench.task(marked)["watermark_info"] == {"enabled": True}
    video = bench.task(marked)["task_result"]["videos"][0]
    assert video["url"] != video["watermark_url"]


@pytest.mark.parity("retention")
def test_results_are_cleared_after_30_days_and_the_task_stays(bench):
    task_id = bench.create()["task_id"]
    bench.finish()
    bench.task(task_id)
    bench.engine.advance(RETENTION_MS - DAY * 1000)
    assert bench.task(task_id)["task_result"]["videos"]
    assert bench.engine.clip(task_id, bench.now)
    bench.engine.advance(DAY * 1000)
    bench.later(120)
    task = bench.page()[0]
    assert (task["task_status"], task["task_result"], task["final_unit_deduction"]) == (
        "succeed",
        {"videos": []},
        "1.5",
    )
    assert bench.engine.clip(task_id, bench.now) is None


def test_a_clip_can_be_had_only_when_the_task_has_succeeded(bench):
    task_id = bench.create(external_task_id="mine")["task_id"]
    assert bench.engine.clip(task_id, bench.now) is None
    bench.finish()
    assert bench.engine.clip(task_id, bench.now)
    assert bench.engine.clip("mine", bench.now) is None


@pytest.mark.parity("failed-is-free", "moderation")
def test_the_word_sandbox_failed_lets_a_task_fail_later(bench):
    task_id = bench.create(prompt="A fox, sandbox-failed please")["task_id"]
    assert bench.engine.store.undrawn() is None
    bench.later(1)
    assert bench.task(task_id)["task_status"] == "processing"
    bench.later(2)
    task = bench.task(task_id)
    assert (task["task_status"], task["task_status_msg"]) == ("failed", RISK_CONTROL)
    assert (task["final_unit_deduction"], task["task_result"]) == ("0", {"videos": []})


@pytest.mark.parametrize(
    ("pace", "states"),
    [
        ("immediate", ["succeed"] * 4),
        ("never", ["submitted"] + ["processing"] * 3),
        ("seconds:2", ["submitted", "processing", "succeed", "succeed"]),
        ("polls:3", ["processing", "processing", "succeed", "succeed"]),
    ],
)
def test_a_planned_pace(bench, pace, states):
    bench.plan(on="create", pace=pace)
    task_id = bench.create()["task_id"]
    bench.draw()
    seen = []
    for _ in states:
        seen.append(bench.task(task_id)["task_status"])
        bench.later(1)
    assert seen == states


def test_a_list_counts_as_a_poll(bench):
    bench.plan(pace="polls:2")
    bench.create()
    bench.draw()
    assert [bench.page()[0]["task_status"] for _ in range(3)] == ["processing", "succeed", "succeed"]


def test_ids_are_read_the_same_with_a_slash_at_the_end_of_the_path(bench):
    bench.create()
    assert len(bench.call("GET", f"{TEXT_TO_VIDEO}/").body["data"]) == 1
