"""The log put back from an earlier copy, edited or lost, while the studio is stopped and while it runs.

A real studio asks a real sandbox process by a key, so the rules of a real account apply. Time is the studio's
own: it moves on to whatever is due next. The account accepts a second task with the same id, so that nothing
but the studio itself stands between a person and a second bill. `RESTORES` sets how often each is made.
"""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kling import TextToVideo
from kling.studio.archive import check_mp4
from kling.studio.jobs import NOT_SENT, SUCCEED, WAITING, WITHDRAWN, Job
from kling.studio.orders import Press
from tests.studio import processes

RESTORES = int(os.environ.get("RESTORES", "1"))
LONG = 3600.0  # seconds; whatever a studio does by itself has been done by then
SLOTS_TAKEN: dict[str, object] = {"on": "create", "code": 1303}
Change = Callable[[list[str], random.Random], list[str]]


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with processes.sandbox("--pace", "polls:2", "--concurrency", "500", "--duplicates", "accept") as url:
        yield url


class House:
    """One data folder, the studios that have it one after the other, and copies of its log.

    Args:
        folder: for the data.
        url: of the account.
    """

    def __init__(self, folder: Path, url: str) -> None:
        self.data, self.url = folder, url
        self.log = folder / "history.csv"
        self.time = processes.SteppedTime()
        self.ids: set[str] = set()
        self.copies: list[bytes] = []
        self.start()

    def start(self) -> None:
        self.studio = self.time.open_studio(self.data, self.url)
        self.studio.changes.subscribe(self._copy)

    def stop(self) -> None:
        self.studio.stop()

    def _copy(self) -> None:
        if self.log.exists() and (content := self.log.read_bytes()) not in self.copies[-1:]:
            self.copies.append(content)

    def order(self, *prompts: str) -> list[Job]:
        jobs = self.studio.order_all(
            [TextToVideo(prompt=prompt) for prompt in prompts],
            Press(person="Ada", session=str(self.time.now)),
        )
        self.ids |= {job.id for job in jobs}
        return jobs

    def order_what_waits(self, *prompts: str) -> list[Job]:
        """Order while the account has no slot; some time later it has."""
        processes.ask(f"{self.url}/_sandbox/plan", SLOTS_TAKEN | {"times": len(prompts)})
        jobs = self.order(*prompts)
        assert {self.state(job) for job in jobs} == {WAITING}
        return jobs

    def follow(self, seconds: float = LONG, *, until: Callable[[], bool] = lambda: False) -> None:
        """Let time pass."""
        self.time.follow(self.studio, seconds, until=until)

    def state(self, job: Job) -> str:
        found = self.studio.ledger.get(job.id)
        return found.state if found else "gone"

    def has_file(self, job: Job) -> bool:
        found = self.studio.ledger.get(job.id)
        return bool(found and found["file"])

    def bought(self) -> dict[str, int]:
        """Return how often each job was accepted."""
        counts = processes.accepted(self.url)
        return {job_id: counts[job_id] for job_id in self.ids & counts.keys()}

    def check(self) -> None:
        """Nothing lost and nothing doubled: all that was bought is here as a whole file, once."""
        bought = self.bought()
        assert set(bought.values()) <= {1}, "bought twice"
        for job_id in bought:
            job = self.studio.ledger.get(job_id)
            assert job is not None
            assert job.state == SUCCEED
            check_mp4(self.data / "videos" / job["file"])
        for job in self.studio.ledger.jobs():
            assert job.id in bought or job.state in {NOT_SENT, WITHDRAWN}, job.cells


@pytest.fixture
def house(tmp_path: Path, url: str) -> Iterator[House]:
    house = House(tmp_path / "data", url)
    yield house
    house.stop()


def earlier_copy(house: House) -> Change:
    """Put back what the log was at a random moment."""
    return lambda _lines, chance: chance.choice(house.copies).decode().splitlines(keepends=True)


def permuted(lines: list[str], chance: random.Random) -> list[str]:
    return lines[:1] + chance.sample(lines[1:], len(lines) - 1)


def truncated(lines: list[str], chance: random.Random) -> list[str]:
    return lines[: chance.randint(1, len(lines))]


def deduplicated(lines: list[str], _: random.Random) -> list[str]:
    """Keep the first row of each job, as a spreadsheet's "remove duplicates" over the id does."""
    return list({line.partition(",")[0]: line for line in reversed(lines)}.values())[::-1]


def newest_first(lines: list[str], _: random.Random) -> list[str]:
    return lines[:1] + lines[:0:-1]


CHANGES: dict[str, Change] = {
    "permuted": permuted,
    "truncated": truncated,
    "deduplicated": deduplicated,
    "newest first": newest_first,
}


def replace_log(house: House, change: Change, chance: random.Random) -> None:
    lines = house.log.read_text(encoding="utf-8").splitlines(keepends=True)
    beside = house.log.with_name("edited.csv")
    beside.write_text("".join(change(lines, chance)), encoding="utf-8")
    beside.replace(house.log)


@pytest.mark.parametrize("running", [False, True], ids=["stopped", "running"])
@pytest.mark.parametrize("seed", range(RESTORES))
@pytest.mark.parametrize("name", ["an earlier copy", *CHANGES])
def test_a_log_that_was_replaced_loses_nothing_and_buys_nothing_again(
    house: House, name: str, seed: int, running: bool
):
    chance = random.Random(f"{name} {seed} {running}")
    change = CHANGES.get(name) or earlier_copy(house)
    (done,) = house.order("done")
    house.follow(until=lambda: house.has_file(done))
    waiting = house.order_what_waits("waits", "waits too", "is withdrawn")
    withdrawn = waiting[-1]
    house.studio.orders.withdraw(withdrawn.id)
    house.follow(chance.uniform(0, 90))
    before = house.bought()

    if running:
        replace_log(house, change, chance)
    else:
        house.stop()
        house.time.now += 1200.0  # a studio that is back after 20 minutes
        replace_log(house, change, chance)
        house.start()
    house.follow(chance.uniform(0, 5))
    house.follow()

    assert withdrawn.id not in house.bought()
    if not running:  # all that memory knew is gone: nothing that waits by the file alone is sent by itself
        assert house.bought() == before
    house.check()


@pytest.mark.parametrize("seed", range(RESTORES))
def test_a_log_that_is_deleted_while_the_studio_runs_is_written_anew(house: House, seed: int):
    chance = random.Random(seed)
    house.order("one", "two")
    house.follow(chance.uniform(0, 40))
    house.log.unlink()
    house.order("three")
    house.follow()
    assert len(house.bought()) == 3
    house.stop()
    house.start()
    assert {job.id for job in house.studio.ledger.jobs()} == house.ids
    house.check()


def test_a_folder_put_back_whole_sends_nothing_that_waited_then(house: House, tmp_path: Path):
    jobs = house.order_what_waits("waits", "is withdrawn")
    house.stop()
    backup = tmp_path / "backup"
    shutil.copytree(house.data, backup)
    house.start()
    house.studio.orders.withdraw(jobs[1].id)
    house.follow()
    before = house.bought()
    house.stop()

    shutil.rmtree(house.data)
    shutil.copytree(backup, house.data)
    house.start()
    house.follow()

    assert house.bought() == before
    house.check()


def test_a_restored_log_leaves_to_a_person_what_no_process_is_known_to_have_sent(house: House):
    (job,) = house.order_what_waits("waits")
    copy = house.log.read_bytes()
    house.stop()
    house.log.write_bytes(copy.replace(b",waiting,", b",intent,"))
    house.start()
    house.follow()

    assert house.bought() == {}
    assert house.state(job) == NOT_SENT
    house.studio.orders.send_again(job.id)
    house.follow()
    assert house.bought() == {job.id: 1}
    house.check()


def test_a_clip_outlives_its_row(house: House):
    (job,) = house.order("done")
    header = house.log.read_bytes().splitlines(keepends=True)[0]
    house.follow()
    clip = house.data / "videos" / f"{job.id}.mp4"
    content = clip.read_bytes()
    house.stop()
    house.log.write_bytes(header)
    house.start()
    house.follow()
    assert clip.read_bytes() == content
    assert house.bought() == {job.id: 1}
