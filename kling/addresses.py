"""Where a request may go: addresses that every parser reads the same way, and networks that are public.

An answer of the API names the address of a video. It must not make this machine open an address inside its
own network (SSRF). So the text is checked here, and the network address where the connection is made
(`download.py`).
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

LONGEST = 16_384  # characters; signed links have one or two thousand
PORTS = {"https": 443, "http": 80}
IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

_NAME = re.compile(r"(?=.{1,253}\Z)[a-z0-9_]([a-z0-9_-]{0,62})(\.[a-z0-9_]([a-z0-9_-]{0,62}))*\.?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_NOT_GLOBAL = tuple(
    ipaddress.ip_network(network)
    for network in (
        "198.18.0.0/15",  # benchmarks; fake-IP proxies invent addresses of this range for names
        "192.88.99.0/24",  # relays between IPv6 and IPv4, out of use
        "2001::/23",  # special purposes, tunnels among them
        "2001:db8::/32",
        "3fff::/20",
    )
)
_UNICAST = ipaddress.IPv6Network("2000::/3")  # all IPv6 addresses that have been assigned
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")  # the last 32 bits are an IPv4 address


class BadAddress(ValueError):
    """The text is no address that can be opened; the message gives the reason, without the address."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Scheme, host and port of an address, in lower case and without the brackets of IPv6."""

    scheme: str
    host: str
    port: int

    @property
    def ip(self) -> IPAddress | None:
        """The host as a network address; None where it is a name."""
        try:
            return ipaddress.ip_address(self.host)
        except ValueError:
            return None

    @property
    def is_loopback(self) -> bool:
        """Whether it says that it lies on this machine."""
        ip = self.ip
        return self.host == "localhost" or (ip is not None and ip.is_loopback)


def origin(url: str) -> Origin:
    """Return the origin of an absolute http or https address.

    Parsers differ about addresses that are written in strange ways: the check could read one host and the
    connection go to another. So strange characters are refused, and the two parsers that will see the address
    (urllib and urllib3) have to agree about it.

    Raises:
        BadAddress: it is no address, or can be read in two ways.
    """
    from urllib3.exceptions import LocationParseError
    from urllib3.util import parse_url

    check_text(url)
    try:
        parts, other = urlsplit(url), parse_url(url)
        port, other_port = parts.port, other.port
    except ValueError:
        raise BadAddress("it cannot be read") from None
    except LocationParseError:
        raise BadAddress("it cannot be read") from None
    scheme, host = parts.scheme, (parts.hostname or "").lower()
    if scheme not in PORTS or other.scheme != scheme:
        raise BadAddress("it does not start with https://")
    if "@" in parts.netloc or other.auth is not None or parts.username is not None:
        raise BadAddress("it holds a name or a password")
    if host != (other.host or "").lower().strip("[]") or port != other_port:
        raise BadAddress("its host can be read in two ways")
    if port == 0 or not _is_host(host, bracketed="[" in parts.netloc):
        raise BadAddress("it names no host")
    return Origin(scheme, host, PORTS[scheme] if port is None else port)


def check_text(url: str) -> None:
    """Refuse characters that no address has; parsers would drop them silently.

    Raises:
        BadAddress: it is empty, endless, or has a backslash, a blank or a control character.
    """
    if not url or len(url) > LONGEST:
        raise BadAddress("it is empty" if not url else "it is far too long")
    if "\\" in url or " " in url or not url.isprintable():
        raise BadAddress("it holds a backslash, a blank or a control character")


def joined(base: str, url: str) -> str:
    """Return `url` as an absolute address: relative ones, and `//host/…`, begin at `base`.

    Raises:
        BadAddress: it cannot be read.
    """
    check_text(url)
    try:
        return urljoin(base, url)
    except ValueError:
        raise BadAddress("it cannot be read") from None


def _is_host(host: str, *, bracketed: bool) -> bool:
    if bracketed:
        try:
            return "%" not in host and bool(ipaddress.IPv6Address(host))
        except ValueError:
            return False
    if not _NAME.fullmatch(host):
        return False
    if _NUMBER.fullmatch(host.rstrip(".").rpartition(".")[2]):  # 127.1 and 0x7f000001 are addresses to some
        try:
            return bool(ipaddress.IPv4Address(host))
        except ValueError:
            return False
    return True


def is_public(ip: IPAddress) -> bool:
    """Whether a network address lies in the public internet.

    IPv6 addresses that carry an IPv4 address (mapped, NAT64, 6to4) are as public as that one.
    """
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.scope_id is not None:
            return False
        if (inner := _inner(ip)) is not None:
            return is_public(inner)
        if ip not in _UNICAST:
            return False
    return (
        ip.is_global
        and not (ip.is_multicast or ip.is_reserved or ip.is_private or ip.is_unspecified)
        and not any(ip.version == network.version and ip in network for network in _NOT_GLOBAL)
    )


def _inner(ip: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    if ip in _NAT64:
        return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip.ipv4_mapped or ip.sixtofour


def is_trusted(host: str, trusted: frozenset[str]) -> bool:
    """Whether a host is on a list of exact names, and of `.suffixes` of names."""
    host = host.rstrip(".")
    return host in trusted or any(each.startswith(".") and host.endswith(each) for each in trusted)


def is_on_this_machine(url: str) -> bool:
    """Whether an address can be opened and lies on this machine."""
    try:
        return origin(url).is_loopback
    except BadAddress:
        return False
