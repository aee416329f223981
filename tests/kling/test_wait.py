"""Waiting for a task, on clocks that only move when somebody sleeps."""

from __future__ import annotations

import pytest

from kling import AuthenticationFailed, BadRequest, TaskFailed, WaitTimeout
from kling.endpoint import TEXT_TO_VIDEO
from tests.kling import loopback
from tests.kling.loopback import refusal, reply, task
from tests.kling.tools import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def client(connect, clock):
    return connect(monotonic=clock, sleep=clock.sleep)


def test_wait_returns_the_task_that_succeeded(server, client, clock):
    video = {"id": "v", "url": "https://a/b.mp4", "duration": "5.04"}
    done = task("succeed", task_result={"videos": [video]})
    server.says(task("submitted"), task("processing"), done)
    assert client.wait("7").videos[0].duration == 5.04
    assert len(clock.slept) == 2


def test_a_task_that_has_ended_is_not_waited_for(server, client, clock):
    server.says(task("succeed"))
    client.wait("7", timeout=0)
    assert clock.slept == []


def test_wait_raises_with_kling_s_reason_when_the_task_failed(server, client):
    server.says(task("failed", task_status_msg="risk control"))
    with pytest.raises(TaskFailed, match="risk control") as caught:
        client.wait("7")
    assert caught.value.task.task_id == "7"


def test_each_new_state_is_told_once(server, client):
    told: list[str] = []
    states = ("submitted", "submitted", "processing", "processing", "succeed")
    server.says(*(task(state) for state in states))
    client.wait("7", on_change=lambda seen: told.append(seen.task_status))
    assert told == ["submitted", "processing", "succeed"]


@pytest.mark.parametrize(
    "trouble",
    [
        loopback.hang_up,
        loopback.reset_after_reading,
        reply(b"<html>", status=502),
        refusal(1302, status=429),
        refusal(1303, status=429),
        refusal(5000, status=500),
        refusal(5001, status=503),
        refusal(5002, status=504),
    ],
)
def test_trouble_that_passes_is_waited_out(trouble, server, client):
    server.says(task("processing"), trouble, trouble, task("succeed"))
    assert client.wait("7").task_status == "succeed"


@pytest.mark.parametrize(("code", "kind"), [(1201, BadRequest), (1002, AuthenticationFailed)])
def test_trouble_that_does_not_pass_is_raised_at_once(code, kind, server, client, clock):
    server.says(refusal(code))
    with pytest.raises(kind):
        client.wait("7", endpoint=TEXT_TO_VIDEO)
    assert clock.slept == []


def test_a_state_that_is_not_documented_is_waited_out(server, client):
    server.says(task("queued-in-2027"), task("succeed"))
    assert client.wait("7").task_status == "succeed"


@pytest.mark.parametrize("timeout", [0, 1, 9, 100, 1800])
def test_the_time_given_is_used_to_the_end_and_not_exceeded(timeout, server, client, clock):
    server.says(task("processing"))
    with pytest.raises(WaitTimeout, match="still processing") as caught:
        client.wait("7", timeout=timeout)
    assert sum(clock.slept) == pytest.approx(timeout)
    assert caught.value.task is not None
    assert isinstance(caught.value, TimeoutError)


def test_a_timeout_without_one_answer_says_so(server, client):
    server.says(loopback.hang_up)
    with pytest.raises(WaitTimeout, match="still unknown") as caught:
        client.wait("7", timeout=10)
    assert caught.value.task is None


def test_looks_become_rarer_down_to_every_15_seconds(server, client, clock):
    server.says(task("processing"))
    with pytest.raises(WaitTimeout):
        client.wait("7", timeout=600)
    pauses = clock.slept[:-1]
    assert pauses[0] == 2
    assert pauses == sorted(pauses)
    assert max(pauses) == 15
