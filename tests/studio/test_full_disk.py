"""A disk that is really full: a small file system of its own, which only root may mount."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event

import pytest

from kling import TextToVideo
from kling.studio.jobs import SUCCEED, Job
from kling.studio.ledger import LedgerError
from kling.studio.ledger.csv_file import LogFile
from kling.studio.orders import Press
from kling.studio.service import FolderTaken
from tests.studio import processes

SIZE = "2m"
LONG = 1800.0  # seconds; whatever a studio does by itself has been done by then
MOST_WRITES = 150  # that are tried in half an hour, whatever waits to be written
MOST_AT_ONCE = 10  # that are tried in a second
ROW = 100  # bytes; each row is longer


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with processes.sandbox("--pace", "polls:2", "--concurrency", "500", "--duplicates", "accept") as url:
        yield url


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A folder on a file system of 2 MB."""
    if not sys.platform.startswith("linux") or os.geteuid() != 0:
        pytest.skip("a full disk needs root, on Linux")
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


class Log(LogFile):
    """A log that counts how often somebody tried to write to it."""

    def __init__(self, path: Path) -> None:
        self.writes = 0
        super().__init__(path, write=self._counted)

    def _counted(self, handle: int, data: bytes) -> int:
        self.writes += 1
        return os.write(handle, data)


class Bench:
    """A studio on the disk.

    Args:
        disk: it is full once `fill` was called.
        url: of the account.
    """

    def __init__(self, disk: Path, url: str) -> None:
        self.disk, self.url = disk, url
        self.data = disk / "data"
        self.data.mkdir(exist_ok=True)
        self.log = Log(self.data / "history.csv")
        self.time = processes.SteppedTime()
        self.studio = self.time.open_studio(self.data, url, file=self.log)

    def order(self, *prompts: str) -> list[Job]:
        requests = [TextToVideo(prompt=prompt) for prompt in prompts]
        return self.studio.order_all(requests, Press(person="Ada", session=prompts[0]))

    def order_what_waits(self, *prompts: str) -> list[Job]:
        """Order while the account has no slot; some time later it has."""
        processes.ask(f"{self.url}/_sandbox/plan", {"on": "create", "code": 1303, "times": len(prompts)})
        jobs = self.order(*prompts)
        assert self.studio.waiting == len(jobs)
        return jobs

    def follow(self) -> None:
        self.time.follow(self.studio, LONG)

    def said(self) -> list[str]:
        """Return what the pages say about the whole."""
        return [*self.studio.warnings, *(hold.reason for hold in self.studio.admission.holds)]

    def all_done(self) -> bool:
        return all(job.state == SUCCEED and job["file"] for job in self.studio.ledger.jobs())

    def bought(self, jobs: list[Job]) -> dict[str, int]:
        """Return how often each of these jobs was accepted."""
        counts = processes.accepted(self.url)
        return {job.id: counts[job.id] for job in jobs if job.id in counts}


@contextmanager
def bench_on(disk: Path, url: str) -> Iterator[Bench]:
    bench = Bench(disk, url)
    try:
        yield bench
    finally:
        bench.studio.stop()


def fill(disk: Path) -> Path:
    """Leave no room at all, but for the rest of pages that have begun."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file:
        for size in (65536, 4096, 1):
            try:
                while file.write(b"\0" * size):
                    pass
            except OSError:
                continue
    return filler


def fill_page(log: Path) -> None:
    """Use up the rest of the log's last page, with empty lines: a reader skips them."""
    with log.open("ab", buffering=0) as file, suppress(OSError):
        while file.write(b"\n"):
            pass


def order_until_full(bench: Bench) -> tuple[list[Job], str]:
    """Order until the disk says no; return what was taken, and the words of the refusal."""
    taken: list[Job] = []
    for number in range(500):
        try:
            taken += bench.order(f"a fox, {number}")
        except LedgerError as error:
            return taken, str(error)
    raise AssertionError("the disk is not full")


def test_an_order_that_cannot_be_written_says_so_and_is_not_sent(disk: Path, url: str):
    before = processes.accepted(url)
    with bench_on(disk, url) as bench:
        filler = fill(disk)
        taken, words = order_until_full(bench)
        size = bench.log.path.stat().st_size
        batch = [f"one of many, {number}" for number in range(100)]
        with pytest.raises(LedgerError, match="No space left"):
            bench.order(*batch)
        assert "No space left" in words
        assert bench.log.path.stat().st_size - size < ROW * len(batch), "half of a batch was written"
        assert {job.id for job in bench.studio.ledger.jobs()} == {job.id for job in taken}

        filler.unlink()
        taken += bench.order("after room was made")
        bench.follow()
        assert bench.all_done()
        assert bench.bought(taken) == {job.id: 1 for job in taken}
    assert processes.accepted(url).keys() - before.keys() == {job.id for job in taken}


def test_what_waits_on_a_full_disk_is_tried_with_growing_pauses_and_goes_on(disk: Path, url: str):
    with bench_on(disk, url) as bench:
        jobs = bench.order_what_waits(*(f"waits, {number}" for number in range(5)))
        filler = fill(disk)
        fill_page(bench.log.path)
        bench.log.writes = 0
        bench.follow()
        assert bench.log.writes <= MOST_WRITES
        assert bench.bought(jobs) == {}, "sent without a row"
        assert bench.studio.waiting == len(jobs)
        assert any("No space left" in words for words in bench.said())

        filler.unlink()
        bench.follow()
        assert bench.all_done()
        assert bench.bought(jobs) == {job.id: 1 for job in jobs}
        assert not any("No space left" in words for words in bench.said())


def test_a_task_that_ends_while_the_disk_is_full_is_fetched_when_there_is_room(disk: Path, url: str):
    with bench_on(disk, url) as bench:
        jobs = bench.order("runs", "runs too")
        filler = fill(disk)
        fill_page(bench.log.path)
        bench.log.writes = 0
        bench.follow()
        assert bench.log.writes <= MOST_WRITES
        assert not bench.all_done()
        assert any("No space left" in words for words in bench.said())

        filler.unlink()
        bench.follow()
        assert bench.all_done()
        assert bench.bought(jobs) == {job.id: 1 for job in jobs}


def test_threads_do_not_spin_on_a_full_disk(disk: Path, url: str):
    with bench_on(disk, url) as bench:
        bench.order_what_waits("waits")
        fill(disk)
        fill_page(bench.log.path)
        bench.log.writes = 0
        bench.studio.start()
        bench.studio.resume()
        Event().wait(1.0)
        assert bench.log.writes <= MOST_AT_ONCE


def test_a_studio_that_starts_on_a_full_disk_loses_nothing(disk: Path, url: str):
    with bench_on(disk, url) as bench:
        jobs = bench.order("one", "two", "three")
        filler = fill(disk)
    try:
        with bench_on(disk, url) as bench:
            assert {job.id for job in bench.studio.ledger.jobs()} == {job.id for job in jobs}
    except (FolderTaken, LedgerError) as error:
        assert "No space left" in str(error)  # noqa: PT017 - it may start or refuse to
    filler.unlink()
    with bench_on(disk, url) as bench:
        bench.follow()
        assert bench.all_done()
        assert bench.bought(jobs) == {job.id: 1 for job in jobs}
