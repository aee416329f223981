"""A question to the library as SQL. All values are parameters; only names of ours stand in the text."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from kling.studio.library.facts import AT_RISK, MONEY_PART, PARTED, RETRACTED, SAFE, place_of
from kling.studio.library.normal import normalise, terms_of
from kling.studio.library.query import JobQuery
from kling.studio.spent import Amount, Spent
from kling.studio.visible_names import name_key

_NO_SPENT, _NO_AMOUNT = Spent(), Amount()
TRIGRAM = 3  # characters; a shorter term is looked for in every text
_MICRO = 10**6
_ORDERS = {
    "newest": "j.place DESC",
    "oldest": "j.place",
    "dearest": "j.cost DESC, j.place DESC",  # those without come last
    "cheapest": "j.cost IS NULL, j.cost, j.place DESC",
    "rated": "j.rating DESC, j.place DESC",
    "longest": "j.seconds DESC, j.place DESC",
}
_SUMS = (
    "count(*)",
    "sum(j.state = 'succeed')",
    "sum(j.state = 'failed')",
    "sum(j.reserved)",
    "sum(j.reserved_hi)",
    "sum(j.reserved_lo)",
    "sum(j.settled)",
    "sum(j.settled_hi)",
    "sum(j.settled_lo)",
    "sum(j.unpriced)",
    "sum(j.expected)",
    "sum(CASE WHEN j.expected IS NOT NULL THEN j.settled END)",
    "sum(CASE WHEN j.kept THEN j.settled END)",
    "sum(CASE WHEN j.kept THEN j.settled_hi END)",
    "sum(CASE WHEN j.kept THEN j.settled_lo END)",
    "sum(j.kept)",
)


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks, and when.

    Args:
        who: key of the person among opinions (`jobs.who_is`).
        today: the day in the studio's time zone.
        names: keys of names (`name_key`) that were given to the person whom the question names.
        accounts: of which jobs cost something; jobs of others are counted, and not added up.
    """

    who: str = ""
    today: date = date(1970, 1, 1)
    names: Collection[str] = ()
    accounts: Collection[str] = ()


@dataclass(slots=True)
class Parts:
    """A statement while it is made: tables, conditions, and the values of both."""

    tables: str = "jobs j"
    conditions: list[str] = field(default_factory=list)
    values: list[object] = field(default_factory=list)

    def add(self, condition: str, *values: object) -> None:
        """Add a condition that has to hold too."""
        self.conditions.append(condition)
        self.values += values

    @property
    def text(self) -> str:
        """The middle of the statement."""
        where = f" WHERE {' AND '.join(self.conditions)}" if self.conditions else ""
        return f" FROM {self.tables}{where}"


def parts_of(query: JobQuery, asker: Asker) -> Parts:
    """Return the tables and conditions of a question, without order and page."""
    parts = Parts()
    _add_text(parts, terms_of(query.text))
    if query.hidden == "all":
        parts.add(f"+j.hidden < {RETRACTED}")
    else:
        parts.add("j.hidden = ?", int(query.hidden == "only"))
    for column, chosen in (
        ("state", query.states),
        ("model", query.models),
        ("mode", query.modes),
        ("endpoint", query.endpoints),
        ("duration", query.durations),
        ("shape", query.shapes),
        ("sound", (query.sound,) if query.sound else ()),
        ("batch", (query.batch,) if query.batch else ()),
        ("parent", (query.parent,) if query.parent else ()),
    ):
        _add_choice(parts, column, chosen)
    _add_person(parts, query.person, asker.names)
    _add_days(parts, *query.days(asker.today))
    if query.cost_from is not None:
        parts.add("+j.cost >= ?", int(query.cost_from * _MICRO))
    if query.cost_to is not None:
        parts.add("+j.cost <= ?", int(query.cost_to * _MICRO))
    _add_opinions(parts, query, asker.who)
    if query.at_risk:
        parts.add("j.clip = ?", AT_RISK)
    if query.clips:
        parts.add("j.clip = ?", SAFE)
    return parts


def _add_text(parts: Parts, terms: Sequence[str]) -> None:
    long = [term for term in terms if len(term) >= TRIGRAM]
    if long:
        parts.tables = "words CROSS JOIN jobs j ON j.place = words.rowid"
        # Between double quotes nothing has a meaning of its own but a double quote.
        quoted = (f'''"{term.replace('"', '""')}"''' for term in long)
        parts.add("words MATCH ?", " AND ".join(quoted))
    short = [term for term in terms if len(term) < TRIGRAM]
    if short:
        parts.tables += " CROSS JOIN texts t ON t.place = j.place"
        for term in short:
            parts.add("instr(t.hay, ?) > 0", term)


def _add_choice(parts: Parts, column: str, chosen: Sequence[str]) -> None:
    if len(chosen) == 1:
        parts.add(f"j.{column} = ?", chosen[0])
    elif chosen:
        # The plus keeps SQLite from an index by which it would have to sort everything that is found.
        parts.add(f"+j.{column} IN ({_marks(chosen)})", *chosen)


def _add_person(parts: Parts, person: str, names: Collection[str]) -> None:
    if not person:
        return
    keys = sorted({name_key(person), *names} - {""})
    if keys:
        found = f"+j.person_key IN ({_marks(keys)})"
        parts.add(f"(+j.person_id = ? OR (+j.person_id = '' AND {found}))", person, *keys)
    else:
        parts.add("j.person_id = ?", person)


def _add_opinions(parts: Parts, query: JobQuery, who: str) -> None:
    if query.star == "any":
        parts.add("j.stars > 0")
    elif query.star == "mine":
        parts.add("j.place IN (SELECT place FROM opinions WHERE who = ? AND star = 1)", who)
    if query.rating:
        parts.add("+j.rating >= ?", query.rating)
    for tag in query.tags:
        parts.add("j.tags != '' AND instr(j.tags, ?) > 0", f"{PARTED}{normalise(tag)}{PARTED}")


def _add_days(parts: Parts, first: date | None, last: date | None) -> None:
    """Add the days, and the places around them, so that only these are read."""
    day = timedelta(days=1)
    if first is not None:
        parts.add("+j.day >= ?", first.isoformat())
        parts.add(
            "j.place >= ?", place_of(datetime(first.year, first.month, first.day, tzinfo=UTC) - 2 * day, 0)
        )
    if last is not None:
        parts.add("+j.day <= ?", last.isoformat())
        parts.add(
            "j.place <= ?", place_of(datetime(last.year, last.month, last.day, tzinfo=UTC) + 3 * day, 0)
        )


def _marks(values: Sequence[object]) -> str:
    return ", ".join("?" * len(values))


# -- rows ----------------------------------------------------------------------------------------------


def ids_of(
    connection: sqlite3.Connection, query: JobQuery, asker: Asker, *, start: int, most: int
) -> list[str]:
    """Return ids of jobs in the order of the question, without the first `start` of them."""
    parts = parts_of(query, asker)
    order = _ORDERS[query.order]
    if parts.tables.startswith("words"):
        order = order.replace("j.place", "words.rowid")
    question = f"SELECT j.id{parts.text} ORDER BY {order} LIMIT ? OFFSET ?"
    return [row[0] for row in connection.execute(question, [*parts.values, most, start])]


def count_of(connection: sqlite3.Connection, query: JobQuery, asker: Asker) -> tuple[int, int]:
    """Return how many jobs there are, and how many of them have a clip in the archive."""
    parts = parts_of(query, asker)
    question = f"SELECT count(*), sum(j.clip = {SAFE}){parts.text}"
    jobs, clips = connection.execute(question, parts.values).fetchone()
    return jobs, clips or 0


def neighbours_of(
    connection: sqlite3.Connection, query: JobQuery, asker: Asker, job_id: str
) -> tuple[str, str]:
    """Return the ids before and after a job in the order of the question; empty where there is none."""
    parts = parts_of(query, asker)
    turn = f"OVER (ORDER BY {_ORDERS[query.order]})"
    inner = f"SELECT j.id AS id, lag(j.id) {turn} AS before, lead(j.id) {turn} AS after{parts.text}"
    question = f"SELECT before, after FROM ({inner}) WHERE id = ?"  # noqa: S608 - text of ours
    found = connection.execute(question, [*parts.values, job_id]).fetchone() or (None, None)
    return found[0] or "", found[1] or ""


# -- sums ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Sums:
    """What jobs add up to. Units and money at the prices of the day when each was ordered.

    Args:
        jobs, succeeded, failed, kept: how many; kept are those with a star, or rated `KEPT_FROM` and more.
        spent: what they have cost, and may still cost.
        expected: the prices in Units of the jobs that were charged and whose price was known.
        charged_of_expected: what these jobs were charged.
        kept_cost: what those that were kept were charged.
    """

    jobs: int = 0
    succeeded: int = 0
    failed: int = 0
    kept: int = 0
    spent: Spent = _NO_SPENT
    expected: Decimal = Decimal(0)
    charged_of_expected: Decimal = Decimal(0)
    kept_cost: Amount = _NO_AMOUNT

    @property
    def success_rate(self) -> float | None:
        """Which share of those that ended at Kling succeeded; None if none ended."""
        ended = self.succeeded + self.failed
        return self.succeeded / ended if ended else None

    @property
    def difference(self) -> Decimal:
        """By how many Units what was charged is more than what was expected."""
        return self.charged_of_expected - self.expected

    def __add__(self, other: Sums) -> Sums:
        return Sums(
            self.jobs + other.jobs,
            self.succeeded + other.succeeded,
            self.failed + other.failed,
            self.kept + other.kept,
            Spent(
                self.spent.reserved + other.spent.reserved,
                self.spent.settled + other.spent.settled,
                self.spent.unpriced + other.spent.unpriced,
            ),
            self.expected + other.expected,
            self.charged_of_expected + other.charged_of_expected,
            self.kept_cost + other.kept_cost,
        )


def sums_of(
    connection: sqlite3.Connection, query: JobQuery, asker: Asker, by: Sequence[str] = ()
) -> Iterator[tuple[tuple[str, ...], Sums]]:
    """Yield the sums of the jobs of the accounts, by their values in some columns.

    Imported jobs are in no sum.
    """
    parts = parts_of(query, asker)
    parts.add("+j.imported = 0")
    accounts = sorted(asker.accounts)
    parts.add(f"+j.account IN ({_marks(accounts)})", *accounts)
    columns = [f"{expression}" for expression in by]
    groups = f" GROUP BY {', '.join(columns)}" if columns else ""
    question = f"SELECT {', '.join([*columns, *_SUMS])}{parts.text}{groups}"
    found: dict[tuple[str, ...], Sums] = {}
    for row in connection.execute(question, parts.values):
        found[tuple(map(str, row[: len(columns)]))] = _sums(row[len(columns) :])
    huge = f"SELECT {', '.join([*columns, 'j.kept', 'j.huge'])}{parts.text} AND j.huge != ''"
    for row in connection.execute(huge, parts.values):
        key = tuple(map(str, row[: len(columns)]))
        found[key] = found.get(key, Sums()) + _huge(row[-1], kept=bool(row[-2]))
    yield from found.items()


def _sums(row: Sequence[int | None]) -> Sums:
    numbers = [number or 0 for number in row]
    jobs, succeeded, failed = numbers[:3]
    return Sums(
        jobs,
        succeeded,
        failed,
        numbers[15],
        Spent(_amount(*numbers[3:6]), _amount(*numbers[6:9]), numbers[9]),
        Decimal(numbers[10]) / _MICRO,
        Decimal(numbers[11]) / _MICRO,
        _amount(*numbers[12:15]),
    )


def _huge(text: str, *, kept: bool) -> Sums:
    reserved, reserved_money, settled, settled_money, expected = json.loads(text)
    charged = _amount(settled, 0, settled_money)
    return Sums(
        spent=Spent(_amount(reserved, 0, reserved_money), charged),
        expected=Decimal(expected or 0) / _MICRO,
        charged_of_expected=Decimal(settled if expected is not None else 0) / _MICRO,
        kept_cost=charged if kept else Amount(),
    )


def _amount(units: int, high: int, low: int) -> Amount:
    return Amount(Decimal(units) / _MICRO, Decimal(high * MONEY_PART + low) / _MICRO**2)
