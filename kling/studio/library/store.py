"""The file of the index: SQLite with a table of facts, and a search by three characters (FTS5, trigram)."""

from __future__ import annotations

import sqlite3
import threading
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from kling.studio.files import for_this_user_only
from kling.studio.jobs import SUCCEED, Job
from kling.studio.library.facts import COLUMNS, NUMBERS, Counted, Facts, counted_of, number_of

_ID, _KIND = COLUMNS.index("id"), COLUMNS.index("kind")
FORM = 6  # of the tables and of what is in them; another one is thrown away
MEMORY = ":memory:"
_MANY = 500  # ids in one statement
_CACHE = -32 * 1024  # KiB of each connection that writes
_READ_CACHE = -16 * 1024
_ENDINGS = ("", "-wal", "-shm", "-journal")
_DAMAGE = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_IOERR}

_INTEGER = {
    *("place", "kind", "hour", "clip", "hidden", "imported", "stars", "rating", "cost", "seconds"),
    *("continued", "waited", "queued", "processed"),
}


def _declared(column: str) -> str:
    key = " PRIMARY KEY" if column == "place" else ""
    return f"{column} {'INTEGER' if column in _INTEGER else 'TEXT NOT NULL'}{key}"


# What jobs are often added up by: those of one kind have the same values here, and count the same.
KIND_KEYS = ("person_id", "person_key", "model", "mode", "endpoint", "state")
# Two tables of sums, so that nobody adds up all jobs: of what was spent, and of times.
KEYS = (
    *("day", "person_id", "person_key", "model", "mode", "endpoint", "state", "clip", "hidden", "imported"),
    "account",
)
# Whole numbers of SQLite have 64 bits: money is added up in two parts, so that a sum of ten million jobs
# fits. What a job of larger numbers counts is added up outside (`kinds.huge`).
MONEY_PART = 10**6
_MOST, _MOST_MONEY = 10**12, 10**18
MONEY = tuple(name for name in NUMBERS if name.endswith("_money"))
SUMMED = (
    "jobs",
    *(name for name in NUMBERS if name not in MONEY),
    *(f"{name}_{part}" for name in MONEY for part in ("hi", "lo")),
)
PACE_KEYS = ("day", "hour", "model", "hidden")
PACED = ("jobs", "waited", "waited_jobs", "queued", "queued_jobs", "processed", "processed_jobs")


def _sums_table(keys: Sequence[str], sums: Sequence[str]) -> str:
    columns = (f"{name} {'INTEGER' if name in _INTEGER else 'TEXT'} NOT NULL" for name in keys)
    return ", ".join([*columns, *(f"{name} INTEGER NOT NULL" for name in sums)])


def _adding(table: str, keys: Sequence[str], sums: Sequence[str]) -> str:
    changes = ", ".join(f"{name} = {name} + excluded.{name}" for name in sums)
    values = ", ".join("?" * (len(keys) + len(sums)))
    return f"INSERT INTO {table} VALUES ({values}) ON CONFLICT DO UPDATE SET {changes}"  # noqa: S608


_CUBE, _PACES = _sums_table(KEYS, SUMMED), _sums_table(PACE_KEYS, PACED)
_ADD_TO_CUBE, _ADD_TO_PACES = _adding("cube", KEYS, SUMMED), _adding("paces", PACE_KEYS, PACED)
_KEPT_OF_KIND = ("says", *KIND_KEYS)
_KIND_NAMES = ", ".join(_KEPT_OF_KIND)
_KIND_COLUMNS = ", ".join(f"{name} TEXT NOT NULL" for name in _KEPT_OF_KIND)
_IS_KIND = " AND ".join(f"{name} = ?" for name in _KEPT_OF_KIND)
_OPINIONS = "who TEXT NOT NULL, place INTEGER NOT NULL, star INTEGER NOT NULL, rating INTEGER NOT NULL"
_WORDS = "hay, content='texts', content_rowid='place', tokenize='trigram case_sensitive 1'"
_TABLES = (
    "CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL)",
    f"CREATE TABLE jobs ({', '.join(map(_declared, COLUMNS))})",
    (
        f"CREATE TABLE kinds (kind INTEGER PRIMARY KEY, huge INTEGER NOT NULL, {_KIND_COLUMNS},"
        f" UNIQUE ({_KIND_NAMES}))"
    ),
    "CREATE UNIQUE INDEX by_id ON jobs (id)",
    *(
        f"CREATE INDEX by_{name.split()[0]} ON jobs ({name})"
        for name in (
            "state",
            "model",
            "person_id",
            "person_key",
            "parent",
            "cost DESC",
            "rating DESC",
            "seconds DESC",
        )
    ),
    "CREATE INDEX cheapest ON jobs (cost IS NULL, cost)",
    *(f"CREATE INDEX by_{name} ON jobs ({name}, kind, hidden)" for name in ("batch", "template")),
    "CREATE INDEX by_clip ON jobs (clip)",
    "CREATE INDEX by_hidden ON jobs (hidden)",
    "CREATE INDEX with_tags ON jobs (place) WHERE tags != ''",
    "CREATE INDEX with_stars ON jobs (place) WHERE stars > 0",
    "CREATE TABLE texts (place INTEGER PRIMARY KEY, hay TEXT NOT NULL)",
    f"CREATE TABLE cube ({_CUBE}, PRIMARY KEY ({', '.join(KEYS)})) WITHOUT ROWID",
    f"CREATE TABLE paces ({_PACES}, PRIMARY KEY ({', '.join(PACE_KEYS)})) WITHOUT ROWID",
    f"CREATE TABLE opinions ({_OPINIONS}, PRIMARY KEY (who, place)) WITHOUT ROWID",
    "CREATE INDEX opinions_by_place ON opinions (place)",
    f"CREATE VIRTUAL TABLE words USING fts5 ({_WORDS})",
    "CREATE VIRTUAL TABLE vocabulary USING fts5vocab (words, row)",
)
_INSERT = f"INSERT INTO jobs VALUES ({', '.join('?' * len(COLUMNS))})"  # noqa: S608 - question marks
_SAYS = "(SELECT says FROM kinds k WHERE k.kind = jobs.kind)"
_SHOWN = ", ".join(_SAYS if name == "kind" else name for name in COLUMNS)
_SELECT = f"SELECT {_SHOWN} FROM jobs WHERE id IN "  # noqa: S608 - names of ours

Entry = tuple[Facts, str, tuple[tuple[str, int, int], ...]]  # facts, text, opinions: who, star, rating


class IndexBroken(Exception):
    """The file of the index cannot be used."""

    @property
    def is_damage(self) -> bool:
        """Whether the file is damaged, or the disk under it: then another file may do."""
        fault = self.__cause__  # without a code if what was read is no text
        code = getattr(fault, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT)
        return isinstance(fault, sqlite3.Error) and code & 0xFF in _DAMAGE


class Store:
    """The tables. One thread at a time writes; any number reads.

    Args:
        path: of the file; `MEMORY` for one that ends with the process.
    """

    def __init__(self, path: Path | str) -> None:
        self._path = path
        self._in_memory = path == MEMORY
        self._idle: list[sqlite3.Connection] = []
        self._generation = 0  # of connections: those of an earlier one may have the file of before
        self._lock = threading.Lock()  # of both
        self.writing = threading.RLock()
        self._closed = False
        self._writer: sqlite3.Connection | None = None

    # -- opening -------------------------------------------------------------------------------------------

    def stamp(self) -> str:
        """Return the stamp under which the file was written last; empty if there is none of this form.

        Raises:
            IndexBroken: it cannot be read.
        """
        with self.writing, _said():
            if not self._in_memory and not Path(self._path).exists():
                return ""
            writer = self._write_connection()
            try:
                found = dict(writer.execute("SELECT name, value FROM meta"))
            except sqlite3.DatabaseError:  # empty, damaged, or none of ours
                return ""
            return found.get("stamp", "") if found.get("form") == _form() else ""

    def is_there(self) -> bool:
        """Whether the file is there and of this form, as one who opens it now sees it."""
        if self._in_memory:
            return True
        try:
            with closing(sqlite3.connect(f"file:{quote(str(self._path))}?mode=ro", uri=True)) as found:
                (form,) = found.execute("SELECT value FROM meta WHERE name = 'form'").fetchone() or ("",)
                return bool(form == _form())
        except sqlite3.Error:
            return False

    def start_anew(self) -> None:
        """Throw everything away.

        Raises:
            IndexBroken: the file cannot be written.
        """
        with self.writing, _said():
            self._close_all()
            if not self._in_memory:
                self._unlink()
                self._close_all()  # those that were opened or put back meanwhile
            writer = self._write_connection()
            with _transaction(writer):
                for table in _TABLES:
                    writer.execute(table)
                writer.execute("INSERT INTO meta VALUES ('form', ?), ('stamp', '')", (_form(),))

    def close(self) -> None:
        """Close the file."""
        with self.writing:
            self._closed = True
            self._close_all()

    def throw_away(self) -> None:
        """Close the file and delete it: its room is free for what matters more."""
        with self.writing, suppress(OSError):
            self.close()
            self._unlink()

    def _unlink(self) -> None:
        for ending in _ENDINGS:
            Path(f"{self._path}{ending}").unlink(missing_ok=True)

    def _write_connection(self) -> sqlite3.Connection:
        if self._writer is None:
            self._writer = self._connect(_CACHE)
        return self._writer

    def _connect(self, cache: int, mode: str = "rwc") -> sqlite3.Connection:
        path = MEMORY if self._in_memory else f"file:{quote(str(self._path))}?mode={mode}"
        with for_this_user_only():
            connection = sqlite3.connect(
                path, uri=True, isolation_level=None, check_same_thread=False, timeout=10
            )
            with suppress(sqlite3.DatabaseError):  # a file that is no database says so at the first question
                connection.execute("PRAGMA page_size = 16384")  # of a new file: all texts are read sooner
                connection.execute(f"PRAGMA cache_size = {cache}")
                connection.execute("PRAGMA journal_mode = WAL")
                connection.execute("PRAGMA wal_autocheckpoint = 250")  # a long WAL makes reading slow
                # After a power cut the file may be damaged or old: then its stamp does not fit.
                connection.execute("PRAGMA synchronous = NORMAL")
                connection.execute("PRAGMA temp_store = MEMORY")
        return connection

    def _close_all(self) -> None:
        with self._lock:
            idle, self._idle = self._idle, []
            self._generation += 1
        for connection in idle:
            connection.close()
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    # -- reading -------------------------------------------------------------------------------------------

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Give a connection that sees one state of the file until the end of the block.

        Raises:
            IndexBroken: the file cannot be read.
        """
        if self._in_memory:
            with self.writing, _said():
                yield self._write_connection()
            return
        with _said():
            with self._lock:
                generation, connection = self._generation, self._idle.pop() if self._idle else None
            if connection is None:
                connection = self._connect(_READ_CACHE, "rw")  # who reads makes no file
            try:
                connection.execute("BEGIN")
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                connection.close()
                raise
            with self._lock:
                if generation == self._generation and not self._closed and len(self._idle) < 8:
                    self._idle.append(connection)
                    return
            connection.close()

    # -- writing -------------------------------------------------------------------------------------------

    @contextmanager
    def batch(self) -> Iterator[Batch]:
        """Give the way to write; all of a block is written, or nothing.

        Raises:
            IndexBroken: nothing was written.
        """
        with self.writing, _said():
            writer = self._write_connection()
            with _transaction(writer):
                yield Batch(writer)


class Batch:
    """Changes that belong together.

    Args:
        connection: of the one who writes.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._cube: _Counted = {}
        self._paces: _Counted = {}
        self._kinds: dict[tuple[str, ...], int] = {}

    def numbers(self, ids: Collection[str]) -> dict[str, int]:
        """Return the numbers in the log of those jobs that are there."""
        found: dict[str, int] = {}
        for part in _parts(list(ids)):
            question = f"SELECT id, place FROM jobs WHERE id IN ({', '.join('?' * len(part))})"  # noqa: S608
            found |= {job_id: number_of(place) for job_id, place in self._connection.execute(question, part)}
        return found

    def put(self, entries: Sequence[Entry]) -> int:
        """Write jobs that are new or have changed; return how many."""
        known: dict[str, tuple[Any, ...]] = {}
        for part in _parts([facts.id for facts, _, _ in entries]):
            question = f"{_SELECT}({', '.join('?' * len(part))})"
            known |= {row[_ID]: row for row in self._connection.execute(question, part)}
        count = 0
        for facts, hay, opinions in entries:
            row = tuple(getattr(facts, name) for name in COLUMNS)
            before = known.get(facts.id)
            if before == row and (hay, sorted(opinions)) == self._rest(facts.place):
                continue
            if before is not None:
                self._remove(before)
            self._insert(facts, row, hay, opinions)
            count += 1
        self._write_sums()
        return count

    def remove(self, ids: Iterable[str]) -> None:
        """Take jobs out."""
        for part in _parts(list(ids)):
            question = f"{_SELECT}({', '.join('?' * len(part))})"
            for row in self._connection.execute(question, part).fetchall():
                self._remove(row)
        self._write_sums()

    def ids(self) -> set[str]:
        """Return the ids of all jobs that are there."""
        return {row[0] for row in self._connection.execute("SELECT id FROM jobs")}

    def set_stamp(self, stamp: str) -> None:
        """Note which records are in the file now; empty for a part of them."""
        self._connection.execute("UPDATE meta SET value = ? WHERE name = 'stamp'", (stamp,))

    def _rest(self, place: int) -> tuple[str, list[tuple[str, int, int]]]:
        found = self._connection.execute("SELECT hay FROM texts WHERE place = ?", (place,)).fetchone()
        question = "SELECT who, star, rating FROM opinions WHERE place = ?"
        return (found[0] if found else ""), sorted(self._connection.execute(question, (place,)))

    def _remove(self, row: tuple[Any, ...]) -> None:
        facts, run = Facts(*row), self._connection.execute
        self._add(facts, -1)
        # The search has no text of its own: it forgets only what it is told.
        question = "SELECT hay FROM texts WHERE place = ?"
        for (hay,) in run(question, (facts.place,)).fetchall():
            run("INSERT INTO words (words, rowid, hay) VALUES ('delete', ?, ?)", (facts.place, hay))
        for table in ("texts", "opinions", "jobs"):
            run(f"DELETE FROM {table} WHERE place = ?", (facts.place,))  # noqa: S608 - one of ours

    def _insert(
        self, facts: Facts, row: tuple[Any, ...], hay: str, opinions: Sequence[tuple[str, int, int]]
    ) -> None:
        run, place = self._connection.execute, facts.place
        while run("SELECT 1 FROM jobs WHERE place = ?", (place,)).fetchone():
            place -= 1  # more jobs in one moment than a place can tell apart
        run(_INSERT, (place, self._kind(facts), *row[_KIND + 1 :]))
        run("INSERT INTO texts VALUES (?, ?)", (place, hay))
        run("INSERT INTO words (rowid, hay) VALUES (?, ?)", (place, hay))
        for who, star, rating in opinions:
            run("INSERT INTO opinions VALUES (?, ?, ?, ?)", (who, place, star, rating))
        self._add(facts, 1)

    def _kind(self, facts: Facts) -> int:
        key = (facts.kind, *(getattr(facts, name) for name in KIND_KEYS))
        if key not in self._kinds:
            run, huge = self._connection.execute, int(_is_huge(counted_of(facts.kind)))
            insert = f"INSERT OR IGNORE INTO kinds ({_KIND_NAMES}, huge) VALUES (?{', ?' * len(key)})"  # noqa: S608
            run(insert, (*key, huge))
            found = run(f"SELECT kind FROM kinds WHERE {_IS_KIND}", key)  # noqa: S608 - names of ours
            self._kinds[key] = found.fetchone()[0]
        return self._kinds[key]

    # -- tables of sums ------------------------------------------------------------------------------------

    def _add(self, facts: Facts, sign: int) -> None:
        key = (*(getattr(facts, name) for name in KEYS[:-1]), counted_of(facts.kind).account)
        _count(self._cube, key, _summed(facts.kind), sign)
        if facts.state == SUCCEED and not facts.imported:
            _count(self._paces, tuple(getattr(facts, name) for name in PACE_KEYS), _paced(facts), sign)

    def _write_sums(self) -> None:
        for statement, sums in ((_ADD_TO_CUBE, self._cube), (_ADD_TO_PACES, self._paces)):
            self._connection.executemany(statement, ((*key, *counts) for key, counts in sums.items()))
            sums.clear()


_Counted = dict[tuple[Any, ...], list[int]]


def _count(sums: _Counted, key: tuple[Any, ...], numbers: Sequence[int], sign: int) -> None:
    counts = sums.setdefault(key, [0] * len(numbers))
    for at, number in enumerate(numbers):
        counts[at] += sign * number


def _is_huge(counted: Counted) -> bool:
    return any(getattr(counted, name) >= (_MOST_MONEY if name in MONEY else _MOST) for name in NUMBERS)


@lru_cache(maxsize=4096)
def _summed(says: str) -> tuple[int, ...]:
    """Return what a job of a kind adds to each of `SUMMED`."""
    counted = counted_of(says)
    found = {"clips": counted.clips} if _is_huge(counted) else counted._asdict()
    small = (found.get(name, 0) for name in NUMBERS if name not in MONEY)
    return (1, *small, *(part for name in MONEY for part in divmod(found.get(name, 0), MONEY_PART)))


def _paced(facts: Facts) -> tuple[int, ...]:
    """Return what a job adds to each of `PACED`."""
    times = (facts.waited, facts.queued, facts.processed)
    return (1, *(number for time in times for number in (time or 0, int(time is not None))))


def opinions_of(job: Job) -> tuple[tuple[str, int, int], ...]:
    """Return who says what of a job."""
    return tuple((who, int(bool(each.star)), each.stars) for who, each in job.opinions.items())


def _form() -> str:
    return f"{FORM}/{unicodedata.unidata_version}/{sqlite3.sqlite_version}"


def _parts(items: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(items), _MANY):
        yield items[start : start + _MANY]


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        with suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        raise


@contextmanager
def _said() -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise IndexBroken(f"the index of the library cannot be used: {error}") from error
