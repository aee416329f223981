"""JSON values of any origin, read tolerantly and within bounds: pure functions that never raise.

A value of another type than expected counts as absent. Texts are bounded in length, numbers in digits, times
in years, and a whole body in size and depth.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from kling.text import storable

DEPTH = 32  # levels of arrays and objects; a documented answer has seven
BRACKETS = 100_000  # that open one of them; a page of 500 tasks has about 4,000
LONGEST_NUMBER = 40  # characters
EARLIEST, LATEST = datetime(2020, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d{1,3})?", re.ASCII | re.IGNORECASE)


def parse(body: bytes) -> Any:
    """Return the JSON value of a body; None if it is no JSON, or larger or deeper than any real answer."""
    if body.count(b"[") + body.count(b"{") > BRACKETS:
        return None
    try:
        value = json.loads(body, parse_constant=lambda _: None, parse_float=_finite)
    except (ValueError, RecursionError):
        return None
    return value if _is_flat(value) else None


def _finite(digits: str) -> float | None:
    number = float(digits)
    return number if math.isfinite(number) else None


def _is_flat(value: Any) -> bool:
    level = [value]
    for _ in range(DEPTH):
        inside: list[Any] = []
        for each in level:
            if isinstance(each, dict):
                inside.extend(each.values())
            elif isinstance(each, list):
                inside.extend(each)
        level = inside
        if not level:
            return True
    return False


def mapping(value: Any) -> Mapping[str, Any]:
    """Return an object, an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def text(value: Any, limit: int) -> str:
    """Return a text of at most `limit` characters that can be stored; a number is returned as text."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = str(value)
    return storable(value, limit) if isinstance(value, str) else ""


def number(value: Any) -> Decimal | None:
    """Return a number with at most 12 digits before the point, and 6 after it; None for anything else.

    It is written out without an exponent, so that its text is never longer than that either.
    """
    digits = text(value, LONGEST_NUMBER + 1).strip()
    if len(digits) > LONGEST_NUMBER or not _NUMBER.fullmatch(digits):
        return None
    found = Decimal(digits)
    if not found:
        return Decimal(0)
    if found.adjusted() >= 12:
        return None
    exponent = found.as_tuple().exponent
    if isinstance(exponent, int) and not -6 <= exponent <= 0:
        found = found.quantize(Decimal("0.000001") if exponent < 0 else Decimal(1))
    return found or Decimal(0)


def seconds(value: Any) -> float | None:
    """Return a number as a float; None for anything else."""
    found = number(value)
    return None if found is None else float(found)


def moment(value: Any) -> datetime | None:
    """Return the time that a value names, in UTC: seconds or milliseconds, which differ in size, or ISO text.

    A text without a zone is taken as UTC. A time before 2020 or after 2200 counts as none.
    """
    digits = text(value, LONGEST_NUMBER + 1).strip()
    if len(digits) > LONGEST_NUMBER:
        return None
    try:
        if _NUMBER.fullmatch(digits):
            seconds = float(digits)
            for _ in range(3):  # milliseconds, microseconds, nanoseconds
                if seconds >= 1e11:  # as seconds, the year 5138
                    seconds /= 1000
            found = datetime.fromtimestamp(seconds, UTC)
        else:
            found = datetime.fromisoformat(digits)
            found = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return found if EARLIEST <= found < LATEST else None
