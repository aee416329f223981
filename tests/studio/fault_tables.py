"""The fault matrix of README: each fault by each call, what the studio did, what the person was told.

    python -m tests.studio.fault_tables

Every cell is a run of the real studio against the real sandbox engine in this process, with a fake clock.
"""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from kling import TextToVideo
from kling.studio.evidence import AFTER_CREATE, AFTER_NO_TASK, Age, Known
from kling.studio.jobs import SUCCEED, Job
from kling.studio.orders import Press
from kling.studio.service import Studio
from kling.studio.settings import Settings
from tests.studio.clips import InProcessChecker, tiny_clip
from tests.studio.fakes import order_one
from tests.studio.in_process import KEYS, URL, InProcess, Wire, engine_at

FAULTS = {
    "connection refused": "refused",
    "host not known": "no-host",
    "connecting times out": "connect-timeout",
    "reset before it arrived": "reset-before",
    "reset after it arrived": "reset-after",
    "no answer in time": "timeout",
    "it arrives late, 9 s after we gave up": "late",
    "empty body": "empty",
    "half a body": "short",
    "garbage": "garbage",
    "HTML with status 502": "html-502",
    "an answer without a task_id": "no-task-id",
    "1002 wrong key": "code-1002",
    "1004 token expired, once": "code-1004",
    "1102 no balance": "code-1102",
    "1103 model not allowed": "code-1103",
    "1201 invalid value": "code-1201",
    "1301 content policy": "code-1301",
    "1302 too many requests": "code-1302",
    "1303 slots taken": "code-1303",
    "5000 internal error": "code-5000",
    "5001 not available": "code-5001",
}
OF_CLIPS = {
    "connection refused": "refused",
    "reset": "reset-before",
    "no answer in time": "timeout",
    "cut in the middle": "short",
    "half a file, whole by its length": "truncated",
    "a page instead of a video": "html-clip",
    "address expired": "expired-url",
}
START = 1_790_000_000.0
MOST_STEPS = 150
LONG = 1200.0  # seconds after which a task that nobody finds is looked at


class History:
    """One studio, one job, and one fault on one call."""

    def __init__(self, folder: Path, clip: bytes) -> None:
        self.now = START
        self.engine = engine_at(self.now)
        self.wire = Wire(self.engine, clip, lambda: self.now)
        self.folder = folder
        self.told: list[str] = []
        self.open()
        self.go_on()  # the account is compared with the log first

    def open(self) -> None:
        self.studio = Studio(
            Settings(data_dir=self.folder, credentials=KEYS, base_url=URL),
            connection=InProcess(self.wire, credentials=KEYS),
            clock=lambda: self.now,
            monotonic=lambda: self.now,
            run=lambda call: call(),
            checker=InProcessChecker(),
        )

    def restart(self) -> None:
        self.studio.stop()
        self.open()

    def order(self) -> None:
        order_one(self.studio, TextToVideo(prompt="A fox"), Press(person="", session=""))
        self.listen()

    def listen(self) -> None:
        """Note the state and what the page says, if it says something new."""
        for job in self.studio.ledger.jobs():
            self.listen_to(job)

    def listen_to(self, job: Job) -> None:
        words = job.message if job.state not in {"submitted", "processing", SUCCEED} else ""
        if self.studio.nothing_spent(job):
            words = f"{words} Nothing was spent."
        words = words or self.studio.poller.trouble or self.studio.downloads.trouble(job.id)
        said = f"{job.state}: {words}" if words else job.state
        if not self.told or self.told[-1] != said:
            self.told.append(said)

    def go_on(self, most: float = 1e9) -> None:
        """Step until all is done, or a person has to act, noting what a page would show."""
        end = self.now + most
        for _ in range(MOST_STEPS):
            self.wire.deliver()
            due = self.studio.poller.step()
            self.listen()
            if due is None or due > end or any(hold.needs_person for hold in self.studio.admission.holds):
                return
            self.now = max(self.now + 0.25, due)

    def set(self, **settings: object) -> None:
        """Change how the other side behaves."""
        self.engine.settings = replace(self.engine.settings, **settings)  # type: ignore[arg-type]

    @property
    def did(self) -> str:
        """The states that the task went through, and how many tasks were bought."""
        bought = sum(self.engine.store.count_by_external_task_id().values())
        return f"{' → '.join(dict.fromkeys(said.split(':')[0] for said in self.told))}; {bought} bought"

    @property
    def words(self) -> str:
        """What the person was told, without the words that the fault put into Kling's mouth."""
        said = next((said.split(": ", 1)[1] for said in self.told if ": " in said), "")
        sentences = re.split(r"(?<=[.!])\s", said)
        return " ".join(sentence for sentence in sentences if "as planned" not in sentence)

    def close(self) -> None:
        self.studio.stop()
        self.engine.store.close()


def on_create(run: History, fault: str) -> None:
    run.wire.faults.append(fault)
    run.order()
    run.go_on()


def on_look_up(run: History, fault: str) -> None:
    run.wire.faults.extend(["reset-after", fault])
    run.order()
    run.go_on()


def on_list(run: History, fault: str) -> None:
    run.order()
    run.wire.faults.append(fault)
    run.go_on()


def on_download(run: History, fault: str) -> None:
    run.order()
    while not any(job.state == SUCCEED for job in run.studio.ledger.jobs()):
        run.now += 1
        if run.engine.store.page(1, 1)[0].status(run.engine.clock(run.now)) == "processing":
            run.wire.clip_faults.append(fault)
        run.studio.poller.step()
        run.listen()
    run.go_on()


def lag(run: History, seconds: float, **settings: object) -> None:
    """Lose the answer to an order while look-ups stay behind creates."""
    run.set(lag=seconds, **settings)
    run.wire.faults.append("reset-after")
    run.order()
    run.go_on(LONG if seconds < LONG else 3 * LONG)


def hidden_for_ever(run: History) -> None:
    lag(run, 1e9)
    (job,) = run.studio.ledger.jobs()
    explanation = run.studio.explain(job)
    run.told.append(f"{job.state}: {explanation.why if explanation else ''}")
    run.told = run.told[-1:]


def restored(run: History, *, stopped: bool) -> None:
    """Put the log back to where the job waited for a slot, after Kling had accepted it."""
    run.wire.faults.append("code-1303")
    run.order()
    old = (run.folder / "history.csv").read_bytes()
    run.go_on(60)
    if stopped:
        run.studio.stop()
    (run.folder / "history.csv").write_bytes(old)
    if stopped:
        run.open()
    run.go_on()


def withdrawn_and_restored(run: History) -> None:
    run.wire.faults.extend(["code-1303"] * 50)
    run.order()
    old = (run.folder / "history.csv").read_bytes()
    run.studio.orders.withdraw(run.studio.ledger.jobs()[0].id)
    run.studio.stop()
    (run.folder / "history.csv").write_bytes(old)
    run.wire.faults.clear()
    run.open()
    run.go_on()


def deleted(run: History) -> None:
    run.order()
    (run.folder / "history.csv").unlink()
    run.go_on()


def stopped_before_the_call(run: History) -> None:
    """Leave a row of which nobody is known to have been told, as a failing disk does."""
    run.order()
    log = run.folder / "history.csv"
    rows = log.read_bytes().splitlines(keepends=True)
    run.studio.stop()
    run.engine.store.clear()
    log.write_bytes(b"".join(rows[:2]))
    run.told.clear()
    run.open()
    run.go_on()


def answers(run: History, *faults: str) -> None:
    run.set(faults=frozenset(faults))
    run.order()
    run.go_on(LONG)


OF_EVIDENCE: dict[str, Callable[[History], None]] = {
    "the answer is lost, and look-ups lag 120 s": lambda run: lag(run, 120),
    "the same, and the account takes an id twice": lambda run: lag(run, 120, duplicates="accept"),
    "the answer is lost, and look-ups lag 10 minutes": lambda run: lag(run, 600),
    "the answer is lost, and Kling never shows the task": hidden_for_ever,
    "the log is an old copy, put back while the studio is stopped": lambda run: restored(run, stopped=True),
    "the log is an old copy, put back while it runs": lambda run: restored(run, stopped=False),
    "a withdrawn job waits again in an old copy": withdrawn_and_restored,
    "history.csv is deleted while the studio runs": deleted,
    "the studio stopped before anybody was told that the row is there": stopped_before_the_call,
    "states are called `succeeded`, codes are text, times are seconds": lambda run: answers(
        run, "status-succeeded", "code-text", "times-in-seconds"
    ),
    "the list is not found": lambda run: answers(run, "list-404"),
    "the list leaves tasks out and is shuffled": lambda run: answers(run, "list-partial", "other-order"),
}


def history(act: Callable[[History, str], None], fault: str, clip: bytes) -> tuple[str, str]:
    """Run one history; return what the studio did, and what the person was told."""
    with tempfile.TemporaryDirectory() as folder:
        run = History(Path(folder), clip)
        try:
            act(run, fault)
            return run.did, run.words
        finally:
            run.close()


def table(clip: bytes) -> Iterator[str]:
    """Yield the lines of README's table of faults: by each call, a row for faults with the same outcome."""
    yield "| fault of | what the studio did | each fault, and what the person was told |"
    yield "| --- | --- | --- |"
    told = {name: history(on_create, fault, clip) for name, fault in FAULTS.items()}
    yield from outcomes("the create call", told)
    for call, act in {"the look-up of a lost answer": on_look_up, "a poll": on_list}.items():
        told = {name: (history(act, fault, clip)[0], "") for name, fault in FAULTS.items()}
        yield from outcomes(call, told)
    yield from outcomes("a download", {name: history(on_download, f, clip) for name, f in OF_CLIPS.items()})
    told = {name: history(lambda run, _, act=act: act(run), "", clip) for name, act in OF_EVIDENCE.items()}  # type: ignore[misc]
    yield from outcomes("what is only weak evidence", told)


def outcomes(call: str, told: Mapping[str, tuple[str, str]]) -> Iterator[str]:
    """Yield a row for each outcome of a call.

    Args:
        call: what had the faults.
        told: by the name of each fault, what the studio did, and what the person was told or "".
    """
    groups: dict[str, list[str]] = {}
    for name, (did, _) in told.items():
        groups.setdefault(did, []).append(name)
    for did, names in sorted(groups.items(), key=lambda group: len(group[1])):
        silent = [name for name in names if not told[name][1]]
        if len(silent) > len(told) / 2:
            silent = ["all"] if len(groups) == 1 else ["all others"]
        words = [f"*{name}*: {told[name][1]}" for name in names if told[name][1]]
        yield f"| {call} | {did} | {'<br>'.join([*words, '; '.join(silent)] if silent else words)} |"


def evidence() -> Iterator[str]:
    """Yield the lines of README's table of what follows from an answer."""
    yield f"| the answer | {' | '.join(Known)} |"
    yield f"| --- |{' --- |' * len(Known)}"
    rows: dict[tuple[str, ...], list[str]] = {}
    for outcome, steps in AFTER_CREATE.items():
        rows.setdefault(tuple(steps[known] for known in Known), []).append(outcome)
    for cells, same in rows.items():
        yield f"| to the create call: {'; '.join(same)} | {' | '.join(cells)} |"
    for age in Age:
        cells = tuple(AFTER_NO_TASK[known][age] for known in Known)
        yield f"| to a look-up, which finds none {age} | {' | '.join(cells)} |"
    yield ""


def main() -> None:
    sys.stdout.writelines(f"{line}\n" for line in evidence())
    with tempfile.TemporaryDirectory() as folder:
        clip = tiny_clip(Path(folder) / "clip.mp4")
    sys.stdout.writelines(f"{line}\n" for line in table(clip))


if __name__ == "__main__":
    main()
