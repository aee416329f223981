"""What somebody presses on a wall: for one clip, or for all that are selected."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import streamlit as st

from kling.studio.curation import MOST_JOBS
from pages._ui import curation

LONGEST_ID = 200

_ACTS: Mapping[str, Callable[[Sequence[str]], None]] = {
    "star": curation.star,
    "unstar": lambda ids: curation.star(ids, on=False),
    "hide": curation.hide,
    "show": curation.show_again,
    "tag": curation.tag_dialog,
    "delete": curation.delete_dialog,
    "collect": curation.collect_dialog,
    "share": curation.share_dialog,
}
Answer = Callable[[Mapping[str, Any]], None]


def did(key: str, on_did: Answer | None) -> None:
    """Do what somebody has pressed; call it in the callback of the component.

    Args:
        key: of the component.
        on_did: is told what only its page knows; see `wall`.
    """
    said = (st.session_state.get(key) or {}).get("did")  # none if the page was left in the same moment
    if not isinstance(said, dict):
        return
    what, ids = str(said.get("what")), _ids(said.get("ids"))
    if not ids:
        return
    if what in _ACTS:
        _ACTS[what](ids)
    elif on_did is not None:
        before = said.get("before")
        is_id = isinstance(before, str) and len(before) <= LONGEST_ID
        told = {"move": ids, "before": before if is_id else ""} if what == "move" else {what: ids}
        on_did(told)


def _ids(told: object) -> list[str]:
    found = told[:MOST_JOBS] if isinstance(told, list) else []
    return [each for each in found if isinstance(each, str) and 0 < len(each) <= LONGEST_ID]
