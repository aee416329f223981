"""A proxy in front names who asks: believed with its secret only, asked at every request."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from kling.studio.service import Studio
from kling.studio.sign_in_settings import SignInSettings
from tests.pages.signing_in import COOKIE, Site, closed_with, enter, signed_in, site_of, words

SECRET = "0123456789abcdef0123456789abcdef"
SETTINGS = SignInSettings(
    user_header="X-Forwarded-User",
    proxy_secret=SECRET,
    roles_header="X-Forwarded-Groups",
    role_values={"admin": frozenset({"bosses"}), "maker": frozenset({"video"})},
    default_role="viewer",
    admins=frozenset({"root@example.com"}),
)
PROGRAM = {"Accept": "*/*"}


def says(user: str, groups: str = "video", secret: str = SECRET) -> dict[str, str]:
    """Return the headers that the proxy adds."""
    return {
        "X-Forwarded-User": user,
        "X-Forwarded-Groups": groups,
        "X-Studio-Proxy-Secret": secret,
        "X-Forwarded-For": "10.1.2.3",
        "X-Forwarded-Proto": "http",
    }


@pytest.fixture
def site(studio: Studio) -> Site:
    return site_of(studio, SETTINGS)


def test_the_first_request_makes_the_person_and_the_session(site: Site):
    browser = site.browser(headers=says("ada@example.com"))
    answer = browser.get("/history")
    assert answer.text == "ada@example.com, maker"
    assert f"{COOKIE}=" in answer.headers["set-cookie"]
    again = browser.get("/history")
    assert again.text == "ada@example.com, maker"
    assert COOKIE not in again.headers.get("set-cookie", "")
    [session] = site.studio.state.sessions.of(site.studio.state.people.list()[0].id)
    assert session.way == "proxy"


@pytest.mark.parametrize(
    ("groups", "role"),
    [
        ("x,bosses", "admin"),
        ("x|video", "maker"),
        ("", "viewer"),
        ("video bosses", "viewer"),
        ("x;bosses", "viewer"),
    ],
)
def test_groups_give_the_role_and_a_change_of_them_counts_at_once(site: Site, groups: str, role: str):
    browser = site.browser(headers=says("ada"))
    assert browser.get("/").text == "ada, maker"
    browser.headers["X-Forwarded-Groups"] = groups
    assert browser.get("/").text == f"ada, {role}"


def test_an_admin_of_the_settings_is_one(site: Site):
    assert site.browser(headers=says("root@example.com", "")).get("/").text == "root@example.com, admin"


@pytest.mark.parametrize("secret", ["", "wrong", SECRET[:-1], SECRET + "0", SECRET.upper(), "é"])
def test_without_the_right_secret_the_header_is_refused_in_words(site: Site, secret: str):
    headers = says("ada", secret=secret)
    browser = site.browser(headers={name: value.encode() for name, value in headers.items()} | PROGRAM)
    answer = browser.get("/")
    assert answer.status_code == 401
    assert "X-Studio-Proxy-Secret" in answer.text
    assert SECRET not in answer.text
    assert site.studio.state.people.list() == ()
    page = site.browser(headers={"X-Forwarded-User": "ada"}).get("/sign-in")
    assert page.status_code == 401
    assert "X-Studio-Proxy-Secret" in words(page)


def test_a_header_that_came_twice_is_refused(site: Site):
    headers = [*says("ada").items(), ("X-Forwarded-User", "root@example.com"), ("Accept", "*/*")]
    with TestClient(site.app, base_url=site.url) as browser:
        assert browser.get("/", headers=headers).status_code == 401
        twice = [*says("ada").items(), ("X-Studio-Proxy-Secret", SECRET)]
        assert browser.get("/", headers=twice).status_code == 401


def test_the_gates_own_header_and_a_look_alike_count_for_nothing(site: Site):
    browser = site.browser(headers={"X-Studio-Person": "ada", "X_Forwarded_User": "ada"} | PROGRAM)
    browser.headers["X-Studio-Proxy-Secret"] = SECRET
    assert browser.get("/").status_code == 401


def test_a_session_of_the_proxy_is_worth_nothing_without_it(site: Site):
    token = site.browser(headers=says("ada")).get("/").cookies[COOKIE]
    around = site.browser(headers={"Cookie": f"{COOKIE}={token}"} | PROGRAM)
    answer = around.get("/")
    assert answer.status_code == 401
    assert "proxy" in answer.text
    spoofed = site.browser(headers={"Cookie": f"{COOKIE}={token}", "X-Forwarded-User": "ada"} | PROGRAM)
    assert spoofed.get("/").status_code == 401


def test_a_cookie_of_somebody_else_is_replaced(site: Site):
    ada = site.browser(headers=says("ada"))
    token = ada.get("/").cookies[COOKIE]
    ben = site.browser(headers=says("ben"))
    ben.cookies.set(COOKIE, token)
    answer = ben.get("/")
    assert answer.text == "ben, maker"
    assert answer.cookies[COOKIE] != token


def test_a_browser_that_loads_much_at_once_gets_one_session(site: Site):
    tokens = {site.browser(headers=says("ada")).get("/").cookies[COOKIE] for _ in range(5)}
    assert len(tokens) == 1
    other = site.browser(headers=says("ada") | {"User-Agent": "another browser"})
    assert other.get("/").cookies[COOKIE] not in tokens


def test_who_has_signed_out_stays_out_until_a_press(site: Site):
    browser = site.browser(headers=says("ada"))
    browser.get("/")
    out = browser.post("/sign-out/everywhere")
    assert "You are signed out." in words(browser.get(out.headers["location"]))
    away = browser.get("/history?q=fox")
    assert away.headers["location"] == "/sign-in?to=/history%3Fq%3Dfox"
    assert browser.get("/live", headers=PROGRAM).status_code == 401
    page = browser.get(away.headers["location"])
    assert "Continue as ada" in words(page)
    answer = browser.post("/sign-in/proxy", data={"to": "/history?q=fox"})
    assert signed_in(answer)
    assert answer.headers["location"] == "/history?q=fox"
    assert browser.get("/").text == "ada, maker"


def test_who_has_signed_out_keeps_nobody_else_out_of_the_same_browser(site: Site):
    browser = site.browser(headers=says("eve"))
    ended = browser.get("/").cookies[COOKIE]
    browser.post("/sign-out")
    assert browser.get("/").status_code == 303
    fred = site.browser(headers=says("fred"))
    fred.cookies.set(COOKIE, ended)
    assert fred.get("/").text == "fred, maker"
    assert browser.get("/").status_code == 303


def test_nobody_continues_whom_the_proxy_does_not_name(site: Site):
    assert not signed_in(site.browser().post("/sign-in/proxy", data={"to": "/"}))
    assert not signed_in(site.browser(headers=says("ada", secret="x")).post("/sign-in/proxy"))


def test_a_removed_person_is_told_so(site: Site):
    browser = site.browser(headers=says("ada"))
    browser.get("/")
    people = site.studio.state.people
    people.remove(people.list()[0].id)
    assert browser.get("/").status_code == 303
    page = browser.get("/sign-in")
    assert page.status_code == 401
    assert "was removed" in words(page)


def test_a_name_may_be_utf_8_and_what_cannot_be_a_name_is_refused(site: Site):
    browser = site.browser(headers={name: value.encode() for name, value in says("Zoë Müller").items()})
    assert browser.get("/").text == "Zoë Müller, maker"
    long = site.browser(headers=says("a" * 300) | PROGRAM).get("/")
    assert long.status_code == 401
    assert "X-Forwarded-User" in long.text


def test_two_people_whom_the_proxy_calls_alike_stay_two(site: Site):
    first, second = site.browser(headers=says("ada")), site.browser(headers=says("ADA"))
    first.get("/")
    assert second.get("/").text != "ada, maker"
    assert len(site.studio.state.people.list()) == 2


def test_a_path_that_the_proxy_lets_through_without_a_name_leads_to_the_sign_in(site: Site):
    headers = {name: value for name, value in says("").items() if value}
    answer = site.browser(headers=headers).get("/")
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?to=/")


def test_named_accounts_work_beside_the_proxy(site: Site):
    site.person()
    browser = site.browser()
    assert signed_in(enter(browser))
    assert browser.get("/").text == "Anna, maker"


def test_a_socket_opens_for_whom_the_proxy_names_and_closes_with_the_session(site: Site):
    with site.browser(headers=says("ada")) as browser:
        browser.get("/")
        with browser.websocket_connect("ws://localhost:8501/live") as socket:
            socket.receive_text()
            browser.post("/sign-out/everywhere")
            assert closed_with(socket) == 1008
        with pytest.raises(WebSocketDisconnect), browser.websocket_connect("ws://localhost:8501/live"):
            pass
