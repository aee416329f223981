"""Ids of browsers: a random part, and a signature that only this studio can make.

    0f3c…9a.77b1…c2     32 and 64 hexadecimal digits

An id owns drafts. Without the signature anybody could make up ids, by thousands or somebody else's.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets

OLD_FORM = re.compile("[0-9a-f]{32}")  # as versions before 2026-11-27 made them
_SIGNED = re.compile(r"([0-9a-f]{32})\.([0-9a-f]{64})")


class Browsers:
    """Makes ids and recognises its own.

    Args:
        secret: of this data folder; whoever knows it can make ids.
    """

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def new(self) -> str:
        """Return what a browser without an id gets as its cookie."""
        return self.cookie(secrets.token_hex(16))

    def cookie(self, browser_id: str) -> str:
        """Return the cookie of an id that this studio has made."""
        return f"{browser_id}.{self._signature(browser_id)}"

    def verify(self, cookie: str) -> str:
        """Return the id in a cookie; empty if this studio did not make it."""
        found = _SIGNED.fullmatch(cookie)
        if not found or not hmac.compare_digest(found[2], self._signature(found[1])):
            return ""
        return found[1]

    def mark(self, browser_id: str, person_id: str) -> str:
        """Return the cookie that says that a person has signed in with a browser; it lets nobody in."""
        return self._signature(f"{browser_id}:{person_id}")

    def has_mark(self, mark: str, browser_id: str, person_id: str) -> bool:
        """Whether this studio made a mark for this browser and person."""
        return bool(browser_id) and hmac.compare_digest(
            mark.encode(), self.mark(browser_id, person_id).encode()
        )

    def _signature(self, browser_id: str) -> str:
        return hmac.new(self._secret, f"browser:{browser_id}".encode(), hashlib.sha256).hexdigest()
