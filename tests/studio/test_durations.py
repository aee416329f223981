"""What is usual comes from our own history of the same kind, and costs the same however long the log is."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from kling.studio.durations import (
    FEWEST,
    MOST,
    DurationEstimate,
    DurationStats,
    JobKind,
    Timeline,
    kind_of,
    timeline,
)
from kling.studio.jobs import Job
from kling.studio.service import Studio
from kling.studio.settings import Settings
from kling.text_to_video import TextToVideo
from tests.studio.fakes import FOX, Bench

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
KIND = ("sandbox", "text2video", "kling-v2-6", "std", "5")


def ended(number: int, seconds: float, cells: dict[str, str] | None = None, **seen: float) -> Job:
    since = at(intent=0, submitted=0, **seen, succeed=seconds)
    kind = dict(zip(("account", "endpoint", "model_name", "mode", "duration"), KIND, strict=True))
    return Job({"external_task_id": f"v{number}", "state": "succeed", **kind, **(cells or {})}, since)


def at(**seconds: float) -> dict[str, datetime]:
    return {state: NOON + timedelta(seconds=after) for state, after in seconds.items()}


def test_fewer_than_five_say_nothing_and_the_fifth_does():
    times = DurationStats()
    for number in range(FEWEST):
        assert times.usual(KIND) is None
        times.add(ended(number, 100 + 10 * number))
    assert times.usual(KIND) == DurationEstimate(low=104, high=136, count=5)


def test_the_last_fifty_count_and_the_extremes_do_not():
    jobs = [ended(number, 9000) for number in range(200)] + [ended(number, 60) for number in range(45)]
    jobs += [ended(300 + number, odd) for number, odd in enumerate((1, 2, 60, 3000, 4000))]
    read = DurationStats(reversed(jobs))
    kept = DurationStats()
    for job in jobs:
        kept.add(job)
    assert read.usual(KIND) == kept.usual(KIND) == DurationEstimate(low=60, high=60, count=MOST)


@pytest.mark.parametrize("column", ["account", "endpoint", "model_name", "mode", "duration"])
def test_another_kind_has_times_of_its_own(column):
    times = DurationStats([ended(number, 100) for number in range(FEWEST)])
    other = ended(99, 300, {column: "other"})
    times.add(other)
    assert times.usual(KIND) == DurationEstimate(100, 100, FEWEST)
    assert times.usual(kind_of(other)) is None


def test_a_row_of_an_old_version_without_an_endpoint_is_of_text_to_video():
    times = DurationStats([ended(number, 100, {"endpoint": ""}) for number in range(FEWEST)])
    assert times.usual(KIND) == DurationEstimate(100, 100, FEWEST)


def test_klings_own_times_count_more_than_when_we_looked():
    away = {"created_at": NOON.isoformat(), "updated_at": (NOON + timedelta(seconds=70)).isoformat()}
    times = DurationStats([ended(number, 40_000, away) for number in range(FEWEST)])
    assert times.usual(KIND) == DurationEstimate(70, 70, FEWEST)


@pytest.mark.parametrize("spoilt", ["soon", "2026-11-22T12:00:00"])
def test_times_that_somebody_spoilt_are_passed_over(spoilt):
    cells = {"created_at": spoilt, "updated_at": NOON.isoformat()}
    jobs = [ended(number, 80, cells) for number in range(FEWEST)]
    jobs += [ended(9, 0), ended(10, -5), ended(11, 1e6), Job({"state": "succeed"}, {"succeed": NOON})]
    assert DurationStats(jobs).usual(KIND) == DurationEstimate(80, 80, FEWEST)


def test_the_wait_at_kling_is_told_once_it_was_seen_often_enough():
    jobs = [ended(number, 100, processing=number) for number in range(4)]
    assert DurationStats([*jobs, ended(4, 100)]).usual(KIND) == DurationEstimate(100, 100, 5, queued=None)
    assert DurationStats([*jobs, ended(4, 100, processing=4)]).usual(KIND) == DurationEstimate(
        100, 100, 5, queued=2
    )


# -- the log keeps them --------------------------------------------------------------------------------------


def history(bench: Bench, ending: str) -> JobKind:
    for number in range(FEWEST):
        job = bench.order(replace(FOX, prompt=f"A fox {number}"))
        bench.clock.now += 100
        bench.kling.change(job.id, task_status=ending)
        bench.poller.step()
        bench.ledger.append(job.id, rating="5")
    return kind_of(bench.ledger.jobs()[0])


def test_a_task_that_ends_counts_at_once_once_only_and_after_a_restart(bench):
    kind = history(bench, "succeed")
    assert bench.ledger.times.usual(kind) == DurationEstimate(100, 100, FEWEST)
    bench.restart()
    assert bench.ledger.times.usual(kind) == DurationEstimate(100, 100, FEWEST)


def test_a_failed_task_says_nothing_about_the_next_one(bench):
    assert bench.ledger.times.usual(history(bench, "failed")) is None


def test_a_studio_tells_it_for_a_form_and_for_a_task(tmp_path):
    studio = Studio(Settings(data_dir=tmp_path), run=lambda call: call())
    try:
        for number in range(FEWEST):
            studio.ledger.times.add(ended(number, 100))
        assert studio.duration_estimate(TextToVideo(prompt="x")) == DurationEstimate(100, 100, FEWEST)
        assert studio.duration_estimate(ended(1, 5)) == DurationEstimate(100, 100, FEWEST)
        assert studio.duration_estimate(TextToVideo(prompt="x", mode=None)) is None
        assert studio.timeline(ended(1, 5)) == Timeline(0, None, 5)
    finally:
        studio.stop()


def test_an_estimate_uses_no_more_than_the_last_fifty_however_many_there_are():
    times = DurationStats([ended(number, 100) for number in range(3000)])
    for number in range(100):
        times.add(ended(number, 100))
    assert times.usual(KIND) == DurationEstimate(100, 100, MOST)


# -- how the time of one task was spent ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "since", "spent"),
    [
        ("waiting", at(waiting=0), Timeline(100)),
        ("intent", at(waiting=0, intent=30), Timeline(100)),
        ("unknown", at(intent=0, unknown=5), Timeline(100)),
        ("submitted", at(waiting=0, intent=30, submitted=31), Timeline(31, queued=69)),
        ("processing", at(intent=0, submitted=1, processing=11), Timeline(1, 10, 89)),
        ("succeed", at(intent=0, submitted=1, processing=11, succeed=81), Timeline(1, 10, 70)),
        ("failed", at(intent=0, submitted=1, processing=11, failed=12), Timeline(1, 10, 1)),
        ("succeed", at(intent=0, submitted=1, succeed=81), Timeline(1, None, 80)),
        ("processing", at(unknown=0, processing=20), Timeline(20, None, 80)),
        ("failed", at(intent=0, failed=2), Timeline(2)),
        ("withdrawn", at(waiting=0, withdrawn=9), Timeline(9)),
        ("not_sent", at(waiting=0, not_sent=60), Timeline(100)),
    ],
)
def test_the_time_of_a_task_is_told_apart(state, since, spent):
    assert timeline(Job({"state": state}, since), NOON + timedelta(seconds=100)) == spent


def test_a_clock_that_was_put_back_makes_no_negative_times():
    assert timeline(Job({"state": "waiting"}, at(waiting=500)), NOON) == Timeline(0)
