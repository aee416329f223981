"""The shots of a video on a strip: their seconds always add up to its duration."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from kling import Shot, catalog
from kling.studio.prompting import storyboard as strip
from kling.studio.prompting.draft import CUTS, ONE_SHOT, STORYBOARD, Draft
from pages._ui.composer.autosave import counted
from pages._ui.composer.camera import shown
from pages._ui.composer.draft_state import LONGEST_SHOT, browser, keep, read_draft, replace_draft
from pages._ui.composer.field_errors import Wrong
from pages._ui.context import studio
from pages._ui.escape import escape_attribute, escape_html, escape_markdown
from pages._ui.live import follow

CUT_WORDS = {ONE_SHOT: "one shot", "intelligence": "Kling cuts the prompt", STORYBOARD: "storyboard"}


def storyboard(draft: Draft, wrong: Wrong) -> None:
    """Draw how the video is cut, for models that can be told."""
    if not draft.takes_shots:
        return
    with st.expander(
        "Shots",
        icon=":material/view_column:",
        key="open_shots",
        on_change="rerun",
    ) as panel:
        if not panel.open:
            return
        st.segmented_control(
            "Cut", CUTS, format_func=lambda cut: CUT_WORDS[cut], required=True, width="stretch", **keep("cut")
        )
        if draft.cut == "intelligence":
            st.caption("Kling cuts the prompt above into shots by itself: describe them one after the other.")
        if draft.is_storyboard:
            _board(draft, wrong)
        wrong("shot_type", "multi_prompt")


def _board(draft: Draft, wrong: Wrong) -> None:
    _strip(draft)
    for number in range(1, len(draft.shots) + 1):
        _shot(draft, number, wrong)
    with st.container(horizontal=True):
        st.button("Add a shot", icon=":material/add:", on_click=_change, args=(strip.add,), key="add_shot")
        st.button(
            "Share the seconds",
            icon=":material/view_week:",
            help="Gives every shot as many seconds as the others.",
            on_click=_change,
            args=(_even,),
            key="spread_shots",
        )
        if strip.remainder(draft.shots, draft.duration):
            st.button(
                f"Fit into {draft.duration} s",
                icon=":material/fit_width:",
                on_click=_change,
                args=(lambda shots: strip.fill(shots, read_draft().duration),),
                key="fill_shots",
            )
    if problem := st.session_state.pop("shots_problem", ""):
        st.warning(escape_markdown(problem))
    with st.expander("Preview of the cut", icon=":material/movie:", key="open_cut", on_change="rerun") as cut:
        if cut.open:
            follow(lambda: _preview(draft), "cut")
    with st.expander("As text", icon=":material/notes:", key="open_board_text", on_change="rerun") as text:
        if text.open:
            st.text_area(
                "Storyboard as text",
                value=strip.to_text(draft.shots),
                help="A shot each: shot 1, 3, what it shows;",
                key=f"board_text_{hash(draft.shots)}",
                on_change=_from_text,
                args=(f"board_text_{hash(draft.shots)}",),
            )


def _strip(draft: Draft) -> None:
    """Draw the shots as wide as they are long."""
    whole, total = int(draft.duration), strip.total(draft.shots)
    cells = "".join(
        f'<div dir="auto" title="{escape_attribute(shot.prompt)}" '
        f'style="flex:{strip.seconds(shot)} 1 0;min-width:0;'
        "overflow:hidden;text-overflow:ellipsis;white-space:nowrap;padding:.35rem .5rem;border-radius:.4rem;"
        'border:1px solid currentColor;font-size:.8rem">'
        f"<b>{number}</b> · {strip.seconds(shot)} s {escape_html(shot.prompt[:40])}</div>"
        for number, shot in enumerate(draft.shots, 1)
    )
    st.html(
        f'<div role="img" aria-label="{len(draft.shots)} shots" style="display:flex;gap:3px">{cells}</div>'
    )
    off = strip.remainder(draft.shots, draft.duration)
    words = "" if not off else f": {abs(off)} s {'left' if off > 0 else 'too long'}"
    st.caption(
        f"{total} s of {whole} s{words}. Changing a shot’s seconds moves the duration, and the other way."
    )


def _shot(draft: Draft, number: int, wrong: Wrong) -> None:
    place, last = number - 1, len(draft.shots)
    with st.container(border=True, key=f"shot-{number}"):
        left, right = st.columns([4, 1])
        left.text_area(
            f"Shot {number}", height=68, placeholder="What this shot shows.", **keep(f"shot_{number}")
        )
        right.number_input(f"Seconds {number}", 1, LONGEST_SHOT, **keep(f"seconds_{number}"))
        with st.container(horizontal=True, vertical_alignment="center"):
            counted(f"shot_{number}", draft.shots[place].prompt, catalog().shot_prompt_limit)
            _tool(
                "Earlier",
                "arrow_upward",
                number,
                place > 0,
                lambda shots: strip.move(shots, place, place - 1),
            )
            _tool(
                "Later",
                "arrow_downward",
                number,
                number < last,
                lambda shots: strip.move(shots, place, place + 1),
            )
            _tool(
                "Split",
                "content_cut",
                number,
                last < catalog().shot_limit,
                lambda shots: strip.split(shots, place),
            )
            _tool("Remove", "delete", number, last > 1, lambda shots: strip.remove(shots, place))
        wrong(f"multi_prompt[{number}]")


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
        key=f"{name.lower()}_shot_{number}",
    )


def _even(shots: Sequence[Shot]) -> tuple[Shot, ...]:
    return strip.spread(len(shots), read_draft().duration, [shot.prompt for shot in shots])


def _change(change: Callable[[Sequence[Shot]], tuple[Shot, ...]]) -> None:
    try:
        replace_draft(shots=change(read_draft().shots))
    except strip.StoryboardError as error:
        st.session_state.shots_problem = str(error)


def _from_text(key: str) -> None:
    text = st.session_state.get(key, "")
    _change(lambda _shots: strip.from_text(text))


def _preview(draft: Draft) -> None:
    preview = studio().previews.cut(
        draft.shots,
        aspect_ratio=draft.aspect_ratio,
        negative_prompt=draft.negative_prompt,
        person=browser(),
    )
    shown(preview.name, preview.state, preview.problem, "Preview of the cut")
