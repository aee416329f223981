"""The script that every page has for its links to `/take-away`: how far it is, and what went wrong."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

from pages._ui.address import base_path
from pages._ui.scripts.assets import loader
from pages._ui.scripts.script import script_of

_SCRIPT = Path(__file__).with_name("taking.js")


@cache
def _component() -> Any:
    """Return the script as a component, which Streamlit is told of once."""
    script = loader("taking", script_of(_SCRIPT, PATH=f"{base_path()}/take-away"))
    return st.components.v2.component("studio_taking", js=script, isolate_styles=False)


def taking() -> None:
    """Draw it; call it once on every page."""
    _component()(key="taking")
