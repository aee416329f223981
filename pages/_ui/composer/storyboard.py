"""The shots of a video. Their seconds add up to its duration: changing one changes the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from kling import Shot, catalog
from kling.studio.prompting import storyboard as board
from kling.studio.prompting.draft import CUTS, ONE_SHOT, STORYBOARD, Draft
from pages._ui.composer.autosave import character_count
from pages._ui.composer.camera import show_preview
from pages._ui.composer.draft_state import (
    LONGEST_SHOT,
    panel_key,
    persistent,
    read_draft,
    replace_draft,
    shot_field,
)
from pages._ui.composer.field_errors import ShowErrors
from pages._ui.current_user import acting, browser_id
from pages._ui.escape import escape_attribute, escape_html, escape_markdown
from pages._ui.live import live_fragment
from pages._ui.panels import panel
from pages._ui.session_state import composer_state

CUT_WORDS = {ONE_SHOT: "one shot", "intelligence": "Kling cuts the prompt", STORYBOARD: "storyboard"}


def storyboard(draft: Draft, errors: ShowErrors) -> None:
    """Draw how the video is cut, for models that can be told."""
    if draft.can_send("multi_shot"):
        panel("Shots", lambda: _cut(draft, errors), key=panel_key("shots"), icon="view_column")


def _cut(draft: Draft, errors: ShowErrors) -> None:
    st.segmented_control(
        "Cut",
        CUTS,
        format_func=lambda cut: CUT_WORDS[cut],
        required=True,
        width="stretch",
        **persistent("cut"),
    )
    if draft.cut == "intelligence":
        st.caption("Kling cuts the prompt above into shots by itself: describe them one after the other.")
    if draft.is_storyboard:
        _board(draft, errors)
    errors("shot_type", "multi_prompt")


def _board(draft: Draft, errors: ShowErrors) -> None:
    _timeline(draft)
    for number in range(1, len(draft.shots) + 1):
        _shot(draft, number, errors)
    with st.container(horizontal=True):
        st.button(
            "Add a shot", icon=":material/add:", on_click=_change, args=(board.add,), key="composer.add_shot"
        )
        st.button(
            "Share the seconds",
            icon=":material/view_week:",
            help="Gives every shot as many seconds as the others.",
            on_click=_change,
            args=(_even,),
            key="composer.spread_shots",
        )
        if board.remainder(draft.shots, draft.duration):
            st.button(
                f"Fit into {draft.duration} s",
                icon=":material/fit_width:",
                on_click=_change,
                args=(lambda shots: board.fill(shots, read_draft().duration),),
                key="composer.fill_shots",
            )
    state = composer_state()
    problem, state.storyboard_problem = state.storyboard_problem, ""
    if problem:
        st.warning(escape_markdown(problem))
    panel(
        "Preview of the cut",
        lambda: live_fragment(lambda: _preview(draft), "cut"),
        key="composer.open_cut",
        icon="movie",
    )
    panel("As text", lambda: _text(draft.shots), key="composer.open_board_text", icon="notes")


def _text(shots: Sequence[Shot]) -> None:
    key = f"composer.board_text_{hash(shots)}"  # another text for other shots
    st.text_area(
        "Storyboard as text",
        value=board.to_text(shots),
        help="A shot each: shot 1, 3, what it shows;",
        key=key,
        on_change=_from_text,
        args=(key,),
    )


def _timeline(draft: Draft) -> None:
    """Draw the shots as wide as they are long."""
    whole, total = int(draft.duration), board.total(draft.shots)
    cells = "".join(
        f'<div dir="auto" title="{escape_attribute(shot.prompt)}" '
        f'style="flex:{board.seconds(shot)} 1 0;min-width:0;'
        "overflow:hidden;text-overflow:ellipsis;white-space:nowrap;padding:.35rem .5rem;border-radius:.4rem;"
        'border:1px solid currentColor;font-size:.8rem">'
        f"<b>{number}</b> · {board.seconds(shot)} s {escape_html(shot.prompt[:40])}</div>"
        for number, shot in enumerate(draft.shots, 1)
    )
    st.html(
        f'<div role="img" aria-label="{len(draft.shots)} shots" style="display:flex;gap:3px">{cells}</div>'
    )
    off = board.remainder(draft.shots, draft.duration)
    words = "" if not off else f": {abs(off)} s {'left' if off > 0 else 'too long'}"
    st.caption(
        f"{total} s of {whole} s{words}. Changing a shot’s seconds moves the duration, and the other way."
    )


def _shot(draft: Draft, number: int, errors: ShowErrors) -> None:
    index, last = number - 1, len(draft.shots)
    with st.container(border=True, key=f"shot-{number}"):
        left, right = st.columns([4, 1])
        left.text_area(
            f"Shot {number}",
            height=68,
            placeholder="What this shot shows.",
            **persistent(shot_field("shot", number)),
        )
        right.number_input(f"Seconds {number}", 1, LONGEST_SHOT, **persistent(shot_field("seconds", number)))
        with st.container(horizontal=True, vertical_alignment="center"):
            character_count(f"shot_{number}", draft.shots[index].prompt, catalog().shot_prompt_limit)
            _tool(
                "Earlier",
                "arrow_upward",
                number,
                index > 0,
                lambda shots: board.move(shots, index, index - 1),
            )
            _tool(
                "Later",
                "arrow_downward",
                number,
                number < last,
                lambda shots: board.move(shots, index, index + 1),
            )
            _tool(
                "Split",
                "content_cut",
                number,
                last < catalog().shot_limit,
                lambda shots: board.split(shots, index),
            )
            _tool("Remove", "delete", number, last > 1, lambda shots: board.remove(shots, index))
        errors(f"multi_prompt[{number}]")


def _tool(
    name: str, icon: str, number: int, can: bool, change: Callable[[Sequence[Shot]], tuple[Shot, ...]]
) -> None:
    st.button(
        name,
        icon=f":material/{icon}:",
        type="tertiary",
        disabled=not can,
        help=f"{name} shot {number}",
        on_click=_change,
        args=(change,),
        key=f"composer.{name.lower()}_shot_{number}",
    )


def _even(shots: Sequence[Shot]) -> tuple[Shot, ...]:
    return board.spread(len(shots), read_draft().duration, [shot.prompt for shot in shots])


def _change(change: Callable[[Sequence[Shot]], tuple[Shot, ...]]) -> None:
    try:
        replace_draft(shots=change(read_draft().shots))
    except board.StoryboardError as error:
        composer_state().storyboard_problem = str(error)


def _from_text(key: str) -> None:
    text = st.session_state.get(key, "")
    _change(lambda _shots: board.from_text(text))


def _preview(draft: Draft) -> None:
    preview = acting().preview_cut(
        draft.shots,
        aspect_ratio=draft.aspect_ratio,
        negative_prompt=draft.negative_prompt,
        browser=browser_id(),
    )
    show_preview(preview.name, preview.state, preview.problem, "Preview of the cut")
