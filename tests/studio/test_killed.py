"""Real processes, real `kill -9`, at every named point and at random moments.

`KILLS` sets how many runs; README names the long run.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from kling.studio.jobs import SUCCEED
from kling.studio.ledger.csv_file import LogFile
from kling.studio.ledger.csv_ledger import Ledger
from tests.studio.victim import POINTS

ROOT = Path(__file__).parents[2]
RUNS = int(os.environ.get("KILLS", "14"))
SEED = 4


@pytest.fixture(scope="module")
def sandbox() -> Iterator[str]:
    """The URL of a real sandbox process with quick tasks and small clips."""
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "kling.sandbox",
            "--clips",
            "tiny",
            "--pace",
            "seconds:0.1",
            "--concurrency",
            "500",
        ],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    yield process.stdout.readline().removeprefix("Kling sandbox: ").strip()
    process.terminate()
    process.communicate(timeout=20)


def run(*arguments: str, die_after: float = 60) -> int | None:
    """Run a victim and return how it ended; `die_after` seconds later it is killed, and that is None."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.studio.victim", *arguments],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        return process.wait(die_after)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return None


def accepted(url: str) -> dict[str, int]:
    with urllib.request.urlopen(f"{url}/_sandbox/accepted") as answer:
        counts: dict[str, int] = json.load(answer)["by_external_task_id"]
    return counts


@pytest.mark.parametrize("number", range(RUNS))
def test_killed_anywhere_nothing_is_lost_and_nothing_bought_twice(sandbox: str, tmp_path: Path, number: int):
    point = POINTS[number] if number < len(POINTS) else "never"
    chance = random.Random(SEED * 1000 + number)
    prompts = [f"run {number} wish {wish}" for wish in range(3)]
    before = accepted(sandbox)
    data = tmp_path / "data"
    die_after = chance.uniform(0.2, 1.5) if point == "never" else 60
    end = run("order", str(data), sandbox, point, *prompts, die_after=die_after)
    assert end == (None if point == "never" else -signal.SIGKILL)
    assert run("recover", str(data), sandbox) == 0

    bought = {job_id: count for job_id, count in accepted(sandbox).items() if job_id not in before}
    jobs = {job.id: job for job in Ledger(LogFile(data / "history.csv"), clock=lambda: 0.0).jobs()}
    assert set(bought.values()) <= {1}
    assert set(bought) <= set(jobs), "a task was bought that no log knows"
    assert len({jobs[job_id]["prompt"] for job_id in bought}) == len(bought), "a wish was bought twice"
    assert {job.state for job in jobs.values()} <= {SUCCEED}
    assert all(
        (data / "videos" / job["file"]).stat().st_size == int(job["file_bytes"]) for job in jobs.values()
    )
    assert not list(data.glob("**/*.part"))
    assert len(bought) == len(jobs)
    if point not in {"never", "before-intent", "inside-intent"}:
        assert len(jobs) >= 1
