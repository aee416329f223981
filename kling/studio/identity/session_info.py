"""What a session is called and what is known of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import sha256

from kling.text import storable

_TOKEN = re.compile("[A-Za-z0-9_-]{43}")  # 32 random bytes
_BROWSER_LIMIT = 200  # characters


@dataclass(frozen=True, slots=True)
class SessionInfo:
    """One session, for a person to look at.

    Args:
        id: names the session; it is not the token and lets nobody in.
        person_id: whose it is.
        way: how the person came in: `account`, `oidc` or `proxy`.
        browser: what the browser calls itself.
        created: Unix seconds, as all times here.
        seen: when it was last used.
        ends: when it ends at the latest.
    """

    id: str
    person_id: str
    way: str
    browser: str
    created: float
    seen: float
    ends: float


def token_key(token: str) -> str:
    """Return the hash under which a token is kept; empty for what no token looks like."""
    return sha256(token.encode()).hexdigest() if _TOKEN.fullmatch(token) else ""


def browser_line(text: str) -> str:
    """Return what a browser calls itself as one line that can be stored."""
    shown = "".join(char for char in storable(text, 4 * _BROWSER_LIMIT) if char.isprintable())
    return " ".join(shown.split())[:_BROWSER_LIMIT]
