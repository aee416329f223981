"""A hint makes the poller look earlier, and can do nothing else."""

from __future__ import annotations

import pytest

from kling.errors import MaybeSent
from kling.studio.poller import HINT_PAUSE, KLING_PACE, LONGEST_PAUSE
from tests.studio.fakes import Bench


@pytest.fixture
def running(bench: Bench) -> Bench:
    """One task that runs and was just looked at; the next look is seconds away."""
    bench.kling.add("ours", task_id="800", task_status="processing")
    bench.ledger.append("ours", state="processing", prompt="A fox", task_id="800", account=bench.account)
    bench.poller.step()
    assert bench.kling.requests == 1
    return bench


def looks_in(bench: Bench, seconds: float) -> int:
    before = bench.kling.requests
    bench.run_for(seconds)
    return bench.kling.requests - before


@pytest.mark.parametrize("hint", [("ours", ""), ("ours", "800"), ("", "800"), ("unknown", "800")])
def test_a_hint_brings_the_news_within_a_second(running: Bench, hint: tuple[str, str]):
    running.kling.change("ours", task_status="failed", task_status_msg="no")
    running.studio.poller.wake_for(*hint)
    assert looks_in(running, HINT_PAUSE + 0.01) == 1
    assert running.states() == ["failed"]


def test_without_a_hint_the_same_look_comes_by_itself(running: Bench):
    running.kling.change("ours", task_status="failed")
    assert looks_in(running, HINT_PAUSE + 0.01) == 0
    assert looks_in(running, KLING_PACE[1]) == 1
    assert running.states() == ["failed"]


def test_what_a_hint_says_is_never_believed(running: Bench):
    running.studio.poller.wake_for("ours", "800")  # whatever came with it: the task still runs
    looks_in(running, 2)
    assert running.states() == ["processing"]


def test_a_flood_of_hints_makes_one_look_a_second(running: Bench):
    before = running.kling.requests
    for _ in range(10_000):
        running.studio.poller.wake_for("ours", "800")
        running.clock.now += 0.001
        running.poller.step()
    assert 9 <= running.kling.requests - before <= 11


def test_a_hint_that_comes_late_is_looked_at_at_once(running: Bench):
    running.clock.now += 3
    running.studio.poller.wake_for("ours")
    running.poller.step()
    assert running.kling.requests == 2


@pytest.mark.parametrize("hint", [("", ""), ("unknown", "unknown"), ("ended", "900"), ("foreign", "901")])
def test_a_hint_at_a_task_that_is_not_followed_is_nothing(
    running: Bench, hint: tuple[str, str], monkeypatch: pytest.MonkeyPatch
):
    running.ledger.append("ended", state="failed", prompt="A fox", task_id="900", account=running.account)
    running.ledger.append("foreign", state="processing", prompt="A fox", task_id="901", account="another")
    monkeypatch.setattr(running.poller, "wake", lambda: pytest.fail("the poller was woken"))
    running.studio.poller.wake_for(*hint)
    assert looks_in(running, HINT_PAUSE + 0.01) == 0


def test_while_the_api_fails_a_hint_shortens_no_pause(running: Bench):
    running.kling.lists = [MaybeSent("The connection broke.")] * 50
    running.run_for(4 * LONGEST_PAUSE)
    before = running.kling.requests
    for _ in range(30):
        running.studio.poller.wake_for("ours")
        running.run_for(1)
    assert running.kling.requests - before <= 2  # one poll: the list, and by id because the list fails


def test_after_a_hint_the_pace_is_the_usual_one(running: Bench):
    running.studio.poller.wake_for("ours")
    assert looks_in(running, HINT_PAUSE + 0.01) == 1
    assert looks_in(running, KLING_PACE[0] * 0.7) == 0
