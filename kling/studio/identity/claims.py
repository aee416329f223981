"""What a provider's token or a proxy's headers say of a person: an id, a name, values that give a role.

All of it comes from outside: it is bounded, and what cannot be meant is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from kling.studio.identity.roles import Role
from kling.studio.sign_in_settings import GIVEN, SignInSettings, listed

SUBJECT_LENGTH, NAME_LENGTH = 255, 60  # characters
MOST_VALUES, VALUE_LENGTH = 2000, 255  # of a claim with roles or groups; people are in hundreds of groups
MOST_TEXT = 64 * 1024  # characters of such a claim that is one text
_EMAIL = frozenset({"email", "email_verified"})


class BadClaim(ValueError):
    """What was said of a person cannot be used; the text says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Said:
    """What was said of a person.

    Args:
        subject: the id that the other side gives the person, the same at each sign-in.
        name: what to call the person.
        role: what was said to be allowed; None where nobody says anything about roles.
    """

    subject: str
    name: str
    role: Role | None


def of_token(claims: Mapping[str, Any], settings: SignInSettings) -> Said:
    """Return what the claims of a token say.

    Raises:
        BadClaim: there is no usable id in it.
    """
    subject = _subject(claims.get("sub"), "The provider's token names no `sub` that can be used.")
    ids = set() if "@" in subject else {subject}  # at some providers people choose what `sub` is
    email = claims.get("email")
    if isinstance(email, str) and claims.get("email_verified") is True:
        ids.add(email)  # one that is not verified is whatever somebody typed
    values = values_of(claims, settings.roles_claim) if settings.roles_claim else None
    return Said(subject, _name(claims, subject), role_of(values, ids, settings))


def of_headers(user: str, roles: Iterable[str], settings: SignInSettings) -> Said:
    """Return what a proxy's headers say.

    Args:
        user: the value of the header that names who asks.
        roles: the values of the header with roles, if one is set up.
        settings: the names of the headers.

    Raises:
        BadClaim: there is no usable id in it.
    """
    subject = _subject(user, f"The proxy's header {settings.user_header} names nobody.")
    values = bounded(roles) if settings.roles_header else None
    return Said(subject, subject[:NAME_LENGTH], role_of(values, {subject}, settings))


def role_of(values: set[str] | None, ids: set[str], settings: SignInSettings) -> Role | None:
    """Return the role of a person: the one of an admin of the settings, else the highest that a value gives.

    Args:
        values: of the claim or header with roles; None where none is set up.
        ids: what the other side calls the person.
        settings: which value gives which role.
    """
    if not ids.isdisjoint(settings.admins):
        return "admin"
    if values is None:
        return None
    for role in GIVEN:
        if not values.isdisjoint(settings.role_values.get(role, frozenset())):
            return role
    return settings.default_role


def values_of(claims: Mapping[str, Any], path: str) -> set[str]:
    """Return the values of a claim: a text or a list of texts; empty if it is not there.

    Args:
        claims: of a token.
        path: the claim's name, or with dots the way to one inside others, such as `realm_access.roles`.
    """
    found: Any = claims.get(path)
    if found is None:
        found = claims
        for key in path.split("."):
            found = found.get(key) if isinstance(found, Mapping) else None
    if isinstance(found, str):
        return bounded([found])
    return bounded(found if isinstance(found, list | tuple) else [], is_split=False)


def is_less(claims: Mapping[str, Any], settings: SignInSettings) -> bool:
    """Whether a token leaves out what some providers say only when they are asked for it."""
    path = settings.roles_claim
    has_roles = not path or path in claims or path.partition(".")[0] in claims
    needs_email = any("@" in admin for admin in settings.admins)
    return "name" not in claims or not has_roles or (needs_email and not claims.keys() >= _EMAIL)


def joined(claims: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a token says, and what the provider has said beside it; the token counts more.

    Args:
        claims: of the token.
        more: what the provider says of the same person when it is asked.
    """
    # An address of one with the "verified" of the other would be nobody's word.
    is_apart = not claims.keys() >= _EMAIL and not more.keys().isdisjoint(_EMAIL)
    left_out = _EMAIL if is_apart else frozenset()
    return {**more, **{name: value for name, value in claims.items() if name not in left_out}}


def bounded(texts: Iterable[Any], *, is_split: bool = True) -> set[str]:
    """Return the values of texts, each of which may list several with commas or `|` between them."""
    values: set[str] = set()
    for text in texts:
        if not isinstance(text, str) or len(text) > MOST_TEXT:
            continue
        for value in listed(text) if is_split else [text.strip()]:
            if len(values) == MOST_VALUES:
                return values
            if len(value) <= VALUE_LENGTH:
                values.add(value)
    return values


def _subject(value: Any, otherwise: str) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > SUBJECT_LENGTH:
        raise BadClaim(otherwise)
    if not value.isprintable():
        raise BadClaim(otherwise)
    return value.strip()


def _name(claims: Mapping[str, Any], subject: str) -> str:
    """Return the first name that can be shown: people read it beside their orders."""
    for key in ("name", "preferred_username", "nickname", "email"):
        value = claims.get(key)
        if isinstance(value, str) and (name := " ".join(value.split())) and name.isprintable():
            return name[:NAME_LENGTH]
    return subject[:NAME_LENGTH]
