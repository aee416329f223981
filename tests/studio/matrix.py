"""The fault matrix of README: each fault by each call, what the studio did, what the person was told.

    python -m tests.studio.matrix

Every cell is a run of the real studio against the real sandbox engine in this process, with a fake clock.
"""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from kling import TextToVideo
from kling.studio.jobs import SUCCEED
from kling.studio.settings import Settings
from kling.studio.studio import Studio
from tests.studio.clips import tiny_clip
from tests.studio.in_process import InProcess, Wire, engine_at

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
MOST_STEPS = 60


class History:
    """One studio, one wish, and one fault on one call."""

    def __init__(self, folder: Path, clip: bytes) -> None:
        self.now = START
        self.engine = engine_at(self.now)
        self.wire = Wire(self.engine, clip, lambda: self.now)
        self.studio = Studio(
            Settings(data_dir=folder),
            connection=InProcess(self.wire),
            clock=lambda: self.now,
            run=lambda call: call(),
        )
        self.told: list[str] = []

    def order(self) -> None:
        self.studio.order(TextToVideo(prompt="A fox"), person="", session="")
        self.listen()

    def listen(self) -> None:
        """Note the state and what the page says, if it says something new."""
        (job,) = self.studio.ledger.jobs()
        words = job["message"] if job.state not in {"submitted", "processing", SUCCEED} else ""
        words = words or self.studio.poller.trouble or self.studio.poller.fetch_trouble(job.id)
        said = f"{job.state}: {words}" if words else job.state
        if not self.told or self.told[-1] != said:
            self.told.append(said)

    def go_on(self) -> None:
        """Step until all is done, or a person has to act, noting what a page would show."""
        for _ in range(MOST_STEPS):
            self.wire.deliver()
            due = self.studio.poller.step()
            self.listen()
            if due is None or any(hold.needs_person for hold in self.studio.holds):
                return
            self.now = max(self.now + 0.25, due)

    @property
    def did(self) -> str:
        """The states that the task went through, and how many tasks were bought."""
        bought = sum(self.engine.store.accepted().values())
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
    """Yield the lines of README's tables."""
    yield "| fault | on the create call | the person was told | on the look-up of a lost answer | on a poll |"
    yield "| --- | --- | --- | --- | --- |"
    for name, fault in FAULTS.items():
        did, words = history(on_create, fault, clip)
        others = [history(act, fault, clip)[0] for act in (on_look_up, on_list)]
        yield f"| {name} | {did} | {words} | {' | '.join(others)} |"
    yield ""
    yield "| fault of a download | what the studio did | the person was told |"
    yield "| --- | --- | --- |"
    for name, fault in OF_CLIPS.items():
        did, words = history(on_download, fault, clip)
        yield f"| {name} | {did}, fetched again | {words} |"


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        clip = tiny_clip(Path(folder) / "clip.mp4")
    sys.stdout.writelines(f"{line}\n" for line in table(clip))


if __name__ == "__main__":
    main()
