"""The days that Spend is about: a month, or any range, as its address says."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from kling.studio.library import JobQuery

MONTH = "month"  # names of parameters: `?month=2026-11`, `?from=2026-10-03&to=2026-11-17`
RANGE = ("from", "to")
_MONTH = re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])")
MOST_DAYS = 92  # that are shown one by one; a longer period is shown by months
_DAY = timedelta(days=1)
_FIRST_YEAR, _LAST_YEAR = 1971, 8998  # what a question to the library can name, with a month before and after


@dataclass(frozen=True, slots=True)
class Period:
    """Whole days in the studio's time zone, both ends included."""

    first: date
    last: date

    @property
    def is_month(self) -> bool:
        """Whether it is a whole month."""
        return self == month_of(self.first)

    @property
    def is_year(self) -> bool:
        """Whether it is a whole year."""
        return self == year_of(self.first)

    @property
    def days(self) -> int:
        """How many days it has."""
        return (self.last - self.first).days + 1

    @property
    def title(self) -> str:
        """In words: `November 2026`, or `3 Oct to 17 Nov 2026`."""
        if self.is_month:
            return f"{self.first:%B %Y}"
        if self.is_year:
            return f"{self.first:%Y}"
        if self.first == self.last:
            return day_words(self.first, year=True)
        first = day_words(self.first, year=self.first.year != self.last.year)
        return f"{first} to {day_words(self.last, year=True)}"

    def moved(self, steps: int) -> Period:
        """Return the period so many months or years later, or so many times its own length."""
        if self.is_year:
            year = self.first.year + steps
            return year_of(self.first.replace(year=year)) if _FIRST_YEAR <= year <= _LAST_YEAR else self
        if not self.is_month:
            try:
                shift = timedelta(days=self.days * steps)
                first, last = self.first + shift, self.last + shift
            except OverflowError:
                return self
            return Period(first, last) if first.year >= _FIRST_YEAR and last.year <= _LAST_YEAR else self
        months = self.first.year * 12 + self.first.month - 1 + steps
        year, month = divmod(months, 12)
        return month_of(date(year, month + 1, 1)) if _FIRST_YEAR <= year <= _LAST_YEAR else self

    def to_address(self, today: date) -> dict[str, str]:
        """Return its parameters of the address; none for the month of today."""
        if self.is_month:
            return {} if self == month_of(today) else {MONTH: f"{self.first:%Y-%m}"}
        return dict(zip(RANGE, (self.first.isoformat(), self.last.isoformat()), strict=True))


def month_of(day: date) -> Period:
    """Return the month of a day."""
    first = day.replace(day=1)
    return Period(first, (first + timedelta(days=31)).replace(day=1) - _DAY)


def year_of(day: date) -> Period:
    """Return the year of a day."""
    return Period(day.replace(month=1, day=1), day.replace(month=12, day=31))


def period_of(parameters: Mapping[str, Any], today: date) -> Period:
    """Return the period of an address; the month of today where it names none that makes sense."""
    found = _MONTH.fullmatch(str(parameters.get(MONTH, "")))
    if found and _FIRST_YEAR <= int(found[1]) <= _LAST_YEAR:
        return month_of(date(int(found[1]), int(found[2]), 1))
    named = JobQuery.of_address({name: parameters[name] for name in RANGE if name in parameters})
    first, last = _clamped(named.first), _clamped(named.last)
    if first is None and last is None:
        return month_of(today)
    return Period(first or min(last or today, today), last or max(first or today, today))


def _clamped(day: date | None) -> date | None:
    return None if day is None else min(max(day, date(_FIRST_YEAR, 1, 1)), date(_LAST_YEAR, 12, 31))


def day_words(day: date, *, year: bool = False) -> str:
    """Return a day as `5 Nov`."""
    return f"{day.day} {day:%b %Y}" if year else f"{day.day} {day:%b}"
