"""What the API calls and the downloads share: a session that sends once, and what a broken transfer means.

A fault is told apart by one question, because money hangs on it: could the request have arrived?
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
import urllib3
from requests.auth import AuthBase

from kling.errors import MaybeSent, NotSent, TransportError

_NEVER_STARTED = (
    requests.exceptions.ConnectTimeout,
    requests.exceptions.InvalidURL,
    requests.exceptions.MissingSchema,
    requests.exceptions.InvalidSchema,
    UnicodeError,
)
_NEVER_CONNECTED = (
    urllib3.exceptions.NewConnectionError,
    urllib3.exceptions.NameResolutionError,
    urllib3.exceptions.ConnectTimeoutError,
)


class TooSlow(Exception):
    """A body dribbled on past its deadline."""


# OSError: requests' own exceptions, and a missing CA bundle. The others are what requests lets through.
# Never chained: the texts of these exceptions hold whole signed links.
TROUBLE = (OSError, urllib3.exceptions.HTTPError, UnicodeError, TooSlow)


class Bearer(AuthBase):
    """Sets the header by itself; without an `auth`, requests would put in what it finds in a .netrc file."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Add the header."""
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


class _NoCredentials(AuthBase):
    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        return request


class Session(requests.Session):
    """Sends what it is given, once, to where it is told: no .netrc, no cookies, no resends, no redirects."""

    def __init__(self, *, trust_env: bool, adapter: requests.adapters.HTTPAdapter | None = None) -> None:
        super().__init__()
        self.trust_env = trust_env
        self.auth = _NoCredentials()
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        adapter = adapter or requests.adapters.HTTPAdapter(max_retries=0, pool_maxsize=16)
        self.mount("https://", adapter)
        self.mount("http://", adapter)

    def get_redirect_target(self, resp: requests.Response) -> None:  # noqa: ARG002
        """Take a redirect as an answer like any other.

        With `allow_redirects=False`, requests still reads its whole body and prepares the next request,
        whose faults would look as if the first had never been sent.
        """
        return


def chunks(
    response: requests.Response, size: int, deadline: float, monotonic: Callable[[], float]
) -> Iterator[bytes]:
    """Yield the body as it comes, so that a body that dribbles cannot hold a thread past the deadline.

    Raises:
        TooSlow: the deadline has passed and the body goes on.
    """
    while chunk := response.raw.read1(size, decode_content=True):
        yield chunk
        if monotonic() > deadline:
            raise TooSlow


def transport_error(error: Exception, who: str = "Kling") -> TransportError:
    """Tell what never left this machine from what may have arrived (README, Money)."""
    cause: Any = error.args[0] if error.args else None
    reason = getattr(cause, "reason", cause)
    reason = getattr(reason, "original_error", reason)  # of a proxy
    never = isinstance(error, _NEVER_STARTED) or isinstance(reason, _NEVER_CONNECTED)
    never = never or "CERTIFICATE_VERIFY_FAILED" in str(error)
    text = kind(reason if isinstance(reason, Exception) else error)
    if never:
        return NotSent(f"{who} could not be reached: {text}.")
    return MaybeSent(f"The connection broke before the answer was complete: {text}.")


def kind(error: Exception) -> str:
    """Name the kind of fault only: texts of urllib3 hold objects' addresses and whole signed links."""
    names = {
        "ConnectionRefusedError": "the connection was refused",
        "NewConnectionError": "no connection could be made",
        "NameResolutionError": "the host's name is not known",
        "ConnectTimeoutError": "connecting took too long",
        "ReadTimeoutError": "the answer took too long",
        "ReadTimeout": "the answer took too long",
        "ConnectTimeout": "connecting took too long",
        "TooSlow": "the answer took too long",
        "ProtocolError": "the connection was closed",
        "RemoteDisconnected": "the connection was closed",
        "IncompleteRead": "only a part of the answer came",
        "InvalidURL": "the address is not one",
        "MissingSchema": "the address is not one",
        "InvalidSchema": "the address is not one",
        "SSLError": "the certificate or the encryption failed",
    }
    known = (names.get(type(fault).__name__) for fault in (error.__cause__, error))
    return next(filter(None, known), type(error).__name__)
