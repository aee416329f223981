"""Each problem of a request at its field, all of them at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from kling import Problem
from pages._ui.composer.draft_state import panel_key
from pages._ui.escape import escape_markdown

ShowErrors = Callable[..., None]
# Fields outside of all panels, and the panels of some others. Any other field is in “More settings”.
IN_SIGHT = frozenset({"prompt", "negative_prompt", "model_name", "mode", "duration", "aspect_ratio", "sound"})
PANELS = {"camera_control": "camera", "multi_shot": "shots", "shot_type": "shots", "multi_prompt": "shots"}


def errors_by_field(problems: Sequence[Problem]) -> ShowErrors:
    """Return a function that takes names of fields, and draws their problems where it is called."""

    def show(*fields: str) -> None:
        for problem in problems:
            if problem.field in fields:
                st.error(escape_markdown(problem.message))

    return show


def open_panels(problems: Sequence[Problem]) -> None:
    """Open every panel that holds a problem. Only before they are drawn, or in a callback."""
    for problem in problems:
        field = problem.field.split("[")[0]  # multi_prompt[2] is a part of multi_prompt
        if field not in IN_SIGHT:
            st.session_state[panel_key(PANELS.get(field, "more"))] = True
