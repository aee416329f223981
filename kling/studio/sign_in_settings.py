"""Settings on sign-in: which ways in there are, who gets which role, and how long a session lasts.

They are read by `settings.load`, with the values of the environment and of `secrets.toml`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from kling import json_values
from kling.addresses import BadAddress, origin
from kling.studio.identity.roles import ROLES, Role

NAMES = (
    "STUDIO_OIDC_ISSUER",
    "STUDIO_OIDC_CLIENT_ID",
    "STUDIO_OIDC_CLIENT_SECRET",
    "STUDIO_OIDC_NAME",
    "STUDIO_OIDC_SCOPES",
    "STUDIO_USER_HEADER",
    "STUDIO_PROXY_SECRET",
    "STUDIO_ROLES_CLAIM",
    "STUDIO_ROLES_HEADER",
    "STUDIO_ROLE_ADMIN",
    "STUDIO_ROLE_MAKER",
    "STUDIO_ROLE_VIEWER",
    "STUDIO_ADMINS",
    "STUDIO_DEFAULT_ROLE",
    "STUDIO_SESSION_HOURS",
    "STUDIO_IDLE_HOURS",
    "STUDIO_CONTACT",
)
WAYS = ("STUDIO_OIDC_ISSUER", "STUDIO_USER_HEADER")  # each of them is a way in
GIVEN: tuple[Role, ...] = ("admin", "maker", "viewer")  # roles that a claim or a header can give
SECRET_LENGTH = 16  # characters that the proxy's secret has at least
PROXY_HEADER = "X-Studio-Proxy-Secret"  # in which the proxy sends it
SESSION_HOURS, IDLE_HOURS, MOST_HOURS = 12.0, 4.0, 31 * 24.0
SCOPES = "openid email profile"

_WELL_KNOWN = "/.well-known/openid-configuration"
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^`|~-]{1,100}")  # no underscore: proxies drop or rewrite such names
_SCOPE = re.compile(r"[!#-\[\]-~]+( [!#-\[\]-~]+)*")
_NOT_OURS = re.compile(
    "accept|authorization|connection|content-(length|type)|cookie|forwarded|host|origin|referer|"
    "transfer-encoding|upgrade|user-agent|via|(x-studio-|sec-|access-control-).*",
    re.IGNORECASE,
)


class SignInError(ValueError):
    """A setting on sign-in cannot be used; the text names it and says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OidcSettings:
    """A provider that signs people in by OpenID Connect.

    Args:
        issuer: its address, as its own description says it, without a slash at its end.
        client_id: what it calls this studio.
        client_secret: what this studio proves itself with there.
        name: as the link on the sign-in page calls it: *Continue with …*.
        scopes: what it is asked for, with blanks between.
    """

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    name: str = "your company account"
    scopes: str = SCOPES

    @property
    def metadata_url(self) -> str:
        """The address of the provider's description of itself."""
        return self.issuer + _WELL_KNOWN


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInSettings:
    """Who may come in, and how.

    Args:
        oidc: None where no provider is set up.
        user_header: the header in which a proxy names who asks; empty where there is no such proxy.
        proxy_secret: what the proxy sends along, so that nobody else can name somebody.
        roles_claim: where the provider's token says roles or groups; `a.b` leads into nested ones.
        roles_header: the header in which the proxy says roles or groups.
        role_values: for each role, the values of that claim or header that give it.
        admins: ids of people who are admins whatever else is said: what the provider calls `sub`, an address
            that it has verified, or the value of the proxy's header.
        default_role: of who signs in and is given no role; `none` may do nothing.
        hours: a session ends so long after the sign-in.
        idle_hours: a session ends after so long without use.
        contact: whom to ask for access: an e-mail address or a few words; empty if nobody is named.
    """

    oidc: OidcSettings | None = None
    user_header: str = ""
    proxy_secret: str = field(default="", repr=False)
    roles_claim: str = ""
    roles_header: str = ""
    role_values: Mapping[Role, frozenset[str]] = field(default_factory=lambda: MappingProxyType({}))
    admins: frozenset[str] = frozenset()
    default_role: Role = "none"
    hours: float = SESSION_HOURS
    idle_hours: float = IDLE_HOURS
    contact: str = ""

    @property
    def has_way_in(self) -> bool:
        """Whether people can sign in without an account of this studio."""
        return bool(self.oidc or self.user_header)


def read(get: Mapping[str, str]) -> SignInSettings:
    """Return the settings on sign-in.

    Args:
        get: the value of each of `NAMES`, empty where it is not set.

    Raises:
        SignInError: a value cannot be used, or one is missing that another one needs.
    """
    oidc = _oidc(get)
    user_header, secret = _proxy(get)
    claim, header = get["STUDIO_ROLES_CLAIM"], _header(get, "STUDIO_ROLES_HEADER")
    if claim and oidc is None:
        raise SignInError(
            "STUDIO_ROLES_CLAIM is set and STUDIO_OIDC_ISSUER is not: a claim comes from a provider. "
            "With a proxy it is STUDIO_ROLES_HEADER."
        )
    if header and not user_header:
        raise SignInError(
            "STUDIO_ROLES_HEADER is set and STUDIO_USER_HEADER is not: name the header that says who asks."
        )
    hours = _hours(get, "STUDIO_SESSION_HOURS", SESSION_HOURS, MOST_HOURS)
    return SignInSettings(
        oidc=oidc,
        user_header=user_header,
        proxy_secret=secret,
        roles_claim=_text("STUDIO_ROLES_CLAIM", claim, 200),
        roles_header=header,
        role_values=_role_values(get, has_source=bool(claim or header)),
        admins=_admins(get),
        default_role=_default_role(get["STUDIO_DEFAULT_ROLE"]),
        hours=hours,
        idle_hours=_hours(get, "STUDIO_IDLE_HOURS", min(IDLE_HOURS, hours), hours),
        contact=_text("STUDIO_CONTACT", get["STUDIO_CONTACT"], 100),
    )


def listed(text: str) -> list[str]:
    """Return the parts of a list, which has commas or `|` between them."""
    return [part for each in re.split(r"[,|]", text) if (part := each.strip())]


def _oidc(get: Mapping[str, str]) -> OidcSettings | None:
    names = ("STUDIO_OIDC_ISSUER", "STUDIO_OIDC_CLIENT_ID", "STUDIO_OIDC_CLIENT_SECRET")
    missing = [name for name in names if not get[name]]
    if len(missing) == len(names):
        for name in ("STUDIO_OIDC_NAME", "STUDIO_OIDC_SCOPES"):
            if get[name]:
                raise SignInError(f"{name} is set and STUDIO_OIDC_ISSUER is not: name the provider too.")
        return None
    if missing:
        raise SignInError(f"{missing[0]} is missing: {', '.join(names[:2])} and {names[2]} belong together.")
    scopes = get["STUDIO_OIDC_SCOPES"] or SCOPES
    if not _SCOPE.fullmatch(scopes) or "openid" not in scopes.split(" "):
        raise SignInError(
            f"STUDIO_OIDC_SCOPES is {scopes[:60]!r}: give names with one blank between them, openid among "
            f"them, such as {SCOPES} groups."
        )
    secret = get["STUDIO_OIDC_CLIENT_SECRET"]
    if not secret.isascii() or not secret.isprintable():
        raise SignInError(
            "STUDIO_OIDC_CLIENT_SECRET holds a character that no secret has: copy it again, the secret alone."
        )
    return OidcSettings(
        issuer=_issuer(get["STUDIO_OIDC_ISSUER"]),
        client_id=_text("STUDIO_OIDC_CLIENT_ID", get["STUDIO_OIDC_CLIENT_ID"], 255),
        client_secret=secret,
        name=_text("STUDIO_OIDC_NAME", get["STUDIO_OIDC_NAME"], 40) or "your company account",
        scopes=scopes,
    )


def _issuer(url: str) -> str:
    """Return the issuer; people copy the address of its description too."""
    url = url.removesuffix(_WELL_KNOWN).rstrip("/")
    remedy = "give the issuer as the provider names it, such as https://login.example.com/realms/team."
    try:
        found = origin(url)
    except BadAddress as error:
        raise SignInError(f"STUDIO_OIDC_ISSUER is not an address: {error}; {remedy}") from None
    if "?" in url or "#" in url:
        raise SignInError(f"STUDIO_OIDC_ISSUER has a query or a fragment: {remedy}")
    if found.scheme != "https" and not found.is_loopback:
        raise SignInError(
            "STUDIO_OIDC_ISSUER is plain http, so that anybody on the way could sign in as anybody: use "
            "https://. Only an address on this machine (http://127.0.0.1) may be without."
        )
    return url


def _proxy(get: Mapping[str, str]) -> tuple[str, str]:
    header, secret = _header(get, "STUDIO_USER_HEADER"), get["STUDIO_PROXY_SECRET"]
    if header and not secret:
        raise SignInError(
            "STUDIO_USER_HEADER is set and STUDIO_PROXY_SECRET is not, so that anybody could call themselves "
            f"anybody: set it to a random text of {SECRET_LENGTH} characters or more, which the proxy sends "
            f"as {PROXY_HEADER}."
        )
    # The secret alone is of use too: who sends it is believed about addresses.
    if secret and (len(secret) < SECRET_LENGTH or not re.fullmatch(r"[!-~]+", secret)):
        raise SignInError(
            "STUDIO_PROXY_SECRET is too short or holds a character that no header takes: use "
            f"{SECRET_LENGTH} or more letters and digits, such as `openssl rand -hex 32` prints."
        )
    return header, secret


def _header(get: Mapping[str, str], name: str) -> str:
    header = get[name].rstrip(":").strip()
    if not header:
        return ""
    if not _HEADER.fullmatch(header):
        raise SignInError(
            f"{name} is {header[:40]!r}, which is no name of a header: give one such as X-Forwarded-User, "
            "with hyphens."
        )
    if _NOT_OURS.fullmatch(header):
        raise SignInError(
            f"{name} is {header}, which means something else: take a header of your own, such as "
            "X-Forwarded-User."
        )
    return header


def _role_values(get: Mapping[str, str], *, has_source: bool) -> Mapping[Role, frozenset[str]]:
    values: dict[Role, frozenset[str]] = {}
    owner: dict[str, str] = {}
    for role in GIVEN:
        name = f"STUDIO_ROLE_{role.upper()}"
        parts = listed(_text(name, get[name], 4000))
        if parts and not has_source:
            raise SignInError(
                f"{name} is set, and neither STUDIO_ROLES_CLAIM nor STUDIO_ROLES_HEADER is: say where the "
                "roles stand."
            )
        for part in parts:
            if owner.setdefault(part, name) != name:
                raise SignInError(
                    f"{part[:40]!r} stands in {owner[part]} and in {name}: it can give one role."
                )
        if parts:
            values[role] = frozenset(parts)
    if has_source and not values:
        source = "STUDIO_ROLES_CLAIM" if get["STUDIO_ROLES_CLAIM"] else "STUDIO_ROLES_HEADER"
        raise SignInError(
            f"{source} is set, and none of STUDIO_ROLE_ADMIN, STUDIO_ROLE_MAKER and STUDIO_ROLE_VIEWER is: "
            "say which values give which role."
        )
    return MappingProxyType(values)


def _admins(get: Mapping[str, str]) -> frozenset[str]:
    admins = listed(_text("STUDIO_ADMINS", get["STUDIO_ADMINS"], 4000))
    if admins and not any(get[name] for name in WAYS):
        raise SignInError(
            "STUDIO_ADMINS names people of a provider or a proxy, and neither STUDIO_OIDC_ISSUER nor "
            "STUDIO_USER_HEADER is set. An account of this studio becomes an admin by "
            "`python -m kling.studio people role NAME admin`."
        )
    return frozenset(admins)


def _default_role(text: str) -> Role:
    for role in ROLES:
        if text.lower() == role:
            return role
    if not text:
        return "none"
    raise SignInError(f"STUDIO_DEFAULT_ROLE is {text[:20]!r}: set it to one of {', '.join(ROLES)}.")


def _hours(get: Mapping[str, str], name: str, default: float, most: float) -> float:
    if not get[name]:
        return default
    found = json_values.number(get[name])
    if found is None or not 0 < found <= most:
        limit = "STUDIO_SESSION_HOURS" if name == "STUDIO_IDLE_HOURS" else f"{MOST_HOURS:g}"
        raise SignInError(
            f"{name} is {get[name][:20]!r}: give hours as a number above 0, at most {limit}, such as "
            f"{default:g}."
        )
    return float(found)


def _text(name: str, text: str, most: int) -> str:
    if len(text) > most or not text.isprintable():
        raise SignInError(f"{name} holds a line break, or more than {most} characters: shorten it.")
    return text
