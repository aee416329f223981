"""The script of the pages of collections: links within the session, and Present."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

from pages._ui.scripts.assets import loader

_SCRIPT = Path(__file__).with_name("collections.js")


@cache
def _component() -> Any:
    """Return the script as a component, which Streamlit is told of once."""
    script = loader("collections", _SCRIPT.read_text(encoding="utf-8"))
    return st.components.v2.component("studio_collections", js=script, isolate_styles=False)


def script() -> None:
    """Draw what listens to presses; call it outside of parts that are drawn again by themselves."""
    _component()(key="collections.script")
