"""Each problem of a request at its field, all of them at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from kling import Problem
from pages._ui.words import plain

Wrong = Callable[..., bool]


def at_their_fields(problems: Sequence[Problem]) -> Wrong:
    """Return what draws the problems of some fields where it is called, and says whether there were any."""

    def wrong(*fields: str) -> bool:
        found = [problem for problem in problems if problem.field in fields]
        for problem in found:
            st.error(plain(problem.message))
        return bool(found)

    return wrong


def inside(problems: Sequence[Problem], *fields: str) -> bool:
    """Whether any problem is of one of these fields, or of a part of one (`multi_prompt[2]`)."""
    return any(problem.field.split("[")[0] in fields for problem in problems)
