"""Real processes, real `kill -9`: at every named point, and around random calls of the C library.

`KILLS` sets how many runs are killed at a random call; README names the long run. Three runs go on at a
time, against one sandbox with fewer slots than they want, so that some of what they ordered waits.
"""

from __future__ import annotations

import os
import random
import signal
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue

import pytest

from kling.studio.jobs import NOT_SENT, SUCCEED, Job
from kling.studio.ledger.csv_file import LogFile
from kling.studio.ledger.csv_ledger import CsvLedger
from tests.studio import processes
from tests.studio.processes import Kill, Victims, accepted
from tests.studio.victim import POINTS

KILLS = int(os.environ.get("KILLS", "15"))
SEED = int(os.environ.get("KILLS_SEED", "4"))
AT_ONCE = 3
CHILDREN = 0.2  # of the runs look at videos in child processes, which takes longer than all the rest
MOMENTS = {"write": ("before", "half", "after"), "pwrite": ("before", "half", "after")}
AGAIN = 0.4  # of the runs are killed once more, while they recover


@dataclass(frozen=True)
class Place:
    """Where the runs happen.

    Args:
        url: of the sandbox.
        folder: that each run has a folder of its own in.
        victims: those that are idle.
        calls: how often a run that nobody kills makes each call; empty without a compiler.
    """

    url: str
    folder: Path
    victims: SimpleQueue[Victims]
    calls: Counter[str]

    @contextmanager
    def victim(self) -> Iterator[Victims]:
        victims = self.victims.get()
        try:
            yield victims
        finally:
            self.victims.put(victims)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("killed")
    library = None if processes.cannot_compile() else processes.compile_library(folder)
    idle: SimpleQueue[Victims] = SimpleQueue()
    for _ in range(AT_ONCE):
        idle.put(Victims(folder, library))
    with processes.sandbox(
        "--pace", "seconds:0.1", "--concurrency", str(AT_ONCE * 2), "--duplicates", "accept"
    ) as url:
        place = Place(url, folder, idle, Counter())
        with place.victim() as victim:
            report = folder / "calls"
            assert victim.run("order", folder / "whole", url, *prompts_of("whole"), report=report) == 0
        if library:
            place.calls.update(report.read_text(encoding="utf-8").split())
        yield place
    while not idle.empty():
        idle.get().stop()


@pytest.fixture(scope="module")
def runs(place: Place, request: pytest.FixtureRequest) -> Iterator[dict[str, Future[None]]]:
    """Start the runs of the selected tests, a few at a time; give each one's outcome by its name."""
    items = [item for item in request.session.items if item.path == request.path]  # others have numbers too
    chosen = [item.callspec.params for item in items if hasattr(item, "callspec")]
    with ThreadPoolExecutor(AT_ONCE) as workers:
        outcomes: dict[str, Future[None]] = {}
        for params in chosen:
            if point := params.get("point"):
                outcomes[point] = workers.submit(killed_at_a_point, place, point)
            elif "number" in params and place.calls:
                name = f"run {params['number']}"
                outcomes[name] = workers.submit(killed_at_a_call, place, name, params["number"])
        yield outcomes
        workers.shutdown(cancel_futures=True)


@pytest.mark.parametrize("point", POINTS)
def test_killed_at_a_point_nothing_is_lost_and_nothing_bought_twice(
    runs: dict[str, Future[None]], point: str
):
    runs[point].result()


@pytest.mark.skipif(bool(processes.cannot_compile()), reason=processes.cannot_compile())
@pytest.mark.parametrize("number", range(KILLS))
def test_killed_at_a_random_call_nothing_is_lost_and_nothing_bought_twice(
    runs: dict[str, Future[None]], number: int
):
    runs[f"run {number}"].result()


@pytest.mark.skipif(bool(processes.cannot_compile()), reason=processes.cannot_compile())
def test_all_that_these_runs_bought_is_in_their_logs(place: Place, runs: dict[str, Future[None]]):
    wait(runs.values())
    in_logs = {job.id for data in place.folder.iterdir() if data.is_dir() for job in jobs_of(data)}
    assert accepted(place.url).keys() <= in_logs
    killed = [line for report in place.folder.glob("*.*r*er") if (line := last_line(report))[:6] == "killed"]
    print(Counter(line.partition(":")[0] for line in killed))  # noqa: T201 - pytest -rP shows it
    assert len(killed) >= len(runs) // 2


def killed_at_a_point(place: Place, point: str) -> None:
    data = place.folder / point
    prompts = prompts_of(point)
    with place.victim() as victim:
        assert victim.run("order", data, place.url, *prompts, point=point) == -signal.SIGKILL
        assert victim.run("recover", data, place.url, *prompts) == 0
    check(place, data, prompts)


def killed_at_a_call(place: Place, name: str, number: int) -> None:
    chance = random.Random(SEED * 1000 + number)
    data = place.folder / name
    prompts = prompts_of(name)
    children = chance.random() < CHILDREN
    kills = [a_kill(chance, place.calls) for _ in range(1 + (chance.random() < AGAIN))]
    told = []
    try:
        with place.victim() as victim:
            for act, kill in zip(("order", "recover"), kills, strict=False):
                report = place.folder / f"{name}.{act}"
                end = victim.run(act, data, place.url, *prompts, kill=kill, report=report, children=children)
                told.append(f"{act}: {kill}, ended with {end}, {last_line(report)}")
                assert end in {0, -signal.SIGKILL}  # 0: it had ended before it came to this call
            assert victim.run("recover", data, place.url, *prompts) == 0
        check(place, data, prompts)
    except AssertionError as error:
        error.add_note("\n".join([str(data), *told]))
        raise


def last_line(report: Path) -> str:
    return (report.read_text(encoding="utf-8").splitlines() or [""])[-1]


def a_kill(chance: random.Random, calls: Counter[str]) -> Kill:
    """Choose a call: any of them, or in every second case one of a kind, so that the rare ones come too."""
    call = chance.choice(("any", chance.choice(sorted(calls))))
    at = chance.randint(1, calls.total() if call == "any" else calls[call])
    return Kill(call, at, chance.choice(MOMENTS.get(call, ("before", "after"))))


def prompts_of(name: str) -> list[str]:
    return [f"{name}, job {job}" for job in range(3)]


def check(place: Place, data: Path, prompts: list[str]) -> None:
    """Check what was bought against the log and the files."""
    bought = accepted(place.url)
    jobs = {job.id: job for job in jobs_of(data)}
    mine = {job_id: bought[job_id] for job_id in jobs.keys() & bought.keys()}
    orders = Counter(job["prompt"] for job in jobs.values())
    assert orders == Counter(prompts), "the recovery orders what the log lacks, and nothing else"
    assert set(mine.values()) <= {1}, "bought twice"
    assert {job.id for job in jobs.values() if job.state == SUCCEED} == mine.keys()
    assert {job.state for job in jobs.values() if job.id not in mine} <= {NOT_SENT}
    for job_id in mine:
        size = (data / "videos" / jobs[job_id]["file"]).stat().st_size
        assert size == int(jobs[job_id]["file_bytes"])
    assert not list(data.glob("**/*.mp4.*part"))


def jobs_of(data: Path) -> list[Job]:
    """Read a log as it lies on the disk; one that was not begun is empty."""
    log = data / "history.csv"
    return list(CsvLedger(LogFile(log), clock=lambda: 0.0).jobs()) if log.exists() else []
