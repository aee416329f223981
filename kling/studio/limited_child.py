"""Runs a program that reads files from outside in a child process, with limits and without any secret.

A file from outside can make a decoder take gigabytes, run for minutes or crash. So the studio decodes none
itself: it starts this file, which limits its own process and then becomes the program that is named:

    python limited_child.py MEMORY SECONDS FILE_BYTES PROGRAM ARGUMENTS…

The program prints one JSON object. Neither this file nor the program imports anything of the studio there.
"""

from __future__ import annotations

import contextlib
import json
import os
import runpy
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

WAIT = 3  # seconds of wall time for each second of CPU
GRACE = 2  # seconds that a child has to end by its own limits before it is killed
MOST_SAID = 2**20  # bytes of an answer that are read
Why = Literal["limits", "stopped"]


@dataclass(frozen=True, slots=True)
class Limits:
    """What a child may take; the system ends it when it exceeds one.

    Args:
        memory: bytes of address space.
        seconds: of CPU, and `WAIT` times as many of wall time, because the machine may have other work.
        file_bytes: of each file that it writes.
        nice: whether it leaves the machine to whatever else has work.
    """

    memory: int
    seconds: int
    file_bytes: int
    nice: bool = False


class ChildFailed(Exception):
    """A child gave no answer.

    Args:
        why: `limits`: it took more than it may, or crashed; `stopped`: the studio stops.
    """

    def __init__(self, why: Why) -> None:
        super().__init__(why)
        self.why = why


class Children:
    """Starts children, and ends those that run when the studio stops. For threads to share.

    Args:
        at_once: how many run at a time; further ones wait.
    """

    def __init__(self, at_once: int) -> None:
        self._room = threading.Semaphore(at_once)
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[bytes]] = set()
        self._stopped = False

    def ask(self, program: Path, arguments: Sequence[str], limits: Limits) -> Mapping[str, Any]:
        """Return the object that a program prints, which may be anything once a file has taken it over.

        Args:
            program: a file of Python.
            arguments: of it.
            limits: what it may take.

        Raises:
            ChildFailed: there is no answer.
        """
        with self._room:
            child = self._started(program, arguments, limits)
            try:
                said, _ = child.communicate(timeout=WAIT * limits.seconds + GRACE)
            except subprocess.TimeoutExpired:
                child.kill()
                child.communicate()
                said = b""
            finally:
                with self._lock:
                    self._running.discard(child)
                    stopped = self._stopped
        if child.returncode or len(said) > MOST_SAID:
            raise ChildFailed("stopped" if stopped else "limits")
        try:
            answer = json.loads(said)
        except (ValueError, RecursionError):
            raise ChildFailed("limits") from None
        if not isinstance(answer, dict):
            raise ChildFailed("limits")
        return answer

    def stop(self) -> None:
        """End every child, and start no further one."""
        with self._lock:
            self._stopped = True
            for child in self._running:
                child.kill()

    def _started(self, program: Path, arguments: Sequence[str], limits: Limits) -> subprocess.Popen[bytes]:
        from kling.studio.child_environment import child_environment  # the child runs this file alone

        numbers = [str(limits.memory), str(limits.seconds), str(limits.file_bytes), str(int(limits.nice))]
        with self._lock:
            if self._stopped:
                raise ChildFailed("stopped")
            child = subprocess.Popen(
                [sys.executable, "-B", "-P", __file__, *numbers, str(program), *arguments],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                cwd="/",
                # Each thread of these libraries reserves memory of its own.
                env=child_environment(OPENBLAS_NUM_THREADS="1", MALLOC_ARENA_MAX="1"),
            )
            self._running.add(child)
        return child


# -- in the child --------------------------------------------------------------------------------------------


def _limit(memory: int, seconds: int, file_bytes: int) -> None:
    import resource

    wanted = {
        "RLIMIT_AS": memory,
        "RLIMIT_CPU": seconds,
        "RLIMIT_CORE": 0,
        "RLIMIT_FSIZE": file_bytes,
    }
    for name, limit in wanted.items():
        with contextlib.suppress(OSError, ValueError):  # not every system has each of them
            _, hard = resource.getrlimit(getattr(resource, name))
            lower = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
            resource.setrlimit(getattr(resource, name), (lower, lower))
    signal.alarm(WAIT * seconds)
    with contextlib.suppress(OSError):  # if memory runs out, the system kills this process first
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")


def main(arguments: Sequence[str]) -> None:
    """Limit this process, and run a program in it.

    Args:
        arguments: bytes of memory, seconds, bytes of a file, whether to run at low priority (0 or 1), the
            program, and its arguments.
    """
    memory, seconds, file_bytes, nice = map(int, arguments[:4])
    os.umask(0o077)  # what it writes is for this user alone
    with contextlib.suppress(ImportError):  # not on every system
        _limit(memory, seconds, file_bytes)
    if nice:
        os.nice(19)
    sys.argv = list(arguments[4:])
    runpy.run_path(sys.argv[0], run_name="__main__")


if __name__ == "__main__":
    main(sys.argv[1:])
