"""Panels whose content is made only while they are open: closed panels are not executed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import streamlit as st


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
