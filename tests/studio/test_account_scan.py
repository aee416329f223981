"""The account against the log: what is ours is taken in, what may be is told, what is not is left alone."""

from __future__ import annotations

import json
import shutil
from decimal import Decimal

import pytest

from kling.endpoint import ENDPOINTS, Endpoint
from kling.errors import MaybeSent, api_error
from kling.studio.account_scan import EVERY, PAGE_PAUSE, RETRY_PAUSES
from kling.studio.backup import MANIFEST, back_up
from kling.studio.ids import MARK_FILE, adopted_id, mark_of, new_id
from kling.studio.restoring import restore
from tests.studio.fakes import FOX, Bench, Kling

OLD_ID = "v019ab1c2d3e4a1b2c3d4e5f6"


def ours(bench: Bench, number: int = 0, **fields: object) -> str:
    job_id = new_id(bench.studio.mark(), bench.clock.now + number)
    bench.kling.add(job_id, **fields)
    return job_id


def scan(bench: Bench) -> None:
    bench.studio.scan_account()
    bench.run_for(30)
    assert bench.studio.scan.findings.is_complete


def test_a_task_with_our_mark_that_the_log_lacks_is_taken_in_and_followed_to_its_end(bench, clip):
    job_id = ours(bench)
    scan(bench)
    assert bench.job(job_id).state == "submitted"
    assert bench.studio.scan.findings.taken_in == (job_id,)
    assert bench.job(job_id).extra["found"] == "account"
    bench.kling.finish(job_id, clip)
    bench.run_for(30)
    assert bench.job(job_id)["file"] == f"{job_id}.mp4"


@pytest.mark.parametrize("is_lost", [False, True])
def test_what_was_ordered_since_a_backup_is_taken_in_whatever_the_mark_then(bench, is_lost):
    """Also where the folder was lost, and a new one was begun before the backup was put back."""
    to = bench.folder.parent / f"{bench.folder.name}-backup"
    bench.run_for(30)
    first = (bench.folder / MARK_FILE).read_text().strip()
    back_up(bench.folder, to)
    if is_lost:
        bench.studio.stop()
        shutil.rmtree(bench.folder)
        bench.open()
    job_id = bench.order().id
    bench.studio.stop()
    restore(to, bench.folder)
    bench.open()
    assert bench.job(job_id).extra["found"] == "account"
    assert (bench.studio.mark() == mark_of(job_id)) is not is_lost
    assert bench.studio.mark() == first


def test_a_backup_without_a_mark_takes_none_away(bench):
    to = bench.folder.parent / f"{bench.folder.name}-backup"
    mark = bench.studio.mark()
    back_up(bench.folder, to)
    manifest = json.loads((to / MANIFEST).read_text())
    del manifest["files"][MARK_FILE]
    (to / MANIFEST).write_text(json.dumps(manifest))
    (to / MARK_FILE).unlink()
    bench.studio.stop()
    restore(to, bench.folder)
    (bench.folder / MARK_FILE).rename(bench.folder / "before-restore-1" / MARK_FILE)  # a crash in the middle
    restore(to, bench.folder)
    bench.open()
    assert bench.studio.mark() == mark


@pytest.mark.parametrize("state", ["failed", "not_sent", "withdrawn", "unknown", "waiting"])
def test_a_task_that_the_log_denies_is_taken_up(bench, state):
    job_id = ours(bench)
    bench.ledger.append(job_id, state=state, account=bench.account, prompt="A fox", model_name="kling-v2-6")
    scan(bench)
    assert bench.job(job_id).state == "submitted"
    assert bench.job(job_id)["prompt"] == "A fox"
    assert not bench.studio.nothing_spent(bench.job(job_id))
    assert bench.kling.posts == []


def test_the_list_is_read_to_its_end_however_many_tasks_of_others_it_has(tmp_path):
    kling = Kling()
    bench = Bench(tmp_path, kling=kling)
    for number in range(1200):
        kling.add(f"somebody-{number}")
    job_id = ours(bench)
    bench.studio.scan_account()
    bench.poller.step()
    assert bench.studio.scan.is_running
    assert bench.studio.scan.findings.pages == 1
    bench.run_for(10 * PAGE_PAUSE)
    assert bench.job(job_id).accepted
    assert bench.studio.scan.findings.tasks == 1201
    assert len(bench.studio.scan.findings.foreign) == 1200
    assert len(bench.ledger.jobs()) == 1


def test_tasks_of_another_studio_are_counted_and_never_touched(bench):
    bench.kling.add(new_id("abcd2345", 1.0))
    bench.kling.add(new_id("abcd2345", 2.0))
    scan(bench)
    assert bench.studio.scan.findings.of_others == 2
    assert bench.ledger.jobs() == ()
    assert bench.studio.take_in([task.task_id for task in bench.kling.made.values()]) == 0


def test_a_task_with_an_id_of_the_old_form_is_taken_in_by_a_press(bench):
    bench.kling.add(OLD_ID)
    scan(bench)
    assert bench.ledger.jobs() == ()
    assert any("may be this studio's" in warning for warning in bench.studio.warnings)
    [task] = bench.studio.scan.findings.maybe_ours
    assert bench.studio.take_in([task.task_id]) == 1
    assert bench.job(OLD_ID).state == "submitted"
    assert bench.studio.scan.findings.maybe_ours == ()
    assert bench.studio.take_in([task.task_id]) == 0


def test_any_other_task_can_be_adopted_and_is_asked_for_by_klings_id(bench, clip):
    bench.kling.add("made by hand")
    scan(bench)
    [task] = bench.studio.scan.findings.foreign
    job_id = adopted_id(task.task_id)
    assert bench.studio.take_in([task.task_id]) == 1
    assert (bench.job(job_id)["prompt"], bench.job(job_id)["person"]) == ("", "")
    bench.kling.finish("made by hand", clip)
    bench.run_for(30)
    assert bench.job(job_id)["file"] == f"{job_id}.mp4"
    scan(bench)
    assert bench.studio.scan.findings.foreign == ()
    assert len(bench.ledger.jobs()) == 1


def test_a_scan_twice_is_a_scan_once(bench):
    job_id = ours(bench)
    bench.kling.add(OLD_ID)
    scan(bench)
    size = (bench.folder / "history.csv").stat().st_size
    bench.restart()
    scan(bench)
    assert (bench.folder / "history.csv").stat().st_size == size
    assert [job.id for job in bench.ledger.jobs()] == [job_id]


def test_it_comes_every_night_and_a_page_that_is_not_answered_is_asked_for_again(bench):
    bench.kling.lists = [MaybeSent("broke"), MaybeSent("broke")]
    bench.studio.scan_account()
    bench.run_for(1)
    assert bench.studio.scan.findings.trouble == "broke"
    assert not bench.studio.scan.findings.is_complete
    bench.run_for(600)
    assert bench.studio.scan.findings.is_complete
    assert bench.studio.scan.findings.trouble == ""
    job_id = ours(bench)
    bench.clock.now += EVERY + 60
    bench.run_for(600)
    assert bench.job(job_id).accepted


def test_while_no_list_can_be_read_all_are_asked_ever_more_seldom(bench, monkeypatch):
    asked: list[str] = []

    def broken(*_: object, endpoint: Endpoint, **__: object) -> None:
        asked.append(endpoint.list_name)
        raise api_error(404, 1202, "Not found")

    monkeypatch.setattr(bench.kling, "page", broken)
    bench.studio.scan_account()
    bench.run_for(EVERY)
    assert set(asked) == {endpoint.list_name for endpoint in ENDPOINTS}
    assert len(asked) <= len(set(asked)) * (EVERY / RETRY_PAUSES[-1] + len(RETRY_PAUSES))
    monkeypatch.undo()
    bench.run_for(RETRY_PAUSES[-1] + 10 * PAGE_PAUSE)
    assert bench.studio.scan.findings.is_complete


def test_a_scan_that_was_interrupted_begins_again_after_a_restart(tmp_path):
    kling = Kling()
    bench = Bench(tmp_path, kling=kling)
    for number in range(1200):
        kling.add(f"somebody-{number}")
    job_id = ours(bench)
    bench.studio.scan_account()
    bench.poller.step()
    bench.restart()
    scan(bench)
    assert bench.job(job_id).accepted


def test_a_video_without_a_row_is_shown_before_anybody_asks_kling(bench, clip):
    job = bench.order(FOX)
    bench.kling.finish(job.id, clip)
    bench.run_for(30)
    assert bench.job(job.id).has_clip
    mark = bench.studio.mark()
    (bench.folder / "history.csv").unlink()
    (bench.folder / "history.csv.seal").unlink(missing_ok=True)
    bench.kling.made.clear()
    bench.restart()
    found = bench.job(job.id)
    assert found.has_clip
    assert found.extra["found"] == "file"
    assert bench.studio.mark() == mark
    assert bench.studio.ledger.index.clips == 1


def test_a_video_without_a_row_gets_its_facts_from_kling(bench, clip):
    job_id = ours(bench)
    bench.kling.finish(job_id, clip)
    (bench.folder / "videos" / f"{job_id}.mp4").write_bytes(clip)
    bench.restart()
    bench.run_for(30)
    scan(bench)
    assert bench.job(job_id)["task_id"] == bench.kling.made[job_id].task_id
    assert bench.job(job_id).has_clip
    assert bench.kling.downloads == []


def test_a_charge_and_a_video_that_come_late_are_taken_up_by_the_next_scan(bench, clip):
    job = bench.order()
    bench.kling.finish(job.id, clip)
    bench.kling.change(job.id, final_unit_deduction=Decimal(0))
    bench.run_for(60)
    bench.kling.change(job.id, final_unit_deduction=Decimal("1.5"))
    scan(bench)
    assert bench.job(job.id)["final_unit_deduction"] == "1.5"
    size = (bench.folder / "history.csv").stat().st_size
    scan(bench)
    assert (bench.folder / "history.csv").stat().st_size == size


def test_a_video_that_was_called_gone_is_fetched_once_kling_lists_it(bench, clip):
    job = bench.order()
    bench.kling.change(job.id, task_status="succeed")
    bench.run_for(60)
    bench.ledger.append(job.id, extra='{"gone": "2026-11-20T10:00:00+00:00"}')
    bench.kling.finish(job.id, clip)
    scan(bench)
    bench.run_for(60)
    assert bench.job(job.id).has_clip
    assert not bench.job(job.id).gone


def test_an_empty_log_beside_tasks_of_another_folder_is_said(bench):
    bench.kling.add(new_id("abcd2345", 1.0))
    scan(bench)
    assert any("volume is not mounted" in warning for warning in bench.studio.warnings)


def test_a_stranger_cannot_take_over_an_adopted_job_by_its_name(bench, clip):
    bench.kling.add("made by hand", task_id="700", task_status="processing")
    scan(bench)
    assert bench.studio.take_in(["700"]) == 1
    bench.kling.add("k700", task_id="999", task_status="processing")
    bench.kling.finish("k700", clip)
    bench.kling.order = lambda tasks: tasks[::-1]
    bench.run_for(60)
    assert (bench.job("k700")["task_id"], bench.job("k700").state) == ("700", "processing")


def test_a_list_that_moves_while_it_is_read_counts_each_task_once(tmp_path):
    kling = Kling()
    bench = Bench(tmp_path, kling=kling)
    for number in range(700):
        kling.add(f"somebody-{number}")
    bench.studio.scan_account()
    bench.poller.step()
    kling.add("new")
    kling.order = lambda tasks: tasks[::-1]
    bench.run_for(30)
    found = bench.studio.scan.findings
    assert found.foreign_count == len(found.foreign) == len({task.task_id for task in found.foreign})


def test_a_file_that_is_put_there_while_the_studio_runs_is_found_by_a_press(bench, clip):
    job_id = new_id(bench.studio.mark(), 1.0)
    (bench.folder / "videos" / f"{job_id}.mp4").write_bytes(clip)
    scan(bench)
    assert bench.job(job_id).has_clip


def test_a_file_that_was_found_says_nothing_about_its_account(bench, clip):
    """The key in use may be another account's: what shows the task there says whose it is."""
    job_id = ours(bench)
    bench.kling.finish(job_id, clip)
    (bench.folder / "videos" / f"{job_id}.mp4").write_bytes(clip)
    bench.kling.hidden.add(job_id)
    bench.restart()
    assert bench.job(job_id).has_clip
    assert bench.job(job_id)["account"] == ""
    assert list(bench.studio.warnings) == []
    bench.kling.hidden.clear()
    scan(bench)
    assert bench.job(job_id)["account"] == bench.account
