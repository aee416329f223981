"""Carries out what a button stands for: as the user of this moment, and with every refusal in words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec, TypeVar

import streamlit as st

from kling.studio.actions import Actions
from kling.studio.budget_limits import BudgetError
from kling.studio.curation import CurationError
from kling.studio.identity.errors import PeopleError
from kling.studio.identity.roles import NotAllowed
from kling.studio.jobs import StateChanged
from kling.studio.ledger import LedgerError
from kling.studio.library.imports import ImportRefused
from kling.studio.state.records import StateError
from pages._ui.current_user import acting
from pages._ui.escape import escape_markdown

P = ParamSpec("P")
T = TypeVar("T")

REFUSALS = (
    NotAllowed,
    StateChanged,
    LedgerError,
    StateError,
    PeopleError,
    BudgetError,
    CurationError,
    ImportRefused,
)


def decide(act: Callable[Concatenate[Actions, P], Any], *args: P.args, **kwargs: P.kwargs) -> None:
    """Carry out a decision, in a button's callback; say so if it is refused or comes too late.

    Args:
        act: a method of `Actions`.
        args: its arguments.
        kwargs: likewise.
    """
    attempt(act, *args, **kwargs)


def attempt(act: Callable[Concatenate[Actions, P], T], *args: P.args, **kwargs: P.kwargs) -> T | None:
    """Carry out a decision and return its result; None after saying why it was refused.

    Args:
        act: a method of `Actions` whose result is not None.
        args: its arguments.
        kwargs: likewise.
    """
    done, refused = carry_out(act, *args, **kwargs)
    if refused:
        st.toast(escape_markdown(refused), icon=":material/warning:")
    return done


def carry_out(
    act: Callable[Concatenate[Actions, P], T], *args: P.args, **kwargs: P.kwargs
) -> tuple[T | None, str]:
    """Carry out a decision; return its result, and why it was refused, for a page that says so itself.

    Args:
        act: a method of `Actions`.
        args: its arguments.
        kwargs: likewise.
    """
    try:
        return act(acting(), *args, **kwargs), ""
    except REFUSALS as error:
        return None, str(error) or "It was refused."
