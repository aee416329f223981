"""When the studio may start: nobody may reach it whom it cannot tell from others."""

from __future__ import annotations

import pytest

from kling.studio.identity.ways import NoWayIn, check_start, is_loopback, outside_names
from kling.studio.sign_in_settings import OidcSettings, SignInSettings

HOME = ("127.0.0.1", ["localhost"], "")
OIDC = SignInSettings(oidc=OidcSettings(issuer="https://a.example", client_id="x", client_secret="y"))
PROXY = SignInSettings(user_header="X-User", proxy_secret="0123456789abcdef")


@pytest.mark.parametrize(
    ("bound_to", "called", "public_url"),
    [
        HOME,
        ("127.8.8.8", ["127.0.0.1", ""], "http://localhost:8501"),
        ("localhost", ["Localhost.", "studio.localhost"], "http://[::1]:8501"),
        ("::1", [], ""),
    ],
)
def test_a_studio_for_this_machine_alone_needs_no_way_in(bound_to, called, public_url):
    outside = outside_names(bound_to, called, public_url)
    assert outside == []
    check_start(outside, SignInSettings(), public_url, has_accounts=False)


@pytest.mark.parametrize(
    ("bound_to", "called", "public_url", "where"),
    [
        ("0.0.0.0", ["localhost"], "", "0.0.0.0"),
        ("", ["localhost"], "", "0.0.0.0"),
        ("::", [], "", "::"),
        ("10.0.0.7", [], "", "10.0.0.7"),
        ("127.0.0.1", ["studio.corp"], "", "studio.corp"),
        ("127.0.0.1", ["localhost", "*.corp"], "", "*.corp"),
        ("127.0.0.1", ["localhost"], "https://studio.corp", "studio.corp"),
        ("127.0.0.1", ["localhost.evil.example"], "", "localhost.evil.example"),
        ("127.0.0.1", ["127.0.0.1.nip.io"], "", "127.0.0.1.nip.io"),
    ],
)
def test_one_that_others_can_reach_says_which_two_settings_make_it_work(bound_to, called, public_url, where):
    outside = outside_names(bound_to, called, public_url)
    with pytest.raises(NoWayIn) as refused:
        check_start(outside, SignInSettings(), public_url, has_accounts=False)
    words = str(refused.value)
    assert f"(at {where})" in words
    assert "STUDIO_USER_HEADER" in words
    assert "STUDIO_PROXY_SECRET" in words
    assert "people add NAME --role admin" in words
    for settings, has_accounts in ((SignInSettings(), True), (PROXY, False)):
        check_start(outside, settings, public_url, has_accounts=has_accounts)
    check_start(outside, OIDC, public_url or "https://studio.corp", has_accounts=False)


def test_a_provider_needs_the_address_to_send_people_back_to():
    with pytest.raises(NoWayIn, match="STUDIO_PUBLIC_URL is not"):
        check_start(["studio.corp"], OIDC, "", has_accounts=True)
    check_start([], OIDC, "", has_accounts=False)


@pytest.mark.parametrize("host", ["", "0.0.0.0", "128.0.0.1", "evil.example", "localhost.example", "[::]"])
def test_a_host_that_is_not_this_machine_is_none(host):
    assert not is_loopback(host)
