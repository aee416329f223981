"""Credentials: an API key, or an access key with a secret key that signs a short-lived token.

Source: Kling's pages "General information" and "Authentication" of its API (S1, S2).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from kling.errors import InvalidRequest
from kling.problems import Problem

TOKEN_LIFE = 1800  # seconds; the official sample's value, no maximum is documented
BACKDATE = 5  # seconds that `nbf` lies in the past: the sample allows for clocks that differ
BACKDATE_AFTER_REFUSAL = 60  # seconds, once the API has refused a token as not valid yet
RESIGN_AT = 0.8  # of its life: a token is signed again well before it expires


@dataclass(frozen=True, slots=True)
class ApiKey:
    """An API key, sent as it is.

    Args:
        key: as the console shows it once. Never part of `repr`.
    """

    key: str = field(repr=False)

    @property
    def fingerprint(self) -> str:
        """Eight hex digits that differ from key to key and do not reveal it."""
        return _fingerprint(self.key)


@dataclass(frozen=True, slots=True)
class KeyPair:
    """An access key and its secret key; each request carries a JWT that they sign (HS256).

    Args:
        access_key: the token's `iss`.
        secret_key: signs the token and never leaves this process. Neither is part of `repr`.
    """

    access_key: str = field(repr=False)
    secret_key: str = field(repr=False)

    @property
    def fingerprint(self) -> str:
        """Eight hex digits that differ from access key to access key and do not reveal it."""
        return _fingerprint(self.access_key)


Credentials = ApiKey | KeyPair


def _unusable(why: str) -> InvalidRequest:
    return InvalidRequest([Problem("Authorization", why)])


def _fingerprint(text: str) -> str:
    return hashlib.sha256(b"kling-account:" + text.encode()).hexdigest()[:8]


class Signer:
    """Gives the bearer token for a moment, and signs a new one only when the last one is old."""

    def __init__(self, credentials: Credentials) -> None:
        self._credentials = credentials
        self._backdate = BACKDATE
        # Token and time in one tuple: threads never see one without the other.
        self._last = ("", float("-inf"))

    def bearer(self, now: float) -> str:
        """Return the token to send at `now` (Unix seconds).

        Raises:
            InvalidRequest: no header can carry the key, or no token can be signed with it. The text does not
                contain the key.
        """
        if isinstance(self._credentials, ApiKey):
            key = self._credentials.key
            if not (key.isascii() and key.isprintable()):
                raise _unusable("The API key holds a character that no key has: copy it again.")
            return key
        token, signed_at = self._last
        if not 0 <= now - signed_at < TOKEN_LIFE * RESIGN_AT:
            token = self._sign(self._credentials, int(now))
            self._last = (token, now)
        return token

    def _sign(self, pair: KeyPair, now: int) -> str:
        import jwt  # an API key needs none of it

        claims = {"iss": pair.access_key, "exp": now + TOKEN_LIFE, "nbf": now - self._backdate}
        try:
            return jwt.encode(claims, pair.secret_key, algorithm="HS256")
        except (jwt.PyJWTError, UnicodeError):
            raise _unusable("Nothing can be signed with the secret key: copy it again.") from None

    def renew(self, *, not_yet_valid: bool) -> bool:
        """Forget the token after the API refused its times.

        Args:
            not_yet_valid: the answer was 1003: our clock is ahead, so the next `nbf` lies further back.

        Returns:
            Whether a new token can differ; an API key stays the same.
        """
        if isinstance(self._credentials, ApiKey):
            return False
        if not_yet_valid:
            self._backdate = BACKDATE_AFTER_REFUSAL
        self._last = ("", float("-inf"))
        return True
