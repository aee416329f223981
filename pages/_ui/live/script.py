"""The script of live parts as a component. Its files are one module, joined here: there is no build step."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

from pages._ui.address import base_path
from pages._ui.live.timing import as_names
from pages._ui.words import STATES

FILES = ("hub", "socket", "announce", "progress", "parts")  # each is a file beside this module


@cache
def component() -> Any:
    """Return the component, which Streamlit is told of once."""
    return st.components.v2.component("studio_live", js=module())


def module() -> str:
    """Return the whole script."""
    here = Path(__file__).parent
    facts = {
        "PATH": f"{base_path()}/live",
        "TIMES": as_names(),
        "WORDS": {state: word for state, (word, _, _) in STATES.items()},
    }
    constants = "".join(f"const {name} = {json.dumps(fact)};\n" for name, fact in facts.items())
    return constants + "".join((here / f"{name}.js").read_text(encoding="utf-8") for name in FILES)
