"""Real studios, real `kill -9`, a real sandbox: an import is never work, a deleted clip never returns."""

from __future__ import annotations

import shutil
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from kling import KeyPair
from kling.sandbox.auth import ACCESS_KEY, SECRET_KEY
from kling.studio.jobs import TERMINAL, Job
from kling.studio.ledger.csv_file import LogFile
from kling.studio.ledger.csv_ledger import CsvLedger
from kling.studio.settings import Settings
from tests.studio.library.test_carry import hostile_log
from tests.studio.processes import Victims, accepted, ask, sandbox
from tests.studio.victim import LIBRARY_POINTS


@dataclass(frozen=True)
class Place:
    """A sandbox, and studios as processes.

    Args:
        url: of the sandbox.
        victims: run the studios.
        account: that all of them use.
    """

    url: str
    victims: Victims
    account: str

    def asked_since(self, moment: float) -> list[dict[str, Any]]:
        """Return what the sandbox was asked after a moment of `time.time`."""
        return [each for each in ask(f"{self.url}/_sandbox/journal") if each["at"] > 1000 * moment]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    victims = Victims(tmp_path_factory.mktemp("victims"), None)
    with sandbox("--pace", "seconds:0.1", "--concurrency", "2", "--duplicates", "accept") as url:
        credentials = KeyPair(ACCESS_KEY, SECRET_KEY)
        yield Place(url, victims, Settings(credentials=credentials, base_url=url).account)
    victims.stop()


def jobs_of(data: Path) -> dict[str, Job]:
    ledger = CsvLedger(LogFile(data / "history.csv"), clock=time.time)
    return {job.id: job for job in ledger.jobs()}


@pytest.mark.parametrize("point", ["none", "inside-import"])
def test_a_log_of_waiting_intent_and_unknown_rows_is_imported_and_nothing_is_created(place, tmp_path, point):
    there, here, made = tmp_path / "there", tmp_path / "here", tmp_path / "made.csv"
    prompts = [f"{point} {number}" for number in range(6)]
    end = place.victims.run("order", there, place.url, *prompts, point="after-intent")
    assert end == -signal.SIGKILL
    assert {job.state for job in jobs_of(there).values()} >= {"intent", "waiting"}
    made.write_bytes(hostile_log(place.account, time.time()))
    files = [str(there / "history.csv"), str(made)]
    before, start = accepted(place.url), time.time()
    if point != "none":
        assert place.victims.run("import", here, place.url, *files, point=point) == -signal.SIGKILL
        assert all(job.imported and job.state in TERMINAL for job in jobs_of(here).values())
    assert place.victims.run("import", here, place.url, *files) == 0
    for _ in range(2):
        assert place.victims.run("settle", here, place.url) == 0
    jobs = jobs_of(here)
    assert all(job.imported and job.state in TERMINAL for job in jobs.values())
    assert prompts == [job["prompt"] for job in jobs.values()][: len(prompts)]
    assert accepted(place.url) == before
    since = str(place.asked_since(start))
    assert not [job_id for job_id in jobs if job_id in since]
    assert "POST" not in since


@pytest.mark.parametrize("point", LIBRARY_POINTS)
def test_a_deletion_that_is_killed_is_an_end_also_after_an_older_log_is_restored(place, tmp_path, point):
    data, older = tmp_path / "data", tmp_path / "older.csv"
    assert place.victims.run("order", data, place.url, f"First, {point}", f"Second, {point}") == 0
    assert all(job.has_clip for job in jobs_of(data).values())
    shutil.copy(data / "history.csv", older)
    assert place.victims.run("delete", data, place.url, point=point) == -signal.SIGKILL
    assert place.victims.run("settle", data, place.url) == 0
    (first, second) = jobs_of(data).values()
    assert (bool(first.deleted), first.has_clip, second.has_clip) == (True, False, True)
    assert place.victims.run("delete", data, place.url) == 0
    start = time.time()
    for stays in (True, False):
        shutil.copy(older, data / "history.csv")
        if not stays:
            (data / "history.csv").write_bytes(older.read_bytes().splitlines(keepends=True)[0])
        (data / "history.csv.seal").unlink()
        for _ in range(2):
            assert place.victims.run("settle", data, place.url) == 0
        assert not [job.id for job in jobs_of(data).values() if job.has_clip]
    assert sorted(path.name for path in (data / "videos").iterdir()) == sorted(
        f"{job.id}.deleted" for job in (first, second)
    )
    since = place.asked_since(start)
    assert since
    assert not [entry for entry in since if "mp4" in str(entry["path"]) or entry["method"] == "POST"]
