"""What makes runs of pages cheaper, where Streamlit has no option for it."""

from __future__ import annotations

from functools import cache
from typing import Any


@cache
def prepare_runs() -> None:
    """Prepare this process."""
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
