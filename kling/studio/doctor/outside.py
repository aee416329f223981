"""What the studio needs of the network: the clock, the proxy, Kling, and the host of the files."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import UTC
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import requests

from kling.addresses import is_on_this_machine
from kling.auth import KeyPair
from kling.client import Client
from kling.studio.connection import KlingConnection
from kling.studio.connection_check import check_connection
from kling.studio.doctor.finding import Finding, ok, problem, warning
from kling.studio.settings import Settings

PATIENCE = (5.0, 15.0)  # seconds to connect, and for an answer
SKEW = 4.0  # seconds of difference that a signed token bears: it is valid from 5 s before it is made
LARGE_SKEW = 120.0  # seconds that matter for callbacks and for what is written down
TOKEN_SECONDS = 1800.0  # for which a token is valid


def examine(settings: Settings, *, clock: Callable[[], float]) -> Iterator[Finding]:
    """Ask Kling, as far as that is free.

    Args:
        settings: with the account.
        clock: Unix seconds.
    """
    if settings.credentials is None:
        yield ok("Kling", "no key is set, so the studio starts its own sandbox; nothing costs anything")
        return
    yield from proxy(settings.base_url)
    answered = False
    for finding in clock_against(settings, clock=clock):
        answered = answered or finding.about == "clock"
        yield finding
    if answered:
        yield account(settings)


def proxy(base_url: str) -> Iterator[Finding]:
    """Say which way the calls go."""
    way = _proxy_of(base_url)
    if way and is_on_this_machine(base_url):
        what = f"{base_url} is on this machine, and the environment sends it to the proxy {_shown(way)}"
        yield warning("proxy", what, "add 127.0.0.1 and localhost to NO_PROXY")
    elif way:
        yield ok("proxy", f"calls go through {_shown(way)}, which decides what is reachable")


def clock_against(settings: Settings, *, clock: Callable[[], float]) -> Iterator[Finding]:
    """Ask the API's host for its time; say why it does not answer, if so."""
    url = settings.base_url
    before = clock()
    try:
        answer = requests.head(url, timeout=PATIENCE, allow_redirects=False)
    except requests.exceptions.RequestException as error:
        yield _unreachable(url, error)
        return
    after = clock()
    try:
        theirs = parsedate_to_datetime(answer.headers["Date"])
        theirs = theirs if theirs.tzinfo else theirs.replace(tzinfo=UTC)
    except (KeyError, TypeError, ValueError):
        yield warning("clock", f"{urlsplit(url).netloc} does not say its time", "compare the clock by hand")
        return
    # The header has whole seconds and was written between the two looks at our clock.
    ahead = max(before - theirs.timestamp() - 1.0, 0.0) or min(after - theirs.timestamp(), 0.0)
    said = f"this machine's clock is {abs(ahead):,.0f} s {'ahead of' if ahead > 0 else 'behind'} Kling's"
    remedy = "set the clock by the network: timedatectl set-ntp true"
    signs = isinstance(settings.credentials, KeyPair)
    if signs and (ahead > SKEW or -ahead > TOKEN_SECONDS):
        yield problem("clock", f"{said}, so that Kling refuses tokens that are signed here", remedy)
    elif abs(ahead) > LARGE_SKEW:
        yield problem("clock", f"{said}: callbacks are refused and times in the log are wrong", remedy)
    elif abs(ahead) > SKEW:
        yield warning("clock", said, remedy)
    else:
        yield ok("clock", "this machine's clock and Kling's agree")


def account(settings: Settings) -> Finding:
    """Try the key, and the host of a video if there is one."""
    assert settings.credentials is not None  # noqa: S101 - for the type checker
    client = Client(settings.credentials, base_url=settings.base_url, video_hosts=settings.video_hosts)
    connection = KlingConnection(client)
    try:
        check = check_connection(connection, on_answer=lambda: None)
    finally:
        connection.stop()
    if check.ok:
        return ok("Kling", check.message.rstrip("."))
    if "videos cannot be fetched" in check.message:
        remedy = (
            "let this machine reach the host of the files; where a proxy or a DNS of yours answers with a "
            "private address, name the host in STUDIO_VIDEO_HOSTS"
        )
        return problem("file host", check.message.rstrip("."), remedy)
    remedy = "check the key, and that KLINGAI_BASE_URL is of its region"
    return problem("Kling", check.message.rstrip("."), remedy)


def _unreachable(url: str, error: requests.exceptions.RequestException) -> Finding:
    host = urlsplit(url).netloc
    if isinstance(error, requests.exceptions.ProxyError):
        way = _shown(_proxy_of(url))
        remedy = "correct HTTPS_PROXY, or unset it where no proxy is needed"
        return problem("proxy", f"the proxy {way} does not lead to {host}", remedy)
    if isinstance(error, requests.exceptions.SSLError):
        remedy = "where a proxy reads along, give its certificate in REQUESTS_CA_BUNDLE; check the clock"
        return problem("Kling", f"the certificate of {host} is not accepted here", remedy)
    if "resolve" in str(error) or "Name or service" in str(error):
        remedy = "check KLINGAI_BASE_URL and this machine's DNS, or set HTTPS_PROXY"
        return problem("Kling", f"the name {host} is not known here", remedy)
    remedy = "let this machine reach it, by the firewall or by HTTPS_PROXY"
    return problem("Kling", f"{host} does not answer", remedy)


def _proxy_of(url: str) -> str:
    parts = urlsplit(url)
    if proxy_bypass(parts.hostname or ""):
        return ""
    proxies = getproxies()
    return proxies.get(parts.scheme, "") or proxies.get("all", "") or os.environ.get("ALL_PROXY", "")


def _shown(proxy: str) -> str:
    """Return the proxy without its password."""
    parts = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
    return f"{parts.hostname}:{parts.port}" if parts.port else str(parts.hostname)
