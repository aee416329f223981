"""Checks whether the body of a create call is a request that the API takes.

First come the schemas of the contract, then the rules that no schema can say. Each endpoint of the older
generation has a schema (`contract.CREATE_SCHEMAS`) and rules (`_CHECKS`) of its own; newer.py has those of
the newer generation.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from kling.sandbox import contract
from kling.sandbox.bodies import json_object, unknown_keys
from kling.sandbox.contract import MODELS
from kling.sandbox.image_rules import MOST_MB, check_frames, check_image_fields, take_pictures
from kling.sandbox.pictures import Pictures
from kling.sandbox.refusals import Broken, Refused, refusal, refuse

_AXES = ("horizontal", "vertical", "pan", "tilt", "roll", "zoom")
_TRIGGER = re.compile(r"\bsandbox-(\d{4}|failed)\b")
_WORDS = ("prompt", "sound_effect_prompt", "bgm_prompt")

# Fields that some models refuse, unless they are false; `camera_control` has a rule of its own.
_TAKEN_BY_SOME = frozenset(field for model in MODELS.values() for field in model.get("takes", ()))

Model = Mapping[str, Any]  # an entry of `contract.MODELS`


def parse_request(
    body: bytes, endpoint: str, *, strict: bool, retired: str, pictures: Pictures | None = None
) -> dict[str, Any]:
    """Return the request in the body of a create call, complete with the documented defaults.

    Args:
        body: nothing in it is trusted.
        endpoint: one of contract.OLDER.
        strict: whether unknown keys, integer durations, and cfg_scale with a model that does not take it are
            refused (nobody documents what Kling does).
        retired: `serve` or `refuse` models that Kling has retired. A body without a model means one of them.
        pictures: gets the pictures of the request.

    Raises:
        Refused: 1200: it is no JSON object; 1201 or 1203: the contract does not allow it. The message names
            every field that is wrong.
    """
    schema = contract.CREATE_SCHEMAS[endpoint]
    request = json_object(body)
    pictures = pictures or Pictures(MOST_MB)
    if endpoint == contract.IMAGE_TO_VIDEO:
        take_pictures(request, pictures)
    if strict:
        unknown = [refusal("unknown-keys", key=key[:50]).message for key in unknown_keys(request, schema)]
    else:
        unknown = []
        _durations_as_text(request)
        if endpoint == contract.IMAGE_TO_VIDEO:
            _multi_shot_as_boolean(request)
    refuse(unknown + list(contract.problems(schema, request)))
    if endpoint == contract.VIDEO_TO_AUDIO:
        return _audio_request(request, schema)
    if not request.get("model_name"):
        request.pop("model_name", None)  # documented: an empty name means the default
    request = {**_defaults(schema), **request}
    _check_model(request, endpoint, retired)
    model = MODELS[request["model_name"]]
    if not strict and "cfg_scale" not in model.get("takes", ()):
        request.pop("cfg_scale", None)
    refuse(
        refusal(rule, **values).message
        for check in _CHECKS[endpoint]
        for rule, values in check(request, model)
    )
    if endpoint == contract.IMAGE_TO_VIDEO:
        request["frame"] = list(pictures.frames[request["image"]])
    return request


def _audio_request(request: dict[str, Any], schema: str) -> dict[str, Any]:
    request = {**_defaults(schema), **request, "model_name": contract.AUDIO_MODEL}
    if bool(request.get("video_id")) == bool(request.get("video_url")):
        raise refusal("video-source")
    return request


def trigger(request: Mapping[str, Any]) -> str | None:
    """Return what a word such as `sandbox-1301` in a prompt asks for: an error code, `failed`, or None."""
    prompts = [request.get(name, "") for name in _WORDS]
    prompts += [shot["prompt"] for shot in request.get("multi_prompt", ())]
    for found in _TRIGGER.findall(" ".join(prompts)):
        if found == "failed" or int(found) in contract.ERRORS:
            return str(found)
    return None


def mode_of(request: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the contract's facts about the mode that a request gets; some models have only one mode."""
    model = contract.ALL_MODELS[request["model_name"]]
    mode: Mapping[str, Any] = model["modes"]["std" if model.get("ignores_mode") else request["mode"]]
    return mode


def units(request: Mapping[str, Any]) -> float:
    """Return what a request costs, in Units (S2): seconds times the price of model, mode, sound and voices.

    Sound for a video costs the same whatever its length.
    """
    if request["model_name"] == contract.AUDIO_MODEL:
        return float(contract.ALL_MODELS[contract.AUDIO_MODEL]["units"])
    name = request["model_name"]
    price: float = mode_of(request)["units_per_second"][request["sound"]]
    if request.get("voice_list"):
        takes = contract.NEWER_MODELS.get(name) or contract.IMAGE_MODELS[name]
        price = takes["voice_units_per_second"]
    return round(int(request["duration"]) * price, 2)


def whole_number(
    query: Mapping[str, str], name: str, least: int, most: int, default: int | None = None
) -> int:
    """Return a parameter of a URL that must be a whole number.

    Args:
        query: the parameters; nothing in it is trusted.
        name: of the parameter.
        least: the smallest number that is allowed.
        most: the largest one.
        default: for a query without the parameter; None: the parameter is required.

    Raises:
        Refused: 1201: it is missing, no number, or out of range.
    """
    text = query.get(name)
    if text is None and default is not None:
        return default
    # isascii: int() would also take the digits of other scripts
    digits = text is not None and text.isascii() and text.isdigit() and len(text) <= 16
    if text is None or not digits or not least <= int(text) <= most:
        raise Refused(1201, f"{name}: must be a whole number between {least} and {most}")
    return int(text)


@cache
def _defaults(schema: str) -> Mapping[str, Any]:
    return {
        name: field["default"]
        for name, field in contract.OPENAPI["components"]["schemas"][schema]["properties"].items()
        if "default" in field
        # A model that does not take the field would refuse a request into which it was filled.
        and (name not in _TAKEN_BY_SOME or field["default"] is False)
    }


def _durations_as_text(request: dict[str, Any]) -> None:
    shots = request.get("multi_prompt")
    for holder in (request, *(shots if isinstance(shots, list) else ())):
        if isinstance(holder, dict) and type(holder.get("duration")) is int:
            holder["duration"] = str(holder["duration"])


def _multi_shot_as_boolean(request: dict[str, Any]) -> None:
    texts = {"true": True, "false": False}
    if isinstance(request.get("multi_shot"), str) and request["multi_shot"] in texts:
        request["multi_shot"] = texts[request["multi_shot"]]


def _check_model(request: Mapping[str, Any], endpoint: str, retired: str) -> None:
    name, framed = request["model_name"], endpoint == contract.IMAGE_TO_VIDEO
    if name not in MODELS:
        raise refusal("image-model" if framed else "model-exists", model_name=name[:100])
    if "retired" in MODELS[name] and (retired == "refuse" or framed):
        raise refusal("model-retired", model_name=name)


def _check_basics(request: Mapping[str, Any], model: Model) -> Broken:
    name, mode, duration = request["model_name"], request["mode"], request["duration"]
    customize = request["multi_shot"] and request.get("shot_type") == "customize"
    if not customize and not request.get("prompt", "").strip():
        yield "prompt-required", {}
    if int(duration) not in model["durations"]:
        durations = ", ".join(map(str, model["durations"]))
        yield "duration-supported", {"duration": duration, "model_name": name, "durations": durations}
    if not model.get("ignores_mode") and mode not in model["modes"]:
        yield "mode-supported", {"mode": mode, "model_name": name}
    elif request["sound"] not in mode_of(request)["units_per_second"]:
        yield "sound-supported", {"model_name": name, "mode": mode}
    for field in request:
        if field in _TAKEN_BY_SOME and request[field] is not False and field not in model.get("takes", ()):
            yield "field-supported", {"field": field, "model_name": name}


def _check_no_tail(request: Mapping[str, Any], _model: Model) -> Broken:
    if request.get("image_tail"):  # in no schema of text2video, and yet not ignored
        yield "image-tail-text", {}


def _check_camera(request: Mapping[str, Any], model: Model) -> Broken:
    camera = request.get("camera_control")
    if camera is None:
        return
    taken = model.get("camera_control")
    if taken is None or request["mode"] != taken["mode"] or int(request["duration"]) != taken["duration"]:
        yield "camera-control-supported", {}
    config = camera.get("config")
    if camera["type"] != "simple":
        if config is not None:
            yield "camera-config-none", {"camera_type": camera["type"]}
    elif config is None:
        yield "camera-config-required", {}
    elif sum(config.get(axis, 0) != 0 for axis in _AXES) != 1:
        yield "camera-config-one-axis", {}


def _check_shots(request: Mapping[str, Any], _model: Model) -> Broken:
    if not request["multi_shot"]:
        return
    if "shot_type" not in request:
        yield "shot-type-required", {}
    if request.get("shot_type") != "customize":
        return
    shots = request.get("multi_prompt")
    if shots is None:
        yield "multi-prompt-required", {}
        return
    if sorted(shot["index"] for shot in shots) != list(range(1, len(shots) + 1)):
        yield "multi-prompt-index", {"shots": len(shots)}
    if not all(shot["prompt"].strip() for shot in shots):
        yield "multi-prompt-words", {}
    seconds = sum(int(shot["duration"]) for shot in shots)
    if seconds != int(request["duration"]):
        yield "multi-prompt-sum", {"sum": seconds, "duration": request["duration"]}


# For each endpoint: yields the rules that a request breaks which fits the endpoint's schema.
_CHECKS: Mapping[str, tuple[Callable[[Mapping[str, Any], Model], Broken], ...]] = {
    contract.TEXT_TO_VIDEO: (_check_basics, _check_no_tail, _check_camera, _check_shots),
    contract.IMAGE_TO_VIDEO: (_check_basics, _check_shots, check_frames, check_image_fields),
}
