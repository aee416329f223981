"""`streamlit run app.py` in a process of its own, without the half second in which libraries are imported.

Such a process is forked from one that did nothing but import them. A studio that is started as README says is
tried in `test_running.py` and `test_set_ups.py`.
"""

from __future__ import annotations

import atexit
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]


class Streamlit:
    """A running Streamlit, whose output nobody reads.

    Args:
        arguments: of its command line.
        environment: all of it.
    """

    def __init__(self, arguments: Sequence[str], environment: Mapping[str, str]) -> None:
        parent = _parent()
        assert parent.stdin
        assert parent.stdout
        parent.stdin.write(json.dumps([list(arguments), dict(environment)]) + "\n")
        parent.stdin.flush()
        self.pid = int(parent.stdout.readline())

    @property
    def is_running(self) -> bool:
        with suppress(ProcessLookupError):
            os.kill(self.pid, 0)
            return True
        return False

    def end(self, sign: signal.Signals, patience: float) -> None:
        """Send a signal, and wait until the process has ended; `patience` is in seconds."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, sign)
        last = time.monotonic() + patience
        while self.is_running:
            assert time.monotonic() < last
            time.sleep(0.01)


@cache
def _parent() -> subprocess.Popen[str]:
    """Start the process that forks; it ends with this one."""
    parent = subprocess.Popen(
        [sys.executable, "-m", __name__], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    atexit.register(parent.communicate)  # nothing more comes, so its loop is over
    return parent


def fork_for_each_line() -> None:
    # Nothing that reads settings, or that draws a page: Streamlit keeps for its server what a page brings.
    import streamlit.web.bootstrap
    import streamlit.web.cli
    import streamlit.web.server.starlette

    import kling.studio.service  # noqa: F401

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # who has ended is gone, and nobody has to ask for it
    for line in sys.stdin:
        if pid := os.fork():
            sys.stdout.write(f"{pid}\n")
            sys.stdout.flush()
            continue
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        arguments, environment = json.loads(line)
        os.environ.clear()
        os.environ.update(environment)
        nowhere = os.open(os.devnull, os.O_RDWR)
        for standard in range(3):
            os.dup2(nowhere, standard)
        sys.argv = ["streamlit", *arguments]
        streamlit.web.cli.main()


if __name__ == "__main__":
    fork_for_each_line()
