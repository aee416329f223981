"""Signing in at a provider by OpenID Connect: Authlib talks to it, and every failure ends in words.

What a sign-in under way needs later (state, nonce, the PKCE secret, the way back) lies in a cookie
(`oidc_under_way`).
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from typing import Any, TypeVar
from urllib.parse import parse_qs, urlencode, urlsplit

from starlette.requests import Request

from kling.addresses import BadAddress, origin
from kling.studio.identity import claims
from kling.studio.sign_in_settings import OidcSettings, SignInSettings
from pages._ui.routes.oidc_under_way import Done

log = logging.getLogger(__name__)

TIMEOUT = 10.0  # seconds for one answer of the provider
ASK_AGAIN = 5.0  # seconds after which a provider that did not answer is asked again
AT_ONCE = 20  # talks with the provider
SUBJECT_LENGTH = 255  # characters that can be kept
TELL = "If it stays so, tell an admin of the studio."

T = TypeVar("T")


class SignInFailed(Exception):
    """A provider did not sign somebody in; the text says why and what to do.

    Args:
        words: for whoever wants to sign in.
        status: of the answer.
    """

    def __init__(self, words: str, status: int = 400) -> None:
        super().__init__(words)
        self.status = status


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who came back from the provider.

    Args:
        said: what the provider says of the person.
        to: where the person wanted to go.
    """

    said: claims.Said
    to: str


class Provider:
    """The provider of the settings.

    Args:
        settings: of the provider.
        monotonic: seconds that never jump.
    """

    def __init__(self, settings: OidcSettings, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._settings, self._monotonic = settings, monotonic
        self._client: Any = None
        self._lock = asyncio.Lock()
        self._talks = asyncio.Semaphore(AT_ONCE)
        self._failed = "", 0.0
        self._done = Done()

    async def address(self, under_way: dict[str, Any], redirect: str, to: str, *, ask_who: bool) -> str:
        """Return where to send a browser to sign in.

        Args:
            under_way: sign-ins of this browser (`read`); this one is added.
            redirect: where the provider sends people back.
            to: where the person wants to go.
            ask_who: the provider is asked to let the person choose an account.

        Raises:
            SignInFailed: the provider does not answer, or not as it should.
        """
        session: dict[str, Any] = {}
        request = Request({"type": "http", "headers": [], "session": session})
        more = {"prompt": "select_account"} if ask_who else {}
        client = await self._ready()
        response = await self._talk(lambda: client.authorize_redirect(request, redirect, **more))
        url = str(response.headers["location"])
        state = parse_qs(urlsplit(url).query).get("state", [""])[0]
        for value in session.values():
            value["data"].pop("url", None)  # it is long, and nobody reads it again
        under_way[state] = {"session": session, "to": to}
        return url

    async def came_back(
        self, query: Mapping[str, str], under_way: dict[str, Any], settings: SignInSettings
    ) -> SignedIn:
        """Return who has signed in.

        Args:
            query: with which the browser came back.
            under_way: sign-ins of this browser (`read`); this one is taken out.
            settings: how claims are read.

        Raises:
            SignInFailed: nobody has.
        """
        state = query.get("state", "")
        begun = under_way.pop(state, None)
        if begun is None or not self._done.is_first(state):
            raise SignInFailed(
                "This sign-in was begun in another browser or more than ten minutes ago, or it is done. "
                "Sign in again."
            )
        if error := query.get("error"):
            raise SignInFailed(_refused(error, query.get("error_description", ""), self._settings.name))
        request = Request(
            {
                "type": "http",
                "method": "GET",
                "headers": [],
                "query_string": _query(query),
                "session": begun["session"],
            }
        )
        client = await self._ready()
        options = {
            "iss": {"essential": True, "values": [client.server_metadata["issuer"]]},
            "aud": {"essential": True, "values": [self._settings.client_id]},
            "sub": {"essential": True},
        }
        token = await self._talk(lambda: client.authorize_access_token(request, claims_options=options))
        found: dict[str, Any] = dict(token.get("userinfo") or {})
        if not found:
            raise SignInFailed(
                f"{self._settings.name} sent no ID token: the scope openid has to be allowed there. {TELL}",
                502,
            )
        if claims.is_less(found, settings) and "userinfo_endpoint" in client.server_metadata:
            more = await self._talk(lambda: client.userinfo(token=token))
            if more.get("sub") != found.get("sub"):
                raise SignInFailed(f"{self._settings.name} speaks of two people at once. Sign in again.", 502)
            found = claims.joined(found, more)
        try:
            said = claims.of_token(found, settings)
        except claims.BadClaim as error:
            raise SignInFailed(f"{error} {TELL}", 502) from None
        return SignedIn(claims.Said(self._subject(said.subject), said.name, said.role), begun["to"])

    def _subject(self, sub: str) -> str:
        """Return the id under which a person is kept: another provider's people are not taken for them."""
        whole = f"{self._settings.issuer} {sub}"
        return whole if len(whole) <= SUBJECT_LENGTH else sha256(whole.encode()).hexdigest()

    async def _ready(self) -> Any:
        """Return the client, with the provider's description of itself, which is fetched once."""
        async with self._lock:
            if self._client is not None:
                return self._client
            words, until = self._failed
            if self._monotonic() < until:
                raise SignInFailed(words, 503)
            try:
                client = await asyncio.to_thread(_client, self._settings)
                metadata = await self._talk(client.load_server_metadata)
                _check(metadata, self._settings)
            except SignInFailed as error:
                self._failed = str(error), self._monotonic() + ASK_AGAIN
                raise
            self._client = client
            return client

    async def _talk(self, call: Callable[[], Awaitable[T]]) -> T:
        """Make a call that asks the provider, and say its failure in words."""
        import httpx2
        from authlib.integrations.base_client import (  # type: ignore[import-untyped]
            MismatchingStateError,
            OAuthError,
        )

        name = self._settings.name
        try:
            async with self._talks:
                return await call()
        except SignInFailed:
            raise
        except httpx2.HTTPStatusError as error:
            log.warning("The sign-in provider answered HTTP %d.", error.response.status_code)
            raise SignInFailed(
                f"The sign-in of {name} answers HTTP {error.response.status_code}. Try again. {TELL}",
                503,
            ) from None
        except httpx2.HTTPError as error:
            log.warning("The sign-in provider does not answer: %s.", type(error).__name__)
            raise SignInFailed(
                f"The sign-in of {name} does not answer. Try again in a moment. {TELL}",
                503,
            ) from None
        except MismatchingStateError:
            raise SignInFailed(
                "This sign-in was begun in another browser or too long ago. Sign in again."
            ) from None
        except OAuthError as error:
            log.warning("The sign-in provider refused: %s.", _short(str(error.error)))
            raise SignInFailed(_refused(str(error.error), str(error.description or ""), name)) from None
        except Exception as error:  # noqa: BLE001 - whatever a library makes of a strange answer
            kind = type(error).__name__
            log.warning("The sign-in provider's answer cannot be used: %s: %s", kind, _short(str(error), 200))
            raise SignInFailed(
                f"What the sign-in of {name} answered cannot be used ({kind}). Sign in again. {TELL}",
                502,
            ) from None


def _client(settings: OidcSettings) -> Any:
    """Return Authlib's client; the library is heavy, so it is loaded at the first sign-in."""
    from authlib.integrations.starlette_client import OAuth  # type: ignore[import-untyped]

    oauth = OAuth()
    oauth.register(
        "studio",
        client_id=settings.client_id,
        client_secret=settings.client_secret,
        server_metadata_url=settings.metadata_url,
        client_kwargs={"scope": settings.scopes, "code_challenge_method": "S256", "timeout": TIMEOUT},
    )
    return oauth.studio


def _check(metadata: Any, settings: OidcSettings) -> None:
    """Refuse a description that is another provider's, or leads over open ways; forbid weak signatures.

    Raises:
        SignInFailed: with what an operator has to change.
    """
    issuer = str(metadata.get("issuer", ""))
    if issuer.rstrip("/") != settings.issuer:
        raise SignInFailed(
            f"The provider calls itself {_short(issuer) or 'nothing'}, and STUDIO_OIDC_ISSUER is "
            f"{settings.issuer}. An admin of the studio has to set the one that it calls itself.",
            502,
        )
    for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
        try:
            found = origin(str(metadata.get(name, "")))
        except BadAddress:
            raise SignInFailed(f"The provider's description names no {name} that can be used.", 502) from None
        if found.scheme != "https" and not found.is_loopback:
            raise SignInFailed(f"The provider's {name} is plain http: it has to be https.", 502)
    # A signature made with a shared secret, or none, proves nothing here.
    key = "id_token_signing_alg_values_supported"
    given = metadata.get(key)
    strong = [each for each in given if str(each)[:2] in {"RS", "ES", "PS", "Ed"}] if given else []
    metadata[key] = strong or ["RS256"]


@lru_cache(4)
def provider(settings: OidcSettings) -> Provider:
    """Return the provider of settings, which keeps its description."""
    return Provider(settings)


def _query(query: Mapping[str, str]) -> bytes:
    return urlencode({name: query.get(name, "") for name in ("code", "state")}).encode()


def _refused(error: str, description: str, name: str) -> str:
    """Return words for an error of the provider; its own are quoted, because they may name the remedy."""
    known = {
        "access_denied": f"{name} did not let you in, or you stopped the sign-in.",
        "login_required": f"{name} wants you to sign in there first.",
        "temporarily_unavailable": f"The sign-in of {name} is not available now. Try again in a moment.",
        "invalid_client": f"{name} does not know this studio's STUDIO_OIDC_CLIENT_ID or its secret.",
        "invalid_grant": f"{name} does not know this sign-in any more. Sign in again.",
    }
    words = known.get(error, f"{name} refused the sign-in ({_short(error)}).")
    return f"{words} It says: {_short(description, 200)}" if description else words


def _short(text: str, most: int = 60) -> str:
    return " ".join("".join(char if char.isprintable() else " " for char in text[: 2 * most]).split())[:most]
