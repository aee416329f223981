"""No task lost, none paid twice: the real studio against the real sandbox engine, under every fault at once.

A state machine (Hypothesis) orders, ticks, advances the clock, spoils answers, fills the disk, and kills and
restarts the studio; after each step the invariants are checked from the outside: the engine knows what was
accepted, the file knows what was recorded. `MONEY_EXAMPLES` sets how many histories are run.
"""

from __future__ import annotations

import contextlib
import errno
import os
import random
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    rule,
    run_state_machine_as_test,
)

from kling import Client, MaybeSent, Task, TextToVideo
from kling.errors import KlingError
from kling.studio.archive import check_mp4
from kling.studio.jobs import NOT_SENT, SUCCEED, TERMINAL, WAITING, Job, StateChanged
from kling.studio.ledger.csv_file import LedgerError, LogFile, parse
from kling.studio.orders import Orders
from kling.studio.settings import Settings
from kling.studio.studio import Studio
from tests.studio.clips import tiny_clip
from tests.studio.in_process import (
    LOST_AFTER,
    LOST_BEFORE,
    OF_CLIPS,
    REFUSED,
    InProcess,
    Killed,
    Wire,
    engine_at,
)
from tests.studio.in_process import (
    NOT_SENT as UNSENT,
)

EXAMPLES = int(os.environ.get("MONEY_EXAMPLES", "60"))
START = 1_790_000_000.0
SCRATCH = Path("/dev/shm") if Path("/dev/shm").is_dir() else None


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return tiny_clip(tmp_path_factory.mktemp("clip") / "clip.mp4")


class Money(RuleBasedStateMachine):
    """One history: a studio, an engine, and everything that can happen to them."""

    clip_bytes = b""
    seen: ClassVar[Counter[str]] = Counter()  # histories, steps, faults and purchases of a whole run

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="money-", dir=SCRATCH))
        self.now = START
        self.engine = engine_at(self.now)
        self.wire = Wire(self.engine, self.clip_bytes, lambda: self.now)
        self.wishes: Counter[str] = Counter()
        self.acknowledged: list[bytes] = []
        self.disk: list[object] = []
        self.studio: Studio | None = None
        self.faults = 0
        self.open()

    # -- the studio, its disk and its deaths ---------------------------------------------------------------

    def open(self) -> None:
        file = LogFile(self.folder / "history.csv", write=self.write, fsync=lambda _handle: None)
        append = file.append

        def noted(record: bytes) -> None:
            append(record)
            self.acknowledged.append(record)

        file.append = noted  # type: ignore[method-assign]
        self.studio = Studio(
            Settings(data_dir=self.folder),
            connection=InProcess(self.wire),
            file=file,
            clock=lambda: self.now,
            run=lambda call: call(),
        )

    def write(self, handle: int, data: bytes) -> int:
        what = self.disk.pop(0) if self.disk else None
        if what is Killed:
            os.write(handle, data[: len(data) // 2])  # the tail is torn
            raise Killed
        if isinstance(what, OSError):
            return os.write(handle, data[: len(data) // 3])  # a short write: the disk is full
        return os.write(handle, data)

    def restart(self) -> None:
        assert self.studio is not None
        self.studio._lock.release()
        self.disk.clear()
        self.wire.kill_at = ""
        self.open()

    def alive(self, act: object, *arguments: object) -> object:
        """Do something; if the process dies of it, start it again."""
        try:
            return act(*arguments)  # type: ignore[operator]
        except Killed:
            self.restart()
        except (LedgerError, StateChanged):
            pass
        return None

    # -- what can happen -----------------------------------------------------------------------------------

    @rule(presses=st.integers(1, 3), model=st.sampled_from(["kling-v2-6", "kling-v3"]))
    def order(self, presses: int, model: str) -> None:
        prompt = f"wish {len(self.wishes)}"
        self.wishes[prompt] += 1
        request = TextToVideo(prompt=prompt, model_name=model, watermark=len(self.wishes) % 3 == 0)
        studio = self.studio
        for _ in range(presses):
            if self.studio is studio:  # a browser's session does not outlive the process
                self.alive(lambda: studio.order(request, person="p", session="s"))  # type: ignore[union-attr]

    @rule(takes=st.integers(1, 4), presses=st.integers(1, 2))
    def order_a_batch(self, takes: int, presses: int) -> None:
        prompt = f"wish {len(self.wishes)}"
        self.wishes[prompt] += takes
        studio = self.studio
        for _ in range(presses):
            if self.studio is studio:
                self.alive(
                    lambda: studio.order_all(  # type: ignore[union-attr]
                        [TextToVideo(prompt=prompt)] * takes, person=f"p{takes}", session="s", group=prompt
                    )
                )

    @rule(choice=st.randoms(use_true_random=False))
    def withdraw_a_batch(self, choice: random.Random) -> None:
        groups = sorted({job.group for job in self.studio.ledger.jobs()})  # type: ignore[union-attr]
        if groups:
            self.alive(self.studio.withdraw_group, choice.choice(groups))  # type: ignore[union-attr]

    @rule()
    def tick(self) -> None:
        self.alive(self.studio.poller.step)  # type: ignore[union-attr]

    @rule(seconds=st.sampled_from([0.5, 2, 6, 20, 60, 400, 1200]))
    def advance(self, seconds: float) -> None:
        self.now += seconds
        self.wire.deliver()
        self.tick()

    @rule(fault=st.sampled_from(UNSENT + LOST_BEFORE + LOST_AFTER + REFUSED + OF_CLIPS))
    def spoil_the_next_answer(self, fault: str) -> None:
        self.faults += 1
        self.wire.faults.append(fault)

    @rule(times=st.integers(1, 4), fault=st.sampled_from(UNSENT + LOST_BEFORE + LOST_AFTER))
    def spoil_several_answers(self, times: int, fault: str) -> None:
        self.faults += 1
        self.wire.faults.extend([fault] * times)

    @rule(skip=st.integers(0, 2))
    def fill_the_disk(self, skip: int) -> None:
        self.faults += 1
        self.disk = [None] * skip + [OSError(errno.ENOSPC, "No space left on device")]

    @rule(skip=st.integers(0, 2))
    def die_in_a_write(self, skip: int) -> None:
        self.faults += 1
        self.disk = [None] * skip + [Killed]

    @rule(point=st.sampled_from(["before-call", "after-call"]))
    def die_around_a_call(self, point: str) -> None:
        self.faults += 1
        self.wire.kill_at = point

    @rule()
    def kill_and_start_again(self) -> None:
        self.restart()

    @rule(choice=st.randoms(use_true_random=False))
    def rate(self, choice: random.Random) -> None:
        jobs = self.studio.ledger.jobs()  # type: ignore[union-attr]
        if jobs:
            self.alive(lambda: self.studio.ledger.append(choice.choice(jobs).id, rating="5"))  # type: ignore[union-attr]

    @rule(choice=st.randoms(use_true_random=False))
    def decide(self, choice: random.Random) -> None:
        jobs = [job for job in self.studio.ledger.jobs() if job.state in {WAITING, NOT_SENT}]  # type: ignore[union-attr]
        if jobs:
            act = choice.choice([self.studio.withdraw, self.studio.send_again])  # type: ignore[union-attr]
            self.alive(act, choice.choice(jobs).id)

    # -- what must hold --------------------------------------------------------------------------------------

    @invariant()
    def count_the_step(self) -> None:
        self.seen["steps"] += 1

    @invariant()
    def each_wish_is_accepted_at_most_once(self) -> None:
        prompts = Counter(task.request["prompt"] for task in self.engine.store.page(1, 500))
        for prompt, accepted in prompts.items():
            assert accepted <= self.wishes[prompt], f"{prompt} was bought {accepted} times"

    @invariant()
    def each_accepted_task_has_a_row(self) -> None:
        known = {row["external_task_id"] for row in parse((self.folder / "history.csv").read_bytes()).rows}
        for task in self.engine.store.page(1, 500):
            assert task.external_task_id in known, f"{task.request['prompt']} was paid for and is in no log"

    @invariant()
    def no_acknowledged_row_is_missing(self) -> None:
        data = (self.folder / "history.csv").read_bytes()
        at = 0
        for record in self.acknowledged:
            found = data.find(record, at)
            assert found >= 0, f"an acknowledged row is gone: {record!r}"
            at = found + len(record)

    @invariant()
    def memory_is_what_the_file_says(self) -> None:
        assert self.studio is not None
        if not self.disk:
            rows = parse((self.folder / "history.csv").read_bytes()).rows
            assert list(dict.fromkeys(row["external_task_id"] for row in rows)) == [
                job.id for job in self.studio.ledger.jobs()
            ]

    def teardown(self) -> None:
        """When the faults end, everything ends: as a verified file, or with a reason and a way on."""
        try:
            assert self.studio is not None
            self.wire.faults.clear()
            self.disk.clear()
            self.wire.kill_at = ""
            for _ in range(300):
                self.wire.deliver()
                due = self.studio.poller.step()
                if due is None:
                    break
                self.now = max(self.now + 0.5, due)
            for job in self.studio.ledger.jobs():
                assert job.state in TERMINAL | {NOT_SENT}, (
                    f"{job.id} waits for ever as {job.state}: {job['message']}"
                )
                assert job.state == SUCCEED or job["message"] or job["task_status_msg"]
                if job.state == SUCCEED:
                    check_mp4(self.studio.archive.video(job.id))
                    if job.request.watermark:
                        check_mp4(self.studio.archive.video(job.id, watermark=True))
            self.seen.update(histories=1, faults=self.faults, bought=self.engine.store.last)
            paid = {task.external_task_id for task in self.engine.store.page(1, 500)}
            arrived = {job.id for job in self.studio.ledger.jobs() if job.state == SUCCEED}
            assert paid <= arrived, "a task was paid for and has no video"
            assert not list(self.folder.glob("**/*.part"))
            self.each_wish_is_accepted_at_most_once()
            self.no_acknowledged_row_is_missing()
        finally:
            if self.studio is not None:
                self.studio.stop()
            self.engine.store.close()
            shutil.rmtree(self.folder, ignore_errors=True)


QUICK = settings(
    max_examples=EXAMPLES,
    stateful_step_count=30,
    deadline=None,
    derandomize="MONEY_EXAMPLES" not in os.environ,
    suppress_health_check=list(HealthCheck),
    print_blob=True,
)


def test_no_history_loses_a_task_or_pays_twice(clip: bytes):
    Money.clip_bytes = clip
    Money.seen.clear()
    run_state_machine_as_test(Money, settings=QUICK)
    seen = Money.seen
    sys.stdout.write(f"\n{dict(seen)}\n")
    assert seen["steps"] >= 20 * seen["histories"]
    assert seen["faults"] >= seen["histories"]


# -- the machine itself is tested: it has to find bugs that are planted here --------------------------------


def a_fresh_id_on_retry(monkeypatch: pytest.MonkeyPatch) -> None:
    submit = Client.submit

    def try_twice(self: Client, request: TextToVideo) -> Task:
        try:
            return submit(self, request)
        except MaybeSent:
            return submit(self, replace(request, external_task_id=f"{request.external_task_id}x"))

    monkeypatch.setattr(Client, "submit", try_twice)


def the_post_before_the_intent(monkeypatch: pytest.MonkeyPatch) -> None:
    order = Orders.order

    def post_first(self: Orders, request: TextToVideo, **about: Any) -> Job:
        with contextlib.suppress(KlingError):
            self._sender._connection.client().submit(replace(request, external_task_id="posted-first"))
        return order(self, request, **about)

    monkeypatch.setattr(Orders, "order", post_first)


def a_row_lost_at_a_full_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    append = LogFile.append

    def careless(self: LogFile, record: bytes) -> None:
        with contextlib.suppress(LedgerError):
            append(self, record)

    monkeypatch.setattr(LogFile, "append", careless)


@pytest.mark.parametrize(
    "plant", [a_fresh_id_on_retry, the_post_before_the_intent, a_row_lost_at_a_full_disk]
)
def test_the_machine_finds_a_planted_bug(
    clip: bytes, monkeypatch: pytest.MonkeyPatch, plant: Callable[[pytest.MonkeyPatch], None]
):
    Money.clip_bytes = clip
    plant(monkeypatch)
    search = settings(QUICK, max_examples=400, phases=[Phase.generate], derandomize=True, print_blob=False)
    with pytest.raises(AssertionError):
        run_state_machine_as_test(Money, settings=search)
