"""What may be believed of a job's calls: the tables, and the three proofs that nothing was spent."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kling.errors import InvalidRequest, MaybeSent, NotSent, api_error
from kling.studio.evidence import (
    AFTER_CREATE,
    AFTER_NO_TASK,
    APART,
    LATE,
    Age,
    Calls,
    Evidence,
    Known,
    Outcome,
    Step,
    outcome_of,
)
from kling.studio.jobs import Job

LAG = 180.0
SENT = [Outcome.BUSY, Outcome.BLOCKED, Outcome.NO_KEY, Outcome.REFUSED, Outcome.EXISTS, Outcome.LOST]


def call(calls: Calls, outcome: Outcome, now: float) -> None:
    before = calls.open, calls.last_at
    calls.begin(now)
    calls.end(outcome, before)


def test_the_tables_have_a_step_for_everything():
    assert set(AFTER_CREATE) == set(Outcome)
    assert all(set(row) == set(Known) for row in AFTER_CREATE.values())
    assert set(AFTER_NO_TASK) == set(Known)
    assert all(set(row) == set(Age) for row in AFTER_NO_TASK.values())


def test_no_outcome_of_a_create_call_ends_a_job_by_itself():
    assert Step.END not in {step for row in AFTER_CREATE.values() for step in row.values()}


def test_what_may_be_at_kling_is_only_looked_up():
    for outcome in set(Outcome) - {Outcome.ACCEPTED}:
        for known in (Known.OPEN, Known.EXISTS):
            assert AFTER_CREATE[outcome][known] is Step.LOOK_UP


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (NotSent("refused"), Outcome.NOT_SENT),
        (InvalidRequest([]), Outcome.INVALID),
        (MaybeSent("reset"), Outcome.LOST),
        (api_error(500, 5000, ""), Outcome.LOST),
        (api_error(429, 1302, ""), Outcome.BUSY),
        (api_error(429, 1303, ""), Outcome.BUSY),
        (api_error(429, 1102, ""), Outcome.BLOCKED),
        (api_error(401, 1002, ""), Outcome.NO_KEY),
        (api_error(400, 1201, "duration is not valid"), Outcome.REFUSED),
        (api_error(400, 1201, "External_task_id v1 already exists"), Outcome.EXISTS),
        (api_error(400, 1301, ""), Outcome.REFUSED),
    ],
)
def test_each_error_is_one_outcome(error, outcome):
    assert outcome_of(error) is outcome


def test_a_job_for_which_no_call_left_was_free():
    calls = Calls(whole=True, last_at=0.0)
    assert calls.nothing_spent
    call(calls, Outcome.NOT_SENT, 10.0)
    assert calls.nothing_spent
    assert calls.known is Known.WHOLE


def test_while_a_call_is_under_way_nothing_is_known():
    calls = Calls(whole=True, last_at=0.0)
    calls.begin(10.0)
    assert not calls.nothing_spent
    assert calls.known is Known.OPEN


@pytest.mark.parametrize("outcome", SENT)
def test_no_answer_to_a_create_call_proves_by_itself_that_nothing_was_spent(outcome):
    calls = Calls(whole=True, last_at=0.0)
    call(calls, outcome, 10.0)
    assert not calls.nothing_spent


def test_a_refusal_and_a_look_up_after_it_are_a_proof_only_if_every_call_was_answered():
    refused = Calls(whole=True, last_at=0.0)
    call(refused, Outcome.REFUSED, 10.0)
    assert refused.found_none(10.1, lag=LAG) is Step.END
    assert refused.nothing_spent

    lost_before = Calls(whole=True, last_at=0.0)
    call(lost_before, Outcome.LOST, 10.0)
    call(lost_before, Outcome.REFUSED, 200.0)
    assert lost_before.found_none(200.1, lag=LAG) is Step.LOOK_UP
    assert not lost_before.nothing_spent

    from_the_log = Calls(whole=False, last_at=0.0)
    call(from_the_log, Outcome.REFUSED, 10.0)
    assert from_the_log.found_none(10.1, lag=LAG) is not Step.END
    assert not from_the_log.nothing_spent


def test_no_such_task_within_the_lag_allows_nothing():
    calls = Calls(whole=True, last_at=0.0)
    call(calls, Outcome.LOST, 10.0)
    assert calls.found_none(10.0 + LAG - 1, lag=LAG) is Step.LOOK_UP
    assert calls.found_none(10.0 + LAG, lag=LAG) is Step.RESEND
    assert not calls.nothing_spent


def test_after_fifteen_minutes_two_answers_a_minute_apart_are_a_proof():
    calls = Calls(whole=False, last_at=0.0, open=True, arrived=True)
    assert calls.found_none(LATE, lag=LAG) is not Step.LEAVE
    assert not calls.nothing_spent
    assert calls.found_none(LATE + APART - 1, lag=LAG) is not Step.LEAVE
    assert calls.found_none(LATE + APART, lag=LAG) is Step.LEAVE
    assert calls.nothing_spent


def test_a_new_call_takes_a_proof_away():
    calls = Calls(whole=False, last_at=0.0, proved=True)
    calls.begin(LATE + 100)
    assert not calls.nothing_spent


def test_a_job_that_was_sent_first_a_quarter_of_an_hour_ago_is_not_sent_again_by_itself():
    calls = Calls(whole=True, last_at=0.0)
    call(calls, Outcome.LOST, 0.0)
    call(calls, Outcome.LOST, 800.0)
    assert calls.found_none(800.0 + LAG, lag=LAG) is Step.LOOK_UP


def test_what_kling_says_it_has_is_looked_for_without_end():
    calls = Calls(whole=True, last_at=0.0)
    call(calls, Outcome.LOST, 0.0)
    call(calls, Outcome.EXISTS, 200.0)
    for now in (300.0, 2000.0, 3000.0, 1e6):
        assert calls.found_none(now, lag=LAG) is Step.LOOK_UP
    assert not calls.nothing_spent


@given(
    st.booleans(),
    st.lists(
        st.one_of(
            st.tuples(st.just("call"), st.sampled_from([*SENT, Outcome.NOT_SENT]), st.floats(0.1, 400)),
            st.tuples(st.just("none"), st.just(Outcome.LOST), st.floats(0.1, 400)),
        ),
        max_size=12,
    ),
)
def test_a_lost_call_is_never_free_before_the_proof(whole, events):
    """Whatever comes in whatever order: with a call that is open, only two late answers make it free."""
    calls = Calls(whole=whole, last_at=0.0)
    now, opened, exists = 0.0, not whole, False
    late: list[float] = []
    last = 0.0
    for kind, outcome, pause in events:
        now += pause
        if kind == "call":
            call(calls, outcome, now)
            opened = opened or outcome is Outcome.LOST
            exists = exists or outcome is Outcome.EXISTS
            if outcome is not Outcome.NOT_SENT:
                last = now
            late.clear()
        else:
            calls.found_none(now, lag=LAG)
            if now - last >= LATE:
                late.append(now)
        if calls.nothing_spent:
            assert not exists
            assert not opened or (late and late[-1] - late[0] >= APART)
            if late and late[-1] - late[0] >= APART:
                opened = False


def test_what_is_read_from_the_log_is_not_vouched_for():
    evidence = Evidence(lambda: 100.0)
    for state in ("waiting", "not_sent", "failed", "withdrawn", "unknown", "intent"):
        job = Job({"external_task_id": f"j-{state}", "state": state})
        assert not evidence.nothing_spent(job)
        assert evidence.of(job).known is (Known.OPEN if state in {"unknown", "intent"} else Known.PART)
        assert evidence.of(job).last_at == 100.0
        assert not evidence.nothing_spent(job)


def test_an_accepted_job_is_never_free():
    evidence = Evidence(lambda: 0.0)
    evidence.ordered(["a"], 0.0)
    assert evidence.nothing_spent(Job({"external_task_id": "a", "state": "withdrawn"}))
    assert not evidence.nothing_spent(Job({"external_task_id": "a", "state": "failed", "task_id": "8"}))


def test_a_job_that_turns_up_later_may_have_been_sent_just_before():
    now = [100.0]
    evidence = Evidence(lambda: now[0], changed=lambda: now[0] > 500)
    assert evidence.of(Job({"external_task_id": "a", "state": "unknown"})).last_at == 100.0
    now[0] = 2000.0
    assert evidence.of(Job({"external_task_id": "b", "state": "unknown"})).last_at == 2000.0
    assert evidence.of(Job({"external_task_id": "a", "state": "unknown"})).last_at == 100.0
