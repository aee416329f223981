"""The fix is named by what really happened, and money is spoken of only as far as somebody has proved it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kling.errors import MEANINGS
from kling.studio.jobs import STATES, Job
from kling.studio.remedies import NOTHING_SPENT, Remedy, RemedyKind, remedy
from tests.kling.tools import law
from tests.studio.test_durations import NOON


def job(state: str, *through: str, **cells: str) -> Job:
    return Job({"external_task_id": "a", "state": state, **cells}, dict.fromkeys((*through, state), NOON))


def of(job: Job, *, nothing_spent: bool = False) -> Remedy:
    found = remedy(job, nothing_spent=nothing_spent)
    assert found is not None
    return found


# -- refused at the create call ------------------------------------------------------------------------------


@pytest.mark.parametrize("nothing_spent", [True, False])
@pytest.mark.parametrize(
    ("code", "kind"),
    [
        *((code, RemedyKind.CHECK_KEY) for code in (1000, 1001, 1002, 1003, 1004)),
        *((code, RemedyKind.ASK_OPERATOR) for code in (1100, 1101, 1102, 1103, 1202, 1304)),
        *((code, RemedyKind.CHANGE_ORDER) for code in (1200, 1201, 1203, 1999)),
        *((code, RemedyKind.EDIT_PROMPT) for code in (1300, 1301)),
        *((code, RemedyKind.RETRY) for code in (1302, 1303, 5000)),
    ],
)
def test_each_refusal_names_its_fix(code, kind, nothing_spent):
    found = of(job("failed", code=str(code), message="Kling says <b>no</b>"), nothing_spent=nothing_spent)
    assert found.kind is kind
    assert found.text.endswith(NOTHING_SPENT) is nothing_spent
    if code in MEANINGS:
        assert found.text.startswith(f"{MEANINGS[code].what} {MEANINGS[code].remedy}")
    assert "<b>" not in found.text


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
    assert (
        of(job("failed", *ACCEPTED, task_id="8", code="0", task_status_msg=words)).kind
        is RemedyKind.EDIT_PROMPT
    )


@pytest.mark.parametrize(
    "words", ["", "Internal error", "生成失败", "server busy, generation timeout", "x" * 10_000]
)
def test_other_words_say_to_order_it_again(words):
    assert of(job("failed", *ACCEPTED, task_id="8", code="0", task_status_msg=words)).kind is RemedyKind.RETRY


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
    cells = {"task_id": "8", "code": "0", "units": "1.5", "final_unit_deduction": deduction}
    assert of(job("failed", *ACCEPTED, **cells)).text.endswith(words)


def test_what_an_account_that_pays_in_cash_was_charged_is_said():
    cells = {"final_unit_deduction": "0", "final_balance_deduction": "0.21", "currency": "USD"}
    assert of(job("failed", *ACCEPTED, task_id="8", **cells)).text.endswith(
        "that it charged 0.21 USD for it."
    )


def test_of_the_sandbox_it_is_said_that_it_charges_nothing():
    failed = of(job("failed", *ACCEPTED, task_id="8", account="sandbox", final_unit_deduction="1.5"))
    assert failed.text.endswith("Order it again. The sandbox charges nothing.")


def test_a_task_that_kling_forgot_is_for_the_operator_to_look_after():
    forgotten = of(job("failed", *ACCEPTED, task_id="8", code="1201", task_status_msg=""))
    assert forgotten.kind is RemedyKind.ASK_OPERATOR
    assert "nothing" not in forgotten.text.lower()


# -- the rest ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", [state for state in STATES if state != "failed"])
def test_what_has_not_failed_is_not_for_advice(state):
    assert remedy(job(state, code="1102"), nothing_spent=True) is None


@law
@given(
    state=st.sampled_from(STATES),
    through=st.lists(st.sampled_from(STATES), max_size=4),
    cells=st.fixed_dictionaries(
        {}, optional={name: st.text(max_size=20) for name in ("code", "task_status_msg", "task_id", "units")}
    ),
    deduction=st.sampled_from(["", "0", "1.5", "many"]),
    nothing_spent=st.booleans(),
)
def test_nothing_was_spent_is_never_said_by_itself(state, through, cells, deduction, nothing_spent):
    one = job(state, *through, **cells, final_unit_deduction=deduction)
    found = remedy(one, nothing_spent=nothing_spent)
    if found and "othing was spent" in found.text:
        assert nothing_spent
        assert not one.accepted
