"""What stands on Spend, asked once a run: the question, the sums, and how amounts are written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from kling.studio import amounts
from kling.studio.jobs import FAILED
from kling.studio.library import JobQuery, Sums, Totals
from kling.studio.spent import Amount, Spent
from pages._ui.context import studio
from pages._ui.spend.period import Period


@dataclass(frozen=True, slots=True)
class Facts:
    """The sums of a period.

    Args:
        period: the days.
        today: in the studio's time zone.
        query: finds the jobs that are added up, hidden ones too.
        link: finds them in History; it names hidden jobs only where there are some.
        totals: of all of them.
        failed: of those that failed.
    """

    period: Period
    today: date
    query: JobQuery
    link: JobQuery
    totals: Totals
    failed: Sums

    @property
    def sums(self) -> Sums:
        """Of all jobs."""
        return self.totals.sums


def facts_of(period: Period) -> Facts:
    """Ask for the sums.

    Raises:
        IndexBroken: there is no index.
    """
    library = studio().library
    query = JobQuery(first=period.first, last=period.last, hidden="all")
    has_hidden = library.count(replace(query, hidden="only")) > 0
    totals, failed = library.totals(query), library.totals(replace(query, states=(FAILED,)))
    return Facts(
        period,
        library.today(),
        query,
        query if has_hidden else replace(query, hidden=""),
        replace(totals, missing=max(totals.missing, failed.missing)),
        failed.sums,
    )


def money(amount: Amount | Decimal) -> str:
    """Return an amount in the studio's currency."""
    number = amount.money if isinstance(amount, Amount) else amount
    return amounts.money(number, studio().settings.currency)


def charged_and_due(spent: Spent) -> tuple[Decimal, Decimal]:
    """Return what was charged and what is not charged yet, in cents that add up to the sum as printed."""
    parts = (spent.settled.money, spent.reserved.money)
    charged, due = amounts.shares_in_cents(parts, amounts.in_cents(spent.used.money))
    return charged, due


def total_in_cents(facts: Facts) -> Sequence[Decimal]:
    """Return in cents what all jobs were ordered for, what was charged, and what is not charged yet."""
    return amounts.in_cents(facts.sums.expected_money), *charged_and_due(facts.sums.spent)


def parts_in_cents(facts: Facts, parts: Sequence[Sums]) -> list[Sequence[Decimal]]:
    """Return the same three of each part, so that they add up to those of all jobs as printed.

    Args:
        facts: of all jobs.
        parts: their sums in groups.
    """
    columns = (
        [each.expected_money for each in parts],
        [each.spent.settled.money for each in parts],
        [each.spent.reserved.money for each in parts],
    )
    return list(zip(*map(amounts.shares_in_cents, columns, total_in_cents(facts)), strict=True))


def unit_number(number: Decimal) -> str:
    """Return a number of Units with commas, without zeros at its end."""
    whole, point, rest = amounts.amount(number).partition(".")
    return f"{int(whole):,}{point}{rest}"


def unit_words(number: Decimal) -> str:
    """Return a number of Units, with the word."""
    return f"{unit_number(number)} {'Unit' if number == 1 else 'Units'}"
