"""The lightbox of every page: main.py draws it once, and scripts open it from anywhere.

It is a component because Streamlit may not be asked for a run on a key. It asks the route /viewer for what it
shows; Python hears only what is decided about a clip, and draws the dialogs over it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

from kling.studio.actions import Actions
from kling.studio.curation import MOST_JOBS
from pages._ui import curation
from pages._ui.address import base_path
from pages._ui.decide import attempt
from pages._ui.escape import escape_attribute
from pages._ui.live import part_of_page
from pages._ui.scripts.assets import loader, loading
from pages._ui.scripts.script import ELEMENTS, script_of
from pages._ui.session_state import app_state
from pages._ui.style.sheet import with_sheets

KEY = "viewer.lightbox"
PLACE = "viewer"  # its name among the places that dialogs are drawn in
FILES = ("tools", "address", "sending", "player", "panel", "strip", "fingers", "lightbox", "present")
LONGEST_ID = 200
MOST_ACTS = 100
_DIALOGS: Mapping[str, Callable[[Sequence[str]], None]] = {
    "tag": curation.tag_dialog,
    "note": lambda ids: curation.note_dialog(ids[0]),
    "delete": curation.delete_dialog,
    "collect": curation.collect_dialog,
    "share": curation.share_dialog,
    "sound": curation.sound_dialog,
}


@cache
def _component() -> Any:
    """Return the script as a component, which Streamlit is told of once."""
    load = f"const load = () => {loading('lightbox', module())};\n"
    door = load + Path(__file__).with_name("door.js").read_text(encoding="utf-8")
    return st.components.v2.component("studio_viewer", js=loader("door", door), isolate_styles=False)


def module() -> str:
    """Return the whole script of what door.js opens."""
    files = (Path(__file__).with_name(f"{name}.js") for name in FILES)
    return with_sheets(script_of(ELEMENTS, *files, BASE=base_path()), "list_menus", "viewer")


def lightbox() -> None:
    """Draw it, closed; call it once on every page."""
    part_of_page(_draw, is_page_old=lambda: False)


def _draw() -> None:
    with st.container(key="viewer"):
        tab, number = app_state().viewer_done
        st.html(f'<i hidden data-viewer-done="{escape_attribute(f"{tab} {number}")}"></i>')
        # Without `data`: Streamlit would load pandas to look at it, and the first page would wait.
        _component()(key=KEY, on_did_change=did)
        curation.overlays(PLACE)


def did() -> None:
    """Do what somebody has pressed in the lightbox; what comes twice is done once."""
    said = (st.session_state.get(KEY) or {}).get("did")
    if not isinstance(said, dict) or not isinstance(said.get("acts"), list):
        return
    state, tab = app_state(), str(said.get("tab"))[:40]
    done = state.viewer_done[1] if state.viewer_done[0] == tab else 0
    for act in said["acts"][:MOST_ACTS]:
        number = act.get("n") if isinstance(act, dict) else None
        if isinstance(number, int) and number > done:
            state.viewer_done = tab, number  # first: a run may be stopped
            _do(str(act.get("what")), _ids(act.get("ids")), act.get("value"))


def _do(what: str, ids: Sequence[str], value: object) -> None:
    if not ids:
        return
    if what in {"star", "unstar"}:
        curation.star(ids, on=what == "star")
    elif what == "rate" and isinstance(value, int):
        curation.rate(ids, value)
    elif what == "hide" and value == "page":  # nothing is left in the lightbox to undo it
        curation.hide(ids)
    elif what in {"hide", "show"}:  # the lightbox offers to undo that itself
        attempt(Actions.hide, ids, on=what == "hide")
    elif what in _DIALOGS:
        _DIALOGS[what](ids)
        app_state().asked_in = PLACE


def _ids(told: object) -> list[str]:
    found = told[:MOST_JOBS] if isinstance(told, list) else []
    return [each for each in found if isinstance(each, str) and 0 < len(each) <= LONGEST_ID]
