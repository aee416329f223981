"""The library: finds jobs by an index beside the log, and keeps that index up to date.

The index owns no fact. It is made from the jobs of the ledger, and thrown away whenever it is damaged or was
made from other records than those that the log holds (its stamp). Each change is noted under the ledger's
lock and written soon after, by a thread of its own or by whoever asks first. That thread also builds the
index anew, the newest jobs first, and rests between small parts of that work, so that no page waits for it.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from pathlib import Path
from typing import TypeVar

from kling.studio.jobs import Job
from kling.studio.library.facts import facts_of, hay_of, texts_of
from kling.studio.library.normal import marks, normalise, terms_of
from kling.studio.library.query import PER_PAGE, JobQuery
from kling.studio.library.search import (
    Asker,
    Sums,
    around_of,
    count_of,
    dearest_of,
    ids_of,
    neighbours_of,
    tagged,
    totals_of,
)
from kling.studio.library.spend import Group, SpendRow, Times, spend_rows, times_of
from kling.studio.library.store import MEMORY, Entry, IndexBroken, Store, opinions_of
from kling.studio.spending import Price

log = logging.getLogger(__name__)

FILE = "index.sqlite3"
PART = 5  # jobs that are written without a pause, which takes about a millisecond
REST = 0.006, 0.25  # seconds after each part, for the pages: at least, and at most
RESTS = 12  # times as long as the part took; on a busy machine that is longer
COMMIT = 500  # jobs of one transaction while much is written
AT_ONCE = 300  # changes that whoever asks writes at once; for more of them nobody waits
_TRIES = 100
MOST_ANEW = 2  # times that a process begins a file anew; after them the index stays in memory
PATIENCE = 0.05  # seconds that whoever asks waits for the thread
MOST_TOTALS = 50  # answers that are kept
MOST_TAGGED = 1_000  # jobs whose tags are offered
LONGEST_EXCERPT = 100_000  # characters of a text that is searched for marks

Answer = TypeVar("Answer")
_Pending = dict[str, tuple[int | None, Job]]


@dataclass(frozen=True, slots=True)
class Match:
    """Where the words of a search stand in one field of a job.

    Args:
        field: `prompt`, `negative_prompt`, `shot 1`, `tags`, `note`, `person`, `message`, `external_task_id`
            or `task_id`.
        text: of the field.
        marks: the places in it where a word begins and ends.
    """

    field: str
    text: str
    marks: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Found:
    """A job, and why it was found; nothing of that where no text was asked for."""

    job: Job
    matches: tuple[Match, ...] = ()

    def marks_in(self, field: str) -> tuple[tuple[int, int], ...]:
        """Return the marks in a field."""
        return next((match.marks for match in self.matches if match.field == field), ())


@dataclass(frozen=True, slots=True)
class Page:
    """A part of what was found.

    Args:
        rows: in the order that was asked for.
        number: of the page, from 1; the last one where the question named a later one.
        has_more: whether there is a page after it.
        missing: how many jobs are not in the index yet; 0 once it is whole.
    """

    rows: tuple[Found, ...]
    number: int
    has_more: bool
    missing: int = 0


@dataclass(frozen=True, slots=True)
class Totals:
    """How many jobs were found, how many of them have a clip here, and what they add up to."""

    jobs: int
    clips: int
    sums: Sums
    missing: int = 0


@dataclass(frozen=True, slots=True)
class Around:
    """Where a job stands among what was found.

    Args:
        place: from 1; 0 where it is not among it.
        total: how many there are.
        ids: of the nearest before it, its own, and of the nearest after it; none where it is not among it.
    """

    place: int
    total: int
    ids: tuple[str, ...]


class Library:
    """The index of a data folder, for threads to share. It is a `View` of the ledger.

    Without `start` there is no thread, and whoever asks writes everything that is left to write.

    Args:
        folder: of the log; None for an index that ends with the process.
        zone: whose days are meant.
        price: what jobs count for.
        accounts: gives the names of the account in use, of whose jobs sums are made.
        names_of: gives the keys of the names that belong to a person's id.
        clock: Unix seconds, for periods that move with the day.
        key: of everything else that facts depend on, such as the price of a Unit.
        jobs: gives all jobs again, where the file fails and the index moves into memory.
        has_room: whether the disk has room for more than what cannot be made again.
        rest: waits so many seconds between parts of the work.
        on_whole: called in the thread when the index is whole again after an answer that lacked jobs.
    """

    def __init__(
        self,
        folder: Path | None,
        *,
        zone: tzinfo,
        price: Price,
        accounts: Callable[[], Collection[str]],
        names_of: Callable[[str], Collection[str]] = lambda _: (),
        clock: Callable[[], float] = time.time,
        key: str = "",
        jobs: Callable[[], Iterable[Job]] = tuple,
        has_room: Callable[[], bool] = lambda: True,
        rest: Callable[[float], None] = time.sleep,
        on_whole: Callable[[], object] = lambda: None,
    ) -> None:
        self._zone, self._price, self._accounts, self._names_of = zone, price, accounts, names_of
        self._clock, self._jobs, self._rest, self._key = clock, jobs, rest, f"{key} {zone}"
        self._on_whole, self._gave_a_part, self._has_room = on_whole, False, has_room
        self._store = Store(folder / FILE if folder else MEMORY)
        self._lock = threading.Lock()  # of all below; held for moments, also under the ledger's lock
        # Jobs to write, the last one first, with their number in the log; None if they are in the index.
        self._pending: _Pending = {}
        self._writing = (
            0  # jobs that were taken out of it, and that nobody can find before the end of their batch
        )
        self._known: set[str] | None = None  # all ids, until those that are gone have been taken out
        self._is_new = True  # nothing was written by this process yet
        self._begun = 0  # how often the index was begun anew while this process ran
        self._count = 0
        self._stamp = ""
        self._written = ""  # the stamp in the file, "" while a part of the jobs is in it
        self._hold = False  # between a reset and its stamp
        self._trouble = ""
        self.version = 0  # grows with each change that may change an answer
        self._bell = threading.Event()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._totals: dict[tuple[JobQuery, Asker], tuple[int, Totals]] = {}

    # -- a view of the ledger ------------------------------------------------------------------------------

    def reset(self, jobs: Iterable[Job]) -> None:
        """Take all jobs: the ledger has read its log."""
        found = list(jobs)
        with self._lock:
            self._pending = {job.id: (number, job) for number, job in enumerate(found)}
            self._known = set(self._pending)
            self._count = len(found)
            self._hold = True
            self.version += 1

    def changed(self, before: Job | None, job: Job) -> None:
        """Take one change."""
        with self._lock:
            number = self._pending[job.id][0] if job.id in self._pending else None
            if before is None:
                number, self._count = self._count, self._count + 1
                if self._known is not None:
                    self._known.add(job.id)
            self._pending[job.id] = number, job
            self.version += 1

    def recorded(self, stamp: str) -> None:
        """Take the stamp of the records that all changes so far are of."""
        whole = f"{stamp} {self._key}"
        is_first = self._is_new and not self._stamp
        fits = is_first and self._stamp_of_file() == whole
        with self._lock:
            self._stamp, self._hold = whole, False
            if fits:  # the file was made from these records
                self._pending, self._known = {}, None
                self._is_new, self._written = False, whole
        self._bell.set()

    def _stamp_of_file(self) -> str:
        try:
            return self._store.stamp()
        except IndexBroken:
            return ""

    # -- the thread ----------------------------------------------------------------------------------------

    def start(self) -> None:
        """Write in a thread from now on."""
        self._thread = threading.Thread(target=self._work, name="library", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Write what is left if that is little, and close the file."""
        self._stopping.set()
        self._bell.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        if self._missing() <= AT_ONCE and not self._is_new:
            self._write_quietly(self._missing())
        self._store.close()

    def _work(self) -> None:
        while not self._stopping.is_set():
            self._bell.wait()
            self._bell.clear()
            while not self._stopping.is_set() and self._is_behind():
                if not self._write_quietly(COMMIT, in_parts=True):
                    break
            if self._gave_a_part and not (self._is_new or self._missing()):
                self._gave_a_part = False
                self._on_whole()

    def _is_behind(self) -> bool:
        with self._lock:
            is_whole = not self._pending and self._known is None and self._stamp == self._written
            return not (self._hold or is_whole)

    def _missing(self) -> int:
        with self._lock:
            return len(self._pending) + self._writing

    def catch_up(self) -> int:
        """Write what is left to write, unless that is much and a thread does it; return how much is left."""
        if not self._is_behind():
            return self._missing()
        has_thread = self._thread is not None
        if has_thread and (self._missing() > AT_ONCE or self._is_new):
            self._bell.set()
            return max(self._missing(), 1)
        if not self._store.writing.acquire(timeout=PATIENCE if has_thread else -1):
            return self._missing()
        store = self._store
        try:
            while self._is_behind():
                if not self._write_quietly(COMMIT):
                    break
        finally:
            store.writing.release()
        return self._missing()

    def wait(self, seconds: float = 60.0) -> bool:
        """Wait until the index is whole; return whether it is. For tests and benchmarks."""
        end = time.monotonic() + seconds
        while self._is_behind() and time.monotonic() < end:
            if self._thread is None:
                self.catch_up()
            time.sleep(0.005)
        return not self._is_behind()

    @property
    def trouble(self) -> str:
        """Why the index lies in memory and not on the disk, empty if it lies there."""
        return self._trouble

    def _write_quietly(self, most: int, *, in_parts: bool = False) -> bool:
        """Write up to so many jobs, or begin anew where the file fails; return whether there is an index."""
        begun = self._begun
        try:
            self._write(most, in_parts=in_parts)
        except IndexBroken as error:
            return self._start_over(begun, error, in_file=error.is_damage)
        return True

    def _start_over(self, begun: int, error: IndexBroken, *, in_file: bool) -> bool:
        """Begin the index anew, in memory where the file cannot be used; return whether that could help."""
        for _ in range(_TRIES):
            if not self._count or next(iter(self._jobs()), None):
                break
            self._rest(PATIENCE)  # the ledger has told its jobs, and does not show them yet
        store = self._store
        with store.writing:
            if begun != self._begun:
                return True  # another one who asked has done it
            log.warning("The library: %s", error)
            if self._trouble:
                return False
            in_file = in_file and begun < MOST_ANEW
            found = list(self._jobs())
            with self._lock:
                if not in_file:
                    self._trouble, self._store = str(error), Store(MEMORY)
                self._begin_anew(found)
            if not in_file:
                store.throw_away()
        self._bell.set()
        return True

    def _begin_anew(self, found: Sequence[Job]) -> None:
        """Have all jobs to write, under the lock."""
        self._is_new, self._written, self._writing, self._count = True, "", 0, len(found)
        self._pending = _told(found, self._pending)
        self._begun += 1

    def _write(self, most: int, *, in_parts: bool) -> None:
        with self._store.writing:
            is_much = self._is_new or self._missing() > most
            if is_much and not (self._trouble or self._has_room()):
                raise IndexBroken("the disk is nearly full.")
            if self._is_new:
                self._store.start_anew()
                self._is_new = False
                with self._lock:
                    self._known = None  # nothing is there that could be gone
            with self._store.batch() as batch:
                taken = self._take(most)  # the newest first, as their places are: see `place_of`
                step = PART if in_parts else len(taken)
                for start in range(0, len(taken), step or 1):
                    part, began = taken[start : start + step], time.monotonic()
                    batch.put(self._entries(part, batch.numbers([job.id for _, job in part])))
                    if in_parts and (self._pending or start + step < len(taken)):
                        self._rest(min(max(REST[0], RESTS * (time.monotonic() - began)), REST[1]))
                with self._lock:
                    is_whole = not self._pending and not self._hold
                    known, stamp = (self._known, self._stamp) if is_whole else (None, "")
                if known is not None:
                    batch.remove(batch.ids() - known)
                batch.set_stamp(stamp)
            with self._lock:
                self._written, self._writing = stamp, 0
                if known is not None and known is self._known:
                    self._known = None

    def _take(self, most: int) -> list[tuple[int | None, Job]]:
        with self._lock:
            self._writing = min(most, len(self._pending))
            return [self._pending.popitem()[1] for _ in range(self._writing)]

    def _entries(self, taken: Sequence[tuple[int | None, Job]], numbers: Mapping[str, int]) -> list[Entry]:
        return [
            (
                facts_of(job, numbers.get(job.id, 0) if number is None else number, self._zone, self._price),
                hay_of(job),
                opinions_of(job),
            )
            for number, job in taken
        ]

    # -- questions -----------------------------------------------------------------------------------------

    def today(self) -> date:
        """Return the day in the studio's time zone."""
        return datetime.fromtimestamp(self._clock(), UTC).astimezone(self._zone).date()

    def page(
        self, query: JobQuery, get: Callable[[str], Job | None], *, who: str = "", per_page: int = PER_PAGE
    ) -> Page:
        """Return a page of what is found.

        Args:
            query: what is looked for.
            get: gives a job by its id: `Ledger.get`.
            who: key of the person who asks (`jobs.who_is`), for `star="mine"`.
            per_page: how many rows.

        Raises:
            IndexBroken: neither disk nor memory has an index.
        """
        asker = self._asker(query, who)

        def part(connection: sqlite3.Connection) -> tuple[list[str], int]:
            number = query.page
            ids = ids_of(connection, query, asker, start=(number - 1) * per_page, most=per_page + 1)
            if not ids and number > 1:
                number = max(-(-count_of(connection, query, asker)[0] // per_page), 1)
                ids = ids_of(connection, query, asker, start=(number - 1) * per_page, most=per_page + 1)
            return ids, number

        none: tuple[list[str], int] = ([], 1)
        (ids, number), missing = self._answer(part, none)
        terms = terms_of(query.text)
        jobs = (job for job_id in ids[:per_page] if (job := get(job_id)) is not None)
        rows = tuple(Found(job, _matches(job, terms)) for job in jobs)
        return Page(rows, number, len(ids) > per_page, missing)

    def ids(self, query: JobQuery, *, who: str = "") -> list[str]:
        """Return the ids of everything that is found, in its order: for an export, or a selection of all.

        It waits until the index is whole.

        Raises:
            IndexBroken: there is no index.
        """
        asker, begun = self._asker(query, who), -1
        found: list[str] = []
        while begun != self._begun:
            begun = self._begun
            if not self.wait():
                raise IndexBroken("the index is still being made: try again in a minute.")
            found = self._ask(lambda connection: ids_of(connection, query, asker, start=0, most=-1), [])
        return found

    def count(self, query: JobQuery, *, who: str = "") -> int:
        """Return how many jobs are found, on all pages; without sums, which take longer.

        Raises:
            IndexBroken: there is no index.
        """
        asker = self._asker(query, who)
        return self._ask(lambda connection: count_of(connection, query.whole, asker)[0], 0)

    def dearest(self, query: JobQuery) -> str:
        """Return the id of the job that costs most among those that the sums have; empty if there is none.

        Raises:
            IndexBroken: there is no index.
        """
        asker = self._asker(query, "")
        return self._ask(lambda connection: dearest_of(connection, query.whole, asker), "")

    def totals(self, query: JobQuery, *, who: str = "") -> Totals:
        """Return the count of what is found, on all pages, and the sums; kept until something changes.

        Raises:
            IndexBroken: there is no index.
        """
        version, whole, asker = self.version, query.whole, self._asker(query, who)
        known = self._totals.get((whole, asker))
        if known and known[0] == version:
            return known[1]
        (jobs, clips, sums), missing = self._answer(
            lambda connection: totals_of(connection, whole, asker), (0, 0, Sums())
        )
        found = Totals(jobs, clips, sums, missing)
        if not missing:
            with self._lock:
                self._totals = dict(list(self._totals.items())[1 - MOST_TOTALS :])
                self._totals[whole, asker] = version, found
        return found

    def tags(self, get: Callable[[str], Job | None]) -> list[str]:
        """Return the tags of the newest jobs that have some, as they are written there; the most used first.

        Args:
            get: gives a job by its id: `Ledger.get`.

        Raises:
            IndexBroken: there is no index.
        """
        none: list[str] = []
        ids = self._ask(lambda connection: tagged(connection, MOST_TAGGED), none)
        spelled: dict[str, str] = {}
        counts: Counter[str] = Counter()
        for job in map(get, ids):
            for tag in job.tags if job is not None else ():
                spelled.setdefault(normalise(tag), tag)
                counts[normalise(tag)] += 1
        return [spelled[tag] for tag, _ in counts.most_common()]

    def neighbours(self, query: JobQuery, job_id: str, *, who: str = "") -> tuple[str, str]:
        """Return the ids of the jobs before and after one among what is found; empty where there is none.

        Raises:
            IndexBroken: there is no index.
        """
        asker = self._asker(query, who)
        return self._ask(lambda connection: neighbours_of(connection, query, asker, job_id), ("", ""))

    def around(self, query: JobQuery, job_id: str, *, reach: int, who: str = "") -> Around:
        """Return the place of a job among what is found, and its neighbours.

        Args:
            query: what is looked for.
            job_id: of the job.
            reach: the most neighbours on each side.
            who: key of the person who asks (`jobs.who_is`), for `star="mine"`.

        Raises:
            IndexBroken: there is no index.
        """
        asker = self._asker(query, who)

        def part(connection: sqlite3.Connection) -> Around:
            place, ids = around_of(connection, query, asker, job_id, reach=reach)
            return Around(place, count_of(connection, query.whole, asker)[0], tuple(ids))

        return self._ask(part, Around(0, 0, ()))

    def spend(self, query: JobQuery, by: Group, *, who: str = "") -> tuple[SpendRow, ...]:
        """Return the sums of what is found in groups, the most first; days and hours in their own order.

        Raises:
            IndexBroken: there is no index.
        """
        asker = self._asker(query, who)
        return self._ask(lambda connection: spend_rows(connection, query.whole, asker, by), ())

    def times(self, query: JobQuery, *, who: str = "") -> tuple[Times, ...]:
        """Return how long jobs waited and were processed, by model and hour of the day.

        Raises:
            IndexBroken: there is no index.
        """
        asker = self._asker(query, who)
        return self._ask(lambda connection: times_of(connection, query.whole, asker), ())

    def _ask(self, ask: Callable[[sqlite3.Connection], Answer], nothing: Answer) -> Answer:
        """Return an answer of the index as it is now; `nothing` while there is none yet."""
        return self._answer(ask, nothing)[0]

    def _answer(self, ask: Callable[[sqlite3.Connection], Answer], nothing: Answer) -> tuple[Answer, int]:
        """Return an answer likewise, and how many jobs it may lack."""
        while True:  # ends: a file is begun anew only so often, and memory not at all
            begun, missing = self._begun, self.catch_up()
            try:
                if self._is_new:
                    answer = nothing
                else:
                    with self._store.reading() as connection:
                        answer = ask(connection)
            except IndexBroken as error:
                is_lost = error.is_damage or not self._store.is_there()  # somebody may have deleted it
                may_help = is_lost or begun != self._begun
                if not may_help or not self._start_over(begun, error, in_file=True):
                    raise
                continue
            if begun != self._begun:
                missing = max(self._missing(), 1)
            if missing:
                self._gave_a_part = True
                self._bell.set()  # also if it is whole by now
            return answer, missing

    def _asker(self, query: JobQuery, who: str) -> Asker:
        names = tuple(sorted(self._names_of(query.person))) if query.person else ()
        mine = who if query.star == "mine" else ""
        return Asker(
            mine, self.today() if query.period else date(1970, 1, 1), names, tuple(sorted(self._accounts()))
        )


def _told(found: Sequence[Job], changed: _Pending) -> _Pending:
    """Return all jobs to write; those that were changed meanwhile as they are now."""
    told: _Pending = {job.id: (number, job) for number, job in enumerate(found)}
    for job_id, (number, job) in changed.items():
        told[job_id] = told[job_id][0] if job_id in told else number, job
    return told


def _matches(job: Job, terms: Sequence[str]) -> tuple[Match, ...]:
    return tuple(_matching(job, terms)) if terms else ()


def _matching(job: Job, terms: Sequence[str]) -> Iterator[Match]:
    for name, text in texts_of(job):
        if found := marks(text[:LONGEST_EXCERPT], terms):
            yield Match(name, text, found)
