"""Says that a prompt is a request as code, which somebody pasted there, and fills the form with it."""

from __future__ import annotations

from functools import lru_cache

import streamlit as st

from kling.studio.prompting.draft import Draft
from kling.studio.prompting.import_request import ImportRequestError, draft_of, parse_request
from pages._ui.composer.import_export import FILLED
from pages._ui.composer.pictures import picture_named

CODE = ("{", "```", "curl ")  # how it begins


def pasted_code(draft: Draft) -> None:
    """Draw the offer under the prompt; nothing for a prompt of words."""
    if draft.is_storyboard or not draft.prompt.lstrip().startswith(CODE) or not _is_request(draft.prompt):
        return
    with st.container(key="pasted_code"):
        st.warning("This is a request as code. Kling would read it as words.", icon=":material/data_object:")
        st.button(
            "Fill the form with it", key="composer.fill_from_prompt", on_click=_fill, args=(draft.prompt,)
        )


@lru_cache(64)
def _is_request(text: str) -> bool:
    try:
        parse_request(text)
    except ImportRequestError:
        return False
    return True


def _fill(text: str) -> None:
    from pages._ui.composer.toolbar import begin_with

    draft, notes = draft_of(parse_request(text, picture_named))
    begin_with(draft, (FILLED, *notes))
