"""People in a database of the test, with hashes that cost nothing, and a clock that the test moves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from kling.studio.identity.invitations import Invitations
from kling.studio.identity.passwords import Passwords
from kling.studio.identity.people import People
from kling.studio.identity.sessions import Sessions
from kling.studio.state.database import Database
from kling.studio.state.faults import FILE
from kling.studio.state.shared import SharedState

NOW = 1_790_000_000.0
HOUR = 3600.0
GOOD = "correct horse battery"  # a password


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


class CountingHasher(Argon2Hasher):
    """Argon2 at its least, counting what it is asked."""

    def __init__(self, time_cost: int = 1) -> None:
        super().__init__(time_cost=time_cost, memory_cost=8, parallelism=1)
        self.verified: list[str] = []

    def verify(self, password: str | bytes, hash: str | bytes) -> bool:  # noqa: A002 - the library's name
        self.verified.append(str(hash))
        return super().verify(password, hash)


class Process:
    """What one process has open of a data folder; several of them share its database."""

    def __init__(self, folder: Path, clock: Clock, hasher: CountingHasher | None = None) -> None:
        self.hasher = hasher or CountingHasher()
        self.database = Database(folder / FILE)
        self.people = People(self.database, clock, passwords=Passwords(PasswordHash((self.hasher,))))
        self.sessions = Sessions(self.database, self.people, clock, hours=12, idle_hours=4)
        self.invitations = Invitations(self.database, self.people, clock)

    def look(self) -> None:
        self.people.changes.look()
        self.sessions.tick()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def process(tmp_path: Path, clock: Clock) -> Iterator[Callable[..., Process]]:
    """What opens the folder once more, as another process does."""
    opened: list[Process] = []

    def start(hasher: CountingHasher | None = None) -> Process:
        opened.append(Process(tmp_path, clock, hasher))
        return opened[-1]

    yield start
    for each in opened:
        each.people.threads.stop()
        each.database.close()


@pytest.fixture
def here(process: Callable[..., Process]) -> Process:
    return process()


@pytest.fixture
def people(here: Process) -> People:
    return here.people


@pytest.fixture
def sessions(here: Process) -> Sessions:
    return here.sessions


@pytest.fixture
def invitations(here: Process) -> Invitations:
    return here.invitations


@pytest.fixture
def state(tmp_path: Path, clock: Clock) -> Iterator[SharedState]:
    passwords = Passwords(PasswordHash((CountingHasher(),)))
    opened = SharedState(tmp_path, clock=clock, monotonic=clock, passwords=passwords)
    yield opened
    opened.stop()
