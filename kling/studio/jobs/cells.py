"""Values as text in cells, and back.

Anybody may have edited the text of a cell, and much of it comes from outside. So reading a cell raises
nothing: what cannot be read counts as absent.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from typing import Any

LONGEST_CELL = 100_000  # characters; a longer text from outside is cut there
LONGEST_NUMBER = 64  # characters of its text
DIGITS_BEFORE, DIGITS_AFTER = 12, 6  # of a number's point: enough for each price, duration and code
DEEPEST = 100  # lists and objects of JSON inside each other
# A string that never ends counts too: a search that failed there would begin anew at each of its quotes.
_STRINGS = re.compile(r'"(?:[^"\\]|\\.)*(?:"|\\?\Z)', re.DOTALL)
_BRACKETS = re.compile(r"[][{}]")
FIRST_YEAR, LAST_YEAR = 1970, 8999  # outside of these years, arithmetic with time zones overflows


def truncate(text: str) -> str:
    """Return the text as it can be stored: half a surrogate pair is replaced, an absurd length is cut."""
    return text[:LONGEST_CELL].encode("utf-8", "replace").decode()


def bounded(value: object) -> Decimal | None:
    """Return a number of at most 12 digits before the point and 6 after it; None for anything else.

    The bound is there because a number from outside may be `1e700000000`, whose digits fill gigabytes.
    """
    try:
        number = Decimal(str(value)) if len(text := str(value)) <= LONGEST_NUMBER and text else None
        if number is None or not number.is_finite() or number.adjusted() > DIGITS_BEFORE:
            return None
        exponent = number.as_tuple().exponent
        if isinstance(exponent, int) and exponent < -DIGITS_AFTER:
            number = number.quantize(Decimal(1).scaleb(-DIGITS_AFTER), ROUND_HALF_EVEN)
    except (InvalidOperation, ValueError):
        return None
    return number if number.adjusted() < DIGITS_BEFORE else None


def finite_float(text: str) -> float | None:
    """Return the finite number of a cell, None if it holds none."""
    try:
        number = float(text) if len(text) <= LONGEST_NUMBER else math.nan
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def utc_time(text: str) -> datetime | None:
    """Return the time of a cell in UTC, None if it holds none; a time without a zone is taken for UTC."""
    try:
        time = datetime.fromisoformat(text)
        if not FIRST_YEAR <= time.year <= LAST_YEAR:
            return None
        if time.tzinfo is UTC:
            return time
        return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def dump_json(value: Any) -> str:
    """Return JSON without blanks, as a cell holds it."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace").decode()


def load_json(text: str) -> Any:
    """Return the JSON value of a cell, None if it holds none, or one that is nested too deep.

    The bound on depth is ours: Python's own depends on how many calls the caller is in, so one reader would
    see a value and another none.
    """
    if not text or _is_deep(text):
        return None
    try:
        value = json.loads(text)
        return json.loads(dump_json(value)) if "\\u" in text else value  # an escape may be half a pair
    except (ValueError, RecursionError):
        return None


def _is_deep(text: str) -> bool:
    if text.count("[") + text.count("{") <= DEEPEST:
        return False
    depth = 0
    for bracket in _BRACKETS.findall(_STRINGS.sub("", text)):
        depth += 1 if bracket in "[{" else -1
        if depth > DEEPEST:
            return True
    return False


def json_object(text: str) -> Mapping[str, Any]:
    """Return the JSON object of a cell, an empty one if it holds none."""
    value = load_json(text)
    return value if isinstance(value, dict) else {}
