"""How long a shot lasts, in the many ways in which people write it: `3`, `3s`, `3 秒`, `0-3s`, `00:00-00:03`.

A ratio (`16:9`), a time of day (`10:30`) and a decade (`80s`) are none of them.
"""

from __future__ import annotations

import math
import re

_NUMBER = r"\d{1,3}(?:[.,]\d{1,3})?"
_UNIT = r"\s*-?\s*(?:seconds?|secs?|sek|s|秒钟?|″|'')(?![^\W\d_])"
_CLOCK = r"(?:\d{1,2}:)?\d{1,2}:\d{2}(?:[.,]\d{1,3}|:\d{2})?"
_TO = r"\s*(?:-->|->|→|-|–|—|~|～|to|bis|until|至|到)\s*"
_LABEL = r"(?:(?:duration|length|time|dauer|时长|時長|时间)\s*[:：]?\s*)?"
_AROUND = re.compile(r"\s*(?:for|about|approx\.?|ca\.?|~|约)?\s*", re.IGNORECASE)

RANGE = rf"{_CLOCK}{_TO}{_CLOCK}|{_NUMBER}(?:{_UNIT})?{_TO}{_NUMBER}{_UNIT}"
LENGTH = rf"{_NUMBER}{_UNIT}"
IN_BRACKETS = re.compile(
    rf"[(（\[【]\s*(?P<inside>{_LABEL}(?:{RANGE}|{LENGTH}|{_NUMBER}{_TO}{_NUMBER}|{_NUMBER}))\s*[)）\]】]",
    re.IGNORECASE,
)
# (3s, wide) and (wide, 3s) at the start of a text
LENGTH_AND_MORE = re.compile(
    rf"\A\W{{0,4}}?[(（\[【]\s*(?P<spec>{RANGE}|{LENGTH})\s*[,，;/|–—-]\s*(?P<more>[^()（）\[\]【】]{{1,80}})[)）\]】]",
    re.IGNORECASE,
)
MORE_AND_LENGTH = re.compile(
    rf"\A\W{{0,4}}?[(（\[【]\s*(?P<more>[^()（）\[\]【】\d]{{1,80}}?)\s*[,，;/|–—-]\s*(?P<spec>{RANGE}|{LENGTH})\s*[)）\]】]",
    re.IGNORECASE,
)
CLOCK_IN_BRACKETS = re.compile(rf"[(（\[【]\s*(?P<clock>{_CLOCK})\s*[)）\]】]")
BARE_RANGE = re.compile(rf"(?:{RANGE})(?!\d|:\d)", re.IGNORECASE)
BARE_LENGTH = re.compile(rf"{_LABEL}{LENGTH}", re.IGNORECASE)
OWN_LINE = re.compile(
    r"^[ \t*_>-]{0,8}(?:duration|length|time|timing|timecode|dauer|时长|時長|时间)"
    r"[ \t*_]{0,4}[:：][ \t*_]{0,4}"
    rf"(?P<spec>{RANGE}|{_NUMBER}(?:{_UNIT})?)[ \t*_.]{{0,8}}$",
    re.IGNORECASE | re.MULTILINE,
)
_CLOCKS = re.compile(_CLOCK)
_NUMBERS = re.compile(_NUMBER)
LONGEST_CELL = 40  # characters of a text that says nothing but a length


def seconds_of(start: float, end: float) -> int | None:
    """Return the whole seconds between two moments, at least 1; None if the second is not the later one.

    Both ends are rounded, so that shots that follow each other add up.
    """
    if end <= start:
        return None
    return max(1, math.floor(end + 0.5) - math.floor(start + 0.5))


def read_length(text: str) -> int | None:
    """Return the whole seconds that a text means which holds nothing but a length; None if it is none.

    Zero is returned as zero, because somebody wrote it.
    """
    text = _AROUND.sub("", text.strip("()（）[]【】 \t"), count=1) if len(text) <= LONGEST_CELL else ""
    text = re.sub(_LABEL, "", text, count=1, flags=re.IGNORECASE)
    if re.fullmatch(rf"{RANGE}|{_NUMBER}{_TO}{_NUMBER}", text, re.IGNORECASE):
        return _between(text)
    if re.fullmatch(rf"{_NUMBER}(?:{_UNIT})?", text, re.IGNORECASE):
        return _rounded(_NUMBERS.findall(text)[0])
    return None


def clock(text: str) -> float:
    """Return the seconds of `00:03`, `1:02:03` or `00:03.5`; frames behind a fourth colon do not count."""
    whole, _, part = text.replace(",", ".").partition(".")
    numbers = [int(each) for each in whole.split(":")][:3]
    seconds = 0.0
    for number in numbers:
        seconds = seconds * 60 + number
    return seconds + (float(f"0.{part}") if part else 0.0)


def _between(text: str) -> int | None:
    clocks = _CLOCKS.findall(text)
    if len(clocks) == 2:
        return seconds_of(clock(clocks[0]), clock(clocks[1]))
    start, end = (float(each.replace(",", ".")) for each in _NUMBERS.findall(text)[:2])
    return seconds_of(start, end)


def _rounded(text: str) -> int:
    number = float(text.replace(",", "."))
    return max(1, math.floor(number + 0.5)) if number else 0
