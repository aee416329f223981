"""How much of the server one person, one address and everybody may have at once."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack

import pytest
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from kling.studio.identity.roles import Action, Role
from kling.studio.service import Studio
from kling.studio.sign_in_settings import PROXY_HEADER
from pages._ui.routes import limits
from pages._ui.routes.paths import DOORS, Door
from tests.pages.gate_tools import PLACES, SECRET, Asked, Team, at_once

NETWORK, BEHIND_PROXY = PLACES[0], PLACES[2]
SLOW = Door("/slow", "open", frozenset({"POST"}), 100, seconds=0.02)
FORM = "/sign-in"


@pytest.fixture
def team(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> Team:
    return Team(studio, NETWORK, monkeypatch, doors=(*DOORS, SLOW))


def host(team: Team) -> dict[str, str]:
    return {"Host": team.place.here.partition("//")[2]}


# -- bodies --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "most"),
    [("/sign-in", 8 * 1024), ("/callbacks", 64 * 1024), ("/drafts/0", None), ("/pictures", 20 * 2**20)],
)
def test_a_body_is_taken_up_to_its_bound(team: Team, path: str, most: int | None):
    most = most or next(door.body for door in DOORS if door.path == "/drafts/*")
    client = team.client("maker")
    method = "PUT" if path in {"/pictures", "/drafts/0"} else "POST"
    assert client.request(method, path, content=bytes(most)).text == f"{most} bytes"
    assert client.request(method, path, content=bytes(most + 1)).status_code == 413
    many = (bytes(8192) for _ in range(most // 8192 + 1))
    assert client.request(method, path, content=many).status_code == 413


def test_where_no_body_belongs_none_is_taken(team: Team):
    client = team.client("maker")
    answer = client.request("GET", "/history", content=b"x")
    assert (answer.status_code, answer.headers["Connection"]) == (413, "close")
    assert client.request("GET", "/history", content=iter([b"x"])).status_code == 413


def test_a_body_that_does_not_arrive_is_not_waited_for(team: Team):
    async def scene() -> tuple[int, int, int]:
        slow = [Asked(team.app, "/slow", {**host(team), "Content-Length": "100"}) for _ in range(3)]
        slow[1].bring(b"half of it", more=True)
        slow[2].bring(b"all of it")
        return tuple(await asyncio.gather(*(each.run() for each in slow)))  # type: ignore[return-value]

    assert at_once(scene) == (408, 408, 200)


def test_a_thousand_half_bodies_keep_nobody_from_signing_in(team: Team):
    async def scene() -> tuple[set[int], int]:
        head = {**host(team), "Content-Length": "100", "X-Forwarded-For": "203.0.113.9"}
        half = [Asked(team.app, FORM, head) for _ in range(1000)]
        running = []
        for each in half:
            running.append(asyncio.create_task(each.run()))
            await asyncio.sleep(0)
        whole = Asked(team.app, FORM, head)
        whole.bring(b"name=ada")
        status = await whole.run()
        for each in half:
            each.bring(b"")
        return set(await asyncio.gather(*running)), status

    statuses, status = at_once(scene)
    assert status == 200
    assert 408 in statuses


def test_bodies_of_strangers_and_of_one_person_break_off_nobody_elses_upload(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(limits, "REQUESTS_EACH", 1000)
    monkeypatch.setattr(limits, "STRANGERS", 1000)
    team = Team(studio, NETWORK, monkeypatch)

    async def scene() -> tuple[int, int, int]:
        def upload(role: Role | None, path: str = "/pictures", method: str = "PUT") -> Asked:
            head = {**host(team), **team.cookie(role), "Content-Length": "100"}
            return Asked(team.app, path, head, method=method)

        theirs = upload("maker")
        flood = [upload(None, FORM, "POST") for _ in range(limits.UNFINISHED + 9)]
        own = [upload("admin") for _ in range(limits.UNFINISHED + 9)]
        running = []
        for each in (theirs, *flood, *own):
            running.append(asyncio.create_task(each.run()))
            await asyncio.sleep(0)
        for each in (theirs, *flood, *own):
            each.bring(b"whole")
        statuses = await asyncio.gather(*running)
        return statuses[0], statuses[1:].count(408), statuses[-1]

    assert at_once(scene) == (200, 9 + 9 + 1, 200)


# -- requests and sockets ------------------------------------------------------------------------------------


async def open_at_once(team: Team, headers: list[dict[str, str]], *, client: str = "192.0.2.50") -> list[int]:
    """Post to the sign-in by as many as there are headers; all are under way when the first is answered."""
    asked = [
        Asked(team.app, FORM, {**host(team), "Content-Length": "1", **each}, client=client)
        for each in headers
    ]
    running = [asyncio.create_task(each.run()) for each in asked]
    for _ in range(20):
        await asyncio.sleep(0)
    for each in asked:
        each.bring(b"x")
    return list(await asyncio.gather(*running))


def test_an_address_without_a_session_has_a_share(team: Team, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(limits, "REQUESTS_EACH", 3)
    statuses = at_once(lambda: open_at_once(team, [{}] * 5))
    assert sorted(statuses) == [200, 200, 200, 429, 429]


@pytest.mark.parametrize(
    "headers",
    [
        [{}] * 50,  # nginx says nothing of who asks
        [{"X-Forwarded-For": f"203.0.113.{number}"} for number in range(50)],  # nobody believes it
        [{"X-Forwarded-For": "203.0.113.1", PROXY_HEADER: "x"}] * 50,
        [
            {"X-Forwarded-For": f"198.51.100.9, 203.0.113.{number}", PROXY_HEADER: SECRET}
            for number in range(50)
        ],
    ],
    ids=["silent", "not believed", "wrong secret", "believed"],
)
def test_fifty_people_behind_one_proxy_sign_in_together(
    studio: Studio, monkeypatch: pytest.MonkeyPatch, headers: list[dict[str, str]]
):
    monkeypatch.setattr(limits, "REQUESTS_EACH", 3)
    team = Team(studio, BEHIND_PROXY, monkeypatch, proxy_secret=SECRET)
    statuses = at_once(lambda: open_at_once(team, headers, client="127.0.0.1"))
    assert set(statuses) == {200}


def test_an_address_that_the_proxy_vouches_for_has_a_share(studio: Studio, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(limits, "REQUESTS_EACH", 3)
    team = Team(studio, BEHIND_PROXY, monkeypatch, proxy_secret=SECRET)
    mine = {"X-Forwarded-For": "198.51.100.1, 203.0.113.1", PROXY_HEADER: SECRET}
    invented = [{**mine, "X-Forwarded-For": f"198.51.100.{number}, 203.0.113.1"} for number in range(5)]
    statuses = at_once(lambda: open_at_once(team, invented, client="127.0.0.1"))
    assert sorted(statuses) == [200, 200, 200, 429, 429]


def test_of_several_lines_about_the_address_the_last_one_is_the_proxys(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(limits, "REQUESTS_EACH", 1)
    team = Team(studio, BEHIND_PROXY, monkeypatch, proxy_secret=SECRET)

    async def scene() -> list[int]:
        asked = [
            Asked(team.app, FORM, {**host(team), PROXY_HEADER: SECRET, "Content-Length": "1"})
            for _ in range(2)
        ]
        for number, each in enumerate(asked):
            each.lines = [("X-Forwarded-For", f"198.51.100.{number}"), ("X-Forwarded-For", "203.0.113.1")]
        running = [asyncio.create_task(each.run()) for each in asked]
        await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
        for each in asked:
            each.bring(b"x")
        return sorted(await asyncio.gather(*running))

    assert at_once(scene) == [200, 429]


def test_all_together_have_a_bound(team: Team, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(limits, "STRANGERS", 4)
    strangers = [{"X-Forwarded-For": f"203.0.113.{number}"} for number in range(6)]
    statuses = at_once(lambda: open_at_once(team, strangers))
    assert sorted(statuses) == [200, 200, 200, 200, 429, 429]


def test_strangers_leave_room_for_people_and_for_the_health(team: Team, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(limits, "STRANGERS", 2)

    async def scene() -> list[int]:
        strangers = [
            Asked(team.app, FORM, {**host(team), "Content-Length": "1"}, client="192.0.2.9") for _ in range(2)
        ]
        waiting = [asyncio.create_task(each.run()) for each in strangers]
        for _ in range(20):
            await asyncio.sleep(0)
        cookies = {"Cookie": team.client("maker").headers["cookie"]}
        found = []
        for path, headers in (("/history", cookies), ("/healthz", {}), ("/sign-in", {})):
            asked = Asked(team.app, path, {**host(team), **headers}, "GET")
            asked.bring(b"")
            found.append(await asked.run())
        for each in strangers:
            each.bring(b"x")
        await asyncio.gather(*waiting)
        return found

    assert at_once(scene) == [200, 200, 429]


def test_an_answer_that_a_stranger_does_not_take_is_broken_off(team: Team, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(limits, "UNREAD", 0.0)

    asked = Asked(team.app, "/sign-in", host(team), "GET", is_read=False)
    asked.body.put_nowait({"type": "http.request", "body": b"", "more_body": False})
    assert at_once(asked.run) == 200
    assert len(asked.sent) == 1


def sockets_of(client: TestClient, team: Team, stack: ExitStack, count: int) -> int:
    """Open so many; return how many opened."""
    opened = 0
    for _ in range(count):
        try:
            socket = stack.enter_context(
                client.websocket_connect(f"ws://{host(team)['Host']}/live", headers=dict(client.headers))
            )
        except WebSocketDisconnect as refused:
            assert refused.code == 1013  # noqa: PT017 - those that open are no error
            continue
        assert socket.receive_text() == "open"
        opened += 1
    return opened


def test_a_session_has_a_share_of_sockets_and_takes_nobody_elses(team: Team, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(limits, "SOCKETS_EACH", 3)
    with team.client("maker") as maker, team.client("viewer") as viewer:
        with ExitStack() as stack:
            assert sockets_of(maker, team, stack, 5) == 3
            assert sockets_of(viewer, team, stack, 2) == 2
        with ExitStack() as stack:
            assert sockets_of(maker, team, stack, 3) == 3  # those that were closed count no more


def test_a_person_with_many_sessions_has_one_share(team: Team, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(limits, "SOCKETS_EACH", 3)
    with team.client("maker") as first, team.client("maker") as second, ExitStack() as stack:
        assert sockets_of(first, team, stack, 2) == 2
        assert sockets_of(second, team, stack, 2) == 1


def test_headers_that_are_too_long_are_refused(team: Team):
    with team.client("maker") as maker:
        assert maker.get("/history", headers={**host(team), "X-Any": "x" * 60_000}).status_code == 200
        assert maker.get("/history", headers={**host(team), "X-Any": "x" * 70_000}).status_code == 431


def test_a_made_up_session_gives_no_share_of_its_own(team: Team, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(limits, "REQUESTS_EACH", 3)
    made_up = [{"Cookie": f"studio_session={number}"} for number in range(5)]
    statuses = at_once(lambda: open_at_once(team, made_up))
    assert sorted(statuses) == [200, 200, 200, 429, 429]


def test_what_breaks_gives_its_share_back(team: Team, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(limits, "REQUESTS_EACH", 1)

    async def breaks(*_: object) -> None:
        raise RuntimeError("on purpose")

    monkeypatch.setattr(team.behind.routes[0], "app", breaks)
    for _ in range(3):
        with pytest.raises(RuntimeError, match="on purpose"):
            team.client("maker").get("/history")


def test_no_share_is_kept_of_doors_that_somebody_may_not_use(team: Team):
    assert all(door.body == 0 or isinstance(door.needs, Action) or door.body <= 64 * 1024 for door in DOORS)
    client = team.client()
    for _ in range(200):
        assert client.put("/pictures", content=b"x").status_code == 401
