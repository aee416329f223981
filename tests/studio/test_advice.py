"""The fix is named by what really happened, and nothing is said about money that is not certain."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kling.errors import MEANINGS, MaybeSent, api_error
from kling.studio.advice import Advice, Fix, advice
from kling.studio.jobs import STATES, Job
from tests.kling.tools import law
from tests.studio.test_usual import NOON


def job(state: str, *through: str, **cells: str) -> Job:
    return Job({"external_task_id": "a", "state": state, **cells}, dict.fromkeys((*through, state), NOON))


def of(job: Job) -> Advice:
    found = advice(job)
    assert found is not None
    return found


# -- refused at the create call ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        *((code, 401, Fix.CHECK_KEY) for code in (1000, 1001, 1002, 1003, 1004)),
        *((code, 429, Fix.ASK_OPERATOR) for code in (1100, 1101, 1102, 1103, 1304)),
        *((code, 400, Fix.CHANGE_ORDER) for code in (1200, 1201, 1203, 1999)),
        (1202, 404, Fix.ASK_OPERATOR),
        *((code, 400, Fix.EDIT_PROMPT) for code in (1300, 1301)),
        *((code, 429, Fix.WAITS) for code in (1302, 1303)),
    ],
)
def test_each_refusal_names_its_fix(bench, code, status, kind):
    bench.kling.answers = [(api_error(status, code, "Kling says <b>no</b>"), False)]
    refused = bench.job(bench.order().id)
    found = of(refused)
    assert found.kind is kind
    if refused.state == "failed":
        assert found.text.endswith("Nothing was spent.")
    if code in MEANINGS and kind is not Fix.WAITS:
        assert found.text.startswith(f"{MEANINGS[code].what} {MEANINGS[code].remedy}")
    assert "<b>" not in found.text


def test_a_refusal_after_a_lost_answer_says_nothing_about_money(bench):
    bench.kling.answers = [(MaybeSent("broke"), False), (api_error(400, 1301, "no"), False)]
    ordered = bench.order()
    bench.run_for(30)
    assert bench.job(ordered.id).state == "failed"
    assert of(bench.job(ordered.id)).kind is Fix.EDIT_PROMPT
    assert "spent" not in of(bench.job(ordered.id)).text


# -- failed after it was accepted ----------------------------------------------------------------------------

ACCEPTED = ("intent", "submitted", "processing")


@pytest.mark.parametrize(
    "words",
    [
        "Failure to pass the risk control system",
        "The prompt contains sensitive words",
        "Content violates our community policies",
        "Blocked by content moderation",
        "任务触发平台的内容风控",
        "输入内容包含敏感信息",
        "内容违规，请修改后重试",
        "未通过审核",
    ],
)
def test_policy_words_say_to_edit_the_prompt(words):
    assert of(job("failed", *ACCEPTED, code="0", task_status_msg=words)).kind is Fix.EDIT_PROMPT


@pytest.mark.parametrize(
    "words", ["", "Internal error", "生成失败", "server busy, generation timeout", "x" * 10_000]
)
def test_other_words_say_to_order_it_again(words):
    assert of(job("failed", *ACCEPTED, code="0", task_status_msg=words)).kind is Fix.RETRY


@pytest.mark.parametrize(
    ("deduction", "words"),
    [
        ("", "Kling has not said whether it was charged."),
        ("0", "Kling says that it charged nothing for it."),
        ("0.00", "Kling says that it charged nothing for it."),
        ("1.50", "Kling says that it charged 1.5 Units for it."),
        ("30", "Kling says that it charged 30 Units for it."),
        ("NaN", "Kling has not said whether it was charged."),
    ],
)
def test_what_a_failed_task_cost_is_said_as_far_as_kling_says_it(deduction, words):
    failed = job("failed", *ACCEPTED, code="0", units="1.5", final_unit_deduction=deduction)
    assert of(failed).text.endswith(words)


def test_a_task_that_kling_forgot_is_for_the_operator_to_look_after():
    forgotten = of(job("failed", *ACCEPTED, task_id="8", code="1201", task_status_msg=""))
    assert forgotten.kind is Fix.ASK_OPERATOR
    assert "nothing" not in forgotten.text.lower()


# -- the rest ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "kind"),
    [("waiting", Fix.WAITS), ("intent", Fix.WAITS), ("unknown", Fix.WAITS), ("not_sent", Fix.DECIDE)],
)
def test_what_is_on_its_way_says_whether_somebody_has_to_act(state, kind):
    assert of(job(state)).kind is kind


@pytest.mark.parametrize("state", ["submitted", "processing", "succeed", "withdrawn"])
def test_what_runs_or_is_done_needs_no_advice(state):
    assert advice(job(state)) is None


@law
@given(
    state=st.sampled_from(STATES),
    through=st.lists(st.sampled_from(STATES), max_size=4),
    cells=st.fixed_dictionaries(
        {}, optional={name: st.text(max_size=20) for name in ("code", "task_status_msg", "task_id", "units")}
    ),
    deduction=st.sampled_from(["", "0", "1.5", "many"]),
)
def test_nothing_was_spent_is_said_of_sure_refusals_only(state, through, cells, deduction):
    found = advice(job(state, *through, **cells, final_unit_deduction=deduction))
    if found and "othing was spent" in found.text:
        assert state == "failed"
        assert not {"submitted", "processing", "unknown"} & set(through)
        assert not cells.get("task_id")
        assert cells["code"] not in {"", "0"}
