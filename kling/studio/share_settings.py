"""Who may see what is shared: the operator's setting, and for how long a link may last."""

from __future__ import annotations

from typing import Literal, cast

from kling.studio.identity.roles import Role
from kling.studio.state.records import Audience

NAMES = ("STUDIO_SHARING",)
Sharing = Literal["off", "team", "anyone"]
DAYS = 14  # that a link lasts where nobody says otherwise
MOST_DAYS = 365
MOST_DAYS_ANYONE = 30  # of a link without a sign-in, unless an admin makes it


class SharingError(ValueError):
    """The setting cannot be used; the text names it and says what to do."""


def read(text: str) -> Sharing:
    """Return the setting.

    Args:
        text: as it was given; empty for the default, `team`.

    Raises:
        SharingError: it is something else.
    """
    found = text.lower() or "team"
    if found not in {"off", "team", "anyone"}:
        raise SharingError(f"STUDIO_SHARING is {text[:20]!r}: set it to off, team or anyone.")
    return cast("Sharing", found)


def audience_of(wanted: Audience, sharing: Sharing) -> Audience:
    """Return who may see a link now: where the operator lets in the team only, a sign-in is needed."""
    return "anyone" if wanted == sharing == "anyone" else "team"


def most_days(audience: Audience, role: Role) -> int:
    """Return how many days a link may last."""
    return MOST_DAYS_ANYONE if audience == "anyone" and role != "admin" else MOST_DAYS
