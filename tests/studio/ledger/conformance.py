"""What every ledger does: a class of tests for a module to inherit, parametrised by how one is made."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kling.studio.jobs import OPEN, STATES, SUCCEED, Job, StateChanged
from kling.studio.ledger import Ledger, LedgerError, LedgerUncertain, OnChange
from tests.kling.tools import Clock, law

Row = Mapping[str, str]
LATER = 16 * 60.0  # seconds; what was known that long ago is not believed any more
CHANGES = st.lists(
    st.tuples(
        st.sampled_from("abcd"),
        st.fixed_dictionaries(
            {"state": st.sampled_from(["", *STATES])},
            optional={
                "task_id": st.just("7"),
                "prompt": st.text(max_size=5),
                "file": st.just("a.mp4"),
                "note": st.sampled_from(["-", "one", "two"]),
                "final_unit_deduction": st.sampled_from(["0", "1.5"]),
                "extra": st.sampled_from(['{"a":1}', '{"a":2}', '{"b":1}', "words"]),
            },
        ),
    ),
    max_size=12,
)


class Store(ABC):
    """Where a ledger keeps its rows: what outlives a process, and what others do to it."""

    @abstractmethod
    def open(self, clock: Callable[[], float], on_change: OnChange = lambda _ids: None) -> Ledger:
        """Return the ledger of a new process."""

    @abstractmethod
    def rows(self) -> list[Row]:
        """Return what is recorded, without empty cells."""

    @abstractmethod
    def replace(self, rows: Iterable[Row]) -> None:
        """Put other rows in the place of all."""

    @abstractmethod
    def fail(self, how: str) -> None:
        """Let the next write fail: `full`; `unconfirmed` and taken back; or `uncertain`, not taken back."""


def said(job: Job) -> dict[str, Any]:
    """Return what a job is, but for the time of its last row."""
    cells = {name: cell for name, cell in job.cells.items() if name not in {"time", "extra"}}
    return {**cells, "extra": dict(job.extra), "accepted": job.accepted, "state": job.state}


def ids(jobs: Iterable[Job]) -> list[str]:
    return sorted(job.id for job in jobs)


def everything(ledger: Ledger) -> dict[str, dict[str, Any]]:
    return {job.id: said(job) for job in ledger.jobs()}


class LedgerTests:
    """The tests. The parameter `make` takes a folder and returns a `Store`."""

    @pytest.fixture
    def store(self, make: Callable[[Path], Store], tmp_path: Path) -> Store:
        return make(tmp_path)

    @pytest.fixture
    def clock(self) -> Clock:
        return Clock(1_795_000_000.0)

    # -- recording ---------------------------------------------------------------------------------------

    def test_what_was_recorded_is_there_for_the_next_process(self, store, clock):
        ledger = store.open(clock)
        ledger.append("a", state="waiting", prompt="A fox", mode="")
        job = ledger.append("a", state="intent")
        assert (job.id, job.state, job["prompt"], "mode" in job.cells) == ("a", "intent", "A fox", False)
        assert store.open(clock).get("a") == ledger.get("a") == job
        assert ledger.get("b") is None

    @law
    @given(CHANGES)
    def test_reading_again_gives_what_memory_holds(self, make, tmp_path_factory, changes):
        store, clock = make(tmp_path_factory.mktemp("ledger")), Clock(tick=1.0)
        ledger = store.open(clock)
        for job_id, cells in changes:
            ledger.append(job_id, **cells)
        again = store.open(clock)
        assert again.jobs() == ledger.jobs()
        assert ids(again.unfinished()) == ids(ledger.unfinished())
        assert ids(ledger.open_jobs()) == ids(job for job in ledger.jobs() if job.state in OPEN)
        without_file = {job.id: job for job in ledger.jobs() if job.state == SUCCEED and not job["file"]}
        assert dict(ledger.unfetched()) == without_file

    def test_the_records_of_a_job_are_all_of_its_own_in_their_order(self, store, clock):
        ledger = store.open(clock)
        ledger.append("a", state="waiting", prompt='A "fox", b,\nand =1')
        ledger.append("ab", state="waiting", parent="a", note="a")
        ledger.append("a", note="one", by_name="Ada")
        assert [row for row in store.rows() if row["external_task_id"] == "a"] == list(ledger.records("a"))
        assert [row.get("note") for row in ledger.records("a")] == [None, "one"]
        assert list(ledger.records("b")) == []

    def test_text_that_cannot_be_stored_is_the_same_in_memory_and_afterwards(self, store, clock):
        job = store.open(clock).append("a", state="failed", message="half a fox: \ud83e", note="x" * 200_000)
        assert job["message"] == "half a fox: ?"
        assert store.open(clock).get("a") == job

    def test_a_change_is_refused_in_a_state_in_which_it_may_not_happen(self, store, clock):
        ledger = store.open(clock)
        ledger.append("a", state="waiting")
        before = store.rows()
        with pytest.raises(StateChanged, match="is waiting by now"):
            ledger.append("a", only={"intent"}, state="submitted")
        with pytest.raises(StateChanged, match="not in the log"):
            ledger.append("b", only={"intent"}, state="submitted")
        with pytest.raises(StateChanged):
            ledger.append_many([("a", {"note": "one"}), ("b", {"note": "two"})], only={"waiting"})
        assert store.rows() == before
        assert ledger.append("a", only={"waiting"}, state="intent").state == "intent"

    def test_a_check_sees_what_the_record_follows_and_may_refuse_all_of_it(self, store, clock):
        ledger, rival = store.open(clock), store.open(clock)
        ledger.append("a", state="waiting")
        seen: list[list[str]] = []
        rival.append_many([("b", {"state": "waiting"})], check=lambda: seen.append(ids(rival.jobs())))
        assert seen == [["a"]]
        before = store.rows()

        def refuse() -> None:
            raise PermissionError

        with pytest.raises(PermissionError):
            ledger.append_many([("c", {"state": "waiting"}), ("d", {"state": "waiting"})], check=refuse)
        assert store.rows() == before
        assert ids(ledger.jobs()) == ["a", "b"]

    def test_every_change_is_told_once_and_when_it_is_recorded(self, store, clock):
        told: list[object] = []
        ledger = store.open(clock, on_change=lambda ids: told.append((ids, store.rows()[-1]["state"])))
        ledger.append("a", state="waiting")
        ledger.append_many([("a", {"state": "intent"}), ("b", {"state": "unknown"})])
        assert ledger.append_many([]) == []
        ledger.sync()
        assert told == [({"a"}, "waiting"), ({"a", "b"}, "unknown")]

    def test_after_a_change_by_others_any_job_may_have_changed(self, store, clock):
        told: list[object] = []
        ledger = store.open(clock, on_change=told.append)
        ledger.append("a", state="waiting")
        store.replace([])
        ledger.append("b", state="waiting")
        store.replace([])
        ledger.sync()
        assert told == [{"a"}, None, None]

    def test_a_video_that_is_gone_is_not_waited_for(self, store, clock):
        ledger = store.open(clock)
        ledger.append("a", state="succeed", task_id="7")
        assert list(ledger.unfetched()) == ["a"]
        ledger.append("a", extra='{"gone":true}')
        assert list(ledger.unfetched()) == list(ledger.unfinished()) == []
        assert ledger.jobs()[0].gone

    def test_a_task_that_failed_is_told_apart_from_a_call_that_was_refused(self, store, clock):
        ledger = store.open(clock)
        ledger.append("task", state="processing", task_id="7")
        ledger.append("task", only={"submitted", "processing"}, state="failed")
        ledger.append("call", state="failed", code="1201")
        ledger.append("call", state="submitted", task_id="8")
        for each in (ledger, store.open(clock)):
            assert [(job.state, job.accepted) for job in each.jobs()] == [
                ("failed", True),
                ("submitted", True),
            ]

    # -- writes that fail --------------------------------------------------------------------------------

    def test_a_write_that_fails_changes_nothing_and_the_next_one_goes_on(self, store, clock):
        ledger = store.open(clock)
        ledger.append("a", state="waiting")
        store.fail("full")
        with pytest.raises(LedgerError) as error:
            ledger.append_many([("a", {"state": "intent"}), ("b", {"state": "waiting"})])
        assert not isinstance(error.value, LedgerUncertain)
        assert [job.state for job in ledger.jobs()] == ["waiting"]
        ledger.append("a", state="intent")
        assert store.open(clock).jobs() == ledger.jobs()

    @pytest.mark.parametrize("how", ["unconfirmed", "uncertain"])
    def test_after_a_write_that_was_not_confirmed_nothing_is_recorded_until_a_restart(
        self, store, clock, how
    ):
        ledger = store.open(clock)
        ledger.append("a", state="waiting")
        store.fail(how)
        with pytest.raises(LedgerUncertain if how == "uncertain" else LedgerError):
            ledger.append("b", state="intent")
        with pytest.raises(LedgerError, match="Restart the studio") as error:
            ledger.append("c", state="intent")
        assert not isinstance(error.value, LedgerUncertain)
        ledger.sync()
        ledger.beat()
        assert [job.id for job in ledger.jobs()] == ["a"]
        again = store.open(clock)
        assert {job.id for job in again.jobs()} - {"b"} == {"a"}
        assert again.unconfirmed == ({"b"} if again.get("b") else set())
        assert again.append("c", state="intent").state == "intent"

    # -- what others do ----------------------------------------------------------------------------------

    @law
    @given(CHANGES, st.data())
    def test_whatever_becomes_of_the_rows_what_was_known_is_known_afterwards(
        self, make, tmp_path_factory, changes, data
    ):
        store, clock = make(tmp_path_factory.mktemp("ledger")), Clock(tick=1.0)
        ledger = store.open(clock)
        for job_id, cells in changes:
            ledger.append(job_id, **cells)
        known, rows = everything(ledger), store.rows()
        kept = data.draw(st.permutations([row for row in rows if data.draw(st.booleans())] * 2))
        store.replace(kept)
        ledger.sync()
        for each in (ledger, store.open(clock)):
            now = everything(each)
            for said_of_it in (*now.values(), *known.values()):
                said_of_it.pop("note", None)  # what people say is taken as it is found
            assert now == known
        for job in ledger.jobs():  # also when each of its states was reached
            again = store.open(clock).get(job.id)
            assert again is not None
            assert again.since == job.since

    def test_a_stale_copy_takes_nothing_back(self, store, clock):
        ledger = store.open(clock)
        ledger.append("old", state="processing", task_id="6")
        ledger.append("waits", state="waiting")
        stale = store.rows()
        ledger.append("paid", state="submitted", task_id="7", account="sandbox")
        ledger.append("refused", state="failed", code="1201")
        ledger.append("waits", state="withdrawn")
        before, generation = everything(ledger), ledger.generation
        store.replace(stale)
        ledger.append("old", state="succeed")
        before["old"]["state"] = "succeed"
        assert everything(ledger) == everything(store.open(clock)) == before
        assert ledger.generation > generation
        assert ledger.warnings
        assert not ledger.unconfirmed

    def test_what_somebody_adds_is_taken_over_but_not_believed(self, store, clock):
        ledger = store.open(clock)
        ledger.append("a", state="processing", task_id="6")
        row = {"time": "2026-11-22T10:00:00+00:00"}
        added = {"new": "waiting", "sent": "submitted", "ended": "failed", "cut": "intent"}
        new = [{**row, "external_task_id": job_id, "state": state} for job_id, state in added.items()]
        store.replace([*store.rows(), *new])
        ledger.sync()
        assert {job.id: job.state for job in ledger.jobs()} == {"a": "processing", **added}
        assert ledger.unconfirmed == {"new", "cut"}
        assert store.open(clock).unconfirmed == {"new", "cut"}

    def test_what_people_say_of_a_job_is_taken_as_it_is_found(self, store, clock):
        ledger = store.open(clock)
        ledger.append("a", state="succeed", task_id="6", file="a.mp4", note="one", rating="3")
        store.replace([{**row, "note": "edited"} for row in store.rows()])
        ledger.append("a", rating="-")
        assert (ledger.jobs()[0]["note"], ledger.jobs()[0]["rating"]) == ("edited", "")

    def test_a_change_that_cannot_be_completed_is_tried_again(self, store, clock):
        ledger = store.open(clock)
        ledger.append("a", state="submitted", task_id="6")
        store.replace([])
        store.fail("full")
        with pytest.raises(LedgerError):
            ledger.sync()
        assert ledger.jobs()[0]["task_id"] == "6"
        ledger.sync()
        assert everything(store.open(clock)) == everything(ledger)

    def test_a_row_without_a_state_is_read_by_what_it_shows_and_that_is_said(self, store, clock):
        store.replace(
            {"external_task_id": job_id, "time": "2026-11-22T10:00:00+00:00", **cells}
            for job_id, cells in {
                "clip": {"file": "clip.mp4", "task_id": "7"},
                "paid": {"task_id": "8", "state": ""},
                "nobody": {"prompt": "A fox"},
                "whole": {"state": "succeed"},
            }.items()
        )
        ledger = store.open(clock)
        states = {"clip": "succeed", "paid": "submitted", "nobody": "not_sent", "whole": "succeed"}
        assert {job.id: job.state for job in ledger.jobs()} == states
        assert [words for words in ledger.warnings if "3 jobs" in words]
        assert ledger.index.clips == 1

    # -- what is confirmed -------------------------------------------------------------------------------

    def test_what_a_process_recorded_is_confirmed_for_the_next_one(self, store, clock):
        ledger = store.open(clock)
        ledger.append("a", state="waiting")
        assert store.open(clock).unconfirmed == ledger.unconfirmed == set()
        clock.now += LATER
        ledger.beat()
        clock.now += LATER - 120
        assert store.open(clock).unconfirmed == set()

    @pytest.mark.parametrize("passed", [LATER, -120.0])
    def test_after_long_or_with_another_clock_nothing_is_confirmed(self, store, clock, passed):
        ledger = store.open(clock)
        states = {state: ledger.append(state, state=state).id for state in STATES}
        clock.now += passed
        again = store.open(clock)
        assert again.unconfirmed == {"waiting", "intent", "unknown", "not_sent"}
        assert again.jobs() == ledger.jobs()
        assert len(states) == len(again.jobs())

    def test_other_rows_are_not_confirmed(self, store, clock):
        ledger = store.open(clock)
        ledger.append("a", state="waiting")
        ledger.append("b", state="waiting")
        store.replace(store.rows()[::-1])
        assert store.open(clock).unconfirmed == {"a", "b"}

    def test_a_row_that_nobody_acknowledged_is_not_confirmed(self, store, clock):
        ledger = store.open(clock)
        for job_id in ("a", "b", "c"):
            ledger.append(job_id, state="waiting")
        row = {"external_task_id": "a", "time": "2026-11-22T10:00:00+00:00"}
        store.replace(
            [*store.rows(), {**row, "state": "intent"}, {**row, "external_task_id": "b", "note": "fine"}]
        )
        assert store.open(clock).unconfirmed == {"a"}

    def test_a_job_stays_unconfirmed_over_restarts_until_something_is_certain(self, store, clock):
        ledger = store.open(clock)
        for job_id in "abcdef":
            ledger.append(job_id, state="waiting")
        clock.now += LATER
        ledger = store.open(clock)
        ledger.append("new", state="waiting")
        ledger = store.open(clock)
        assert ledger.unconfirmed == set("abcdef")
        ledger.append("a", state="not_sent")
        ledger.append("b", state="submitted", task_id="7")
        ledger.append("c", state="withdrawn")
        ledger.append("d", state="unknown")
        ledger.confirm("e")
        ledger.confirm("e")
        assert ledger.unconfirmed == {"d", "f"}
        assert store.open(clock).unconfirmed == {"d", "f"}
