"""A question to the library as SQL. All values are parameters; only names of ours stand in the text."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from kling.studio.library.facts import (
    AT_RISK,
    END,
    NUMBERS,
    PARTED,
    RETRACTED,
    SAFE,
    Counted,
    counted_of,
    place_of,
)
from kling.studio.library.normal import normalise, terms_of
from kling.studio.library.query import JobQuery
from kling.studio.library.store import KEYS, KIND_KEYS, MONEY, MONEY_PART, SUMMED
from kling.studio.spent import Amount, Spent
from kling.studio.visible_names import name_key

_NO_SPENT, _NO_AMOUNT, _EVERYTHING = Spent(), Amount(), JobQuery()
_NOTHING = [0] * (1 + len(NUMBERS))
TRIGRAM = 3  # characters of which the search is made
RAREST = 2  # parts of three characters by which a longer term is found
SAMPLE, LONGEST_SAMPLE = 50, 1_000  # texts that tell which parts are rare, and the characters of each
MOST_SEARCHED = 8  # words that are searched for; those after them are looked for in what is found
MOST_BEGINNINGS = 500  # of them that begin with a shorter term; with more it is looked for in every text
_MICRO = 10**6
_DAY = timedelta(days=1)
_ORDERS = {
    "newest": "j.place",
    "oldest": "j.place DESC",
    "dearest": "j.cost DESC, j.place",  # those without come last
    "cheapest": "j.cost IS NULL, j.cost, j.place",
    "rated": "j.rating DESC, j.place",
    "longest": "j.seconds DESC, j.place",
}
_COARSE_SUMS = tuple(f"sum(j.{name})" for name in SUMMED)
# What a question may name, and what it may be added up by, so that the table of sums knows the answer.
_COARSE = frozenset(
    {
        *("states", "models", "modes", "endpoints", "person", "period", "first", "last", "hidden"),
        *("clips", "at_risk"),
    }
)
_KIND_GROUPS = frozenset(f"j.{name}" for name in KIND_KEYS)
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
    """A statement while it is made: tables, the place of a job, conditions, and the values of all."""

    tables: str = "jobs j"
    place: str = "j.place"
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


def parts_of(
    connection: sqlite3.Connection, query: JobQuery, asker: Asker, *, is_for_a_page: bool = False
) -> Parts:
    """Return the tables and conditions of a question, without order and page.

    Args:
        connection: to the index.
        query: what is looked for.
        asker: who asks.
        is_for_a_page: whether a few jobs are read in the order of time, so that most texts that the search
            finds are never looked at.
    """
    parts = Parts()
    _add_text(parts, connection, query, is_for_a_page=is_for_a_page)
    add_coarse(parts, query, asker)
    for column, chosen in (
        ("duration", query.durations),
        ("shape", query.shapes),
        ("sound", (query.sound,) if query.sound else ()),
        ("batch", (query.batch,) if query.batch else ()),
        ("parent", (query.parent,) if query.parent else ()),
    ):
        _add_choice(parts, column, chosen)
    if query.continued:
        parts.add("+j.continued = 1")
    first, last = query.days(asker.today)
    if first is not None:
        parts.add("j.place <= ?", place_of(_midnight(first) - 2 * _DAY, 0))
    if last is not None:
        parts.add("j.place >= ?", place_of(_midnight(last) + 3 * _DAY, 0))
    if query.cost_from is not None:
        parts.add("+j.cost >= ?", int(query.cost_from * _MICRO))
    if query.cost_to is not None:
        parts.add("+j.cost <= ?", int(query.cost_to * _MICRO))
    _add_opinions(parts, query, asker.who)
    return parts


def add_coarse(parts: Parts, query: JobQuery, asker: Asker) -> None:
    """Add what the table of sums knows too."""
    for column, chosen in (
        ("state", query.states),
        ("model", query.models),
        ("mode", query.modes),
        ("endpoint", query.endpoint_names),
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
    if query.at_risk:
        parts.add("j.clip = ?", AT_RISK)
    if query.clips:
        parts.add("j.clip = ?", SAFE)


def _add_text(parts: Parts, connection: sqlite3.Connection, query: JobQuery, *, is_for_a_page: bool) -> None:
    searched: list[str] = []
    scanned: list[str] = []
    terms = terms_of(query.text)
    for term in terms[:MOST_SEARCHED]:
        if is_for_a_page and len(term) >= TRIGRAM + RAREST:
            searched += map(_quoted, _rarest(connection, term))
            scanned.append(term)
            continue
        words = (term,) if len(term) >= TRIGRAM else _beginning_with(connection, term)
        if words is None:
            scanned.append(term)
        else:
            searched.append(f"({' OR '.join(map(_quoted, words))})")
    scanned += terms[MOST_SEARCHED:]
    # Else the facts leave fewer texts to look at.
    is_all = bool(scanned) and query.whole == JobQuery(text=query.text)
    texts = "texts t CROSS JOIN jobs j ON j.place = t.place"
    if searched and is_all:
        parts.tables, parts.place = f"words CROSS JOIN {texts} AND t.place = words.rowid", "words.rowid"
    elif is_all:
        parts.tables, parts.place = texts, "t.place"
    else:
        if searched:
            parts.tables, parts.place = "words CROSS JOIN jobs j ON j.place = words.rowid", "words.rowid"
        if scanned:
            parts.tables += " CROSS JOIN texts t ON t.place = j.place"
    if searched:
        parts.add("words MATCH ?", " AND ".join(searched))
    for term in scanned:
        parts.add("instr(t.hay, ?) > 0", term)


def _rarest(connection: sqlite3.Connection, term: str) -> Sequence[str]:
    """Return the parts of three characters of a term that the fewest of the newest texts have.

    All the parts of a phrase of usual words are usual, save the few where two words meet: to search for these
    and look at what is found is many times quicker than to search for all.
    """
    question = "SELECT substr(hay, 1, ?) FROM texts LIMIT ?"
    texts = [row[0] for row in connection.execute(question, (LONGEST_SAMPLE, SAMPLE))]
    parts = dict.fromkeys(term[at : at + TRIGRAM] for at in range(len(term) - TRIGRAM + 1))
    return sorted(parts, key=lambda part: sum(part in text for text in texts))[:RAREST]


def _beginning_with(connection: sqlite3.Connection, term: str) -> Sequence[str] | None:
    """Return the parts of three characters that begin with a shorter term.

    None if it is quicker to read all texts: they are too many, or are in nearly each text.
    """
    if len(term) == 1 and term.isascii():
        return None
    question = "SELECT term FROM vocabulary WHERE term BETWEEN ? AND ? LIMIT ?"
    values = (term, f"{term}\U0010ffff\U0010ffff", MOST_BEGINNINGS + 1)
    found = [row[0] for row in connection.execute(question, values)]
    if len(found) > MOST_BEGINNINGS:
        return None
    return found or [f"{END}{PARTED}"]  # nothing has that


def _quoted(term: str) -> str:
    """Return a term of the search; between double quotes only a double quote has a meaning of its own."""
    return f'''"{term.replace('"', '""')}"'''


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
    is_by_time = query.order in {"newest", "oldest"}
    parts = parts_of(connection, query, asker, is_for_a_page=is_by_time and most >= 0)
    order = _ORDERS[query.order].replace("j.place", parts.place)
    if not query.is_filtered and is_by_time:
        parts.conditions = [each.removeprefix("+") for each in parts.conditions]  # leaves out pages quickly
    question = f"SELECT j.id{parts.text} ORDER BY {order} LIMIT ? OFFSET ?"
    return [row[0] for row in connection.execute(question, [*parts.values, most, start])]


def dearest_of(connection: sqlite3.Connection, query: JobQuery, asker: Asker) -> str:
    """Return the id of the dearest job among those that are in the sums; empty if none costs anything."""
    parts, accounts = parts_of(connection, query, asker), sorted(asker.accounts)
    parts.add("+j.imported = 0 AND j.cost > 0")
    own = f"json_extract(says, '$[0]') IN ({_marks(accounts)})"
    parts.add(f"j.kind IN (SELECT kind FROM kinds WHERE {own})", *accounts)  # noqa: S608 - question marks
    question = f"SELECT j.id{parts.text} ORDER BY {_ORDERS['dearest']} LIMIT 1"
    return next((row[0] for row in connection.execute(question, parts.values)), "")


def count_of(connection: sqlite3.Connection, query: JobQuery, asker: Asker) -> tuple[int, int]:
    """Return how many jobs there are, and how many of them have a clip in the archive."""
    if is_known_by_sums(query, _COARSE):
        parts = Parts(tables="cube j")
        add_coarse(parts, query, asker)
        question = f"SELECT sum(j.jobs), sum(j.clips){parts.text}"
    else:
        parts = parts_of(connection, query, asker)
        question = f"SELECT count(*), sum(j.clip = {SAFE}){parts.text}"
    jobs, clips = connection.execute(question, parts.values).fetchone()
    return jobs or 0, clips or 0


def tagged(connection: sqlite3.Connection, most: int) -> list[str]:
    """Return the ids of the newest jobs that have tags; hidden ones too."""
    question = "SELECT id FROM jobs WHERE tags != '' AND +hidden < ? ORDER BY place LIMIT ?"
    return [row[0] for row in connection.execute(question, (RETRACTED, most))]


def neighbours_of(
    connection: sqlite3.Connection, query: JobQuery, asker: Asker, job_id: str
) -> tuple[str, str]:
    """Return the ids before and after a job in the order of the question; empty where there is none."""
    if query.order in {"newest", "oldest"}:
        return _neighbours_in_time(connection, query, asker, job_id)
    parts = parts_of(connection, query, asker)
    turn = f"OVER (ORDER BY {_ORDERS[query.order]})"
    inner = f"SELECT j.id AS id, lag(j.id) {turn} AS before, lead(j.id) {turn} AS after{parts.text}"
    question = f"SELECT before, after FROM ({inner}) WHERE id = ?"  # noqa: S608 - text of ours
    found = connection.execute(question, [*parts.values, job_id]).fetchone() or (None, None)
    return found[0] or "", found[1] or ""


def _neighbours_in_time(
    connection: sqlite3.Connection, query: JobQuery, asker: Asker, job_id: str
) -> tuple[str, str]:
    parts = parts_of(connection, query, asker)
    here = connection.execute(
        f"SELECT j.place{parts.text} AND j.id = ?",
        [*parts.values, job_id],
    ).fetchone()
    if here is None:
        return "", ""
    found = []
    for side, order in ((">", ""), ("<", " DESC")):  # older, newer
        question = f"SELECT j.id{parts.text} AND {parts.place} {side} ? ORDER BY {parts.place}{order} LIMIT 1"
        row = connection.execute(question, [*parts.values, here[0]]).fetchone()
        found.append(row[0] if row else "")
    older, newer = found
    return (newer, older) if query.order == "newest" else (older, newer)


def around_of(
    connection: sqlite3.Connection, query: JobQuery, asker: Asker, job_id: str, *, reach: int
) -> tuple[int, list[str]]:
    """Return the place of a job in the order of the question, from 1, and the ids around it with its own.

    The place is 0, and there are no ids, where the job is not among what is found.

    Args:
        connection: to the index.
        query: what is looked for.
        asker: who asks.
        job_id: of the job.
        reach: the most ids before it, and the most after it.
    """
    if query.order not in {"newest", "oldest"}:
        every = ids_of(connection, query, asker, start=0, most=-1)
        if job_id not in every:
            return 0, []
        at = every.index(job_id)
        return at + 1, every[max(0, at - reach) : at + reach + 1]
    parts = parts_of(connection, query, asker)
    here = connection.execute(f"SELECT j.place{parts.text} AND j.id = ?", [*parts.values, job_id]).fetchone()
    if here is None:
        return 0, []
    sides = {}
    for side, order in ((">", ""), ("<", " DESC")):  # older, newer; the nearest first
        question = f"SELECT j.id{parts.text} AND {parts.place} {side} ? ORDER BY {parts.place}{order} LIMIT ?"
        rows = connection.execute(question, [*parts.values, here[0], reach])
        sides[side] = [row[0] for row in rows]
    before, after = ("<", ">") if query.order == "newest" else (">", "<")
    question = f"SELECT count(*){parts.text} AND {parts.place} {before} ?"
    number = connection.execute(question, [*parts.values, here[0]]).fetchone()[0]
    return number + 1, [*reversed(sides[before]), job_id, *sides[after]]


# -- sums ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Sums:
    """What jobs add up to. Units and money at the prices of the day when each was ordered.

    Args:
        jobs, succeeded, failed, kept: how many; kept are clips with a star, or rated `KEPT_FROM` and more.
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
    if is_known_by_sums(query, _COARSE) and _COARSE_GROUPS.issuperset(by):
        found = _coarse_sums(connection, query, asker, by)
    else:
        if query.is_filtered and not _KIND_GROUPS.issuperset(by):
            # The plus keeps SQLite from an index whose order would save a sort, and cost a look at each job.
            by = [f"+{column}" for column in by]
        found = _added_up(_kinds_of(connection, parts_of(connection, query, asker), by), asker)
    yield from found.items()


def totals_of(connection: sqlite3.Connection, query: JobQuery, asker: Asker) -> tuple[int, int, Sums]:
    """Return how many jobs there are, how many of them have a clip in the archive, and the sums."""
    if is_known_by_sums(query, _COARSE):
        jobs, clips = count_of(connection, query, asker)
        return jobs, clips, _coarse_sums(connection, query, asker, ()).get((), Sums())
    kinds = list(_kinds_of(connection, parts_of(connection, query, asker)))
    jobs, clips = sum(jobs for _, jobs, _ in kinds), sum(jobs * counted.clips for _, jobs, counted in kinds)
    return jobs, clips, _added_up(kinds, asker).get((), Sums())


_Kinds = Iterable[tuple[tuple[str, ...], int, Counted]]


def _kinds_of(connection: sqlite3.Connection, parts: Parts, by: Sequence[str] = ()) -> _Kinds:
    """Yield the values of some columns, and how many jobs that have them count the same."""
    by_kind, by = (by, ()) if _KIND_GROUPS.issuperset(by) else ((), by)
    # Kinds in one text are counted many times quicker than by a GROUP BY, which sorts all jobs.
    groups = f" GROUP BY {', '.join(by)}" if by else ""
    question = f"SELECT {', '.join([*by, 'group_concat(j.kind)'])}{parts.text}{groups}"
    rows = [
        (key, Counter[int](json.loads(f"[{kinds}]")))
        for *key, kinds in connection.execute(question, parts.values)
        if kinds is not None
    ]
    columns = ", ".join(["j.kind", *by_kind, "j.says"])
    question = f"SELECT {columns} FROM kinds j WHERE j.kind IN (SELECT value FROM json_each(?))"  # noqa: S608
    named = json.dumps(list(set[int]().union(*(kinds for _, kinds in rows))))
    known = {kind: tuple(says) for kind, *says in connection.execute(question, (named,))}
    for key, kinds in rows:
        found: Counter[tuple[str, ...]] = Counter()
        for kind, jobs in kinds.items():
            found[known[kind]] += jobs
        for (*rest, text), jobs in found.items():
            yield tuple(map(str, [*key, *rest])), jobs, counted_of(text)


def _added_up(kinds: _Kinds, asker: Asker) -> dict[tuple[str, ...], Sums]:
    found: dict[tuple[str, ...], list[int]] = {}
    for key, jobs, counted in kinds:
        if counted.account in asker.accounts and not counted.imported:
            sums = found.get(key, _NOTHING)
            numbers = (jobs, *(jobs * number for number in counted.numbers))
            found[key] = [before + number for before, number in zip(sums, numbers, strict=True)]
    return {key: _sums(numbers) for key, numbers in found.items()}


def _coarse_sums(
    connection: sqlite3.Connection, query: JobQuery, asker: Asker, by: Sequence[str]
) -> dict[tuple[str, ...], Sums]:
    """Return what the table of sums knows, and what is too large for it."""
    parts, accounts = Parts(tables="cube j"), sorted(asker.accounts)
    add_coarse(parts, query, asker)
    parts.add("j.imported = 0")
    parts.add(f"j.account IN ({_marks(accounts)})", *accounts)
    groups = f" GROUP BY {', '.join(by)} HAVING sum(j.jobs) > 0" if by else ""
    question = f"SELECT {', '.join([*by, *_COARSE_SUMS])}{parts.text}{groups}"
    found: dict[tuple[str, ...], Sums] = {}
    for row in connection.execute(question, parts.values):
        found[tuple(map(str, row[: len(by)]))] = _sums(_whole(row[len(by) :]))
    huge = [row[0] for row in connection.execute("SELECT kind FROM kinds WHERE huge")]
    if huge:
        parts = parts_of(connection, query, asker)
        parts.add(f"j.kind IN ({_marks(huge)})", *huge)
        for key, sums in _added_up(_kinds_of(connection, parts, by), asker).items():
            found[key] = found.get(key, Sums()) + replace(sums, jobs=0)
    return found


def _whole(sums: Sequence[int | None]) -> list[int]:
    """Return sums of the table with money in one number."""
    row = [number or 0 for number in sums]
    parted = row[-2 * len(MONEY) :]
    return [
        *row[: -len(parted)],
        *(parted[at] * MONEY_PART + parted[at + 1] for at in range(0, len(parted), 2)),
    ]


def is_known_by_sums(query: JobQuery, named: Collection[str]) -> bool:
    """Whether a question names nothing but some of its fields."""
    return all(
        each.name in named or getattr(query, each.name) == getattr(_EVERYTHING, each.name)
        for each in fields(JobQuery)
    )


def _sums(numbers: Sequence[int]) -> Sums:
    """Return the sums of `jobs` and of `NUMBERS`."""
    jobs, counted = numbers[0], Counted("", 0, *numbers[1:])
    return Sums(
        jobs,
        counted.succeeded,
        counted.failed,
        counted.kept,
        Spent(
            _amount(counted.reserved, counted.reserved_money),
            _amount(counted.settled, counted.settled_money),
            counted.unpriced,
        ),
        Decimal(counted.expected) / _MICRO,
        Decimal(counted.charged_of_expected) / _MICRO,
        _amount(counted.kept_units, counted.kept_money),
        _amount(0, counted.expected_money).money,
    )


def _amount(units: int, money: int) -> Amount:
    return Amount(Decimal(units) / _MICRO, Decimal(money) / _MICRO**2)
