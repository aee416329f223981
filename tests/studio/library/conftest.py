"""Logs for the library, and a library beside a ledger."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, tzinfo
from decimal import Decimal
from pathlib import Path

import pytest

from kling.studio.jobs import Job
from kling.studio.ledger.csv_file import LogFile
from kling.studio.ledger.csv_ledger import CsvLedger
from kling.studio.library import Library
from kling.studio.spending import Price
from tests.kling.tools import Clock

PRICE = Price(Decimal("0.14"), "USD")
NOON = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
Row = Mapping[str, str]


def library_of(
    folder: Path | None = None,
    *,
    zone: tzinfo = UTC,
    accounts: Iterable[str] = ("sandbox",),
    names_of: Callable[[str], Iterable[str]] = lambda _: (),
    jobs: Callable[[], Iterable[Job]] = tuple,
    has_room: Callable[[], bool] = lambda: True,
    rest: Callable[[float], None] = lambda _: None,
    on_whole: Callable[[], object] = lambda: None,
) -> Library:
    return Library(
        folder,
        zone=zone,
        price=PRICE,
        accounts=lambda: tuple(accounts),
        names_of=lambda person: tuple(names_of(person)),
        clock=NOON.timestamp,
        jobs=jobs,
        has_room=has_room,
        rest=rest,
        on_whole=on_whole,
    )


class House:
    """A ledger and a library in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.clock = folder, Clock(NOON.timestamp(), tick=1.0)
        self.open()

    def open(self, *, has_room: Callable[[], bool] = lambda: True) -> None:
        self.library = library_of(
            self.folder,
            jobs=lambda: self.ledger.jobs(),  # noqa: PLW0108 - made below
            has_room=has_room,
        )
        self.ledger = CsvLedger(
            LogFile(self.folder / "history.csv", fsync=lambda _: None), clock=self.clock, view=self.library
        )

    @property
    def jobs(self) -> list[Job]:
        return list(self.ledger.jobs())


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)
