"""Model, quality, length, shape and sound: each with the choices that the catalog names."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal

import streamlit as st

from kling import TextToVideo, catalog
from kling.catalog import Model
from kling.endpoint import key_problems
from kling.problems import Problem
from kling.studio import amounts
from kling.studio.prompting.draft import OTHER, Draft, choices_for
from pages._ui.composer.draft_state import key, persistent
from pages._ui.composer.field_errors import FieldErrors
from pages._ui.composer.notice import notice
from pages._ui.composer.pictures import shape_of
from pages._ui.context import studio
from pages._ui.session_state import composer_state
from pages._ui.words import FIELDS, quality

MOST_SEGMENTS = 4  # more choices than that are a list
ERRORS = ("model_name", "mode", "duration", "aspect_ratio", "sound")


def options(draft: Draft, errors: FieldErrors) -> None:
    """Draw the choices; compose.css makes two columns of them, and on a phone puts the shape first."""
    model, offered = draft.known, choices_for(draft.known)
    with st.container(key="choices"):
        _model(draft, model, errors)
        notice(draft, "model")
        if model is None or model.takes_mode:
            st.segmented_control(
                FIELDS["mode"],
                offered["mode"],
                format_func=lambda name: _quality(model, name),
                required=True,
                width="stretch",
                **persistent("mode"),
            )
        if draft.is_storyboard:
            st.html(_fact("duration", f"{int(draft.duration)} s", "from the shots"))
        else:
            _choice("duration", offered["duration"], unit=" s")
        if draft.first_frame:
            st.html(_fact("aspect_ratio", shape_of(draft), "of the picture"))
        else:
            _choice("aspect_ratio", offered["aspect_ratio"])
        if model is not None and model.always_sound:
            st.html(_fact("sound", "On", "always"))
        else:
            st.segmented_control(
                FIELDS["sound"],
                [False, True],
                format_func=lambda loud: _sound(draft, model) if loud else "Off",
                required=True,
                disabled=model is not None and not model.takes_sound,
                width="stretch",
                **persistent("sound"),
            )
    errors(*ERRORS)
    notice(draft, "choices")


def _choice(field: str, choices: Sequence[str], *, unit: str = "") -> None:
    """Draw a few choices as segments, and many as a list."""
    is_list = len(choices) > MOST_SEGMENTS
    drawn = composer_state().drawn_as_list
    if drawn.get(field, is_list) != is_list:  # another widget under the same key begins with its default
        st.session_state[key(field)] = st.session_state.get(key(field))
    drawn[field] = is_list
    if not is_list:
        st.segmented_control(
            FIELDS[field],
            choices,
            format_func=lambda value: f"{value}{unit}",
            required=True,
            width="stretch",
            **persistent(field),
        )
    else:
        st.selectbox(FIELDS[field], choices, format_func=lambda value: f"{value}{unit}", **persistent(field))


def _fact(field: str, value: str, why: str) -> str:
    """Return a choice that nobody makes here, with what makes it."""
    return f'<div class="studio-fact"><span>{FIELDS[field]}</span><div><b>{value}</b> {why}</div></div>'


def _model(draft: Draft, model: Model | None, errors: FieldErrors) -> None:
    models = catalog().models
    names = [
        name for name, known in models.items() if not known.retired or draft.retired or name == draft.model
    ]
    st.selectbox(FIELDS["model_name"], [*names, OTHER], format_func=_facts, **persistent("model"))
    if model is None:
        st.text_input("Name of the model", placeholder="as the API calls it", **persistent("other_model"))
    elif problems := _key_problems(model.name):
        if new := [problem.message for problem in problems if problem not in errors.problems]:
            st.caption(" ".join(new))  # what was pressed for stands below, as an error
    elif model.retired:
        living = models[model.successor].title if model.successor in models else "another model"
        with st.container(key="retired"):
            st.caption(f"Kling retired this model on {model.retired:%d %b %Y}. Use {living} instead.")


def _key_problems(name: str) -> tuple[Problem, ...]:
    """Return why the account's credentials do not open a model; empty if they do."""
    return key_problems(TextToVideo(model_name=name), studio().settings.credentials)


def _facts(name: str) -> str:
    """Return a model's name with its facts in one line, which no other choice of the form changes.

    A list whose words change while somebody chooses from it would take the choice for none.
    """
    if name == OTHER:
        return "Other model…"
    model = catalog().models[name]
    title = f"{model.title} (retired)" if model.retired else model.title
    first, last = model.durations[0], model.durations[-1]
    prices = (TextToVideo(model_name=name, mode=mode, duration=first).units() for mode in model.modes)
    lowest = min(units for units in prices if units is not None) / int(first)
    between = "or" if len(model.durations) == 2 else "to"
    facts = [title, *(["needs an API key"] if _key_problems(name) else [])]
    if "multi_shot" in model.takes:
        facts.append("several shots")  # for their sake a storyboard switches the model
    facts.append(f"from {_rate(lowest)} a second")
    if _generation(model) == max(map(_generation, catalog().models.values())):
        facts.append("newest generation")
    if model.always_sound:
        facts.append("always with sound")
    elif not model.takes_sound:
        facts.append("silent")
    # What comes last may be cut in the closed box: the length stands beside it.
    return " · ".join([*facts, f"{first} {between} {last} s"])


def _generation(model: Model) -> Decimal:
    """Return the number in a model's title, 3.0 of `Kling 3.0 Turbo`; 0 without one."""
    found = re.search(r"\d+\.\d+", model.title)
    return Decimal(found[0] if found else 0)


def _rate(units: Decimal) -> str:
    """Return the price of a second, with as many decimals as it has, up to a tenth of a cent."""
    settings = studio().settings
    price = round(units * settings.unit_price, 3)
    cents = amounts.money(price, settings.currency)
    return cents if price == round(price, 2) else cents.replace(f"{price:.2f}", f"{price:.3f}")


def _quality(model: Model | None, name: str) -> str:
    """Return the size of the picture, and where there is room the API's name of it, small."""
    known = quality(name, model)
    return known if model is None or len(model.modes) > 2 else f"{known} :small[{name}]"


def _sound(draft: Draft, model: Model | None) -> str:
    """Return what the choice of sound says: where another quality is needed for it, which one."""
    loud = [name for name, mode in model.modes.items() if mode.takes_sound] if model else []
    if model is None or not loud or draft.mode in loud or not model.takes_mode:
        return "On"
    return f"On :small[{quality(loud[0], model)}]"
