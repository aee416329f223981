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

from kling.studio.jobs import Job, dump_json, json_object, task_cells
from kling.studio.spending import Price, counted_at
from kling.studio.spent import Amount
from kling.tasks import Task

_MICRO = 10**6
_NOTHING = Amount()


@dataclass(frozen=True, slots=True)
class DayBooks:
    """What a day was charged, or several.

    Args:
        ours: for tasks of this log, by Kling's list.
        logged: for the same tasks, by the log.
        others: for all other tasks of the account, by Kling's list.
        our_tasks, other_tasks: how many tasks these were charged for.
        cash_tasks: how many of all were paid with money, so that Units alone do not tell what was charged.
        foreign_tasks: how many other ones were paid with money of another currency, which is in no sum.
    """

    ours: Amount = _NOTHING
    logged: Amount = _NOTHING
    others: Amount = _NOTHING
    our_tasks: int = 0
    other_tasks: int = 0
    cash_tasks: int = 0
    foreign_tasks: int = 0

    def __add__(self, other: DayBooks) -> DayBooks:
        return DayBooks(
            self.ours + other.ours,
            self.logged + other.logged,
            self.others + other.others,
            self.our_tasks + other.our_tasks,
            self.other_tasks + other.other_tasks,
            self.cash_tasks + other.cash_tasks,
            self.foreign_tasks + other.foreign_tasks,
        )

    @property
    def charged(self) -> Amount:
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
        listed = _as_listed(task, job)
        charge, logged = self.charged(listed), self.charged(job) if job else _NOTHING
        is_foreign = not job and self._price.is_foreign(listed)
        if charge == logged == _NOTHING and not is_foreign:
            return
        in_cash = int(
            any((each.decimal("final_balance_deduction") or 0) > 0 for each in (listed, job) if each)
        )
        if job:
            found = DayBooks(ours=charge, logged=logged, our_tasks=1, cash_tasks=in_cash)
            moment = counted_at(job)
        else:
            found = DayBooks(others=charge, other_tasks=1, cash_tasks=in_cash, foreign_tasks=int(is_foreign))
            moment = task.created_at or self._began
        day = moment.astimezone(self._zone).date()
        self._days[day] = self._days.get(day, DayBooks()) + found

    def end(self) -> None:
        """Take what was added up as Kling's books: the list was read to its end."""
        self.books = Books(self._began, self._now(), self._days)

    def charged(self, job: Job) -> Amount:
        """Return what was charged for a job, as all sums count it."""
        counts = self._price.counts_of(job)
        return Amount(Decimal(counts[2]) / _MICRO, Decimal(counts[3]) / _MICRO**2) if counts else _NOTHING

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock(), UTC)


def _as_listed(task: Task, job: Job | None) -> Job:
    """Return a job with the charge that the list names."""
    known, cells = job.cells if job else {}, task_cells(task)
    charge = {name: cells[name] for name in ("state", "final_unit_deduction", "final_balance_deduction")}
    extra = {**json_object(known.get("extra", "")), **json_object(cells["extra"])}
    return Job({**known, **charge, "extra": dump_json(extra)})
