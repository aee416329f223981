"""What is spent: sums over the log, by account, person, and day or month of the studio's time zone.

Nothing of it is stored. The ledger tells each change of a job under the lock that appends it (`View`), and
all jobs anew whenever it has read the log, so no crash can bring sums and log apart. A job counts on the day
when it was ordered, in one of these ways:

settled   what Kling has said that it deducted
reserved  the price of a job that may still cost: one that waits, is sent, runs, is looked up, or is left to a
          person, who may still send it; and one that succeeded and of which Kling has named no charge
          yet, or 0, because it says 0 before it names the charge
nothing   what was withdrawn, given up or refused, a task that failed without a charge, and what was imported
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal
from functools import lru_cache, partial

from kling.studio.jobs import FAILED, WITHDRAWN, Job, bounded
from kling.studio.jobs.job import NO_TIME
from kling.studio.spent import Amount, Spender, Spending, Spent
from kling.studio.visible_names import name_key

__all__ = ["FREE", "Amount", "Spender", "Spending", "SpendingSums", "Spent"]

FREE = frozenset({WITHDRAWN, FAILED})  # states in which a job that was not charged costs nothing
# Units are counted in millionths and money in millionths of millionths: a price in the log has at most six
# digits after its point, and so has what a Unit costs. Whole numbers are exact, and quick to add.
_MICRO = 10**6
_QUARTER = 900  # seconds; no zone changes its offset within a quarter of an hour of UTC
_TEAM = ""  # stands for everybody; nobody has this key
_NAME = "~"  # begins the key of a name without an account

Counts = tuple[int, int, int, int, int]  # reserved Units and money, settled Units and money, unpriced jobs


class Price:
    """What jobs count for, at the prices of the day when they were ordered.

    Args:
        unit_price: what a Unit costs now, for jobs that say no price of it in the currency.
        currency: of all sums of money.
    """

    def __init__(self, unit_price: Decimal, currency: str) -> None:
        self._currency = currency
        self._micro_price = max(_micro(f"{unit_price:f}"), 0)

    def counts_of(self, job: Job) -> Counts | None:
        """Return what a job counts for, None if it is nothing.

        Returns:
            Units and money that may still be deducted, in millionths and in millionths of millionths; then
            those that were deducted; then 1 if nobody knows what it may cost, else 0.
        """
        cells = job.cells
        if "imported" in cells.get("extra", "") and job.imported:
            return None
        charged = _micro(cells["final_unit_deduction"]) if "final_unit_deduction" in cells else 0
        cash = _cash_of(cells)
        units = _micro(cells.get("units", ""))
        price = self._of(cells)
        if charged > 0 or cash > 0:
            # An account that pays in cash is charged no Units: then the price in Units counts as used, so
            # that a limit in Units holds there too.
            used = charged if charged > 0 else max(units, 0)
            if self.is_foreign(job):
                used = max(charged, units, 0)
                return 0, 0, used, used * price, 0
            return 0, 0, used, max(charged, 0) * price + max(cash, 0) * _MICRO, 0
        if job.state in FREE:
            return None
        if units < 0:
            return 0, 0, 0, 0, 1
        return (units, units * price, 0, 0, 0) if units else None

    def is_foreign(self, job: Job) -> bool:
        """Whether it was paid with money of another currency: then the price in Units counts as used."""
        return _cash_of(job.cells) > 0 and job.cash_currency not in {"", self._currency}

    def money_of(self, job: Job, units: int) -> int:
        """Return what Units cost on the day of a job, in millionths of millionths.

        Args:
            job: whose day is meant.
            units: in millionths.
        """
        return units * self._of(job.cells)

    def _of(self, cells: Mapping[str, str]) -> int:
        if cells.get("currency") == self._currency:
            return max(_micro(cells.get("unit_price", "")), 0) or self._micro_price
        return self._micro_price


def counted_at(job: Job) -> datetime:
    """Return the moment of the order, by which a job is listed and counted; 1970 where nobody knows it."""
    moment = min(job.since.values(), default=NO_TIME)
    if moment == NO_TIME:  # a record has no time that can be read
        moment = job.ordered_at
    if "found" in job.cells.get("extra", "") and (made := job.moment("created_at")):
        moment = min(moment, made) if moment != NO_TIME else made  # it was ordered before it was found
    return moment


class SpendingSums:
    """The sums; safe to use from several threads. It is a `View` of the ledger.

    Args:
        zone: whose days and months are meant.
        unit_price: what a Unit costs now, for jobs that say no price of it in the currency: those of the
            sandbox, imports, and those that were ordered while another currency was set.
        currency: of all sums of money.
        accounts: gives the names of the account in use (`Accounts.names`).
        owner_of: gives the id of the person whom a name of the log was given to, empty if it is nobody's. It
            is asked under locks: it must neither wait nor raise.
        clock: Unix seconds.
    """

    def __init__(
        self,
        *,
        zone: tzinfo,
        unit_price: Decimal,
        currency: str,
        accounts: Callable[[], Collection[str]],
        owner_of: Callable[[str], str] = lambda _: "",
        clock: Callable[[], float],
    ) -> None:
        self.zone, self.unit_price, self.currency = zone, unit_price, currency
        self._price = Price(unit_price, currency)
        self._accounts, self._owner_of, self._clock = accounts, owner_of, clock
        self._lock = threading.Lock()
        # By account and period ("2026-11-26" or "2026-11"), then by person. A person is an id, `_NAME` with
        # the key of a name, or `_TEAM`.
        self._sums: dict[tuple[str, str], dict[str, Counts]] = {}
        self._names: dict[str, str] = {}  # as last written, by the key of a person
        self._days: dict[int, str] = {}  # by the number of a quarter of an hour

    # -- a view of the ledger ------------------------------------------------------------------------------

    def reset(self, jobs: Iterable[Job]) -> None:
        """Count all jobs anew: the ledger has read its log."""
        sums: dict[tuple[str, str, str], list[int]] = {}
        names: dict[str, str] = {}
        for job in jobs:
            if (counts := self._counts_of(job)) is None:
                continue
            cells = job.cells
            who = _person_key(cells)
            names[who] = cells.get("person", "")
            key = cells.get("account", ""), self._day_of(job), who
            if (sum_ := sums.get(key)) is None:
                sums[key] = list(counts)
                continue
            for place, number in enumerate(counts):
                if number:
                    sum_[place] += number
        with self._lock:
            self._sums, self._names = {}, names
            for (account, day, who), found in sums.items():
                self._add(account, day, who, (found[0], found[1], found[2], found[3], found[4]), 1)

    def changed(self, before: Job | None, job: Job) -> None:
        """Count one change.

        Args:
            before: the job until now, None if it is new.
            job: as it is now.
        """
        with self._lock:
            if before is not None:
                self._count(before, -1)
            self._count(job, 1)

    def recorded(self, stamp: str) -> None:
        """Do nothing: the sums are not stored."""

    def _count(self, job: Job, sign: int) -> None:
        counts = self._counts_of(job)
        if counts is None:
            return
        cells, who = job.cells, _person_key(job.cells)
        if sign > 0:
            self._names[who] = cells.get("person", "")
        self._add(cells.get("account", ""), self._day_of(job), who, counts, sign)

    def _add(self, account: str, day: str, who: str, counts: Counts, sign: int) -> None:
        for period in (day, day[:7]):
            sums = self._sums.setdefault((account, period), {})
            for key in (who, _TEAM):
                sums[key] = _add(sums.get(key, _NOTHING), counts, sign)

    def _counts_of(self, job: Job) -> Counts | None:
        return self._price.counts_of(job)

    def _day_of(self, job: Job) -> str:
        moment = counted_at(job)
        quarter = int(moment.timestamp()) // _QUARTER
        if (day := self._days.get(quarter)) is None:
            day = self._days[quarter] = moment.astimezone(self.zone).date().isoformat()
        return day

    # -- what was used -------------------------------------------------------------------------------------

    def today(self) -> date:
        """Return the day in the studio's time zone."""
        return datetime.fromtimestamp(self._clock(), UTC).astimezone(self.zone).date()

    def of(self, person_id: str = "", name: str = "") -> Spending:
        """Return what a person has used today and this month, of the account in use.

        Args:
            person_id: empty where there is no sign-in.
            name: then counts: the name as it was typed.
        """
        key = person_id or _NAME + name_key(name)
        return self._spending(partial(self._keys_of, key))

    def team(self) -> Spending:
        """Return what everybody together has used today and this month, of the account in use."""
        return self._spending(lambda _: (_TEAM,))

    def spenders(self) -> tuple[Spender, ...]:
        """Return everybody who has used something this month, of the account in use; the most Units first."""
        month = self.today().isoformat()[:7]
        with self._lock:
            keys = {key for account in self._accounts() for key in self._sums.get((account, month), ())}
            names = dict(self._names)
        people = {self._owner(key) or key for key in keys - {_TEAM}}
        found = [
            Spender(
                "" if key.startswith(_NAME) else key,
                names.get(key, ""),
                self._spending(partial(self._keys_of, key)),
            )
            for key in people
        ]
        found = [each for each in found if each.spending != Spending()]
        return tuple(sorted(found, key=lambda each: (-each.spending.month.used.units, each.name)))

    def since(self, first: date) -> Spent:
        """Return what everybody has used on a day and on all days after it, of the account in use."""
        accounts, text = set(self._accounts()), first.isoformat()
        with self._lock:
            found = [
                sums[_TEAM]
                for (account, period), sums in self._sums.items()
                if account in accounts and len(period) == len(text) and period >= text and _TEAM in sums
            ]
        return _spent(found)

    def _spending(self, keys: Callable[[Mapping[str, Counts]], Iterable[str]]) -> Spending:
        day = self.today().isoformat()
        accounts = self._accounts()
        with self._lock:
            found = [
                [
                    sums[key]
                    for account in accounts
                    if (sums := self._sums.get((account, period)))
                    for key in keys(sums)
                    if key in sums
                ]
                for period in (day, day[:7])
            ]
        return Spending(*map(_spent, found))

    def _keys_of(self, key: str, sums: Mapping[str, Counts]) -> Iterator[str]:
        """Yield the keys under which a person's jobs are counted: their own, and the names given to them."""
        yield key
        if not key.startswith(_NAME):
            yield from (other for other in sums if other.startswith(_NAME) and self._owner(other) == key)

    def _owner(self, key: str) -> str:
        name = self._names.get(key, "") if key.startswith(_NAME) else ""
        return self._owner_of(name) if name else ""


def _person_key(cells: Mapping[str, str]) -> str:
    """Return the key under which a job's person is counted."""
    return cells.get("person_id") or _NAME + name_key(cells.get("person", ""))


_NOTHING: Counts = (0, 0, 0, 0, 0)


def _add(sums: Counts, counts: Counts, sign: int) -> Counts:
    return (
        sums[0] + sign * counts[0],
        sums[1] + sign * counts[1],
        sums[2] + sign * counts[2],
        sums[3] + sign * counts[3],
        sums[4] + sign * counts[4],
    )


def _spent(found: Iterable[Counts]) -> Spent:
    sums = _NOTHING
    for counts in found:
        sums = _add(sums, counts, 1)
    return Spent(Amount(*_amount(sums[:2])), Amount(*_amount(sums[2:4])), sums[4])


def _cash_of(cells: Mapping[str, str]) -> int:
    return _micro(cells["final_balance_deduction"]) if "final_balance_deduction" in cells else 0


def _amount(sums: tuple[int, ...]) -> tuple[Decimal, Decimal]:
    return Decimal(sums[0]) / _MICRO, Decimal(sums[1]) / _MICRO**2


@lru_cache(maxsize=8192)
def _micro(text: str) -> int:
    """Return a number of the log in millionths, -1 where there is none, or one below 0 or of absurd size."""
    number = bounded(text)
    return -1 if number is None or number < 0 else int(number.scaleb(6))
