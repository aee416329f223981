"""The index is what one that is built anew from the log would be, whatever happened to both."""

from __future__ import annotations

import shutil
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kling.studio.ledger.csv_file import LogFile
from kling.studio.ledger.csv_ledger import CsvLedger
from kling.studio.library import JobQuery, Library, Sums
from kling.studio.library import library as library_module
from kling.studio.library.facts import COLUMNS
from kling.studio.library.search import count_of
from kling.studio.library.store import IndexBroken, Store
from tests.kling.tools import law
from tests.studio.library.conftest import House, library_of

FILE, PAGE = "index.sqlite3", 16384
CELLS: dict[str, st.SearchStrategy[str]] = {
    "state": st.sampled_from(["waiting", "submitted", "succeed", "failed", "withdrawn"]),
    "prompt": st.sampled_from(["A red fox", "灯塔在暴风雨中", "Straße", "a", ""]),
    "task_id": st.just("7"),
    "file": st.just("a.mp4"),
    "units": st.sampled_from(["1.5", "99999999999"]),
    "star": st.sampled_from(["1", "-"]),
    "rating": st.sampled_from(["2", "5", "-"]),
    "by": st.sampled_from(["p-1", "p-2"]),
    "tags": st.sampled_from(["fox, snow", "-"]),
    "hidden": st.sampled_from(["1", "-"]),
    "final_unit_deduction": st.sampled_from(["1.5", "2"]),
    "time": st.sampled_from(["2026-11-01T10:00:00+00:00", "2026-11-20T10:00:00+00:00"]),
}
APPENDS = st.lists(
    st.tuples(st.sampled_from("abcdef"), st.fixed_dictionaries({}, optional=CELLS)), min_size=1, max_size=4
)
EVENTS = st.lists(
    st.one_of(
        st.tuples(st.just("append"), APPENDS),
        st.tuples(st.just("ask"), st.none()),
        st.tuples(st.just("killed"), st.none()),
        st.tuples(st.just("stopped"), st.none()),
        st.tuples(st.sampled_from(["drop", "turn", "edit", "touch", "copy back"]), st.integers(0, 9)),
        st.tuples(st.sampled_from(["index gone", "index damaged", "index of before"]), st.none()),
    ),
    max_size=12,
)


def contents(folder: Path) -> list[list[Any]]:
    """Return all that is in the index, and that its search agrees with its texts."""
    with closing(sqlite3.connect(folder / FILE)) as index:
        index.execute("INSERT INTO words (words, rank) VALUES ('integrity-check', 1)")
        index.rollback()
        # Kinds have numbers in the order of their coming.
        facts = ", ".join(f"jobs.{name}" for name in sorted(set(COLUMNS) - {"kind"}))
        questions = (
            f"SELECT says, {facts} FROM jobs JOIN kinds USING (kind) ORDER BY place",
            "SELECT * FROM texts ORDER BY place",
            "SELECT * FROM opinions ORDER BY who, place",
            "SELECT * FROM cube WHERE jobs != 0 ORDER BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10",
            "SELECT * FROM paces WHERE jobs != 0 ORDER BY 1, 2, 3, 4",
        )
        return [index.execute(question).fetchall() for question in questions]


def built_anew(log: Path, folder: Path) -> list[list[Any]]:
    folder.mkdir(parents=True)
    shutil.copy(log, folder / "history.csv")
    house = House(folder)
    assert house.library.wait()
    return contents(folder)


class Life(House):
    """What happens to a data folder."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.log, self.copy, self.before = (
            folder / "history.csv",
            folder / "copy.csv",
            folder / "before.sqlite3",
        )

    def happen(self, what: str, detail: Any) -> None:
        getattr(self, what.replace(" ", "_"))(detail)

    def append(self, changes: list[tuple[str, dict[str, str]]]) -> None:
        self.ledger.append_many(changes)
        if len(changes) % 2:
            shutil.copy(self.log, self.copy)

    def ask(self, _: None) -> None:
        self.library.ids(JobQuery())
        shutil.copy(self.folder / FILE, self.before)

    def killed(self, _: None) -> None:
        self.open()

    def stopped(self, _: None) -> None:
        self.library.stop()
        self.open()

    def drop(self, number: int) -> None:
        header, *rows = self.log.read_text().splitlines(keepends=True)
        del rows[number : number + 1]
        self._write([header, *rows])

    def turn(self, _: int) -> None:
        header, *rows = self.log.read_text().splitlines(keepends=True)
        self._write([header, *reversed(rows)])

    def edit(self, number: int) -> None:
        header, *rows = self.log.read_text().splitlines(keepends=True)
        self._write(
            [header, *(row.replace("fox", "dog") if at == number else row for at, row in enumerate(rows))]
        )

    def touch(self, _: int) -> None:
        self._write(self.log.read_text().splitlines(keepends=True))

    def copy_back(self, _: int) -> None:
        if self.copy.exists():
            shutil.copy(self.copy, self.log)
            self.ledger.sync()

    def index_gone(self, _: None) -> None:
        self.library.stop()
        for path in self.folder.glob(f"{FILE}*"):
            path.unlink()
        self.open()

    def index_damaged(self, _: None) -> None:
        self.library.stop()
        (self.folder / FILE).write_bytes(b"SQLite format 3\0" + b"no index" * 500)
        self.open()

    def index_of_before(self, _: None) -> None:
        if self.before.exists():
            self.library.stop()
            shutil.copy(self.before, self.folder / FILE)
            self.open()

    def _write(self, lines: list[str]) -> None:
        self.log.write_text("".join(lines))
        self.ledger.sync()


@settings(law, max_examples=30)
@given(EVENTS)
def test_after_anything_the_index_equals_one_built_anew(tmp_path_factory, events):
    folder = tmp_path_factory.mktemp("life")
    life = Life(folder)
    for what, detail in events:
        life.happen(what, detail)
    life.ledger.sync()
    assert life.library.wait()
    assert sorted(life.library.ids(JobQuery(hidden="all"))) == sorted(job.id for job in life.jobs)
    again = built_anew(life.log, folder / "anew")
    life.library.stop()
    # A log that was turned round keeps the order in which this process met the jobs, until its next start.
    life.open()
    assert life.library.wait()
    assert contents(folder) == again


def test_a_file_that_fits_is_not_built_again(house):
    house.ledger.append("a", state="waiting", prompt="A fox")
    assert house.library.wait()
    house.library.stop()
    made = (house.folder / FILE).stat().st_ino
    house.open()
    assert house.library.count(JobQuery(text="fox")) == 1
    assert (house.folder / FILE).stat().st_ino == made


def test_a_process_that_was_killed_right_after_a_change_has_it_after_the_next_start(house):
    house.ledger.append("a", prompt="A fox")
    assert house.library.count(JobQuery()) == 1
    house.ledger.append("b", prompt="A wolf")  # nobody has asked since, so it is not written
    house.open()
    assert house.library.ids(JobQuery(text="wolf")) == ["b"]


def test_a_change_is_found_by_whoever_asks_next(house):
    house.ledger.append("a", state="waiting", prompt="A fox")
    assert house.library.count(JobQuery(states=("waiting",))) == 1
    house.ledger.append("a", state="withdrawn")
    assert house.library.count(JobQuery(states=("waiting",))) == 0
    assert house.library.count(JobQuery(states=("withdrawn",))) == 1
    assert house.library.totals(JobQuery()).jobs == 1


class Slow:
    """A log whose index is made by the thread, which goes on after its rests only while `go` is set."""

    def __init__(self, folder: Path, jobs: int) -> None:
        self.folder, self.jobs = folder, jobs
        self.go, self.reached, self.whole = threading.Event(), threading.Event(), threading.Semaphore(0)
        log = CsvLedger(LogFile(folder / "history.csv", fsync=lambda _: None), clock=lambda: 1_795_000_000.0)
        row = {"prompt": "fox", "tags": "den"}
        log.append_many([(f"v{number:04}", row) for number in range(jobs)])
        self.library = library_of(
            folder,
            jobs=lambda: self.ledger.jobs(),  # noqa: PLW0108 - made below
            rest=self._rest,
            on_whole=self.whole.release,
        )
        self.ledger = CsvLedger(
            LogFile(folder / "history.csv"), clock=lambda: 1_795_000_000.0, view=self.library
        )
        self.library.start()

    def _rest(self, _: float) -> None:
        self.reached.set()
        self.go.wait(20)


@pytest.fixture(params=[70])
def slow(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Slow]:
    made = Slow(tmp_path, request.param)
    yield made
    made.go.set()
    made.library.stop()


@pytest.mark.parametrize("slow", [60, 1200], indirect=True)  # one batch, and several
def test_while_it_is_built_nobody_waits_and_the_newest_are_found_first(slow: Slow):
    assert slow.reached.wait(20)
    assert slow.library.page(JobQuery(), slow.ledger.get).missing
    slow.go.set()
    assert slow.library.wait()
    page = slow.library.page(JobQuery(text="fox"), slow.ledger.get)
    assert (page.missing, page.rows[0].job.id) == (0, f"v{slow.jobs - 1:04}")
    assert slow.library.count(JobQuery()) == slow.jobs


def test_a_file_that_cannot_be_written_is_replaced_by_memory(tmp_path):
    (tmp_path / FILE).mkdir()
    house = House(tmp_path)
    house.ledger.append("a", prompt="A fox")
    assert house.library.ids(JobQuery(text="fox")) == ["a"]
    assert "index" in house.library.trouble
    house.ledger.append("b", prompt="A fox")
    assert house.library.ids(JobQuery(text="fox")) == ["b", "a"]


@pytest.mark.parametrize("parts", [0, 1])  # that are written before the disk is nearly full
def test_a_disk_without_room_for_the_index_is_given_back_what_it_took(house, parts, monkeypatch):
    monkeypatch.setattr(library_module, "COMMIT", 2)
    house.ledger.append_many([(f"v{number}", {"prompt": "A fox"}) for number in range(5)])
    assert house.library.wait()
    house.library.stop()
    house.ledger.append("w", prompt="A fox")
    room = [True] * parts
    house.open(has_room=lambda: bool(room and room.pop()))
    assert house.library.count(JobQuery(text="fox")) == 6
    assert "disk" in house.library.trouble
    assert not list(house.folder.glob(f"{FILE}*"))


@pytest.mark.parametrize("how", ["deleted", "damaged"])
def test_a_file_that_is_gone_while_the_studio_runs_is_made_anew(house, how):
    house.ledger.append("a", prompt="A fox")
    assert house.library.ids(JobQuery(text="fox")) == ["a"]
    for path in house.folder.glob(f"{FILE}*"):
        path.unlink() if how == "deleted" else path.write_bytes(b"no index" * 2000)
    house.ledger.append("b", prompt="A fox")
    assert set(house.library.ids(JobQuery(text="fox"))) == {"a", "b"}
    house.ledger.append("a", prompt="A wolf")
    house.ledger.append("c", prompt="A fox")
    assert set(house.library.ids(JobQuery(text="fox"))) == {"b", "c"}


def damage(house: House) -> None:
    """Overwrite every page but the first one, of a file that fits the log."""
    house.library.stop()
    size = (house.folder / FILE).stat().st_size
    with (house.folder / FILE).open("r+b") as file:
        file.seek(PAGE)
        file.write(b"\xee" * (size - PAGE))
    house.open()


ASKED = {
    "a search": lambda house: house.library.count(JobQuery(text="fox")),
    "sums": lambda house: house.library.totals(JobQuery()).jobs,
    "a change": lambda house: house.ledger.append("a", star="1") and house.library.wait(),
}


@pytest.mark.parametrize("ask", ASKED.values(), ids=ASKED)
def test_a_damaged_file_whose_first_page_is_good_is_made_anew(house, ask):
    house.ledger.append("a", prompt="A fox")
    assert house.library.wait()
    damage(house)
    assert ask(house) == 1
    assert house.library.ids(JobQuery(text="fox")) == ["a"]
    assert not house.library.trouble
    house.library.stop()
    assert contents(house.folder) == built_anew(house.folder / "history.csv", house.folder / "anew")


def fail_while_on_disk(house: House, monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    def count(*asked: Any) -> tuple[int, int]:
        if (house.folder / FILE).exists():
            error = sqlite3.DatabaseError("this file")
            error.sqlite_errorcode = code
            raise error
        return count_of(*asked)

    monkeypatch.setattr(library_module, "count_of", count)


def test_a_file_that_is_damaged_again_and_again_is_replaced_by_memory(house, monkeypatch):
    house.ledger.append("a", prompt="A fox")
    fail_while_on_disk(house, monkeypatch, sqlite3.SQLITE_CORRUPT)
    assert house.library.count(JobQuery()) == 1
    assert "this file" in house.library.trouble
    assert not (house.folder / FILE).exists()


def test_a_file_that_cannot_be_read_for_a_moment_stays(house, monkeypatch):
    house.ledger.append("a", prompt="A fox")
    assert house.library.wait()
    made = (house.folder / FILE).stat().st_ino
    fail_while_on_disk(house, monkeypatch, sqlite3.SQLITE_BUSY)
    with pytest.raises(IndexBroken, match="this file"):
        house.library.count(JobQuery())
    assert (house.folder / FILE).stat().st_ino == made


@pytest.mark.parametrize("slow", [70, 700], indirect=True)
def test_an_answer_of_a_part_of_the_jobs_is_not_kept(slow: Slow):
    assert slow.reached.wait(20)
    assert slow.library.totals(JobQuery()).missing
    slow.go.set()
    assert slow.library.wait()
    assert slow.library.totals(JobQuery()).jobs == slow.jobs


@pytest.mark.parametrize("threads", [8])
def test_many_may_ask_while_jobs_are_ordered(house, threads):
    house.library.start()
    faults: list[BaseException] = []

    def ask() -> None:
        try:
            for _ in range(20):
                house.library.page(JobQuery(text="fox"), house.ledger.get)
                house.library.totals(JobQuery(states=("waiting",)))
        except BaseException as error:  # noqa: BLE001 - told below
            faults.append(error)

    asking = [threading.Thread(target=ask) for _ in range(threads)]
    for each in asking:
        each.start()
    for number in range(60):
        house.ledger.append(f"v{number}", state="waiting", prompt="A fox")
    for each in asking:
        each.join()
    assert house.library.wait()
    assert (faults, house.library.count(JobQuery(text="fox"))) == ([], 60)
    house.library.stop()


QUESTIONS: dict[str, Callable[[Library, CsvLedger], object]] = {
    "page": lambda library, ledger: library.page(JobQuery(), ledger.get),
    "count": lambda library, _: library.count(JobQuery()),
    "totals": lambda library, _: library.totals(JobQuery()),
    "neighbours": lambda library, _: library.neighbours(JobQuery(), "v0040"),
    "tags": lambda library, ledger: library.tags(ledger.get),
}


@pytest.mark.parametrize("question", QUESTIONS.values(), ids=QUESTIONS)
def test_whoever_was_told_a_part_hears_once_when_the_index_is_whole(
    slow: Slow, question: Callable[[Library, CsvLedger], object]
):
    assert slow.reached.wait(20)
    part = question(slow.library, slow.ledger)
    slow.go.set()
    assert slow.whole.acquire(timeout=20)
    assert question(slow.library, slow.ledger) != part
    slow.ledger.append("more", prompt="fox")
    assert slow.library.wait()
    assert slow.library.count(JobQuery()) == 71
    slow.library.stop()
    assert not slow.whole.acquire(blocking=False)


def test_a_file_that_is_damaged_while_the_studio_runs_gives_no_part_for_the_whole(slow: Slow):
    slow.go.set()
    assert slow.library.wait()
    assert slow.library.count(JobQuery()) == 70
    slow.go.clear()
    for path in slow.folder.glob(f"{FILE}*"):
        path.write_bytes(b"no index" * 2000)
    page, totals = slow.library.page(JobQuery(), slow.ledger.get), slow.library.totals(JobQuery())
    assert (page.rows, totals.jobs) == ((), 0)
    assert page.missing
    assert totals.missing
    slow.go.set()
    assert slow.whole.acquire(timeout=20)
    assert slow.library.totals(JobQuery()).jobs == 70


@pytest.fixture
def begun_anew(house: House, monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], None]], None]:
    """Have the next question meet a damaged file, and another one who asks meanwhile begin the index anew."""
    house.ledger.append("a", prompt="A fox")
    assert house.library.count(JobQuery()) == 1

    def prepare(then: Callable[[], None]) -> None:
        def asked(*_: object) -> tuple[int, int, Sums]:
            monkeypatch.undo()
            for path in house.folder.glob(f"{FILE}*"):
                path.write_bytes(b"no index" * 2000)
            assert house.library.count(JobQuery()) == 1
            then()
            return 0, 0, Sums()

        monkeypatch.setattr(library_module, "totals_of", asked)

    return prepare


def test_an_answer_during_which_the_index_is_begun_anew_is_a_part(house, begun_anew):
    begun_anew(lambda: None)
    assert house.library.totals(JobQuery()).missing
    assert (house.library.totals(JobQuery()).jobs, house.library.totals(JobQuery()).missing) == (1, 0)


def test_who_meets_the_file_of_before_asks_the_one_that_another_has_begun(house, begun_anew):
    def malformed() -> None:
        raise sqlite3.DatabaseError("database disk image is malformed")

    begun_anew(malformed)
    assert house.library.totals(JobQuery()).jobs == 1


def test_a_connection_in_use_while_the_file_is_made_anew_is_not_used_again(tmp_path):
    store = Store(tmp_path / FILE)
    store.start_anew()
    with store.batch() as batch:
        batch.set_stamp("before")
    with store.reading():
        store.start_anew()
        with store.batch() as batch:
            batch.set_stamp("now")
    with store.reading() as connection:
        found = connection.execute("SELECT value FROM meta WHERE name = 'stamp'").fetchone()
    assert found == ("now",)
    store.close()
