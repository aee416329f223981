"""What budgets cost: `python -m tests.benchmarks.spending`.

Counting all tasks of a log at the start, against reading it; one more row with the sums against one without;
and the check of an order in a log of 100,000 tasks against one in a log of 1,000. Prints medians and ratios.
"""

from __future__ import annotations

import tempfile
import time
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from kling.studio.budgets import Budgets, Limit, Scope
from kling.studio.ledger.csv_file import LogFile
from kling.studio.ledger.csv_ledger import CsvLedger
from kling.studio.spending import SpendingSums
from tests.benchmarks.log import APPENDS, LARGE, LOADS, SMALL, make, median

DAY = datetime(2026, 11, 22, 12, tzinfo=UTC).timestamp()  # of the rows that `make` writes


class Store:
    """Limits that are never passed."""

    all = tuple(Limit("sandbox", scope, Decimal(10**9)) for scope in Scope)


def sums() -> SpendingSums:
    return SpendingSums(
        zone=UTC,
        unit_price=Decimal("0.14"),
        currency="USD",
        accounts=lambda: frozenset({"sandbox"}),
        clock=lambda: DAY,
    )


def ledger_of(path: Path, view: SpendingSums | None = None) -> CsvLedger:
    return CsvLedger(LogFile(path, fsync=lambda _: None), clock=time.time, view=view)


def one_more_row(path: Path, view: SpendingSums | None) -> float:
    ledger = ledger_of(path, view)
    job_id = ledger.jobs()[0].id
    return median(lambda: ledger.append(job_id, rating="5"), APPENDS)


def check(path: Path) -> float:
    view = sums()
    ledger_of(path, view)
    store = Store()
    budgets = Budgets(
        view,
        account=lambda: "sandbox",
        names=lambda: frozenset({"sandbox"}),
        store=lambda: store,  # type: ignore[arg-type,return-value]
        make_store=lambda: store,  # type: ignore[arg-type,return-value]
    )
    budgets.prepare()
    return median(lambda: budgets.check([Decimal("1.5")], person_id="p1"), APPENDS)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        large, small = Path(folder) / "large.csv", Path(folder) / "small.csv"
        make(large, LARGE)
        make(small, SMALL)
        jobs = ledger_of(large).jobs()
        count = median(lambda: sums().reset(jobs), LOADS)
        read = median(lambda: ledger_of(large), LOADS)
        told("counting all tasks", count, "reading them", read)
        told("one more row", one_more_row(large, sums()), "without sums", one_more_row(large, None))
        told("the check of an order", check(large), f"of {SMALL:,} tasks", check(small))


def told(what: str, ours: float, other: str, theirs: float) -> None:
    print(f"{what:24} {ours * 1e6:10,.0f} µs   {other} {theirs * 1e6:10,.0f} µs   {ours / theirs:.2f} x")


if __name__ == "__main__":
    main()
