"""A job of an endpoint that this version does not know is shown and left alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from kling.errors import Actor
from kling.studio.ids import new_id
from kling.studio.jobs import STATES, Job, UnknownEndpoint, request_cells
from kling.studio.jobs.folding import fold
from kling.studio.prompting.words import as_text_to_video
from tests.studio.fakes import FOX, Bench

DAYS = 3 * 24 * 3600.0
UNENDED = ("waiting", "intent", "unknown", "not_sent", "submitted", "processing")


def ordered_by_a_newer_version(bench: Bench, state: str, **cells: str) -> Job:
    """Return a job that the log has, of an endpoint that is not known here; as a new process reads it."""
    job_id = new_id(bench.studio.mark(), bench.clock.now)
    cells = {"account": bench.account, **request_cells(FOX), "endpoint": "motion-control", **cells}
    bench.ledger.append(job_id, state=state, **cells)
    bench.restart()
    return bench.job(job_id)


@pytest.fixture
def quiet(bench: Bench) -> Bench:
    """A studio that has made no calls so far."""
    bench.kling.gets.clear()
    return bench


@pytest.mark.parametrize("state", STATES)
def test_it_is_never_sent_nor_asked_for_nor_ended(quiet: Bench, state: str):
    job = ordered_by_a_newer_version(quiet, state)
    quiet.run_for(DAYS)
    assert quiet.kling.posts == []
    assert quiet.kling.gets == []
    assert quiet.job(job.id) == job


@pytest.mark.parametrize("state", UNENDED)
def test_it_is_left_alone_also_where_another_endpoint_lists_its_id(bench: Bench, state: str):
    job = ordered_by_a_newer_version(bench, state)
    bench.kling.add(job.id)
    other = bench.order()
    bench.studio.scan_account()
    bench.run_for(600)
    assert bench.kling.posts == [other.id]
    assert bench.job(job.id) == job


def test_a_worker_that_has_it_does_not_send_it(bench: Bench):
    job = ordered_by_a_newer_version(bench, "waiting")
    bench.studio.orders.send(job)
    assert bench.kling.posts == []
    assert bench.job(job.id) == job
    assert bench.studio.admission.in_flight == frozenset()
    assert bench.studio.admission.holds == ()


@pytest.mark.parametrize("state", UNENDED)
def test_every_decision_about_it_is_refused_with_the_reason(bench: Bench, state: str):
    job = ordered_by_a_newer_version(bench, state)
    orders = bench.studio.orders
    for decision in (orders.send_again, orders.withdraw, orders.give_up):
        with pytest.raises(UnknownEndpoint, match="does not know the endpoint “motion-control”"):
            decision(job.id)
    assert bench.job(job.id) == job


def test_what_is_decided_about_many_passes_it_over(bench: Bench):
    left = ordered_by_a_newer_version(bench, "not_sent", batch="g")
    waits = ordered_by_a_newer_version(bench, "waiting", batch="g")
    assert bench.studio.orders.left() == []
    assert bench.studio.orders.send_left() == 0
    assert bench.studio.orders.withdraw_group("g") == 0
    assert [bench.job(job.id) for job in (left, waits)] == [left, waits]


@pytest.mark.parametrize("state", [*UNENDED, "succeed"])
def test_the_operator_is_told_what_to_do(bench: Bench, state: str):
    explanation = bench.studio.explain(ordered_by_a_newer_version(bench, state))
    assert explanation is not None
    assert explanation.actor is Actor.OPERATOR
    why = "This version of the studio does not know the endpoint “motion-control” of this job."
    assert explanation.why == why
    assert "start the version that ordered it, or stop the studio and correct the cell" in explanation.next


@pytest.mark.parametrize("state", STATES)
def test_nothing_is_said_about_its_money(bench: Bench, state: str):
    job = ordered_by_a_newer_version(bench, state)
    bench.run_for(DAYS)
    assert not bench.studio.nothing_spent(bench.job(job.id))


def test_not_even_if_this_process_has_ordered_it_before_the_log_was_edited(bench: Bench):
    bench.held = []
    job = bench.order()
    assert bench.studio.evidence.nothing_spent(job)
    edited = fold(job, {"external_task_id": job.id, "endpoint": "motion-control"})
    assert not bench.studio.evidence.nothing_spent(edited)


@pytest.mark.parametrize("state", UNENDED)
def test_it_counts_neither_as_running_nor_as_waiting_and_takes_no_slot(bench: Bench, state: str):
    job = ordered_by_a_newer_version(bench, state)
    assert (bench.studio.running, bench.studio.waiting) == (0, 0)
    assert bench.studio.admission.position_of(job) is None
    assert bench.job(bench.order().id).state == "submitted"


def test_one_of_another_account_is_not_asked_for_either(quiet: Bench):
    job = ordered_by_a_newer_version(quiet, "submitted", account="kling.test#0000", task_id="7")
    quiet.run_for(DAYS)
    assert quiet.kling.gets == []
    assert quiet.studio.accounts.others == ()
    assert quiet.job(job.id) == job


def test_once_its_cell_is_corrected_it_is_followed_again(bench: Bench):
    job = ordered_by_a_newer_version(bench, "submitted")
    bench.kling.add(job.id, task_status="processing")
    log = Path(bench.folder) / "history.csv"
    log.write_text(log.read_text().replace("motion-control", "text2video"))
    bench.restart()
    bench.run_for(200)
    assert bench.job(job.id).state == "processing"


def test_it_has_no_request_to_be_sent():
    job = Job({"external_task_id": "a", **request_cells(FOX), "endpoint": "motion-control"})
    assert job.endpoint is None
    with pytest.raises(UnknownEndpoint, match="motion-control"):
        _ = job.request


@pytest.mark.parametrize("cell", ["", "text2video"])
def test_a_row_that_names_none_is_of_text_to_video(cell: str):
    job = Job({"external_task_id": "a", **request_cells(FOX), "endpoint": cell})
    assert job.endpoint is not None
    assert job.endpoint.name == "text2video"
    assert as_text_to_video(job.request).prompt == FOX.prompt
