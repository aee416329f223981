"""Kling's books beside ours: what its list of tasks says that each day was charged, and what our log says.

A scan of the account (`account_scan`) reads that list anyway. Here its charges are added up by day and by
whose tasks they are; a task of ours counts on the day of its order, as everywhere, and any other one on the
day when Kling made it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal

from kling.studio.jobs import Job, task_cells
from kling.studio.spending import Price, counted_at
from kling.tasks import Task

_MICRO = 10**6


@dataclass(frozen=True, slots=True)
class DayBooks:
    """Units of a day, or of several.

    Args:
        ours: of tasks of this log, by Kling's list.
        logged: of the same tasks, by the log.
        others: of all other tasks of the account, by Kling's list.
        our_tasks, other_tasks: how many tasks these were charged for.
    """

    ours: Decimal = Decimal(0)
    logged: Decimal = Decimal(0)
    others: Decimal = Decimal(0)
    our_tasks: int = 0
    other_tasks: int = 0

    def __add__(self, other: DayBooks) -> DayBooks:
        return DayBooks(
            self.ours + other.ours,
            self.logged + other.logged,
            self.others + other.others,
            self.our_tasks + other.our_tasks,
            self.other_tasks + other.other_tasks,
        )

    @property
    def charged(self) -> Decimal:
        """What Kling counts for the whole account."""
        return self.ours + self.others


@dataclass(frozen=True, slots=True)
class Books:
    """Kling's books as a whole list of tasks had them.

    Args:
        began, ended: when that list was read.
        days: by their dates; those without a charge are missing.
    """

    began: datetime
    ended: datetime
    days: dict[date, DayBooks] = field(repr=False)

    def between(self, first: date, last: date) -> DayBooks:
        """Return the sums of these days, both included."""
        return sum((books for day, books in self.days.items() if first <= day <= last), start=DayBooks())


class BookKeeper:
    """Adds up while a list is read.

    Args:
        price: what a task counts for.
        zone: whose days are meant.
        clock: Unix seconds.
    """

    def __init__(self, price: Price, zone: tzinfo, clock: Callable[[], float]) -> None:
        self._price, self._zone, self._clock = price, zone, clock
        self._days: dict[date, DayBooks] = {}
        self._began = self._now()
        self.books: Books | None = None  # of the last list that was read to its end

    def begin(self) -> None:
        """Begin with a new list."""
        self._days, self._began = {}, self._now()

    def add(self, task: Task, job: Job | None) -> None:
        """Add a task of the list.

        Args:
            task: as Kling lists it.
            job: as the log has it now, after it has heard of the task; None for a task that is not ours.
        """
        charge = self.units_of(Job({**(job.cells if job else {}), **_charge_of(task)}))
        logged = self.units_of(job) if job else Decimal(0)
        if not charge and not logged:
            return
        if job:
            found = DayBooks(ours=charge, logged=logged, our_tasks=1)
            moment = counted_at(job)
        else:
            found = DayBooks(others=charge, other_tasks=1)
            moment = task.created_at or self._began
        day = moment.astimezone(self._zone).date()
        self._days[day] = self._days.get(day, DayBooks()) + found

    def end(self) -> None:
        """Take what was added up as Kling's books: the list was read to its end."""
        self.books = Books(self._began, self._now(), self._days)

    def units_of(self, job: Job) -> Decimal:
        """Return what was charged for a job, in Units, as all sums count it."""
        counts = self._price.counts_of(job)
        return Decimal(counts[2]) / _MICRO if counts else Decimal(0)

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock(), UTC)


def _charge_of(task: Task) -> dict[str, str]:
    cells = task_cells(task)
    return {name: cells[name] for name in ("state", "final_unit_deduction", "final_balance_deduction")}
