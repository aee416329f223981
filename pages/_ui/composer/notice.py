"""A plain sentence about what was changed along with a choice, what that costs, and the way back."""

from __future__ import annotations

from typing import Literal

import streamlit as st

from kling.studio.prompting.draft import Draft
from pages._ui.composer.draft_state import replace_draft
from pages._ui.composer.price_of import price_of
from pages._ui.escape import escape_markdown
from pages._ui.format import in_money
from pages._ui.session_state import Notice, composer_state
from pages._ui.words import field, quality

Place = Literal["pictures", "model", "choices"]  # of the form: where the choice was made


def notice(draft: Draft, place: Place) -> None:
    """Draw the sentence until the next change, at what was chosen, if there is something to say."""
    told = composer_state().notice
    if told is None or place != _place_of(told):
        return
    with st.container(horizontal=True, key="notice"):
        st.caption(escape_markdown(_sentence(draft, told)))
        st.button("Undo", type="tertiary", key="composer.undo", on_click=undo)


def _place_of(told: Notice) -> Place:
    if told.switched_from or any(change.field == "cut" for change in told.changes):
        return "model"
    return "pictures" if told.undo.keys() & {"first_frame", "last_frame"} else "choices"


def undo() -> None:
    """Take back the choice and what it brought along; what was written since stays."""
    state = composer_state()
    told, state.notice = state.notice, None
    if told is not None:
        replace_draft(**told.undo)


def _sentence(draft: Draft, told: Notice) -> str:
    model = draft.known
    title = model.title if model else "this model"
    modes = model.modes if model else {}
    moved = {change.field: change for change in told.changes}
    raised = moved.pop("mode", None) if draft.sound else None
    if raised and (raised.old not in modes or modes[raised.old].takes_sound):
        moved["mode"], raised = raised, None
    left = moved.pop("cut", None)
    words = "; ".join(
        f"{_word(change.field)} "
        f"{_value(draft, change.field, change.old)} → {_value(draft, change.field, change.new)}"
        for change in moved.values()
    )
    said = [f"To fit {title}: {words}."] if words else []
    if raised:
        said.insert(0, f"Sound needs {quality(str(raised.new), model)}.")
    if told.switched_from:
        said.insert(0, f"Switched from {told.switched_from}, which makes single shots only.")
    if left:
        said.insert(0, f"{title} makes single shots only. Yours are kept under Storyboard.")
    if told.unsent:
        said.append(f"Not sent now, but kept: {', '.join(map(_word, told.unsent))}.")
    if price_of(draft) == told.after and told.before != told.after:
        before = "" if told.before is None else f", was {in_money(told.before)}"
        said.append(f"Now {in_money(told.after)}{before}.")
    return " ".join(said)


def _word(name: str) -> str:
    return field("camera_control" if name == "camera" else name)


def _value(draft: Draft, field: str, value: object) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    if field == "mode":
        return quality(str(value), draft.known)
    return f"{value} s" if field == "duration" else str(value) or "none"
