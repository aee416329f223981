"""Real processes for tests: a sandbox, studios, and a library that kills a studio at one of its calls."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
SOURCE = Path(__file__).with_name("kill_at_call.c")


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
        yield process.stdout.readline().removeprefix("Kling sandbox: ").strip()
    finally:
        process.terminate()
        process.communicate(timeout=20)


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


def start_victim(
    *arguments: str, library: Path | None = None, kill: Kill | None = None, report: Path | None = None
) -> subprocess.Popen[bytes]:
    """Start a studio of its own; see victim.py. Its third argument is the data folder.

    Args:
        arguments: the victim's.
        library: what `compile_library` made.
        kill: where it dies.
        report: a file that gets the calls that were counted.
    """
    environment = dict(os.environ)
    if library is not None:
        kill = kill or Kill()
        environment |= {
            "LD_PRELOAD": str(library),
            "KILL_FOLDER": arguments[1],
            "KILL_CALL": kill.call,
            "KILL_AT": str(kill.at),
            "KILL_WHEN": kill.when,
        }
        if report is not None:
            environment["KILL_REPORT"] = str(report)
    return subprocess.Popen(
        [sys.executable, "-m", "tests.studio.victim", *arguments],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
