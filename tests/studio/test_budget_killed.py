"""A budget for 37 clips, 100 presses of 10 people, and `kill -9` of the real process in the middle of them.

Who was told nothing presses again after the restart, as people do. `BUDGET_KILLS` sets how many runs there
are; each is killed twice, at random calls of the C library.
"""

from __future__ import annotations

import os
import random
import signal
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from kling import KeyPair, TextToVideo
from kling.sandbox.auth import ACCESS_KEY, SECRET_KEY
from kling.studio.budgets import Limit, Scope
from kling.studio.jobs import Job
from kling.studio.ledger.csv_file import LogFile
from kling.studio.ledger.csv_ledger import CsvLedger
from kling.studio.settings import Settings
from kling.studio.state.database import Database
from kling.studio.state.limits import LimitStore
from tests.studio import processes
from tests.studio.processes import Kill, Victims, accepted

RUNS = int(os.environ.get("BUDGET_KILLS", "3"))
SEED = int(os.environ.get("KILLS_SEED", "4"))
PRESSES, FIT = 100, 37
WRITES = 250  # of the log and of other files, in a run that nobody kills: a kill comes somewhere in them
PRICE = TextToVideo(prompt="A fox").units() or Decimal(0)

pytestmark = pytest.mark.skipif(bool(processes.cannot_compile()), reason=processes.cannot_compile())


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with processes.sandbox("--pace", "seconds:0.05", "--concurrency", "12", "--duplicates", "accept") as url:
        yield url


@pytest.fixture(scope="module")
def victims(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Victims]:
    folder = tmp_path_factory.mktemp("budget")
    victims = Victims(folder, processes.compile_library(folder))
    yield victims
    victims.stop()


@pytest.mark.parametrize("number", range(RUNS))
def test_killed_in_the_middle_of_100_presses_exactly_37_fit_and_63_are_told_why(
    victims: Victims, url: str, tmp_path: Path, number: int
):
    chance, data = random.Random(SEED * 1000 + number), tmp_path / "data"
    set_budget(data, url)
    prompts = [f"run {number}, press {press}" for press in range(PRESSES)]
    kills = [
        Kill("write", chance.randint(10, 60), chance.choice(("before", "half", "after"))),
        Kill("any", chance.randint(1, WRITES), chance.choice(("before", "after"))),
    ]
    ends = [victims.run("press", data, url, *prompts, kill=kill) for kill in kills]
    assert -signal.SIGKILL in ends
    assert victims.run("press", data, url, *prompts) == 0

    told = dict(line.split("\t") for line in Path(f"{data}.told").read_text(encoding="utf-8").splitlines())
    jobs = jobs_of(data)
    refused = {prompt for prompt, answer in told.items() if answer != "accepted"}
    ordered = Counter(job["prompt"] for job in jobs)
    assert ordered.total() == len(ordered) == FIT
    assert len(refused) == PRESSES - FIT
    assert not refused & ordered.keys()
    assert all("The team’s limit a month is" in told[prompt] for prompt in refused)
    bought = accepted(url)
    assert {bought[job.id] for job in jobs if job.id in bought} <= {1}
    charged = sum((job.decimal("final_unit_deduction") or Decimal(0)) for job in jobs)
    assert charged == PRICE * sum(job.id in bought for job in jobs)


def set_budget(data: Path, url: str) -> None:
    data.mkdir()
    account = Settings(credentials=KeyPair(ACCESS_KEY, SECRET_KEY), base_url=url).account
    database = Database(data / "studio.sqlite3")
    LimitStore(database).put(Limit(account, Scope.TEAM_MONTH, PRICE * FIT))
    database.close()


def jobs_of(data: Path) -> tuple[Job, ...]:
    return CsvLedger(LogFile(data / "history.csv"), clock=lambda: 0.0).jobs()
