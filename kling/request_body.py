"""Reads the body of a create call back into a request, whatever JSON it is.

A field that is not known, or whose value has another type than documented, is left out and noted, without an
error. So one reader serves both a pasted body, whose author sees the notes, and a record of the studio, which
has to be read even if it was edited by hand.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from kling.problems import Problem

RequestT = TypeVar("RequestT")
TEXT_LIMIT = 100_000  # characters of one text; more than the API takes, so that a rule can say so
NAME_LIMIT = 60  # characters of an unknown name that are noted
MOST_NOTES = 100  # of each kind
MOST_PARTS = 100  # of a list or an object inside the body; the API's largest list has six
_LARGEST = 10**12  # of a whole number: its text stays short


@dataclass(frozen=True, slots=True)
class Parsed(Generic[RequestT]):
    """A request that was read, and what of the body is not in it.

    Args:
        request: may break rules of the API: `request.problems()` says which.
        unknown: names of fields that the create call does not have, such as `watermark_info.text`.
        unusable: fields whose value has a wrong type, and what the type has to be.
    """

    request: RequestT
    unknown: tuple[str, ...] = ()
    unusable: tuple[Problem, ...] = ()


class Reader:
    """Reads the fields of one JSON object. What it cannot use is in `unknown` and `unusable`.

    Args:
        body: the object; anything else counts as one without fields.
        known: the names of the fields that are read.
        path: what the names begin with in notes, such as `watermark_info.`.
        outer: the reader of the object that holds this one; the notes go there.
    """

    def __init__(
        self, body: object, known: Collection[str], path: str = "", outer: Reader | None = None
    ) -> None:
        self.fields: Mapping[str, Any] = body if isinstance(body, dict) else {}
        self.path = path
        self.unknown: list[str] = outer.unknown if outer else []
        self.unusable: list[Problem] = outer.unusable if outer else []
        self.unknown += (f"{path}{name[:NAME_LIMIT]}" for name in self.fields if name not in known)

    def text(self, name: str) -> str:
        """Return a text, empty if there is none; a whole number is read as its digits."""
        value = self.fields.get(name)
        if isinstance(value, int) and not isinstance(value, bool) and abs(value) < _LARGEST:
            return str(value)
        if value is None or (isinstance(value, str) and len(value) <= TEXT_LIMIT):
            return value or ""
        too_long = isinstance(value, str)
        self.refuse(name, "is too long." if too_long else "has to be text in quotes.")
        return ""

    def number(self, name: str) -> float | None:
        """Return a finite number, None if there is none."""
        value = self.fields.get(name)
        if value is None or is_number(value):
            return value
        self.refuse(name, "has to be a number.")
        return None

    def whole_number(self, name: str) -> int | None:
        """Return a whole number, None if there is none; `7.0` is one, because spreadsheets write it so."""
        value: Any = self.fields.get(name)
        if is_number(value) and abs(value) < _LARGEST and value == int(value):
            return int(value)
        if value is not None:
            self.refuse(name, "has to be a whole number.")
        return None

    def flag(self, name: str) -> bool:
        """Return true or false; false if there is neither."""
        value = self.fields.get(name)
        if value is not None and not isinstance(value, bool):
            self.refuse(name, "has to be true or false.")
        return value is True

    def inner(self, name: str, known: Collection[str]) -> Reader:
        """Return a reader of an object inside this one."""
        value = self.fields.get(name)
        if value is not None and not isinstance(value, dict):
            self.refuse(name, "has to be an object in braces.")
        return Reader(value, known, f"{self.path}{name}.", self)

    def parts(self, name: str, known: Sequence[str], what: str) -> Iterator[Reader]:
        """Yield a reader for each object of a list; they are numbered from 1.

        Args:
            name: of the list.
            known: names of the fields of its objects.
            what: the plural of what it holds, for a note.
        """
        value = self.fields.get(name) or []
        if not isinstance(value, list) or len(value) > MOST_PARTS:
            self.refuse(name, f"has to be a list of {what}.")
            return
        for number, entry in enumerate(value, 1):
            path = f"{name}[{number}]"
            if isinstance(entry, dict):
                yield Reader(entry, known, f"{self.path}{path}.", self)
            else:
                self.refuse(path, f"has to be an object with {', '.join(known[:-1])} and {known[-1]}.")

    def refuse(self, name: str, message: str) -> None:
        """Note that a field cannot be used."""
        self.unusable.append(Problem(f"{self.path}{name}", message))

    def parsed(self, request: RequestT) -> Parsed[RequestT]:
        """Return the request with the notes of this reader."""
        return Parsed(request, tuple(self.unknown[:MOST_NOTES]), tuple(self.unusable[:MOST_NOTES]))


def is_number(value: object) -> bool:
    """Whether the value is a number that JSON can hold and whose text stays short."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return math.isfinite(value) if isinstance(value, float) else abs(value) < _LARGEST
