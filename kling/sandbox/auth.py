"""Checks the credentials of a request: an API key, or a JWT signed with the secret key (S2, S4)."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field

import jwt
from jwt.types import Options

from kling.sandbox.refusals import Refused, refusal

# Everybody may know these keys: they work for a sandbox only. HS256 needs 32 bytes of secret (RFC 7518, 3.2).
ACCESS_KEY = "sandbox-access-key"
SECRET_KEY = "sandbox-secret-key-for-trying-things-out"  # noqa: S105
API_KEY = "api-key-kling-sandbox"


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """Credentials of the sandbox's one account.

    Args:
        access_key: the claim `iss` of a token.
        secret_key: signs a token; at least 32 bytes.
        api_key: sent instead of a token.

    An empty key is never accepted.
    """

    access_key: str = ACCESS_KEY
    secret_key: str = field(default=SECRET_KEY, repr=False)
    api_key: str = field(default=API_KEY, repr=False)


def authenticate(
    authorization: str | None, keys: Sequence[Keys], now: float, *, keys_only: bool = False
) -> None:
    """Check that a request may use the account.

    Args:
        authorization: the header `Authorization`, or None.
        keys: the credentials of the account; any of them is accepted.
        now: seconds since the epoch by the real clock: tokens must not expire when a test advances the
            sandbox's clock.
        keys_only: whether only API keys are taken, as in the newer generation.

    Raises:
        Refused: with code 1000 to 1004, as the contract's rules say.
    """
    if not (authorization or "").strip():
        raise Refused(1001)
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Refused(1002, "Authorization: must be 'Bearer <token>'")
    token = token.strip()
    if any(one.api_key and _same(token, one.api_key) for one in keys):
        return
    if token.startswith("api-key-"):
        raise Refused(1002, "Authorization: api key not found")
    if keys_only:
        raise refusal("newer-keys")
    # The real API was seen to call a token without a dot 0 parts.
    parts = token.count(".") + 1 if "." in token else 0
    if parts != 3:
        raise Refused(1002, f"Authorization: The token was expected to have 3 parts, but got {parts}")
    _check_claims(_verified(token, keys), now)


def _verified(token: str, keys: Sequence[Keys]) -> dict[str, object]:
    unchecked: Options = {"verify_exp": False, "verify_nbf": False, "verify_iat": False, "verify_aud": False}
    unchecked |= {"verify_iss": False, "verify_sub": False, "verify_jti": False}
    unverified: Options = {**unchecked, "verify_signature": False}
    try:
        claims = jwt.decode(token, options=unverified)
        named = [one for one in keys if one.access_key and _same(str(claims.get("iss")), one.access_key)]
        if not named:
            raise Refused(1002, "Authorization: access key not found")
        if not any(_is_signed(token, one.secret_key, unchecked) for one in named):
            raise Refused(1000, "Authorization: signature is invalid")
    except jwt.InvalidTokenError as error:
        raise Refused(1002, f"Authorization: {error}") from error
    return claims


def _is_signed(token: str, secret_key: str, unchecked: Options) -> bool:
    try:
        jwt.decode(token, secret_key, algorithms=["HS256"], options=unchecked)
    except jwt.InvalidSignatureError:
        return False
    return True


def _check_claims(claims: dict[str, object], now: float) -> None:
    begins, ends = claims.get("nbf", now), claims.get("exp")
    if not isinstance(ends, int | float) or not isinstance(begins, int | float):
        raise Refused(1002, "Authorization: exp is required, and exp and nbf must be numbers")
    if now < begins:
        raise Refused(1003, "Authorization: the token is not valid yet (nbf)")
    if now >= ends:
        raise Refused(1004, "Authorization: the token has expired (exp)")


def _same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode())
