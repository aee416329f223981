"""Real processes for tests: a sandbox, studios, and a library that kills a studio at one of its calls.

And studios in this process that ask a real sandbox, in a time of their own.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kling import Client, KeyPair, TextToVideo
from kling.sandbox.auth import ACCESS_KEY, SECRET_KEY
from kling.studio.ledger.csv_file import LogFile
from kling.studio.service import Studio
from kling.studio.settings import Settings
from tests.studio.clips import WordChecker

ROOT = Path(__file__).parents[2]
SOURCE = Path(__file__).with_name("kill_at_call.c")
START = 1_790_000_000.0
STEPS = 100_000  # more than any test needs: a loop that does not end fails instead


@contextmanager
def sandbox(*options: str) -> Iterator[str]:
    """Run a sandbox with small clips; give its URL."""
    process = subprocess.Popen(
        [sys.executable, "-m", "kling.sandbox", "--clips", "tiny", *options],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        url = process.stdout.readline().removeprefix("Kling sandbox: ").strip()
        _first_clip(url)
        yield url
    finally:
        process.terminate()
        process.communicate(timeout=120)


def _first_clip(url: str) -> None:
    """Let the one small clip be made, so that no test waits for it."""
    client = Client(KeyPair(ACCESS_KEY, SECRET_KEY), base_url=url)
    task = client.create(TextToVideo(prompt="the first one"))
    last = time.monotonic() + 180
    while not client.get(task.task_id).terminal:
        assert time.monotonic() < last
        time.sleep(0.01)
    client.close()


def ask(url: str, body: dict[str, Any] | None = None) -> Any:
    """Ask a sandbox's control plane."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def accepted(url: str) -> dict[str, int]:
    """Return how many tasks the sandbox really created, by our id."""
    counts: dict[str, int] = ask(f"{url}/_sandbox/accepted")["by_external_task_id"]
    return counts


class SteppedTime:
    """The time of studios in this process: it moves on to whatever is due next, and nobody waits for it.

    Args:
        now: seconds; a test may set it.
    """

    def __init__(self) -> None:
        self.now = 0.0

    def open_studio(self, data: Path, url: str, *, file: LogFile | None = None) -> Studio:
        """Open a studio that asks a sandbox by a key, so that the rules of a real account apply."""
        return Studio(
            Settings(credentials=KeyPair(ACCESS_KEY, SECRET_KEY), base_url=url, data_dir=data),
            file=file,
            clock=lambda: START + self.now,
            monotonic=lambda: self.now,
            run=lambda call: call(),
            checker=WordChecker(),
        )

    def follow(self, studio: Studio, seconds: float, *, until: Callable[[], bool] = lambda: False) -> None:
        """Let time pass, and the studio do what is due."""
        end = self.now + seconds
        for _ in range(STEPS):
            if self.now >= end or until():
                return
            due = studio.poller.step()
            self.now = min(max(self.now + 0.1, end if due is None else due), self.now + 60.0)
        raise AssertionError("the studio is never done")


def cannot_compile() -> str:
    """Return why the library cannot be used here, "" if it can."""
    if not sys.platform.startswith("linux"):
        return "calls are watched with LD_PRELOAD, as on Linux"
    return "" if shutil.which("cc") else "no C compiler on this machine: apt-get install gcc"


def compile_library(folder: Path) -> Path:
    """Compile the library that kills; return where it is."""
    library = folder / "kill_at_call.so"
    flags = ("-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror")
    subprocess.run(["cc", *flags, "-o", str(library), str(SOURCE), "-ldl"], check=True)
    return library


@dataclass(frozen=True)
class Kill:
    """At which call a process dies; see kill_at_call.c."""

    call: str = "any"
    at: int = 0
    when: str = "before"


class Victims:
    """Studios as processes of their own, one after the other; see victim.py.

    Args:
        folder: gets what they print.
        library: what `compile_library` made.
    """

    def __init__(self, folder: Path, library: Path | None) -> None:
        preloaded = {} if library is None else {"LD_PRELOAD": str(library)}
        with (folder / "printed").open("ab") as printed:
            self._server = subprocess.Popen(
                [sys.executable, "-m", "tests.studio.victim"],
                cwd=ROOT,
                env=os.environ | preloaded,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=printed,
                text=True,
            )

    def run(
        self,
        act: str,
        data: Path,
        url: str,
        *prompts: str,
        point: str = "none",
        kill: Kill | None = None,
        report: Path | None = None,
        children: bool = False,
    ) -> int:
        """Run one, and return how it ended.

        Args:
            act: `order` or `recover`.
            data: its folder.
            url: of the sandbox.
            prompts: what is ordered.
            point: where it kills itself.
            kill: at which call the library kills it.
            report: a file that gets the calls that the library counts.
            children: let it look at videos in child processes.
        """
        kill = kill or Kill()
        environment = {
            "KILL_FOLDER": str(data),
            "KILL_CALL": kill.call,
            "KILL_AT": str(kill.at),
            "KILL_WHEN": kill.when,
            "VICTIM_CHECKS": "child" if children else "",
        }
        if report is not None:
            environment["KILL_REPORT"] = str(report)
        order = {"arguments": [act, str(data), url, point, *prompts], "environment": environment}
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        self._server.stdin.write(f"{json.dumps(order)}\n")
        self._server.stdin.flush()
        return int(self._server.stdout.readline())

    def stop(self) -> None:
        """Start no more."""
        self._server.communicate(timeout=120)
