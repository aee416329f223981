"""No task lost, none paid twice: the real studio against the real sandbox engine, under every fault at once.

`money/machine.py` is the machine. A long run draws anew, by a seed:

    MONEY_EXAMPLES=10000 pytest tests/studio/test_money.py -k no_history --hypothesis-seed=1 --timeout 0 -s

Two of them with different seeds go side by side. Each prints the histories, steps, faults and purchases.
"""

from __future__ import annotations

import os
import sys
import time

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.studio.clips import tiny_clip
from tests.studio.money.machine import Money
from tests.studio.money.planted_faults import PLANTS, Plant

LONG = "MONEY_EXAMPLES" in os.environ
EXAMPLES = int(os.environ.get("MONEY_EXAMPLES", "40"))

QUICK = settings(
    max_examples=EXAMPLES,
    stateful_step_count=30,
    deadline=None,
    derandomize=not LONG,  # else by the seed that the command names
    database=None,
    suppress_health_check=list(HealthCheck),
    report_multiple_bugs=False,
    print_blob=True,
)
SEARCH = settings(
    QUICK,
    max_examples=500,
    stateful_step_count=8,
    phases=[Phase.generate],
    derandomize=True,
    print_blob=False,
)


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return tiny_clip(tmp_path_factory.mktemp("clip") / "clip.mp4")


def test_no_history_loses_a_task_or_pays_twice(clip: bytes):
    Money.clip_bytes = clip
    Money.seen.clear()
    began = time.monotonic()
    try:
        run_state_machine_as_test(Money, settings=QUICK)
    finally:
        lines = (f"{kind:32} {times:>10,}" for kind, times in sorted(Money.seen.items()))
        sys.stdout.write("\n" + "\n".join((*lines, f"{'seconds':32} {time.monotonic() - began:>10,.0f}\n")))
    assert Money.seen["histories"] >= EXAMPLES
    assert Money.seen["steps"] >= 15 * Money.seen["histories"]
    assert Money.seen["faults"] >= Money.seen["histories"]
    assert Money.seen["bought"] > 0  # how many depends on what this Python draws


@pytest.mark.parametrize("plant", PLANTS, ids=str)
def test_the_machine_finds_a_planted_bug(clip: bytes, monkeypatch: pytest.MonkeyPatch, plant: Plant):
    class Focused(Money):
        """The same machine with a few of its rules."""

        clip_bytes = clip
        only, only_list = frozenset(plant.rules), plant.usual_list

    plant.put(monkeypatch)
    with pytest.raises(plant.by, match=plant.found_as):
        run_state_machine_as_test(Focused, settings=SEARCH)
