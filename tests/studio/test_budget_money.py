"""The sums of budgets equal the log and what Kling deducted, under every fault of the money machine."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from kling.studio import spending
from kling.studio.budgets import Budgets
from kling.studio.jobs import NOT_SENT, UNKNOWN, Job
from kling.studio.spending import SpendingSums
from kling.studio.state.shared import SharedState
from tests.studio.clips import tiny_clip
from tests.studio.money.budget_machine import BudgetedMoney, Limits

Patch = pytest.MonkeyPatch
LONG = "MONEY_EXAMPLES" in os.environ
EXAMPLES = int(os.environ.get("MONEY_EXAMPLES", "15"))

QUICK = settings(
    max_examples=EXAMPLES,
    stateful_step_count=30,
    deadline=None,
    derandomize=not LONG,
    database=None,
    suppress_health_check=list(HealthCheck),
    report_multiple_bugs=False,
    print_blob=True,
)
SEARCH = settings(
    QUICK,
    max_examples=300,
    stateful_step_count=8,
    phases=[Phase.generate],
    derandomize=True,
    print_blob=False,
)


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return tiny_clip(tmp_path_factory.mktemp("clip") / "clip.mp4")


@pytest.fixture(autouse=True)
def limits(monkeypatch: Patch) -> None:
    monkeypatch.setattr(SharedState, "limits_if_any", lambda _: Limits())


def test_no_history_brings_the_sums_apart_from_the_log_or_passes_the_limit(clip: bytes):
    BudgetedMoney.clip_bytes = clip
    BudgetedMoney.seen.clear()
    run_state_machine_as_test(BudgetedMoney, settings=QUICK)
    assert BudgetedMoney.seen["bought"] > 0
    assert BudgetedMoney.seen["presses refused by the budget"] > 0


def unknown_is_free(patch: Patch) -> None:
    patch.setattr(spending, "FREE", spending.FREE | {UNKNOWN})


def what_is_left_to_a_person_is_free(patch: Patch) -> None:
    patch.setattr(spending, "FREE", spending.FREE | {NOT_SENT})


def a_start_counts_nothing(patch: Patch) -> None:
    patch.setattr(SpendingSums, "reset", lambda *_: None)


def a_change_counts_the_job_again(patch: Patch) -> None:
    changed = SpendingSums.changed
    patch.setattr(SpendingSums, "changed", lambda self, _before, job: changed(self, None, job))


def a_settled_job_stays_reserved(patch: Patch) -> None:
    changed = SpendingSums.changed

    def never_less(self: SpendingSums, before: Job | None, job: Job) -> None:
        if not job["final_unit_deduction"]:
            changed(self, before, job)

    patch.setattr(SpendingSums, "changed", never_less)


def only_the_first_of_a_batch_is_asked_for(patch: Patch) -> None:
    check = Budgets.check
    patch.setattr(Budgets, "check", lambda self, prices, **who: check(self, prices[:1], **who))


def nobody_asks_the_budget(patch: Patch) -> None:
    patch.setattr(Budgets, "check", lambda *_, **__: None)


PLANTS: tuple[tuple[Callable[[Patch], None], tuple[str, ...]], ...] = (
    (unknown_is_free, ("order", "spoil_the_next_answer")),
    (what_is_left_to_a_person_is_free, ("order", "spoil_the_next_answer", "advance")),
    (a_start_counts_nothing, ("order", "kill_and_start_again")),
    (a_change_counts_the_job_again, ("order", "advance")),
    (a_settled_job_stays_reserved, ("order", "advance")),
    (only_the_first_of_a_batch_is_asked_for, ("order_a_batch",)),
    (nobody_asks_the_budget, ("order", "order_a_batch")),
)


@pytest.mark.parametrize(("plant", "rules"), PLANTS, ids=[plant.__name__ for plant, _ in PLANTS])
def test_the_machine_finds_a_planted_bug(
    clip: bytes, monkeypatch: Patch, plant: Callable[[Patch], None], rules: tuple[str, ...]
):
    class Focused(BudgetedMoney):
        """The same machine with a few of its rules."""

        clip_bytes = clip
        only = frozenset(rules)

    plant(monkeypatch)
    with pytest.raises(AssertionError, match=r"the sums are|are counted|the sums say|Units are used"):
        run_state_machine_as_test(Focused, settings=SEARCH)
