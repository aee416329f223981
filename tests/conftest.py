"""What all tests share: one Hypothesis profile, and three processes for the whole suite."""

from __future__ import annotations

import contextlib
import gc
import os

import pytest
from hypothesis import HealthCheck, settings

# Without it Hypothesis takes a profile of its own where CI is set and another one elsewhere, so CI would not
# see what a newcomer sees. `too_slow` measures the machine: the first draw of text builds tables that are not
# cached yet. Draws follow from the test's name, so that a failure in CI is a failure here.
settings.register_profile(
    "studio",
    deadline=None,
    derandomize=True,
    database=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("studio")

# Some images set it. Each of the many programs that tests start would compile the studio for itself then.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# What tests write is soon gone: in memory nobody waits for a disk that has to say that it is there.
IN_MEMORY, ENOUGH = "/dev/shm", 2 * 2**30  # bytes
with contextlib.suppress(OSError, AttributeError):
    _room = os.statvfs(IN_MEMORY)
    if _room.f_bavail * _room.f_frsize > ENOUGH and not _room.f_flag & os.ST_NOEXEC:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", IN_MEMORY)

# Nothing becomes garbage while thousands of tests are collected; looking for it would take half of that time.
gc.disable()


def pytest_collection_finish() -> None:
    """Look for garbage again, but never among the tests themselves."""
    gc.freeze()
    gc.enable()


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Three processes run the whole suite; tests that are asked for run in this one, with `-s` and all.

    On two cores: with two processes a part of the machine only waits, most of all for browsers.
    """
    is_whole = config.args_source is pytest.Config.ArgsSource.TESTPATHS
    narrowed = ("keyword", "markexpr", "lf", "failedfirst", "stepwise", "deselect")
    is_whole = is_whole and not any(config.getoption(name, None) for name in narrowed)
    return 3 if is_whole and config.getoption("capture") != "no" else 0
