"""Model, mode, duration, aspect ratio and sound: each with the choices that the catalog names."""

from __future__ import annotations

import streamlit as st

from kling import catalog
from kling.catalog import Model
from kling.studio.prompting.draft import OTHER, Draft, choices_for
from pages._ui.composer.draft_state import persistent, price_of
from pages._ui.composer.field_errors import ShowErrors
from pages._ui.escape import escape_markdown
from pages._ui.format import price
from pages._ui.session_state import Notice

FIELD_WORDS = {"aspect_ratio": "aspect ratio", "camera": "camera control"}


def options(draft: Draft, errors: ShowErrors) -> None:
    """Draw the choices."""
    model, offered = draft.known, choices_for(draft.known)
    left, right = st.columns([3, 2])
    with left:
        _model(draft, model)
        errors("model_name")
    with right:
        if model is None or model.takes_mode:
            st.segmented_control(
                "Mode",
                offered["mode"],
                format_func=lambda name: _mode_label(model, name),
                required=True,
                width="stretch",
                **persistent("mode"),
            )
        errors("mode")
    first, second, third = st.columns([2, 3, 2])
    with first:
        st.selectbox(
            "Duration",
            offered["duration"],
            format_func=lambda seconds: f"{seconds} s",
            **persistent("duration"),
        )
        errors("duration")
    with second:
        ratios = offered["aspect_ratio"]
        if len(ratios) <= 3:
            st.segmented_control(
                "Aspect ratio", ratios, required=True, width="stretch", **persistent("aspect_ratio")
            )
        else:
            st.selectbox("Aspect ratio", ratios, **persistent("aspect_ratio"))
        errors("aspect_ratio")
    with third:
        st.segmented_control(
            "Sound",
            [False, True],
            format_func=lambda loud: "on" if loud else "off",
            required=True,
            disabled=model is not None and not model.takes_sound,
            help=_sound_help(model),
            width="stretch",
            **persistent("sound"),
        )
        errors("sound")


def _model(draft: Draft, model: Model | None) -> None:
    models = catalog().models
    names = [
        name for name, known in models.items() if not known.retired or draft.retired or name == draft.model
    ]

    def title(name: str) -> str:
        if name == OTHER:
            return "Other model…"
        return models[name].title + (" (retired)" if models[name].retired else "")

    st.selectbox(
        "Model", [*names, OTHER], format_func=title, help=model.note if model else None, **persistent("model")
    )
    if model is None:
        st.text_input("Name of the model", placeholder="as the API calls it", **persistent("other_model"))
        return
    if model.retired:
        living = models[model.successor].title if model.successor in models else "another model"
        st.caption(f"Kling retired this model on {model.retired:%d %b %Y}. Use {living} instead.")


def _mode_label(model: Model | None, name: str) -> str:
    mode = model.modes.get(name) if model else None
    return name if mode is None or mode.name == "4k" else f"{name} {mode.short_side}p"


def _sound_help(model: Model | None) -> str | None:
    if model is None:
        return None
    loud = [name for name, mode in model.modes.items() if mode.takes_sound]
    if not loud:
        return f"{model.title} makes silent clips."
    if len(loud) == len(model.modes):
        return None
    return f"{model.title} makes sound in {' and '.join(loud)} mode."


def notice(draft: Draft, moved: Notice) -> None:
    """Say what was changed to fit the model or the shots, and what that does to the price."""
    model = draft.known
    words = "; ".join(
        f"{FIELD_WORDS.get(change.field, change.field)} {_value(change.old)} → {_value(change.new)}"
        for change in moved.changes
    )
    title = model.title if model else "this model"
    if draft.is_storyboard and {change.field for change in moved.changes} == {"duration"}:
        title = "the shots"
    cost = ""
    if price_of(draft) == moved.after and moved.before != moved.after:
        before = "" if moved.before is None else f" from {price(moved.before)}"
        cost = f" The price went{before} to {price(moved.after)}."
    with st.container(key="notice"):
        st.info(escape_markdown(f"To fit {title}: {words}.{cost}"), icon=":material/swap_horiz:")


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return str(value) or "none"
