"""What the field Search does in the browser: entries of its history, and what was looked for last."""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import streamlit as st

from pages._ui.current_user import acting
from pages._ui.scripts.assets import loader

_SCRIPT = Path(__file__).with_name("bar.js")


@cache
def _component() -> Any:
    """Return the script as a component, which Streamlit is told of once."""
    script = loader("search", _SCRIPT.read_text(encoding="utf-8"))
    return st.components.v2.component("studio_search", js=script)


def search_script() -> None:
    """Draw what tells the script whose searches the browser keeps: each person of a browser has their own."""
    whose = sha256(acting().who.encode()).hexdigest()[:16]
    _component()(key="app.remember-search")
    st.html(f'<i data-recent-of="{whose}" data-style hidden></i>')
