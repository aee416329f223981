"""Tries of passwords: pauses by name, a bound in all, and nobody who is locked out for good."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kling.studio.identity import tries as module
from kling.studio.identity.tries import FORGET, FREE, IN_ALL, LONGEST, PER_SECOND, Tries
from tests.studio.identity.conftest import Clock


@pytest.fixture
def tries(clock: Clock) -> Tries:
    return Tries(clock)


def fail(tries: Tries, name: str, browser: str = "") -> float:
    """Try once in vain, or return for how long one may not."""
    if seconds := tries.wait(name, browser):
        return seconds
    tries.failed(name, browser)
    return 0.0


def test_pauses_between_tries_with_one_name_grow_up_to_a_minute(tries, clock):
    pauses: list[float] = []
    for _ in range(12):
        assert fail(tries, "Ada") == 0
        pauses.append(tries.wait("Ada") if len(pauses) >= FREE - 1 else 0)
        clock.now += pauses[-1]
    assert pauses == [0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60, 60]


def test_the_right_password_is_let_in_after_the_pause_and_ends_it(tries, clock):
    for _ in range(20):
        if seconds := fail(tries, "Ada"):
            clock.now += seconds
            assert fail(tries, "Ada") == 0
    assert tries.wait("Ada") == LONGEST
    clock.now += LONGEST
    assert tries.wait("Ada") == 0
    tries.succeeded("Ada")
    assert [fail(tries, "Ada") for _ in range(FREE)] == [0] * FREE


def test_asking_during_a_pause_does_not_make_it_longer(tries, clock):
    for _ in range(FREE):
        fail(tries, "Ada")
    clock.now += 0.5
    for _ in range(1000):
        assert tries.wait("Ada") == 0.5
    clock.now += 0.5
    assert tries.wait("Ada") == 0


def test_a_pause_begins_when_the_password_turned_out_to_be_wrong(tries, clock):
    for _ in range(FREE):
        assert tries.wait("Ada") == 0
        clock.now += 0.25  # that the hash takes
        tries.failed("Ada")
    assert tries.wait("Ada") == 1


def test_tries_that_are_made_at_once_are_all_counted(tries):
    begun = [tries.wait("Ada") for _ in range(20)]
    assert begun.count(0) == FREE


@pytest.mark.parametrize("spelling", ["ADA", " a d a ", "Ad\u0430", "ada\u200b"])
def test_another_spelling_is_no_way_around_a_pause(tries, spelling):
    for _ in range(FREE):
        fail(tries, "Ada")
    assert tries.wait(spelling) == 1


def test_other_names_do_not_wait(tries):
    for _ in range(FREE):
        fail(tries, "Ada")
    assert tries.wait("Bob") == 0


def test_tries_are_forgotten_after_a_quarter_of_an_hour(tries, clock):
    for _ in range(20):
        clock.now += fail(tries, "Ada")
    clock.now += FORGET
    assert [fail(tries, "Ada") for _ in range(FREE)] == [0] * FREE


def test_a_stranger_who_never_stops_does_not_stop_a_browser_that_has_signed_in_before(tries, clock):
    assert tries.wait("Ada", "browser-of-ada") == 0
    tries.succeeded("Ada", "browser-of-ada")
    for number in range(500):
        fail(tries, "Ada", "browser-of-a-stranger")
        fail(tries, f"anybody {number}")
        clock.now += 0.1
    assert tries.wait("Ada") > 0
    assert tries.wait("Ada", "browser-of-ada") == 0
    assert tries.wait("Bob", "browser-of-ada") > 0


def test_a_stranger_who_never_stops_does_not_stop_another_address(tries, clock):
    for number in range(500):
        for name in ("Ada", f"anybody {number}"):
            if tries.wait(name, address="192.0.2.9") == 0:
                tries.failed(name, address="192.0.2.9")
        clock.now += 0.1
    assert tries.wait("Ada", address="192.0.2.9") > 0
    assert tries.wait("Ada", "a new browser", "192.0.2.1") == 0


def test_a_browser_that_is_remembered_is_known_after_a_restart(clock):
    tries = Tries(clock)
    for number in range(IN_ALL):
        fail(tries, f"anybody {number}")
    assert tries.wait("Ada", "browser-of-ada") > 0
    tries.remember("ADA", "browser-of-ada")
    assert tries.wait("Ada", "browser-of-ada") == 0
    assert tries.wait("Bob", "browser-of-ada") > 0


def test_a_browser_that_has_signed_in_before_has_pauses_of_its_own(tries):
    tries.wait("Ada", "shared")
    tries.succeeded("Ada", "shared")
    for _ in range(FREE):
        fail(tries, "Ada", "shared")
    assert tries.wait("Ada", "shared") == 1
    assert tries.wait("Ada") == 0


def test_failed_tries_with_ever_new_names_are_bounded_in_all(tries, clock):
    count = sum(fail(tries, f"name {number}") == 0 for number in range(1000))
    assert count == IN_ALL
    assert 0 < tries.wait("Ada") <= 1 / PER_SECOND
    clock.now += 10
    assert sum(fail(tries, f"later {number}") == 0 for number in range(1000)) == 10 * PER_SECOND


def test_fifty_people_sign_in_within_a_minute_and_none_waits(tries, clock):
    waits = []
    for number in range(50):
        waits.append(tries.wait(f"Person {number}"))
        tries.succeeded(f"Person {number}")
        clock.now += 0.01
    assert waits == [0] * 50
    begun = [tries.wait(f"Person {number}") for number in range(50)]  # all before the first hash is done
    assert begun == [0] * 50


def test_what_is_remembered_is_bounded(monkeypatch, clock):
    monkeypatch.setattr(module, "MOST", 10)
    tries = Tries(clock)
    for number in range(100):
        clock.now += 1
        assert tries.wait(f"Person {number}", f"browser {number}") == 0
        tries.succeeded(f"Person {number}", f"browser {number}")
    for _ in range(FREE):
        fail(tries, "Person 99")
        fail(tries, "Person 0", "browser 0")
    assert tries.wait("Person 99", "browser 99") == 0
    assert tries.wait("Person 0", "browser 0") == 1  # its browser is forgotten
    for number in range(10):
        clock.now += 0.01
        tries.wait(f"flood {number}")
    assert tries.wait("Person 99") == 0


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["Ada", "Bob", "", "\ud800", "x" * 1000]),
            st.sampled_from(["", "one", "two"]),
            st.sampled_from(["fails", "succeeds", "leaves"]),
            st.floats(0, 100),
        ),
        max_size=40,
    )
)
def test_nobody_waits_longer_than_the_longest_pause_whatever_happened_before(history):
    clock = Clock()
    tries = Tries(clock)
    for name, browser, end, seconds in history:
        if tries.wait(name, browser) == 0:
            {"fails": tries.failed, "succeeds": tries.succeeded, "leaves": lambda *_: None}[end](
                name, browser
            )
        clock.now += seconds
    for name in ("Ada", "Bob", "Cy", "", "\ud800", "x" * 1000):
        assert 0 <= tries.wait(name) <= LONGEST
    clock.now += LONGEST
    assert tries.wait("Ada") == 0
