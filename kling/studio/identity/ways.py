"""Which ways into the studio there are, and whether it may start with them."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import urlsplit

from kling.studio.sign_in_settings import PROXY_HEADER, SignInSettings

ACCOUNT = "account"  # the way in of people who have a name and a password here
OIDC = "oidc"
PROXY = "proxy"


class NoWayIn(Exception):
    """The studio would serve people whom it cannot tell apart; the text says what to set."""


def is_last_admin(person_id: str, admins: Iterable[Sequence[Any]]) -> bool:
    """Whether without a person no admin could sign in; where none can, whether there would be none at all.

    Args:
        person_id: of the person.
        admins: id, way in and hash of the password of each; an account without a password cannot sign in.
    """
    found = list(admins)
    can = {each for each, way, password_hash in found if way != ACCOUNT or password_hash}
    return (can or {each for each, *_ in found}) == {person_id}


def is_loopback(host: str) -> bool:
    """Whether a host is this machine itself, and nothing that another one can reach.

    Args:
        host: a name or a network address, IPv6 with or without brackets. An empty one is every address.
    """
    name = host.strip().strip("[]").rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def outside_names(bound_to: str, called: Iterable[str], public_url: str) -> list[str]:
    """Return the hosts that others may reach the studio at; empty where there is none, so that it is local.

    Args:
        bound_to: the address that the server listens at; empty for all.
        called: names that it answers to.
        public_url: the address for people; empty if none is set.
    """
    hosts = [bound_to or "0.0.0.0", *filter(None, called)]  # noqa: S104 - a name for "everywhere"
    if public_url:
        hosts.append(urlsplit(public_url).hostname or "")
    return [host for host in dict.fromkeys(hosts) if not is_loopback(host)]


def check_start(outside: list[str], settings: SignInSettings, public_url: str, *, has_accounts: bool) -> None:
    """Refuse to start where others can reach the studio and nothing tells who they are.

    Args:
        outside: what `outside_names` returned.
        settings: the ways in that are set up.
        public_url: the address for people; empty if none is set.
        has_accounts: whether the studio has an account that somebody can sign in to.

    Raises:
        NoWayIn: nobody could sign in, or a provider could not send people back.
    """
    if outside and settings.oidc and not public_url:
        raise NoWayIn(
            "STUDIO_OIDC_ISSUER is set and STUDIO_PUBLIC_URL is not: the provider sends people back to it. "
            f"It is the address at which they open the studio, such as https://{outside[0]}."
        )
    if not outside or settings.has_way_in or has_accounts:
        return
    raise NoWayIn(
        f"Others can reach it (at {', '.join(outside[:3])}), and nothing says who they are: anybody could "
        "spend the account's Units. If a proxy in front of it signs people in, set STUDIO_USER_HEADER to the "
        "header in which it names them, and STUDIO_PROXY_SECRET to a secret that it sends as "
        f"{PROXY_HEADER}. Or make an account: `python -m kling.studio people add NAME --role admin`. Or set "
        "STUDIO_OIDC_ISSUER. For this machine alone, leave out --server.address, --browser.serverAddress, "
        "--server.allowedHosts and STUDIO_PUBLIC_URL."
    )
