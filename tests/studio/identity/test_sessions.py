"""Sessions: who a token is, when it ends, and what other processes and a broken database do to it."""

from __future__ import annotations

import re
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, insert

from kling.studio.identity import sessions as module
from kling.studio.identity.errors import UnknownPerson
from kling.studio.identity.people import People, Person
from kling.studio.identity.roles import User
from kling.studio.identity.sessions import Sessions
from kling.studio.state import database as database_module
from kling.studio.state.database import Database
from kling.studio.state.faults import FILE
from kling.studio.state.records import StateError
from kling.studio.state.tables import sessions as table
from tests.studio.identity.conftest import GOOD, HOUR, NOW

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest.fixture
def ada(people: People) -> Person:
    people.add("Root", "admin")
    return people.add("Ada", "maker", password=GOOD)


@pytest.fixture
def heard(sessions: Sessions) -> list[int]:
    """One for each change that a listener hears of."""
    calls: list[int] = []
    sessions.subscribe(lambda: calls.append(1))
    return calls


def stored(folder: Path, column: str) -> list[Any]:
    with closing(sqlite3.connect(folder / FILE)) as file:
        return [row[0] for row in file.execute(f"SELECT {column} FROM sessions ORDER BY created")]


# -- tokens ------------------------------------------------------------------------------------------------


def test_a_token_is_the_person_with_the_role_of_now(sessions, people, ada):
    token = sessions.begin(ada, "account", FIREFOX)
    assert sessions.who(token) == User(ada.id, "Ada", "maker")
    assert sessions.way_of(token) == "account"
    people.set_role(ada.id, "viewer")
    assert sessions.who(token) == User(ada.id, "Ada", "viewer")


def test_each_token_is_new_and_cannot_be_guessed(sessions, ada):
    tokens = {sessions.begin(ada, "account", "") for _ in range(50)}
    assert len(tokens) == 50
    assert all(re.fullmatch("[A-Za-z0-9_-]{43}", token) for token in tokens)


def test_no_token_stands_in_the_database_or_in_what_is_shown(sessions, ada, tmp_path):
    token = sessions.begin(ada, "account", FIREFOX)
    (shown,) = sessions.of(ada.id)
    assert token.encode() not in b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert token not in repr(shown)
    for other in (shown.id, *stored(tmp_path, "token_hash")):
        assert sessions.who(other) is None


@pytest.mark.parametrize(
    "token",
    [
        "",
        "x",
        "x" * 43,
        "x" * 100_000,
        "\ud800" * 43,
        "é" * 43,
        "a\0" * 20,
        "' OR 1=1 --",
        "٣" * 43,
        "A" * 42 + "\n",
    ],
)
def test_what_is_no_token_of_ours_is_nobody_and_ends_nothing(sessions, ada, heard, token):
    mine = sessions.begin(ada, "account", "")
    heard.clear()
    assert sessions.who(token) is None
    assert (sessions.way_of(token), sessions.session_id(token)) == ("", "")
    sessions.end(token)
    sessions.end_by_id(ada.id, token)
    assert sessions.who(mine)
    assert heard == []


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (FIREFOX, FIREFOX),
        ("x" * 5000, "x" * 200),
        ("A\0\x1b[2J\u202e\nB\ud800", "A\ufffd[2JB\ufffd"),
        ("", ""),
    ],
)
def test_what_a_browser_calls_itself_is_kept_as_one_harmless_line(sessions, ada, given, kept):
    sessions.begin(ada, "oidc", given)
    (shown,) = sessions.of(ada.id)
    assert (shown.browser, shown.way, shown.created) == (kept, "oidc", NOW)


# -- ends --------------------------------------------------------------------------------------------------


def test_signing_out_ends_this_session_and_no_other(sessions, ada):
    one, other = sessions.begin(ada, "account", ""), sessions.begin(ada, "account", "")
    sessions.end(one)
    assert sessions.who(one) is None
    assert sessions.who(other)
    sessions.end(one)


def test_a_session_is_ended_by_its_id(sessions, ada):
    one, other = sessions.begin(ada, "account", ""), sessions.begin(ada, "account", "")
    sessions.end_by_id(ada.id, sessions.session_id(one))
    assert (sessions.who(one), bool(sessions.who(other))) == (None, True)


def test_signing_out_everywhere_ends_all_of_one_person(sessions, people, ada):
    bob = people.add("Bob", "maker")
    mine = [sessions.begin(ada, "account", "") for _ in range(3)]
    theirs = sessions.begin(bob, "account", "")
    sessions.end_all(ada.id)
    assert [sessions.who(token) for token in mine] == [None] * 3
    assert sessions.of(ada.id) == ()
    assert sessions.who(theirs)


def test_a_session_ends_12_hours_after_the_sign_in_however_much_it_is_used(sessions, ada, clock):
    token = sessions.begin(ada, "account", "")
    for _ in range(12):
        clock.now += HOUR - 1
        assert sessions.who(token)
    clock.now = NOW + 12 * HOUR
    assert sessions.who(token) is None
    assert sessions.of(ada.id) == ()


def test_a_session_that_nobody_uses_ends_after_4_hours(sessions, ada, clock):
    used, idle = sessions.begin(ada, "account", ""), sessions.begin(ada, "account", "")
    clock.now += 3 * HOUR
    assert sessions.who(used)
    assert sessions.who(idle, touch=False)
    clock.now += 1 * HOUR
    assert sessions.who(used)
    assert sessions.who(idle) is None


def test_shorter_limits_hold_for_sessions_of_before_too(here, sessions, ada, clock):
    token = sessions.begin(ada, "account", "")
    shorter = Sessions(here.database, here.people, clock, hours=1, idle_hours=100)
    idle = Sessions(here.database, here.people, clock, hours=100, idle_hours=1)
    longer = Sessions(here.database, here.people, clock, hours=100, idle_hours=100)
    clock.now += 2 * HOUR
    assert (shorter.who(token), idle.who(token)) == (None, None)
    assert longer.who(token)
    clock.now += 10 * HOUR
    assert longer.who(token) is None  # it began with 12 hours


def test_a_session_that_time_has_ended_is_deleted_and_listeners_hear_of_it(
    sessions, ada, clock, heard, tmp_path
):
    sessions.begin(ada, "account", "")
    clock.now += 2 * HOUR
    later = sessions.begin(ada, "account", "")
    sessions.tick()
    heard.clear()
    clock.now += 2 * HOUR
    sessions.tick()
    assert len(heard) == 1
    assert stored(tmp_path, "created") == [NOW + 2 * HOUR]
    assert sessions.who(later)
    sessions.tick()
    assert len(heard) == 1


def test_who_is_removed_is_out_at_once_and_cannot_begin_again(sessions, people, ada):
    token = sessions.begin(ada, "account", "")
    people.remove(ada.id)
    assert sessions.who(token) is None
    with pytest.raises(UnknownPerson):
        sessions.begin(ada, "account", "")
    people.take_back(ada.id)
    assert sessions.who(token) is None


def test_a_person_has_at_most_100_sessions_and_the_one_used_longest_ago_makes_room(
    sessions, people, ada, clock
):
    bob = people.add("Bob", "maker")
    theirs = sessions.begin(bob, "account", "")
    tokens = []
    for _ in range(module.MOST_OF_ONE):
        clock.now += 1
        tokens.append(sessions.begin(ada, "account", ""))
    clock.now += 1
    assert sessions.who(tokens[0])  # used now, so the second is the oldest
    new = sessions.begin(ada, "account", "")
    left = [token for token in tokens if sessions.who(token, touch=False)]
    assert left == [tokens[0], *tokens[2:]]
    assert sessions.who(new)
    assert sessions.who(theirs)
    assert len(sessions.of(ada.id)) == module.MOST_OF_ONE


def test_listeners_hear_of_each_change_until_they_leave_and_one_that_fails_stops_nobody(
    sessions, people, ada
):
    heard: list[str] = []

    def fails() -> None:
        raise RuntimeError("closed")

    sessions.subscribe(fails)
    leave = sessions.subscribe(lambda: heard.append("x"))
    token = sessions.begin(ada, "account", "")
    people.set_role(ada.id, "viewer")
    sessions.end(token)
    assert len(heard) == 3
    leave()
    sessions.begin(ada, "account", "")
    assert len(heard) == 3


def test_a_listener_sees_the_session_ended_already(sessions, ada):
    token = sessions.begin(ada, "account", "")
    seen: list[User | None] = []
    sessions.subscribe(lambda: seen.append(sessions.who(token)))
    sessions.end(token)
    assert seen == [None]


def test_sessions_that_begin_and_end_in_many_threads_are_all_counted_right(sessions, ada):
    def visit(number: int) -> bool:
        token = sessions.begin(ada, "account", "")
        there = sessions.who(token) is not None
        if number % 2:
            sessions.end(token)
        return there and (sessions.who(token) is None) == bool(number % 2)

    with ThreadPoolExecutor(8) as visitors:
        assert all(visitors.map(visit, range(60)))
    assert len(sessions.of(ada.id)) == 30
    sessions.end_all(ada.id)
    assert sessions.all() == ()


# -- restarts and other processes --------------------------------------------------------------------------


def test_a_session_outlives_a_restart(sessions, ada, process):
    token = sessions.begin(ada, "account", FIREFOX)
    again = process()
    assert again.sessions.who(token) == User(ada.id, "Ada", "maker")
    assert again.sessions.of(ada.id) == sessions.of(ada.id)


def test_what_a_command_ends_is_over_here_at_the_next_look(here, process, ada, heard):
    tokens = [here.sessions.begin(ada, "account", "") for _ in range(2)]
    command = process()
    heard.clear()
    command.people.remove(ada.id)
    assert here.sessions.who(tokens[0])
    here.look()
    assert [here.sessions.who(token) for token in tokens] == [None, None]
    assert len(heard) == 1


def test_a_session_that_begins_here_after_another_process_changed_something_stays(here, process, ada):
    command = process()
    command.people.add("Bob", "maker")
    token = here.sessions.begin(ada, "account", "")
    assert here.people.by_name("Bob")
    here.look()
    assert here.sessions.who(token)
    command.look()
    assert command.sessions.who(token)


def test_the_last_use_is_written_once_a_minute_and_known_after_a_restart(here, ada, clock, process, tmp_path):
    token = here.sessions.begin(ada, "account", "")
    writes: list[int] = []
    event.listen(here.database.engine, "commit", lambda _: writes.append(1))
    for _ in range(180):
        clock.now += 1
        assert here.sessions.who(token)
        here.sessions.tick()
    assert stored(tmp_path, "seen") == [NOW + 180]
    assert sum(writes) <= 6  # also counts the reads
    again = process()
    assert again.people.get(ada.id).seen == NOW + 180
    assert again.sessions.of(ada.id)[0].seen == NOW + 180


def test_a_session_that_ends_while_uses_are_written_stays_ended(here, ada, clock):
    tokens = [here.sessions.begin(ada, "account", "") for _ in range(20)]

    def use_and_write(_: int) -> None:
        clock.now += 61
        for token in tokens:
            here.sessions.who(token)
        here.sessions.tick()

    with ThreadPoolExecutor(3) as threads:
        writing = threads.map(use_and_write, range(20))
        ending = threads.map(here.sessions.end, tokens)
        assert (len(list(writing)), len(list(ending))) == (20, 20)
    assert [here.sessions.who(token) for token in tokens] == [None] * 20
    assert here.sessions.all() == ()


# -- a database that does not answer -----------------------------------------------------------------------


@pytest.fixture
def other_program(tmp_path, monkeypatch):
    """Another program's connection to the database, for which nobody waits long."""
    monkeypatch.setattr(database_module, "PATIENCE", 0.01)
    with closing(sqlite3.connect(tmp_path / FILE, isolation_level=None)) as other:
        yield other


def test_while_the_database_is_locked_tokens_are_known_and_nobody_signs_in_or_out(
    other_program, clock, process
):
    here = process()
    ada = here.people.add("Ada", "maker")
    token = here.sessions.begin(ada, "account", "")
    other_program.execute("BEGIN IMMEDIATE")
    assert here.sessions.who(token)
    with pytest.raises(StateError, match="locked"):
        here.sessions.begin(ada, "account", "")
    with pytest.raises(StateError, match="locked"):
        here.sessions.end(token)
    with pytest.raises(StateError, match="locked"):
        here.sessions.end_all(ada.id)
    assert len(here.sessions.of(ada.id)) == 1
    clock.now += 13 * HOUR
    here.sessions.tick()
    assert here.sessions.who(token) is None


def test_an_ended_session_that_could_not_be_deleted_is_deleted_later(tmp_path, clock, process, other_program):
    here = process()
    ada = here.people.add("Ada", "maker")
    here.sessions.begin(ada, "account", "")
    here.sessions.tick()
    other_program.execute("BEGIN IMMEDIATE")
    clock.now += 4 * HOUR
    here.sessions.tick()
    other_program.execute("ROLLBACK")
    assert stored(tmp_path, "count(*)") == [1]
    here.sessions.tick()
    assert stored(tmp_path, "count(*)") == [1]  # not at once again
    clock.now += 60
    here.sessions.tick()
    assert stored(tmp_path, "count(*)") == [0]


def test_a_state_that_is_not_open_knows_nobody_and_does_not_wait(state):
    assert state.who("x" * 43) is None
    assert (state.sessions_if_open, state.people_if_open) == (None, None)
    token = state.sessions.begin(state.people.add("Ada", "maker"), "account", "")
    assert state.who(token).name == "Ada"
    assert state.sessions_if_open is state.sessions
    state.stop()
    assert state.who(token) is None


def test_a_database_that_cannot_be_opened_lets_nobody_in_and_says_so(state, tmp_path):
    (tmp_path / FILE).write_bytes(b"no database " * 400)
    with pytest.raises(StateError, match="cannot be used"):
        _ = state.sessions
    assert state.who("x" * 43) is None


# -- many ----------------------------------------------------------------------------------------------------


def test_10_000_sessions_are_asked_about_and_ended_quickly(process, clock):
    here = process()
    people = [here.people.from_outside("oidc", str(number), f"Person {number}") for number in range(20)]
    rows = [
        {
            "token_hash": f"{number:064x}",
            "person_id": people[number % 20].id,
            "way": "oidc",
            "browser": FIREFOX,
            "created": NOW - number,
            "seen": NOW - 1,
            "ends": NOW + 12 * HOUR,
        }
        for number in range(10_000)
    ]
    with here.database.write() as connection:
        connection.execute(insert(table), rows)
    full = process()
    token = full.sessions.begin(full.people.get(people[0].id), "oidc", "")
    began = time.process_time()
    for _ in range(10_000):
        full.sessions.who(token)
    assert time.process_time() - began < 5
    assert len(full.sessions.all()) > 9000
    clock.now += 12 * HOUR
    began = time.process_time()
    full.sessions.tick()
    assert time.process_time() - began < 10
    assert full.sessions.all() == ()
    assert isinstance(full.database, Database)
