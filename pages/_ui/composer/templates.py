"""The library: starting prompts, styles, and what the team has saved."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import streamlit as st

from kling import catalog
from kling.studio.prompting.draft import Draft
from kling.studio.prompting.template_language import expand
from kling.studio.prompting.templates import Style, Template, search, styles, templates
from pages._ui.address import base_path
from pages._ui.composer import draft_state
from pages._ui.composer.dialog_choice import dialog_choice
from pages._ui.composer.team_templates import draft_of_request, team
from pages._ui.escape import escape_html, escape_markdown
from pages._ui.format import in_money
from pages._ui.session_state import composer_state
from pages._ui.style.sheet import style_sheet
from pages._ui.words import model_title

SHELVES = ("Prompts", "Styles", "Team")
# On a phone the categories stand in one line that scrolls, elsewhere in as many lines as they need. The whole
# card of a template is its button.
STYLE = """<style>
  @media (min-width: 640px) { .st-key-composer-library_category [role=radiogroup] { flex-wrap: wrap } }
  [class*=st-key-template-] { position: relative; gap: 0; }
  [class*=st-key-template-] :is(.stElementContainer, .stButton, .stButton div) { position: static; }
  [class*=st-key-template-] button { position: static; justify-content: flex-start; min-height: 32px;
    padding: 0 !important; color: var(--text); background: none !important; text-align: left; }
  [class*=st-key-template-] button :is(div, span) { justify-content: flex-start; margin: 0; }
  [class*=st-key-template-] button::after { content: ""; position: absolute; inset: -6px;
    border-radius: var(--r); cursor: pointer; }
  [class*=st-key-template-] button:focus-visible { outline: none !important; }
  [class*=st-key-template-] button:focus-visible::after { outline: 2px solid var(--ring); }
  [class*=st-key-template-] button::before { content: "Use this" / ""; position: absolute; top: 8px;
    right: 8px; padding: 0 10px; border-radius: var(--ri); background: var(--fill); color: #fff; opacity: 0;
    font: 600 13px/28px "Source Sans", sans-serif; transition: opacity var(--fast); }
  [class*=st-key-template-] button:is(:hover, :focus-visible)::before { opacity: 1; }
  [class*=st-key-template-] p { margin: 0; }
</style>"""
FIRST_CARDS = 24  # drawn before somebody asks for all of them, which take a browser a second

Begin = Callable[[Draft], None]


@st.dialog("Templates", width="large", icon=":material/auto_stories:")
def library(begin_with: Begin) -> None:
    """Draw the library.

    Args:
        begin_with: fills the form with a draft.
    """
    with st.container(horizontal=True, vertical_alignment="center"):
        shelf = st.segmented_control(
            "Shelf",
            SHELVES,
            default=SHELVES[0],
            required=True,
            key="composer.shelf",
            label_visibility="collapsed",
        )
        query = st.text_input(
            "Search",
            type="search",
            live="250ms",
            placeholder=f"Search: {shelf.lower()}",
            key="composer.library_query",
            label_visibility="collapsed",
            icon=":material/search:",
            width=320,
        )
    if shelf == "Prompts":
        _starting_prompts(query or "", begin_with)
    elif shelf == "Styles":
        _styles(query or "")
    else:
        team(query or "", begin_with)


def _starting_prompts(query: str, begin_with: Begin) -> None:
    style_sheet(STYLE)
    categories = list(dict.fromkeys(template.category for template in templates()))
    category = st.pills(
        "Category", categories, key="composer.library_category", label_visibility="collapsed", wrap=False
    )
    found = [each for each in search(query, templates()) if category in {None, each.category}]
    if not found:
        st.caption("None of the starting prompts has all of these words.")
    grid = st.grid("auto", min_column_width=250, gap="medium")
    shown = found if composer_state().all_templates else found[:FIRST_CARDS]
    for template in shown:
        with grid.cell(), st.container(key=f"template-{template.id}"):
            st.html(
                f'<img src="{base_path()}/posters/{template.id}.jpg" alt="" loading="lazy" width="320" '
                'height="180" style="width:100%;height:auto;border-radius:var(--r);display:block">'
            )
            dialog_choice(
                f"**{escape_markdown(template.title)}**",
                _use,
                begin_with,
                template,
                type="tertiary",
                key=f"composer.use-{template.id}",
                width="stretch",
            )
            st.caption(escape_markdown(f"{template.teaches}\n{_summary(template)}"))
    if len(shown) < len(found):
        st.button(f"Show all {len(found)}", on_click=_show_all, width="stretch", key="composer.all_templates")


def _show_all() -> None:
    composer_state().all_templates = True


def _use(begin_with: Begin, template: Template) -> None:
    begin_with(draft_of_template(template))


def draft_of_template(template: Template) -> Draft:
    """Return the draft of a template: one video, unless a table of variations is switched on."""
    draft = draft_of_request(template.request)
    return draft if draft.variations else replace(draft, prompt=expand(draft.prompt)[0])


def _summary(template: Template) -> str:
    request = template.request
    model = model_title(request.model_name, catalog().models.get(request.model_name))
    parts = [template.category, model, f"{request.duration} s", in_money(request.units())]
    return " · ".join(parts)


def _styles(query: str) -> None:
    draft = draft_state.read_draft()
    wanted = query.casefold().split()
    st.caption("A style is a few words at the end of the prompt. A new one takes the place of the old one.")
    grid = st.grid("auto", min_column_width=250, gap="medium")
    for style in styles():
        text = f"{style.title} {style.words} {style.teaches}".casefold()
        if not all(word in text for word in wanted):
            continue
        chosen = any(style.is_in(text) for text in _texts(draft))
        with grid.cell():
            dialog_choice(
                f"{'Take out' if chosen else 'Add'} **{escape_markdown(style.title)}**",
                _wear,
                None if chosen else style,
                key=f"composer.style-{style.id}",
                icon=":material/check:" if chosen else None,
                width="stretch",
            )
            st.html(f'<div style="font-size:.875rem">{escape_html(style.words)}</div>')
            st.caption(escape_markdown(style.teaches))


def _wear(style: Style | None) -> None:
    draft_state.replace_draft(**_styled(draft_state.read_draft(), style))


def _texts(draft: Draft) -> tuple[str, ...]:
    return tuple(shot.prompt for shot in draft.shots) if draft.is_storyboard else (draft.prompt,)


def _styled(draft: Draft, style: Style | None) -> dict[str, object]:
    """Return the texts that are sent, with this style in place of any other one; None removes styles."""

    def restyled(text: str) -> str:
        for each in styles():
            text = each.take_from(text)
        return style.add_to(text) if style else text

    if draft.is_storyboard:
        return {"shots": tuple(replace(shot, prompt=restyled(shot.prompt)) for shot in draft.shots)}
    return {"prompt": restyled(draft.prompt)}
