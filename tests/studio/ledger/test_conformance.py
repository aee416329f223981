"""Both ledgers do what every ledger does."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from kling.studio.jobs import COLUMNS
from kling.studio.ledger import Ledger, OnChange
from kling.studio.ledger.csv_file import LogFile
from kling.studio.ledger.csv_ledger import CsvLedger
from kling.studio.ledger.csv_text import encode_row, parse
from tests.studio.ledger import memory_ledger
from tests.studio.ledger.conformance import LedgerTests, Row, Store
from tests.studio.ledger.memory_ledger import MemoryLedger


class InMemory(Store):
    def __init__(self) -> None:
        self.store = memory_ledger.Store()

    def open(self, clock: Callable[[], float], on_change: OnChange = lambda _ids: None) -> Ledger:
        return MemoryLedger(self.store, clock=clock, on_change=on_change)

    def rows(self) -> list[Row]:
        return list(self.store.rows)

    def replace(self, rows: Iterable[Row]) -> None:
        self.store.rows = [{name: cell for name, cell in row.items() if cell} for row in rows]

    def fail(self, how: str) -> None:
        self.store.failing.append(how)


class InAFile(Store):
    def __init__(self, path: Path) -> None:
        self.path = path
        self.failing: set[str] = set()

    def open(self, clock: Callable[[], float], on_change: OnChange = lambda _ids: None) -> Ledger:
        self.failing.clear()  # a restart, and the disk is well again
        file = LogFile(self.path, write=self._write, fsync=self._fsync, ftruncate=self._ftruncate)
        return CsvLedger(file, clock=clock, on_change=on_change)

    def rows(self) -> list[Row]:
        return list(parse(self.path.read_bytes()).rows)

    def replace(self, rows: Iterable[Row]) -> None:
        records = [encode_row([row.get(name, "") for name in COLUMNS]) for row in rows]
        self.path.write_bytes(encode_row(COLUMNS) + b"".join(records))

    def fail(self, how: str) -> None:
        self.failing = {"full": {"write"}, "unconfirmed": {"fsync"}, "uncertain": {"fsync", "ftruncate"}}[how]

    def _write(self, handle: int, data: bytes) -> int:
        self._raise("write")
        return os.write(handle, data)

    def _fsync(self, handle: int) -> None:  # noqa: ARG002 - as in os
        self._raise("fsync")

    def _ftruncate(self, handle: int, size: int) -> None:
        self._raise("ftruncate")
        os.ftruncate(handle, size)

    def _raise(self, call: str) -> None:
        if call in self.failing:
            self.failing.discard(call)
            raise OSError(errno.EIO, "Input/output error")


MAKERS = {"in memory": lambda _: InMemory(), "in a file": lambda folder: InAFile(folder / "history.csv")}


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
class TestLedgers(LedgerTests):
    pass
