"""A question to the library as SQL. All values are parameters; only names of ours stand in the text."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, fields
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from kling.studio.library.facts import AT_RISK, MONEY_PART, PARTED, RETRACTED, SAFE, place_of
from kling.studio.library.normal import normalise, terms_of
from kling.studio.library.query import JobQuery
from kling.studio.library.store import KEYS, SUMMED
from kling.studio.spent import Amount, Spent
from kling.studio.visible_names import name_key

_NO_SPENT, _NO_AMOUNT, _EVERYTHING = Spent(), Amount(), JobQuery()
TRIGRAM = 3  # characters; a shorter term is looked for in every text
_MICRO = 10**6
_DAY = timedelta(days=1)
_ORDERS = {
    "newest": "j.place DESC",
    "oldest": "j.place",
    "dearest": "j.cost DESC, j.place DESC",  # those without come last
    "cheapest": "j.cost IS NULL, j.cost, j.place DESC",
    "rated": "j.rating DESC, j.place DESC",
    "longest": "j.seconds DESC, j.place DESC",
}
# One by one as `store.SUMMED` has them.
_SUMS = (
    "count(*)",
    "sum(j.state = 'succeed')",
    "sum(j.state = 'failed')",
    *(f"sum(j.{name})" for name in ("reserved", "reserved_hi", "reserved_lo")),
    *(f"sum(j.{name})" for name in ("settled", "settled_hi", "settled_lo", "unpriced", "expected")),
    "sum(CASE WHEN j.expected IS NOT NULL THEN j.settled END)",
    *(f"sum(CASE WHEN j.kept THEN j.{name} END)" for name in ("settled", "settled_hi", "settled_lo")),
    "sum(j.kept)",
    f"sum(j.clip = {SAFE})",
    *(f"sum(j.{name})" for name in ("expected_hi", "expected_lo")),
)
_SUMMED_COLUMNS = (
    "j.state, j.clip, j.kept, j.unpriced, j.expected, j.reserved, j.reserved_hi, j.reserved_lo, "
    "j.settled, j.settled_hi, j.settled_lo, j.expected_hi, j.expected_lo"
)
_COARSE_SUMS = tuple(f"sum(j.{name})" for name in SUMMED)
# What a question may name, and what it may be added up by, so that the table of sums knows the answer.
_COARSE = frozenset({"states", "models", "modes", "endpoints", "person", "period", "first", "last", "hidden"})
_COARSE_GROUPS = frozenset({*(f"j.{name}" for name in KEYS), "substr(j.day, 1, 7)"})


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
    add_coarse(parts, query, asker)
    for column, chosen in (
        ("duration", query.durations),
        ("shape", query.shapes),
        ("sound", (query.sound,) if query.sound else ()),
        ("batch", (query.batch,) if query.batch else ()),
        ("parent", (query.parent,) if query.parent else ()),
    ):
        _add_choice(parts, column, chosen)
    first, last = query.days(asker.today)
    if first is not None:
        parts.add("j.place >= ?", place_of(_midnight(first) - 2 * _DAY, 0))
    if last is not None:
        parts.add("j.place <= ?", place_of(_midnight(last) + 3 * _DAY, 0))
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


def add_coarse(parts: Parts, query: JobQuery, asker: Asker) -> None:
    """Add what the table of sums knows too."""
    for column, chosen in (
        ("state", query.states),
        ("model", query.models),
        ("mode", query.modes),
        ("endpoint", query.endpoints),
    ):
        _add_choice(parts, column, chosen)
    _add_person(parts, query.person, asker.names)
    first, last = query.days(asker.today)
    if first is not None:
        parts.add("+j.day >= ?", first.isoformat())
    if last is not None:
        parts.add("+j.day <= ?", last.isoformat())
    # The plus keeps SQLite from an index that has nearly all jobs, where another one has few.
    if query.hidden == "all":
        parts.add(f"+j.hidden < {RETRACTED}")
    else:
        parts.add("+j.hidden = ?", int(query.hidden == "only"))


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


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


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
    if not query.is_filtered and query.order in {"newest", "oldest"}:
        parts.conditions = [each.removeprefix("+") for each in parts.conditions]  # leaves out pages quickly
    question = f"SELECT j.id{parts.text} ORDER BY {order} LIMIT ? OFFSET ?"
    return [row[0] for row in connection.execute(question, [*parts.values, most, start])]


def count_of(connection: sqlite3.Connection, query: JobQuery, asker: Asker) -> tuple[int, int]:
    """Return how many jobs there are, and how many of them have a clip in the archive."""
    parts = parts_of(query, asker)
    question = f"SELECT count(*), sum(j.clip = {SAFE}){parts.text}"
    jobs, clips = connection.execute(question, parts.values).fetchone()
    return jobs, clips or 0


def tagged(connection: sqlite3.Connection, most: int) -> list[str]:
    """Return the ids of the newest jobs that have tags; hidden ones too."""
    question = "SELECT id FROM jobs WHERE tags != '' ORDER BY place DESC LIMIT ?"
    return [row[0] for row in connection.execute(question, (most,))]


def neighbours_of(
    connection: sqlite3.Connection, query: JobQuery, asker: Asker, job_id: str
) -> tuple[str, str]:
    """Return the ids before and after a job in the order of the question; empty where there is none."""
    if query.order in {"newest", "oldest"}:
        return _neighbours_in_time(connection, query, asker, job_id)
    parts = parts_of(query, asker)
    turn = f"OVER (ORDER BY {_ORDERS[query.order]})"
    inner = f"SELECT j.id AS id, lag(j.id) {turn} AS before, lead(j.id) {turn} AS after{parts.text}"
    question = f"SELECT before, after FROM ({inner}) WHERE id = ?"  # noqa: S608 - text of ours
    found = connection.execute(question, [*parts.values, job_id]).fetchone() or (None, None)
    return found[0] or "", found[1] or ""


def _neighbours_in_time(
    connection: sqlite3.Connection, query: JobQuery, asker: Asker, job_id: str
) -> tuple[str, str]:
    parts = parts_of(query, asker)
    place = "words.rowid" if parts.tables.startswith("words") else "j.place"
    here = connection.execute(
        f"SELECT j.place{parts.text} AND j.id = ?",
        [*parts.values, job_id],
    ).fetchone()
    if here is None:
        return "", ""
    found = []
    for side, order in ((">", ""), ("<", " DESC")):  # newer, older
        question = f"SELECT j.id{parts.text} AND {place} {side} ? ORDER BY {place}{order} LIMIT 1"
        row = connection.execute(question, [*parts.values, here[0]]).fetchone()
        found.append(row[0] if row else "")
    newer, older = found
    return (newer, older) if query.order == "newest" else (older, newer)


# -- sums ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Sums:
    """What jobs add up to. Units and money at the prices of the day when each was ordered.

    Args:
        jobs, succeeded, failed, kept: how many; kept are those with a star, or rated `KEPT_FROM` and more.
        spent: what they have cost, and may still cost.
        expected: the prices in Units of the jobs that were charged and whose price was known.
        expected_money: the same in money.
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
    expected_money: Decimal = Decimal(0)

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
            self.expected_money + other.expected_money,
        )


def sums_of(
    connection: sqlite3.Connection, query: JobQuery, asker: Asker, by: Sequence[str] = ()
) -> Iterator[tuple[tuple[str, ...], Sums]]:
    """Yield the sums of the jobs of the accounts, by their values in some columns.

    Imported jobs are in no sum.
    """
    is_coarse = is_known_by_sums(query, _COARSE) and _COARSE_GROUPS.issuperset(by)
    parts = Parts(tables="cube j") if is_coarse else parts_of(query, asker)
    if is_coarse:
        add_coarse(parts, query, asker)
    _add_books(parts, asker)
    sums = _COARSE_SUMS if is_coarse else _SUMS
    groups = f" GROUP BY {', '.join(by)}" if by else ""
    some = " HAVING sum(j.jobs) > 0" if is_coarse and by else ""
    question = f"SELECT {', '.join([*by, *sums])}{parts.text}{groups}{some}"
    found: dict[tuple[str, ...], Sums] = {}
    for row in connection.execute(question, parts.values):
        found[tuple(map(str, row[: len(by)]))] = _sums(row[len(by) :])
    for key, sums_of_huge in _all_huge(connection, query, asker, by).items():
        found[key] = found.get(key, Sums()) + sums_of_huge
    yield from found.items()


def totals_of(connection: sqlite3.Connection, query: JobQuery, asker: Asker) -> tuple[int, int, Sums]:
    """Return how many jobs there are, how many of them have a clip in the archive, and the sums."""
    if is_known_by_sums(query, _COARSE):
        parts = Parts(tables="cube j")
        add_coarse(parts, query, asker)
        question = f"SELECT sum(j.jobs), sum(j.clips){parts.text}"
        jobs, clips = connection.execute(question, parts.values).fetchone()
        return jobs or 0, clips or 0, dict(sums_of(connection, query, asker)).get((), Sums())
    parts, books = parts_of(query, asker), Parts()
    _add_books(books, asker)
    # In one pass, so that a text is looked for once. The limit keeps SQLite from asking `own` for each sum.
    inner = f"SELECT {_SUMMED_COLUMNS}, ({' AND '.join(books.conditions)}) AS own{parts.text} LIMIT -1"
    sums = (each if each == "count(*)" else f"{each} FILTER (WHERE own)" for each in _SUMS)
    counts = f"count(*), sum(j.clip = {SAFE}), count(*) FILTER (WHERE own)"
    question = f"SELECT {counts}, {', '.join(list(sums)[1:])} FROM ({inner}) j"  # noqa: S608 - text of ours
    jobs, clips, *numbers = connection.execute(question, [*books.values, *parts.values]).fetchone()
    return jobs, clips or 0, _sums(numbers) + _all_huge(connection, query, asker, ()).get((), Sums())


def _all_huge(
    connection: sqlite3.Connection, query: JobQuery, asker: Asker, by: Sequence[str]
) -> dict[tuple[str, ...], Sums]:
    """Return what is added up outside of the table, because a number is too large for it."""
    found: dict[tuple[str, ...], Sums] = {}
    if not connection.execute("SELECT 1 FROM jobs WHERE huge != '' LIMIT 1").fetchone():
        return found
    parts = parts_of(query, asker)
    _add_books(parts, asker)
    parts.add("j.huge != ''")
    question = f"SELECT {', '.join([*by, 'j.kept', 'j.huge'])}{parts.text}"
    for row in connection.execute(question, parts.values):
        key = tuple(map(str, row[: len(by)]))
        found[key] = found.get(key, Sums()) + _huge(row[-1], kept=bool(row[-2]))
    return found


def is_known_by_sums(query: JobQuery, named: Collection[str]) -> bool:
    """Whether a question names nothing but some of its fields."""
    return all(
        each.name in named or getattr(query, each.name) == getattr(_EVERYTHING, each.name)
        for each in fields(JobQuery)
    )


def _add_books(parts: Parts, asker: Asker) -> None:
    """Leave out what is in no sum: what was imported, and the jobs of other accounts."""
    parts.add("+j.imported = 0")
    accounts = sorted(asker.accounts)
    parts.add(f"+j.account IN ({_marks(accounts)})", *accounts)


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
        _amount(0, *numbers[17:19]).money,
    )


def _huge(text: str, *, kept: bool) -> Sums:
    reserved, reserved_money, settled, settled_money, expected, expected_money = json.loads(text)
    charged = _amount(settled, 0, settled_money)
    return Sums(
        spent=Spent(_amount(reserved, 0, reserved_money), charged),
        expected=Decimal(expected or 0) / _MICRO,
        charged_of_expected=Decimal(settled if expected is not None else 0) / _MICRO,
        kept_cost=charged if kept else Amount(),
        expected_money=_amount(0, 0, expected_money).money,
    )


def _amount(units: int, high: int, low: int) -> Amount:
    return Amount(Decimal(units) / _MICRO, Decimal(high * MONEY_PART + low) / _MICRO**2)
