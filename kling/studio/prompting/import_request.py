"""Reads a request that somebody pastes: the JSON body of a create call, or a cURL command with one in it.

Either may stand in a fenced code block, in a program or among other text, and the body may be one of a
gateway or of Kling's newer API. Fields that the create call does not have, and those that belong to one task
(its id, its callback address), are left out and noted. Nothing of a command but its body and address is kept
or repeated: it may carry a key.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain, islice, zip_longest
from typing import Any

from kling.catalog import catalog
from kling.endpoint import IMAGE_TO_VIDEO, TEXT_TO_VIDEO
from kling.image_to_video import ImageToVideo
from kling.pictures import FIELDS as FRAMES
from kling.pictures import is_name
from kling.studio.prompting.draft import Draft, FormRequest, snap_to_model
from kling.studio.prompting.foreign_body import (
    CONTENT,
    GIVE_PICTURE,
    NEWER_PATH,
    NOT_KNOWN,
    NoRequest,
    flat_body,
    what_it_is,
)
from kling.studio.prompting.pasted import PastedError, any_json, blocks, objects, tidy
from kling.studio.prompting.shell import Heredoc, ShellError, words
from kling.text_to_video import TextToVideo

MOST_COMMANDS = 5  # commands of one paste that are tried: each may be read up to the paste's end
LONGEST = 200_000  # characters of a paste; the longest legal request has about 10,000
OURS = ("external_task_id", "callback_url")
MOST_CAPABLE = "kling-v3"  # takes what the others take, and more lengths, shots and 4k
NOT_BESIDE = "Kling does not take it beside a picture"
SHOWN = 60  # characters of a value in a note

_CURL = re.compile(r"(?<![\w./-])curl(?:\.exe)?(?=\s)")
_DATA = re.compile(r"-[sSLkivgfN#]*d|--data(-raw|-binary|-ascii)?|--json")
_FORMS = re.compile(r"(-F|--form(-string)?|--data-urlencode)\Z")
_FORM = "@form"  # marks a command whose body is a form, not JSON
_NEWER_CALL = re.compile(r"(/(?:text-to-video|image-to-video)/[\w.-]{1,60})[\"']")
# How `export_request` reads a picture from its file, whose name begins as the picture's own: Python, bash.
_FROM_FILE = re.compile(
    r"""picture\('(?P<python>[0-9a-f]{12})\.\w{3}'\)"""
    r"""|"\$\(base64 < (?P<bash>[0-9a-f]{12})\.\w{3} \| tr -d '\\n'\)\""""
)
_NEITHER = "This is neither a JSON object, which starts with {, nor a cURL command."


class ImportRequestError(ValueError):
    """The pasted text is no request; the message says what is wrong, where, and what helps."""


@dataclass(frozen=True, slots=True)
class ImportedRequest:
    """What was read.

    Args:
        request: may still break rules of the API: `request.problems()` says which.
        notes: what was left out or assumed, each a sentence.
    """

    request: FormRequest
    notes: tuple[str, ...] = ()


def parse_request(text: str, picture_named: Callable[[str], str] = lambda _: "") -> ImportedRequest:
    """Read a pasted JSON body, cURL command, or a text that has one of them in it.

    Args:
        text: that was pasted.
        picture_named: returns the name of a picture that is kept, by the beginning of it; empty for none.

    Raises:
        ImportRequestError: there is no request in it.
    """
    if len(text) > LONGEST:
        raise ImportRequestError(f"This has {len(text):,} characters. A request is shorter than {LONGEST:,}.")
    text = tidy(text)
    if not text:
        raise ImportRequestError(
            "There is nothing here. Paste the JSON body of a create call, or a cURL command."
        )
    found = _read(_FROM_FILE.sub(partial(_named, picture_named), text))
    return replace(found, notes=tuple(_showable(note) for note in found.notes))


def _named(picture_named: Callable[[str], str], file: re.Match[str]) -> str:
    """Return the name of the picture that a program reads from a file; its beginning if it is not kept."""
    beginning = file["python"] or file["bash"]
    return f'"{picture_named(beginning) or beginning}"'


def _read(text: str) -> ImportedRequest:
    if text.startswith(("{", "[")):
        return _of_json(text)
    code = blocks(text)
    command = _CURL.search(text)
    if code and not (command and command.start() < text.index(code[0])):
        tries = [partial(_read, each) for each in code if not blocks(each)]
    elif command:
        return _of_curl(text)
    else:
        tries = []
    wrong: ImportRequestError | None = None
    # As it stands first: what PowerShell writes as an escape may be the end of somebody's text.
    found = chain.from_iterable(objects(each) for each in dict.fromkeys((text, _unquoted(text))))
    named = _NEWER_CALL.search(text)  # there the model is in the address that a program calls
    path = named[1] if named else ""
    for attempt in (*tries, *(partial(_of_value, value, path) for value in found)):
        try:
            return attempt()
        except ImportRequestError as error:
            wrong = wrong or error
    raise wrong or ImportRequestError(_NEITHER)


def _unquoted(text: str) -> str:
    """Return the text with PowerShell's escapes of quotes resolved."""
    return text.replace('`"', '"') if '`"' in text else text


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


def _sent(request: FormRequest) -> dict[str, Any]:
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


def _of_curl(text: str) -> ImportedRequest:
    problem = _NEITHER
    text = _of_cmd(text)
    for found in islice(_CURL.finditer(text), MOST_COMMANDS):
        try:
            data, url = _options(words(text, found.end()))
        except ShellError as error:
            problem = f"The cURL command cannot be read: {error}"
            continue
        if data is None:
            problem = "This cURL command sends no body. One that creates a task has --data with JSON in it."
        elif data.startswith("@") and data != _FORM:
            problem = (
                f"The body is not in the command but in {data[1:60] or 'a file'!r}: paste what that holds."
            )
        elif data == _FORM:
            problem = (
                "This cURL command sends a form, and a request is JSON: paste one that has --data with JSON."
            )
        else:
            path = re.sub(r"^\w+://[^/]*", "", url).split("?")[0].split("#")[0]
            return _of_json(data, path)
    raise ImportRequestError(problem)


def _of_cmd(text: str) -> str:
    """Return a command that a browser wrote for Windows' cmd.exe as one for bash."""
    if '^"' not in text:
        return text
    return re.sub(r"\^(?:\n\s*|(.))", lambda found: found[1] or " ", text, flags=re.DOTALL)


def _options(line: Iterator[str | Heredoc]) -> tuple[str | None, str]:
    """Return the body and the address in a command's words, and stop reading once both are found."""
    data, here, url = None, None, ""
    option = ""
    for word in line:
        if isinstance(word, Heredoc):
            here = word.text
        elif _FORMS.match(option) or (data is None and re.match(r"-F.|--(form|data-urlencode)[\w-]*=", word)):
            data = data or _FORM
        elif _DATA.fullmatch(option) or (data is None and re.match(r"-d.|--(data|json)[\w-]*=", word)):
            data = word if _DATA.fullmatch(option) else re.sub(r"^(-d|--[\w-]+=)", "", word, count=1)
        elif option == "--url" or re.match(r"(--url=)?https?://", word):
            url = word.removeprefix("--url=")
        is_option = isinstance(word, str) and not _DATA.fullmatch(option)
        option = word if isinstance(word, str) and is_option else ""
        body = here if data == "@-" else data
        if body is not None and url:
            return body, url
    return (here or data) if data == "@-" else data, url


def _of_json(body: str, path: str = "") -> ImportedRequest:
    try:
        value = any_json(tidy(body))
    except PastedError as error:
        raise ImportRequestError(str(error)) from None
    return _of_value(value, path)


def _of_value(value: Any, path: str = "") -> ImportedRequest:
    notes: list[str] = []
    if path and not path.endswith((TEXT_TO_VIDEO.path, IMAGE_TO_VIDEO.path)) and not NEWER_PATH.search(path):
        notes.append(f"The command calls {path[:80]}. Only what {TEXT_TO_VIDEO.path} takes is read.")
    try:
        body = flat_body(value, notes, path=path)
    except NoRequest as error:
        raise ImportRequestError(_showable(str(error))) from None
    request = _request(body, notes)
    return ImportedRequest(request, tuple(notes))


def _request(body: Mapping[str, Any], notes: list[str]) -> FormRequest:
    frames = {name: str(body.get(name) or "") for name in FRAMES}
    words = _words({name: value for name, value in body.items() if not is_name(frames.get(name, ""))}, notes)
    if not is_name(frames["image"]):
        if is_name(frames["image_tail"]):
            notes.append("image_tail is left out: a video with a last frame has a first one, too.")
        return words
    kept = {name: value for name, value in frames.items() if is_name(value)}
    parsed = ImageToVideo.from_wire({**words.to_wire(), "sound": words.sound, **kept})
    notes += [f"{name} is left out: {NOT_BESIDE}." for name in parsed.unknown if name in body]
    return parsed.request


def _words(body: Mapping[str, Any], notes: list[str]) -> TextToVideo:
    """Return the request without its pictures."""
    parsed = TextToVideo.from_wire(body)
    if parsed.unusable:
        raise ImportRequestError(_showable(f"{parsed.unusable[0].field} {parsed.unusable[0].message}"))
    if not CONTENT & body.keys():
        raise ImportRequestError(_showable(what_it_is(body)))
    notes += [
        f"{name} is left out: {GIVE_PICTURE if name in FRAMES else NOT_KNOWN}." for name in parsed.unknown
    ]
    request = parsed.request
    notes += [f"{name} is left out: the studio gives its own." for name in OURS if getattr(request, name)]
    request = replace(request, external_task_id="", callback_url="")
    if request.model_name:
        return _with_defaults(request)
    default, other = (
        _with_defaults(replace(request, model_name=name)) for name in (TextToVideo().model_name, MOST_CAPABLE)
    )
    chosen = other if default.problems() and not other.problems() else default
    notes.append(f"It names no model: {chosen.model_name} is taken. Kling’s default is retired.")
    return chosen


def _with_defaults(request: TextToVideo) -> TextToVideo:
    model = catalog().models.get(request.model_name)
    return replace(
        request,
        mode=request.mode or ("std" if model and model.takes_mode else None),
        duration=request.duration or "5",
        aspect_ratio=request.aspect_ratio or ("16:9" if model else ""),
    )
