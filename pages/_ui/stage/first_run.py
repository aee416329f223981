"""What stands on the stage before anything was made: six templates to begin with."""

from __future__ import annotations

from typing import Any

import streamlit as st

from kling.studio.prompting.templates import templates
from pages._ui.composer.toolbar import begin_with, open_dialog
from pages._ui.format import counted
from pages._ui.panels import open_panel
from pages._ui.stage.remix import move_focus

SIX = {  # ids of templates, and what one learns from each
    "espresso-pour": "Push in, morning light",
    "sneaker-desert": "One hero, one surprising place",
    "fox-snow": "Camera follows",
    "coast-drone": "Quarter circle from the air",
    "city-rain": "With sound, in 1080p",
    "ink-abstract": "Abstract, square",
}
SQUARE = {"ink-abstract"}  # whose posters have bars at both sides


def six() -> list[dict[str, Any]]:
    """Return what the stage's script draws: the ids, titles and lessons."""
    known = {template.id: template for template in templates()}
    return [
        {"id": each, "title": known[each].title, "teaches": lesson, "square": each in SQUARE}
        for each, lesson in SIX.items()
        if each in known
    ]


def first_run() -> None:
    """Draw the buttons below them."""
    with st.container(horizontal=True, vertical_alignment="center", key="stage_begin"):
        st.button(
            f"All {counted(len(templates()), 'template', 'templates')}",
            icon=":material/auto_stories:",
            key="stage.all_templates",
            on_click=open_dialog,
            args=("templates",),
        )
        st.button(
            "How to write a prompt",
            icon=":material/help:",
            type="tertiary",
            key="stage.guide",
            on_click=open_panel,
            args=("guide",),
        )


def use(template_id: str) -> None:
    """Have the next run fill the form with a template, in a callback.

    Args:
        template_id: comes from a page, so it may be anything.
    """
    from pages._ui.composer.templates import draft_of_template  # most pages need no library

    for template in templates():
        if template.id == template_id:
            begin_with(draft_of_template(template))
            move_focus("generate")
