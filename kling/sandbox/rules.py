"""Whether a body is a text-to-video request that the API takes: the contract's schemas, then its rules."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from kling.sandbox import contract
from kling.sandbox.contract import MODELS, RULES

_AXES = ("horizontal", "vertical", "pan", "tilt", "roll", "zoom")
_TRIGGER = re.compile(r"\bsandbox-(\d{4}|failed)\b")
_DEFAULTS = {
    name: schema["default"]
    for name, schema in contract.OPENAPI["components"]["schemas"]["CreateTask"]["properties"].items()
    if "default" in schema
    and name != "cfg_scale"  # sending it is refused by some models, so it is never filled in
}
_SHOWN_PROBLEMS = 10


class Refused(Exception):
    """A request that is answered with an error code of the API.

    Args:
        code: of the API's error table.
        message: what is wrong, starting with the field; the code's own words when empty.
    """

    def __init__(self, code: int, message: str = "") -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message or str(contract.ERRORS[code]["message"])


def refusal(rule: str, **values: object) -> Refused:
    """Return the refusal that a rule of the contract asks for, its message filled with the values."""
    return Refused(RULES[rule].code, RULES[rule].message.format(**values))


def read_request(body: bytes, *, strict: bool, retired: str) -> dict[str, Any]:
    """Return the request in a body, complete with the documented defaults.

    Args:
        body: of the POST; hostile.
        strict: whether unknown keys and integer durations are refused (nobody documents what Kling does).
        retired: `serve` or `refuse`: what happens to models that Kling has retired; a body that names no
            model means one of these.

    Raises:
        Refused: 1200 for what is no JSON object, 1201 and 1203 for what the contract does not allow; the
            message names every field that is wrong.
    """
    request = _parse(body)
    if strict:
        unknown = [refusal("unknown-keys", key=key[:50]).message for key in _unknown_keys(request)]
    else:
        unknown = []
        _durations_as_text(request)
    wrong = unknown + list(contract.problems("CreateTask", request))
    if wrong:
        raise Refused(1201, "; ".join(wrong[:_SHOWN_PROBLEMS]))
    if not request.get("model_name"):
        request.pop("model_name", None)  # documented: an empty name means the default
    request = {**_DEFAULTS, **request}
    _check_model(request, retired)
    broken = [
        refusal(rule, **values).message for rule, values in _broken(request, MODELS[request["model_name"]])
    ]
    if broken:
        raise Refused(1201, "; ".join(broken))
    return request


def trigger(request: Mapping[str, Any]) -> str | None:
    """Return what a prompt asks the sandbox to do: an error code of the table, `failed`, or None."""
    words = [request.get("prompt", ""), *(shot["prompt"] for shot in request.get("multi_prompt", ()))]
    for found in _TRIGGER.findall(" ".join(words)):
        if found == "failed" or int(found) in contract.ERRORS:
            return str(found)
    return None


def mode_of(request: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the facts of the mode in which a request is drawn."""
    model = MODELS[request["model_name"]]
    mode: Mapping[str, Any] = model["modes"]["std" if model.get("ignores_mode") else request["mode"]]
    return mode


def units(request: Mapping[str, Any]) -> float:
    """Return what a request costs, in Units: seconds times the price of model, mode and sound (S2)."""
    price: float = mode_of(request)["units_per_second"][request["sound"]]
    return round(int(request["duration"]) * price, 2)


def _parse(body: bytes) -> dict[str, Any]:
    def not_a_number(name: str) -> None:
        raise ValueError(f"{name} is not JSON")

    try:
        parsed = _without_nulls(json.loads(body.decode("utf-8"), parse_constant=not_a_number))
        json.dumps(parsed, ensure_ascii=False).encode("utf-8")  # half a surrogate pair is no text
    except (ValueError, RecursionError) as error:
        raise Refused(1200, "body: is not valid JSON in UTF-8") from error
    if not isinstance(parsed, dict):
        raise Refused(1200, "body: must be a JSON object")
    return parsed


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_without_nulls(item) for item in value]
    return value


def _durations_as_text(request: dict[str, Any]) -> None:
    shots = request.get("multi_prompt")
    for holder in (request, *(shots if isinstance(shots, list) else ())):
        if isinstance(holder, dict) and type(holder.get("duration")) is int:
            holder["duration"] = str(holder["duration"])


def _unknown_keys(request: Mapping[str, Any]) -> Iterator[str]:
    known = contract.OPENAPI["components"]["schemas"]["CreateTask"]["properties"]
    return (key for key in request if key not in known and key != "model")


def _check_model(request: Mapping[str, Any], retired: str) -> None:
    name = request["model_name"]
    if name not in MODELS:
        raise refusal("model-exists", model_name=name[:100])
    if retired == "refuse" and "retired" in MODELS[name]:
        raise refusal("model-retired", model_name=name)


def _broken(request: Mapping[str, Any], model: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, object]]]:
    """Yield the rules that a request of the right shape breaks, with values for their messages."""
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
    if "cfg_scale" in request and not model.get("cfg_scale"):
        yield "cfg-scale-supported", {"model_name": name}
    yield from _broken_camera(request, model)
    yield from _broken_shots(request, model)


def _broken_camera(
    request: Mapping[str, Any], model: Mapping[str, Any]
) -> Iterator[tuple[str, dict[str, object]]]:
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


def _broken_shots(
    request: Mapping[str, Any], model: Mapping[str, Any]
) -> Iterator[tuple[str, dict[str, object]]]:
    if not request["multi_shot"]:
        return
    if not model.get("multi_shot"):
        yield "multi-shot-supported", {"model_name": request["model_name"]}
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
