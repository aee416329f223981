"""Invitations: a link with which somebody chooses a password, once, and is signed in."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from starlette.testclient import TestClient

from kling.studio.service import Studio
from tests.pages.signing_in import COOKIE, Site, enter, signed_in, site_of, words

CHOSEN = "a few words in a row"


@pytest.fixture
def site(studio: Studio) -> Site:
    site = site_of(studio)
    site.person("Boss", "admin")
    return site


@pytest.fixture
def token(site: Site) -> str:
    state = site.studio.state
    return state.invitations.make(state.people.add("Ben", "maker").id, "Boss")


@pytest.fixture
def browser(site: Site) -> TestClient:
    return site.browser()


def accept(browser: TestClient, token: str, password: str = CHOSEN):
    return browser.post(f"/sign-in/invitation/{token}", data={"password": password})


def test_the_link_greets_the_person_and_asks_for_a_password(browser: TestClient, token: str):
    page = browser.get(f"/sign-in/invitation/{token}")
    assert "Welcome, Ben" in words(page)
    assert 'autocomplete="new-password"' in page.text
    assert 'value="Ben" readonly autocomplete="username"' in page.text
    assert page.headers["referrer-policy"] == "same-origin"  # the link is told to no other site
    assert page.headers["cache-control"] == "no-store"


def test_a_chosen_password_signs_in_at_once_and_afterwards(site: Site, browser: TestClient, token: str):
    assert signed_in(accept(browser, token))
    assert browser.get("/").text == "Ben, maker"
    assert signed_in(enter(site.browser(), "Ben", CHOSEN))
    assert [each.action for each in site.studio.state.audit.search(person="Ben")] == [
        "sign in",
        "sign in",
        "accept invitation",
    ]


def test_a_link_works_once(site: Site, browser: TestClient, token: str):
    accept(browser, token)
    other = site.browser()
    for answer in (other.get(f"/sign-in/invitation/{token}"), accept(other, token, "another password")):
        assert answer.status_code == 404
        assert "This link cannot be used any more" in words(answer)
    assert not signed_in(enter(other, "Ben", "another password"))


def test_of_two_who_use_it_at_once_one_comes_in(site: Site, token: str):
    browsers = [site.browser() for _ in range(4)]
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(accept, browsers, [token] * 4))
    assert sorted(answer.status_code for answer in answers) == [303, 404, 404, 404]


def test_a_password_that_is_too_short_leaves_the_link_as_it_is(browser: TestClient, token: str):
    answer = accept(browser, token, "short")
    assert answer.status_code == 422
    assert "fewer than 12 characters" in words(answer)
    assert 'role="alert"' in answer.text
    assert signed_in(accept(browser, token))


@pytest.mark.parametrize("token", ["x", "A" * 43, "é", "a" * 5000])
def test_a_link_that_nobody_made_leads_nowhere(browser: TestClient, token: str):
    assert browser.get(f"/sign-in/invitation/{token}").status_code == 404
    assert accept(browser, token).status_code == 404


def test_a_new_password_ends_the_sessions_of_the_old_one(site: Site, browser: TestClient, token: str):
    accept(browser, token)
    state = site.studio.state
    ben = state.people.by_name("Ben")
    assert ben
    accept(site.browser(), state.invitations.make(ben.id, "Boss"), "quite another one")
    assert browser.get("/").status_code == 303


def test_the_session_that_a_browser_had_ends(site: Site, browser: TestClient, token: str):
    old = enter(browser, "Boss").cookies[COOKIE]
    accept(browser, token)
    assert site.studio.state.sessions.who(old) is None
    assert browser.get("/").text == "Ben, maker"


def test_another_site_cannot_set_a_password(browser: TestClient, token: str):
    answer = browser.post(
        f"/sign-in/invitation/{token}", data={"password": CHOSEN}, headers={"Origin": "https://evil.example"}
    )
    assert answer.status_code == 403
    assert signed_in(accept(browser, token))
