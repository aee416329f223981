"""What the gate does beside letting people in: the way back, who is named, cookies, caches, open sockets."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import quote

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient, WebSocketTestSession
from starlette.websockets import WebSocketDisconnect

from kling.studio.identity.roles import Role
from kling.studio.service import Studio
from kling.studio.state.records import StateError
from pages._ui.routes import gate
from pages._ui.routes.paths import safe_way_back
from tests.pages.gate_tools import LOCAL, PLACES, Place, Team

PAGE = {"Accept": "text/html,application/xhtml+xml"}
NETWORK, BELOW, TLS, _ = PLACES


@pytest.fixture
def team(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> Team:
    return Team(studio, NETWORK, monkeypatch)


# -- the way to the sign-in and back -------------------------------------------------------------------------


@pytest.mark.parametrize("place", PLACES, ids=str)
@pytest.mark.parametrize("role", [None, "none"])
def test_a_page_leads_to_the_sign_in_and_says_where_one_wanted_to_go(
    studio: Studio, monkeypatch: pytest.MonkeyPatch, place: Place, role: Role | None
):
    client = Team(studio, place, monkeypatch).client(role)
    for path in ("/history?job=v1&page=2", "/", "/nothing"):
        answer = client.get(place.base + path, headers=PAGE)
        assert answer.status_code == 303
        assert answer.headers["Location"] == f"{place.base}/sign-in?to={quote(place.base + path, safe='/')}"


def test_a_browser_that_opens_what_is_not_there_or_not_for_it_gets_a_page_with_a_way_back(team: Team):
    client = team.client("viewer")
    for path, status, title in (
        ("/nonsense", 404, "No such page"),
        ("/admin", 403, "This page is not for you"),
    ):
        answer = client.get(path, headers=PAGE)
        assert answer.status_code == status
        assert f"<title>{title}" in answer.text
        assert 'href="/">' in answer.text
        assert "Back to the studio</a>" in answer.text
    assert client.get("/nonsense").text == "There is nothing here."


def test_what_is_no_page_is_told_in_words(team: Team):
    client = team.client()
    assert client.get("/history").status_code == 401
    assert client.get("/clips/v1.mp4", headers={"Accept": "video/*"}).text == "Sign in first."
    assert client.put("/pictures", headers=PAGE).status_code == 401
    assert "Ask an admin" in team.client("none").get("/history").text
    assert "Ask an admin" in team.client("viewer").put("/drafts/0").text


@pytest.mark.parametrize(
    "to",
    [
        "/",
        "/history",
        "/history?job=v1&page=2",
        "/?draft=0a",
        "/gallery?q=%2F%2Fx",
        "/task?q=https://x.example",
    ],
)
def test_a_path_of_this_app_is_a_way_back(to: str):
    assert safe_way_back(to) == to
    assert safe_way_back(f"/studio{to}", "/studio") == f"/studio{to}"


@pytest.mark.parametrize(
    "to",
    [
        *(
            "",
            "//evil.example",
            "/%2e%2e/other",
            "/%2e/sign-out",
            "/%2f%2fevil.example",
            "/%5cevil.example",
            "///evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "https://evil.example/",
        ),
        *(
            "https:evil.example",
            "javascript:alert(1)",
            "data:text/html,x",
            "history",
            "/a//evil.example",
            "/../x",
        ),
        *("/x\r\nSet-Cookie: a=b", "/\t/evil.example", "/ /evil.example", "/x\x00", "http://[broken", "/x#y"),
        *("/sign-in", "/sign-in?to=/", "/sign-out", "/sign-out/everywhere", " /history", "@evil.example"),
    ],
)
def test_anything_else_leads_home(to: str):
    assert safe_way_back(to) == "/"
    assert safe_way_back(to, "/studio") == "/studio/"
    assert safe_way_back(f"/other{to}", "/studio") == "/studio/"


# -- who asks ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", PLACES, ids=str)
def test_streamlit_and_routes_hear_who_asks_from_the_gate_alone(
    studio: Studio, monkeypatch: pytest.MonkeyPatch, place: Place
):
    team = Team(studio, place, monkeypatch)
    spoofed = {"X-Studio-Person": team.people["admin"].id, "x-studio-anything": "x"}
    with team.client("maker") as client:
        team.ask(client, "GET", "/history", **spoofed)
        team.ask(client, "SOCKET", "/_stcore/stream", **spoofed)
        team.ask(team.client(), "GET", "/sign-in", **spoofed)
    heard = [(user, headers.get("x-studio-person")) for _, user, headers in team.behind.asked]
    maker = team.people["maker"]
    assert heard == [(maker, maker.id), (maker, maker.id), (None, None)]
    assert not any("x-studio-anything" in headers for _, _, headers in team.behind.asked)


@pytest.mark.parametrize("token", ["", "x", "0" * 43, "a" * 100_0, "..", "%00", "é"])
def test_a_forged_session_is_nobodys(team: Team, token: str):
    client = team.client()
    cookie = f"studio_session={token}".encode()
    assert client.get("/history", headers={b"Cookie": cookie}).status_code == 401


def test_a_session_is_no_good_after_the_sign_out(team: Team, studio: Studio):
    client = team.client("maker")
    assert client.get("/history").status_code == 200
    studio.state.sessions.end(team.tokens["maker"])
    assert client.get("/history").status_code == 401


def test_a_role_counts_as_it_is_now(team: Team, studio: Studio):
    client = team.client("maker")
    assert client.get("/admin").status_code == 403
    studio.state.people.set_role(team.people["maker"].id, "admin")
    assert client.get("/admin").status_code == 200


def test_while_the_database_cannot_be_opened_nobody_is_taken_for_anybody(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
):
    team = Team(studio, LOCAL, monkeypatch)
    studio.state.people.add("Somebody with an account", "admin")
    assert team.client("maker").get("/history").status_code == 200
    studio.state.stop()
    assert team.client("maker").get("/history").status_code == 503
    assert team.client().get("/history").status_code == 503


# -- cookies, caches, headers --------------------------------------------------------------------------------


def test_behind_https_the_session_is_for_this_host_alone(studio: Studio, monkeypatch: pytest.MonkeyPatch):
    team = Team(studio, TLS, monkeypatch)
    token = team.tokens["maker"]
    client = team.client()
    assert client.get("/history", headers={"Cookie": f"__Host-studio_session={token}"}).status_code == 200
    assert client.get("/history", headers={"Cookie": f"studio_session={token}"}).status_code == 401


@pytest.mark.parametrize(
    ("place", "secure"), [(NETWORK, False), (BELOW, False), *((each, True) for each in PLACES[2:])]
)
def test_cookies_travel_over_https_only_where_people_use_it(
    studio: Studio, monkeypatch: pytest.MonkeyPatch, place: Place, secure: bool
):
    team = Team(studio, place, monkeypatch)
    cookie = team.client("maker").get(f"{place.base}/history", headers=PAGE).headers["Set-Cookie"]
    assert cookie.endswith("; Secure") == secure
    assert f"; Path={place.base or '/'};" in cookie
    assert "; HttpOnly; SameSite=Lax" in cookie


def test_cookies_that_streamlit_sets_travel_over_https_only_too(studio: Studio):
    def answer(_request: Request) -> PlainTextResponse:
        answer = PlainTextResponse("")
        answer.set_cookie("_streamlit_xsrf", "1", samesite="lax")
        answer.set_cookie("sure", "1", secure=True)
        return answer

    settings = replace(studio.settings, public_url="https://studio.example")
    app = Starlette(routes=[Route("/healthz", answer)], middleware=gate.middleware(settings))
    cookies = TestClient(app, base_url="http://studio.example").get("/healthz").headers.get_list("set-cookie")
    assert cookies == [
        "_streamlit_xsrf=1; Path=/; SameSite=lax; Secure",
        "sure=1; Path=/; SameSite=lax; Secure",
    ]


def test_what_needs_a_session_stays_out_of_shared_caches(team: Team):
    assert team.client("maker").get("/history").headers["Cache-Control"] == "no-store"
    assert team.client().get("/history").headers["Cache-Control"] == "no-store"
    assert "Cache-Control" not in team.client().get("/healthz").headers


def test_every_answer_has_the_headers_of_a_careful_page(team: Team):
    for client, path in (
        (team.client("maker"), "/history"),
        (team.client(), "/history"),
        (team.client(), "/sign-in"),
    ):
        headers = client.get(path).headers
        rules = dict(rule.split(" ", 1) for rule in headers["Content-Security-Policy"].split("; "))
        assert rules["default-src"] == "'none'"
        assert rules["connect-src"].startswith("'self'")
        assert rules["frame-ancestors"] == rules["form-action"] == rules["base-uri"] == "'self'"
        assert not any("http" in rule or "*" in rule for rule in rules.values())
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert headers["Cross-Origin-Resource-Policy"] == "same-origin"


# -- open sockets --------------------------------------------------------------------------------------------


def open_socket(client: TestClient, team: Team, path: str = "/live") -> WebSocketTestSession:
    socket = client.websocket_connect(
        team.place.here.replace("http", "ws") + path, headers=dict(client.headers)
    )
    socket.__enter__()
    assert socket.receive_text() == "open"
    return socket


def is_closed(socket: WebSocketTestSession) -> bool:
    """Whether the server closes it, and with which code."""
    message = socket.receive()
    socket.__exit__(None, None, None)
    return (message["type"], message.get("code")) == ("websocket.close", 1008)


def test_open_sockets_end_with_their_session_and_no_others(team: Team, studio: Studio):
    with team.client("maker") as maker, team.client("viewer") as viewer:
        mine = [open_socket(maker, team, path) for path in ("/live", "/_stcore/stream")]
        theirs = open_socket(viewer, team)
        studio.state.sessions.end_all(team.people["maker"].id)
        assert all(map(is_closed, mine))
        theirs.send_bytes(b"still there")
        theirs.__exit__(None, None, None)


def test_open_sockets_end_when_a_person_is_removed_or_loses_the_role(team: Team, studio: Studio):
    with team.client("maker") as maker, team.client("viewer") as viewer:
        sockets = [open_socket(maker, team), open_socket(viewer, team)]
        studio.state.people.remove(team.people["maker"].id)
        studio.state.people.set_role(team.people["viewer"].id, "none")
        assert all(map(is_closed, sockets))


def test_a_text_frame_ends_a_socket_before_streamlit_reads_it(team: Team):
    with team.client("maker") as client:
        socket = open_socket(client, team, "/_stcore/stream")
        socket.send_text("hello")
        with pytest.raises(WebSocketDisconnect) as ended:
            socket.receive_text()
        assert ended.value.code == 1003
        socket.__exit__(None, None, None)


def test_whoever_uses_a_local_studio_leaves_it_when_it_gets_accounts(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
):
    team = Team(studio, LOCAL, monkeypatch, people=False)
    with team.client() as client:
        socket = open_socket(client, team)
        studio.state.people.add("Ada", "admin")
        assert is_closed(socket)
        assert client.get("/history").status_code == 401


def test_a_socket_stays_open_while_the_database_does_not_answer(
    studio: Studio, team: Team, monkeypatch: pytest.MonkeyPatch
):
    asked: list[str] = []

    def who(token: str, **_: object) -> None:
        asked.append(token)
        raise StateError("The disk is away.")

    with team.client("maker") as maker, team.client("viewer") as viewer:
        sockets = [open_socket(maker, team), open_socket(viewer, team)]
        with monkeypatch.context() as patched:
            patched.setattr(studio.state.sessions, "who", who)
            studio.state.people.changes.notify()
            while len(asked) < 2:
                maker.get("/healthz")
        for socket in sockets:
            socket.send_bytes(b"still there")
            socket.__exit__(None, None, None)
