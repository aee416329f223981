"""The shots of a video, in place of the prompt. Their seconds add up to its length."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from kling import Shot, catalog
from kling.studio.changes import PREVIEWS
from kling.studio.prompting import storyboard as board
from kling.studio.prompting.draft import LONGEST_SHOT, Draft, choices_for
from pages._ui.composer.autosave import character_count
from pages._ui.composer.camera import show_preview
from pages._ui.composer.draft_state import (
    persistent,
    read_draft,
    replace_draft,
    shot_field,
)
from pages._ui.composer.field_errors import FieldErrors
from pages._ui.current_user import acting, browser_id
from pages._ui.escape import escape_attribute, escape_markdown
from pages._ui.live import live_fragment
from pages._ui.panels import panel
from pages._ui.session_state import composer_state
from pages._ui.words import EQUAL_LENGTHS


def storyboard(draft: Draft, errors: FieldErrors) -> None:
    """Draw the bar of the cut, a field for each shot, and what changes all of them."""
    with st.container(key="board"):
        _bar_of_the_cut(draft)
        with st.container(key="shots"):
            for number in range(1, len(draft.shots) + 1):
                _shot(draft, number, errors)
        _tools_of_all(draft)
        state = composer_state()
        problem, state.storyboard_problem = state.storyboard_problem, ""
        if problem:
            st.warning(escape_markdown(problem))


def _bar_of_the_cut(draft: Draft) -> None:
    """Draw the shots as wide as they are long."""
    cells = "".join(
        f'<div data-part="{number}" title="{escape_attribute(shot.prompt)}" '
        f'style="flex:{board.seconds(shot)} 1 0">{number} · {board.seconds(shot)} s</div>'
        for number, shot in enumerate(draft.shots, 1)
    )
    st.html(f'<div class="studio-cut" role="img" aria-label="{len(draft.shots)} shots">{cells}</div>')


def _shot(draft: Draft, number: int, errors: FieldErrors) -> None:
    index, last = number - 1, len(draft.shots)
    with st.container(key=f"shot-{number}"):
        st.text_area(
            f"Shot {number}",
            height="content",
            placeholder="What this shot shows.",
            **persistent(shot_field("shot", number)),
        )
        st.number_input(
            f"Seconds {number}",
            1,
            LONGEST_SHOT,
            label_visibility="collapsed",
            **persistent(shot_field("seconds", number)),
        )
        with st.container(horizontal=True, key=f"shot_tools-{number}"):
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
            character_count(f"shot_{number}", draft.shots[index].prompt, catalog().shot_prompt_limit)
        errors(f"multi_prompt[{number}]")


def _tool(
    name: str, icon: str, number: int, can: bool, change: Callable[[Sequence[Shot]], tuple[Shot, ...]]
) -> None:
    st.button(
        name,
        icon=f":material/{icon}:",
        type="tertiary",
        disabled=not can,
        on_click=_change,
        args=(change,),
        key=f"composer.{name.lower()}_shot_{number}",
    )


def _tools_of_all(draft: Draft) -> None:
    total, most = board.total(draft.shots), choices_for(draft.known)["duration"][-1]
    off = board.remainder(draft.shots, draft.duration)
    with st.container(horizontal=True, key="board_tools"):
        st.button(
            "Add a shot",
            icon=":material/add:",
            type="tertiary",
            on_click=_change,
            args=(board.add,),
            key="composer.add_shot",
        )
        st.button(
            EQUAL_LENGTHS,
            icon=":material/view_week:",
            type="tertiary",
            on_click=_change,
            args=(_even,),
            key="composer.spread_shots",
        )
        panel(
            "Preview",
            lambda: _preview_and_text(draft),
            key="composer.open_cut",
            icon="play_circle",
            kind="popover",
        )
        st.html(f'<span class="studio-count" data-over="{str(off < 0).lower()}">{total} of {most} s</span>')
        if off:
            st.button(
                f"Fit into {draft.duration} s",
                icon=":material/fit_width:",
                type="tertiary",
                on_click=_change,
                args=(lambda shots: board.fill(shots, read_draft().duration),),
                key="composer.fill_shots",
            )


def _preview_and_text(draft: Draft) -> None:
    live_fragment(lambda: _preview(draft), "cut", concerns=lambda: [PREVIEWS])
    key = f"composer.board_text_{hash(draft.shots)}"  # another text for other shots
    st.text_area(
        "Storyboard as text",
        value=board.to_text(draft.shots),
        help="A shot each: shot 1, 3, what it shows; Lists, tables and JSON are read too.",
        key=key,
        on_change=_from_text,
        args=(key,),
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
    _change(lambda _shots: board.from_text(text, read_draft().duration))


def _preview(draft: Draft) -> None:
    preview = acting().preview_cut(
        draft.shots,
        aspect_ratio=draft.aspect_ratio,
        negative_prompt=draft.negative_prompt,
        browser=browser_id(),
    )
    show_preview(preview.name, preview.state, preview.problem, "Preview of the cut")
