"""Each problem of a request at its field, all of them at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from kling import Problem
from pages._ui.escape import escape_markdown
from pages._ui.panels import open_panel

# Fields outside of all panels, and the panels of some others. Any other field is in “More settings”.
IN_SIGHT = frozenset(
    {
        *("prompt", "model_name", "mode", "duration", "aspect_ratio", "sound"),
        *("multi_shot", "shot_type", "multi_prompt"),
        *("image", "image_tail"),
    }
)
PANELS = {"camera_control": "camera", "negative_prompt": "avoid"}


@dataclass(frozen=True, slots=True)
class FieldErrors:
    """The problems of the draft; a call draws those of some fields where it is made.

    Args:
        problems: all of them.
    """

    problems: Sequence[Problem] = ()

    def __call__(self, *fields: str) -> None:
        """Draw the problems of these fields."""
        for problem in self.problems:
            if problem.field in fields:
                st.error(escape_markdown(problem.message))

    def are_in(self, panel: str) -> bool:
        """Whether a panel holds a problem."""
        return panel in map(_panel_of, self.problems)


def open_panels(problems: Sequence[Problem]) -> None:
    """Open the first panel that holds a problem. Only before panels are drawn, or in a callback."""
    for problem in problems:
        if panel := _panel_of(problem):
            open_panel(panel)
            return


def _panel_of(problem: Problem) -> str:
    """Return the panel that a problem's field is in, none for a field outside of all panels."""
    field = problem.field.split("[")[0]  # multi_prompt[2] is a part of multi_prompt
    return "" if field in IN_SIGHT else PANELS.get(field, "more")
