"""Panels whose content is made only while they are open: closed panels are not executed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import streamlit as st

from pages._ui.escape import escape_markdown
from pages._ui.words import SHEET_DONE


def panel(
    label: str,
    draw: Callable[[], None],
    *,
    key: str,
    icon: str,
    kind: Literal["expander", "popover"] = "expander",
) -> None:
    """Draw a panel, and what is in it if it is open.

    Args:
        label: stands on the panel.
        draw: draws what is in it.
        key: session key that says whether it is open.
        icon: name of a Material icon.
        kind: unfolds in its place, or opens over the page.
    """
    element = st.expander if kind == "expander" else st.popover
    container = element(label, icon=f":material/{icon}:", key=key, on_change="rerun")
    if container.open:
        with container:
            draw()


# The panels of the form, one of which is open at a time.
FORM_PANELS = ("camera", "avoid", "variations", "more", "guide", "compare")


def panel_key(name: str) -> str:
    """Return the session key that says whether a panel of the form is open."""
    return f"composer.open_{name}"


def form_panel(
    name: str,
    title: str,
    draw: Callable[[], None],
    *,
    icon: str,
    state: str = "",
    is_set: bool = False,
    is_wrong: bool = False,
) -> None:
    """Draw a panel of the form: its row, and what is in it if it is open.

    Args:
        name: one of `FORM_PANELS`.
        title: of the panel.
        draw: draws what is in it.
        icon: as for `panel_row`.
        state: likewise.
        is_set: likewise.
        is_wrong: likewise.
    """
    panel_row(name, title, icon=icon, state=state, is_set=is_set, is_wrong=is_wrong)
    panel_body(name, draw)


def panel_row(
    name: str, title: str, *, icon: str, state: str = "", is_set: bool = False, is_wrong: bool = False
) -> None:
    """Draw the row of a panel of the form, which says its state, opens it and closes it.

    It is no `st.expander`: one whose label changes counts as another one to Streamlit, and closes.

    Args:
        name: one of `FORM_PANELS`.
        title: of the panel.
        icon: name of a Material icon.
        state: what is chosen there, as plain text.
        is_set: whether that is something else than what a new form has.
        is_wrong: whether something there has to be fixed before it can be ordered.
    """
    label = title
    if is_wrong:
        label += " · **:red[fix this]**"
    elif state:
        mark = "**" if is_set else "*"
        label += f" {mark}· {escape_markdown(state)}{mark}"
    st.button(
        label,
        icon=f":material/{icon}:",
        type="tertiary",
        width="stretch",
        key=f"composer.panel_{name}",
        on_click=turn_panel,
        args=(name,),
    )


def panel_body(name: str, draw: Callable[[], None]) -> None:
    """Draw what is in a panel of the form if it is open; nothing is executed for a closed one.

    On a phone it is a sheet over the page, and its last button closes it; elsewhere that button is not shown.
    """
    if st.session_state.get(panel_key(name)):
        with st.container(key=f"panel-{name}"):
            draw()
            st.button(
                SHEET_DONE, width="stretch", key=f"composer.done_{name}", on_click=turn_panel, args=(name,)
            )


def turn_panel(name: str) -> None:
    """Open a panel of the form and close the others, or close it; call it in a callback."""
    is_open = bool(st.session_state.get(panel_key(name)))
    for other in FORM_PANELS:
        st.session_state[panel_key(other)] = other == name and not is_open


def open_panel(name: str) -> None:
    """Open a panel of the form and close the others. Only before they are drawn, or in a callback."""
    for other in FORM_PANELS:
        st.session_state[panel_key(other)] = other == name
