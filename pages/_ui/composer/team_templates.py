"""The team's shelf of the library: requests that people here have saved under a name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import streamlit as st

from kling import catalog
from kling.studio.identity.roles import NotAllowed
from kling.studio.prompting.draft import Draft, FormRequest
from kling.studio.prompting.templates import search
from kling.studio.state.records import StateError, TeamTemplate
from pages._ui.composer import draft_state
from pages._ui.composer.dialog_choice import dialog_choice
from pages._ui.context import studio
from pages._ui.current_user import acting
from pages._ui.escape import escape_html, escape_markdown
from pages._ui.format import in_money, moment
from pages._ui.session_state import composer_state
from pages._ui.words import model_title

Begin = Callable[[Draft], None]
FIELDS = {"title": ("Name", 80), "category": ("Category", 40), "teaches": ("What it is good for", 300)}
CUT = (
    "font-size:.875rem;display:-webkit-box;-webkit-line-clamp:2;-webkit-box-orient:vertical;overflow:hidden;"
    "overflow-wrap:anywhere"
)


def team(query: str, begin_with: Begin) -> None:
    """Draw what is saved, and a form to save the draft.

    Args:
        query: what to look for.
        begin_with: fills the form with a draft.
    """
    state = composer_state()
    problem, state.template_problem = state.template_problem, ""
    if problem:
        st.error(escape_markdown(problem), icon=":material/warning:")
    if state.edited_template:
        _edit(state.edited_template)
        return
    try:
        everything = studio().state.templates.all()
    except StateError as error:
        st.error(escape_markdown(str(error)), icon=":material/warning:")
        return
    found = search(query, everything)
    if not found:
        st.caption("None of them has all of these words." if everything else "Nobody has saved one yet.")
    for template in found:
        with st.container(border=True, key=f"saved-{template.id}"):
            _card(template, begin_with)
    with st.form("composer.save_template"):
        st.markdown("**Save the draft that you have now**")
        _inputs("new")
        st.form_submit_button("Save for the team", icon=":material/bookmark_add:", on_click=_add)


def _inputs(key: str, seen: TeamTemplate | None = None) -> None:
    for name, (label, limit) in FIELDS.items():
        st.text_input(
            label, getattr(seen, name) if seen else "", max_chars=limit, key=f"composer.team-{name}-{key}"
        )


def _typed(key: str) -> dict[str, str]:
    return {name: st.session_state.get(f"composer.team-{name}-{key}") or "" for name in FIELDS}


def _add() -> None:
    user, request, typed = acting(), draft_state.read_draft().request(), _typed("new")
    try:
        if not any(_is_same(each, request, typed) for each in studio().state.templates.all()):
            user.add_template(request, **typed)
    except (StateError, NotAllowed) as error:
        composer_state().template_problem = str(error)
        return
    st.session_state.update({f"composer.team-{name}-new": "" for name in FIELDS})


def _is_same(template: TeamTemplate, request: FormRequest, typed: Mapping[str, str]) -> bool:
    """Whether a template says the same already, as after a double click."""
    return template.request == request and all(
        getattr(template, name) == typed[name].strip() for name in FIELDS
    )


def _card(template: TeamTemplate, begin_with: Begin) -> None:
    request, title = template.request, escape_markdown(template.title)
    text = request.prompt or " / ".join(shot.prompt for shot in request.multi_prompt)
    st.html(
        '<div dir="auto" style="overflow-wrap:anywhere">'
        f"<strong>{escape_html(template.title)}</strong> {escape_html(template.teaches)}</div>"
        f'<div dir="auto" style="{CUT}">{escape_html(text)}</div>'
    )
    author = f"{template.author}, " if template.author else ""
    facts = [
        template.category,
        model_title(request.model_name, catalog().models.get(request.model_name)),
        f"{request.duration} s",
        in_money(request.units()),
        f"{author}{moment(template.changed)}",
    ]
    st.caption(escape_markdown(" · ".join(fact for fact in facts if fact)))
    with st.container(horizontal=True, gap="xsmall"):
        key = f"composer.use-saved-{template.id}"
        dialog_choice(f"Use **{title}**", _use, begin_with, request, key=key)
        st.button(
            f"Change {title}",
            key=f"composer.change-{template.id}",
            type="tertiary",
            on_click=_open_editor,
            args=(template,),
        )


def _use(begin_with: Begin, request: FormRequest) -> None:
    begin_with(draft_of_request(request))


def draft_of_request(request: FormRequest) -> Draft:
    """Return the draft of a template's request; a table of variations stays as it is switched."""
    variations = draft_state.read_draft().variations
    return replace(Draft.from_request(request), variations=variations, as_typed=False)


def _open_editor(template: TeamTemplate | None) -> None:
    composer_state().edited_template = template


def _edit(seen: TeamTemplate) -> None:
    st.markdown(f"**Change {escape_markdown(seen.title)}**")
    key = _key(seen)
    _inputs(key, seen)
    st.checkbox(
        "Put the draft that I have now in the place of what it orders", key=f"composer.team-again-{key}"
    )
    gone = st.checkbox("Delete it, for everybody", key=f"composer.team-gone-{key}")
    with st.container(horizontal=True):
        st.button(
            "Delete" if gone else "Save",
            icon=":material/delete:" if gone else ":material/check:",
            type="primary",
            key="composer.team-save",
            on_click=_save,
            args=(seen,),
        )
        st.button("Leave it as it is", key="composer.team-leave", on_click=_open_editor, args=(None,))


def _key(seen: TeamTemplate) -> str:
    return f"{seen.id}-{seen.version}"  # what was typed to change one version must not change the next one


def _save(seen: TeamTemplate) -> None:
    """Change or delete the template as it was shown; if somebody has changed it meanwhile, say so."""
    session, key = st.session_state, _key(seen)
    replaces = session.get(f"composer.team-again-{key}")
    request = {"request": draft_state.read_draft().request()} if replaces else {}
    try:
        if session.get(f"composer.team-gone-{key}"):
            acting().delete_template(seen)
        else:
            acting().change_template(seen, **_typed(key), **request)
    except (StateError, NotAllowed) as error:
        composer_state().template_problem = str(error)
        return
    _open_editor(None)
