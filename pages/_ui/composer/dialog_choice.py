"""A button of a dialog that chooses something and closes it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st


def dialog_choice(label: str, choose: Callable[..., None], *args: Any, **looks: Any) -> None:
    """Draw it.

    Args:
        label: stands on the button.
        choose: called with `args` when it is pressed. As a callback it happens also where the run that would
            close the dialog is broken off by another one.
        *args: of `choose`.
        **looks: what else `st.button` takes.
    """
    if st.button(label, on_click=choose, args=args, **looks):
        st.rerun()
