"""What is pressed in the lightbox, on a wall and in History's list, which scripts/sending.js tells of."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import streamlit as st

from kling.studio.actions import Actions
from kling.studio.curation import MOST_JOBS
from kling.studio.state.records import Collection, CollectionChanged
from pages._ui.context import studio
from pages._ui.curation import decisions
from pages._ui.decide import attempt
from pages._ui.session_state import app_state

LONGEST_ID = 200
MOST_ACTS = 100  # of one message; the script tells of the others again


def answered() -> str:
    """Return what `data-did` tells the script, in each part that a press draws again: what was done last."""
    tab, number = app_state().answered
    return f"{tab} {number}"


def did(key: str, place: str = "") -> None:
    """Do what somebody has pressed, in order, and what is told of twice once; for a component's callback.

    Args:
        key: of the component.
        place: where the dialogs that are asked for are drawn, as for `overlays`.
    """
    said = (st.session_state.get(key) or {}).get("did")  # none if the page was left in the same moment
    if not isinstance(said, dict) or not isinstance(said.get("acts"), list):
        return
    state, tab = app_state(), str(said.get("tab"))[:40]
    done = state.answered[1] if state.answered[0] == tab else 0
    for act in said["acts"][:MOST_ACTS]:
        number = act.get("n") if isinstance(act, dict) else None
        if not isinstance(number, int) or number <= done:
            continue
        what, ids, value = str(act.get("what")), _ids(act.get("ids")), act.get("value")
        if ids and what in _DIALOGS:
            _DIALOGS[what](ids)
            state.asked_in = place
        elif ids and what in _ACTS:
            _ACTS[what](ids, value)
        # Last: after an error in an act the script tells of it again.
        done, state.answered = number, (tab, number)


def _ids(told: object) -> list[str]:
    found = told[:MOST_JOBS] if isinstance(told, list) else []
    return [each for each in found if isinstance(each, str) and 0 < len(each) <= LONGEST_ID]


def _rate(job_ids: Sequence[str], rating: object) -> None:
    if isinstance(rating, int):
        decisions.rate(job_ids, rating)


def _hide(job_ids: Sequence[str], where: object) -> None:
    if where == "here":  # the lightbox offers to undo that itself
        attempt(Actions.hide, job_ids)
    else:
        decisions.hide(job_ids)


# -- in a collection: its id is told as `of` -----------------------------------------------------------------


def _text(told: object, name: str) -> str:
    found = told.get(name) if isinstance(told, dict) else None
    return found if isinstance(found, str) and len(found) <= LONGEST_ID else ""


def _move(job_ids: Sequence[str], told: object) -> None:
    attempt(Actions.move_in_collection, _text(told, "of"), job_ids, before=_text(told, "before"))


def _take_out(job_ids: Sequence[str], told: object) -> None:
    if (collection := attempt(_named, told)) is not None:
        decisions.take_out(collection, job_ids)


def _use_as_cover(job_ids: Sequence[str], told: object) -> None:
    attempt(lambda actions: actions.change_collection(_named(actions, told), cover=job_ids[0]))


def _named(_: Actions, told: object) -> Collection:
    if (found := studio().state.collections.get(_text(told, "of"))) is None:
        raise CollectionChanged("Somebody has deleted this collection.")
    return found


_ACTS: Mapping[str, Callable[[Sequence[str], Any], None]] = {
    "star": lambda ids, _: decisions.star(ids),
    "unstar": lambda ids, _: decisions.star(ids, on=False),
    "rate": _rate,
    "hide": _hide,
    "show": lambda ids, _: decisions.show_again(ids),
    "move": _move,
    "take_out": _take_out,
    "cover": _use_as_cover,
}
_DIALOGS: Mapping[str, Callable[[Sequence[str]], None]] = {
    "tag": decisions.tag_dialog,
    "note": lambda ids: decisions.note_dialog(ids[0]),
    "delete": decisions.delete_dialog,
    "collect": decisions.collect_dialog,
    "share": decisions.share_dialog,
    "sound": decisions.sound_dialog,
}
