"""Reads a request that somebody pastes: the JSON body of a create call, or a cURL command with one in it.

Fields that the create call does not have, and those that belong to one task (its id, its callback address),
are left out and noted. Nothing of a command but its body and address is kept or repeated: it may carry a key.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice, zip_longest
from typing import Any

from kling.catalog import catalog
from kling.endpoint import TEXT_TO_VIDEO
from kling.studio.prompting.draft import Draft, snap_to_model
from kling.studio.prompting.shell import Heredoc, ShellError, words
from kling.text_to_video import TextToVideo

MOST_COMMANDS = 5  # that are tried: each may be read up to the paste's end
LONGEST = 200_000  # characters of a paste; the longest legal request has about 10,000
OURS = ("external_task_id", "callback_url")
SHOWN = 60  # characters of a value in a note

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
    return ImportedRequest(request, tuple(_showable(note) for note in notes))


def draft_of(imported: ImportedRequest) -> tuple[Draft, tuple[str, ...]]:
    """Return the draft that asks for an imported request, and the notes.

    The form cannot hold every value, and its model does not take every field. So the notes also name each
    value that differs in the draft, and what it became. Not so the choices that the form itself moves to fit
    the model, because the form then says so.
    """
    draft = Draft.from_request(imported.request)
    fitted, moved = snap_to_model(draft)
    said = {{"camera": "camera_control"}.get(change.field, change.field) for change in moved}
    old, new = (_sent(request) for request in (imported.request, fitted.request()))
    notes = (
        _note(draft, place, *values)
        for field in imported.request.FIELDS
        if field not in said
        for place, *values in _differences(field, old.get(field), new.get(field))
    )
    return draft, (*imported.notes, *notes)


def _sent(request: TextToVideo) -> dict[str, Any]:
    return {"sound": request.sound, **request.to_wire()}  # `to_wire` leaves silence out


def _differences(place: str, old: Any, new: Any) -> Iterator[tuple[str, Any, Any]]:
    """Yield the innermost places in which two values of JSON differ, with what is there."""
    if isinstance(old, dict) and isinstance(new, dict):
        for name in {**old, **new}:
            yield from _differences(f"{place}.{name}", old.get(name), new.get(name))
    elif isinstance(old, list) and isinstance(new, list):
        for number, (one, other) in enumerate(zip_longest(old, new), 1):
            yield from _differences(f"{place}[{number}]", one, other)
    elif old != new:
        yield place, old, new


def _note(draft: Draft, place: str, old: Any, new: Any) -> str:
    model = draft.known
    texts = [_showable(json.dumps(value, ensure_ascii=False)) for value in (old, new)]
    same = next((at for at, pair in enumerate(zip(*texts, strict=False)) if pair[0] != pair[1]), 0)
    start = max(0, same - SHOWN // 2)  # of two long texts, the part that differs is shown
    before, after = (
        "…" * bool(start) + text[start : start + SHOWN] + "…" * (len(text) > start + SHOWN) for text in texts
    )
    if old is None:
        return f"{place} is not given: {after} is taken."
    if new is not None:
        return f"{place} {before} became {after} to fit the form."
    if model and not (draft.can_send(place) and (place != "mode" or model.takes_mode)):
        return f"{place} {before} is not sent: {model.title} does not take it."
    return f"{place} {before} is left out to fit the form."


def _showable(text: str) -> str:
    """Return a text that a page can show: half of a surrogate pair becomes its escape."""
    return text.encode("utf-8", "backslashreplace").decode()


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
    """Return the body and the address in a command's words, and stop reading once both are found."""
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
    parsed = TextToVideo.from_wire(body)
    if parsed.unusable:
        raise ImportRequestError(_showable(f"{parsed.unusable[0].field} {parsed.unusable[0].message}"))
    notes += [f"{name} is left out: it is not known here." for name in parsed.unknown]
    request = parsed.request
    notes += [f"{name} is left out: the studio gives its own." for name in OURS if getattr(request, name)]
    if not request.model_name:
        request = replace(request, model_name=TextToVideo().model_name)
        notes.append(f"It names no model_name: {request.model_name} is taken. Kling's default is retired.")
    model = catalog().models.get(request.model_name)
    return replace(
        request,
        mode=request.mode or ("std" if model and model.takes_mode else None),
        duration=request.duration or "5",
        aspect_ratio=request.aspect_ratio or ("16:9" if model else ""),
        external_task_id="",
        callback_url="",
    )
