"""What a limit is, how far it is used, and the refusal of an order that would pass it."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import ClassVar

from kling.studio.amounts import money, round_money, units
from kling.studio.spent import Amount, Spent

UNITS = "units"
NO_LIMIT = "none"  # instead of a unit: this person has no limit, although the scope has one
WARN_AT = Decimal("0.8")  # of a limit
WHO_CAN_LIFT = "An admin of the studio can raise or remove the limit (Admin, Budgets)."


class Scope(StrEnum):
    """What a limit is for."""

    CLIP = "clip"
    PERSON_DAY = "person_day"
    PERSON_MONTH = "person_month"
    TEAM_DAY = "team_day"
    TEAM_MONTH = "team_month"

    @property
    def is_of_team(self) -> bool:
        """Whether it counts what all people spend together."""
        return self in {Scope.TEAM_DAY, Scope.TEAM_MONTH}

    @property
    def is_of_day(self) -> bool:
        """Whether it counts what is spent in a day."""
        return self in {Scope.PERSON_DAY, Scope.TEAM_DAY}


@dataclass(frozen=True, slots=True)
class Limit:
    """One limit.

    Args:
        account: as in the log.
        scope: what it is for.
        amount: at most so much; 0 lets nothing through.
        unit: `units`, or the currency of `amount`; `NO_LIMIT` for a person whom the limit for everybody does
            not bind.
        person_id: whose it is; empty for everybody.
    """

    account: str
    scope: Scope
    amount: Decimal
    unit: str = UNITS
    person_id: str = ""

    NOTHING: ClassVar[Decimal] = Decimal(0)

    @property
    def is_lifted(self) -> bool:
        """Whether it says that a person has no limit."""
        return self.unit == NO_LIMIT

    def of(self, used: Amount) -> Decimal:
        """Return the part of an amount that this limit counts."""
        return used.units if self.unit == UNITS else used.money

    def words(self, number: Decimal) -> str:
        """Return a number of the limit's unit, in words."""
        return units(number) if self.unit == UNITS else money(number, self.unit)

    @property
    def amount_words(self) -> str:
        """The limit in words: `$20`, `37 Units`, `no limit`."""
        if self.is_lifted:
            return "no limit"
        return units(self.amount) if self.unit == UNITS else round_money(self.amount, self.unit)

    @property
    def whose(self) -> str:
        """Whose it is, as a sentence begins."""
        return "The team’s" if self.scope.is_of_team else "Your"

    @property
    def period(self) -> str:
        """For how long its amount is: `a day` or `a month`."""
        return "a day" if self.scope.is_of_day else "a month"

    def reserved_words(self, spent: Spent) -> str:
        """Return how much of what was used is not charged yet, in brackets; empty if nothing is."""
        reserved = self.of(spent.reserved)
        part = "all" if reserved == self.of(spent.used) else self.words(reserved)
        return f" ({part} of that by clips that are not charged yet)" if reserved else ""


class BudgetError(Exception):
    """A limit cannot be set so; the text says why and what to give instead."""


class OverBudget(Exception):
    """An order that the budgets do not allow. Nothing of it was recorded, and nothing was spent.

    The text says which limit it is, what is used, the sum that would be passed, and who can lift it.

    Args:
        why: the text, without who can lift it.
        limit: that stands in the way; None if it is not known which limits there are.
        used: of that limit until now, in its unit; None where nothing is counted.
        wanted: what the order would add, in that unit; None if its price is not known.
        remedy: who can do what.
    """

    def __init__(
        self,
        why: str,
        *,
        limit: Limit | None = None,
        used: Decimal | None = None,
        wanted: Decimal | None = None,
        remedy: str = WHO_CAN_LIFT,
    ) -> None:
        super().__init__(f"{why} {remedy}")
        self.why, self.limit, self.used, self.wanted, self.remedy = why, limit, used, wanted, remedy


@dataclass(frozen=True, slots=True)
class BudgetLine:
    """How far one limit is used by somebody.

    Args:
        limit: the limit.
        used: in its unit; for one clip always 0.
        reserved: the part of `used` that is not deducted yet.
        words: `$3.00 of $20 today`.
        warning: what to be told at 80 % of the limit and above, empty below.
    """

    limit: Limit
    used: Decimal
    reserved: Decimal
    words: str
    warning: str

    @property
    def left(self) -> Decimal:
        """What may still be spent, in the unit of the limit; never below 0."""
        return max(self.limit.amount - self.used, Decimal(0))


@dataclass(frozen=True, slots=True)
class BudgetStatus:
    """What a person may know of the budgets that bind them. Without a limit all of it is empty.

    Args:
        lines: the person's limits first, then the team's.
        unpriced: how many jobs of this month may cost something that nobody knows.
        trouble: why the limits are not known, in words; then nothing is ordered.
    """

    lines: tuple[BudgetLine, ...] = ()
    unpriced: int = 0
    trouble: str = ""

    @property
    def warnings(self) -> tuple[str, ...]:
        """What to be told, in words."""
        return tuple(filter(None, (self.trouble, *(line.warning for line in self.lines))))
