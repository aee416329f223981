"""Create calls of the newer generation, `/text-to-video/{model}` and `/image-to-video/{model}` (S2).

What comes out is a request in the shape of the older generation, so that everything behind the API knows one
shape only: `settings` and `options` are fields of the request itself, `mode` is the resolution, `sound` is on
or off, a storyboard is `multi_prompt`, and the frames are `image` and `image_tail`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from kling.sandbox import contract
from kling.sandbox.bodies import json_object, unknown_keys
from kling.sandbox.pictures import Pictures
from kling.sandbox.refusals import Broken, refusal, refuse, refuse_broken
from kling.sandbox.storyboard import problems as storyboard_problems
from kling.sandbox.storyboard import read_storyboard

MOST_MB = 50  # of a picture (S2)
_RATIOS = ("16:9", "9:16", "1:1")
_AUDIO = ("native", "off")
_FRAMES = {"first_frame": "image", "last_frame": "image_tail"}
_NAMED = {"element": "element_id", "voice": "voice_id"}
_DEFAULTS = {"resolution": "720p", "duration": 5, "audio": "off", "aspect_ratio": "16:9"}

Model = Mapping[str, Any]  # an entry of contract.NEWER_MODELS
Body = dict[str, Any]


def parse_newer(body: bytes, family: str, name: str, *, strict: bool) -> tuple[dict[str, Any], Pictures]:
    """Return the request in the body of a create call, with the documented defaults, and its pictures.

    Args:
        body: nothing in it is trusted.
        family: one of contract.NEWER.
        name: of the model, from the path.
        strict: whether unknown keys, settings that the model does not have, and a duration as a text are
            refused.

    Raises:
        Refused: 1200: it is no JSON object; 1201: the contract does not allow it.
    """
    model = contract.NEWER_MODELS.get(name)
    if model is None:
        raise refusal("newer-model", model=name[:100])
    given = json_object(body)
    pictures = Pictures(MOST_MB)
    if family == contract.NEWER_IMAGE:
        _take_pictures(given, pictures)
    else:
        _take_words(given)
    if not strict:
        _duration_as_number(given)
    schema = contract.CREATE_SCHEMAS[family]
    wrong = list(contract.problems(schema, given))
    if strict:
        wrong += [refusal("unknown-keys", key=key[:50]).message for key in unknown_keys(given, schema)]
        wrong += [refusal("unknown-keys", key=key).message for key in _of_other_models(given, model)]
    refuse(wrong)
    if family == contract.NEWER_TEXT:
        given.pop("contents", None)  # unknown there, so it has no effect
    settings = _DEFAULTS | {"multi_shot": True} | given.get("settings", {})
    settings["duration"] = int(settings["duration"])  # 5.0 is a whole number, and what some clients send
    if family == contract.NEWER_IMAGE:
        refuse_broken(_check_contents(given.get("contents", []), settings, name, model))
        prompt = _prompt_of(given["contents"])
    else:
        prompt = given.get("prompt", "")
    most = model["image_prompt" if family == contract.NEWER_IMAGE else "prompt"]
    refuse_broken(_check_values(settings, model, framed=family == contract.NEWER_IMAGE))
    refuse_broken(_check_prompt(prompt, most))
    return _request(given, settings, prompt, name, pictures), pictures


def _request(
    given: Mapping[str, Any], settings: Mapping[str, Any], prompt: str, name: str, pictures: Pictures
) -> dict[str, Any]:
    model = contract.NEWER_MODELS[name]
    options = given.get("options", {})
    sound = model["sound"] == "always" or (model["sound"] == "native" and settings["audio"] == "native")
    request: dict[str, Any] = {
        "model_name": name,
        "prompt": prompt,
        "mode": settings["resolution"],
        "duration": str(settings["duration"]),
        "sound": "on" if sound else "off",
        "multi_shot": False,
        "watermark_info": {"enabled": options.get("watermark_info", {}).get("enabled", False)},
    }
    request |= {key: options[key] for key in ("callback_url", "external_task_id") if key in options}
    shots = read_storyboard(prompt) if model.get("storyboard") else None
    if shots is not None and not (model.get("multi_shot") and settings["multi_shot"] is False):
        refuse_broken(
            ("storyboard", {"problem": problem})
            for problem in storyboard_problems(shots, settings["duration"])
        )
        request |= {"multi_shot": True, "shot_type": "customize", "multi_prompt": shots}
    if "contents" not in given:
        return request | {"aspect_ratio": settings["aspect_ratio"]}
    for item in given["contents"]:
        if item["type"] in _FRAMES:
            request[_FRAMES[item["type"]]] = item["url"]
        elif item["type"] == "voice":
            request.setdefault("voice_list", []).append({"voice_id": item["voice_id"]})
    return request | {"frame": list(pictures.frames[request["image"]])}


def _take_words(given: Body) -> None:
    """Take the prompt out of contents, where it may stand too."""
    contents = given.get("contents")
    items = [item for item in contents if isinstance(item, dict)] if isinstance(contents, list) else []
    words = [item.get("text") for item in items if item.get("type") == "prompt"]
    if "prompt" not in given and len(words) == 1 and isinstance(words[0], str):
        given["prompt"] = words[0]
        if contents == items and len(items) == 1:
            del given["contents"]


def _take_pictures(given: Body, pictures: Pictures) -> None:
    contents = given.get("contents")
    for number, item in enumerate(contents if isinstance(contents, list) else ()):
        if isinstance(item, dict) and isinstance(item.get("url"), str) and item["url"].strip():
            if item.get("type") in _FRAMES:
                item["url"] = pictures.take(item["url"].strip(), f"contents[{number}].url")
            else:
                item["url"] = item["url"][:1000]  # read by nobody


def _duration_as_number(given: Body) -> None:
    settings = given.get("settings")
    if isinstance(settings, dict):
        text = settings.get("duration")
        if isinstance(text, str) and re.fullmatch("[0-9]{1,6}", text):
            settings["duration"] = int(text)


def _of_other_models(given: Mapping[str, Any], model: Model) -> Iterator[str]:
    """Yield the settings that only other models have."""
    settings = given.get("settings")
    if isinstance(settings, dict):
        if "multi_shot" in settings and not model.get("multi_shot"):
            yield "settings.multi_shot"
        if "audio" in settings and model["sound"] != "native":
            yield "settings.audio"


def _check_values(settings: Mapping[str, Any], model: Model, *, framed: bool) -> Broken:
    choices = {"resolution": model["modes"], "duration": model["durations"]}
    if model["sound"] == "native":
        choices["audio"] = _AUDIO
    if not framed:
        choices["aspect_ratio"] = _RATIOS
    for key, allowed in choices.items():
        if settings[key] not in allowed:
            yield "newer-values", {"field": f"settings.{key}", "value": str(settings[key])[:50]}
    prices = model["modes"].get(settings["resolution"], {}).get("units_per_second", {"on": 0})
    if settings["audio"] == "native" and model["sound"] != "always" and "on" not in prices:
        yield "newer-sound", {}


def _check_prompt(prompt: str, most: int) -> Broken:
    if not prompt.strip():
        yield "newer-prompt", {}
    if len(prompt) > most:
        yield "newer-prompt-length", {"most": most}


def _prompt_of(contents: list[Body]) -> str:
    return next((item.get("text", "") for item in contents if item["type"] == "prompt"), "")


def _check_contents(contents: list[Body], settings: Mapping[str, Any], name: str, model: Model) -> Broken:
    if not contents:
        yield "contents-empty", {}
        return
    most = {"prompt": 1, "first_frame": 1, **model["contents"]}
    for number, item in enumerate(contents):
        if item["type"] not in most:
            yield "contents-types", {"number": number, "type": item["type"][:50]}
        elif item["type"] in _FRAMES and not item.get("url", "").strip():
            yield "contents-url", {"type": item["type"]}
    types = [item["type"] for item in contents]
    for kind, limit in most.items():
        if types.count(kind) > limit:
            yield "contents-once", {"most": limit, "type": kind}
    if "first_frame" not in types:
        yield "first-frame", {}
    if "last_frame" in types and "last_frame" in most:
        loud = settings["audio"] == "native" and model.get("silent_tail", False)
        if settings["resolution"] not in model["last_frame"] or loud:
            shown: dict[str, object] = {"model": name, "resolution": str(settings["resolution"])[:20]}
            yield "last-frame", shown | {"audio": str(settings["audio"])[:20]}
    yield from _check_named(contents, settings)


def _check_named(contents: list[Body], settings: Mapping[str, Any]) -> Broken:
    ids = [item.get("id", "") for item in contents if item["type"] in _NAMED]
    for item in contents:
        key = _NAMED.get(item["type"])
        if key and (not item.get(key) or not item.get("id") or ids.count(item["id"]) > 1):
            yield "content-ids", {"name": key}
    if any(item["type"] == "voice" for item in contents) and settings["audio"] != "native":
        yield "voice-needs-sound", {}
