"""Signing in by name and password, the way back, and signing out; and attacks on each."""

from __future__ import annotations

import re
import time
from concurrent.futures import ThreadPoolExecutor, wait
from threading import Event

import pytest
import streamlit as st
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from kling.studio.identity.passwords import MOST_WAITING
from kling.studio.identity.tries import FREE, Tries
from kling.studio.service import Studio
from kling.studio.state.records import StateError
from pages._ui import context
from pages._ui.routes import sign_in
from tests.pages.people import uses_of
from tests.pages.signing_in import COOKIE, HERE, PASSWORD, Site, closed_with, enter, signed_in, site_of, words

SOCKETS = "ws://localhost:8501"


@pytest.fixture
def site(studio: Studio) -> Site:
    site = site_of(studio)
    site.person()
    return site


@pytest.fixture
def browser(site: Site) -> TestClient:
    return site.browser()


def below(monkeypatch: pytest.MonkeyPatch, base: str) -> None:
    """Let the server answer below a path."""
    real = st.get_option
    monkeypatch.setattr(st, "get_option", lambda name: base if name == "server.baseUrlPath" else real(name))


# -- the way in, and back ------------------------------------------------------------------------------------


def test_a_page_leads_to_the_sign_in_and_from_there_to_where_one_wanted_to_go(browser: TestClient):
    away = browser.get("/history?q=red+fox&page=2")
    assert away.status_code == 303
    page = browser.get(away.headers["location"])
    assert page.status_code == 200
    to = re.search(r'name="to" value="([^"]*)"', page.text)
    assert to
    answer = enter(browser, to=to[1].replace("&amp;", "&"))
    assert signed_in(answer)
    assert answer.headers["location"] == "/history?q=red+fox&page=2"
    assert browser.get(answer.headers["location"]).text == "Anna, maker"


def test_below_a_base_path_everything_stays_below_it(studio: Studio, monkeypatch: pytest.MonkeyPatch):
    below(monkeypatch, "team/studio")
    site = site_of(studio)
    site.person()
    browser = site.browser()
    away = browser.get("/team/studio/history?q=fox").headers["location"]
    assert away == "/team/studio/sign-in?to=/team/studio/history%3Fq%3Dfox"
    page = browser.get(away).text
    assert 'action="/team/studio/sign-in"' in page
    assert browser.get("/team/studio/public/style.css").status_code == 200
    answer = enter(browser, to="/team/studio/history?q=fox", base="/team/studio")
    assert answer.headers["location"] == "/team/studio/history?q=fox"
    assert "; Path=/team/studio;" in answer.headers["set-cookie"]
    assert browser.get("/team/studio/history").text == "Anna, maker"
    assert enter(site.browser(), to="/history", base="/team/studio").headers["location"] == "/team/studio/"


@pytest.mark.parametrize(
    "to",
    [
        "//evil.example",
        "/%2e%2e/other",
        "/%2e/sign-out",
        "/%2f%2fevil.example",
        "/%5cevil.example",
        "///evil.example",
        "/\\evil.example",
        "\\/evil.example",
        "https://evil.example",
        "https:/evil.example",
        "javascript:alert(1)",
        "/history\r\nSet-Cookie: a=b",
        "/\t/evil.example",
        "\n//evil.example",
        "evil.example",
        "@evil.example",
        "/history/../..//evil.example",
        "/sign-in?to=/",
        "/sign-out",
        "http://localhost:8501@evil.example",
        "/\u0000",
        "/ //evil.example",
    ],
)
def test_the_way_back_leads_nowhere_else(browser: TestClient, to: str):
    answer = enter(browser, to=to)
    assert answer.headers["location"] == "/"
    assert browser.get("/sign-in", params={"to": to}).headers["location"] == "/"


def test_the_name_may_be_written_in_any_case(browser: TestClient):
    assert signed_in(enter(browser, " ANNA "))


def test_who_is_signed_in_is_led_on_at_once(browser: TestClient):
    enter(browser)
    answer = browser.get("/sign-in?to=/history")
    assert (answer.status_code, answer.headers["location"]) == (303, "/history")


def test_a_studio_that_is_local_needs_no_sign_in(studio: Studio):
    browser = site_of(studio).browser()
    assert browser.get("/").text == ", admin"
    assert browser.get("/sign-in?to=/history").headers["location"] == "/history"
    assert enter(browser).headers["location"] == "/"
    assert browser.get("/sign-out").status_code == 303


def test_the_page_says_how_long_a_session_lasts_and_whom_to_ask(studio: Studio):
    from kling.studio.sign_in_settings import SignInSettings

    site = site_of(studio, SignInSettings(hours=48, contact="studio@example.com"))
    site.person()
    page = site.browser().get("/sign-in")
    assert "for 2 days, or until nobody has used it for 4 hours." in words(page)
    assert '<a href="mailto:studio@example.com">' in page.text


def test_who_comes_back_after_the_session_has_ended_is_told_so(site: Site, browser: TestClient):
    assert signed_in(enter(browser))
    assert "has ended" not in words(browser.get("/sign-in"))
    (person,) = site.studio.state.people.list()
    site.studio.state.sessions.end_all(person.id)
    away = browser.get("/history")
    assert "Your session has ended." in words(browser.get(away.headers["location"]))
    assert "has ended" not in words(site.browser().get("/sign-in"))


# -- the page itself -----------------------------------------------------------------------------------------


def test_the_page_needs_no_script_and_lets_nothing_in(browser: TestClient):
    page = browser.get("/sign-in")
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert "form-action 'self'" in policy
    assert page.headers["cache-control"] == "no-store"
    assert not re.search(r"<script(?![^>]* src=)|<style| style=| on\w+=", page.text)
    for label, kind in (("Name", "username"), ("Password", "current-password")):
        field = re.search(rf'<label for="(\w+)">{label}</label><input id="\1"[^>]*>', page.text)
        assert field
        assert f'autocomplete="{kind}"' in field[0]
    for address in set(re.findall(r'(?:src|href)="(/[^"]+)"', page.text)):
        answer = browser.get(address)
        assert answer.status_code == 200, address
        assert "public" in answer.headers["cache-control"]


@pytest.mark.parametrize(
    "name",
    ["page.html", "..%2fgate.py", "%2e%2e/gate.py", "posters/..%2f..%2fstyle.css", "posters/dog-beach.jpg"],
)
def test_nothing_else_is_public(browser: TestClient, name: str):
    assert browser.get(f"/public/{name}").status_code in {303, 404}


def test_what_was_typed_as_the_name_is_kept_and_cannot_become_markup(browser: TestClient):
    name = "\"><script>alert(1)</script>&'"
    page = enter(browser, name, "wrong")
    assert "<script>alert" not in page.text
    assert 'value="&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;&amp;&#x27;"' in page.text
    assert "wrong" not in re.sub(r'id="wrong"|="wrong"', "", page.text)
    assert '<p class="said bad" role="alert" id="wrong">' in page.text
    assert page.text.count('aria-describedby="wrong"') == 2


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", "application/x-www-form-urlencoded"),
        (b"\xff=\xff&name=Anna", "application/x-www-form-urlencoded"),
        (b"name=%FF%FE&password=%00", "application/x-www-form-urlencoded"),
        (b'{"name": "Anna"}', "application/json"),
        (f"name=Anna&password={PASSWORD}".encode(), "text/plain"),
        (b"--x\r\n", "multipart/form-data; boundary=x"),
        (b"&".join(b"a%d=1" % n for n in range(100)), "application/x-www-form-urlencoded"),
    ],
)
def test_what_is_no_form_of_ours_lets_nobody_in(browser: TestClient, body: bytes, kind: str):
    answer = browser.post("/sign-in", content=body, headers={"Content-Type": kind})
    assert answer.status_code == 401
    assert "Name or password is not right" in words(answer)


def test_a_form_that_is_too_long_is_not_read(browser: TestClient):
    assert enter(browser, password="x" * 9000).status_code == 413


def test_while_the_database_does_not_answer_the_page_says_so(
    site: Site, browser: TestClient, monkeypatch: pytest.MonkeyPatch
):
    def fails(*_: object) -> None:
        raise StateError("The disk is full.")

    monkeypatch.setattr(site.studio.state.sessions, "begin", fails)
    answer = enter(browser)
    assert answer.status_code == 503
    assert "The disk is full." in words(answer)
    assert COOKIE not in answer.headers.get("set-cookie", "")


# -- cookies -------------------------------------------------------------------------------------------------


def test_the_cookie_is_kept_from_scripts_and_other_sites(browser: TestClient):
    cookie = enter(browser).headers["set-cookie"]
    assert re.fullmatch(
        rf"{COOKIE}=[\w-]{{43}}; Path=/; Max-Age=43200; HttpOnly; SameSite=Lax",
        cookie.partition(", studio_")[0],
    )


def test_where_people_come_by_https_the_cookie_travels_by_https_and_belongs_to_one_host(studio: Studio):
    site = site_of(studio, public_url="https://studio.example", url="https://studio.example")
    site.person()
    browser = site.browser()
    cookie = enter(browser).headers["set-cookie"]
    assert cookie.startswith(f"__Host-{COOKIE}=")
    assert "; Path=/; Max-Age=43200; HttpOnly; SameSite=Lax; Secure" in cookie
    assert browser.get("/").text == "Anna, maker"
    # Behind a proxy that ends TLS and does not say so:
    plain = site.browser(url="http://studio.example")
    assert "; Secure" in enter(plain).headers["set-cookie"]


@pytest.mark.parametrize(
    "token",
    ["", "a", "A" * 43, "A" * 44, "../../x", "%00", "a" * 10_000, "é" * 43, "'; DROP TABLE sessions;--"],
)
def test_a_forged_cookie_lets_nobody_in(site: Site, token: str):
    browser = site.browser(headers={"Cookie": f"{COOKIE}={token}".encode()})
    assert browser.get("/").status_code == 303
    assert browser.get("/", headers={"Accept": "*/*"}).status_code == 401


def test_a_cookie_of_another_studio_lets_nobody_in(site: Site, tmp_path_factory: pytest.TempPathFactory):
    from kling.studio.state.shared import SharedState

    other = SharedState(tmp_path_factory.mktemp("other"), clock=time.time, monotonic=time.monotonic)
    try:
        token = other.sessions.begin(other.people.add("Anna", "admin"), "account", "")
    finally:
        other.stop()
    browser = site.browser(headers={"Cookie": f"{COOKIE}={token}"})
    assert browser.get("/").status_code == 303


def test_a_session_that_was_planted_before_is_not_the_one_of_who_signs_in(site: Site):
    attacker = site.browser()
    site.person("Eve")
    planted = enter(attacker, "Eve").cookies[COOKIE]
    victim = site.browser(headers={})
    victim.cookies.set(COOKIE, planted)
    answer = enter(victim)
    assert answer.cookies[COOKIE] != planted
    assert attacker.get("/", headers={"Accept": "*/*"}).status_code == 401  # it has ended


def test_each_sign_in_is_a_session_of_its_own(site: Site):
    first, second = site.browser(), site.browser()
    assert enter(first).cookies[COOKIE] != enter(second).cookies[COOKIE]
    first.post("/sign-out")
    assert second.get("/").text == "Anna, maker"


def test_a_role_that_was_taken_away_counts_at_once(site: Site, browser: TestClient):
    person = site.person("Boss", "admin")
    site.person("Other boss", "admin")
    enter(browser, "Boss")
    assert browser.get("/").text == "Boss, admin"
    site.studio.state.people.set_role(person.id, "viewer")
    assert browser.get("/").text == "Boss, viewer"
    site.studio.state.people.remove(person.id)
    assert browser.get("/").status_code == 303


# -- guessing ------------------------------------------------------------------------------------------------


def test_no_answer_tells_which_part_was_wrong(site: Site):
    site.studio.state.people.add("Invited", "maker")
    shown = set()
    for name in ("Anna", "Nobody", "Invited", "", "x" * 5000):
        answer = enter(site.browser(), name, "wrong password")
        text = re.sub(r'name="name" type="text" value="[^"]*"| autofocus', "", answer.text)
        shown.add((answer.status_code, text))
    assert len(shown) == 1


def test_an_account_without_a_password_cannot_be_entered(site: Site):
    site.studio.state.people.add("Invited", "maker")
    for password in ("", " ", "Invited"):
        assert not signed_in(enter(site.browser(), "Invited", password))


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(sign_in, "Tries", lambda: Tries(clock))
    return clock


def test_guessing_meets_growing_pauses_and_the_right_password_comes_in_after_one(site: Site, clock: Clock):
    stranger, pauses = site.browser(), []
    for _ in range(FREE + 3):
        assert enter(stranger, password="wrong").status_code == 401
        answer = enter(stranger, password="wrong")
        if answer.status_code == 429:
            found = re.search(r"Wait (\d+) second", words(answer))
            assert found
            pauses.append(int(found[1]))
            clock.now += pauses[-1]
    assert pauses == sorted(pauses)
    assert pauses[-1] > pauses[0]
    clock.now += 60
    assert signed_in(enter(site.browser()))


def test_during_a_pause_the_right_password_is_not_tried_either_so_that_it_says_nothing(
    site: Site, clock: Clock
):
    stranger = site.browser()
    while enter(stranger, password="wrong").status_code == 401:
        clock.now += 0.01
    right, wrong = enter(stranger), enter(stranger, password="wrong")
    assert (right.status_code, words(right)) == (429, words(wrong))


def test_names_that_nobody_has_meet_the_same_pauses(site: Site, clock: Clock):
    def course(name: str) -> list[int]:
        browser = site.browser()
        return [enter(browser, name, "wrong").status_code for _ in range(FREE + 2)]

    assert course("Nobody") == course("Anna")
    assert clock.now == 1000.0


def test_a_stranger_who_never_stops_keeps_nobody_out_who_was_here_before(site: Site, clock: Clock):
    owner, stranger = site.browser(), site.browser()
    owner.get("/sign-in")  # brings the browser its id
    assert signed_in(enter(owner))
    owner.post("/sign-out")
    for _ in range(30):
        enter(stranger, password="wrong")
        clock.now += 0.5
    assert enter(stranger).status_code == 429
    assert signed_in(enter(owner))


def test_a_browser_is_known_after_a_restart_too_and_for_its_person_only(site: Site, clock: Clock):
    site.person("Ben")
    owner = site.browser()
    owner.get("/sign-in")
    assert signed_in(enter(owner))
    owner.post("/sign-out")
    site.studio.stop()
    again = Studio(site.studio.settings, connection=site.studio.connection)
    context.install(again)
    site_of(again)
    strangers = [site.browser() for _ in range(4)]
    while any(enter(stranger, f"x{clock.now}", "wrong").status_code == 401 for stranger in strangers):
        clock.now += 0.01
    assert enter(site.browser()).status_code == 429
    assert enter(owner, "Ben").status_code == 429
    assert signed_in(enter(owner))
    again.stop()


def test_fifty_people_behind_one_proxy_sign_in_at_once(site: Site):
    names = [f"Person {n}" for n in range(50)]
    for name in names:
        site.person(name)
    browsers = [site.browser() for _ in names]
    with ThreadPoolExecutor(10) as threads:
        answers = list(threads.map(enter, browsers, names))
    assert [answer.status_code for answer in answers if not signed_in(answer)] == []


def test_when_too_many_sign_in_at_once_the_page_says_so(site: Site, browser: TestClient):
    enough, threads = Event(), site.studio.state.people.threads
    waiting = [threads.submit(enough.wait) for _ in range(MOST_WAITING)]
    answer = enter(browser)
    assert answer.status_code == 503
    assert "Try again in a minute" in words(answer)
    enough.set()
    wait(waiting)
    assert signed_in(enter(browser))


def test_the_audit_says_who_came_in_and_who_did_not(site: Site, browser: TestClient):
    enter(browser, password="wrong")
    enter(browser, PASSWORD, "Anna")  # in the wrong fields
    enter(browser)
    browser.post("/sign-out/everywhere")
    found = site.studio.state.audit.search()
    assert [(each.name, each.action) for each in reversed(found)] == [
        ("Anna", "sign in refused"),
        ("", "sign in refused"),
        ("Anna", "sign in"),
        ("Anna", "sign out everywhere"),
    ]
    assert not any("wrong" in str(each) or PASSWORD in str(each) for each in found)


# -- other sites ---------------------------------------------------------------------------------------------

FOREIGN: list[dict[str, str]] = [
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://localhost:8502"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
]


@pytest.mark.parametrize("headers", FOREIGN)
@pytest.mark.parametrize("path", ["/sign-out", "/sign-out/everywhere"])
def test_another_site_signs_nobody_out(browser: TestClient, path: str, headers: dict[str, str]):
    enter(browser)
    assert browser.post(path, headers=headers).status_code == 403
    assert browser.get(path).status_code in {200, 404, 405}  # a link only leads to the question
    assert browser.get("/").text == "Anna, maker"


@pytest.mark.parametrize("headers", FOREIGN)
def test_another_site_signs_nobody_in(browser: TestClient, headers: dict[str, str]):
    answer = browser.post("/sign-in", data={"name": "Anna", "password": PASSWORD}, headers=headers)
    assert answer.status_code == 403
    assert COOKIE not in answer.headers.get("set-cookie", "")


# -- signing out ---------------------------------------------------------------------------------------------


def test_signing_out_ends_the_session_also_for_who_kept_the_cookie(site: Site, browser: TestClient):
    token = enter(browser).cookies[COOKIE]
    assert "signed in as Anna" in words(browser.get("/sign-out"))
    answer = browser.post("/sign-out", headers={"Origin": HERE})
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?out=1")
    assert f"{COOKIE}=; Path=/; Max-Age=0" in answer.headers["set-cookie"]
    assert "You are signed out." in words(browser.get("/sign-in?out=1"))
    thief = site.browser(headers={"Cookie": f"{COOKIE}={token}"})
    assert thief.get("/").status_code == 303
    assert thief.get("/live", headers={"Accept": "*/*"}).status_code == 401


def test_signing_out_everywhere_ends_all_sessions_of_the_person_and_nobody_elses(site: Site):
    site.person("Ben")
    first, second, ben = site.browser(), site.browser(), site.browser()
    enter(first)
    enter(second)
    enter(ben, "Ben")
    first.post("/sign-out/everywhere")
    assert first.get("/").status_code == second.get("/").status_code == 303
    assert ben.get("/").text == "Ben, maker"


def test_signing_out_twice_is_no_error(browser: TestClient):
    for path in ("/sign-out", "/sign-out/everywhere"):
        assert browser.post(path).headers["location"] == "/sign-in?out=1"


@pytest.mark.parametrize("path", ["/_stcore/stream", "/live"])
def test_a_socket_opens_for_a_session_only_and_closes_with_it(site: Site, path: str):
    with site.browser() as browser:
        with pytest.raises(WebSocketDisconnect), browser.websocket_connect(SOCKETS + path):
            pass
        enter(browser)
        with browser.websocket_connect(SOCKETS + path) as socket:
            socket.receive_text()
            browser.post("/sign-out/everywhere")
            assert closed_with(socket) == 1008


def test_a_page_that_is_only_open_is_no_use_of_the_session_and_a_press_in_it_is(
    site: Site, monkeypatch: pytest.MonkeyPatch
):
    with site.browser() as browser:
        enter(browser)
        used = uses_of(site.studio.state.sessions, monkeypatch)
        with browser.websocket_connect(f"{SOCKETS}/live") as socket:
            socket.receive_text()
            browser.get("/live", headers={"Accept": "*/*"})
            assert True not in used
            socket.send_bytes(b"")
            socket.send_bytes(b"more")
            assert closed_with(socket) == 1003
            assert True in used


def test_streamlit_hears_who_it_is_from_the_gate_alone(site: Site):
    """Streamlit goes on with a session by an id that the socket presents, if the person is the same."""
    anna = site.studio.state.people.by_name("Anna")
    assert anna
    site.person("Eve")
    with site.browser() as eve:
        enter(eve, "Eve")
        forged = {"X-Studio-Person": anna.id, "x-studio-person": anna.id}
        with eve.websocket_connect(f"{SOCKETS}/_stcore/stream", headers=forged) as socket:
            person = site.studio.state.people.by_name("Eve")
            assert person
            assert socket.receive_text() == person.id


def test_somebody_without_a_role_is_told_whom_to_ask(site: Site):
    site.person("Boss", "admin")
    person = site.studio.state.people.from_outside("oidc", "x", "Ben <b>", "none")
    token = site.studio.state.sessions.begin(person, "oidc", "")
    browser = site.browser(headers={"Cookie": f"{COOKIE}={token}"})
    away = browser.get("/history")
    assert away.headers["location"].startswith("/sign-in?to=")
    page = browser.get(away.headers["location"])
    assert "Ben <b> has no access here" in words(page)
    assert "ask Boss" in words(page)
    assert "<b>" not in page.text
    assert "Use another account" in words(page)
    assert browser.get("/", headers={"Accept": "*/*"}).status_code == 403
    browser.post("/sign-out")
    assert site.studio.state.sessions.who(token) is None
