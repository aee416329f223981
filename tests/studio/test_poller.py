"""One poller follows everything: few requests, nobody forgotten, nothing lost."""

from __future__ import annotations

import random
import threading
from decimal import Decimal
from pathlib import Path

import pytest

from kling.errors import MaybeSent, NotSent, api_error
from kling.studio.poller import KLING_PACE, LONGEST_PAUSE, MOST_GETS, MOST_PAGES
from kling.tasks import Task
from tests.studio.fakes import Bench

LOST = MaybeSent("The connection broke.")
FULL = OSError(28, "No space left on device")


def running(bench: Bench, count: int) -> list[str]:
    """Let Kling and the log have so many running tasks."""
    ids = [f"mine-{number:03}" for number in range(count)]
    for job_id in ids:
        bench.kling.add(job_id, task_status="processing")
        cells = {"task_id": bench.kling.made[job_id].task_id, "account": bench.account}
        bench.ledger.append(job_id, state="processing", prompt="A fox", duration="5", **cells)
    return ids


def foreign(bench: Bench, count: int) -> None:
    for number in range(count):
        bench.kling.add(f"theirs-{number}", task_status="succeed")


# -- how much is asked ---------------------------------------------------------------------------------------


def test_five_hundred_tasks_behind_two_thousand_of_others_cost_a_few_requests(bench):
    ids = running(bench, 500)
    foreign(bench, 2000)
    for job_id in ids:
        bench.kling.change(job_id, task_status="failed", task_status_msg="no")
    bench.kling.order = lambda tasks: random.Random(7).sample(tasks, len(tasks))
    bench.poller.step()
    assert bench.kling.requests <= 5
    assert bench.states() == ["failed"] * 500


def test_a_task_at_the_top_of_the_list_costs_one_small_page(bench):
    running(bench, 1)
    bench.poller.step()
    assert bench.kling.pages == [(1, 30)]
    assert bench.kling.gets == []


def test_behind_a_hundred_thousand_tasks_of_others_a_tick_stays_small_and_everyone_is_seen_in_turn(bench):
    foreign(bench, MOST_PAGES * 500)
    ids = running(bench, 35)
    for job_id in ids:
        bench.kling.change(job_id, task_status="failed")
    for tick in range(1, 5):
        bench.kling.pages, bench.kling.gets = [], []
        bench.poller.step()
        assert bench.kling.requests <= MOST_PAGES + MOST_GETS
        assert bench.states().count("failed") == min(tick * MOST_GETS, 35) or tick == 4
        bench.clock.now += 60
    assert set(bench.states()) == {"failed"}


def test_a_task_whose_look_is_never_answered_does_not_keep_the_others_waiting(bench):
    ids = running(bench, 30)
    bench.kling.order = lambda _: []
    for job_id in ids:
        bench.kling.change(job_id, task_status="failed")
    poisoned = bench.kling.made.pop(ids[0])

    get = bench.kling.get

    def refuse(task_id: str, **about):
        if task_id == poisoned.task_id:
            raise api_error(500, 5000, "internal error")
        return get(task_id, **about)

    bench.kling.get = refuse
    bench.run_for(600)
    assert bench.states() == ["processing"] + ["failed"] * 29


def test_without_tasks_nothing_is_asked_and_nothing_is_due(bench):
    assert bench.poller.step() is None
    assert bench.kling.requests == 0


def test_an_account_that_sleeps_is_not_woken_up_to_be_compared_with_the_log(bench):
    bench.connection.is_asleep = True
    bench.studio.scan.request()
    bench.run_for(10)
    assert bench.kling.requests == 0
    bench.connection.is_asleep = False
    bench.run_for(2)
    assert bench.kling.requests == 1


def test_a_running_task_is_asked_for_although_the_account_sleeps(bench):
    bench.connection.is_asleep = True
    running(bench, 1)
    bench.poller.step()
    assert bench.kling.pages == [(1, 30)]


def test_another_accounts_tasks_are_never_asked_for(bench):
    bench.ledger.append("s-1", state="processing", account="sandbox", task_id="1")
    bench.ledger.append("s-2", state="succeed", account="sandbox", task_id="2")
    bench.run_for(3600)
    assert bench.kling.requests == 0


# -- what is noted -------------------------------------------------------------------------------------------


def test_a_task_is_followed_to_its_end(bench):
    job_id = bench.order().id
    bench.kling.change(job_id, task_status="processing")
    bench.run_for(20)
    assert bench.job(job_id).state == "processing"
    bench.kling.change(job_id, task_status="failed", task_status_msg="The picture was <b>refused</b>.")
    bench.run_for(20)
    assert bench.job(job_id).state == "failed"
    assert bench.job(job_id)["task_status_msg"] == "The picture was <b>refused</b>."
    asked = bench.kling.requests
    bench.run_for(3600)
    assert bench.kling.requests == asked


@pytest.mark.parametrize("status", ["queued", "paused \ud83e", "x" * 300_000])
def test_a_state_that_nobody_documented_goes_on_as_processing_and_is_noted_once(bench, status):
    [job_id] = running(bench, 1)
    bench.ledger.append(job_id, extra='{"kept":1}')
    bench.kling.change(job_id, task_status=status)
    bench.run_for(20)
    size = (bench.folder / "history.csv").stat().st_size
    bench.restart()
    bench.run_for(120)
    assert bench.job(job_id).state == "processing"
    assert bench.job(job_id).extra["kept"] == 1
    if len(status) < 1000:
        assert str(bench.job(job_id).extra["task_status"]).startswith(status[:6])
    assert (bench.folder / "history.csv").stat().st_size == size


@pytest.mark.parametrize(
    ("is_sandbox", "after", "who"), [(True, 3, "The sandbox"), (False, 24 * 3600, "Kling")]
)
def test_a_forgotten_task_ends_after_a_while_and_says_so(tmp_path, is_sandbox, after, who):
    bench = Bench(tmp_path, is_sandbox=is_sandbox)
    [job_id] = running(bench, 1)
    del bench.kling.made[job_id]
    bench.run_for(after - 1)
    assert bench.job(job_id).state == "processing"
    bench.run_for(60)
    assert bench.job(job_id).state == "failed"
    assert bench.job(job_id)["message"] == f"{who} does not know this task any more."
    assert bench.job(job_id)["request_id"] == "r-404"


def test_a_task_that_was_missing_for_a_moment_is_not_forgotten(tmp_path):
    bench = Bench(tmp_path, is_sandbox=True)
    [job_id] = running(bench, 1)
    for _ in range(3):
        bench.kling.hidden = {job_id}
        bench.run_for(2)
        bench.kling.hidden = set()
        bench.run_for(2)
    assert bench.job(job_id).state == "processing"


# -- how often -----------------------------------------------------------------------------------------------


def test_an_old_task_is_asked_for_less_often_and_a_younger_one_shortens_the_pause(bench):
    running(bench, 1)
    bench.poller.step()
    bench.clock.now += 600
    assert bench.poller.step() == bench.clock.now + KLING_PACE[1]
    bench.order()
    due = bench.poller.step()
    assert due is not None
    assert due <= bench.clock.now + KLING_PACE[0]


def test_trouble_is_shown_pauses_grow_and_all_is_well_once_the_api_answers(bench):
    [job_id] = running(bench, 1)
    bench.poller.step()
    bench.clock.now += 60
    bench.told = 0
    bench.kling.lists = [LOST] * 20
    pauses = []
    for _ in range(8):
        due = bench.poller.step()
        assert due is not None
        pauses.append(due - bench.clock.now)
        bench.clock.now = due
    assert str(LOST).rstrip(".") in bench.poller.trouble
    assert bench.told == 1
    assert pauses == sorted(pauses)
    assert pauses[-1] == LONGEST_PAUSE
    bench.kling.lists = []
    bench.kling.change(job_id, task_status="failed")
    bench.run_for(LONGEST_PAUSE + 1)
    assert bench.poller.trouble == ""
    assert bench.job(job_id).state == "failed"


def test_an_api_that_is_away_for_days_is_still_asked_every_minute(bench):
    [job_id] = running(bench, 1)
    bench.connection.down = NotSent("Kling could not be reached.")
    for _ in range(1100):  # so many that a pause that doubled each time would be larger than a float
        due = bench.poller.step()
        assert due <= bench.clock.now + LONGEST_PAUSE
        bench.clock.now = due
    bench.connection.down = None
    bench.kling.change(job_id, task_status="failed")
    bench.run_for(LONGEST_PAUSE + 1)
    assert bench.job(job_id).state == "failed"


def test_a_full_disk_loses_no_change_and_its_trouble_goes_away(bench):
    [job_id] = running(bench, 1)
    bench.kling.change(job_id, task_status="failed")
    bench.disk = [FULL] * 3
    bench.poller.step()
    assert "No space left" in bench.poller.trouble
    bench.run_for(120)
    assert bench.job(job_id).state == "failed"
    assert bench.poller.trouble == ""


def test_the_trouble_of_a_full_disk_goes_away_also_when_nothing_is_left_to_follow(bench):
    bench.ledger.append("old", state="intent", account=bench.account, model_name="kling-v2-6", prompt="A fox")
    bench.clock.now += 3600
    bench.disk = [FULL]
    bench.poller.step()
    assert "No space left" in bench.poller.trouble
    bench.run_for(240)
    assert bench.states() == ["submitted"]
    assert bench.poller.trouble == ""


# -- videos --------------------------------------------------------------------------------------------------


@pytest.fixture
def finished(bench, clip) -> str:
    """Let a task succeed; return its id."""
    [job_id] = running(bench, 1)
    bench.kling.finish(job_id, clip)
    return job_id


def test_a_video_is_fetched_as_soon_as_it_exists(bench, finished, clip):
    bench.run_for(10)
    job = bench.job(finished)
    assert (job.state, job["file"], job["video_id"]) == ("succeed", f"{finished}.mp4", f"v-{finished}")
    assert (bench.folder / "videos" / job["file"]).read_bytes() == clip
    assert bench.ledger.unfinished() == ()
    assert bench.poller.step() is None


@pytest.mark.usefixtures("finished")
def test_no_signed_address_reaches_the_log(bench):
    bench.run_for(10)
    assert "https://" not in (bench.folder / "history.csv").read_text(encoding="utf-8")


def test_an_address_that_has_expired_is_asked_for_again(bench, finished, clip):
    bench.kling.files = dict.fromkeys(bench.kling.files, LOST)
    bench.run_for(1)
    assert "not here yet" in bench.studio.downloads.trouble(finished)
    fresh = bench.kling.finish(finished, clip)
    bench.run_for(10)
    assert bench.kling.downloads[-1] == fresh
    assert bench.job(finished)["file"]
    assert bench.studio.downloads.trouble(finished) == ""


def test_after_a_restart_the_address_is_asked_for_and_the_video_fetched(bench, finished):
    bench.disk = []
    bench.held = []
    bench.poller.step()
    assert bench.job(finished).state == "succeed"
    bench.restart()
    bench.held = None
    bench.run_for(1)
    assert bench.job(finished)["file"]
    assert len(bench.kling.downloads) == 1


@pytest.mark.usefixtures("finished")
def test_tries_to_fetch_become_rarer_and_never_end(bench):
    url = next(iter(bench.kling.files))
    bench.kling.files[url] = LOST
    bench.run_for(3600)
    tries = len(bench.kling.downloads)
    assert 5 < tries < 20
    bench.run_for(24 * 3600)
    assert 20 < len(bench.kling.downloads) - tries < 30


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), ValueError("unforeseen")])
def test_whatever_stops_a_fetch_is_said_and_tried_again(bench, finished, error, clip):
    url = next(iter(bench.kling.files))
    bench.kling.files[url] = error
    bench.run_for(1)
    assert bench.studio.downloads.trouble(finished).startswith("The video is not here yet")
    bench.kling.files[url] = clip
    bench.run_for(3700)
    assert bench.job(finished)["file"]


def test_a_row_that_could_not_be_written_after_a_fetch_does_not_fetch_twice(bench, finished):
    bench.held = []
    bench.poller.step()
    bench.disk = [FULL]
    bench.work()
    assert not bench.job(finished)["file"]
    bench.held = None
    bench.run_for(10)
    assert bench.job(finished)["file"]
    assert len(bench.kling.downloads) == 1


@pytest.mark.usefixtures("finished")
def test_a_fetch_that_runs_is_not_begun_again(bench):
    bench.held = []
    for _ in range(3):
        bench.poller.step()
        bench.clock.now += 10
    assert len(bench.held) == 1


def test_the_charge_that_comes_after_the_end_is_recorded(bench, clip):
    """Seen at Kling: a task that succeeds without a video yet has a deduction of 0 until both are there."""
    job = bench.order()
    bench.kling.change(job.id, task_status="succeed", final_unit_deduction=Decimal(0))
    bench.run_for(10)
    assert (bench.job(job.id).state, bench.job(job.id)["final_unit_deduction"]) == ("succeed", "0")
    bench.kling.finish(job.id, clip)
    bench.kling.change(job.id, final_unit_deduction=Decimal("1.5"))
    bench.run_for(60)
    assert bench.job(job.id).has_clip
    assert bench.job(job.id)["final_unit_deduction"] == "1.5"


# -- the thread ----------------------------------------------------------------------------------------------


def test_the_thread_steps_when_it_is_woken_and_ends_when_it_is_told_to(tmp_path: Path):
    bench = Bench(tmp_path)
    running(bench, 1)
    asked = threading.Event()

    def told(tasks: list[Task]) -> list[Task]:
        asked.set()
        return tasks

    bench.kling.order = told
    before = set(threading.enumerate())
    bench.poller.start()
    assert asked.wait(120)
    bench.poller.stop()
    assert set(threading.enumerate()) <= before
