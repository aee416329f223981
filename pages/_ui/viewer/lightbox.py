"""The lightbox of every page: main.py draws it once, and scripts open it from anywhere.

It is a component because Streamlit may not be asked for a run on a key. It asks the route /viewer for what it
shows; Python hears only what is decided about a clip, and draws the dialogs over it.
"""

from __future__ import annotations

from functools import cache, partial
from pathlib import Path
from typing import Any

import streamlit as st

from pages._ui import curation
from pages._ui.address import base_path
from pages._ui.curation.presses import answered, did
from pages._ui.escape import escape_attribute
from pages._ui.live import part_of_page
from pages._ui.scripts.assets import loader, loading
from pages._ui.scripts.script import ELEMENTS, FINGER, SENDING, script_of
from pages._ui.style.sheet import with_sheets

KEY = "viewer.lightbox"
PLACE = "viewer"  # its name among the places that dialogs are drawn in
FILES = ("tools", "address", "player", "panel", "strip", "fingers", "lightbox", "present")


@cache
def _component() -> Any:
    """Return the script as a component, which Streamlit is told of once."""
    load = f"const load = () => {loading('lightbox', module())};\n"
    door = load + script_of(ELEMENTS, SENDING, Path(__file__).with_name("door.js"))
    return st.components.v2.component("studio_viewer", js=loader("door", door), isolate_styles=False)


def module() -> str:
    """Return the whole script of what door.js opens."""
    files = (Path(__file__).with_name(f"{name}.js") for name in FILES)
    return with_sheets(script_of(ELEMENTS, FINGER, SENDING, *files, BASE=base_path()), "list_menus", "viewer")


def lightbox() -> None:
    """Draw it, closed; call it once on every page."""
    part_of_page(_draw, is_page_old=lambda: False)


def _draw() -> None:
    with st.container(key="viewer"):
        st.html(f'<i hidden data-did="{escape_attribute(answered())}"></i>')
        # Without `data`: Streamlit would load pandas to look at it, and the first page would wait.
        _component()(key=KEY, on_did_change=partial(did, KEY, PLACE))
        curation.overlays(PLACE)
