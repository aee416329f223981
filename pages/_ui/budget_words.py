"""What is used of the budgets, in words where one decides about an order."""

from __future__ import annotations

import streamlit as st

from kling.studio.budget_limits import Scope
from kling.studio.identity.roles import Action, User, may
from pages._ui.context import studio
from pages._ui.current_user import acting
from pages._ui.escape import escape_markdown
from pages._ui.live import live_fragment


def in_bar(user: User) -> str:
    """Return the one limit that stands in the bar of every page: what all spend, else what the user spends.

    A limit of a month goes before one of a day. Empty without limits of spending that the user may see.
    """
    sees_team = may(user, Action.SEE_TEAM_LEFT)
    lines = [
        line
        for line in studio().budgets.status(user).lines
        if line.limit.scope is not Scope.CLIP and (sees_team or not line.limit.scope.is_of_team)
    ]
    first = min(
        lines, key=lambda line: (not line.limit.scope.is_of_team, line.limit.scope.is_of_day), default=None
    )
    return first.words if first else ""


def budget() -> None:
    """Draw how far the user's limits are used, and a warning where one is near; nothing without limits."""
    status = studio().budgets.status(acting().user)
    if status.lines or status.trouble:
        live_fragment(_words, "budget")


def _words() -> None:
    user = acting()
    status = studio().budgets.status(user.user)
    sees_team = user.may(Action.SEE_TEAM_LEFT)
    lines = [line for line in status.lines if sees_team or not line.limit.scope.is_of_team]
    if lines:
        words = [f"Team: {line.words}" if line.limit.scope.is_of_team else line.words for line in lines]
        st.caption(escape_markdown(" · ".join(words)))
    for warning in status.warnings:
        st.warning(escape_markdown(warning), icon=":material/savings:")
