"""What is asked for less often: the rest of the create call."""

from __future__ import annotations

import streamlit as st

from kling.studio.prompting.draft import Draft
from pages._ui.composer.draft_state import keep
from pages._ui.composer.field_errors import Wrong


def advanced(draft: Draft, wrong: Wrong) -> None:
    """Draw the rest."""
    with st.expander("More settings", icon=":material/tune:", key="open_more", on_change="rerun") as panel:
        if not panel.open:
            return
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
            help="Kling no longer serves them, and refuses what is ordered of them.",
            **keep("retired"),
        )
        st.caption(
            "The task’s external_task_id is made by the studio; its callback address is the operator’s."
        )
