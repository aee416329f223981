"""What makes runs of pages wait less for each other, where Streamlit has no option for it."""

from __future__ import annotations

import sys
from functools import cache
from typing import Any

# Runs of pages are threads, and Streamlit's event loop sends what they draw, one message a turn. At each turn
# it waits until the thread that computes lets go of the interpreter, for 5 ms by Python's own setting: a page
# of 80 messages would take half a second beside another one.
SWITCH = 0.001  # seconds


@cache
def prepare_runs() -> None:
    """Prepare this process."""
    sys.setswitchinterval(SWITCH)
    _read_theme_once()


def _read_theme_once() -> None:
    """Let each run send the theme as it was at the start: reading its options takes a tenth of a run.

    They are in .streamlit/config.toml, which is read at the start only.
    """
    from streamlit.runtime import app_session

    read, known = app_session._populate_theme_msg, dict[str, Any]()  # noqa: SLF001 - there is no other way

    def populate(msg: Any, section: str = "theme") -> None:
        if section not in known:
            theme = type(msg)()
            read(theme, section)
            known[section] = theme
        if known[section].ByteSize():
            msg.MergeFrom(known[section])

    app_session._populate_theme_msg = populate  # noqa: SLF001
