"""What is asked for less often: the camera, the storyboard, and the rest of the create call."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from kling import Problem, catalog
from kling.models import CAMERA_AXES, CAMERA_TYPES
from kling.studio.draft import AUTOMATIC, CUTS, ONE_SHOT, Draft
from pages._ui.form.desk import counted
from pages._ui.form.fields import LONGEST_SHOT, keep, key
from pages._ui.form.problems import Wrong, inside

CUT_WORDS = {ONE_SHOT: "one shot", "intelligence": "Kling cuts the prompt", "customize": "storyboard"}


def camera(draft: Draft, problems: Sequence[Problem], wrong: Wrong) -> None:
    """Draw the movement of the camera."""
    if not draft.takes_camera:
        return
    with st.expander("Camera", expanded=inside(problems, "camera_control"), icon=":material/videocam:"):
        st.selectbox("Camera movement", [AUTOMATIC, *CAMERA_TYPES], **keep("camera"))
        if draft.camera == "simple":
            left, right = st.columns(2)
            left.selectbox("Axis", CAMERA_AXES, **keep("camera_axis"))
            right.slider("Movement", -10.0, 10.0, step=0.5, **keep("camera_value"))
        wrong("camera_control")


def storyboard(draft: Draft, problems: Sequence[Problem], wrong: Wrong) -> None:
    """Draw how the video is cut."""
    if not draft.takes_shots:
        return
    wrong_inside = inside(problems, "shot_type", "multi_prompt")
    with st.expander("Shots", expanded=wrong_inside, icon=":material/view_column:"):
        st.selectbox("Cut", CUTS, format_func=lambda cut: CUT_WORDS[cut], **keep("cut"))
        if draft.is_storyboard:
            _shots(draft, wrong)
        wrong("shot_type", "multi_prompt")


def _shots(draft: Draft, wrong: Wrong) -> None:
    known = catalog()
    st.number_input("Number of shots", 1, known.shot_limit, key=key("count"), persist_state="session")
    for number, shot in enumerate(draft.shots, 1):
        left, right = st.columns([4, 1])
        left.text_area(
            f"Shot {number}", height=68, placeholder="What this shot shows.", **keep(f"shot_{number}")
        )
        right.number_input(f"Seconds {number}", 1, LONGEST_SHOT, **keep(f"seconds_{number}"))
        counted(f"shot_{number}", shot.prompt, known.shot_prompt_limit)
        wrong(f"multi_prompt[{number}]")
    st.caption("The seconds of the shots add up to the duration: changing one moves the other.")


def more(draft: Draft, problems: Sequence[Problem], wrong: Wrong) -> None:
    """Draw the rest."""
    with st.expander("More settings", expanded=inside(problems, "cfg_scale"), icon=":material/tune:"):
        st.toggle(
            "Also make a watermarked file", help="A second file beside the clean one.", **keep("watermark")
        )
        if draft.takes_cfg_scale:
            left, right = st.columns([2, 3], vertical_alignment="center")
            left.toggle(
                "Set cfg_scale", help="Otherwise Kling's own default of 0.5.", **keep("set_cfg_scale")
            )
            right.slider(
                "cfg_scale",
                0.0,
                1.0,
                step=0.05,
                disabled=not draft.set_cfg_scale,
                help="The larger, the closer to the prompt.",
                **keep("cfg_scale"),
            )
            wrong("cfg_scale")
        st.toggle(
            "Offer retired models",
            help="Kling no longer serves them; the sandbox does, so that everything can be tried.",
            **keep("retired"),
        )
        st.caption(
            "The task’s external_task_id is made by the studio; its callback address is the operator’s."
        )
