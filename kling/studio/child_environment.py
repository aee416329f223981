"""The environment of child processes: what a Python program needs to run, and no secret of the studio."""

from __future__ import annotations

import os
from collections.abc import Mapping

_PASSED_ON = frozenset(
    {"PATH", "HOME", "LANG", "LANGUAGE", "TMPDIR", "TZ", "LD_LIBRARY_PATH", "SYSTEMROOT"}
    | {"SANDBOX_PACE", "SANDBOX_CLIPS"}  # how fast the sandbox is, and what it draws
)
_PREFIXES = ("LC_", "PYTHON")


def child_environment(source: Mapping[str, str] | None = None, **more: str) -> dict[str, str]:
    """Return the environment for a child.

    Names are let through one by one: the keys of Kling, those of the sign-in and the tokens of the operator
    stay behind, and so does what a later version or another program keeps in its environment.

    Args:
        source: what is passed on from; by default the environment of this process.
        more: further variables, which win.
    """
    source = os.environ if source is None else source
    passed = {
        name: value for name, value in source.items() if name in _PASSED_ON or name.startswith(_PREFIXES)
    }
    return passed | more
