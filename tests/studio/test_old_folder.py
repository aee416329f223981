"""A data folder that the version of 2026-11-23 left goes on working: its files are its own, byte by byte."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from kling.camera_control import CameraControl
from kling.shots import Shot
from kling.studio.jobs import COLUMNS
from kling.studio.prompting.draft import Draft
from kling.studio.service import Studio
from kling.studio.settings import Settings
from kling.studio.state import drafts as drafts_module
from tests.studio.fakes import Bench, Kling

OLD = Path(__file__).with_name("history_of_2026_11_23.csv")
WHOLE = Path(__file__).with_name("folder_of_2026_11_23")
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
    assert all(bench.studio.accounts.owns(job) for job in bench.ledger.jobs())
    assert bench.job(WAITS).state == "not_sent"
    assert bench.kling.posts == []
    bench.studio.orders.send_again(WAITS)
    bench.run_for(600)
    assert bench.job(WAITS).state == "submitted"
    assert bench.kling.posts == [WAITS]
    for job_id in RUNNING:
        bench.kling.change(job_id, task_status="failed")
    bench.run_for(60)
    assert {bench.job(job_id).state for job_id in RUNNING} == {"failed"}
    assert bench.job(WITHDRAWN).state == "withdrawn"
    assert bench.job(REFUSED).state == bench.job(FAILED).state == "failed"


# -- the whole folder, which that version made with its sandbox ---------------------------------------------

ADA, BOB = "a0" * 16, "b0" * 16  # ids of browsers, as that version gave them
PLAIN, STORYBOARD, VARIATIONS = "42616095d91913b6ffd8", "11ff668f29a632d11ee5", "a1526504a2ed737ab75b"
ORDERED, WALKED, OF_BOB, OF_NOBODY = (
    "fc28a7eec34c69a33cac",
    "e7831b2120552dccee9d",
    "9209ff527811280679cb",
    "a9666ea2de880b1ea571",
)
FIRST, LAST = "v01a218b34584fe3b1cf4944d", "v01a218b3459eb3d2c7dc209e"


@pytest.fixture
def old_folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(WHOLE, tmp_path / "data", copy_function=shutil.copyfile))


@pytest.fixture
def studio(old_folder: Path) -> Iterator[Studio]:
    here = Studio(Settings(data_dir=old_folder))
    yield here
    here.stop()


def exchanged(studio: Studio, cookie: str) -> str:
    """Return the id of the browser that comes with this cookie."""
    return studio.state.browsers.verify(studio.state.cookie_for(cookie))


def form(studio: Studio, draft_id: str) -> Draft:
    draft = studio.state.drafts.load(draft_id)
    assert draft is not None
    return Draft.from_json(draft.fields)


def test_its_finished_jobs_have_their_clips(studio):
    for job_id in (FIRST, LAST):
        job = studio.ledger.get(job_id)
        assert (job.state, job.has_clip, job["person"]) == ("succeed", True, "Ada")
        assert studio.archive.video(job_id).read_bytes() == (WHOLE / "videos" / f"{job_id}.mp4").read_bytes()


def test_its_drafts_hold_what_was_in_the_form(studio):
    assert form(studio, PLAIN).prompt == "A fox that runs 猫"
    assert form(studio, STORYBOARD).shots == (
        Shot(prompt="one", duration="2"),
        Shot(prompt="two", duration="3"),
    )
    varied = form(studio, VARIATIONS)
    assert (varied.prompt, varied.variables) == ("A {red|blue} fox in $place", "place = snow | rain")
    assert (varied.variations, varied.modes) == (True, ("std", "pro"))
    assert form(studio, OF_NOBODY).prompt == "without cookies"
    walked = studio.state.drafts.load(WALKED)
    assert walked.fields["own"] == ["before that", "and first"]


def test_its_cookies_are_exchanged_once_for_the_drafts_of_their_browser(studio, monkeypatch):
    monkeypatch.setattr(drafts_module, "EXCHANGE_SECONDS", 0.0)
    ada, bob = exchanged(studio, ADA), exchanged(studio, BOB)
    drafts = studio.state.drafts
    assert drafts.open(ORDERED, ada).made == (LAST, FIRST)
    assert drafts.open(OF_BOB, bob).id == OF_BOB
    for other in (bob, exchanged(studio, ADA)):
        copy = drafts.open(ORDERED, other)
        assert (copy.id != ORDERED, copy.made) == (True, ())
    drafts.save(PLAIN, ada, texts={"prompt": "It goes on"})
    assert form(studio, PLAIN).prompt == "It goes on"


def test_its_templates_are_there_and_an_unreadable_one_is_told_by_its_file(studio, old_folder):
    move, fox, shots = studio.state.templates.all()
    assert (move.title, fox.title, shots.title) == ("Move", "Snow fox", "Two shots")
    assert (fox.category, fox.teaches, fox.author, fox.version) == ("Animals", "Snow", "Bob", 2)
    assert move.request.camera_control == CameraControl(type="simple", config={"zoom": 3.0})
    assert len(shots.request.multi_prompt) == 2
    told = f"Its file is kept as templates.before-2/{'0' * 16}.json."
    assert any(told in warning for warning in studio.warnings)
    assert (old_folder / "templates.before-2" / f"{'0' * 16}.json").read_bytes() == b'{"title": "cut off'


def test_its_folders_are_put_aside_and_a_second_start_finds_the_same(studio, old_folder):
    assert len(studio.state.templates.all()) == 3
    studio.stop()
    again = Studio(Settings(data_dir=old_folder))
    try:
        assert form(again, PLAIN).prompt == "A fox that runs 猫"
        assert len(again.state.templates.all()) == 3
        assert not any("could not be read" in warning for warning in again.warnings)
    finally:
        again.stop()
    names = {path.name for path in old_folder.iterdir() if path.is_dir()}
    assert names == {"drafts.before-2", "templates.before-2", "videos"}
