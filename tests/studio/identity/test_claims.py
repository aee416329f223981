"""What is taken from a provider's token and a proxy's headers, whatever they hold."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kling.studio.identity.claims import BadClaim, Said, of_headers, of_token
from kling.studio.identity.roles import ROLES, Role
from kling.studio.sign_in_settings import SignInSettings

GROUPS = SignInSettings(
    roles_claim="groups",
    user_header="X-User",
    roles_header="X-Groups",
    role_values={"admin": frozenset({"bosses"}), "maker": frozenset({"video", "a b"})},
    admins=frozenset({"ada", "ada@example.com"}),
)


def role(settings: SignInSettings = GROUPS, **claims: Any) -> Role | None:
    return of_token({"sub": "ben", **claims}, settings).role


@pytest.mark.parametrize(
    ("groups", "expected"),
    [
        (["video"], "maker"),
        (["video", "bosses"], "admin"),
        ("video", "maker"),
        ("x,video", "maker"),
        ("x | video", "maker"),
        (["a b"], "maker"),
        (["x,video"], "none"),  # one group of a list is one value
        ([], "none"),
        (None, "none"),
        (["Video"], "none"),
        ([{"video": 1}, 7, None], "none"),
        ({"video": True}, "none"),
        (7, "none"),
    ],
)
def test_the_highest_role_that_a_value_gives_counts(groups: Any, expected: Role):
    assert role(groups=groups) == expected


def test_without_a_claim_for_roles_nothing_is_said_of_them():
    assert role(SignInSettings(), groups=["bosses"]) is None


def test_the_default_role_is_for_those_to_whom_no_value_gives_one():
    settings = SignInSettings(roles_claim="groups", default_role="viewer", role_values=GROUPS.role_values)
    assert role(settings, groups=["x"]) == "viewer"
    assert role(settings, groups=["video"]) == "maker"


def test_a_claim_inside_others_is_found_by_its_way():
    settings = SignInSettings(roles_claim="realm_access.roles", role_values=GROUPS.role_values)
    assert role(settings, realm_access={"roles": ["video"]}) == "maker"
    assert role(settings, realm_access="video") == "none"
    assert role(settings, **{"realm_access.roles": ["bosses"]}) == "admin"


def test_an_admin_of_the_settings_is_one_by_id_or_by_a_verified_address():
    assert of_token({"sub": "ada"}, GROUPS).role == "admin"
    assert role(email="ada@example.com", email_verified=True) == "admin"
    assert role(email="ada@example.com") == "none"  # anybody may have typed it
    assert role(email="ada@example.com", email_verified="true") == "none"
    assert role(sub="ada@example.com") == "none"  # at some providers people choose it
    assert role(name="ada", preferred_username="ada") == "none"


@pytest.mark.parametrize(
    "sub", [None, "", "  ", 7, ["ada"], "a" * 256, "a\nb", "a\0b", "\ud800", "\u202eada"]
)
def test_an_id_that_cannot_be_used_lets_nobody_in(sub: Any):
    with pytest.raises(BadClaim):
        of_token({"sub": sub}, GROUPS)


@pytest.mark.parametrize(
    ("claims", "name"),
    [
        ({"name": "Ada Lovelace", "email": "a@b"}, "Ada Lovelace"),
        ({"name": "  Ada\n Lovelace "}, "Ada Lovelace"),
        ({"name": "", "preferred_username": "ada"}, "ada"),
        ({"name": "a\u202eb", "email": "a@b"}, "a@b"),
        ({"name": 7, "email": ["x"]}, "u1"),
        ({"name": "x" * 500}, "x" * 60),
    ],
)
def test_the_first_name_that_can_be_shown_is_the_name(claims: dict[str, Any], name: str):
    assert of_token({"sub": "u1", **claims}, GROUPS).name == name


def test_a_proxy_names_who_asks_and_lists_groups():
    assert of_headers("ben@example.com", ["x, video"], GROUPS) == Said(
        "ben@example.com", "ben@example.com", "maker"
    )
    assert of_headers("ben", ["x|bosses"], GROUPS).role == "admin"
    assert of_headers("ben", ["x", "video"], GROUPS).role == "maker"
    assert of_headers("ben", [], GROUPS).role == "none"
    assert of_headers("ben", ["bosses"], SignInSettings(user_header="X-User")).role is None


def test_a_token_with_very_many_groups_is_read_up_to_a_bound():
    assert role(groups=[f"group {n}" for n in range(100_000)] + ["bosses"]) == "none"
    assert role(groups=["x" * 1000, "bosses"]) == "admin"
    assert role(groups="x," * 100_000 + "bosses") == "none"


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(st.dictionaries(st.sampled_from(["sub", "name", "email", "groups", "email_verified"]), json))
def test_whatever_a_token_holds_ends_in_a_person_or_in_words(claims: dict[str, Any]):
    try:
        said = of_token(claims, GROUPS)
    except BadClaim:
        return
    assert 0 < len(said.subject) <= 255
    assert 0 < len(said.name) <= 60
    assert said.role in ROLES
