"""What the server answers beside its pages, and what it refuses before anything of it runs."""

from __future__ import annotations

import asyncio
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket, WebSocketDisconnect

from kling.studio.changes import JOBS
from kling.studio.identity.roles import Action, User
from kling.studio.orders import Press
from kling.studio.service import Studio
from kling.studio.settings import Settings
from pages._ui import context
from pages._ui.routes import clips, cookies, gate, live
from pages._ui.routes.paths import DOORS, Door
from pages._ui.routes.who_asks import Answer
from tests.pages.conftest import ROOT
from tests.studio.fakes import FOX, order_one

HERE = "http://localhost:8501"
SOCKETS = "ws://localhost:8501"
PAGE = {"Accept": "text/html,application/xhtml+xml"}
PAGE_OF_OURS = Door("/page", Action.LOOK, frozenset({"GET", "POST", "PUT", "DELETE"}))


class Behind:
    """What lies behind the guard, and whether anything came through to it."""

    def __init__(self, base: str = "", settings: Settings | None = None) -> None:
        self.reached: list[str] = []
        self.app = Starlette(
            routes=[
                Route(f"{base}/page", self.page, methods=["GET", "POST", "PUT", "DELETE"]),
                WebSocketRoute("/_stcore/stream", self.stream),
                *clips.routes(),
                *live.routes(),
            ],
            middleware=gate.middleware(settings or context.studio().settings, (*DOORS, PAGE_OF_OURS)),
        )

    def page(self, request: Request) -> Response:
        self.reached.append(request.method)
        return HTMLResponse("<p>page</p>")

    async def stream(self, socket: WebSocket) -> None:
        self.reached.append("socket")
        await socket.accept()
        await socket.close()


@pytest.fixture
def behind(studio: Studio) -> Behind:  # noqa: ARG001 - the routes find the running studio by themselves
    return Behind()


@pytest.fixture
def browser(behind: Behind) -> Iterator[TestClient]:
    with TestClient(behind.app, base_url=HERE) as client:
        yield client


FOREIGN = [
    {"Origin": "http://evil.example"},
    {"Origin": "http://localhost:8502"},
    {"Origin": "http://localhost"},
    {"Origin": "http://localhost:8501.evil.example"},
    {"Origin": "HTTP://LOCALHOST:8501"},  # no browser's spelling
    {"Origin": "http://user@localhost:8501"},
    {"Origin": "null"},
    {"Origin": "http://[broken"},
    {"Origin": ""},
]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
@pytest.mark.parametrize(
    "headers", [*FOREIGN, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}]
)
def test_another_site_cannot_change_anything(
    behind: Behind, browser: TestClient, method: str, headers: dict[str, str]
):
    assert browser.request(method, "/page", headers=headers).status_code == 403
    assert behind.reached == []


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": HERE, "Sec-Fetch-Site": "same-origin"},
        {"Origin": "https://localhost:8501"},  # a proxy ends TLS
        {},  # no browser
    ],
)
def test_its_own_pages_and_programs_can(behind: Behind, browser: TestClient, headers: dict[str, str]):
    assert browser.post("/page", headers=headers).status_code == 200
    assert behind.reached == ["POST"]


def test_a_link_on_another_site_may_lead_here(browser: TestClient):
    assert browser.get("/page", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 200


@pytest.mark.parametrize("path", ["/_stcore/stream", "/live"])
@pytest.mark.parametrize("headers", FOREIGN)
def test_a_foreign_socket_ends_before_streamlit_sees_it(
    behind: Behind, browser: TestClient, path: str, headers: dict[str, str]
):
    with (
        pytest.raises(WebSocketDisconnect) as refused,
        browser.websocket_connect(SOCKETS + path, headers=headers),
    ):
        pass
    assert refused.value.code == 1008
    assert behind.reached == []


@pytest.mark.parametrize("headers", [{"Origin": HERE}, {"Origin": HERE, "Sec-Fetch-Site": "cross-site"}, {}])
def test_a_socket_of_the_own_page_is_opened(behind: Behind, browser: TestClient, headers: dict[str, str]):
    with browser.websocket_connect(f"{SOCKETS}/_stcore/stream", headers=headers):
        pass
    assert behind.reached == ["socket"]


@pytest.mark.usefixtures("studio")
def test_behind_a_proxy_the_forwarded_host_counts(monkeypatch: pytest.MonkeyPatch):
    async def who_asks(*_: object, **__: object) -> Answer:
        return Answer(User("ada", "Ada", "maker"), token="of a session")

    monkeypatch.setattr(gate, "who_asks", who_asks)
    settings = Settings(public_url="https://studio.corp")
    with TestClient(Behind(settings=settings).app, base_url="https://studio.corp") as browser:
        assert browser.post("/page", headers={"Origin": "https://studio.corp"}).status_code == 200
        assert browser.post("/page", headers={"Origin": "https://localhost"}).status_code == 403


def test_names_that_are_not_the_servers_are_refused(browser: TestClient):
    assert browser.get("/page", headers={"Host": "evil.example"}).status_code == 403


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/page", 200), ("GET", "/nothing", 404), ("GET", "/clips/x.mp4", 404), ("POST", "/page", 403)],
)
def test_every_answer_says_how_far_it_may_be_used(browser: TestClient, method: str, path: str, status: int):
    answer = browser.request(method, path, headers={"Origin": "http://evil.example"})
    assert answer.status_code == status
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "same-origin"
    assert answer.headers["X-Frame-Options"] == "SAMEORIGIN"
    assert "frame-ancestors 'self'" in answer.headers["Content-Security-Policy"]


def test_a_browser_gets_an_id_with_its_first_page_and_keeps_it(browser: TestClient):
    first = browser.get("/page", headers=PAGE).headers["Set-Cookie"]
    assert re.match(
        r"studio_browser=[0-9a-f]{32}\.[0-9a-f]{64}; Path=/; Max-Age=31536000; HttpOnly; SameSite=Lax$", first
    )
    assert "Set-Cookie" not in browser.get("/page", headers=PAGE).headers


def test_two_browsers_get_two_ids(behind: Behind):
    ids = {
        TestClient(behind.app, base_url=HERE).get("/page", headers=PAGE).cookies["studio_browser"]
        for _ in range(2)
    }
    assert len(ids) == 2


@pytest.mark.parametrize("value", ["", "short", "g" * 32, "A" * 32, "0" * 33, "0" * 31 + "\x7f", "0" * 32])
def test_a_malformed_id_is_replaced(browser: TestClient, value: str):
    answer = browser.get("/page", headers=PAGE | {"Cookie": f"studio_browser={value}"})
    assert "studio_browser=" in answer.headers["Set-Cookie"]


def test_what_is_no_page_brings_no_id(browser: TestClient):
    assert "Set-Cookie" not in browser.get("/page", headers={"Accept": "*/*"}).headers


def test_over_https_the_id_travels_over_https_only(behind: Behind):
    with TestClient(behind.app, base_url="https://localhost:8501") as browser:
        assert browser.get("/page", headers=PAGE).headers["Set-Cookie"].endswith("; Secure")


def test_below_a_path_the_id_and_the_routes_are_the_paths(studio: Studio, monkeypatch: pytest.MonkeyPatch):
    for module in (gate, cookies, clips, live):
        monkeypatch.setattr(module, "base_path", lambda: "/studio")
    (studio.archive.folder / "v1.mp4").write_bytes(b"clip")
    with TestClient(Behind("/studio").app, base_url=HERE) as browser:
        assert "; Path=/studio;" in browser.get("/studio/page", headers=PAGE).headers["Set-Cookie"]
        assert browser.get("/studio/clips/v1.mp4").content == b"clip"


def test_a_clip_is_served_in_ranges_and_nothing_else_is(studio: Studio, browser: TestClient):
    (studio.archive.folder / "v1.mp4").write_bytes(b"0123456789")
    (studio.archive.folder / "secret.txt").write_bytes(b"secret")
    answer = browser.get("/clips/v1.mp4", headers={"Range": "bytes=2-4"})
    assert (answer.status_code, answer.content) == (206, b"234")
    assert "immutable" in answer.headers["Cache-Control"]
    for name in ("secret.txt", "..%2fhistory.csv", "v2.mp4", ".mp4", "v1.mp4.part", "a" * 65 + ".mp4"):
        assert browser.get(f"/clips/{name}").status_code == 404


def test_a_clip_can_be_kept_as_a_file(studio: Studio, browser: TestClient):
    (studio.archive.folder / "v1.mp4").write_bytes(b"clip")
    answer = browser.get("/clips/v1.mp4?download")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="kling-v1.mp4"'
    assert answer.content == b"clip"
    assert "Content-Disposition" not in browser.get("/clips/v1.mp4").headers


def test_a_link_in_the_folder_leads_nowhere(studio: Studio, browser: TestClient, tmp_path: Path):
    (tmp_path / "secret").write_bytes(b"secret")
    (studio.archive.folder / "v1.mp4").symlink_to(tmp_path / "secret")
    (studio.archive.folder / "v2.mp4").mkdir()
    for name in ("v1.mp4", "v2.mp4"):
        assert browser.get(f"/clips/{name}").status_code == 404


def test_a_page_whose_socket_was_closed_can_ask_whether_it_is_still_signed_in(browser: TestClient):
    assert browser.get("/live").status_code == 204


@pytest.mark.parametrize("message", [{"text": "hello"}, {"bytes": b"hello"}])
def test_a_page_that_speaks_in_the_socket_of_changes_is_not_listened_to(
    studio: Studio, browser: TestClient, message: dict[str, Any]
):
    with browser.websocket_connect(f"{SOCKETS}/live") as socket:
        socket.receive_text()
        socket.send({"type": "websocket.receive", **message})
        with pytest.raises(WebSocketDisconnect) as ended:
            socket.receive_text()
    assert ended.value.code == 1003
    assert studio.changes.listeners == 0


def test_a_page_hears_of_each_change(studio: Studio, browser: TestClient):
    with browser.websocket_connect(f"{SOCKETS}/live") as socket:
        first = socket.receive_json()
        assert first == {
            "version": studio.changes.version,
            "jobs": None,
            "states": {},
            "running": 0,
            "waiting": 0,
            "tabs": 1,
        }
        job = order_one(studio, FOX, Press(person="Ada", session="s"))
        told = socket.receive_json()
        assert told["version"] > first["version"]
        assert told["jobs"] == [JOBS, job.id]
        assert told["states"].keys() == {job.id}
        studio.resume()
        while told["jobs"] is not None:
            told = socket.receive_json()
    assert studio.changes.listeners == 0


@pytest.mark.parametrize("since", ["-1", "x", "9" * 30, "1.5", ""])
def test_a_page_that_knows_no_version_hears_that_anything_may_have_changed(browser: TestClient, since: str):
    with browser.websocket_connect(f"{SOCKETS}/live?since={since}") as socket:
        assert socket.receive_json()["jobs"] is None


def test_a_page_that_was_cut_off_hears_what_it_missed(studio: Studio, browser: TestClient):
    known = studio.changes.version
    studio.changes.notify({"v1"})
    with browser.websocket_connect(f"{SOCKETS}/live?since={known}") as socket:
        assert socket.receive_json()["jobs"] == ["v1"]


def test_many_changes_are_few_messages(studio: Studio, browser: TestClient):
    with browser.websocket_connect(f"{SOCKETS}/live") as socket:
        names, messages = {str(number) for number in range(50)}, 0
        socket.receive_json()
        for name in names:
            studio.changes.notify({name})
        while names:
            names -= set(socket.receive_json()["jobs"])
            messages += 1
    assert messages <= 2


def test_a_page_hears_something_though_nothing_changes(browser: TestClient, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(live, "HEARTBEAT", 0.001)
    with browser.websocket_connect(f"{SOCKETS}/live") as socket:
        socket.receive_json()
        assert socket.receive_json() == socket.receive_json()


class Socket:
    """A socket whose page neither speaks nor leaves."""

    def __init__(self, *, broken: bool = False) -> None:
        self.broken = broken
        self.query_params: dict[str, str] = {}
        self.sent = asyncio.Event()

    async def accept(self) -> None:
        """It is open."""

    async def send_text(self, _text: str) -> None:
        self.sent.set()
        if self.broken:
            raise WebSocketDisconnect

    async def receive(self) -> dict[str, Any]:
        if self.broken:
            await self.sent.wait()
            return {"type": "websocket.disconnect"}
        return await asyncio.Future[dict[str, Any]]()


def test_a_cancelled_socket_leaves_nothing_behind(studio: Studio):
    async def scene() -> set[asyncio.Task[Any]]:
        socket: Any = Socket()
        handler = asyncio.create_task(live.live(socket))
        await socket.sent.wait()
        handler.cancel()
        await asyncio.wait({handler})
        assert handler.cancelled()
        return asyncio.all_tasks() - {asyncio.current_task()}

    assert asyncio.run(scene()) == set()
    assert studio.changes.listeners == 0


def test_a_page_that_goes_while_it_is_told_is_no_error(studio: Studio):
    socket: Any = Socket(broken=True)
    asyncio.run(live.live(socket))
    assert studio.changes.listeners == 0


def test_a_server_that_stops_says_so_and_raises_nothing(behind: Behind, browser: TestClient):
    context.install(None)
    assert browser.get("/clips/v1.mp4").status_code == 503
    assert browser.get("/page").status_code == 503
    for path in ("/live", "/_stcore/stream"):
        with pytest.raises(WebSocketDisconnect) as refused, browser.websocket_connect(SOCKETS + path):
            pass
        assert refused.value.code == 1012
    assert behind.reached == []


def test_nothing_large_comes_in():
    server = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))["server"]
    assert server["maxUploadSize"] == 1
    assert server["maxWidgetStateSize"] <= 5
    assert server["maxMessageSize"] <= 20
