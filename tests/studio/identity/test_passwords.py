"""Passwords: the rules, two hashes at once, and the threads in which a server makes them."""

from __future__ import annotations

import threading
import unicodedata
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pwdlib import PasswordHash

from kling.studio.identity import passwords as module
from kling.studio.identity.errors import BadPassword, Busy
from kling.studio.identity.passwords import LEAST, MOST, Passwords, PasswordThreads, checked
from tests.studio.identity.conftest import GOOD, CountingHasher


@pytest.fixture
def passwords() -> Passwords:
    return Passwords(PasswordHash((CountingHasher(),)))


@pytest.mark.parametrize(
    ("password", "words"),
    [
        ("", f"fewer than {LEAST} characters"),
        ("x" * (LEAST - 1), f"fewer than {LEAST} characters"),
        ("x" * (MOST + 1), f"more than {MOST} characters"),
        (f"{GOOD}\0", "cannot be stored"),
        (f"{GOOD}\ud800", "cannot be stored"),
        ("e\u0301" * 6, f"fewer than {LEAST} characters"),  # six letters, each as two code points
    ],
)
def test_a_password_that_cannot_be_used_is_refused_with_the_rule(passwords, password, words):
    with pytest.raises(BadPassword, match=words) as refused:
        passwords.hash(password)
    assert password[:LEAST] not in str(refused.value) or not password


@pytest.mark.parametrize(
    "password", ["x" * LEAST, "x" * MOST, " " * LEAST, "合言葉は秘密ですよ絶対に", "🦊" * LEAST]
)
def test_any_other_text_can_be_a_password(passwords, password):
    assert passwords.verify(password, passwords.hash(password)) == (True, "")


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=12, max_size=30))
def test_a_password_is_the_same_in_each_form_that_keyboards_write(password):
    forms = {unicodedata.normalize(form, password) for form in ("NFC", "NFD", "NFKC", "NFKD")}
    try:
        assert len({checked(form) for form in forms if len(form) <= MOST}) == 1
    except BadPassword:
        assert len(unicodedata.normalize("NFKC", password)) < LEAST


@pytest.mark.parametrize("hashed", ["", "x", "$argon2id$", "$2b$12$abc", "plain"])
def test_what_is_no_hash_of_ours_lets_nobody_in(passwords, hashed):
    assert passwords.verify(hashed, hashed) == (False, "")
    assert passwords.verify(GOOD, hashed) == (False, "")


def test_the_studio_s_own_hash_takes_memory_and_time():
    hashed = Passwords().hash(GOOD)
    assert hashed.startswith("$argon2id$v=19$m=65536,t=3,p=4$")


class Gate(CountingHasher):
    """A hasher that waits at each comparison until the test lets it go on."""

    def __init__(self) -> None:
        super().__init__()
        self.inside, self.most = 0, 0
        self.lock = threading.Lock()
        self.two_are_in, self.go = threading.Event(), threading.Event()

    def verify(self, password: str | bytes, hash: str | bytes) -> bool:  # noqa: A002 - the library's name
        with self.lock:
            self.inside += 1
            self.most = max(self.most, self.inside)
            if self.inside >= 2:
                self.two_are_in.set()
        assert self.go.wait(120)
        with self.lock:
            self.inside -= 1
        return super().verify(password, hash)


def test_two_passwords_are_compared_at_once_and_no_third():
    gate = Gate()
    passwords = Passwords(PasswordHash((gate,)))
    hashed = passwords.hash(GOOD)
    with ThreadPoolExecutor(8) as people:
        tries = [people.submit(passwords.verify, GOOD, hashed) for _ in range(8)]
        assert gate.two_are_in.wait(120)
        gate.go.set()
        assert all(each.result() == (True, "") for each in tries)
    assert gate.most == 2


def test_who_comes_when_too_many_wait_is_told_so_and_the_others_get_their_answer(monkeypatch):
    monkeypatch.setattr(module, "MOST_WAITING", 5)
    threads, go = PasswordThreads(), threading.Event()
    waiting = [threads.submit(go.wait, 20) for _ in range(5)]
    with pytest.raises(Busy, match="Try again"):
        threads.submit(go.wait, 20)
    go.set()
    assert all(each.result(20) for each in waiting)
    assert threads.submit(lambda: "again").result(20) == "again"
    threads.stop()


def test_threads_that_are_stopped_make_no_waiting_call():
    threads, go, began = PasswordThreads(), threading.Event(), threading.Semaphore(0)

    def work() -> None:
        began.release()
        go.wait(120)

    calls = [threads.submit(work) for _ in range(4)]
    assert began.acquire(timeout=120)
    assert began.acquire(timeout=120)
    stopping = threading.Thread(target=threads.stop)
    stopping.start()
    go.set()
    stopping.join(120)
    assert [each.done() for each in calls] == [True] * 4
