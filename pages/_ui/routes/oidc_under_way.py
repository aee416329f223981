"""Sign-ins at a provider that a browser has begun, in a signed cookie that ends soon.

So nobody can fill this server's memory with sign-ins that they never end, and an answer of the provider
counts in the browser that began the sign-in only.
"""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from itsdangerous import BadData, URLSafeTimedSerializer

SECONDS = 600  # in which a sign-in has to be done
MOST_UNDER_WAY = 3  # of one browser; tabs may sign in side by side
MOST_COOKIE = 3800  # characters; browsers drop longer ones
MOST_DONE = 10_000  # sign-ins that are remembered
LONGEST_WAY_BACK = 1500  # characters

_serializer = URLSafeTimedSerializer(secrets.token_bytes(32), salt="sign-in")  # as long as the server runs


class Done:
    """The sign-ins that browsers have come back from: their cookie could be sent again and again."""

    def __init__(self) -> None:
        self._states: OrderedDict[str, None] = OrderedDict()

    def is_first(self, state: str) -> bool:
        """Whether a browser comes back from this sign-in for the first time."""
        is_new = state not in self._states
        self._states[state] = None
        if len(self._states) > MOST_DONE:
            self._states.popitem(last=False)
        return is_new


def read(cookie: str) -> dict[str, Any]:
    """Return the sign-ins of a browser that are under way; none where the cookie is not ours or too old."""
    try:
        found = _serializer.loads(cookie, max_age=SECONDS)
    except BadData:
        return {}
    return found if isinstance(found, dict) else {}


def written(under_way: Mapping[str, Any]) -> str:
    """Return the cookie for sign-ins that are under way: the newest that fit in, empty if there is none."""
    kept = dict(list(under_way.items())[-MOST_UNDER_WAY:])
    while kept:
        text = str(_serializer.dumps(kept))
        if len(text) <= MOST_COOKIE:
            return text
        kept.pop(next(iter(kept)))
    return ""
