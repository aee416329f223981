"""The thread that sees what commands change beside a running studio."""

from __future__ import annotations

import threading

import pytest

from kling.studio.identity import watch as module
from kling.studio.identity.watch import Watch
from kling.studio.state.records import StateError
from tests.studio.identity.conftest import HOUR


@pytest.mark.parametrize("opened", ["before the start", "after it"])
def test_a_running_studio_sees_a_command_s_change_by_itself(state, process, opened):
    if opened == "before the start":
        assert not state.people.has_accounts  # as a start looks that has a public address
    state.start()
    ada = state.people.add("Ada", "maker")
    token = state.sessions.begin(ada, "account", "")
    left = threading.Event()

    def leave_if_out() -> None:
        if state.who(token) is None:
            left.set()

    state.sessions.subscribe(leave_if_out)
    process().people.remove(ada.id)
    assert left.wait(120)


def test_it_looks_twice_a_second():
    assert module.PAUSE == 0.5


def test_a_state_that_was_not_started_looks_when_it_is_asked_to(state, process):
    people = state.people
    process().people.add("Ada", "admin")
    assert not people.has_accounts
    state.look_for_changes()
    assert people.has_accounts


def test_a_studio_that_is_stopped_has_written_when_sessions_were_last_used(state, process, clock):
    state.start()
    ada = state.people.add("Ada", "maker")
    token = state.sessions.begin(ada, "account", "")
    clock.now += 2 * HOUR
    assert state.who(token)
    state.stop()
    assert process().sessions.of(ada.id)[0].seen == clock.now


def test_a_database_that_does_not_answer_is_said_once_and_ends_nothing(here, clock, monkeypatch, caplog):
    ada = here.people.add("Ada", "maker")
    token = here.sessions.begin(ada, "account", "")
    watch = Watch(here.people, here.sessions)
    answers = True

    def read() -> object:
        if not answers:
            raise StateError("The file is locked.")
        return original()

    original = here.database.read
    monkeypatch.setattr(here.database, "read", read)
    watch.look()
    answers = False
    for _ in range(5):
        watch.look()
    assert here.sessions.who(token)
    assert caplog.text.count("cannot be seen at this moment: The file is locked.") == 1
    answers = True
    watch.look()
    answers = False
    watch.look()
    assert caplog.text.count("cannot be seen at this moment") == 2
    clock.now += 13 * HOUR
    watch.look()
    assert here.sessions.who(token) is None


@pytest.mark.parametrize("error", [RuntimeError, StateError, KeyError])
def test_no_error_ends_the_thread(here, monkeypatch, error):
    monkeypatch.setattr(module, "PAUSE", 0.001)
    watch, looked = Watch(here.people, here.sessions), threading.Event()
    count = 0

    def look() -> bool:
        nonlocal count
        count += 1
        if count > 2:
            looked.set()
        raise error("planted")

    monkeypatch.setattr(here.people.changes, "look", look)
    watch.start()
    assert looked.wait(120)
    watch.stop()
