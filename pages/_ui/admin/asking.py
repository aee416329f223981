"""What the sections share: presses that are confirmed, forms that say what is wrong, and times."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Concatenate, ParamSpec, TypeVar

import streamlit as st

from kling.studio.actions import Actions
from pages._ui.current_user import acting
from pages._ui.decide import REFUSALS, decide
from pages._ui.escape import escape_markdown
from pages._ui.format import since
from pages._ui.session_state import admin_state

P = ParamSpec("P")
T = TypeVar("T")


def confirmed_button(
    label: str, *, sure: str, yes: str, key: str, act: Callable[..., Any], args: tuple[Any, ...]
) -> None:
    """Draw a button that asks before it does something that hurts.

    Args:
        label: of the button.
        sure: what is asked, with what it means.
        yes: of the button that does it.
        key: names it on the page.
        act: a method of `Actions`.
        args: its arguments.
    """
    if admin_state().confirm != key:
        st.button(label, key=f"admin.ask-{key}", on_click=_ask, args=(key,))
        return
    with st.container(border=True, key=f"admin.sure-{key}"):
        st.markdown(sure)
        with st.container(horizontal=True):
            st.button(yes, type="primary", key=f"admin.yes-{key}", on_click=_do, args=(act, args))
            st.button("Cancel", key=f"admin.no-{key}", on_click=_ask, args=("",))


def _ask(key: str) -> None:
    admin_state().confirm = key


def _do(act: Callable[..., Any], args: tuple[Any, ...]) -> None:
    admin_state().confirm = ""
    decide(act, *args)


def submit(
    form: str, act: Callable[Concatenate[Actions, P], T], *args: P.args, **kwargs: P.kwargs
) -> T | None:
    """Carry out what a form asks for, in its callback; `problem_of` then says why it was refused.

    Args:
        form: names it.
        act: a method of `Actions`.
        args: its arguments.
        kwargs: likewise.
    """
    try:
        return act(acting(), *args, **kwargs)
    except REFUSALS as error:
        admin_state().problems[form] = str(error)
        return None


def problem_of(form: str) -> None:
    """Draw why a form was refused, once."""
    if problem := admin_state().problems.pop(form, ""):
        st.error(escape_markdown(problem), icon=":material/warning:")


def when(seconds: float) -> str:
    """Return a time in the viewer's zone.

    Args:
        seconds: Unix seconds; 0 for never.
    """
    return since(datetime.fromtimestamp(seconds, UTC)) if seconds else "never"
