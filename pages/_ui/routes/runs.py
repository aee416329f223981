"""What makes runs of pages cheaper and surer, where Streamlit has no option for it."""

from __future__ import annotations

from functools import cache
from typing import Any


@cache
def prepare_runs() -> None:
    """Prepare this process."""
    _read_theme_once()
    _let_presses_take_effect()


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


def _let_presses_take_effect() -> None:
    """Let the callback of a widget come to its end before another run begins.

    Streamlit 1.67 stops a run at its next access to the session when another one is asked for, also in a
    callback, and does not call that again: a press had no effect, or half of it
    (github.com/streamlit/streamlit/issues/10578). Live parts of a page ask for runs at any moment.
    """
    from streamlit.runtime.scriptrunner_utils.script_requests import ScriptRequest, ScriptRequests
    from streamlit.runtime.scriptrunner_utils.script_run_context import RunLocation, ThreadState

    asked = ScriptRequests.on_scriptrunner_yield

    def asked_between_callbacks(requests: ScriptRequests) -> ScriptRequest | None:
        return None if ThreadState.get().run_location is RunLocation.CALLBACK else asked(requests)

    ScriptRequests.on_scriptrunner_yield = asked_between_callbacks  # type: ignore[assignment, method-assign]
