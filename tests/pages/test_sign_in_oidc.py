"""Signing in at a provider: the way there and back, and whatever it says that is not right."""

from __future__ import annotations

import base64
import hmac
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import streamlit as st
from starlette.testclient import TestClient

from kling.studio.service import Studio
from kling.studio.sign_in_settings import OidcSettings, SignInSettings
from pages._ui.routes import oidc_under_way
from tests.pages.provider import KEYS, Provider, running
from tests.pages.signing_in import COOKIE, HERE, Site, enter, signed_in, site_of, words

GROUPS = {"roles_claim": "groups", "role_values": {"maker": frozenset({"video"})}}
UNDER_WAY = "studio_sign_in"


@pytest.fixture
def provider() -> Iterator[Provider]:
    with running() as provider:
        yield provider


def settings_of(provider: Provider, **others: Any) -> SignInSettings:
    oidc = OidcSettings(
        issuer=provider.issuer, client_id="studio", client_secret="secret-of-the-client", name="Acme"
    )
    return SignInSettings(oidc=oidc, **{"default_role": "viewer", **others})


@pytest.fixture
def site(studio: Studio, provider: Provider) -> Site:
    return site_of(studio, settings_of(provider), public_url=HERE)


@pytest.fixture
def browser(site: Site) -> TestClient:
    return site.browser()


def leave(browser: TestClient, provider: Provider, to: str = "") -> dict[str, str]:
    """Go to the provider; return what it is asked."""
    answer = browser.get("/sign-in/oidc", params={"to": to} if to else {})
    assert answer.status_code == 302
    asked = {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["location"]).query).items()}
    provider.nonce = asked["nonce"]
    return asked


def come_back(browser: TestClient, asked: dict[str, str], **others: str):
    return browser.get("/sign-in/callback", params={"code": "x", "state": asked["state"], **others})


# -- as it should be -----------------------------------------------------------------------------------------


def test_somebody_goes_there_and_comes_back_to_where_they_wanted_to_go(
    site: Site, browser: TestClient, provider: Provider
):
    page = browser.get("/sign-in?to=/history%3Fq%3Dfox")
    assert "Continue with Acme" in words(page)
    assert 'href="/sign-in/oidc?to=/history%3Fq%3Dfox"' in page.text
    assert provider.asked == []  # nothing is asked before somebody wants to go there
    asked = leave(browser, provider, "/history?q=fox")
    assert asked["redirect_uri"] == f"{HERE}/sign-in/callback"
    assert (asked["client_id"], asked["response_type"]) == ("studio", "code")
    assert asked["code_challenge_method"] == "S256"
    assert "prompt" not in asked
    answer = come_back(browser, asked)
    assert signed_in(answer)
    assert answer.headers["location"] == "/history?q=fox"
    assert browser.get("/").text == "Ada, viewer"
    assert provider.forms[0]["code_verifier"]
    [person] = site.studio.state.people.list()
    assert (person.way, person.subject) == ("oidc", f"{provider.issuer} ada")
    assert site.studio.state.audit.search()[0].thing == "oidc"


def test_a_very_long_way_back_is_given_up_and_not_the_sign_in(browser: TestClient, provider: Provider):
    for length, to in ((1400, "/history?q="), (5000, "")):
        answer = come_back(browser, leave(browser, provider, "/history?q=" + "ab" * (length // 2)))
        assert signed_in(answer)
        assert answer.headers["location"] == (to + "ab" * 700 if to else "/")


def test_the_secrets_of_a_sign_in_under_way_lie_in_a_cookie_that_ends_soon(
    browser: TestClient, provider: Provider
):
    cookie = browser.get("/sign-in/oidc").headers["set-cookie"]
    assert f"{UNDER_WAY}=" in cookie
    assert "; Path=/; Max-Age=600; HttpOnly; SameSite=Lax" in cookie
    answer = come_back(browser, leave(browser, provider))
    assert any(text.startswith(f"{UNDER_WAY}=") for text in answer.headers.get_list("set-cookie"))


def test_another_account_is_asked_for_only_where_somebody_wants_one(browser: TestClient):
    answer = browser.get("/sign-in/oidc?other=1")
    assert "prompt=select_account" in answer.headers["location"]


def test_using_another_account_ends_the_session_and_leads_to_the_choice(
    browser: TestClient, provider: Provider
):
    come_back(browser, leave(browser, provider))
    page = browser.get(browser.post("/sign-out", data={"other": "yes"}).headers["location"])
    assert browser.get("/").status_code == 303
    assert "You are signed out." in words(page)
    assert 'href="/sign-in/oidc?other=1"' in page.text  # a link: a form may lead to this server only


def test_the_second_time_it_is_the_same_person_with_the_name_of_now(
    site: Site, browser: TestClient, provider: Provider
):
    come_back(browser, leave(browser, provider))
    first = browser.get("/").text
    provider.claims["name"] = "Ada Lovelace"
    other = site.browser()
    come_back(other, leave(other, provider))
    assert (first, other.get("/").text) == ("Ada, viewer", "Ada Lovelace, viewer")
    assert len(site.studio.state.people.list()) == 1


def test_groups_give_the_role_at_each_sign_in(studio: Studio, provider: Provider):
    site = site_of(studio, settings_of(provider, **GROUPS), public_url=HERE)
    browser = site.browser()
    for groups, role in ((["video"], "maker"), (["x"], "viewer"), (["x", "video"], "maker")):
        provider.claims["groups"] = groups
        come_back(browser, leave(browser, provider))
        assert browser.get("/").text == f"Ada, {role}"


def test_groups_that_the_token_leaves_out_are_asked_for(studio: Studio, provider: Provider):
    provider.userinfo = {"sub": "ada", "groups": ["video"], "name": "Mallory"}
    site = site_of(studio, settings_of(provider, **GROUPS), public_url=HERE)
    browser = site.browser()
    come_back(browser, leave(browser, provider))
    assert browser.get("/").text == "Ada, maker"  # what the token says counts more


@pytest.mark.parametrize(
    ("token", "userinfo", "role"),
    [
        ({}, {"email": "ada@example.com", "email_verified": True}, "admin"),
        ({}, {"email": "ada@example.com", "email_verified": False}, "viewer"),
        ({"email": "ada@example.com"}, {"email": "ada@example.com", "email_verified": True}, "admin"),
        ({"email": "ada@example.com"}, {"email": "eve@example.com", "email_verified": True}, "viewer"),
        ({"email": "ada@example.com"}, {"email_verified": True}, "viewer"),
        ({"email_verified": True}, {"email": "ada@example.com"}, "viewer"),
        ({"email": "ada@example.com"}, {}, "viewer"),
    ],
)
def test_an_admins_address_that_the_token_leaves_out_is_asked_for(
    studio: Studio, provider: Provider, token: dict[str, Any], userinfo: dict[str, Any], role: str
):
    provider.claims, provider.userinfo = token, {"sub": "ada", **userinfo}
    settings = settings_of(provider, admins=frozenset({"ada@example.com"}))
    browser = site_of(studio, settings, public_url=HERE).browser()
    come_back(browser, leave(browser, provider))
    assert browser.get("/").text == f"Ada, {role}"


def test_what_is_said_of_somebody_else_is_not_believed(studio: Studio, provider: Provider):
    provider.userinfo = {"sub": "root", "groups": ["video"]}
    site = site_of(studio, settings_of(provider, **GROUPS), public_url=HERE)
    browser = site.browser()
    answer = come_back(browser, leave(browser, provider))
    assert answer.status_code == 502
    assert "two people at once" in words(answer)


def test_without_a_role_one_is_told_so_and_can_take_another_account(studio: Studio, provider: Provider):
    site = site_of(studio, settings_of(provider, default_role="none", contact="the desk"), public_url=HERE)
    browser = site.browser()
    assert come_back(browser, leave(browser, provider)).headers["location"] == "/"
    page = browser.get(browser.get("/").headers["location"])
    assert "Ada has no access here" in words(page)
    assert "ask the desk" in words(page)
    assert "Use another account" in words(page)


def test_an_admin_of_the_settings_is_one(studio: Studio, provider: Provider):
    site = site_of(studio, settings_of(provider, admins=frozenset({"ada"})), public_url=HERE)
    browser = site.browser()
    come_back(browser, leave(browser, provider))
    assert browser.get("/").text == "Ada, admin"


def test_a_name_that_an_account_has_is_not_taken_over(site: Site, browser: TestClient, provider: Provider):
    site.person("Ada", "admin")
    come_back(browser, leave(browser, provider))
    name, role = browser.get("/").text.split(", ")
    assert (name != "Ada", role) == (True, "viewer")


def test_people_of_another_provider_are_not_taken_for_those_of_this_one(
    studio: Studio, browser: TestClient, provider: Provider
):
    come_back(browser, leave(browser, provider))
    with running() as other:
        elsewhere = site_of(studio, settings_of(other), public_url=HERE)
        browser = elsewhere.browser()
        come_back(browser, leave(browser, other))
        assert len(elsewhere.studio.state.people.list()) == 2


def test_two_tabs_may_sign_in_side_by_side(browser: TestClient, provider: Provider):
    first = leave(browser, provider, "/history")
    nonce = provider.nonce
    second = leave(browser, provider, "/")
    assert signed_in(come_back(browser, second))
    provider.nonce = nonce
    answer = come_back(browser, first)
    assert answer.headers["location"] == "/history"


def test_a_browser_that_begins_at_another_name_goes_to_the_one_of_the_redirect_first(
    studio: Studio, provider: Provider
):
    site = site_of(studio, settings_of(provider), public_url="http://127.0.0.1:8501")
    browser = site.browser()
    there = browser.get("/sign-in/oidc?to=/history").headers["location"]
    assert there == "http://127.0.0.1:8501/sign-in/oidc?here=1&to=/history"
    # It goes no further.
    assert browser.get("/sign-in/oidc?here=1").headers["location"].startswith(provider.issuer)


def test_the_address_to_come_back_to_never_comes_from_the_request(studio: Studio, provider: Provider):
    site = site_of(
        studio, settings_of(provider), public_url="https://studio.example", url="https://studio.example"
    )
    browser = site.browser(headers={"X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example"})
    asked = leave(browser, provider)
    assert asked["redirect_uri"] == "https://studio.example/sign-in/callback"
    assert browser.get("/sign-in/oidc", headers={"Host": "evil.example"}).status_code == 403


def test_without_a_public_address_it_is_the_one_of_this_machine(
    studio: Studio, provider: Provider, monkeypatch: pytest.MonkeyPatch
):
    real, options = st.get_option, {"server.port": 8501, "server.baseUrlPath": "team"}
    monkeypatch.setattr(st, "get_option", lambda name: options.get(name, real(name)))
    browser = site_of(studio, settings_of(provider)).browser()
    there = browser.get("/team/sign-in/oidc").headers["location"]
    assert parse_qs(urlsplit(there).query)["redirect_uri"] == [f"{HERE}/team/sign-in/callback"]


def test_named_accounts_stand_beside_the_provider(site: Site, browser: TestClient):
    site.person()
    page = words(browser.get("/sign-in"))
    assert page.index("Password") < page.index("or Continue with Acme")
    assert signed_in(enter(browser))


# -- as it should not be -------------------------------------------------------------------------------------


def now(seconds: float) -> int:
    return int(time.time() + seconds)


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://evil.example"},
        {"iss": None},
        {"aud": "another-client"},
        {"aud": ["another-client"], "azp": "studio"},
        {"aud": None},
        {"azp": "another-client"},
        {"nonce": "of-another-sign-in"},
        {"nonce": None},
        {"exp": now(-3600), "iat": now(-7200)},
        {"exp": None},
        {"iat": now(3600)},
        {"nbf": now(3600)},
        {"sub": None},
        {"sub": ""},
        {"sub": "x" * 300},
        {"sub": ["ada"]},
        {"sub": "a\nb"},
    ],
)
def test_a_token_that_is_not_for_this_sign_in_lets_nobody_in(
    site: Site, browser: TestClient, provider: Provider, claims: dict[str, Any]
):
    asked = leave(browser, provider)
    provider.claims = claims
    answer = come_back(browser, asked)
    assert not signed_in(answer)
    assert answer.status_code in {400, 502}
    assert 'role="alert"' in answer.text
    assert browser.get("/").status_code == 303
    assert site.studio.state.people.list() == ()


def signed_with(secret: bytes, token: str) -> str:
    """Return the token with a signature that needs no private key."""
    head = base64.urlsafe_b64encode(b'{"alg":"HS256","kid":"0"}').rstrip(b"=")
    body = head + b"." + token.split(".")[1].encode()
    signature = base64.urlsafe_b64encode(hmac.digest(secret, body, "sha256")).rstrip(b"=")
    return (body + b"." + signature).decode()


@pytest.mark.parametrize("kind", ["another key", "no signature", "the client's secret", "its public key"])
def test_a_token_that_the_provider_did_not_sign_lets_nobody_in(
    browser: TestClient, provider: Provider, kind: str
):
    asked = leave(browser, provider)
    token = provider.tokens()["id_token"]
    if kind == "another key":
        provider.key = KEYS[1]
    elif kind == "no signature":
        provider.token = {"id_token": f"eyJhbGciOiJub25lIn0.{token.split('.')[1]}."}
    elif kind == "the client's secret":
        provider.token = {"id_token": signed_with(b"secret-of-the-client", token)}
    else:
        provider.token = {"id_token": signed_with(KEYS[0].as_pem(private=False), token)}
    assert not signed_in(come_back(browser, asked))
    assert browser.get("/").status_code == 303


@pytest.mark.parametrize(
    "token",
    [
        {"id_token": None},
        {"id_token": "x.y.z"},
        {"id_token": 7},
        {"access_token": None, "error": "invalid_grant"},
    ],
)
def test_an_answer_without_a_token_ends_in_words(
    browser: TestClient, provider: Provider, token: dict[str, Any]
):
    asked = leave(browser, provider)
    provider.token = token
    answer = come_back(browser, asked)
    assert answer.status_code in {400, 502}
    assert 'role="alert"' in answer.text


def test_an_answer_to_a_sign_in_of_another_browser_counts_for_nothing(
    site: Site, browser: TestClient, provider: Provider
):
    """An attacker's own answer, planted into a victim's browser, would sign the victim in as the attacker."""
    attackers = leave(site.browser(), provider)
    victim = browser
    leave(victim, provider)
    for asked in (attackers, {"state": ""}, {"state": "x" * 5000}):
        answer = come_back(victim, asked)
        assert answer.status_code == 400
        assert "begun in another browser" in words(answer)
    assert "/token" not in provider.asked


def test_an_answer_counts_once(browser: TestClient, provider: Provider):
    asked = leave(browser, provider)
    under_way = browser.cookies["studio_sign_in"]
    assert signed_in(come_back(browser, asked))
    assert come_back(browser, asked).status_code == 400
    browser.cookies.set("studio_sign_in", under_way)  # sent once more
    provider.asked.clear()
    assert come_back(browser, asked).status_code == 400
    assert "/token" not in provider.asked


def test_a_sign_in_under_way_ends_after_ten_minutes(
    browser: TestClient, provider: Provider, monkeypatch: pytest.MonkeyPatch
):
    asked = leave(browser, provider)
    monkeypatch.setattr(oidc_under_way, "SECONDS", -1)
    assert "more than ten minutes ago" in words(come_back(browser, asked))


@pytest.mark.parametrize("value", ["", "x", "e30.x.y", "é", "." * 4000])
def test_a_forged_cookie_of_a_sign_in_counts_for_nothing(browser: TestClient, provider: Provider, value: str):
    asked = leave(browser, provider)
    browser.cookies.clear()
    browser.headers["Cookie"] = f"{UNDER_WAY}={value}".encode().decode("ascii", "ignore")
    assert come_back(browser, asked).status_code == 400


def test_the_providers_error_is_said_and_quoted_as_text(browser: TestClient, provider: Provider):
    asked = leave(browser, provider)
    answer = come_back(
        browser, asked, error="access_denied", error_description="No <b>group</b>\n here" + "x" * 999
    )
    assert answer.status_code == 400
    assert "Acme did not let you in" in words(answer)
    assert "&lt;b&gt;group&lt;/b&gt; here" in answer.text
    assert "x" * 201 not in answer.text


def test_an_error_that_nobody_waits_for_puts_no_words_on_the_page(browser: TestClient):
    answer = browser.get("/sign-in/callback?error=x&error_description=Call+0900+1234&state=y")
    assert answer.status_code == 400
    assert "0900" not in answer.text


@pytest.mark.parametrize(
    ("metadata", "said"),
    [
        ({"issuer": "https://evil.example"}, "calls itself https://evil.example"),
        ({"issuer": None}, "STUDIO_OIDC_ISSUER is"),
        ({"token_endpoint": "http://login.example/token"}, "token_endpoint is plain http"),
        ({"authorization_endpoint": None}, "names no authorization_endpoint"),
        ({"authorization_endpoint": "javascript:alert(1)"}, "names no authorization_endpoint"),
        ({"jwks_uri": "file:///etc/passwd"}, "names no jwks_uri"),
    ],
)
def test_a_description_that_is_another_providers_is_not_used(
    browser: TestClient, provider: Provider, metadata: dict[str, Any], said: str
):
    provider.metadata = metadata
    answer = browser.get("/sign-in/oidc")
    assert answer.status_code == 502
    assert said in words(answer)


@pytest.mark.parametrize(
    ("path", "status"),
    [("/.well-known/openid-configuration", 500), ("/.well-known/openid-configuration", 404)],
)
def test_a_provider_that_does_not_answer_is_said_and_asked_again(
    browser: TestClient, provider: Provider, path: str, status: int, monkeypatch: pytest.MonkeyPatch
):
    from pages._ui.routes import oidc

    monkeypatch.setattr(oidc, "ASK_AGAIN", 0.0)
    provider.broken[path] = status
    answer = browser.get("/sign-in/oidc")
    assert answer.status_code == 503
    assert f"HTTP {status}" in words(answer)
    provider.broken.clear()
    assert browser.get("/sign-in/oidc").status_code == 302


def test_a_provider_that_is_down_is_not_asked_by_every_request(browser: TestClient, provider: Provider):
    provider.broken["/.well-known/openid-configuration"] = 500
    for _ in range(10):
        assert browser.get("/sign-in/oidc").status_code == 503
    assert len(provider.asked) == 1


@pytest.mark.parametrize("path", ["/token", "/jwks"])
def test_a_provider_that_fails_on_the_way_back_is_said(browser: TestClient, provider: Provider, path: str):
    asked = leave(browser, provider)
    provider.broken[path] = 500
    answer = come_back(browser, asked)
    assert not signed_in(answer)
    assert answer.status_code >= 400
    assert 'role="alert"' in answer.text


def test_a_provider_that_nobody_runs_is_said(studio: Studio, provider: Provider):
    settings = settings_of(provider)
    assert settings.oidc
    nobody = replace(settings.oidc, issuer="http://127.0.0.1:9")
    site = site_of(studio, replace(settings, oidc=nobody), public_url=HERE)
    answer = site.browser().get("/sign-in/oidc")
    assert answer.status_code == 503
    assert "does not answer" in words(answer)


def test_a_planted_session_ends_with_the_sign_in(site: Site, browser: TestClient, provider: Provider):
    site.person("Eve")
    eve = site.browser()
    planted = enter(eve, "Eve").cookies[COOKIE]
    asked = leave(browser, provider)
    browser.cookies.set(COOKIE, planted)
    assert come_back(browser, asked).cookies[COOKIE] != planted
    assert site.studio.state.sessions.who(planted) is None


def test_a_removed_person_is_told_so(site: Site, browser: TestClient, provider: Provider):
    come_back(browser, leave(browser, provider))
    people = site.studio.state.people
    people.remove(people.list()[0].id)
    answer = come_back(browser, leave(browser, provider))
    assert answer.status_code == 403
    assert "was removed" in words(answer)
