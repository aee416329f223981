"""Which names the server answers to, and whether a request has come through somebody else's hands.

A web page elsewhere can lead its own name to this machine's address, and the browser then takes the studio
for a part of that page. It cannot do that with an address in place of a name.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import urlsplit

import streamlit as st
from starlette.requests import HTTPConnection
from starlette.types import Scope

from kling.studio.identity.ways import is_loopback

EVERYWHERE = frozenset({"0.0.0.0", "::", ""})  # noqa: S104 - addresses that mean all of the machine's
_HOST = re.compile(r"(?P<name>\[[0-9a-f:.]+\]|[a-z0-9_.-]+)(?::(?P<port>\d{1,5}))?")
_FORWARDING = frozenset(
    {
        *(b"forwarded", b"via", b"x-real-ip", b"x-client-ip", b"x-cluster-client-ip", b"true-client-ip"),
        *(b"cf-connecting-ip", b"fastly-client-ip", b"x-original-host", b"x-original-url"),
    }
)


@dataclass(frozen=True, slots=True)
class Hosts:
    """The names of the server.

    Args:
        names: whole names and addresses.
        suffixes: `.corp` for every name that ends so.
        any_address: every address in place of a name is accepted.
        is_loopback_only: nobody but programs of this machine can reach the server, as far as settings say.
    """

    names: frozenset[str]
    suffixes: tuple[str, ...] = ()
    any_address: bool = False
    is_loopback_only: bool = False

    def accept(self, host: str) -> bool:
        """Whether the header `Host` names this server."""
        name, _ = split_host(host)
        return bool(name) and (
            name in self.names
            or name.endswith(self.suffixes or ("\n",))
            or (self.any_address and _address(name) is not None)
        )


def known_hosts(public_url: str = "") -> Hosts:
    """Return the names, from the settings of the server.

    Args:
        public_url: where people reach the studio; empty if it is not known.
    """
    bound = str(st.get_option("server.address") or "")
    given = [
        _tidy(name)
        for name in (
            *([] if bound in EVERYWHERE else [bound]),
            st.get_option("browser.serverAddress"),
            *(st.get_option("server.allowedHosts") or ()),
            urlsplit(public_url).hostname,
        )
        if name
    ]
    names = {"localhost", "127.0.0.1", "::1", *(name for name in given if "*" not in name)}
    if bound in EVERYWHERE:
        names |= _own_names()
    return Hosts(
        names=frozenset(names),
        suffixes=tuple(name[1:] for name in given if re.fullmatch(r"\*(\.[a-z0-9_-]+)+", name)),
        any_address=bound in EVERYWHERE,
        is_loopback_only=bound not in EVERYWHERE and all(map(is_loopback, given)),
    )


def host_for_streamlit() -> str:
    """Return a `Host` with which Streamlit takes a socket; empty if it takes every one.

    It looks at `server.allowedHosts` again, and knows none of the other names there.
    """
    for name in map(_tidy, st.get_option("server.allowedHosts") or ()):
        return "" if name == "*" else name.replace("*.", "any.", 1)
    return ""


@lru_cache(256)
def split_host(host: str) -> tuple[str, int | None]:
    """Return name and port of a header `Host`; an empty name if it is malformed. Addresses lose brackets."""
    found = _HOST.fullmatch(host.lower())
    if not found:
        return "", None
    name = found["name"].strip("[]").rstrip(".")
    return name, int(found["port"]) if found["port"] else None


def is_forwarded(names: Iterable[bytes]) -> bool:
    """Whether a request says that it has come through a proxy.

    Args:
        names: of its headers, in lower case.
    """
    return any(name in _FORWARDING or name.startswith(b"x-forwarded") for name in names)


def came_from_elsewhere(scope: Scope, host: str, *, is_ours: bool) -> str:
    """Return how one sees that a request did not come straight from a program of this machine; else nothing.

    Proxies and tunnels give themselves away by headers, by the old version of HTTP that nginx speaks unless
    it is told otherwise, by a port that is not the server's, or by a page under another name. What does none
    of that cannot be told from a browser of this machine.

    Args:
        scope: of the request.
        host: its header `Host`.
        is_ours: whether that names this server.
    """
    if not is_ours:
        return "the studio does not answer to that name"
    headers = dict(scope["headers"])
    if is_forwarded(headers):
        return "it has come through a proxy or a tunnel"
    is_browser = headers.get(b"user-agent", b"").startswith(b"Mozilla/")
    kept = headers.get(b"connection", b"").lower()
    is_half_upgrade = scope["type"] == "http" and kept == b"upgrade" and not headers.get(b"upgrade")
    if scope.get("http_version") == "1.0" or (is_browser and not kept) or is_half_upgrade:
        return "no browser speaks HTTP/1.0 or handles `Connection` so, as nginx does by itself"
    server, (_, port) = scope.get("server"), split_host(host)
    if server and server[1] is not None:
        standard = 443 if scope["scheme"] in {"https", "wss"} else 80
        if (port or standard) != server[1]:
            return "its address has another port than the studio, so somebody forwards it"
    referer = headers.get(b"referer", b"")
    says_same = bool(referer) and headers.get(b"sec-fetch-site") == b"same-origin"
    if says_same and _netloc(referer.decode("latin-1")).lower() != host.lower():
        return "its page has another address than the studio, so a proxy stands between"
    return ""


def same_origin(connection: HTTPConnection) -> bool:
    """Whether a request or a socket may come from a page of this server, or from no browser at all.

    Browsers send `Origin` with every socket and every request that changes something. A proxy in front has
    to forward `Host`; the scheme is not compared, because the proxy may end TLS. Both headers are compared
    byte by byte, as Streamlit does, so that an Origin that passes here passes there too.
    """
    headers = connection.headers
    origin = headers.get("origin")
    if origin is not None and _netloc(origin) != headers.get("host"):
        return False
    # Sec-Fetch-Site is not read for sockets: browsers differ in what they send there. All send Origin.
    return connection.scope["type"] == "websocket" or (
        headers.get("sec-fetch-site", "none") in {"same-origin", "none"}
    )


def _netloc(url: str) -> str:
    try:
        return urlsplit(url).netloc
    except ValueError:
        return ""


def _tidy(name: object) -> str:
    return str(name).strip().lower().strip("[]").rstrip(".")


def _own_names() -> set[str]:
    name = socket.gethostname().lower()
    short = name.partition(".")[0]
    return {name, short, f"{short}.local"} - {""}


def _address(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(name)
    except ValueError:
        return None
