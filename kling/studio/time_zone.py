"""The time zone whose days and months budgets count: the setting STUDIO_TIMEZONE."""

from __future__ import annotations

from datetime import UTC, tzinfo
from difflib import get_close_matches
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones


class ZoneError(ValueError):
    """The setting cannot be used; the text names it and says what to write instead."""


def read(name: str) -> tzinfo:
    """Return the zone of a name of the IANA database, such as `Europe/Berlin`.

    Without a name it is UTC, not the machine's zone: the same log then gives the same sums on every machine.

    Raises:
        ZoneError: there is no such zone, or the machine has no zones.
    """
    if not name or name.upper() == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        known = available_timezones()
    if not known:
        raise ZoneError(
            "STUDIO_TIMEZONE cannot be used, because this machine has no time zones: install tzdata "
            "(apt-get install tzdata, or pip install tzdata), or leave the setting out for UTC."
        )
    names = {each.casefold(): each for each in known if "/" in each}  # others are no places
    near = get_close_matches(name.casefold(), names, 1, 0.6)
    example = names[near[0]] if near else "Europe/Berlin"
    raise ZoneError(
        f"STUDIO_TIMEZONE is {name[:60]!r}, which is no name of a time zone: give one such as {example}."
    )
