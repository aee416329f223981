"""Where the server listens, and how people come in."""

from __future__ import annotations

import errno
import json
import shlex
import socket
import sqlite3
import ssl
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import closing
from http import HTTPStatus
from importlib import metadata
from pathlib import Path
from typing import NamedTuple
from urllib.error import URLError

from kling.studio.amounts import counted
from kling.studio.doctor.finding import Finding, ok, problem, warning
from kling.studio.identity.ways import ACCOUNT, OIDC, PROXY, NoWayIn, check_start, is_loopback, outside_names
from kling.studio.server_options import ServerOptions
from kling.studio.settings import Settings
from kling.studio.state.faults import FILE

PATIENCE = 10.0  # seconds for an answer
STREAMLIT = "1.67."  # of which the settings in .streamlit/config.toml are known
_LARGEST = 2**20  # bytes of a provider's description
_PEOPLE = """
SELECT name, way, role, password_hash != '' OR EXISTS
    (SELECT 1 FROM invitations WHERE person_id = people.id AND used = 0 AND ends > ?)
FROM people WHERE removed = 0 ORDER BY name
"""


def versions() -> Iterator[Finding]:
    """Look whether the installed Streamlit is the one that this version was made for."""
    try:
        found = metadata.version("streamlit")
    except metadata.PackageNotFoundError:
        yield problem("installation", "Streamlit is not installed", "pip install -r requirements.txt")
        return
    if not found.startswith(STREAMLIT):
        what = f"Streamlit {found} is installed, and this version is made for {STREAMLIT}x"
        yield problem("installation", what, "pip install -r requirements.txt")


def listens(options: ServerOptions, last: ServerOptions | None, *, is_running: bool) -> Iterator[Finding]:
    """Say where the server listens, and where it did at its last start, if that is another place.

    Options of the command line of `streamlit run` are known only from a studio that has written them down.

    Args:
        options: that hold now, as far as they are known.
        last: at its last start; None if that is not known.
        is_running: a studio runs with these options.
    """
    if is_running:
        yield ok("server", f"the studio that runs listens at {options.words}")
    elif last and last != options:
        yield warning(
            "server",
            f"the studio listened at {last.words} when it ran last, and these options say {options.words}",
            "write options of the command line to .streamlit/config.toml, so that commands see them too",
        )


def port(options: ServerOptions, *, is_running: bool) -> Iterator[Finding]:
    """Look whether the server can listen.

    Args:
        options: where.
        is_running: a studio has the data folder, and so most likely the port.
    """
    host = options.address or "0.0.0.0"  # noqa: S104 - what Streamlit binds to then
    where = f"{host}, port {options.port}"
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, options.port))
    except OSError as error:
        taken = error.errno == errno.EADDRINUSE
        if taken and is_running:
            yield ok("port", f"{where} is in use, most likely by the studio that runs")
        elif taken:
            yield problem(
                "port", f"{where} is in use by another program", "give --server.port another number"
            )
        else:
            remedy = "set server.address to an address of this machine, and a port above 1023"
            yield problem("port", f"{where} cannot be used: {error.strerror or error}", remedy)
    except OverflowError:
        yield problem("port", f"{options.port} is no port", "set server.port to a number up to 65535")
    else:
        yield ok("port", f"{where} is free")


def sign_in(settings: Settings, options: ServerOptions, now: float) -> Iterator[Finding]:
    """Look whether everybody who can reach the studio has to say who they are, and can.

    Args:
        settings: of the studio.
        options: of its server.
        now: Unix seconds.
    """
    outside = outside_names(options.address, options.called, settings.public_url)
    people = _people(settings.data_dir / FILE, now)
    accounts = sum(each.way == ACCOUNT for each in people)
    admins = [each for each in people if each.role == "admin"]
    about, ways = "sign-in", settings.sign_in
    try:
        check_start(outside, ways, settings.public_url, has_accounts=accounts > 0)
    except NoWayIn as error:
        what, _, remedy = str(error).partition(". ")
        yield problem(about, what, remedy.rstrip("."))
        return
    if not outside and not ways.has_way_in and not accounts:
        what = (
            "there is none: only this machine reaches the studio, and everybody who uses this machine is its "
            "admin"
        )
        yield ok(about, what)
        return
    if not ways.admins and not ways.role_values.get("admin"):
        yield from _without_admin(admins, settings)
    if settings.public_url.startswith("http://") and not all(map(is_loopback, outside)):
        yield warning(
            about,
            "STUDIO_PUBLIC_URL is plain http, so that passwords and cookies can be read on the way",
            "put a proxy with TLS in front and set it to https:// (README, On an intranet)",
        )
    if outside and not settings.public_url:
        what = "STUDIO_PUBLIC_URL is not set, so invitations carry no address that others can open"
        yield warning(about, what, "set it to the address at which people open the studio")
    if ways.user_header and not is_loopback(options.address):
        what = f"the server listens on {options.address or 'every address'}, past the proxy that signs in"
        yield warning(about, what, "set server.address to 127.0.0.1 where the proxy runs on this machine")
    if ways.oidc:
        yield _provider(ways.oidc.issuer, ways.oidc.metadata_url)
    said = [counted(accounts, "account", "accounts")] if accounts else []
    said += ["OIDC"] if ways.oidc else []
    said += [f"the proxy's header {ways.user_header}"] if ways.user_header else []
    yield ok(about, f"by {', '.join(said) or 'accounts'}; admins: {len(admins):,}")


def _without_admin(admins: Sequence[_Person], settings: Settings) -> Iterator[Finding]:
    """Yield that nobody who is an admin can sign in, if that is so."""
    ways = settings.sign_in
    open_ways = {OIDC: bool(ways.oidc), PROXY: bool(ways.user_header)}
    if any(open_ways.get(each.way, each.has_key) for each in admins):
        return
    what, remedy = "nobody is an admin, so nobody can let others in", "people add NAME --role admin"
    if admins:
        named = ", ".join(each.name for each in admins[:5])
        what = f"no admin can sign in: {named} without a password, a link that works, or another way in"
    if accounts := [each.name for each in admins if each.way == ACCOUNT]:
        remedy = f"people invite {shlex.quote(accounts[0])}"
    outside = ", or STUDIO_ADMINS" if ways.has_way_in else ""
    yield problem("sign-in", what, f"`python -m kling.studio {remedy}`{outside}")


def _provider(issuer: str, url: str) -> Finding:
    about = "sign-in provider"
    try:
        request = urllib.request.Request(url, headers={"Accept": "application/json"})  # noqa: S310 - checked
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:  # noqa: S310 - http or https
            described = json.loads(answer.read(_LARGEST))
        named = str(described["issuer"]).rstrip("/")
    except (URLError, ssl.SSLError, TimeoutError, OSError) as error:
        status = getattr(error, "code", None)
        said = HTTPStatus(status).phrase if status in set(HTTPStatus) else getattr(error, "reason", error)
        remedy = "set STUDIO_OIDC_ISSUER to the provider's address, and let this machine reach it"
        return problem(about, f"{url} cannot be read: {said}", remedy)
    except (ValueError, LookupError, TypeError):
        remedy = "copy STUDIO_OIDC_ISSUER from the provider's own page"
        return problem(about, f"{url} is no description of a provider", remedy)
    if named != issuer.rstrip("/"):
        what = f"the provider calls itself {named[:200]}, and STUDIO_OIDC_ISSUER is {issuer}"
        return problem(about, what, f"set STUDIO_OIDC_ISSUER to {named[:200]}")
    return ok(about, f"{issuer} answers")


class _Person(NamedTuple):
    """Somebody who was not removed; `has_key` is whether there is a password, or a link to set one."""

    name: str
    way: str
    role: str
    has_key: bool


def _people(path: Path, now: float) -> list[_Person]:
    if not path.exists():
        return []
    try:
        with closing(sqlite3.connect(path, timeout=2)) as found:
            return [_Person(*row) for row in found.execute(_PEOPLE, (now,))]
    except sqlite3.Error:  # said by the look at the database
        return []
