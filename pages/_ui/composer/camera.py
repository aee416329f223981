"""The move of the camera: told to a model that takes it, written into the prompt for one that does not."""

from __future__ import annotations

from typing import Literal

import streamlit as st

from kling import CameraControl
from kling.camera_control import CAMERA_AXES, CAMERA_LIMIT, CAMERA_TYPES
from kling.studio.prompting.camera_words import move_in_words
from kling.studio.prompting.draft import AUTOMATIC, Draft
from pages._ui.composer.draft_state import browser, keep
from pages._ui.composer.field_errors import Wrong
from pages._ui.context import studio
from pages._ui.escape import escape_attribute, escape_html, escape_markdown
from pages._ui.live import base_path, follow

MOVES = {
    AUTOMATIC: "left to Kling",
    "simple": "one axis",
    "down_back": "down and back",
    "forward_up": "forward and up",
    "right_turn_forward": "turn right, then forward",
    "left_turn_forward": "turn left, then forward",
}
# What each end of an axis does (S1, camera_control).
AXES = {
    "horizontal": "moves left (−) or right (+)",
    "vertical": "moves down (−) or up (+)",
    "pan": "turns left (−) or right (+)",
    "tilt": "turns down (−) or up (+)",
    "roll": "rolls counterclockwise (−) or clockwise (+)",
    "zoom": "longer focal length, closer (−); shorter, wider (+)",
}


def camera(draft: Draft, wrong: Wrong) -> None:
    """Draw the move and a free preview of it, when somebody opens this."""
    with st.expander(
        "Camera",
        icon=":material/videocam:",
        key="open_camera",
        on_change="rerun",
    ) as panel:
        if not panel.open:
            return
        left, right = st.columns([3, 2])
        with left:
            _move(draft)
            wrong("camera_control")
        with right:
            control = draft.camera_control
            if control is None or not move_in_words(control):
                st.caption("Choose a move and see it here before anything is ordered.")
            else:
                follow(lambda: _preview(control, draft.aspect_ratio), "camera")


def _move(draft: Draft) -> None:
    st.selectbox(
        "Camera move", [AUTOMATIC, *CAMERA_TYPES], format_func=lambda name: MOVES[name], **keep("camera")
    )
    if draft.camera == "simple":
        st.selectbox("Axis", CAMERA_AXES, **keep("camera_axis"))
        st.slider("By", -float(CAMERA_LIMIT), float(CAMERA_LIMIT), step=0.5, **keep("camera_value"))
        st.caption(f"The camera {AXES[draft.camera_axis]}.")
    model = draft.known
    if not draft.takes_camera:
        title = model.title if model else ""
        control = draft.camera_control
        said = f" It says now: “{move_in_words(control)}”" if control and move_in_words(control) else ""
        where = "Its words go into the prompt"
        if draft.is_storyboard:
            where, said = "Describe the move in the shots", ""
        st.caption(escape_markdown(f"{title} takes no camera control. {where}.{said}"))
    elif model and model.camera_control:
        rule = model.camera_control
        st.caption(f"{model.title} takes it in {rule.mode} mode at {rule.duration} s.")


def _preview(control: CameraControl, aspect_ratio: str) -> None:
    preview = studio().previews.camera(control, aspect_ratio=aspect_ratio, person=browser())
    shown(preview.name, preview.state, preview.problem, "Preview of the camera move")


def shown(name: str, state: Literal["ready", "drawing", "busy", "failed"], problem: str, label: str) -> None:
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
