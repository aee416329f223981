"""Settings on sign-in: what each means, and that a value which cannot be meant is refused with its remedy."""

from __future__ import annotations

from pathlib import Path

import pytest

from kling.studio.settings import Settings, SettingsError, load
from kling.studio.sign_in_settings import OidcSettings, SignInSettings

SECRET = "0123456789abcdef0123456789abcdef"
OIDC = {
    "STUDIO_OIDC_ISSUER": "https://login.example.com/realms/team",
    "STUDIO_OIDC_CLIENT_ID": "studio",
    "STUDIO_OIDC_CLIENT_SECRET": SECRET,
}
PROXY = {"STUDIO_USER_HEADER": "X-Forwarded-User", "STUDIO_PROXY_SECRET": SECRET}


def loaded(tmp_path: Path, env: dict[str, str]) -> Settings:
    return load(env, tmp_path / "secrets.toml", root=tmp_path)


def test_without_anything_there_is_no_way_in_of_its_own(tmp_path):
    sign_in = loaded(tmp_path, {}).sign_in
    assert sign_in == SignInSettings()
    assert not sign_in.has_way_in
    assert (sign_in.default_role, sign_in.hours) == ("none", 12)


def test_everything_can_be_set(tmp_path):
    sign_in = loaded(
        tmp_path,
        OIDC
        | PROXY
        | {
            "STUDIO_OIDC_NAME": "Acme",
            "STUDIO_OIDC_SCOPES": "openid email groups",
            "STUDIO_ROLES_CLAIM": "realm_access.roles",
            "STUDIO_ROLES_HEADER": "X-Forwarded-Groups",
            "STUDIO_ROLE_ADMIN": "studio-admins",
            "STUDIO_ROLE_MAKER": "video, design|marketing",
            "STUDIO_ROLE_VIEWER": "everybody",
            "STUDIO_ADMINS": "ada, ben@example.com",
            "STUDIO_DEFAULT_ROLE": "Viewer",
            "STUDIO_SESSION_HOURS": "8",
            "STUDIO_IDLE_HOURS": "0.5",
            "STUDIO_CONTACT": "studio@example.com",
        },
    ).sign_in
    assert sign_in.oidc == OidcSettings(
        issuer=OIDC["STUDIO_OIDC_ISSUER"],
        client_id="studio",
        client_secret=SECRET,
        name="Acme",
        scopes="openid email groups",
    )
    assert (sign_in.user_header, sign_in.proxy_secret) == ("X-Forwarded-User", SECRET)
    assert (sign_in.roles_claim, sign_in.roles_header) == ("realm_access.roles", "X-Forwarded-Groups")
    assert sign_in.role_values == {
        "admin": {"studio-admins"},
        "maker": {"video", "design", "marketing"},
        "viewer": {"everybody"},
    }
    assert sign_in.admins == {"ada", "ben@example.com"}
    assert (sign_in.default_role, sign_in.hours, sign_in.idle_hours) == ("viewer", 8, 0.5)
    assert sign_in.contact == "studio@example.com"


def test_it_can_stand_in_the_file_too(tmp_path):
    (tmp_path / "secrets.toml").write_text(
        '[kling]\nSTUDIO_ADMINS = ["ada", "ben"]\n' + "".join(f'{key} = "{OIDC[key]}"\n' for key in OIDC)
    )
    assert loaded(tmp_path, {}).sign_in.admins == {"ada", "ben"}


def test_secrets_stay_out_of_repr(tmp_path):
    assert SECRET not in repr(loaded(tmp_path, OIDC | PROXY))


@pytest.mark.parametrize(
    "issuer",
    [
        "https://login.example.com/realms/team/",
        "https://login.example.com/realms/team/.well-known/openid-configuration",
    ],
)
def test_what_is_copied_along_with_an_issuer_is_taken_off(tmp_path, issuer):
    oidc = loaded(tmp_path, OIDC | {"STUDIO_OIDC_ISSUER": issuer}).sign_in.oidc
    assert oidc is not None
    assert oidc.issuer == OIDC["STUDIO_OIDC_ISSUER"]
    assert oidc.metadata_url == f"{oidc.issuer}/.well-known/openid-configuration"


def test_idle_time_is_never_longer_than_a_session(tmp_path):
    assert loaded(tmp_path, {"STUDIO_SESSION_HOURS": "1"}).sign_in.idle_hours == 1


@pytest.mark.parametrize(
    ("env", "words"),
    [
        ({"STUDIO_OIDC_ISSUER": "https://a.example"}, "STUDIO_OIDC_CLIENT_ID is missing.*belong together"),
        (OIDC | {"STUDIO_OIDC_CLIENT_SECRET": ""}, "STUDIO_OIDC_CLIENT_SECRET is missing"),
        ({"STUDIO_OIDC_NAME": "Acme"}, "STUDIO_OIDC_NAME is set and STUDIO_OIDC_ISSUER is not"),
        (OIDC | {"STUDIO_OIDC_ISSUER": "login.example"}, "STUDIO_OIDC_ISSUER is not an address"),
        (OIDC | {"STUDIO_OIDC_ISSUER": "http://login.example"}, "STUDIO_OIDC_ISSUER is plain http.*https"),
        (OIDC | {"STUDIO_OIDC_ISSUER": "https://a.example?x=1"}, "STUDIO_OIDC_ISSUER has a query"),
        (OIDC | {"STUDIO_OIDC_SCOPES": "email"}, "STUDIO_OIDC_SCOPES .* openid among"),
        (OIDC | {"STUDIO_OIDC_CLIENT_SECRET": "geheim ✓"}, "STUDIO_OIDC_CLIENT_SECRET holds a character"),
        ({"STUDIO_USER_HEADER": "X-User"}, "STUDIO_PROXY_SECRET is not.*X-Studio-Proxy-Secret"),
        (PROXY | {"STUDIO_PROXY_SECRET": "short"}, "STUDIO_PROXY_SECRET is too short"),
        (PROXY | {"STUDIO_PROXY_SECRET": "0123456789 abcdef"}, "STUDIO_PROXY_SECRET .* character"),
        (PROXY | {"STUDIO_USER_HEADER": "X Forwarded User"}, "STUDIO_USER_HEADER .* no name of a header"),
        (PROXY | {"STUDIO_USER_HEADER": "X_Forwarded_User"}, "STUDIO_USER_HEADER .* with hyphens"),
        (
            PROXY | {"STUDIO_USER_HEADER": "Cookie"},
            "STUDIO_USER_HEADER is Cookie, which means something else",
        ),
        (PROXY | {"STUDIO_USER_HEADER": "X-Studio-Person"}, "X-Studio-Person, which means something else"),
        (
            OIDC | {"STUDIO_ROLES_HEADER": "X-Groups"},
            "STUDIO_ROLES_HEADER is set and STUDIO_USER_HEADER is not",
        ),
        (PROXY | {"STUDIO_ROLES_CLAIM": "groups"}, "STUDIO_ROLES_CLAIM is set and STUDIO_OIDC_ISSUER is not"),
        (OIDC | {"STUDIO_ROLES_CLAIM": "groups"}, "STUDIO_ROLES_CLAIM is set, and none of STUDIO_ROLE_ADMIN"),
        (OIDC | {"STUDIO_ROLE_ADMIN": "admins"}, "STUDIO_ROLE_ADMIN is set, and neither STUDIO_ROLES_CLAIM"),
        (
            OIDC | {"STUDIO_ROLES_CLAIM": "g", "STUDIO_ROLE_ADMIN": "x", "STUDIO_ROLE_VIEWER": "y,x"},
            "'x' stands in STUDIO_ROLE_ADMIN and in STUDIO_ROLE_VIEWER",
        ),
        ({"STUDIO_ADMINS": "ada"}, "STUDIO_ADMINS names people .* people role NAME admin"),
        (
            OIDC | {"STUDIO_DEFAULT_ROLE": "boss"},
            "STUDIO_DEFAULT_ROLE is 'boss': set it to one of none, viewer",
        ),
        ({"STUDIO_SESSION_HOURS": "12h"}, "STUDIO_SESSION_HOURS is '12h'.*number above 0"),
        ({"STUDIO_SESSION_HOURS": "0"}, "STUDIO_SESSION_HOURS"),
        ({"STUDIO_SESSION_HOURS": "100000"}, "STUDIO_SESSION_HOURS .* at most 744"),
        ({"STUDIO_SESSION_HOURS": "2", "STUDIO_IDLE_HOURS": "3"}, "STUDIO_IDLE_HOURS .*STUDIO_SESSION_HOURS"),
        ({"STUDIO_CONTACT": "a\nb"}, "STUDIO_CONTACT holds a line break"),
        ({"STUDIO_CALLBACKS": "maybe"}, "STUDIO_CALLBACKS is 'maybe': set it to on or off"),
        ({"STUDIO_CALLBACKS": "on"}, "STUDIO_CALLBACKS is on and STUDIO_PUBLIC_URL is not set"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_remedy(tmp_path, env, words):
    with pytest.raises(SettingsError, match=words) as caught:
        loaded(tmp_path, env)
    assert SECRET not in str(caught.value)


URL = {"STUDIO_PUBLIC_URL": "https://studio.example"}


@pytest.mark.parametrize(
    ("env", "comes_here"),
    [
        (URL, True),  # as before there was a sign-in
        (URL | OIDC, False),
        (URL | PROXY, False),
        (URL | OIDC | {"STUDIO_CALLBACKS": "on"}, True),
        (URL | {"STUDIO_CALLBACKS": "off"}, False),
    ],
)
def test_callbacks_are_asked_for_by_a_setting_of_their_own(tmp_path, env, comes_here):
    settings = loaded(tmp_path, env)
    assert settings.receives_callbacks is comes_here
    assert settings.callback_url == ("https://studio.example/callbacks" if comes_here else "")
    assert settings.public_url == "https://studio.example"


def test_an_address_for_people_does_not_hinder_callbacks_elsewhere(tmp_path):
    settings = loaded(tmp_path, URL | OIDC | {"STUDIO_CALLBACK_URL": "https://other.example/hook"})
    assert settings.callback_url == "https://other.example/hook"
    assert not settings.receives_callbacks
