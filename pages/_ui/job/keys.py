"""The keys of a job's page, and its links that change the page within the session."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

from pages._ui.scripts.assets import loader

_SCRIPT = Path(__file__).with_name("job.js")


@cache
def _component() -> Any:
    """Return the script as a component, which Streamlit is told of once."""
    script = loader("job", _SCRIPT.read_text(encoding="utf-8"))
    return st.components.v2.component("studio_job", js=script, isolate_styles=False)


def keys() -> None:
    """Draw what listens to them; call it outside of parts that are drawn again by themselves."""
    _component()(key="job.keys")
