"""HTTP as the client uses it: one request, one answer, within limits; and what a broken transfer means.

`Transport` is what a `Client` needs, `RequestsTransport` is the one that it has by default. Faults are
divided by one question, because money depends on it: could the request have reached the API?
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from typing import Any, Protocol

import requests
import urllib3
from requests.auth import AuthBase

from kling.errors import MaybeSent, NotSent, TransportError
from kling.transfer_limits import CONNECT_TIMEOUT, READ_TIMEOUT

ANSWER_LIMIT = 4 * 2**20  # bytes; a page of 500 tasks is about one megabyte
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


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer, read to its end."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Transport(Protocol):
    """Sends requests to the API. Safe to share between threads."""

    def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        params: Mapping[str, int | str] | None = None,
        json: Mapping[str, Any] | None = None,
    ) -> Answer:
        """Send one request, once, and return its answer, whatever status it has.

        Only the arguments are sent: no cookies, and no credentials of a .netrc file. A redirect is returned
        like any other answer.

        Args:
            method: such as `POST`.
            url: absolute.
            headers: all that matter, the credentials among them.
            params: the query.
            json: the body.

        Raises:
            NotSent: the request cannot have reached the API.
            MaybeSent: it may have, and its answer did not come whole, in time, and within its size.
        """

    def close(self) -> None:
        """Close the connections that are kept open."""


class TooSlow(Exception):
    """A body was still coming at its deadline."""


# OSError: requests' own exceptions, and a missing file of certificates. The others pass through requests.
# Errors are raised from None, because the texts of these exceptions contain whole signed links.
TROUBLE = (OSError, urllib3.exceptions.HTTPError, UnicodeError, TooSlow)


class _NoCredentials(AuthBase):
    """Stands for credentials: without any, requests looks for some in a .netrc file and in the address."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        return request


_NO_CREDENTIALS = _NoCredentials()
# A compressed answer of few bytes could become a huge body here, so none is asked for.
_HEADERS = {**requests.utils.default_headers(), "Accept-Encoding": "identity"}


class Session(requests.Session):
    """A session that sends once and to one place: no .netrc, no cookies, no second try, no redirects."""

    def __init__(self, *, trust_env: bool, adapter: requests.adapters.BaseAdapter | None = None) -> None:
        super().__init__()
        self.trust_env = trust_env
        self.auth = _NO_CREDENTIALS
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        adapter = adapter or requests.adapters.HTTPAdapter(max_retries=0, pool_maxsize=16)
        self.mount("https://", adapter)
        self.mount("http://", adapter)

    def get_redirect_target(self, resp: requests.Response) -> None:  # noqa: ARG002
        """Treat a redirect like any other answer.

        With `allow_redirects=False`, requests still reads the whole body and prepares the next request. An
        error in that would look as if the first request had never been sent.
        """
        return


class RequestsTransport:
    """Sends with `requests`, over connections that are kept open.

    Args:
        connect_timeout: seconds to connect.
        read_timeout: seconds between two pieces of an answer, and for its whole body.
        limit: bytes of an answer.
        trust_env: whether proxies and certificates that the environment names are used.
        monotonic: seconds that never jump, for the deadline of a body.
        adapter: makes the connections; the default is one of requests that never sends again.
    """

    def __init__(
        self,
        *,
        connect_timeout: float = CONNECT_TIMEOUT,
        read_timeout: float = READ_TIMEOUT,
        limit: int = ANSWER_LIMIT,
        trust_env: bool = True,
        monotonic: Callable[[], float] = time.monotonic,
        adapter: requests.adapters.BaseAdapter | None = None,
    ) -> None:
        self._timeout, self._limit, self._monotonic = (connect_timeout, read_timeout), limit, monotonic
        self._session = Session(trust_env=trust_env, adapter=adapter)

    def close(self) -> None:
        """Close the connections that are kept open."""
        self._session.close()

    def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        params: Mapping[str, int | str] | None = None,
        json: Mapping[str, Any] | None = None,
    ) -> Answer:
        """Send one request; see `Transport.send`."""
        headers = {**_HEADERS, **headers}
        try:
            # Prepared without the session: there are no cookies, hooks or credentials of it to merge in.
            request = requests.Request(method, url, headers, json=json, params=params, auth=_NO_CREDENTIALS)
            prepared = request.prepare()
            settings = self._session.merge_environment_settings(prepared.url, {}, True, None, None)
            with self._session.send(
                prepared, timeout=self._timeout, allow_redirects=False, **settings
            ) as response:
                body = bytearray()
                deadline = self._monotonic() + self._timeout[1]
                for chunk in chunks(response, 2**16, deadline, self._monotonic):
                    body += chunk
                    if len(body) > self._limit:
                        raise MaybeSent("The answer is far too large to be one of Kling's.")
        except TROUBLE as error:
            raise transport_error(error) from None
        return Answer(response.status_code, response.headers, bytes(body))


def chunks(
    response: requests.Response, size: int, deadline: float, monotonic: Callable[[], float]
) -> Iterator[bytes]:
    """Yield the body in pieces as they come, so that a slow body cannot hold a thread past the deadline.

    Raises:
        TooSlow: the deadline has passed and the body has not ended.
    """
    while chunk := response.raw.read1(size, decode_content=True):
        yield chunk
        if monotonic() > deadline:
            raise TooSlow


def transport_error(error: Exception, who: str = "Kling") -> TransportError:
    """Return the error of a broken transfer: `NotSent` only if the request cannot have arrived.

    Args:
        error: one of `TROUBLE`.
        who: the other side, as the subject of a sentence.
    """
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
    """Return the kind of a fault in words. The texts of urllib3 contain signed links, so none is repeated."""
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
