"""The script of live parts as a component. Its files are one module."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

from pages._ui.address import base_path
from pages._ui.live.timing import as_names
from pages._ui.scripts.assets import loader
from pages._ui.scripts.script import script_of
from pages._ui.words import STATES

FILES = ("hub", "socket", "announce", "progress", "parts")  # each is a file beside this module


@cache
def component() -> Any:
    """Return the component, which Streamlit is told of once."""
    return st.components.v2.component("studio_live", js=loader("live", module()))


def module() -> str:
    """Return the whole script."""
    files = (Path(__file__).with_name(f"{name}.js") for name in FILES)
    words = {state: word for state, (word, _, _) in STATES.items()}
    return script_of(*files, PATH=f"{base_path()}/live", TIMES=as_names(), WORDS=words)
