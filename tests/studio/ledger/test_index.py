"""What pages show a part of, against the plain way to the same: filtering every task."""

from __future__ import annotations

import json
import threading

from hypothesis import given
from hypothesis import strategies as st

from kling.studio.jobs import STATES, Job
from kling.studio.ledger.csv_file import LogFile
from kling.studio.ledger.csv_ledger import CsvLedger as Ledger
from kling.studio.ledger.csv_text import Contents
from kling.studio.ledger.index import JobIndex
from tests.kling.tools import Clock, law
from tests.studio.ledger.test_csv_ledger import opened

BATCHES = {"a": "one", "b": "one", "c": "", "d": "two", "e": "", "f": "two"}
PARENTS = {"b": "a", "c": "a", "f": "e"}


def plainly(jobs: list[Job]) -> dict[str, object]:
    cards: dict[str, list[str]] = {}
    for job in jobs:
        if job.state == "succeed" and job["file"]:
            cards.setdefault(job.group or job.id, []).append(job.id)
    return {
        "newest": [job.id for job in jobs],
        "batches": {name: [job.id for job in jobs if job.group == name] for name in ("one", "two", "none")},
        "made": {name: [job.id for job in jobs if job.parent == name] for name in "ae"},
        "cards": list(cards.values()),
        "counts": (len(jobs), sum(map(len, cards.values())), len(cards)),
    }


def by_parts(lists: JobIndex) -> dict[str, object]:
    """Everything that the lists say, a part of two after the other."""
    parts = range(0, 8, 2)
    return {
        "newest": [job.id for start in parts for job in lists.newest(start, start + 2)],
        "batches": {name: [job.id for job in lists.batch(name)] for name in ("one", "two", "none")},
        "made": {name: [job.id for job in lists.made_from(name)] for name in "ae"},
        "cards": [[job.id for job in card] for at in parts for card in lists.page_of_cards(at, at + 2)],
        "counts": (lists.tasks, lists.clips, lists.cards),
    }


@law
@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.sampled_from(["", *STATES]), st.booleans())))
def test_parts_are_those_of_the_whole_after_each_change_and_after_reading_again(tmp_path_factory, changes):
    path = tmp_path_factory.mktemp("log") / "history.csv"
    ledger = opened(path)
    for job_id, state, file in changes:
        told = {"batch": BATCHES[job_id], "parent": PARENTS.get(job_id, "")}
        ledger.append(job_id, state=state, file=f"{job_id}.mp4" if file else "", **told)
        check(ledger)
    check(opened(path))


def check(ledger: Ledger) -> None:
    assert by_parts(ledger.index) == plainly(list(ledger.jobs()[::-1]))


def test_a_log_that_is_being_read_shows_nothing_yet(tmp_path):
    opened(tmp_path / "history.csv").append("a", state="succeed", file="a.mp4")
    go = threading.Event()

    class SlowFile(LogFile):
        def read(self) -> Contents:
            go.wait(120)
            return super().read()

    later = Ledger(SlowFile(tmp_path / "history.csv"), clock=Clock(), read_later=True)
    assert (later.index.tasks, later.index.newest(0, 9), later.index.page_of_cards(0, 9)) == (0, [], [])
    go.set()
    later.append("b", state="waiting")
    assert [job.id for job in later.index.newest(0, 9)] == ["b", "a"]


def test_a_batch_that_is_given_to_a_clip_later_moves_its_card(tmp_path):
    ledger = opened(tmp_path / "history.csv")
    for job_id in "abcd":
        ledger.append(job_id, state="succeed", file=f"{job_id}.mp4", batch="one" if job_id in "ad" else "")
    ledger.append("b", batch="one")
    check(ledger)
    ledger.append("d", batch="two")
    check(ledger)
    check(opened(tmp_path / "history.csv"))


class Counted(dict[str, str]):
    """Cells of a job that count how often one of them is read."""

    reads = 0

    def get(self, *arguments):
        Counted.reads += 1
        return super().get(*arguments)


def test_a_page_costs_what_it_shows_however_many_jobs_have_no_file(tmp_path):
    ledger = opened(tmp_path / "history.csv")
    index = ledger.index
    for number in range(2000):
        file = {"file": "x.mp4"} if number % 400 == 0 else {}
        index.update(Job(Counted(external_task_id=f"v{number}", state="succeed", **file)))
    Counted.reads = 0
    unfetched = index.unfetched()
    assert (index.tasks, index.clips, index.cards, index.count("succeed"), len(unfetched)) == (
        2000,
        5,
        5,
        2000,
        1995,
    )
    assert [[job.id for job in card] for card in index.page_of_cards(3, 9)] == [["v400"], ["v0"]]
    assert [job.id for job in index.newest(1990, 2001)][-1] == "v0"
    assert index.unfetched() is unfetched, "a look makes no copy of its own"
    assert index.open_jobs() is index.open_jobs()
    assert Counted.reads < 50


def test_orders_of_a_person_are_theirs_alone_each_request_once_the_latest_first():
    index = JobIndex(threading.RLock())
    for number, (person, prompt, shape) in enumerate(
        (
            ("Ada", "A fox", "16:9"),
            ("Eve", "A heron", "16:9"),
            ("Ada", "A fox", "9:16"),
            ("Ada", "A fox", "16:9"),
            ("Ada", "", "1:1"),  # found without its order: there is nothing to take from it
            ("Ada", "A Red Owl", "16:9"),
        )
    ):
        cells = {"person": person, "prompt": prompt, "aspect_ratio": shape, "state": "succeed"}
        index.update(Job({"external_task_id": f"j{number}", **cells}))
    assert [job.id for job in index.orders_of("Ada", 9)] == ["j5", "j3", "j2"]
    assert [job.id for job in index.orders_of("Ada", 2)] == ["j5", "j3"]
    assert [job.id for job in index.orders_of("Ada", 9, ["red", "owl"])] == ["j5"]
    assert index.orders_of("Nobody", 9) == []


def said(index: JobIndex) -> dict[str, object]:
    """What the index says of people, counts and lists."""
    return {
        "lists": by_parts(index),
        "people": index.people(),
        "spelling": index.spelling("ADA"),
        "prompts": {name: index.prompts(name, 9) for name in ("Ada", "ada", "Eve")},
        "orders": [job.id for name in ("Ada", "ada", "Eve") for job in index.orders_of(name, 9)],
        "counts": (index.counts(), index.count("succeed"), index.count("failed")),
    }


def test_an_import_that_was_undone_leaves_nothing_but_its_jobs_and_can_come_again():
    index = JobIndex(threading.RLock())
    mine = {"external_task_id": "mine", "person": "Ada", "prompt": "A fox", "state": "succeed"}
    index.update(Job(mine))
    before = said(index)
    theirs = [
        {"external_task_id": "one", "person": "ada", "prompt": "A fox", "state": "succeed", "batch": "one"},
        {"external_task_id": "two", "person": "Ada", "prompt": "A fox", "state": "failed", "parent": "a"},
        {"external_task_id": "three", "person": "Eve", "prompt": "A heron", "model_name": "kling-v3"},
    ]
    taken, undone = ({"extra": json.dumps({"imported": facts})} for facts in ({"id": "i"}, {"undone": True}))
    for cells in theirs:
        index.update(Job(cells | taken))
    during = said(index)
    assert index.people() == [("Ada", 2), ("ada", 1), ("Eve", 1)]
    for cells in theirs:
        index.update(Job(cells | undone))
    assert said(index) == before
    assert [job.id for job in index.jobs()] == ["mine", "one", "two", "three"]
    assert index.get("one") is not None
    for cells in theirs:
        index.update(Job(cells | taken))
    assert said(index) == during
