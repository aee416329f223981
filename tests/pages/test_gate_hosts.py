"""Which names the server answers to, for each way of binding it, and what comes from elsewhere."""

from __future__ import annotations

import socket

import pytest
import streamlit as st
from starlette.testclient import TestClient

from kling.studio.service import Studio
from pages._ui.routes.hosts import known_hosts
from tests.pages.gate_tools import LOCAL, PLACES, Asked, Team, at_once

EVIL = {
    "evil.example",
    "localhost.evil.example",
    "127.0.0.1.evil.example",
    "studio.corp.evil.example",
    "xlocalhost",
}
MALFORMED = {
    "",
    "localhost:",
    "localhost:x",
    "a b",
    "user@localhost",
    "localhost/",
    "[::1",
    "[evil]",
    "*",
    "localhost,x",
}
HERE = {"localhost", "localhost:8501", "LOCALHOST:8501", "localhost.", "127.0.0.1:8501", "[::1]:8501"}


def options(
    monkeypatch: pytest.MonkeyPatch, address: str | None, *allowed: str, name: str = "localhost"
) -> None:
    given = {"server.address": address, "server.allowedHosts": list(allowed), "browser.serverAddress": name}
    monkeypatch.setattr(st, "get_option", given.__getitem__)
    monkeypatch.setattr(socket, "gethostname", lambda: "Box.lan")


@pytest.mark.parametrize(
    ("binding", "public", "taken", "refused", "local"),
    [
        # Loopback: names of this machine only.
        (("127.0.0.1", (), "localhost"), "", HERE, {"192.0.2.7", "127.0.0.2", "studio.corp", "box"}, True),
        (("localhost", (), "localhost"), "http://127.0.0.1:8501", HERE, {"192.0.2.7", "box"}, True),
        (("::1", (), "localhost"), "http://[::1]:8501", HERE, {"192.0.2.7", "[2001:db8::1]"}, True),
        # Loopback, with a name for people: a proxy stands in front.
        (
            ("127.0.0.1", (), "studio.corp"),
            "",
            HERE | {"studio.corp", "Studio.Corp:80"},
            {"192.0.2.7"},
            False,
        ),
        (("127.0.0.1", ("studio.corp",), "localhost"), "", HERE | {"studio.corp"}, {"192.0.2.7"}, False),
        (("127.0.0.1", (), "localhost"), "https://studio.corp", HERE | {"studio.corp"}, {"192.0.2.7"}, False),
        # One address of the network.
        (("192.0.2.7", (), "localhost"), "", HERE | {"192.0.2.7:8501"}, {"192.0.2.8", "studio.corp"}, False),
        # All addresses: any address in place of a name, and the machine's own names.
        *(
            (
                (address, ("*.corp",), "studio.example"),
                "https://public.example",
                HERE
                | {"192.0.2.7:8501", "10.0.0.3", "[2001:db8::1]:8501", "box", "box.lan:8501", "box.local"}
                | {"a.corp", "a.b.corp", "studio.example", "public.example"},
                {"corp", "evilcorp", "other.lan", "box.example", "0x7f.1", "127.1", "2130706433"},
                False,
            )
            for address in ("0.0.0.0", "::", "", None)
        ),
        # A star for every name would open the studio to every page.
        (("0.0.0.0", ("*",), "localhost"), "", HERE | {"192.0.2.7"}, {"studio.corp"}, False),
        (("127.0.0.1", ("*",), "localhost"), "", HERE, {"studio.corp", "192.0.2.7"}, False),
    ],
)
def test_the_server_answers_to_its_own_names_only(*, monkeypatch, binding, public, taken, refused, local):
    address, allowed, name = binding
    options(monkeypatch, address, *allowed, name=name)
    found = known_hosts(public)
    assert {host for host in taken if not found.accept(host)} == set()
    assert {host for host in refused | EVIL | MALFORMED if found.accept(host)} == set()
    assert found.is_loopback_only is local


def test_the_health_checks_of_the_machine_itself_answer_everywhere(studio: Studio, monkeypatch):
    for place in PLACES:
        team = Team(studio, place, monkeypatch, people=False)
        for host in ("localhost:8501", "127.0.0.1:8501", "[::1]:8501"):
            with TestClient(team.app, base_url="http://x", headers={"Host": host}) as client:
                assert client.get(f"{place.base}/healthz").status_code == 200
                assert client.get(f"{place.base}/_stcore/health").status_code == 200


@pytest.mark.parametrize("allowed", [[], ["other.corp"], ["*.corp"], ["*"]])
def test_streamlit_takes_the_sockets_that_the_gate_has_let_through(studio: Studio, monkeypatch, allowed):
    from streamlit import config
    from streamlit.web.server.starlette.starlette_websocket import is_host_allowed

    team = Team(studio, PLACES[0], monkeypatch, allowed=allowed)
    with team.client("maker") as client:
        here = team.place.here.partition("//")[2]
        assert team.ask(client, "SOCKET", "/_stcore/stream", Origin=f"http://{here}") == 101
        assert team.ask(client, "SOCKET", "/_stcore/stream", Origin="http://evil.example") == 403
    ((_, _, headers),) = team.behind.asked
    assert not allowed or "origin" not in headers or allowed == ["*"]
    monkeypatch.setattr(config, "get_option", lambda _name: allowed)
    assert is_host_allowed(headers["host"])


@pytest.mark.parametrize("path", ["/", "/healthz", "/sign-in", "/callbacks", "/clips/v1.mp4"])
def test_a_name_that_is_not_the_servers_is_refused_whoever_asks(studio: Studio, monkeypatch, path: str):
    team = Team(studio, PLACES[0], monkeypatch)
    answer = team.client("admin").get(path, headers={"Host": "evil.example:8501"})
    assert answer.status_code == 403
    assert "does not answer to that name. Whoever runs it can set STUDIO_PUBLIC_URL" in answer.text
    assert team.ask(team.client("admin"), "SOCKET", "/live", Host="evil.example:8501") == 403
    assert team.behind.asked == []


# -- a studio without a sign-in ------------------------------------------------------------------------------

FROM_ELSEWHERE = [
    {"X-Forwarded-For": "198.51.100.7"},
    {"X-Forwarded-Host": "studio.corp"},
    {"X-Forwarded-Proto": "https"},
    {"X-Forwarded": "for=198.51.100.7"},
    {"X-Forwarded-Anything": ""},
    {"Forwarded": "for=198.51.100.7"},
    {"X-Real-IP": "198.51.100.7"},
    {"Via": "1.1 proxy"},
    {"Host": "studio.corp"},
    {"Host": "192.0.2.7:8501"},
    {"Host": "localhost:8080"},  # ssh -L 8080:localhost:8501, docker, socat
    {"Host": "localhost"},
    {"Referer": "https://studio.corp/", "Sec-Fetch-Site": "same-origin"},  # a proxy that sends its own Host
]


@pytest.mark.parametrize("headers", FROM_ELSEWHERE, ids=lambda headers: next(iter(headers.items())))
def test_without_a_sign_in_what_comes_from_elsewhere_is_refused_in_words(
    studio: Studio, monkeypatch, headers: dict[str, str]
):
    team = Team(studio, LOCAL, monkeypatch, people=False)
    for path in ("/", "/healthz", "/sign-in", "/clips/v1.mp4", "/nothing"):
        answer = team.client().get(path, headers={"Accept": "text/html", **headers})
        assert answer.status_code == 403, path
        assert "has no sign-in" in answer.text
        assert "README" in answer.text
    assert team.ask(team.client(), "SOCKET", "/_stcore/stream", **headers) == 403
    assert team.behind.asked == []


def test_without_a_sign_in_the_old_http_of_a_proxy_is_refused(studio: Studio, monkeypatch):
    team = Team(studio, LOCAL, monkeypatch, people=False)

    async def scene() -> tuple[int, int]:
        asked = [Asked(team.app, "/", {"Host": "localhost:8501"}, "GET") for _ in range(2)]
        for each in asked:
            each.bring(b"")
        return await asked[0].run(http_version="1.0"), await asked[1].run()

    assert at_once(scene) == (403, 200)


def test_without_a_sign_in_a_browser_whose_connection_a_proxy_has_taken_over_is_refused(studio, monkeypatch):
    team = Team(studio, LOCAL, monkeypatch, people=False)
    browser = {"Host": "localhost:8501", "User-Agent": "Mozilla/5.0 (X11; Linux x86_64) Chrome/150.0"}

    said = [{}, {"Connection": "upgrade"}, {"Connection": "keep-alive"}]

    async def scene() -> list[int]:
        asked = [Asked(team.app, "/", {**browser, **headers}, "GET") for headers in said]
        for each in asked:
            each.bring(b"")
        return [await each.run() for each in asked]

    assert at_once(scene) == [403, 403, 200]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Host": "127.0.0.1:8501"},
        {"Referer": "http://localhost:8501/history", "Sec-Fetch-Site": "same-origin"},
        {"Referer": "https://elsewhere.example/", "Sec-Fetch-Site": "cross-site"},  # a link led here
        {"Sec-Fetch-Site": "none"},
    ],
)
def test_without_a_sign_in_a_browser_of_this_machine_is_the_admin(studio: Studio, monkeypatch, headers):
    team = Team(studio, LOCAL, monkeypatch, people=False)
    assert team.client().get("/admin", headers=headers).status_code == 200
    ((_, user, seen),) = team.behind.asked
    assert user is not None
    assert (user.id, user.role, seen["x-studio-person"]) == ("local", "admin", "local")


def test_with_a_sign_in_a_proxy_may_say_what_it_likes(studio: Studio, monkeypatch):
    team = Team(studio, LOCAL, monkeypatch)
    studio.state.people.add("Somebody with an account", "admin")
    answer = team.client("maker").get(
        "/history", headers={"X-Forwarded-For": "198.51.100.7", "Via": "1.1 proxy"}
    )
    assert answer.status_code == 200
