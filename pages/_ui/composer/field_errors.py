"""Each problem of a request at its field, all of them at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from kling import Problem
from pages._ui.escape import escape_markdown

Wrong = Callable[..., bool]
PANELS = {
    "camera_control": "open_camera",
    "shot_type": "open_shots",
    "multi_prompt": "open_shots",
    "cfg_scale": "open_more",
}


def at_their_fields(problems: Sequence[Problem]) -> Wrong:
    """Return what draws the problems of some fields where it is called, and says whether there were any."""

    def wrong(*fields: str) -> bool:
        found = [problem for problem in problems if problem.field in fields]
        for problem in found:
            st.error(escape_markdown(problem.message))
        return bool(found)

    return wrong


def open_panels(problems: Sequence[Problem]) -> None:
    """Open every panel that holds a problem. Only before they are drawn, or in a callback."""
    for problem in problems:
        if panel := PANELS.get(problem.field.split("[")[0]):  # a part of one: multi_prompt[2]
            st.session_state[panel] = True
