"""Downloads result files: whole or not at all, and never from inside this machine's own network.

The way of the transfer decides what is checked:

    directly          the host is resolved once, addresses that are not public are dropped, and the connection
                      is made to one that is left; the certificate is checked by the host's name as always
    through a proxy   of the environment (HTTPS_PROXY, NO_PROXY …): the proxy resolves names, so nothing is
                      resolved here; an address that is a number still has to be a public one

Either way the address is https, except at the origin of the API's own base URL. Hosts that the operator
trusts may have any address: proxies that answer every name with an address of their own (fake-IP DNS) are
common.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests
import urllib3
from requests.utils import get_environ_proxies, select_proxy
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from kling.addresses import PORTS, BadAddress, Origin, is_public, is_trusted, joined, origin
from kling.certificates import trusted_certificates
from kling.errors import DownloadFailed
from kling.transfer_limits import MAX_BYTES
from kling.transport import TROUBLE, Session, TooSlow, chunks, kind, transport_error
from kling.whole_file import whole_file

MAX_REDIRECTS = 3
FIRST_BYTES = 1024  # asked for by `Downloader.check`

Resolve = Callable[..., list[Any]]


class Downloader:
    """Fetches files. Safe to share between threads.

    Args:
        base_url: of the API; relative addresses begin there. Its origin may have any address, and plain http.
        video_hosts: exact names or `.suffixes` of hosts whose addresses need not be public.
        timeout: seconds to connect, and between two pieces of an answer.
        monotonic: seconds that never jump, for deadlines.
        resolve: looks a name up, as `socket.getaddrinfo` does.
        adapter: makes the connections, in the place of one that keeps to addresses that are public.
    """

    def __init__(
        self,
        base_url: str,
        *,
        video_hosts: frozenset[str] = frozenset(),
        timeout: tuple[float, float],
        monotonic: Callable[[], float],
        resolve: Resolve | None = None,
        adapter: requests.adapters.BaseAdapter | None = None,
    ) -> None:
        self._base, self._hosts = base_url + "/", video_hosts
        self._timeout, self._monotonic, self._resolve = timeout, monotonic, resolve
        try:
            self._own: Origin | None = origin(base_url)
        except BadAddress:  # then no call reaches the API either
            self._own = None
        self._session = Session(trust_env=False, adapter=adapter or _Adapter(self._addresses))

    def close(self) -> None:
        """Close the connections that are kept open."""
        self._session.close()

    def save(self, url: str, to: Path, *, max_bytes: int = MAX_BYTES, timeout: float = 900) -> int:
        """Save a file, whole or not at all; see `Client.download`."""
        deadline = self._monotonic() + timeout
        with self._open(url) as response:
            expected = response.raw.length_remaining  # urllib3 raises if less than this comes
            if expected is not None and expected > max_bytes:
                raise DownloadFailed(f"The file has {expected:,} bytes and {max_bytes:,} are allowed.")
            size = 0
            try:
                with whole_file(to, mode=0o666) as part, part.open("wb") as file:
                    for chunk in chunks(response, 2**20, deadline, self._monotonic):
                        size += len(chunk)
                        if size > max_bytes:
                            raise DownloadFailed(f"The file has more than the {max_bytes:,} bytes allowed.")
                        file.write(chunk)
            except (urllib3.exceptions.HTTPError, TooSlow) as error:
                raise DownloadFailed(f"Only a part of the file arrived: {kind(error)}.") from None
        return size

    def check(self, url: str) -> None:
        """Ask for the first bytes of a file and read one; see `Client.can_fetch`."""
        deadline = self._monotonic() + sum(self._timeout)
        with self._open(url, first_bytes=True) as response:
            try:
                next(chunks(response, 1, deadline, self._monotonic), b"")
            except TROUBLE as error:
                raise DownloadFailed(f"Nothing of the file arrived: {kind(error)}.") from None

    @contextmanager
    def _open(self, url: str, *, first_bytes: bool = False) -> Iterator[requests.Response]:
        headers = {"Accept-Encoding": "identity"}
        if first_bytes:
            headers["Range"] = f"bytes=0-{FIRST_BYTES - 1}"
        expected = {200, 206} if first_bytes else {200}
        base = self._base
        for _ in range(MAX_REDIRECTS + 1):
            url = base = self._absolute(base, url)
            host = self._checked(url)
            try:
                response = self._session.get(
                    url,
                    headers=headers,
                    timeout=self._timeout,
                    stream=True,
                    proxies=self._proxies(url, host),
                    verify=trusted_certificates(),
                )
            except TROUBLE as error:
                raise transport_error(error, f"The video's host {host.host}") from None
            with response:
                if not response.is_redirect:
                    if response.status_code not in expected:
                        raise DownloadFailed(
                            f"The video's host {host.host} answered HTTP {response.status_code}.",
                            status=response.status_code,
                        )
                    yield response
                    return
                url = response.headers["Location"]
        raise DownloadFailed("The video's host redirects too often.")

    def _absolute(self, base: str, url: str) -> str:
        try:
            return joined(base, url)
        except BadAddress as error:
            raise DownloadFailed(f"The video's address is not one that is opened: {error}.") from None

    def _checked(self, url: str) -> Origin:
        """Return the origin of an address that is well formed and encrypted, or the API's own."""
        try:
            found = origin(url)
        except BadAddress as error:
            raise DownloadFailed(f"The video's address is not one that is opened: {error}.") from None
        if found.scheme != "https" and found != self._own:
            raise DownloadFailed(f"The video's address at {found.host} is not https.")
        if found.ip is not None and not self._may_be_anywhere(found) and not is_public(found.ip):
            raise DownloadFailed(_private(found.host, str(found.ip)))
        return found

    def _proxies(self, url: str, host: Origin) -> dict[str, str]:
        """Return the proxy of the environment for an address; none leads to this machine itself."""
        if host.is_loopback:
            return {}
        proxy = select_proxy(url, get_environ_proxies(url))
        return {host.scheme: proxy} if proxy else {}

    def _may_be_anywhere(self, host: Origin) -> bool:
        return host == self._own or is_trusted(host.host, self._hosts)

    def _addresses(self, host: Origin) -> list[Any]:
        """Look a host up, once, and return the socket addresses that may be connected to.

        Raises:
            DownloadFailed: there are none.
        """
        try:
            found = (self._resolve or socket.getaddrinfo)(host.host, host.port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            raise DownloadFailed(
                f"The video's host {host.host} is not known to this machine. If only a proxy knows it, "
                "set HTTPS_PROXY; else ask whoever looks after the network."
            ) from None
        anywhere = self._may_be_anywhere(host)
        kept = [entry for entry in found if anywhere or is_public(ipaddress.ip_address(entry[4][0]))]
        if not kept:
            raise DownloadFailed(_private(host.host, *(str(entry[4][0]) for entry in found[:1])))
        return kept


def _private(host: str, *addresses: str) -> str:
    where = f" ({addresses[0]})" if addresses and addresses[0] != host else ""
    return (
        f"The video's host {host} leads into a private network here{where}, so it was not opened. "
        f"If that is right, add {host} to STUDIO_VIDEO_HOSTS."
    )


class _Adapter(requests.adapters.HTTPAdapter):
    """Connects to the addresses that a function gives; connections to a proxy are made as always."""

    def __init__(self, addresses: Callable[[Origin], list[Any]]) -> None:
        self._pools = _pools(addresses)
        super().__init__(max_retries=0, pool_maxsize=16)

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        super().init_poolmanager(*arguments, **options)
        self.poolmanager.pool_classes_by_scheme = self._pools


def _pools(addresses: Callable[[Origin], list[Any]]) -> dict[str, type[HTTPConnectionPool]]:
    """Return urllib3's pools of connections that differ in one thing: where a socket comes from."""

    class Plain(HTTPConnection):
        def _new_conn(self) -> socket.socket:
            return _socket(self, addresses(Origin("http", self.host, self.port or PORTS["http"])))

    class Encrypted(HTTPSConnection):  # SNI and the check of the certificate use the name, as always
        def _new_conn(self) -> socket.socket:
            return _socket(self, addresses(Origin("https", self.host, self.port or PORTS["https"])))

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class EncryptedPool(HTTPSConnectionPool):
        ConnectionCls = Encrypted

    return {"http": PlainPool, "https": EncryptedPool}


def _socket(connection: HTTPConnection, addresses: list[Any]) -> socket.socket:
    """Connect to the first of the addresses that answers. No name is looked up here."""
    last: OSError = OSError("there is no address")
    for family, type_, protocol, _, address in addresses:
        try:
            made = socket.socket(family, type_, protocol)
        except OSError as error:  # a family that this machine does not speak
            last = error
            continue
        try:
            for option in connection.socket_options or ():
                made.setsockopt(*option)
            made.settimeout(connection.timeout)
            made.connect(address)
        except OSError as error:
            made.close()
            last = error
            continue
        return made
    if isinstance(last, TimeoutError):
        raise urllib3.exceptions.ConnectTimeoutError(connection, "connecting took too long") from last
    raise urllib3.exceptions.NewConnectionError(connection, "no connection could be made") from last
