"""What somebody presses in the list: one row, or all that are selected."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import streamlit as st

from kling.studio.curation import MOST_JOBS
from pages._ui.curation import (
    collect_dialog,
    delete_dialog,
    hide,
    share_dialog,
    show_again,
    star,
    tag_dialog,
)

KEY = "history.list"
LONGEST_ID = 200

_ACTS: Mapping[str, Callable[[Sequence[str]], None]] = {
    "star": star,
    "unstar": lambda ids: star(ids, on=False),
    "hide": hide,
    "show": show_again,
    "tag": tag_dialog,
    "delete": delete_dialog,
    "collect": collect_dialog,
    "share": share_dialog,
}


def did() -> None:
    """Do what somebody has pressed in the list."""
    said = (st.session_state.get(KEY) or {}).get("did")  # none if the page was left in the same moment
    if not isinstance(said, dict) or not isinstance(said.get("ids"), list):
        return
    ids = [each for each in said["ids"][:MOST_JOBS] if isinstance(each, str) and len(each) <= LONGEST_ID]
    what = str(said.get("what"))
    if ids and what in _ACTS:
        _ACTS[what](ids)
