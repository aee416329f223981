"""Bodies that other programs send for a video, rewritten as the body of Kling's create call.

Gateways wrap the request (`{"input": {…}}`) or rename its fields; Kling's newer API names the model in its
path and groups the rest under `settings` and `options` (S2). What a request cannot say is noted, and what
holds no request at all is refused with what it is: the answer of a task, say.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from kling.catalog import catalog
from kling.newer_wire import read_shot_words
from kling.pictures import is_name
from kling.studio.prompting import storyboard
from kling.studio.prompting.pasted import PastedError, any_json
from kling.text_to_video import TextToVideo

DEEPEST = 5  # wrappers inside each other
WRAPPERS = (
    *("input", "inputs", "body", "data", "json", "payload", "params", "parameters", "request", "arguments"),
    *("args", "requestBody", "request_body", "variables", "result"),
)
CONTENT = frozenset({"prompt", "multi_prompt"})  # without one of them a body asks for nothing
NEWER_PATH = re.compile(r"/(?:text-to-video|image-to-video|omni-video)/([\w.-]{1,60})/?\Z")
GIVE_PICTURE, NOT_KNOWN = "give the picture itself to the form", "it is not known here"  # why it is left out
_NAMES = {  # of a field at other programs
    "prompt": ("text_prompt", "text", "positive_prompt"),
    "negative_prompt": ("negative", "neg_prompt"),
    "aspect_ratio": ("ratio",),
    "duration": ("duration_seconds", "seconds", "length"),
    "sound": ("audio", "generate_audio", "enable_audio", "with_audio"),
    "mode": ("resolution", "quality"),
    "multi_shot": ("multi_shots",),
    "multi_prompt": ("shots", "storyboard", "multi_prompts"),
}
_OTHER_NAMES = {other: name for name, others in _NAMES.items() for other in others}
_MODES = {"720p": "std", "1080p": "pro", "2160p": "4k", "standard": "std", "professional": "pro"}
_WORDS: Mapping[str, Mapping[str, Any]] = {  # the values of a field at other programs
    "mode": _MODES,
    "sound": {"native": "on", "true": "on", "yes": "on", "none": "off", "false": "off", "no": "off"},
    "multi_shot": {"true": True, "false": False},  # the official page of a sibling has it as text
}
_FRAMES = {"first_frame": "image", "last_frame": "image_tail"}  # of a list of contents
_LENGTH = re.compile(r"\s*([1-9]\d?)(?:\.0+)?\s*(?:s|sec|seconds?)?\s*", re.IGNORECASE)
_VERSION = re.compile(r"(?<!\d)v?([1-9])(?:[.-](\d))?(?![\d])(?:[.-]?(turbo|master|omni))?", re.IGNORECASE)


class NoRequest(ValueError):
    """A value of JSON holds no request; the message says what it is instead."""


def flat_body(value: Any, notes: list[str], *, path: str = "") -> Mapping[str, Any]:
    """Return the fields of the create call that a pasted value stands for.

    Args:
        value: of JSON, from anywhere.
        notes: gets a sentence for each thing that was left out or assumed.
        path: of the address that it was sent to, if it is known.

    Raises:
        NoRequest: there is no request in it.
    """
    found = _unwrapped(value)
    if found is None:
        raise NoRequest(what_it_is(value))
    body, within = found
    if within:
        notes.append(f"The request stands in “{within[:60]}”: what stands beside it is left out.")
    named = NEWER_PATH.search(path)
    if named or _is_newer(body):
        return _of_newer_api(body, notes, named[1] if named else "")
    outer = value if isinstance(value, dict) and within else {}
    return _renamed(body, outer, notes)


def what_it_is(value: Any) -> str:
    """Return what a value without a request is, and where the request may be found: a sentence or two."""
    remedy = "Paste the body of a create call: it has a field prompt."
    for part in _parts(value):
        task = next((str(part[name]) for name in ("task_id", "taskId", "id") if part.get(name)), "")
        if task and any(name in part for name in ("task_status", "status", "task_result", "outputs")):
            return (
                f"This is Kling’s answer about task {task[:60]}, which does not repeat what was asked for. "
                "Look for the task in History and remix it there, or paste the body that was sent."
            )
    if isinstance(value, dict) and "code" in value and "message" in value:
        return f"This is an answer of the API ({value['code']!s:.10}, “{value['message']!s:.80}”). {remedy}"
    if isinstance(value, list):
        holds = f"a list of {len(value)} entries" if value else "an empty list"
        return f"This is {holds} and not a JSON object with one request: a request starts with {{. {remedy}"
    if not isinstance(value, dict):
        return f"The body is not a JSON object: a request starts with {{ and names its fields. {remedy}"
    names = ", ".join(str(name)[:40] for name in list(value)[:6])
    return f"No field of this says what the video shows{f' (it has {names})' if names else ''}. {remedy}"


def _parts(value: Any, depth: int = 0) -> Iterator[Mapping[str, Any]]:
    """Yield the objects in which an answer can stand."""
    if isinstance(value, list):
        value = value[0] if value else None
    if isinstance(value, dict) and depth <= DEEPEST:
        yield value
        for name in ("data", "result", "output", "task"):
            yield from _parts(value.get(name), depth + 1)


def _unwrapped(value: Any, within: str = "", depth: int = 0) -> tuple[Mapping[str, Any], str] | None:
    """Return the object that holds a request, and the name of its wrapper; None if there is none."""
    if isinstance(value, str) and within:
        value = _json_in_text(value)
    if isinstance(value, list):
        if shots := _board(value):
            return shots, within
        value = value[0] if len(value) == 1 else None
    if not isinstance(value, dict) or depth > DEEPEST:
        return None
    if CONTENT & value.keys() or _is_newer(value):
        return value, within
    for name in WRAPPERS:
        if name in value and (found := _unwrapped(value[name], name, depth + 1)):
            return found
    if within and _OTHER_NAMES.keys() & value.keys() and any(name in value for name in _NAMES["prompt"]):
        return value, within
    known = TextToVideo.FIELDS.keys() & value.keys()
    return (value, within) if known and not {"task_id", "task_status"} & value.keys() else None


def _json_in_text(text: str) -> Any:
    """Return what a text stands for that a program sends as its body; None if it is no JSON."""
    try:
        return any_json(text) if text.lstrip()[:1] in {"{", "["} else None
    except PastedError:
        return None


def _board(entries: list[Any]) -> Mapping[str, Any] | None:
    """Return the body of a storyboard that is given as the list of its shots alone."""
    is_board = len(entries) > 1 and all(
        isinstance(entry, dict) and {"prompt", "duration"} <= entry.keys() <= {"prompt", "duration", "index"}
        for entry in entries
    )
    return {"multi_prompt": entries} if is_board else None


def _is_newer(body: Mapping[str, Any]) -> bool:
    return (
        isinstance(body.get("contents"), list)
        or isinstance(body.get("settings"), dict)
        or ("prompt" in body and isinstance(body.get("options"), dict))
    )


def _of_newer_api(body: Mapping[str, Any], notes: list[str], model: str) -> Mapping[str, Any]:
    """Return a body of `/text-to-video/{model}` and its siblings as one of the API that the client speaks.

    Raises:
        NoRequest: it does not say what the video shows.
    """
    if not {"prompt", "contents"} & body.keys():
        raise NoRequest(what_it_is(body))
    settings, options = (_dict(body.get(name)) for name in ("settings", "options"))
    text, frames = _contents(body, notes)
    named = {"model": model or body.get("model_name") or body.get("model")}
    flat = {"prompt": text or "", **settings, **options, **frames}
    cut = flat.pop("multi_shot", None)
    shots = _shots_in(text) if cut is not False else ()
    if shots:
        flat |= {"multi_shot": True, "shot_type": "customize", "multi_prompt": shots, "prompt": ""}
    elif cut is True:
        flat |= {"multi_shot": True, "shot_type": "intelligence"}
    known = {"contents", "settings", "options", "prompt", "model", "model_name"}
    flat |= {name: value for name, value in body.items() if name not in known}
    found = dict(_renamed({name: value for name, value in flat.items() if value is not None}, named, notes))
    known_model = catalog().models.get(str(found.get("model_name", "")))
    if known_model and known_model.always_sound:
        found["sound"] = "on"
    if cut is None and not shots and known_model and known_model.newer and known_model.newer.multi_shot:
        found |= {"multi_shot": True, "shot_type": "intelligence"}  # the default is true there (S2)
        notes.append("multi_shot is not given: Kling then chooses shots by itself.")
    return found


def _contents(body: Mapping[str, Any], notes: list[str]) -> tuple[Any, dict[str, Any]]:
    """Return the words of a body of the newer API, and its pictures by our names of them."""
    text = body.get("prompt")
    others, frames = [], {}
    for item in body["contents"] if isinstance(body.get("contents"), list) else []:
        content = item if isinstance(item, dict) else {"type": item}
        kind = str(content.get("type", "?"))[:40]
        if kind == "prompt" and text is None:
            text = content.get("text")
        elif kind in _FRAMES and is_name(str(content.get("url"))):
            frames[_FRAMES[kind]] = content["url"]
        elif kind in _FRAMES:
            notes.append(f"{kind} is left out: {GIVE_PICTURE}.")
        else:
            others.append(kind)
    if others:
        notes.append(f"{', '.join(others[:10])} is left out: {NOT_KNOWN}.")
    return text, frames


def _shots_in(text: Any) -> list[dict[str, Any]]:
    """Return the shots that the newer API reads out of a prompt: `shot 1, 3, words; shot 2, 2, words;`."""
    if not isinstance(text, str) or not re.match(r"\s*shot\s*1\s*,\s*\d", text, re.IGNORECASE):
        return []
    if exact := read_shot_words(text):
        return [
            {"index": number, "prompt": words, "duration": seconds}
            for number, (seconds, words) in enumerate(exact, 1)
        ]
    try:
        shots = storyboard.from_text(text)
    except storyboard.StoryboardError:
        return []
    return [
        {"index": number, "prompt": shot.prompt, "duration": shot.duration}
        for number, shot in enumerate(shots, 1)
    ]


def _renamed(body: Mapping[str, Any], outer: Mapping[str, Any], notes: list[str]) -> Mapping[str, Any]:
    """Return a body with Kling's own names and values where others are used.

    Args:
        body: holds the request.
        outer: what it was wrapped in, which may name the model.
        notes: gets a sentence for each assumption.
    """
    flat: dict[str, Any] = {}
    for given, value in body.items():
        snake = re.sub(r"(?<=[a-z])([A-Z])", r"_\1", given).lower() if len(given) <= 40 else given
        snake = _OTHER_NAMES.get(snake, snake)
        name = snake if given not in TextToVideo.FIELDS and snake in TextToVideo.FIELDS else given
        if name in flat or (name != given and name in body):
            flat[given] = value  # twice: the field's own name wins, the other is noted as unknown
        else:
            flat[name] = _value(name, value, is_renamed=name != given or bool(outer))
    _model(flat, outer, notes)
    if flat.get("multi_prompt") and not flat.get("multi_shot") and "prompt" not in flat:
        flat |= {"multi_shot": True, "shot_type": "customize"}
        flat.setdefault("model_name", "kling-v3")
        flat.setdefault("duration", _total(flat["multi_prompt"]))
        notes.append(f"It is a list of shots: {flat['model_name']} is taken, which can be cut into shots.")
    return flat


def _value(name: str, value: Any, *, is_renamed: bool) -> Any:
    """Return a field's value as Kling writes it; one that is not understood stays as it is."""
    if isinstance(value, str):
        if name == "duration" and (found := _LENGTH.fullmatch(value)):
            return found[1]
        return _WORDS.get(name, {}).get(value[:20].strip().lower(), value)
    if name == "duration" and isinstance(value, float) and value.is_integer():
        return int(value)
    if name == "sound" and isinstance(value, bool) and is_renamed:
        return "on" if value else "off"
    return value


def _model(flat: dict[str, Any], outer: Mapping[str, Any], notes: list[str]) -> None:
    """Put the name of the model in, from wherever it is given."""
    known = catalog()
    given = next(
        (
            name
            for name in (
                flat.get("model_name"),
                flat.get("model"),
                outer.get("model_name"),
                outer.get("model"),
            )
            if isinstance(name, str) and name.strip()
        ),
        "",
    ).strip()
    if not given or (flat.get("model_name") and not outer):
        return
    other = known.elsewhere.get(given.lower())
    name = given if given in known.models else other.use if other else _versioned(given)
    if not name or (known.models[name].retired and not flat.get("model_name")):
        return
    flat.pop("model", None)
    flat["model_name"] = name
    if name != given:
        notes.append(f"The model “{given[:60]}” is {name} here.")
    parts = re.split(r"[/_-]", given.lower())
    mode = next((_MODES.get(part, part) for part in parts if part in {"std", "standard", "pro"}), "")
    if mode and name != given:
        flat.setdefault("mode", mode)


def _versioned(given: str) -> str:
    """Return the catalog's name of a model that a gateway names in its own way, empty if it is not clear."""
    found = _VERSION.search(given.lower().partition("kling")[2])
    if not found:
        return ""
    number = f"{found[1]}-{found[2]}" if found[2] not in {None, "0"} else found[1]
    name = f"kling-v{number}" + (f"-{found[3]}" if found[3] else "")
    return name if name in catalog().models else ""


def _total(shots: Any) -> str:
    lengths = [shot.get("duration") for shot in shots if isinstance(shot, dict)]
    return str(sum(int(found[1]) for each in lengths if (found := _LENGTH.fullmatch(str(each)[:20]))))


def _dict(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
