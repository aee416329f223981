"""Fields of the create call that are asked for less often."""

from __future__ import annotations

import streamlit as st

from kling.studio.prompting.draft import ONE_SHOT, STORYBOARD, Draft
from pages._ui.composer.draft_state import persistent, replace_draft
from pages._ui.composer.field_errors import FieldErrors
from pages._ui.panels import form_panel
from pages._ui.words import AUTOMATIC, AUTOMATIC_CUTS, field

CUTS_KEY = "composer.automatic_cuts"
STRENGTH = field("cfg_scale").lower()
BY_KLING = "intelligence"  # the cut that Kling makes


def advanced(draft: Draft, errors: FieldErrors) -> None:
    """Draw the panel."""
    has_strength = draft.set_cfg_scale and draft.can_send("cfg_scale")
    chosen = [
        words
        for words, is_chosen in (
            (AUTOMATIC_CUTS, draft.cut == BY_KLING and draft.can_send("shot_type")),
            ("watermark", draft.watermark),
            (f"{STRENGTH} {draft.cfg_scale:g}", has_strength),
            ("retired models", draft.retired),
        )
        if is_chosen
    ]
    form_panel(
        "more",
        "More settings",
        lambda: _fields(draft, errors),
        icon="tune",
        state=", ".join(chosen) or AUTOMATIC,
        is_set=bool(chosen),
        is_wrong=errors.are_in("more"),
    )


def _fields(draft: Draft, errors: FieldErrors) -> None:
    if draft.can_send("shot_type") and draft.cut != STORYBOARD:
        if st.session_state.get(CUTS_KEY) != (draft.cut == BY_KLING):
            st.session_state[CUTS_KEY] = draft.cut == BY_KLING
        st.toggle(
            AUTOMATIC_CUTS,
            help="Kling cuts the prompt into shots by itself: describe them one after the other.",
            key=CUTS_KEY,
            on_change=_cut_by_kling,
        )
    st.toggle(
        "Also make a watermarked file", help="A second file beside the clean one.", **persistent("watermark")
    )
    if draft.can_send("cfg_scale"):
        st.toggle(
            f"Set {STRENGTH}",
            help="`cfg_scale` in the API; otherwise Kling's own default of 0.5.",
            **persistent("set_cfg_scale"),
        )
        if draft.set_cfg_scale:
            st.slider(
                field("cfg_scale"),
                0.0,
                1.0,
                step=0.05,
                help="The larger, the closer to the prompt.",
                **persistent("cfg_scale"),
            )
        errors("cfg_scale")
    st.toggle(
        "Offer retired models",
        help="Kling no longer serves them, and refuses what is ordered of them.",
        **persistent("retired"),
    )
    st.caption("The studio gives each job its id; the callback address is the operator’s.")


def _cut_by_kling() -> None:
    replace_draft(cut=BY_KLING if st.session_state.get(CUTS_KEY) else ONE_SHOT)
