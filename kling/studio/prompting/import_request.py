"""Reads a request that somebody pastes: the JSON body of a create call, or a cURL command with one in it.

What the create call does not know, or what is not the request's (ids, callbacks), is left out and noted.
Nothing of a command but its body and address is kept or repeated: it may carry a key.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from kling.camera_control import CameraControl
from kling.catalog import catalog
from kling.endpoint import TEXT_TO_VIDEO
from kling.shots import Shot
from kling.studio.prompting.shell import Heredoc, ShellError, words
from kling.text_to_video import TextToVideo

MOST_COMMANDS = 5  # that are tried: each may be read up to the paste's end
LONGEST = 200_000  # characters of a paste; the longest legal request has about 10,000
OURS = ("external_task_id", "callback_url")
FIELDS = {
    "model_name", "prompt", "negative_prompt", "mode", "duration", "aspect_ratio", "sound", "cfg_scale",
    "camera_control", "multi_shot", "shot_type", "multi_prompt", "watermark_info", *OURS,
}  # fmt: skip

_CURL = re.compile(r"(?<![\w./-])curl(?:\.exe)?(?=\s)")
_DATA = ("-d", "--data", "--data-raw", "--data-binary", "--data-ascii", "--json")


class ImportRequestError(ValueError):
    """The pasted text is no request; the message says what is wrong, where, and what helps."""


@dataclass(frozen=True, slots=True)
class ImportedRequest:
    """What was read.

    Args:
        request: may still break rules of the API: `request.problems()` says which.
        notes: what was left out or assumed, each a sentence.
    """

    request: TextToVideo
    notes: tuple[str, ...] = ()


def parse_request(text: str) -> ImportedRequest:
    """Read a pasted JSON body or cURL command.

    Raises:
        ImportRequestError: there is no request in it.
    """
    if len(text) > LONGEST:
        raise ImportRequestError(f"This has {len(text):,} characters. A request is shorter than {LONGEST:,}.")
    if not text.strip():
        raise ImportRequestError(
            "There is nothing here. Paste the JSON body of a create call, or a cURL command."
        )
    text = text.replace("\r\n", "\n")
    notes: list[str] = []
    body = text if text.lstrip().startswith("{") else _body_of_curl(text, notes)
    request = _request(_object(body), notes)
    return ImportedRequest(request, tuple(notes))


def _body_of_curl(text: str, notes: list[str]) -> str:
    problem = "This is neither a JSON object, which starts with {, nor a cURL command."
    for found in islice(_CURL.finditer(text), MOST_COMMANDS):
        try:
            data, url = _options(words(text, found.end()))
        except ShellError as error:
            problem = f"The cURL command cannot be read: {error}"
            continue
        if data is None:
            problem = "This cURL command sends no body. One that creates a task has --data with JSON in it."
        elif data.startswith("@"):
            problem = (
                f"The body is not in the command but in {data[1:60] or 'a file'!r}: paste what that holds."
            )
        else:
            path = re.sub(r"^\w+://[^/]*", "", url).split("?")[0]
            if path and not path.endswith(TEXT_TO_VIDEO.path):
                notes.append(f"The command calls {path[:80]}. Only what {TEXT_TO_VIDEO.path} takes is read.")
            return data
    raise ImportRequestError(problem)


def _options(line: Iterator[str | Heredoc]) -> tuple[str | None, str]:
    """Return the body and the address in a command's words, reading no further than to have both."""
    data, here, url = None, None, ""
    option = ""
    for word in line:
        if isinstance(word, Heredoc):
            here = word.text
        elif option in _DATA or (data is None and re.match(r"-d.|--(data|json)[\w-]*=", word)):
            data = word if option in _DATA else re.sub(r"^(-d|--[\w-]+=)", "", word, count=1)
        elif option == "--url" or re.match(r"https?://", word):
            url = word
        option = word if isinstance(word, str) and option not in _DATA else ""
        body = here if data == "@-" else data
        if body is not None and url:
            return body, url
    return (here or data) if data == "@-" else data, url


def _object(body: str) -> Mapping[str, Any]:
    def refuse(constant: str) -> Any:
        raise ImportRequestError(f"The JSON holds {constant}, which is no number that can be sent.")

    try:
        value = json.loads(body, parse_constant=refuse, strict=False)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise ImportRequestError(f"The JSON cannot be read at {where}: {error.msg}.") from None
    except ImportRequestError:
        raise
    except (ValueError, RecursionError):
        raise ImportRequestError("The JSON holds a number that is too long, or is nested too deep.") from None
    if not isinstance(value, dict):
        raise ImportRequestError(
            "The body is not a JSON object: a request starts with { and names its fields."
        )
    return value


def _request(body: Mapping[str, Any], notes: list[str]) -> TextToVideo:
    _note_unknown(body, FIELDS, "", notes)
    notes += [f"{name} is left out: the studio gives its own." for name in OURS if _text(body, name)]
    model_name = _text(body, "model_name")
    if not model_name:
        model_name = TextToVideo().model_name
        notes.append(f"It names no model_name: {model_name} is taken. Kling's default is retired.")
    model = catalog().models.get(model_name)
    watermark = _inner(body, "watermark_info")
    _note_unknown(watermark, {"enabled"}, "watermark_info.", notes)
    return TextToVideo(
        prompt=_text(body, "prompt"),
        model_name=model_name,
        negative_prompt=_text(body, "negative_prompt"),
        mode=_text(body, "mode") or ("std" if model and model.takes_mode else None),
        duration=_text(body, "duration") or "5",
        aspect_ratio=_text(body, "aspect_ratio") or ("16:9" if model else ""),
        sound=_text(body, "sound") or "off",
        cfg_scale=_number(body, "cfg_scale"),
        camera_control=_camera(body, notes),
        multi_shot=_flag(body, "multi_shot"),
        shot_type=_text(body, "shot_type") or None,
        multi_prompt=tuple(_shots(body, notes)),
        watermark=_flag(watermark, "enabled", "watermark_info."),
    )


def _camera(body: Mapping[str, Any], notes: list[str]) -> CameraControl | None:
    camera, path = _inner(body, "camera_control"), "camera_control."
    _note_unknown(camera, {"type", "config"}, path, notes)
    if not camera:
        return None
    # the official page says that a preset's config is "None"
    config = {} if camera.get("config") == "None" else _inner(camera, "config", path)
    axes = {axis: _number(config, axis, f"{path}config.") for axis in config}
    return CameraControl(
        type=_text(camera, "type", path), config={axis: value for axis, value in axes.items() if value}
    )


def _shots(body: Mapping[str, Any], notes: list[str]) -> Iterator[Shot]:
    shots = body.get("multi_prompt") or []
    if not isinstance(shots, list):
        raise ImportRequestError("multi_prompt has to be a list of shots.")
    placed = []
    for place, shot in enumerate(shots, 1):
        path = f"multi_prompt[{place}]."
        if not isinstance(shot, dict):
            raise ImportRequestError(f"{path[:-1]} has to be an object with index, prompt and duration.")
        _note_unknown(shot, {"index", "prompt", "duration"}, path, notes)
        index = _number(shot, "index", path)
        placed.append((place if index is None else index, place, shot, path))
    for _, _, shot, path in sorted(placed, key=lambda each: each[:2]):
        yield Shot(prompt=_text(shot, "prompt", path), duration=_text(shot, "duration", path))


def _note_unknown(fields: Mapping[str, Any], known: Collection[str], path: str, notes: list[str]) -> None:
    notes += [f"{path}{name[:60]} is left out: it is not known here." for name in fields if name not in known]


def _text(fields: Mapping[str, Any], name: str, path: str = "") -> str:
    value = fields.get(name)
    if isinstance(value, int) and not isinstance(value, bool):  # a duration, mostly
        return str(value)
    if value is None or isinstance(value, str):
        return value or ""
    raise ImportRequestError(f"{path}{name} has to be text in quotes.")


def _number(fields: Mapping[str, Any], name: str, path: str = "") -> float | None:
    value = fields.get(name)
    if value is None or (isinstance(value, int | float) and not isinstance(value, bool)):
        return value
    raise ImportRequestError(f"{path}{name} has to be a number.")


def _flag(fields: Mapping[str, Any], name: str, path: str = "") -> bool:
    value = fields.get(name)
    if value is None or isinstance(value, bool):
        return bool(value)
    raise ImportRequestError(f"{path}{name} has to be true or false.")


def _inner(fields: Mapping[str, Any], name: str, path: str = "") -> Mapping[str, Any]:
    value = fields.get(name)
    if value is None or isinstance(value, dict):
        return value or {}
    raise ImportRequestError(f"{path}{name} has to be an object in braces.")
