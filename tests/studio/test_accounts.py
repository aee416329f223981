"""An account is what Kling recognises, not the fingerprint of a key."""

from __future__ import annotations

import pytest

from kling import ApiKey
from kling.errors import MaybeSent, api_error
from kling.studio.settings import Settings
from tests.studio.fakes import ACCOUNT, FOX, Bench, Kling

OLD = "kling.test#aaaaaaaa"
NEW = ACCOUNT


def old_job(bench: Bench, job_id: str = "old-1", *, known: bool = True, **cells: str) -> str:
    cells = {"state": "processing", "account": OLD, "prompt": "A fox", "model_name": "kling-v2-6"} | cells
    bench.ledger.append(job_id, task_id="81", **cells)
    if known:
        bench.kling.add(job_id, task_status="processing")
    return job_id


def test_a_new_key_of_the_same_account_goes_on_with_its_jobs(bench):
    job_id = old_job(bench)
    bench.run_for(40)
    assert bench.studio.accounts.owns(bench.job(job_id))
    bench.kling.change(job_id, task_status="failed")
    bench.run_for(40)
    assert bench.job(job_id).state == "failed"
    assert list(bench.studio.warnings) == []


def test_new_jobs_keep_the_oldest_name_of_the_account_also_after_a_restart(bench):
    old_job(bench)
    bench.run_for(40)
    assert bench.job(bench.order().id)["account"] == OLD
    bench.restart()
    assert bench.studio.accounts.name == OLD
    assert bench.studio.accounts.owns(bench.job("old-1"))


@pytest.mark.parametrize("content", ["", "{", '{"accounts": 7}', '{"accounts": [[3], []]}', "[" * 9999])
def test_a_file_of_names_that_cannot_be_read_costs_a_question(bench, content):
    old_job(bench)
    bench.run_for(40)
    (bench.folder / "accounts.json").write_text(content)
    bench.restart()
    bench.run_for(40)
    assert bench.studio.accounts.name == OLD


def test_a_key_that_does_not_see_the_jobs_is_said_with_their_number_and_the_last_day(bench):
    for number in range(3):
        old_job(bench, f"old-{number}", known=False)
    old_job(bench, "made", known=False, state="succeed", updated_at="2026-11-10T10:00:00+00:00")
    bench.run_for(3600)
    [warning] = bench.studio.warnings
    assert "4 paid videos" in warning
    assert OLD in warning
    assert "December 2026" in warning
    assert {bench.job(job_id).state for job_id in ("old-0", "old-1", "old-2")} == {"processing"}
    assert bench.kling.posts == []


def test_asking_becomes_rarer_and_a_press_asks_at_once(bench):
    old_job(bench, known=False)
    bench.run_for(24 * 3600)
    assert len(bench.kling.gets) < 40
    bench.kling.add("old-1", task_status="processing")
    bench.studio.resume()
    bench.run_for(1)
    assert bench.studio.accounts.owns(bench.job("old-1"))


@pytest.mark.parametrize("error", [MaybeSent("broke"), api_error(401, 1002, "who are you?")])
def test_no_answer_is_no_proof(bench, error):
    old_job(bench)
    bench.kling.look_ups = [error] * 100
    bench.run_for(600)
    assert not bench.studio.accounts.owns(bench.job("old-1"))


def test_what_waits_under_the_old_key_goes_on_once_a_finished_task_proves_the_account(bench):
    bench.ledger.append("done", state="failed", task_id="80", account=OLD, prompt="A fox")
    bench.kling.add("done", task_status="failed")
    bench.ledger.append("waits", state="waiting", account=OLD, prompt="A fox", model_name="kling-v2-6")
    bench.run_for(60)
    assert bench.job("waits").state == "submitted"


def test_the_sandbox_asks_nobody_for_a_real_accounts_jobs(tmp_path):
    bench = Bench(tmp_path, is_sandbox=True)
    old_job(bench)
    bench.run_for(3600)
    assert not bench.studio.accounts.owns(bench.job("old-1"))
    assert bench.kling.gets == []
    [warning] = bench.studio.warnings
    assert "1 paid video " in warning


def test_sandbox_jobs_are_never_asked_of_kling(bench):
    bench.ledger.append("s-1", state="processing", account="sandbox", task_id="1")
    bench.run_for(3600)
    assert bench.kling.gets == []
    assert list(bench.studio.warnings) == []


def test_the_same_key_under_another_name_of_the_host_is_the_same_account(tmp_path):
    bench = Bench(tmp_path)
    job = bench.order()
    other = Settings(data_dir=tmp_path, credentials=ApiKey("key"), base_url="https://api.kling.test").account
    assert other != job["account"]
    bench.restart(base_url="https://api.kling.test")
    bench.run_for(40)
    assert bench.studio.accounts.owns(bench.job(job.id))
    assert bench.studio.accounts.name == ACCOUNT


def test_two_keys_that_see_nothing_of_each_other_stay_two_accounts(tmp_path):
    first = Bench(tmp_path)
    job = first.order()
    first.studio.stop()
    second = Bench(tmp_path, kling=Kling(), key="another")
    second.run_for(600)
    assert not second.studio.accounts.owns(second.job(job.id))
    assert second.job(second.order(FOX, session="other").id)["account"] == second.account != job["account"]


def test_a_lost_answer_is_found_with_a_new_key_too(bench):
    """Nothing of the old name is known to be accepted: the job itself is asked for."""
    bench.ledger.append("lost", state="unknown", account=OLD, prompt="A fox", model_name="kling-v2-6")
    bench.kling.add("lost")
    bench.run_for(60)
    assert bench.job("lost").state == "submitted"


def test_a_lost_answer_under_a_key_that_cannot_be_asked_is_said(bench):
    bench.ledger.append("lost", state="unknown", account=OLD, prompt="A fox")
    bench.run_for(60)
    assert any(OLD in warning for warning in bench.studio.warnings)


def test_a_list_that_shows_a_job_of_another_name_proves_the_account(bench):
    job_id = old_job(bench)
    bench.kling.look_ups = [MaybeSent("broke")] * 100
    bench.studio.scan_account()
    bench.run_for(10)
    assert bench.studio.accounts.owns(bench.job(job_id))
