"""A database in a folder of the test, and what is kept there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kling.studio.state.database import Database
from kling.studio.state.drafts import DraftStore
from kling.studio.state.shared import SharedState

NOW = 1_790_000_000.5


class Clock:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    here = Database(tmp_path / "studio.sqlite3")
    yield here
    here.close()


@pytest.fixture
def drafts(database: Database, clock: Clock) -> DraftStore:
    return DraftStore(database, clock=clock)


@pytest.fixture
def state(tmp_path: Path, clock: Clock) -> Iterator[Callable[[], SharedState]]:
    """What opens the state of the folder, as each start of the studio does."""
    opened: list[SharedState] = []

    def start() -> SharedState:
        if opened:
            opened[-1].stop()
        opened.append(SharedState(tmp_path, clock=clock, monotonic=clock))
        return opened[-1]

    yield start
    if opened:
        opened[-1].stop()
