"""A data folder that the version of 2026-11-23 left goes on working: the file is its own, byte by byte."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

import pytest

from kling.shots import Shot
from kling.studio.jobs import COLUMNS
from tests.studio.fakes import Bench, Kling

OLD = Path(__file__).with_name("history_of_2026_11_23.csv")
DONE, SHOTS, REFUSED, LOST, WAITS, WITHDRAWN, FAILED, SECOND = (
    "v01a1ee565e0093da16e0089e",
    "v01a1ee56fa40844cf8ebae43",
    "v01a1ee56fa404d509686efac",
    "v01a1ee56fa405efad6c93847",
    "v01a1ee56fa4015e8eef0be2d",
    "v01a1ee56fa40498929cb0d36",
    "v01a1ee56fa405d6082b5d974",
    "v01a1ee56fa40d7539cbe483b",
)
RUNNING = (SHOTS, LOST, SECOND)


@pytest.fixture
def bench(tmp_path: Path, clip: bytes) -> Bench:
    shutil.copy(OLD, tmp_path / "history.csv")
    (tmp_path / "videos").mkdir()
    (tmp_path / "videos" / f"{DONE}.mp4").write_bytes(clip)
    kling = Kling()
    for job_id in RUNNING:
        kling.add(job_id)
    return Bench(tmp_path, kling=kling)


def test_every_job_is_what_it_was(bench):
    assert Counter(bench.states()) == Counter(
        {"succeed": 1, "submitted": 3, "failed": 2, "withdrawn": 1, "waiting": 1}
    )
    done = bench.job(DONE)
    assert done["prompt"] == '=A "quoted", fox;\nin two lines'
    assert (done["rating"], done["note"], done.has_clip) == ("5", "good", True)
    assert bench.job(SHOTS).request.multi_prompt == (
        Shot(prompt="one", duration="2"),
        Shot(prompt="two", duration="4"),
    )
    assert (bench.job(SECOND).take, bench.job(SECOND).group, bench.job(SECOND).parent) == (2, "g1", DONE)


def test_the_log_gets_its_new_columns_once_and_the_old_one_is_kept(bench):
    assert (bench.folder / "history.csv.before-2").read_bytes() == OLD.read_bytes()
    header = (bench.folder / "history.csv").read_text(encoding="utf-8").partition("\n")[0]
    assert header.split(",") == list(COLUMNS)
    bench.restart()
    assert len(list(bench.folder.glob("history.csv.before*"))) == 1
    assert len(bench.ledger.jobs()) == 8


def test_no_page_repeats_what_the_old_version_said_about_money(bench):
    assert "othing was spent" in OLD.read_text(encoding="utf-8")
    for job in bench.ledger.jobs():
        assert "spent" not in job.message
        assert not bench.studio.nothing_spent(job)


def test_what_ran_is_followed_with_the_new_key_and_what_waited_is_left_to_a_person(bench):
    bench.run_for(120)
    assert {bench.job(job_id).state for job_id in RUNNING} == {"submitted"}
    assert all(bench.studio.owns(job) for job in bench.ledger.jobs())
    assert bench.job(WAITS).state == "not_sent"
    assert bench.kling.posts == []
    bench.studio.send_again(WAITS)
    bench.run_for(600)
    assert bench.job(WAITS).state == "submitted"
    assert bench.kling.posts == [WAITS]
    for job_id in RUNNING:
        bench.kling.change(job_id, task_status="failed")
    bench.run_for(60)
    assert {bench.job(job_id).state for job_id in RUNNING} == {"failed"}
    assert bench.job(WITHDRAWN).state == "withdrawn"
    assert bench.job(REFUSED).state == bench.job(FAILED).state == "failed"
