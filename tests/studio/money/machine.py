"""The random machine: a studio, Kling, people, and everything that can happen to them.

After each step the invariants are checked from the outside: Kling's engines know what was accepted, the file
knows what was recorded, and what the studio says is compared with both.
"""

from __future__ import annotations

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
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from kling import ImageToVideo, InvalidRequest, TextToVideo, VideoToAudio
from kling.endpoint import AnyRequest, endpoint_of
from kling.studio.archive import check_mp4
from kling.studio.ids import adopted_id
from kling.studio.jobs import (
    FAILED,
    NOT_SENT,
    OPEN,
    STATES,
    SUCCEED,
    TERMINAL,
    UNKNOWN,
    WAITING,
    WITHDRAWN,
    Job,
)
from kling.studio.orders import Press
from kling.studio.prompting.words import as_text_to_video
from tests.studio.fakes import order_one
from tests.studio.in_process import LOST_AFTER, LOST_BEFORE, OF_CLIPS
from tests.studio.in_process import NOT_SENT as UNSENT
from tests.studio.in_process import REFUSED as REFUSALS
from tests.studio.money.log import EDITED, LOST, MIXED_UP, OF_MONEY, records, rows, states
from tests.studio.money.process import REFUSED, Process
from tests.studio.money.world import CREDENTIALS, LISTS, LONGEST_LAG, SPELLINGS, World

SCRATCH = Path("/dev/shm") if Path("/dev/shm").is_dir() else None
UNANSWERED = (*LOST_BEFORE, *LOST_AFTER, "5000-after")
ANY = (*UNSENT, *UNANSWERED, *REFUSALS, *OF_CLIPS, "code-1004", "html-404")
JUMPS = (-86_400.0, -7_200.0, -60.0, 60.0, 3_600.0, 86_400.0, 31 * 86_400.0)
A_DAY = 25 * 3600.0  # seconds, and a little more
NOTICED = 61.0  # seconds within which a change of the log is noticed
AT_REST = 30.0  # seconds for which calls are counted
MOST_CALLS = 2 * AT_REST
MOST_STEPS = 10 * AT_REST  # of the poller's loop
RESTING = frozenset({NOT_SENT, FAILED, WITHDRAWN})  # what is not sent by itself
KINDS = ("text2video", "text2video", "image2video", "video2audio", "text-to-video", "image-to-video")
TURBO, FRAME, URL_OF_ANY = "kling-3.0-turbo", "https://kling.test/fox.png", "https://kling.test/a.mp4"
WHEN = st.sampled_from(
    ["while stopped", "while running", "while running, in place", "during the next create"]
)
CHOICE = st.randoms(use_true_random=False)


class Money(RuleBasedStateMachine):
    """One history."""

    clip_bytes = b""
    seen: ClassVar[Counter[str]] = Counter()  # histories, steps, faults and purchases of a whole run
    only_list: ClassVar[str] = ""  # the only usual list of an account; empty: any
    only: ClassVar[frozenset[str]] = frozenset()  # names of the rules that may run; empty: all of them

    def __init__(self) -> None:
        super().__init__()
        self.root = Path(tempfile.mkdtemp(prefix="money-", dir=SCRATCH))
        self.faults: Counter[str] = Counter()
        self.ordered: Counter[str] = Counter()
        self.withdrawn: dict[str, int] = {}  # by id: how many creates had left when it was taken back
        self.called_free: set[str] = set()  # ids that rest, of which the studio said that nothing was spent
        self.taken_in: set[str] = set()  # ids of jobs that somebody took in from the account
        self.accepted_here: set[str] = set()  # ids of which this process knew that they are accepted
        self.given_up: set[str] = set()  # ids that a person took the risk to give up
        self.away: set[str] = set()  # ids of accepted tasks that a change took out of the log
        self.replaced_at: float | None = None  # when the log was changed behind the running studio's back
        self.starts_seen = 0
        self.kept = b""  # what the last change from outside left in the log
        self.of_a_newer_version: dict[
            str, str
        ] = {}  # ids of an endpoint that is not known, with their states
        self.other: Process | None = None

    @classmethod
    def setup_state(cls) -> Any:
        state = super().setup_state()
        if cls.only:
            state.rules[:] = [one for one in state.rules if one.function.__name__ in cls.only]
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
        list_ = self.only_list or list_
        for account in self.world.accounts.values():
            account.lag(lag)
            account.is_late = is_late
            account.list = account.usual_list = list_
        self.process = Process(self.world, self.root / "data", self.clip_bytes)

    @property
    def studio(self) -> Any:
        return self.process.studio

    def jobs(self, *in_states: str) -> list[Job]:
        return [job for job in self.studio.ledger.jobs() if not in_states or job.state in in_states]

    def log(self) -> bytes:
        path = self.process.copies.path
        return path.read_bytes() if path.exists() else b""

    def bought_by(self, process: Process, *whose: str) -> list[dict[str, str]]:
        """Return the tasks that Kling has accepted of one studio, in all accounts or in some."""
        sent = set(process.network.posts)
        accounts = [self.world.accounts[name] for name in whose or self.world.accounts]
        return [task for account in accounts for task in account.tasks() if task["external_task_id"] in sent]

    def fault(self, kind: str, times: int = 1) -> None:
        self.faults[kind] += times

    # -- what people do --------------------------------------------------------------------------------------

    @rule(
        presses=st.integers(1, 3),
        kind=st.sampled_from(KINDS),
        model=st.sampled_from(["kling-v2-6", "kling-v3"]),
        fails=st.sampled_from(["", "", "", " sandbox-failed"]),
        jump=st.sampled_from([0.0, 0.0, *JUMPS]),
    )
    def order(self, presses: int, kind: str, model: str, fails: str, jump: float) -> None:
        prompt = f"request {len(self.ordered)}{fails}"
        self.ordered[prompt] += 1
        self.seen[f"ordered: {kind}"] += 1
        request = self.request(kind, prompt, model)
        studio = self.studio
        if not studio.may_use(endpoint_of(request)):
            with pytest.raises(InvalidRequest, match="API key"):
                order_one(studio, request, Press(person="p", session="s"))
            return
        for press in range(presses):
            if self.studio is studio:  # a browser's session does not outlive the process
                if press and jump:
                    self.fault("clock jumps")
                    self.world.wrong += jump
                self.process.alive(lambda: order_one(studio, request, Press(person="p", session="s")))

    def request(self, kind: str, prompt: str, model: str) -> AnyRequest:
        """Return a request of a kind of endpoint that no other one is equal to."""
        watermark = len(self.ordered) % 3 == 0
        match kind:
            case "video2audio":
                clips = [job["video_id"] for job in self.jobs(SUCCEED) if job["video_id"]]
                source = VideoToAudio(video_id=clips[-1]) if clips else VideoToAudio(video_url=URL_OF_ANY)
                return replace(source, sound_effect_prompt=prompt)
            case "image2video" | "image-to-video":
                name = model if kind == "image2video" else TURBO
                return ImageToVideo(prompt=prompt, image=FRAME, model_name=name, watermark=watermark)
            case _:
                name = model if kind == "text2video" else TURBO
                return TextToVideo(prompt=prompt, model_name=name, watermark=watermark)

    @rule(takes=st.integers(1, 4), presses=st.integers(1, 2))
    def order_a_batch(self, takes: int, presses: int) -> None:
        prompt = f"request {len(self.ordered)}"
        self.ordered[prompt] += takes
        studio = self.studio
        for _ in range(presses):
            if self.studio is studio:
                self.process.alive(
                    lambda: studio.order_all(
                        [TextToVideo(prompt=prompt)] * takes,
                        Press(person=f"p{takes}", session="s", group=prompt),
                    )
                )

    @rule(choice=CHOICE)
    def withdraw_a_batch(self, choice: random.Random) -> None:
        groups = sorted({job.group for job in self.jobs() if job.group})
        if groups:
            before = {job.id for job in self.jobs(WITHDRAWN)}
            self.process.alive(self.studio.orders.withdraw_group, choice.choice(groups))
            for job in self.jobs(WITHDRAWN):
                if job.id not in before:
                    self._note_withdrawn(job.id)

    @rule(choice=CHOICE)
    def decide(self, choice: random.Random) -> None:
        jobs = self.jobs(WAITING, NOT_SENT)
        if jobs:
            job_id = choice.choice(jobs).id
            if choice.random() < 0.5:
                if self.process.alive(self.studio.orders.withdraw, job_id) is not REFUSED:
                    self._note_withdrawn(job_id)
            else:
                self.send_again(job_id)

    def _note_withdrawn(self, job_id: str) -> None:
        self.withdrawn[job_id] = self.process.network.posts.count(job_id)

    def send_again(self, job_id: str) -> None:
        self.called_free.discard(job_id)
        self.withdrawn.pop(job_id, None)
        self.process.alive(self.studio.orders.send_again, job_id)

    @rule(choice=CHOICE)
    def give_up(self, choice: random.Random) -> None:
        jobs = self.jobs(UNKNOWN)
        if jobs:
            job_id = choice.choice(jobs).id
            self.given_up.add(job_id)
            self.process.alive(self.studio.orders.give_up, job_id)

    @rule()
    def resume(self) -> None:
        self.process.alive(self.studio.resume)

    @rule(choice=CHOICE)
    def rate(self, choice: random.Random) -> None:
        jobs = self.jobs()
        if jobs:
            self.process.alive(lambda: self.studio.ledger.append(choice.choice(jobs).id, rating="5"))

    @rule(choice=CHOICE)
    def take_in(self, choice: random.Random) -> None:
        """Somebody takes in a few of the tasks that a scan has found and nobody here has ordered."""
        found = self.studio.scan.findings
        tasks = [*found.maybe_ours, *found.foreign][:50]
        if tasks:
            chosen = choice.sample(tasks, min(3, len(tasks)))
            # Noted before: a disk that fails may have recorded them all the same.
            ids = {id_ for task in chosen for id_ in (task.external_task_id, adopted_id(task.task_id)) if id_}
            self.taken_in |= ids - {job.id for job in self.jobs()}
            self.process.alive(self.studio.take_in, [task.task_id for task in chosen])

    @rule(state=st.sampled_from(STATES))
    def go_back_to_this_version(self, state: str) -> None:
        """A newer version has ordered something at an endpoint that this one does not know."""
        studio, cells = self.studio, {"endpoint": "motion-control", "prompt": "of a newer version"}

        def order() -> None:
            job_id = f"v{studio.mark()}-{len(self.of_a_newer_version):024x}"
            self.of_a_newer_version[job_id] = state
            studio.ledger.append(job_id, state=state, account=studio.accounts.name, **cells)

        self.process.alive(order)
        self.restart()

    @rule()
    def scan_the_account(self) -> None:
        self.process.alive(self.studio.scan_account)

    @rule(key=st.sampled_from(list(CREDENTIALS)))
    def change_the_key(self, key: str) -> None:
        self.fault("keys changed", key != self.process.key)
        self.process.key = key
        self.restart()

    @rule(others=st.sampled_from([1, 2, 4]))
    def another_studio_orders(self, others: int) -> None:
        """A colleague's studio on the same account, with a folder of its own."""
        self.fault("orders of another studio")
        if self.other is None:
            self.other = Process(self.world, self.root / "other", self.clip_bytes)
        studio = self.other.studio
        for _ in range(others):
            prompt = f"theirs {len(self.ordered)}"
            self.ordered[prompt] += 1
            order_one(studio, TextToVideo(prompt=prompt), Press(person="q", session="t"))

    # -- time ------------------------------------------------------------------------------------------------

    @rule()
    def tick(self) -> None:
        self.process.step()

    @rule(seconds=st.sampled_from([0.5, 2.0, 6.0, 20.0, 60.0, 200.0, 1000.0]))
    def advance(self, seconds: float) -> None:
        began = self.world.true
        self.let_pass(seconds)
        disk = self.process.disk
        if self.replaced_at is not None and (disk.failed or disk.unconfirmed or disk.in_doubt):
            self.replaced_at = self.world.true  # what is noticed could not be written
        elif self.replaced_at is not None and self.world.true > self.replaced_at + NOTICED:
            self.replaced_at = None
        disk.failed = False
        if seconds >= AT_REST:
            self.check_the_rest(began)

    def let_pass(self, seconds: float) -> None:
        """Let time pass as the studios' own threads see it."""
        end = self.world.true + seconds
        processes = [self.process, self.other] if self.other else [self.process]
        while True:
            process = min(processes, key=Process.due)
            if (due := process.due()) > end:
                break
            self.world.true = max(self.world.true, due)
            process.step()
        self.world.true = end

    def check_the_rest(self, began: float) -> None:
        process = self.process
        for what, times, most in (
            ("calls to Kling", process.network.called, MOST_CALLS),
            ("writes to the log", process.disk.tried, MOST_CALLS),
            ("steps of the poller", process.steps, MOST_STEPS),
        ):
            inside = [time for time in times if time > began]
            for first, last in zip(inside, inside[int(most) :], strict=False):
                assert last - first >= AT_REST, f"more than {most:.0f} {what} in {last - first:.1f} s at rest"

    # -- what Kling and the network do -----------------------------------------------------------------------

    @rule(fault=st.sampled_from(ANY))
    def spoil_the_next_answer(self, fault: str) -> None:
        self.fault("answers spoilt")
        self.process.network.faults.append(fault)

    @rule(times=st.integers(1, 12), fault=st.sampled_from(UNSENT + UNANSWERED))
    def spoil_several_answers(self, times: int, fault: str) -> None:
        self.fault("answers spoilt", times)
        self.process.network.faults.extend([fault] * times)

    @rule()
    def deliver_the_next_create_twice(self) -> None:
        self.fault("creates delivered twice", not self.world.duplicates)
        self.process.network.next_create_twice = True

    @rule(lag=st.sampled_from([0.0, 20.0, LONGEST_LAG]), whose=st.sampled_from(["ours", "theirs"]))
    def change_the_lag(self, lag: float, whose: str) -> None:
        self.fault("lags")
        self.world.accounts[whose].lag(lag)

    @rule(spelling=st.sampled_from(SPELLINGS))
    def spell_otherwise(self, spelling: str) -> None:
        self.fault("spellings")
        for account in self.world.accounts.values():
            account.spelling = spelling

    @rule(list_=st.sampled_from(LISTS))
    def show_another_list(self, list_: str) -> None:
        self.fault("lists")
        for account in self.world.accounts.values():
            account.list = list_

    @rule(times=st.integers(1, 6))
    def answer_with_a_stranger(self, times: int) -> None:
        self.fault("strangers", times)
        self.world.accounts["ours"].strangers = times

    @rule()
    def forget_for_a_while(self) -> None:
        self.fault("tasks denied for a while")
        self.world.accounts["ours"].forget_for_a_while()

    @rule(count=st.sampled_from([3, 40, 3000]))
    def others_order(self, count: int) -> None:
        self.fault("foreign tasks", count)
        account = self.world.accounts["ours"]
        if len(account.foreign) < 10_000:
            account.others_order(count)

    @rule(seconds=st.sampled_from([5.0, 30.0, 200.0]))
    def keep_the_workers_busy(self, seconds: float) -> None:
        """Calls that were handed over begin only later."""
        self.process.slow_until = self.world.true + seconds

    # -- what the machine does -------------------------------------------------------------------------------

    @rule(seconds=st.sampled_from(JUMPS))
    def jump(self, seconds: float) -> None:
        self.fault("clock jumps")
        self.world.wrong += seconds

    @rule(skip=st.integers(0, 2))
    def fill_the_disk(self, skip: int) -> None:
        self.fault("full disks")
        self.process.disk.writes = [""] * skip + ["full"]

    @rule(seconds=st.sampled_from([1.0, 30.0, 400.0]))
    def fill_the_disk_for_a_while(self, seconds: float) -> None:
        self.fault("full disks")
        self.process.disk.full_until = self.world.true + seconds

    @rule(times=st.integers(1, 2), truncations=st.integers(0, 2))
    def fail_to_confirm(self, times: int, truncations: int) -> None:
        """The next fsyncs fail, and maybe so does taking back what was written."""
        self.fault("failed fsyncs", times)
        self.process.disk.fsyncs, self.process.disk.ftruncates = times, truncations

    @rule(skip=st.integers(0, 2))
    def die_in_a_write(self, skip: int) -> None:
        self.fault("kills")
        self.process.disk.writes = [""] * skip + ["killed"]

    @rule(point=st.sampled_from(["before-call", "after-call"]))
    def die_around_a_call(self, point: str) -> None:
        self.fault("kills")
        self.process.network.kill_at = point

    @rule()
    def kill_and_start_again(self) -> None:
        self.fault("kills")
        self.restart()

    def restart(self, between: Callable[[], object] = lambda: None) -> None:
        self.process.restart(between=between)

    # -- what people do to the log ---------------------------------------------------------------------------

    @rule(what=st.sampled_from(LOST), choice=CHOICE, when=WHEN)
    def lose_a_part_of_the_log(self, what: str, choice: random.Random, when: str) -> None:
        self.change_the_log(what, choice, when)

    @rule(what=st.sampled_from(MIXED_UP), choice=CHOICE, when=WHEN)
    def mix_up_the_log(self, what: str, choice: random.Random, when: str) -> None:
        self.change_the_log(what, choice, when)

    @rule(what=st.sampled_from(EDITED), choice=CHOICE, when=WHEN)
    def edit_the_log_in_a_spreadsheet(self, what: str, choice: random.Random, when: str) -> None:
        self.change_the_log(what, choice, when)

    @rule(choice=CHOICE)
    def restore_the_whole_folder(self, choice: random.Random) -> None:
        """An earlier copy of the log is put back together with what lay beside it.

        It is from a time before Kling would have shown what was created since.
        """
        if self.is_late:
            return
        self.fault("logs changed while stopped")
        self.restart(lambda: self._change(lambda: self.process.copies.restore_all(choice)))

    def change_the_log(self, what: str, choice: random.Random, when: str) -> None:
        def change() -> None:
            self.fault(f"logs changed {when}")
            in_place = when == "while running, in place"
            self._change(lambda: self.process.copies.change(what, choice, in_place=in_place))

        if when == "while stopped":
            self.restart(change)
        elif when == "during the next create":
            self.process.network.during_the_next_create = change
        else:
            change()

    def _change(self, act: Callable[[], bytes]) -> None:
        self.process.copies.keep()
        data = act()
        self.kept = b"".join(records(data))
        self.process.acknowledged.clear()
        known = {row["external_task_id"] for row in rows(data)}
        self.away |= {task["external_task_id"] for task in self.bought_by(self.process)} - known
        self.replaced_at = self.world.true

    # -- what must hold --------------------------------------------------------------------------------------

    @invariant()
    def check(self) -> None:
        for check in self.checks:
            check(self)

    def keep_count(self) -> None:
        self.seen["steps"] += 1
        if self.process.starts != self.starts_seen:  # a new process has read the log as it is
            self.starts_seen, self.replaced_at, self.accepted_here = self.process.starts, None, set()
        data = self.process.copies.keep()
        self.away -= {row["external_task_id"] for row in rows(data)}

    def each_request_is_accepted_at_most_once(self) -> None:
        bought = Counter(task["prompt"] for task in self.world.tasks())
        for prompt, times in bought.items():
            assert times <= self.ordered[prompt], f"{prompt} was bought {times} times"

    def each_accepted_task_has_a_row(self) -> None:
        for process in filter(None, (self.process, self.other)):
            path = process.copies.path
            known = {row["external_task_id"] for row in rows(path.read_bytes())} if path.exists() else set()
            for task in self.bought_by(process):
                if task["external_task_id"] not in known | self.away:
                    raise AssertionError(f"{task['prompt']} was paid for and is in no log")

    def no_acknowledged_row_is_missing(self) -> None:
        data = self.log()
        assert data.startswith(self.kept), "the studio changed what was in the log"
        at = len(self.kept)
        for record in self.process.acknowledged:
            found = data.find(record, at)
            assert found >= 0, f"an acknowledged row is gone: {record!r}"
            at = found + len(record)

    def memory_is_what_the_file_says(self) -> None:
        disk = self.process.disk
        if self.replaced_at is not None or disk.in_doubt:
            return
        file = states(self.log())
        memory = {job.id: job.state for job in self.jobs()}
        ours = {job_id: state for job_id, state in memory.items() if job_id in file}
        # What is left of a job may be a row that says no state: it is for a person to decide.
        file = {job_id: state or NOT_SENT for job_id, state in file.items()}
        differ = {job_id: (ours.get(job_id), file.get(job_id)) for job_id in ours.keys() | file.keys()}
        differ = {job_id: both for job_id, both in differ.items() if both[0] != both[1]}
        assert not differ, f"memory and file differ: {differ}"

    def what_was_in_memory_is_written_again(self) -> None:
        if self.replaced_at is None:
            lost = {job.id for job in self.jobs() if job["task_id"]} - states(self.log()).keys()
            assert not lost, f"{lost} stand in memory only"

    def nothing_accepted_is_called_free(self) -> None:
        accepted = self.world.accepted()
        for job in self.jobs():
            free = self.studio.nothing_spent(job)
            assert not (free and job.id in accepted), f"{job.id} ({job.state}) is paid for and called free"
            if free and job.state in RESTING:
                self.called_free.add(job.id)
            assert not OF_MONEY.search(job.message), f"the log speaks of money: {job.message}"
        bought = self.called_free & accepted.keys()
        assert not bought, f"{bought} were bought after the page had said that nothing was spent"

    def nothing_withdrawn_is_bought(self) -> None:
        for job_id, before in self.withdrawn.items():
            posts = self.process.network.posts.count(job_id)
            assert posts == before, f"{job_id} was sent after it had been taken back"

    def nothing_accepted_is_taken_back(self) -> None:
        now = {job.id for job in self.jobs() if job.accepted}
        assert self.accepted_here <= now, f"{self.accepted_here - now} are no longer accepted"
        self.accepted_here = now

    def each_file_has_a_job(self) -> None:
        known = {job.id for job in self.jobs()}
        if not self.process.has_stepped or self.process.disk.failed or self.process.disk.unconfirmed:
            return
        for path in (self.process.folder / "videos").glob("*.mp4"):
            job_id = path.name.partition(".")[0]
            assert job_id in known, f"{path.name} belongs to no job"

    def nobody_elses_task_is_taken(self) -> None:
        for process in (self.process, self.other):
            if process is not None:
                ids = {job.id for job in process.studio.ledger.jobs()} - self.taken_in
                # A press that took in tasks of older ids may have been cut off by a kill before it was noted.
                marks = {job_id.partition("-")[0] for job_id in ids if "-" in job_id}
                assert len(marks) <= 1, f"jobs of several folders: {marks}"

    def what_lasts_has_a_reason_and_a_next_step(self) -> None:
        for job in self.jobs():
            if job.state in OPEN or job.state == NOT_SENT or (job.state == SUCCEED and not job["file"]):
                said = self.studio.explain(job)
                assert said is not None, f"nothing is said about {job.id} ({job.state})"
                assert said.why.strip(), f"{job.id} ({job.state}) has no reason"
                assert said.next.strip(), f"{job.id} ({job.state}) has no next step"

    def what_a_newer_version_ordered_is_left_alone(self) -> None:
        for job in self.jobs():
            if state := self.of_a_newer_version.get(job.id):
                assert job.id not in self.process.network.posts, f"{job.id} was sent to another endpoint"
                assert job.state in {state, NOT_SENT}, f"{job.id} was {state} and is {job.state}"
                assert not self.studio.nothing_spent(job), f"{job.id} is called free"

    def the_pages_can_be_drawn(self) -> None:
        list(self.studio.warnings)
        assert self.studio.running >= 0
        assert self.studio.waiting >= 0
        assert len(self.studio.admission.holds) < 100
        assert min(self.studio.downloads.not_safe) >= 0

    checks: ClassVar[tuple[Callable[[Money], None], ...]] = (
        keep_count,
        each_request_is_accepted_at_most_once,
        each_accepted_task_has_a_row,
        no_acknowledged_row_is_missing,
        memory_is_what_the_file_says,
        what_was_in_memory_is_written_again,
        nothing_accepted_is_called_free,
        nothing_withdrawn_is_bought,
        nothing_accepted_is_taken_back,
        each_file_has_a_job,
        nobody_elses_task_is_taken,
        what_lasts_has_a_reason_and_a_next_step,
        what_a_newer_version_ordered_is_left_alone,
        the_pages_can_be_drawn,
    )

    # -- the end ---------------------------------------------------------------------------------------------

    def teardown(self) -> None:
        """When the faults end, everything ends: as a verified file, or with a reason and a way on."""
        if not hasattr(self, "process"):
            return
        try:
            if sys.exception() is None:  # nothing has failed so far
                self._settle_all()
                self._check_the_end()
            self.seen.update(histories=1, faults=self.faults.total(), bought=len(list(self.world.tasks())))
            self.seen.update({f"faults: {kind}": times for kind, times in self.faults.items()})
        finally:
            for process in filter(None, (self.process, self.other)):
                process.stop()
            self.world.close()
            shutil.rmtree(self.root, ignore_errors=True)

    def _settle_all(self) -> None:
        for process in filter(None, (self.process, self.other)):
            process.network.mend()
            process.disk.mend()
            process.slow_until = 0.0
        self.world.wrong = 0.0
        for account in self.world.accounts.values():
            account.mend()
        self._settle_with("new key", "ours")  # a pair does not open every endpoint
        if self.world.accounts["theirs"].tasks():
            self._settle_with("other account", "theirs")
        self.replaced_at = None

    def _settle_with(self, key: str, whose: str) -> None:
        """Let time pass until everything of an account has ended. What the log lost is found in the night."""
        if key != self.process.key or self.process.disk.unconfirmed or self.process.disk.in_doubt:
            self.process.key = key
            self.restart()
        for seconds in (5.0, 30.0, 120.0, 600.0, 600.0, 1200.0, A_DAY):
            if seconds == A_DAY:
                self._check_that_nothing_waits()
            self.let_pass(seconds)
            self.nothing_accepted_is_called_free()
            if all(self._has_settled(process, whose) for process in (self.process, self.other) if process):
                break
        self._check_that_nothing_waits()

    def _check_that_nothing_waits(self) -> None:
        for job in self.jobs():
            if self.studio.accounts.owns(job) and job.id not in self.taken_in:
                assert job.state in TERMINAL | {NOT_SENT}, f"{job.id} waits for ever as {job.state}"
                assert job.state != SUCCEED or job["file"], f"the video of {job.id} is never fetched"

    def _has_settled(self, process: Process, whose: str) -> bool:
        bought = {task["external_task_id"] for task in self.bought_by(process, whose)}
        studio = process.studio
        ended = {
            job.id for job in studio.ledger.jobs() if job.has_clip or (job.accepted and job.state == FAILED)
        }
        open_ = {job.id for job in studio.ledger.unfinished() if studio.accounts.owns(job)}
        return bought <= ended and open_ <= self.taken_in

    def _check_the_end(self) -> None:
        for process in filter(None, (self.process, self.other)):
            jobs = {job.id: job for job in process.studio.ledger.jobs()}
            for task in self.bought_by(process):
                job_id, prompt = task["external_task_id"], task["prompt"]
                if job_id in self.away | self.given_up and self.world.accounts["ours"].usual_list == "404":
                    continue  # nobody asks for it by its id any more, and Kling lists nothing
                assert job_id in jobs, f"{prompt} was paid for and is on no page"
                end = FAILED if task["fails"] else SUCCEED
                assert jobs[job_id].state == end, f"{prompt} ended as {end} and is {jobs[job_id].state}"
                if end == SUCCEED:
                    check_mp4(process.studio.archive.video(job_id))
                    if as_text_to_video(jobs[job_id].request).watermark:
                        check_mp4(process.studio.archive.video(job_id, watermark=True))
        assert not list(self.root.glob("**/*.part"))
        self.keep_count()
        for check in (
            self.each_request_is_accepted_at_most_once,
            self.each_accepted_task_has_a_row,
            self.no_acknowledged_row_is_missing,
            self.nothing_accepted_is_called_free,
            self.nothing_withdrawn_is_bought,
            self.nobody_elses_task_is_taken,
        ):
            check()
