"""Fields of the create call that are asked for less often."""

from __future__ import annotations

import streamlit as st

from kling.studio.prompting.draft import Draft
from pages._ui.composer.draft_state import panel_key, persistent
from pages._ui.composer.field_errors import ShowErrors
from pages._ui.panels import panel


def advanced(draft: Draft, errors: ShowErrors) -> None:
    """Draw the panel."""
    panel("More settings", lambda: _fields(draft, errors), key=panel_key("more"), icon="tune")


def _fields(draft: Draft, errors: ShowErrors) -> None:
    st.toggle(
        "Also make a watermarked file", help="A second file beside the clean one.", **persistent("watermark")
    )
    if draft.can_send("cfg_scale"):
        left, right = st.columns([2, 3], vertical_alignment="center")
        left.toggle(
            "Set cfg_scale", help="Otherwise Kling's own default of 0.5.", **persistent("set_cfg_scale")
        )
        right.slider(
            "cfg_scale",
            0.0,
            1.0,
            step=0.05,
            disabled=not draft.set_cfg_scale,
            help="The larger, the closer to the prompt.",
            **persistent("cfg_scale"),
        )
        errors("cfg_scale")
    st.toggle(
        "Offer retired models",
        help="Kling no longer serves them, and refuses what is ordered of them.",
        **persistent("retired"),
    )
    st.caption("The task’s external_task_id is made by the studio; its callback address is the operator’s.")
