"""Reads shots out of JSON and out of tables: of Markdown, of a spreadsheet, or with commas.

Names of fields and of columns are those that people and programs use. A field that is neither number, length
nor prompt is written behind the prompt (`Camera: pan left`), so that nothing of a paste is lost.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from kling.studio.prompting.shot_times import clock, read_length, seconds_of

MOST_ROWS = 50
DEEPEST = 3  # wrappers inside each other
_NUMBERS = frozenset(
    (
        *("#", "no", "nr", "number", "index", "shot", "shots", "scene", "cut", "clip", "id", "shot no"),
        *("shot number", "scene number", "shot id", "镜头", "镜号", "分镜", "序号", "镜头号", "場景", "场景"),
    )
)
_LENGTHS = ("duration", "length", "second", "sec", "dur", "time", "dauer", "时长", "時長", "时间", "秒")
_PROMPTS = (
    *("prompt", "description", "visual", "action", "content", "picture", "image", "text", "caption", "what"),
    *("words", "scene", "shot", "提示词", "描述", "画面", "内容", "beschreibung"),
)
_LISTS = ("multi_prompt", "multi_prompts", "shots", "scenes", "storyboard", "segments", "clips", "prompts")
_RULE = re.compile(r"\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?")
_NUMBERED_NAME = re.compile(r"(?:shot|scene|clip|prompt)?[ _-]?\d{1,2}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Entry:
    """A shot as it was given.

    Args:
        number: its own number; None if it has none.
        length: in whole seconds; None if it does not say.
        words: what it shows.
    """

    number: int | None
    length: int | None
    words: str


def from_json(value: Any, depth: int = 0) -> list[Entry]:
    """Return the shots in a value of JSON, in the order of their numbers; none if there are none."""
    if isinstance(value, dict):
        return _from_object(value, depth)
    if not isinstance(value, list) or not value or len(value) > MOST_ROWS:
        return []
    if all(isinstance(each, str) for each in value):
        return [Entry(None, None, " ".join(each.split())) for each in value]
    return _entries(value) if all(isinstance(each, dict) for each in value) else []


def _from_object(value: dict[str, Any], depth: int) -> list[Entry]:
    if value and len(value) <= MOST_ROWS and all(_NUMBERED_NAME.fullmatch(str(name)) for name in value):
        return _entries([each if isinstance(each, dict) else {"prompt": each} for each in value.values()])
    parts = {_name(name): part for name, part in value.items() if isinstance(part, list | dict)}
    first = [parts.pop(name) for name in _LISTS if name in parts]
    tries = (from_json(part, depth + 1) for part in (*first, *parts.values()) if depth < DEEPEST)
    return next((found for found in tries if found), [])


def from_table(text: str) -> list[Entry]:
    """Return the shots of a table; none if the text is no table."""
    rows = next(
        filter(None, (_markdown(text), *map(partial(_separated, text), "\t|"), *_with_commas(text))), []
    )
    if not rows:
        return []
    names = [_name(cell) for cell in rows[0]]
    if _is_header(names):
        rows = rows[1:]
    else:
        names = _guessed(rows)
    records = [dict(zip(names, row, strict=False)) for row in rows]
    return _entries([each for each in records if not re.match(r"total|sum|gesamt|合计", _first(each))])


def _entries(records: Sequence[Mapping[Any, Any]]) -> list[Entry]:
    found = [_entry({_name(name): value for name, value in record.items()}) for record in records]
    if not any(entry.words for entry in found):
        return []
    numbers = [entry.number for entry in found if entry.number is not None]
    if len(set(numbers)) == len(found):
        found.sort(key=lambda entry: entry.number or 0)
        if numbers and min(numbers) == 0:  # programs count from 0
            found = [Entry(number, entry.length, entry.words) for number, entry in enumerate(found, 1)]
    return found


def _entry(record: dict[str, Any]) -> Entry:
    number = length = None
    prompt = next(_prompts_of(record), "")
    start, end = (_moment(record, names) for names in (("start", "from", "begin"), ("end", "to")))
    if start is not None and end is not None:
        length = seconds_of(start, end)
    others = []
    for name, value in record.items():
        text = " ".join(value.split()) if isinstance(value, str) else ""
        if name == prompt or name in {"start", "start time", "from", "begin", "end", "end time", "to"}:
            continue
        if name in _NUMBERS and number is None and (found := re.fullmatch(r"\D{0,12}(\d{1,2})", str(value))):
            number = int(found[1])
        elif length is None and _is_length(name) and (seconds := read_length(str(value))) is not None:
            length = seconds
        elif text:
            others.append(f"{name.capitalize()}: {text.rstrip('.')}.")
    words = str(record.get(prompt) or "")
    words = re.sub(r"<br\s*/?>", " ", words)
    return Entry(number, length, " ".join(" ".join([words, *others]).split()))


def _prompts_of(record: Mapping[str, Any]) -> Iterator[str]:
    """Yield the fields that may hold the prompt, the best first."""
    for wanted in _PROMPTS:
        for name, value in record.items():
            if wanted in name and isinstance(value, str) and not re.fullmatch(r"\s*#?\d*\s*", value):
                yield name


def _moment(record: Mapping[str, Any], names: Sequence[str]) -> float | None:
    for name in names:
        value = record.get(name, record.get(f"{name} time"))
        if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 10**6:
            return float(value)
        if isinstance(value, str) and re.fullmatch(r"\s*\d{1,2}(:\d{2}){1,2}([.,]\d{1,3})?\s*", value):
            return clock(value.strip())
        if isinstance(value, str) and (found := re.fullmatch(r"\s*(\d{1,3}(?:\.\d{1,3})?)\s*s?\s*", value)):
            return float(found[1])
    return None


def _is_length(name: str) -> bool:
    return any(word in name for word in _LENGTHS)


def _is_header(names: Sequence[str]) -> bool:
    known = sum(
        name in _NUMBERS or _is_length(name) or any(each in name for each in _PROMPTS) for name in names
    )
    return known >= max(1, len(names) - 2) and not any(re.search(r"\d", name[:60]) for name in names)


def _guessed(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return names for the columns of a table without a header, by what stands in them."""
    width = max(map(len, rows))
    columns = [[row[place] if place < len(row) else "" for row in rows] for place in range(width)]
    names = [""] * width
    longest = max(range(width), key=lambda place: sum(map(len, columns[place])))
    names[longest] = "prompt"
    for place, column in enumerate(columns):
        counts = [re.fullmatch(r"\D{0,12}(\d{1,2})", cell) for cell in column]
        if place == longest:
            continue
        if "number" not in names and [int(each[1]) for each in counts if each] == list(
            range(1, len(rows) + 1)
        ):
            names[place] = "number"
        elif "duration" not in names and all(read_length(cell) is not None for cell in column):
            names[place] = "duration"
        else:
            names[place] = f"note {place + 1}"
    return names


def _markdown(text: str) -> list[list[str]]:
    lines = [line.strip() for line in text.splitlines() if line.strip().startswith("|")]
    if len(lines) < 2 or len(lines) > MOST_ROWS:
        return []
    return [
        [cell.strip().replace("\\|", "|").strip("*_ ") for cell in re.split(r"(?<!\\)\|", line.strip("|"))]
        for line in lines
        if not _RULE.fullmatch(line)
    ]


def _separated(text: str, mark: str) -> list[list[str]]:
    try:
        rows = [[cell.strip() for cell in row] for row in csv.reader(io.StringIO(text), delimiter=mark)]
    except csv.Error:
        return []
    rows = [row for row in rows if any(row)]
    return rows if 0 < len(rows) <= MOST_ROWS and min(map(len, rows)) > 1 else []


def _with_commas(text: str) -> Iterator[list[list[str]]]:
    """Yield the rows of a table with commas or semicolons: it has a header, or begins with two numbers."""
    for mark in ",;":
        first = [_name(cell) for cell in text.partition("\n")[0].split(mark)]
        if len(first) > 1 and all(name in _NUMBERS or _is_length(name) or name in _PROMPTS for name in first):
            yield _separated(text, mark)
        rows = [
            re.match(rf"\s*(\d{{1,2}})\s*{mark}\s*(\d{{1,2}})\s*s?\s*{mark}(.+)", line)
            for line in _lines(text)
        ]
        if rows and all(rows):
            yield [[each.strip() for each in row.groups()] for row in rows if row]


def _lines(text: str) -> list[str]:
    lines = [line for line in text.splitlines() if line.strip()]
    return lines if len(lines) <= MOST_ROWS else []


def _name(given: object) -> str:
    """Return the name of a field or of a column without unit, case and marks."""
    name = re.sub(r"[(（\[【][^)）\]】]{0,20}[)）\]】]", "", str(given)[:60])
    name = re.sub(r"(?<=[a-z])(?=[A-Z])|[_\-*\s.:：]+", " ", name).strip().lower()
    return name.replace("multi prompt", "multi_prompt")


def _first(record: Mapping[str, str]) -> str:
    return str(next(iter(record.values()), "")).lower()
