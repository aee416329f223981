"""What somebody has used of a budget: amounts, by what is reserved and what is settled."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Amount:
    """An amount, in Units and in the studio's currency."""

    units: Decimal = Decimal(0)
    money: Decimal = Decimal(0)

    def __add__(self, other: Amount) -> Amount:
        return Amount(self.units + other.units, self.money + other.money)


@dataclass(frozen=True, slots=True)
class Spent:
    """What somebody has used of a budget in one period.

    Args:
        reserved: the prices of the jobs that may still cost.
        settled: what Kling has deducted.
        unpriced: how many jobs may still cost something that nobody knows; they are in no sum.
    """

    reserved: Amount = Amount()
    settled: Amount = Amount()
    unpriced: int = 0

    @property
    def used(self) -> Amount:
        """What counts against a limit."""
        return self.reserved + self.settled


@dataclass(frozen=True, slots=True)
class Spending:
    """What somebody has used today and in this month."""

    day: Spent = Spent()
    month: Spent = Spent()


@dataclass(frozen=True, slots=True)
class Spender:
    """A person, or a name of the log that belongs to no account, and what is spent under it.

    Args:
        person_id: empty for a name.
        name: as it was last written in the log.
        spending: today's and this month's.
    """

    person_id: str
    name: str
    spending: Spending
