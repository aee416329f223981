"""The camera move: a field of the request where the model has it, otherwise words in the prompt."""

from __future__ import annotations

from typing import Literal

import streamlit as st

from kling import CameraControl
from kling.camera_control import CAMERA_AXES, CAMERA_LIMIT, CAMERA_TYPES
from kling.studio.changes import PREVIEWS
from kling.studio.prompting.camera_words import move_in_words
from kling.studio.prompting.draft import AUTOMATIC, Draft
from pages._ui.address import base_path
from pages._ui.composer.draft_state import persistent
from pages._ui.composer.field_errors import FieldErrors
from pages._ui.current_user import acting, browser_id
from pages._ui.escape import escape_attribute, escape_html, escape_markdown
from pages._ui.live import live_fragment
from pages._ui.panels import form_panel
from pages._ui.words import AMOUNT, CUSTOM_MOVE, quality
from pages._ui.words import AUTOMATIC as AUTOMATIC_WORD

MOVES = {
    AUTOMATIC: AUTOMATIC_WORD,
    "simple": CUSTOM_MOVE,
    "down_back": "Down and back",
    "forward_up": "Forward and up",
    "right_turn_forward": "Turn right, then forward",
    "left_turn_forward": "Turn left, then forward",
}
# What each end of an axis does (S1, camera_control), as the end of a sentence.
AXES = {
    "horizontal": "moves left (−) or right (+)",
    "vertical": "moves down (−) or up (+)",
    "pan": "turns left (−) or right (+)",
    "tilt": "turns down (−) or up (+)",
    "roll": "rolls counterclockwise (−) or clockwise (+)",
    "zoom": "zooms in, closer (−), or out, wider (+)",
}


def camera(draft: Draft, errors: FieldErrors) -> None:
    """Draw the panel."""
    state = MOVES[draft.camera]
    if draft.camera == "simple":
        state = f"{draft.camera_axis} {draft.camera_value:+g}".replace("-", "−")
    form_panel(
        "camera",
        "Camera",
        lambda: _move_and_preview(draft, errors),
        icon="videocam",
        state=state,
        is_set=draft.camera != AUTOMATIC,
        is_wrong=errors.are_in("camera"),
    )


def _move_and_preview(draft: Draft, errors: FieldErrors) -> None:
    _move(draft)
    errors("camera_control")
    control = draft.camera_control
    if control is None or not move_in_words(control):
        st.caption("Choose a move and see it here before anything is ordered.")
    else:
        live_fragment(lambda: _preview(control, draft.aspect_ratio), "camera", concerns=lambda: [PREVIEWS])


def _move(draft: Draft) -> None:
    st.selectbox(
        "Camera move",
        [AUTOMATIC, *CAMERA_TYPES],
        format_func=lambda name: MOVES[name],
        **persistent("camera"),
    )
    if draft.camera == "simple":
        st.selectbox("Axis", CAMERA_AXES, **persistent("camera_axis"))
        st.slider(AMOUNT, -float(CAMERA_LIMIT), float(CAMERA_LIMIT), step=0.5, **persistent("camera_value"))
        st.caption(f"The camera {AXES[draft.camera_axis]}.")
    model = draft.known
    if not draft.can_send("camera_control"):
        on = f" on {model.title}" if model else ""
        control = draft.camera_control
        now = f" It says now: “{move_in_words(control)}”" if control and move_in_words(control) else ""
        where = f"Goes into the prompt as words{on}."
        if draft.is_storyboard:
            where, now = f"Describe the move in the shots{on}.", ""
        st.caption(escape_markdown(where + now))
    elif model and model.camera_control:
        rule = model.camera_control
        st.caption(f"{model.title} takes it in {quality(rule.mode, model)} at {rule.duration} s.")


def _preview(control: CameraControl, aspect_ratio: str) -> None:
    preview = acting().preview_camera(control, aspect_ratio=aspect_ratio, browser=browser_id())
    show_preview(preview.name, preview.state, preview.problem, "Preview of the camera move")


def show_preview(
    name: str, state: Literal["ready", "drawing", "busy", "failed"], problem: str, label: str
) -> None:
    """Draw a preview, or what stands in its place."""
    if state == "ready":
        source = escape_html(f"{base_path()}/previews/{name}")
        st.html(
            f'<video src="{source}" autoplay muted loop playsinline aria-label="{escape_attribute(label)}" '
            'style="width:100%;border-radius:.5rem;background:#000;display:block"></video>'
        )
        st.caption("A free preview, drawn here.")
    elif state == "failed":
        st.warning(escape_markdown(f"The preview could not be drawn. {problem}"))
    else:
        st.skeleton(height=140)
        st.caption("Drawing a free preview …")
