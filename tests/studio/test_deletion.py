"""Deleting the files of a clip is an end: whatever happens to the log, nothing fetches that clip again."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import pytest

from kling.studio.actions import Actions
from kling.studio.archive import Buried
from kling.studio.backup import back_up
from kling.studio.identity.roles import LOCAL, NotAllowed, User
from kling.studio.jobs import SUCCEED
from kling.studio.ledger import LedgerError
from kling.studio.library import JobQuery
from kling.studio.restoring import restore
from tests.studio.clips import zeroed
from tests.studio.fakes import FOX, Bench, Kling

ADA = User(LOCAL, "Ada", "admin")
MONTHS = 80 * 24 * 3600.0


def acting(bench: Bench) -> Actions:
    return bench.studio.acting_as(ADA)


def fetched(bench: Bench, clip: bytes) -> str:
    """Order a clip and fetch it; return its id."""
    job_id = bench.order().id
    bench.kling.finish(job_id, clip)
    bench.run_for(60)
    assert bench.job(job_id).has_clip
    return job_id


def files_of(bench: Bench, job_id: str) -> list[str]:
    return sorted(path.name for path in (bench.folder / "videos").glob(f"{job_id}*"))


def settle(bench: Bench) -> int:
    """Let the studio do whatever it does by itself for months; return how many files it fetched."""
    before = len(bench.kling.downloads)
    for _ in range(4):
        bench.studio.scan_account()
        bench.run_for(MONTHS / 4)
    return len(bench.kling.downloads) - before


def test_a_deletion_says_first_how_many_files_and_how_large(bench, clip):
    job_id = fetched(bench, clip)
    found = acting(bench).files_of([job_id, job_id, "v-unknown", bench.order().id])
    size = sum(path.stat().st_size for path in (bench.folder / "videos").glob(f"{job_id}*"))
    assert (found.jobs, found.files, found.size, found.without) == ((job_id,), 2, size, 2)
    assert len(files_of(bench, job_id)) == 2


def test_the_row_stays_with_the_digest_and_who_deleted(bench, clip):
    job_id = fetched(bench, clip)
    digest = bench.job(job_id)["file_sha256"]
    assert digest == hashlib.sha256(clip).hexdigest()
    acting(bench).delete_files([job_id])
    job = bench.job(job_id)
    assert (job.state, job.has_clip, bool(job.deleted)) == (SUCCEED, False, True)
    assert (job["file_sha256"], job["by_name"], job["prompt"]) == (digest, "Ada", FOX.prompt)
    assert files_of(bench, job_id) == [f"{job_id}.deleted"]
    assert bench.studio.library.count(JobQuery(clips=True)) == 0
    assert bench.studio.library.count(JobQuery()) == 1
    entry = bench.studio.state.audit.search(action="delete")[0]
    assert (entry.thing, entry.details["files"]) == (job_id, 2)
    assert settle(bench) == 0
    assert not bench.studio.downloads.not_safe[0]


def test_films_of_a_deleted_clip_go_with_it(bench, clip):
    job_id = fetched(bench, clip)
    folder = bench.folder / "films"
    folder.mkdir()
    for name, jobs in {"a": ["v-other", job_id], "b": ["v-other"]}.items():
        (folder / f"{name * 32}.mp4").write_bytes(b"a film")
        (folder / f"{name * 32}.json").write_text(json.dumps({"jobs": jobs}))
    acting(bench).delete_files([job_id])
    assert sorted(path.name[0] for path in folder.iterdir()) == ["b", "b"]


def test_a_film_that_was_joined_while_its_clip_was_deleted_goes_too(bench, clip, monkeypatch):
    job_id = fetched(bench, clip)
    folder = bench.folder / "films"
    folder.mkdir()
    remove = bench.studio.archive.remove

    def join_and_remove(of: str) -> None:
        (folder / f"{'a' * 32}.mp4").write_bytes(b"a film")
        (folder / f"{'a' * 32}.json").write_text(json.dumps({"jobs": [job_id]}))
        remove(of)

    monkeypatch.setattr(bench.studio.archive, "remove", join_and_remove)
    acting(bench).delete_files([job_id])
    assert list(folder.iterdir()) == []


def test_nothing_fetches_a_deleted_clip_after_a_restart(bench, clip):
    job_id = fetched(bench, clip)
    acting(bench).delete_files([job_id])
    bench.restart()
    assert settle(bench) == 0
    assert bench.job(job_id).deleted


@pytest.mark.parametrize("running", [True, False])
@pytest.mark.parametrize("rows", ["before the file", "with the file", "without the job"])
def test_an_older_log_that_is_put_back_brings_no_deleted_clip_back(bench, clip, rows, running):
    log, older = bench.folder / "history.csv", bench.folder / "older"
    job_id = bench.order().id
    other = bench.order(session="t").id
    bench.kling.finish(job_id, clip)
    if rows == "before the file":
        bench.ledger.append(job_id, state=SUCCEED, task_id=bench.kling.made[job_id].task_id)
        shutil.copy(log, older)
    bench.run_for(60)
    if rows == "with the file":
        shutil.copy(log, older)
    if rows == "without the job":
        lines = log.read_text().splitlines(keepends=True)
        older.write_text("".join(line for line in lines if job_id not in line))
    acting(bench).delete_files([job_id])
    if running:
        shutil.copy(older, log)
        bench.ledger.sync()
    else:
        bench.studio.stop()
        (bench.folder / "history.csv.seal").unlink()
        shutil.copy(older, log)
        bench.open()
    bench.kling.hidden.add(other)
    assert settle(bench) == 0
    assert bench.job(job_id).deleted
    assert not bench.job(job_id).has_clip
    assert files_of(bench, job_id) == [f"{job_id}.deleted"]


def test_a_deletion_that_a_crash_cut_off_is_completed(bench, clip):
    job_id = fetched(bench, clip)
    (bench.folder / "videos" / f"{job_id}.deleted").write_text(
        json.dumps({"when": "2026-11-26", "sha256": "ab"})
    )
    bench.restart()
    bench.run_for(60)
    assert (bench.job(job_id).deleted, bench.job(job_id)["file_sha256"]) == ("2026-11-26", "ab")
    assert files_of(bench, job_id) == [f"{job_id}.deleted"]
    assert settle(bench) == 0


@pytest.mark.parametrize(
    "content", ["", "{", "[" * 5000, "null", '{"when":7}', '{"when":"' + "x" * 10**6 + '"}']
)
def test_a_damaged_tombstone_is_one_all_the_same(bench, clip, content):
    job_id = fetched(bench, clip)
    (bench.folder / "videos" / f"{job_id}.deleted").write_text(content)
    bench.restart()
    bench.run_for(60)
    assert bench.job(job_id).deleted
    assert settle(bench) == 0


def test_a_deletion_that_is_not_recorded_deletes_nothing(bench, clip):
    job_id = fetched(bench, clip)
    files = files_of(bench, job_id)
    bench.disk.append(OSError(28, "No space left on device"))
    with pytest.raises(LedgerError):
        acting(bench).delete_files([job_id])
    assert files_of(bench, job_id) == files
    assert bench.job(job_id).has_clip


def test_a_better_copy_that_is_under_way_does_not_bring_the_clip_back(bench, clip):
    job_id = bench.order().id
    bench.kling.finish(job_id, zeroed(clip, 0.3))
    bench.run_for(5)
    job, path = bench.job(job_id), bench.studio.archive.video(job_id)
    assert job.has_clip
    url = bench.kling.finish(job_id, clip)

    class Slow(Kling):
        """Kling whose answer comes while somebody deletes the clip."""

        def download(self, url: str, to: Path, **about: object) -> int:
            count = super().download(url, to, **about)
            acting(bench).delete_files([job_id])
            return count

    slow = Slow()
    slow.files[url] = clip
    with pytest.raises((Buried, FileNotFoundError)):
        bench.studio.archive.fetch_again(job, lambda: bench.kling.made[job_id].videos[0], slow)
    assert not path.exists()
    assert files_of(bench, job_id) == [f"{job_id}.deleted"]


def test_a_dash_does_not_take_a_tombstone_back(bench, clip):
    job_id = fetched(bench, clip)
    acting(bench).delete_files([job_id])
    when = bench.job(job_id).deleted
    bench.ledger.append(job_id, deleted="-")
    bench.restart()
    bench.run_for(60)
    assert bench.job(job_id).deleted == when
    assert settle(bench) == 0


def test_only_an_admin_deletes_what_is_somebody_elses(bench, clip):
    job_id = fetched(bench, clip)
    bench.ledger.append(job_id, person_id="p-9")
    maker = bench.studio.acting_as(bench.studio.state.people.add("Mia", "maker").user)
    with pytest.raises(NotAllowed):
        maker.delete_files([job_id])
    assert bench.job(job_id).has_clip


def test_a_folder_that_cannot_be_written_keeps_everything(bench, clip, monkeypatch):
    job_id = fetched(bench, clip)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("kling.studio.archive.write_whole", full)
    with pytest.raises(OSError, match="space"):
        acting(bench).delete_files([job_id])
    assert bench.job(job_id).has_clip
    assert len(files_of(bench, job_id)) == 2


def test_a_backup_that_is_put_back_brings_no_deleted_clip_back(bench, clip):
    """Neither one that it has, nor one that was ordered, fetched and deleted since."""
    to = bench.folder.parent / f"{bench.folder.name}-backup"
    before = fetched(bench, clip)
    kept = fetched(bench, clip)
    back_up(bench.folder, to)
    since = fetched(bench, clip)
    acting(bench).delete_files([before, since])
    bench.studio.stop()
    notes = restore(to, bench.folder).notes
    assert "1 clip stays deleted" in " ".join(notes)
    assert (to / "videos" / f"{before}.mp4").exists()
    bench.open()
    assert settle(bench) == 0
    assert bench.job(kept).has_clip
    for job_id in (before, since):
        assert bench.job(job_id).deleted
        assert files_of(bench, job_id) == [f"{job_id}.deleted"]


def test_tombstones_are_in_a_backup(bench, clip, tmp_path):
    job_id = fetched(bench, clip)
    acting(bench).delete_files([job_id])
    to = tmp_path.parent / f"{tmp_path.name}-backup"
    back_up(bench.folder, to)
    assert (to / "videos" / f"{job_id}.deleted").exists()
    assert not Path(to / "index.sqlite3").exists()
