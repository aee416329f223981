"""The random machine with a budget: whatever happens, the sums are those of the log and of Kling."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import initialize

from kling.studio.budgets import Limit, OverBudget, Scope
from kling.studio.jobs import FAILED, NOT_SENT, WITHDRAWN
from kling.studio.settings import Settings
from tests.studio.money.log import rows, states
from tests.studio.money.machine import Money
from tests.studio.money.process import REFUSED, Process
from tests.studio.money.world import CREDENTIALS, LONGEST_LAG, URL, World

LIMIT = Decimal(6)  # Units a month for the team
NOT_COUNTED = frozenset({FAILED, WITHDRAWN})


class Limits:
    """What the database of limits would say: the same limit for each account."""

    all = tuple(
        Limit(Settings(credentials=each, base_url=URL).account, Scope.TEAM_MONTH, LIMIT)
        for each in CREDENTIALS.values()
    )


class BudgetedProcess(Process):
    """A studio whose budget refuses presses."""

    refused = 0

    def open(self) -> None:
        super().open()
        studio = self.studio
        studio.order_all = self._within_the_limit(studio.order_all)  # type: ignore[method-assign]

    def _within_the_limit(self, order: Callable[..., Any]) -> Callable[..., Any]:
        studio = self.studio

        def ordered(*requests: Any, **about: Any) -> Any:
            before, generation = studio.ledger.index.tasks, studio.ledger.generation
            made = order(*requests, **about)
            if studio.ledger.index.tasks > before and studio.ledger.generation == generation:
                used = studio.spending.team().month.used.units
                assert used <= LIMIT, f"the limit is {LIMIT} and {used} Units are used"
            return made

        return ordered

    def alive(self, act: Callable[..., object], *arguments: object) -> object:
        try:
            return super().alive(act, *arguments)
        except OverBudget as error:
            refusal = error
        together = (refusal.used or Decimal(0)) + (refusal.wanted or Decimal(0))
        assert together > LIMIT, f"refused without need: {refusal}"
        self.refused += 1
        return REFUSED


class BudgetedMoney(Money):
    """One history with a budget; nobody orders past this studio."""

    left_out: ClassVar[frozenset[str]] = frozenset({"another_studio_orders", "take_in"})

    @classmethod
    def setup_state(cls) -> Any:
        state = super().setup_state()
        state.rules[:] = [one for one in state.rules if one.function.__name__ not in cls.left_out]
        return state

    @initialize(
        duplicates=st.booleans(),
        is_late=st.booleans(),
        lag=st.sampled_from([LONGEST_LAG, 20.0, 0.0]),
        list_=st.sampled_from(["whole", "whole", "whole", "404"]),
    )
    def begin(self, duplicates: bool, is_late: bool, lag: float, list_: str) -> None:
        self.world = World(duplicates=duplicates)
        self.is_late = is_late
        for account in self.world.accounts.values():
            account.lag(lag)
            account.is_late = is_late
            account.list = account.usual_list = self.only_list or list_
        self.process = BudgetedProcess(self.world, self.root / "data", self.clip_bytes)

    # -- what must hold --------------------------------------------------------------------------------------

    def the_sums_are_what_the_log_says(self) -> None:
        if self.replaced_at is not None or self.process.disk.in_doubt:
            return
        reserved, settled = sums_of(self.log(), self.studio.accounts.names)
        found = self.studio.spending.since(date.min)
        assert (found.reserved.units, found.settled.units) == (reserved, settled), (
            f"the sums are {found}, and the log says {reserved} reserved and {settled} settled"
        )

    def nothing_that_kling_has_is_left_out(self) -> None:
        tasks = {task["external_task_id"]: task for task in self.world.tasks()}
        least = sum(
            job.decimal("units") or Decimal(0)
            for job in self.jobs()
            if job.id in tasks.keys() - self.given_up
            and not tasks[job.id]["fails"]
            and self.studio.accounts.owns(job)
        )
        used = self.studio.spending.since(date.min).used.units
        assert used >= least, f"{least} Units are bought or may be, and {used} are counted"

    checks: ClassVar[tuple[Callable[[Any], None], ...]] = (
        *Money.checks,
        the_sums_are_what_the_log_says,
        nothing_that_kling_has_is_left_out,
    )

    def _check_the_end(self) -> None:
        super()._check_the_end()
        self.seen["presses refused by the budget"] += getattr(self.process, "refused", 0)
        tasks = {task["external_task_id"]: task for task in self.world.tasks()}
        owned = [job for job in self.jobs() if job["account"] in self.studio.accounts.names]
        deducted = sum(
            Decimal(tasks[job.id]["units"])
            for job in owned
            if job.id in tasks and not tasks[job.id]["fails"] and job.has_clip
        )
        found = self.studio.spending.since(date.min)
        assert found.settled.units == deducted, f"{deducted} Units were deducted, and the sums say {found}"
        left = sum(job.decimal("units") or Decimal(0) for job in owned if job.state == NOT_SENT)
        if not self.away | self.given_up:
            assert found.reserved.units == left, f"{left} Units are left to people, and the sums say {found}"


def sums_of(data: bytes, accounts: frozenset[str]) -> tuple[Decimal, Decimal]:
    """Return what a log has reserved and settled, as README describes it."""
    cells: dict[str, dict[str, str]] = {}
    for row in rows(data):
        job = cells.setdefault(row["external_task_id"], {})
        charge = max(_number(job, "final_unit_deduction"), _number(row, "final_unit_deduction"))
        job |= {name: cell for name, cell in row.items() if cell}
        job["final_unit_deduction"] = str(charge)
    reserved = settled = Decimal(0)
    for job_id, state in states(data).items():
        job = cells[job_id]
        if job.get("account", "") not in accounts:
            continue
        if charge := _number(job, "final_unit_deduction"):
            settled += charge
        elif state not in NOT_COUNTED:
            reserved += _number(job, "units")
    return reserved, settled


def _number(job: Mapping[str, str], name: str) -> Decimal:
    return Decimal(job.get(name) or 0)
