"""Text as it comes out of a clipboard: invisible characters, code blocks, and JSON as programs write it.

`loads` reads JSON that strict readers refuse: comments, trailing commas, single or typographic quotes, names
without quotes, Python's `True` and `None`, and texts that Python writes in several pieces. Nothing is run.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

DEEPEST = 30  # objects and lists inside each other
MOST_TRIES = 30  # braces of a text at which an object may begin
MOST_BLOCKS = 10  # of code that are looked at

_FENCE = re.compile(
    r"^[ \t>]{0,8}(?P<mark>```|~~~)[^\n]*\n(?P<code>.*?)(?:^[ \t>]{0,8}(?P=mark)|\Z)",
    re.MULTILINE | re.DOTALL,
)
_QUOTED = re.compile(r"^[ \t]{0,8}>[ \t]?", re.MULTILINE)
_BLANK = re.compile(r"(?:\s+|//[^\n]*|\#[^\n]*|/\*.*?\*/)+", re.DOTALL)
_TEXT = re.compile(
    r"""[urb]?(?:"(?P<double>(?:[^"\\]|\\.)*)"|'(?P<single>(?:[^'\\]|\\.)*)')
    | [“„](?P<curly>(?:[^”“\\]|\\.)*)[”“]""",
    re.DOTALL | re.VERBOSE,
)
_NUMBER = re.compile(r"-?\d{1,20}(?P<fraction>\.\d{1,20})?(?:[eE][+-]?\d{1,3})?(?![\w.])")
_NAME = re.compile(r"[A-Za-z_$][\w$]{0,80}")
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|x([0-9a-fA-F]{2})|(\n)|(.))", re.DOTALL)
_LETTERS = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "a": "\a", "v": "\v", "0": "\0"}
_CONSTANTS = {"true": True, "false": False, "null": None, "none": None, "undefined": None}


class PastedError(ValueError):
    """The text is no JSON, not even nearly; the message says where it ends to be."""


@dataclass(slots=True)
class _At:
    """The place that is read next."""

    text: str
    index: int = 0

    def blanks(self) -> str:
        """Go on to what is no blank and no comment, and return its first character, empty at the end."""
        if found := _BLANK.match(self.text, self.index):
            self.index = found.end()
        return self.text[self.index : self.index + 1]

    def take(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        if found := pattern.match(self.text, self.index):
            self.index = found.end()
        return found

    def fail(self, wanted: str) -> PastedError:
        line = self.text.count("\n", 0, self.index) + 1
        column = self.index - self.text.rfind("\n", 0, self.index)
        return PastedError(f"line {line}, column {column}: expecting {wanted}")


def tidy(text: str) -> str:
    """Return a text with plain line ends, and without blanks and invisible characters around it."""
    text = re.sub(r"\r\n?|[\u2028\u2029\x85]", "\n", text)
    start, end = 0, len(text)
    while start < end and _is_nothing(text[start]):
        start += 1
    while end > start and _is_nothing(text[end - 1]):
        end -= 1
    return text[start:end]


def _is_nothing(letter: str) -> bool:
    return letter.isspace() or unicodedata.category(letter) == "Cf"


def blocks(text: str) -> list[str]:
    """Return what stands in the fenced code blocks of a text; the last one need not be closed."""
    codes = [found["code"] for found in islice(_FENCE.finditer(text), MOST_BLOCKS)]
    return [tidy(_QUOTED.sub("", code) if code.lstrip().startswith(">") else code) for code in codes]


def loads(text: str) -> Any:
    """Read one value, whoever wrote it; a `;` or `,` behind it does not count.

    Raises:
        PastedError: it is none, or something follows it.
    """
    at = _At(text)
    value = _value(at)
    at.take(re.compile(r"\s*[;,]"))
    if at.blanks():
        raise at.fail("the end")
    return value


def objects(text: str) -> Iterator[Any]:
    """Yield the objects and lists of objects in a text that holds other things too, such as a program."""
    index = 0
    for _ in range(MOST_TRIES):
        found = re.compile(r"\{|\[\s*\{").search(text, index)
        if found is None:
            return
        at = _At(text, found.start())
        try:
            value = _value(at)
        except PastedError:
            index = found.start() + 1
        else:
            index = at.index
            yield value


def _value(at: _At, depth: int = 0) -> Any:
    if depth > DEEPEST:
        raise at.fail(f"at most {DEEPEST} levels")
    start = at.blanks()
    if start == "{":
        return _object(at, depth)
    if start in {"[", "("}:
        return _list(at, depth, "]" if start == "[" else ")")
    if start and (text := _texts(at)) is not None:
        return text
    if found := at.take(_NUMBER):
        return float(found[0]) if found["fraction"] or "e" in found[0].lower() else int(found[0])
    before = at.index
    if (name := at.take(_NAME)) and name[0].lower() in _CONSTANTS:
        return _CONSTANTS[name[0].lower()]
    at.index = before
    raise at.fail("a value")


def _object(at: _At, depth: int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    at.index += 1
    while (start := at.blanks()) != "}":
        name = _texts(at) if start else None
        if name is None and (bare := at.take(_NAME)):
            name = bare[0]
        if name is None:
            raise at.fail("a name in quotes")
        if at.blanks() not in {":", "："}:
            raise at.fail("a colon")
        at.index += 1
        found[name] = _value(at, depth + 1)
        _next(at, "}")
    at.index += 1
    return found


def _list(at: _At, depth: int, end: str) -> Any:
    """Return a list; parentheses around one text, as Python wraps it, are that text."""
    found: list[Any] = []
    at.index += 1
    commas = 0
    while at.blanks() != end:
        found.append(_value(at, depth + 1))
        commas += _next(at, end)
    at.index += 1
    return found[0] if end == ")" and len(found) == 1 and not commas else found


def _next(at: _At, end: str) -> bool:
    """Go over the comma before another part; return whether there was one."""
    start = at.blanks()
    if start in {",", "，"}:
        at.index += 1
        return True
    if start != end:
        raise at.fail(f"a comma or {end}")
    return False


def _texts(at: _At) -> str | None:
    """Return a text, of which Python may have written several pieces one after the other."""
    pieces: list[str] = []
    while at.blanks() and (found := at.take(_TEXT)):
        pieces.append(_ESCAPE.sub(_meaning, next(part for part in found.groups() if part is not None)))
    if not pieces:
        return None
    # Halves of a surrogate pair that stand side by side are one character.
    return "".join(pieces).encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")


def _meaning(found: re.Match[str]) -> str:
    short, long, byte, line_end, letter = found.groups()
    if line_end:
        return ""
    if letter is not None:
        return _LETTERS.get(letter, letter if letter in "\\'\"/`$“”" else f"\\{letter}")
    code = int(short or long or byte, 16)
    return chr(code) if code < 0x110000 else "\ufffd"


def strict(text: str) -> Any:
    """Read JSON as the standard has it, but with line ends inside texts.

    Raises:
        PastedError: it is none. The message is a sentence for the page.
    """

    def refuse(constant: str) -> Any:
        raise PastedError(f"The JSON holds {constant}, which is no number that can be sent.")

    try:
        return json.loads(text, parse_constant=refuse, strict=False)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise PastedError(f"The JSON cannot be read at {where}: {error.msg}.") from None
    except PastedError:
        raise
    except (ValueError, RecursionError):
        raise PastedError("The JSON holds a number that is too long, or is nested too deep.") from None


def any_json(text: str) -> Any:
    """Read JSON strictly, or else as `loads` does.

    Raises:
        PastedError: neither can read it. The message is the one of `strict`.
    """
    try:
        return strict(text)
    except PastedError as error:
        try:
            return loads(text)
        except PastedError:
            raise error from None
