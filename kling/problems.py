"""A broken rule of the API, and the rules that fields of every request share.

Source: S1. Limits that no page names are marked as ours.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

ID_LIMIT = 256  # characters; ours
_UNSENDABLE = re.compile("[\x00\ud800-\udfff]")  # NUL, and one half of a surrogate pair
_BLANK_OR_CONTROL = re.compile("[\x00-\x20\x7f\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Problem:
    """One reason why a request cannot be sent: the API's name of the field, and what to do about it."""

    field: str
    message: str


def can_be_sent(text: str) -> bool:
    """Whether the text has no character that JSON or UTF-8 cannot carry."""
    return not _UNSENDABLE.search(text)


def text_problems(name: str, text: str, limit: int) -> Iterator[Problem]:
    """Yield what is wrong with a text field.

    Args:
        name: of the field.
        text: its value.
        limit: the most characters that the API takes.
    """
    if len(text) > limit:
        over = len(text) - limit
        yield Problem(
            name, f"This has {len(text):,} characters and Kling takes {limit:,}: shorten it by {over:,}."
        )
    if not can_be_sent(text):
        yield Problem(
            name, "This contains a character that cannot be sent (NUL or half of a pair): remove it."
        )


def own_field_problems(callback_url: str, external_task_id: str) -> Iterator[Problem]:
    """Yield what is wrong with the callback address and with our id of the task."""
    if callback_url and not is_whole_address(callback_url):
        yield Problem("callback_url", "Give a whole address that starts with https://.")
    if problem := id_problem(external_task_id):
        yield Problem("external_task_id", problem)


def is_whole_address(url: str, schemes: Container[str] = ("http", "https")) -> bool:
    """Whether a text is an address of the web that a program can call, by one of these schemes."""
    try:
        parts = urlsplit(url)
        named = bool(parts.hostname)
    except ValueError:
        return False
    return parts.scheme in schemes and named and not _BLANK_OR_CONTROL.search(url)


def id_problem(task_id: str) -> str | None:
    """Return why no task can be looked up by this id, None if one can.

    The id is a part of the path of the look-up, where `.` and `..` would name another folder.
    """
    if task_id in {".", ".."} or _BLANK_OR_CONTROL.search(task_id):
        return "The id has no blanks, no control characters, and is more than a dot or two."
    if len(task_id) > ID_LIMIT:
        return f"The id has at most {ID_LIMIT} characters."
    return None


def listed(names: Sequence[str]) -> str:
    """Return names as a sentence says them: `std, pro or 4k`."""
    return ", ".join(names[:-1]) + f" or {names[-1]}" if len(names) > 1 else names[0]
