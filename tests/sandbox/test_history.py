"""After any calls, time and restarts the accounts add up, and tasks have only gone forward."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from kling.sandbox.store import Store
from tests.sandbox.conftest import Bench

STATUSES = ["submitted", "processing", "succeed", "failed"]
NAMES = ["a", "b", "c", "d", ""]
CONCURRENCY, UNITS = 4, 40


class History(RuleBasedStateMachine):
    """Calls in any sequence; what the sandbox said is remembered and must stay true."""

    def __init__(self):
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.seen: dict[str, str] = {}
        self.named: dict[str, str] = {}
        self.now = 1_795_000_000.0
        self.open()

    def open(self) -> None:
        self.store = Store(str(Path(self.folder.name) / "sandbox.sqlite"))
        self.bench = Bench(self.store, concurrency=CONCURRENCY, units=UNITS)
        self.bench.now = self.now

    def teardown(self):
        self.store.close()
        self.folder.cleanup()

    @rule(name=st.sampled_from(NAMES), seconds=st.sampled_from(["5", "10"]), fails=st.booleans())
    def create(self, name, seconds, fails):
        task_request = {
            "model_name": "kling-v2-6",
            "prompt": "sandbox-failed" if fails else "A fox",
            "duration": seconds,
        }
        answer = self.bench.post(task_request | {"external_task_id": name})
        if name and name in self.named:
            assert answer.body["code"] == 1201
        elif answer.body["code"] == 0:
            task_id = answer.body["data"]["task_id"]
            assert task_id not in self.seen
            self.seen[task_id] = "submitted"
            if name:
                self.named[name] = task_id
        else:
            assert answer.body["code"] in {1102, 1303}

    @rule(pace=st.sampled_from(["immediate", "polls:1", "polls:2", "never", "seconds:30"]))
    def plan(self, pace):
        self.bench.plan(on="create", pace=pace)

    @rule(seconds=st.sampled_from([0.5, 3, 60]))
    def wait(self, seconds):
        self.now += seconds
        self.bench.now = self.now

    @rule()
    def draw_one(self):
        task = self.store.undrawn()
        if task is not None:
            assert self.store.mark_ready(task.task_id, self.bench.engine.clock(self.now))

    @rule()
    def restart(self):
        self.store.close()
        self.open()

    @rule(name=st.sampled_from(NAMES[:-1]))
    def ask(self, name):
        if name in self.named:
            assert self.bench.task(name)["task_id"] == self.named[name]

    @invariant()
    def tasks_are_all_there_and_only_go_forward(self):
        page = self.bench.page(pageSize="500")
        assert [task["task_id"] for task in page] == sorted(self.seen, key=lambda task_id: int(task_id[-5:]))[
            ::-1
        ]
        for task in page:
            status, before = task["task_status"], self.seen[task["task_id"]]
            assert STATUSES.index(status) >= STATUSES.index(before)
            assert status == before or before not in {"succeed", "failed"}
            assert task["updated_at"] >= task["created_at"]
            assert bool(task["task_result"]["videos"]) == (status == "succeed")
            self.seen[task["task_id"]] = status

    @invariant()
    def accounts_add_up(self):
        running = [status for status in self.seen.values() if status in {"submitted", "processing"}]
        assert sum(self.store.in_flight.values()) == len(running) <= CONCURRENCY
        assert self.store.units_used + self.store.units_reserved <= UNITS + 1e-9


TestHistory = History.TestCase
TestHistory.settings = settings(
    max_examples=25,
    stateful_step_count=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
