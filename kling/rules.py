"""Which requests the API would refuse, checked before anything is sent or paid for.

Rules of the fields: Kling's page "Text to Video" of its API. Of models: `catalog.toml`. A model that the
catalog does not know passes with the rules that hold for every model, because Kling may have released it on
this endpoint this morning. One that Kling has retired, or that belongs to another endpoint, does not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

from kling.catalog import Catalog, Model, catalog
from kling.models import CAMERA_AXES, CAMERA_TYPES, SHOT_TYPES, CameraControl, Problem, TextToVideo

CAMERA_LIMIT = 10
ID_LIMIT = 256  # characters; ours, no page names one
_UNSENDABLE = re.compile("[\x00\ud800-\udfff]")
_BLANK_OR_CONTROL = re.compile("[\x00-\x20\x7f\ud800-\udfff]")
_SHOT_SECONDS = re.compile("[1-9][0-9]?")


def problems(request: TextToVideo, *, retired_ok: bool = False) -> tuple[Problem, ...]:
    """Return every broken rule, in the order of the form's fields.

    Args:
        request: that is judged.
        retired_ok: whether the account decides by itself about models that Kling has retired.
    """
    known = catalog()
    model = known.models.get(request.model_name)
    checks = (_prompts, _model if retired_ok else _living_model, _options, _cfg_scale, _camera, _shots, _ids)
    return tuple(Problem(name, message) for check in checks for name, message in check(request, model, known))


Found = Iterator[tuple[str, str]]


def _text(name: str, text: str, limit: int) -> Found:
    if len(text) > limit:
        over = len(text) - limit
        yield name, f"This has {len(text):,} characters and Kling takes {limit:,}: shorten it by {over:,}."
    if _UNSENDABLE.search(text):
        yield name, "This contains a character that cannot be sent (NUL or half of a pair): remove it."


def _prompts(request: TextToVideo, _model: Model | None, known: Catalog) -> Found:
    has_own_prompts = request.multi_shot and request.shot_type == "customize"
    if not request.prompt.strip() and not has_own_prompts:
        yield "prompt", "Write what the video should show."
    yield from _text("prompt", request.prompt, known.prompt_limit)
    yield from _text("negative_prompt", request.negative_prompt, known.prompt_limit)


def _living_model(request: TextToVideo, model: Model | None, known: Catalog) -> Found:
    if model and model.retired:
        when = f"{model.retired.day} {model.retired:%B %Y}"
        yield "model_name", f"Kling retired {model.title} on {when}: {_use(model.successor, known)}"
    yield from _model(request, model, known)


def _use(name: str, known: Catalog) -> str:
    return f"use {known.models[name].title} ({name})."


def _model(request: TextToVideo, model: Model | None, known: Catalog) -> Found:
    if not request.model_name.strip() or _UNSENDABLE.search(request.model_name):
        yield "model_name", "Choose a model."
    if other := known.elsewhere.get(request.model_name.strip().lower()):
        yield "model_name", f"{other.name} {other.place}: {_use(other.use, known)}"
    if model is None:
        if not re.fullmatch("[1-9][0-9]{0,2}", request.duration):
            yield "duration", "Give the duration in whole seconds."
        if request.aspect_ratio and not re.fullmatch("[1-9][0-9]?:[1-9][0-9]?", request.aspect_ratio):
            yield "aspect_ratio", "Give the aspect ratio as width:height, such as 16:9."
        return
    if model.takes_mode:
        yield from _one_of("mode", request.mode or "", tuple(model.modes), model)
    elif request.mode is not None:
        yield "mode", f"{model.title} takes no mode: leave it out."
    yield from _one_of("duration", request.duration, model.durations, model)
    yield from _one_of("aspect_ratio", request.aspect_ratio, model.aspect_ratios, model)


def _one_of(name: str, value: str, allowed: Sequence[str], model: Model) -> Found:
    if value not in allowed:
        yield name, f"{model.title} takes {_listed(allowed)}, not {value[:40] or 'nothing'!r}."


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:-1]) + f" or {names[-1]}" if len(names) > 1 else names[0]


def _options(request: TextToVideo, model: Model | None, _known: Catalog) -> Found:
    if request.sound not in {"on", "off"}:
        yield "sound", "Sound is on or off."
    mode = model.mode_for(request.mode) if model else None
    if request.sound == "on" and model and mode and not mode.takes_sound:
        with_sound = [name for name, other in model.modes.items() if other.takes_sound]
        remedy = f"choose {_listed(with_sound)} mode or turn it off" if with_sound else "turn it off"
        yield "sound", f"{model.title} makes no sound in {mode.name} mode: {remedy}."


def _cfg_scale(request: TextToVideo, model: Model | None, _known: Catalog) -> Found:
    if request.cfg_scale is None:
        return
    if model and not model.cfg_scale:
        yield "cfg_scale", f"{model.title} does not take cfg_scale: leave it out."
    elif not 0 <= request.cfg_scale <= 1:  # also refuses NaN
        yield "cfg_scale", "cfg_scale lies between 0 and 1."


def _camera(request: TextToVideo, model: Model | None, _known: Catalog) -> Found:
    camera = request.camera_control
    if camera is None:
        return
    if model and model.camera_control is None:
        yield "camera_control", f"{model.title} takes no camera control: describe the movement in the prompt."
    elif model and model.camera_control:
        rule = model.camera_control
        if (request.mode, request.duration) != (rule.mode, rule.duration):
            yield (
                "camera_control",
                f"{model.title} takes camera control in {rule.mode} mode at {rule.duration} s only.",
            )
    yield from _camera_itself(camera)


def _camera_itself(camera: CameraControl) -> Found:
    if camera.type not in CAMERA_TYPES:
        yield "camera_control", f"The type of camera movement is {_listed(CAMERA_TYPES)}."
    if camera.type != "simple":
        if camera.type in CAMERA_TYPES and camera.config:
            yield "camera_control", f"The movement {camera.type} takes no values of its own."
        return
    if unknown := set(camera.config) - set(CAMERA_AXES):
        yield "camera_control", f"There is no axis {min(unknown)[:40]!r}: use {_listed(CAMERA_AXES)}."
    if not all(abs(value) <= CAMERA_LIMIT for value in camera.config.values()):  # also refuses NaN
        yield "camera_control", f"Each axis lies between -{CAMERA_LIMIT} and {CAMERA_LIMIT}."
    if sum(value != 0 for value in camera.config.values()) != 1:
        yield "camera_control", "Set exactly one axis to a value other than 0."


def _shots(request: TextToVideo, model: Model | None, known: Catalog) -> Found:
    if not request.multi_shot:
        if request.shot_type or request.multi_prompt:
            yield "multi_shot", "Turn multi-shot on, or leave its shots out."
        return
    if model and not model.multi_shot:
        yield "multi_shot", f"{model.title} makes one shot only: turn multi-shot off."
    if request.shot_type not in SHOT_TYPES:
        yield "shot_type", f"Choose how to cut: {_listed(SHOT_TYPES)}."
    elif request.shot_type == "intelligence" and request.multi_prompt:
        yield "multi_prompt", "Kling cuts the prompt by itself here: leave the shots out."
    elif request.shot_type == "customize":
        yield from _storyboard(request, known)


def _storyboard(request: TextToVideo, known: Catalog) -> Found:
    shots = request.multi_prompt
    if not 1 <= len(shots) <= known.shot_limit:
        yield "multi_prompt", f"A storyboard has 1 to {known.shot_limit} shots, not {len(shots)}."
    for number, shot in enumerate(shots, 1):
        name = f"multi_prompt[{number}]"
        if not shot.prompt.strip():
            yield name, f"Write what shot {number} shows."
        yield from _text(name, shot.prompt, known.shot_prompt_limit)
        if not _SHOT_SECONDS.fullmatch(shot.duration):
            yield name, f"Shot {number} lasts at least 1 second, in whole seconds."
    if not shots or not all(_SHOT_SECONDS.fullmatch(shot.duration) for shot in shots):
        return
    total = sum(int(shot.duration) for shot in shots)
    if str(total) != request.duration:
        yield "multi_prompt", f"The shots last {total} s together and the video {request.duration} s."


def _ids(request: TextToVideo, _model: Model | None, _known: Catalog) -> Found:
    if request.callback_url:
        try:
            parts = urlsplit(request.callback_url)
            complete = parts.scheme in {"http", "https"} and bool(parts.hostname)
            complete = complete and not _BLANK_OR_CONTROL.search(request.callback_url)
        except ValueError:
            complete = False
        if not complete:
            yield "callback_url", "Give a whole address that starts with https://."
    if problem := id_problem(request.external_task_id):
        yield "external_task_id", problem


def id_problem(task_id: str) -> str | None:
    """Say why a task could not be looked up by this id: it stands in the path, where dots go up a folder."""
    if task_id in {".", ".."} or _BLANK_OR_CONTROL.search(task_id):
        return "The id has no blanks, no control characters, and is more than a dot or two."
    if len(task_id) > ID_LIMIT:
        return f"The id has at most {ID_LIMIT} characters."
    return None
