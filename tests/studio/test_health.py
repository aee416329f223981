"""Health in one word, signs of the poller's life, and what systemd hears."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event, Semaphore

import pytest

from kling import Client
from kling.studio.health import KEPT_FOR, NEARLY_FULL, STALE_AFTER, Health
from kling.studio.service import Studio
from kling.studio.state.records import StateError
from kling.studio.systemd import Systemd
from tests.kling.tools import Clock
from tests.studio.fakes import Account, Bench


class Parts:
    """What the health looks at; a test breaks one of them."""

    def __init__(self, folder: Path) -> None:
        self.clock = Clock(1000.0)
        self.alive_at, self.log_trouble, self.room = 1000.0, "", 10**12
        self.log = folder / "history.csv"
        self.log.write_text("")
        self.database: StateError | None = None
        self.looks = 0

    def check_database(self) -> None:
        self.looks += 1
        if self.database:
            raise self.database

    def health(self) -> Health:
        return Health(
            alive_at=lambda: self.alive_at,
            log_trouble=lambda: self.log_trouble,
            log=self.log,
            check_database=self.check_database,
            monotonic=self.clock,
            free=lambda _: self.room,
        )


@pytest.fixture
def parts(tmp_path: Path) -> Parts:
    return Parts(tmp_path)


def break_poller(parts: Parts) -> None:
    parts.alive_at -= STALE_AFTER + 1


def break_log(parts: Parts) -> None:
    parts.log_trouble = "The disk did not confirm what was written."


def break_log_file(parts: Parts) -> None:
    parts.log.unlink()
    parts.log.mkdir()


def break_disk(parts: Parts) -> None:
    parts.room = int(NEARLY_FULL) - 1


def break_database(parts: Parts) -> None:
    parts.database = StateError("it does not answer")


@pytest.mark.parametrize(
    ("broken", "word"),
    [
        (lambda _: None, "ok"),
        (break_poller, "poller"),
        (break_log, "log"),
        (break_log_file, "log"),
        (break_disk, "disk"),
        (break_database, "database"),
    ],
)
def test_the_word_names_the_part_that_fails(parts: Parts, broken: Callable[[Parts], None], word: str):
    broken(parts)
    assert parts.health().word() == word


def test_a_log_that_is_gone_is_made_anew_and_no_trouble(parts):
    parts.log.unlink()
    assert parts.health().word() == "ok"


def test_many_who_ask_cause_one_look_a_second(parts):
    health = parts.health()
    for _ in range(50):
        health.word()
    assert parts.looks == 1
    parts.clock.now += KEPT_FOR
    health.word()
    assert parts.looks == 2


def test_a_studio_that_works_is_ok_and_one_whose_log_failed_is_not(tmp_path):
    bench = Bench(tmp_path)
    assert bench.studio.health.word() == "ok"
    bench.clock.now += STALE_AFTER + 1
    assert bench.studio.health.word() == "poller"


def test_the_poller_shows_that_it_lives_at_each_call(tmp_path):
    bench = Bench(tmp_path)
    bench.order()
    before = bench.poller.alive_at
    bench.clock.now += 50
    bench.poller.step()
    assert bench.poller.alive_at > before


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[tuple[str, Callable[[], list[str]]]]:
    """systemd's end of the socket: its path, and what it heard."""
    path = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as end:
        end.bind(path)
        end.setblocking(False)

        def heard() -> list[str]:
            words = []
            while True:
                try:
                    words.append(end.recv(100).decode())
                except BlockingIOError:
                    return words

        yield path, heard


def test_systemd_hears_when_it_is_ready_and_when_it_stops(manager):
    path, heard = manager
    systemd = Systemd({"NOTIFY_SOCKET": path}, monotonic=lambda: 0.0)
    systemd.ready()
    systemd.alive()  # no watchdog is wanted
    systemd.stopping()
    assert heard() == ["READY=1", "STOPPING=1"]


def test_the_watchdog_is_fed_often_enough_and_no_oftener(manager):
    path, heard = manager
    clock = Clock(0.0)
    systemd = Systemd({"NOTIFY_SOCKET": path, "WATCHDOG_USEC": "60000000"}, monotonic=clock)
    for _ in range(60):
        systemd.alive()
        clock.now += 1.0
    assert heard() == ["WATCHDOG=1"] * 4


def test_the_watchdog_of_another_process_is_not_fed(manager):
    path, heard = manager
    environment = {"NOTIFY_SOCKET": path, "WATCHDOG_USEC": "60000000", "WATCHDOG_PID": "1"}
    Systemd(environment, monotonic=lambda: 0.0, pid=2).alive()
    assert heard() == []
    Systemd(environment, monotonic=lambda: 0.0, pid=1).alive()
    assert heard() == ["WATCHDOG=1"]


def test_an_abstract_socket_works_too():
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as end:
        name = f"studio-test-{os.getpid()}"
        end.bind(f"\0{name}")
        Systemd({"NOTIFY_SOCKET": f"@{name}"}, monotonic=lambda: 0.0).ready()
        assert end.recv(100) == b"READY=1"


@pytest.mark.parametrize("environment", [{}, {"NOTIFY_SOCKET": "/nowhere/at/all"}, {"WATCHDOG_USEC": "soon"}])
def test_without_systemd_nothing_happens(environment):
    systemd = Systemd(environment, monotonic=lambda: 0.0)
    systemd.ready()
    systemd.alive()
    systemd.stopping()


def test_a_poller_at_rest_feeds_the_watchdog_and_one_that_hangs_does_not(tmp_path, monkeypatch):
    monkeypatch.setattr("kling.studio.poller.REST", 0.005)
    bench = Bench(tmp_path)
    bench.order()
    bench.studio.folder.release()
    hangs, goes_on, fed = Event(), Event(), Semaphore(0)

    class Hanging(Account):
        def client(self) -> Client:
            hangs.set()
            goes_on.wait(120)
            return super().client()

    connection = Hanging(bench.kling)
    studio = Studio(bench.studio.settings, connection=connection, on_alive=fed.release)
    studio.poller.start()
    try:
        assert hangs.wait(120)
        while fed.acquire(blocking=False):
            pass
        assert not fed.acquire(timeout=0.1)
        goes_on.set()
        for _ in range(5):
            assert fed.acquire(timeout=120)
    finally:
        goes_on.set()
        studio.stop()
