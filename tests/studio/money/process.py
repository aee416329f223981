"""One studio: its data folder, the process that owns it, and what may happen to that process."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable
from pathlib import Path

from kling.studio.jobs import StateChanged
from kling.studio.ledger import LedgerError
from kling.studio.ledger.csv_file import LogFile
from kling.studio.service import Studio
from kling.studio.settings import Settings
from kling.studio.video_check import Decoded, Probe
from tests.studio.in_process import InProcess, Killed
from tests.studio.money.log import Copies
from tests.studio.money.world import CREDENTIALS, URL, Disk, Network, World

SMALLEST_SLEEP, LONGEST_SLEEP = 0.02, 60.0  # seconds, as the poller's thread sleeps
REFUSED = object()  # what `alive` returns if the act was refused


class Trusting:
    """Looks at no file: the one clip of all tasks is known to be fine."""

    def probe(self, path: Path, poster: Path) -> Probe:  # noqa: ARG002 - as in VideoChecker
        poster.write_bytes(b"a picture")
        return Probe({"width": 64, "height": 36, "fps": 8.0, "seconds": 1.0, "audio": False})

    def decode(self, path: Path) -> Decoded:  # noqa: ARG002
        return Decoded("ok", good=1.0)

    def stop(self) -> None:
        """Nothing is under way."""


class Process:
    """A studio that can be stopped, killed and started again over the same folder.

    Args:
        world: around it.
        folder: its data folder.
        clip: bytes of every clip.
    """

    def __init__(self, world: World, folder: Path, clip: bytes) -> None:
        self.world, self.folder = world, folder
        self.network, self.disk = Network(world, clip), Disk(world)
        self.copies = Copies(folder / "history.csv")
        self.key = "pair"
        self.acknowledged: list[bytes] = []
        self.starts = 0
        self.slow_until = 0.0  # until then the workers do nothing
        self._work: deque[Callable[[], object]] = deque()
        self._woken, self._due = False, 0.0
        self.steps: deque[float] = deque(maxlen=5000)  # the true times of the poller's steps
        self.studio: Studio
        self.open()

    # -- life ------------------------------------------------------------------------------------------------

    def open(self) -> None:
        """Start a process. A monotonic clock of its own begins, near 0 or far from it."""
        self.starts += 1
        base = self.world.true - (0.5 if self.starts % 2 else 100_000.0)
        credentials = CREDENTIALS[self.key]

        def monotonic() -> float:
            return self.world.true - base

        self.monotonic, self._base = monotonic, base
        file = LogFile(
            self.folder / "history.csv",
            write=self.disk.write,
            fsync=self.disk.fsync,
            ftruncate=self.disk.ftruncate,
        )
        append = file.append

        def noted(record: bytes) -> None:
            append(record)
            self.acknowledged.append(record)

        file.append = noted  # type: ignore[method-assign]
        self.network.kill_at = ""
        self.disk.unconfirmed = self.disk.in_doubt = False
        self._work.clear()
        self.studio = Studio(
            Settings(data_dir=self.folder, credentials=credentials, base_url=URL),
            connection=InProcess(
                self.network,
                credentials=credentials,
                base_url=URL,
                clock=self.world.wall,
                monotonic=monotonic,
            ),
            file=file,
            clock=self.world.wall,
            monotonic=monotonic,
            run=self._hand_over,
            rng=random.Random(self.starts),
            checker=Trusting(),
        )
        wake = self.studio.poller.wake

        def woken() -> None:
            self._woken = True
            wake()

        self.studio.poller.wake = woken  # type: ignore[method-assign]
        self._woken, self.has_stepped = True, False

    def kill(self) -> None:
        """End the process where it is."""
        self.studio.folder.release()
        self.disk.writes.clear()

    def restart(self, *, between: Callable[[], object] = lambda: None) -> None:
        """End the process, do something to its folder, and start it again."""
        self.kill()
        between()
        while True:
            try:
                self.open()
            except LedgerError:
                assert self.disk.failed, "the log cannot be opened, though the disk works"
                self.disk.mend()  # somebody makes room and starts it again
            else:
                return

    def alive(self, act: Callable[..., object], *arguments: object) -> object:
        """Do something; if the process dies of it, start it again."""
        try:
            return act(*arguments)
        except Killed:
            self.restart()
        except (LedgerError, StateChanged):
            pass
        return REFUSED

    def _hand_over(self, call: Callable[[], object]) -> None:
        if self.world.true < self.slow_until:
            self._work.append(call)
        else:
            call()

    # -- time ------------------------------------------------------------------------------------------------

    def due(self) -> float:
        """Return the true time at which the poller's thread does its next step."""
        if self._woken:
            return self.world.true + SMALLEST_SLEEP
        return max(self._due, self.world.true + SMALLEST_SLEEP)

    def step(self) -> None:
        """Let the workers work, and the poller's thread do one step."""
        self.network.deliver()
        while self._work and self.world.true >= self.slow_until:
            self.alive(self._work.popleft())
        self._woken = False
        self.steps.append(self.world.true)
        due = self.alive(self.studio.poller.step)
        self.has_stepped = self.has_stepped or due is not REFUSED
        if due is REFUSED:
            due = self.monotonic() + 1.0
        assert due is None or isinstance(due, float)
        if self._work:
            due = min(due or float("inf"), self.slow_until - self._base)
        longest = self.world.true + LONGEST_SLEEP
        self._due = longest if due is None else min(due + self._base, longest)

    def stop(self) -> None:
        """End the process as an operator does."""
        self.studio.stop()
