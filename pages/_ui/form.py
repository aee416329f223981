"""The form of a text-to-video request: it follows the catalog, and its draft lives in the session.

Every widget has a key `draft_<field>`; the values move to legal ones before the widgets are drawn, because a
model that does not take the old value must not make the page fail.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import streamlit as st

from kling import CameraControl, Problem, Shot, TextToVideo, catalog
from kling.catalog import Model
from kling.models import CAMERA_AXES, CAMERA_TYPES
from pages._ui.words import plain

OTHER = "Other model…"
NO_CAMERA = "automatic"
ADVANCED = {"cfg_scale", "camera_control", "shot_type", "multi_prompt"}  # drawn inside the expander
DEFAULTS: Mapping[str, Any] = {
    "prompt": "",
    "negative_prompt": "",
    "model": "kling-v2-6",
    "other_model": "",
    "retired": False,
    "mode": "std",
    "duration": "5",
    "aspect_ratio": "16:9",
    "sound": False,
    "watermark": False,
    "set_cfg_scale": False,
    "cfg_scale": 0.5,
    "camera": NO_CAMERA,
    "camera_axis": "zoom",
    "camera_value": 5.0,
    "cut": "one shot",
    "shots": 2,
}
CUTS = {"one shot": None, "Kling cuts the prompt": "intelligence", "storyboard": "customize"}
OTHER_MODES = ("std", "pro", "4k", "none")
OTHER_DURATIONS = tuple(str(seconds) for seconds in range(1, 31))


def key(field: str) -> str:
    """Return the session key of a field of the draft."""
    return f"draft_{field}"


def keep(field: str) -> dict[str, Any]:
    """Return what makes a widget keep its value across reruns and pages."""
    return {"key": key(field), "persist_state": "session"}


def model_of(draft: Mapping[str, Any]) -> Model | None:
    """Return the catalog's model of a draft; None for one that the catalog does not know."""
    return catalog().models.get(draft["model"])


def draft() -> dict[str, Any]:
    """Return the draft of this session."""
    return {field: st.session_state.get(key(field), default) for field, default in DEFAULTS.items()}


def choices(model: Model | None) -> dict[str, Sequence[str]]:
    """Return what each choice of the form offers for a model."""
    if model is None:
        return {
            "mode": OTHER_MODES,
            "duration": OTHER_DURATIONS,
            "aspect_ratio": ("16:9", "9:16", "1:1", "4:3", "3:4", "21:9"),
        }
    return {"mode": tuple(model.modes), "duration": model.durations, "aspect_ratio": model.aspect_ratios}


def nearest(value: str, allowed: Sequence[str]) -> str:
    """Return the legal value closest to one that may not be legal."""
    if value in allowed:
        return value
    if value.isdecimal() and all(other.isdecimal() for other in allowed):
        return min(allowed, key=lambda other: abs(int(other) - int(value)))
    return allowed[0]


def fit(values: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Return a draft's values moved to what its model takes, and in words what moved."""
    model = model_of(values)
    moved: dict[str, Any] = {
        field: nearest(str(values[field]), allowed)
        for field, allowed in choices(model).items()
        if values[field] not in allowed
    }
    words = [f"{field.replace('_', ' ')} {values[field]} → {new}" for field, new in moved.items()]
    mode = model.mode_for(moved.get("mode", values["mode"])) if model else None
    if values["sound"] and mode and not mode.takes_sound:
        moved["sound"] = False
        words.append(f"sound off, because {model.title if model else ''} has none in {mode.name}")
    return moved, words


def request() -> TextToVideo:
    """Return the request that the draft asks for."""
    values = draft()
    model = model_of(values)
    mode = None if values["mode"] == "none" or (model and not model.takes_mode) else values["mode"]
    camera, shot_type = None, None
    if model is None or model.camera_control:
        camera = _camera(values)
    if model is None or model.multi_shot:
        shot_type = CUTS[values["cut"]]
    scale = values["set_cfg_scale"] and (model is None or model.cfg_scale)
    return TextToVideo(
        prompt=values["prompt"],
        negative_prompt=values["negative_prompt"],
        model_name=values["other_model"].strip() if values["model"] == OTHER else values["model"],
        mode=mode,
        duration=values["duration"],
        aspect_ratio=values["aspect_ratio"],
        sound="on" if values["sound"] else "off",
        cfg_scale=values["cfg_scale"] if scale else None,
        camera_control=camera,
        multi_shot=shot_type is not None,
        shot_type=shot_type,
        multi_prompt=_shots(values["shots"]) if shot_type == "customize" else (),
        watermark=values["watermark"],
    )


def _camera(values: Mapping[str, Any]) -> CameraControl | None:
    if values["camera"] == NO_CAMERA:
        return None
    config = {values["camera_axis"]: values["camera_value"]} if values["camera"] == "simple" else {}
    return CameraControl(type=values["camera"], config=config)


def _shots(count: int) -> tuple[Shot, ...]:
    return tuple(
        Shot(
            prompt=st.session_state.get(key(f"shot_{number}"), ""),
            duration=str(st.session_state.get(key(f"seconds_{number}"), 3)),
        )
        for number in range(1, count + 1)
    )


def draw(problems: Sequence[Problem]) -> None:
    """Draw the form over the draft, with each problem at its field."""
    for field, default in DEFAULTS.items():
        st.session_state.setdefault(key(field), default)
    moved, words = fit(draft())
    for field, value in moved.items():
        st.session_state[key(field)] = value

    def wrong(*fields: str) -> None:
        for problem in problems:
            if problem.field.split("[")[0] in fields:
                st.error(plain(problem.message))

    limit = catalog().prompt_limit
    st.text_area(
        "Prompt",
        height=200,
        placeholder="Who or what, what happens, where, in which light, and how the camera moves.",
        **keep("prompt"),
    )
    length = len(st.session_state[key("prompt")])
    st.caption(f"{length:,} of {limit:,} characters")
    wrong("prompt", "multi_shot")
    _model_row(wrong)
    if words:
        st.caption(plain("Moved to what this model takes: " + "; ".join(words) + "."))
    st.text_area(
        "Negative prompt", height=80, placeholder="What should not be seen.", **keep("negative_prompt")
    )
    wrong("negative_prompt")
    with st.expander("Advanced", key="draft_advanced"):
        _advanced(wrong)


def _model_row(wrong: Callable[..., None]) -> None:
    models = catalog().models
    now = draft()
    names = [
        name for name, model in models.items() if not model.retired or now["retired"] or name == now["model"]
    ]
    titles = {name: model.title + (" (retired)" if model.retired else "") for name, model in models.items()}
    left, right = st.columns([3, 2])
    with left:
        st.selectbox(
            "Model", [*names, OTHER], format_func=lambda name: titles.get(name, name), **keep("model")
        )
        model = model_of(draft())
        if model is None:
            st.text_input("Name of the model", placeholder="as the API calls it", **keep("other_model"))
        elif model.note:
            st.caption(model.note)
        if model and model.retired:
            st.caption(f"Kling retired this model on {model.retired:%d %b %Y}; the sandbox still serves it.")
        wrong("model_name")
    offered = choices(model)
    with right:
        if model is None or model.takes_mode:
            st.segmented_control("Mode", offered["mode"], required=True, width="stretch", **keep("mode"))
        wrong("mode")
    first, second, third = st.columns([2, 3, 2], vertical_alignment="bottom")
    with first:
        st.selectbox(
            "Duration", offered["duration"], format_func=lambda seconds: f"{seconds} s", **keep("duration")
        )
        wrong("duration")
    with second:
        st.segmented_control(
            "Aspect ratio", offered["aspect_ratio"], required=True, width="stretch", **keep("aspect_ratio")
        )
        wrong("aspect_ratio")
    with third:
        mode = model.mode_for(draft()["mode"]) if model else None
        silent = mode is not None and not mode.takes_sound
        st.toggle("Sound", disabled=silent, help=_sound_help(model), **keep("sound"))
        wrong("sound")


def _sound_help(model: Model | None) -> str | None:
    if model is None:
        return None
    loud = [name for name, mode in model.modes.items() if mode.takes_sound]
    if not loud:
        return f"{model.title} makes silent clips."
    return (
        None if len(loud) == len(model.modes) else f"{model.title} makes sound in {' and '.join(loud)} mode."
    )


def _advanced(wrong: Callable[..., None]) -> None:
    model = model_of(draft())
    st.toggle("Also make a watermarked file", help="A second file beside the clean one.", **keep("watermark"))
    if model is None or model.cfg_scale:
        left, right = st.columns([2, 3], vertical_alignment="center")
        left.toggle("Set cfg_scale", help="Otherwise Kling's own default of 0.5.", **keep("set_cfg_scale"))
        right.slider(
            "cfg_scale",
            0.0,
            1.0,
            step=0.05,
            disabled=not draft()["set_cfg_scale"],
            help="The larger, the closer to the prompt.",
            **keep("cfg_scale"),
        )
        wrong("cfg_scale")
    if model is None or model.camera_control:
        _camera_fields()
        wrong("camera_control")
    if model is None or model.multi_shot:
        _shot_fields()
        wrong("shot_type", "multi_prompt")
    st.toggle(
        "Offer retired models",
        help="Kling no longer serves them; the sandbox does, so that everything can be tried.",
        **keep("retired"),
    )
    callback = "and its callback address is the operator's setting"
    st.caption(f"The task's external_task_id is made by the studio, {callback}.")


def _camera_fields() -> None:
    st.selectbox("Camera", [NO_CAMERA, *CAMERA_TYPES], **keep("camera"))
    if draft()["camera"] == "simple":
        left, right = st.columns(2)
        left.selectbox("Axis", CAMERA_AXES, **keep("camera_axis"))
        right.slider("Movement", -10.0, 10.0, step=0.5, **keep("camera_value"))


def _shot_fields() -> None:
    st.selectbox("Shots", list(CUTS), **keep("cut"))
    if draft()["cut"] != "storyboard":
        return
    known = catalog()
    st.number_input("Number of shots", 1, known.shot_limit, **keep("shots"))
    for number in range(1, draft()["shots"] + 1):
        left, right = st.columns([4, 1])
        left.text_input(f"Shot {number}", placeholder="What this shot shows.", **keep(f"shot_{number}"))
        st.session_state.setdefault(key(f"seconds_{number}"), 3)
        right.number_input(f"Seconds {number}", 1, 15, **keep(f"seconds_{number}"))
    st.caption(f"The seconds of the shots add up to the duration. Up to {known.shot_limit} shots.")
