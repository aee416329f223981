"""What a page notices by itself: a server that goes and comes back, and tasks that change."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import PORTS, Server
from tests.e2e.team import sign_in
from tests.e2e.test_first_video import jobs_ordered

AWAY = "The studio's server does not answer. What you typed is kept; it goes on by itself."
CONNECTED = "() => window.__studioLive?.opened"
GATHER_FOR_LONGER = """() => {
  const { setTimeout } = window;
  window.setTimeout = (call, wait, ...rest) => setTimeout(call, wait || 500, ...rest);
}"""
WATCH_DIALOGS = """(() => {
  window.dialogs = [];
  new MutationObserver(() => {
    const dialog = document.querySelector("[data-testid=stDialog]");
    if (dialog) dialogs.push(getComputedStyle(dialog).display);
  }).observe(document, { childList: true, subtree: true });
})()"""
WATCH_TITLES = """(() => {
  Object.assign(window, { isAway: false, titles: [] });
  Object.defineProperty(document, "hidden", { get: () => isAway });
  const look = () => {
    if (titles.at(-1) !== document.title) titles.push(document.title);
  };
  const watch = () => new MutationObserver(look).observe(document.head, { childList: true, subtree: true });
  document.addEventListener("DOMContentLoaded", watch);
})()"""
COUNT_ASKED = """(() => {
  const { requestIdleCallback } = window;
  window.asked = 0;
  window.requestIdleCallback = (then, ...rest) => requestIdleCallback((...given) => {
    then(...given);
    window.asked += 1;
  }, ...rest);
})()"""
REMOTE = """async () => {
  const refused = [];
  document.addEventListener("securitypolicyviolation", (event) => refused.push(event.effectiveDirective));
  const gone = (name, fields) => new Promise((done) => {
    const element = Object.assign(document.createElement(name), fields, { onerror: done });
    document.body.appendChild(element);
  });
  await gone("img", { src: "https://evil.example/x.png" });
  await gone("video", { src: "https://evil.example/x.mp4" });
  await gone("script", { src: "https://evil.example/x.js" });
  await gone("link", { rel: "stylesheet", href: "https://evil.example/x.css" });
  return refused.sort();
}"""


def message(version: int, jobs: Sequence[str] | None = None, **more: Any) -> str:
    """Return what the server would say."""
    facts = {"version": version, "jobs": jobs, "states": {}, "running": 0, "waiting": 0, "tabs": 1, **more}
    return json.dumps(facts)


def is_no_shortcut(page: Page, key: str) -> None:
    page.keyboard.press(key)
    expect(page.locator("dialog[open]")).to_have_count(0)


@pytest.fixture
def named_server(tmp_path: Path) -> Iterator[tuple[Server, dict[str, list[Any]]]]:
    """A server that is also reached by a name, as on an intranet; yield it, and cookies by host."""
    port = PORTS.take()
    (cookie,) = sign_in(tmp_path / "data")["Mia Maker"]
    quick = {"SANDBOX_CLIPS": "tiny", "SANDBOX_PACE": "seconds:3"}
    server = Server(tmp_path / "data", {**quick, "STUDIO_PUBLIC_URL": f"http://studio.test:{port}"}, port)
    server.start()
    yield server, {host: [cookie | {"domain": host}] for host in ("localhost", "studio.test")}
    server.close()


def test_a_tab_that_was_left_tells_by_its_title_and_a_server_that_is_away_is_said_under_every_name(
    named_server: tuple[Server, dict[str, list[Any]]], new_page: Callable[[str], Page]
):
    server, cookies = named_server
    pages = []
    for host, given in cookies.items():
        page = new_page(server.url)
        page.context.add_cookies(given)
        page.add_init_script(WATCH_TITLES)
        page.add_init_script(WATCH_DIALOGS)
        page.goto(f"http://{host}:{server.port}")
        page.wait_for_function(CONNECTED)
        pages.append(page)
    # A video is done where nobody looks: the title says it, and nothing is drawn.
    page = pages[-1]
    assert page.evaluate("isSecureContext") is False
    assert page.evaluate("window.__studioLive.notify.available") is False
    expect(page.get_by_role("button", name=re.compile("Notify me|Tell me"))).to_have_count(0)
    page.get_by_label("Prompt", exact=True).fill("A fox")
    page.evaluate("() => { isAway = true; document.dispatchEvent(new Event('visibilitychange')); }")
    page.get_by_role("button", name=re.compile("^Generate ·")).click()
    page.wait_for_function("() => document.title === 'Done · A fox'", polling=100)
    assert [title for title in page.evaluate("titles") if re.fullmatch(r"\d:\d\d · A fox", title)]
    expect(page.locator("[class*=st-key-clip-] video")).to_have_count(0)
    page.evaluate("() => { isAway = false; document.dispatchEvent(new Event('visibilitychange')); }")
    expect(page).to_have_title(re.compile("^Compose"))
    page.locator("[class*=st-key-clip-] video").wait_for()
    # The server goes and comes back: that is said in the studio's words, and by no dialog of Streamlit's.
    for page in pages:
        expect(page.get_by_role("status").filter(has_text=AWAY)).to_have_count(0)
    # What is pressed and typed meanwhile is not forgotten.
    ordered, field = jobs_ordered(server), page.get_by_label("Prompt", exact=True)
    assert server.process is not None
    os.kill(server.process.pid, signal.SIGSTOP)
    page.get_by_role("button", name=re.compile("^Generate ·")).click()
    expect(page.get_by_role("button", name="Sending…")).to_be_visible()
    field.fill("An owl ")
    server.stop(signal.SIGKILL)
    for page in pages:
        expect(page.get_by_role("status").filter(has_text=AWAY)).to_be_visible()
        page.wait_for_function(
            "() => dialogs.length && !document.querySelector('[data-testid=stDialog]')", polling=100
        )
        assert page.evaluate("() => dialogs.filter((display) => display !== 'none')") == []
    page.keyboard.type("over the ?")
    expect(field).to_have_value("An owl over the ?")
    field.blur()
    is_no_shortcut(page, "?")
    server.start()
    for page in pages:
        expect(page.get_by_role("status").filter(has_text=AWAY)).to_have_count(0)
    expect(page.get_by_role("status").filter(has_text="Your last press may not have arrived")).to_be_visible()
    assert jobs_ordered(server) == ordered
    expect(field).to_have_value("An owl over the ?")
    # A key is no shortcut after a field was disabled, until Tab.
    field.focus()
    field.evaluate("field => { field.disabled = true }")
    page.wait_for_function("() => document.activeElement === document.body")
    is_no_shortcut(page, "?")
    page.keyboard.press("Tab")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()


def test_the_first_visits_socket_already_carries_the_browsers_id_and_nothing_of_another_host_can_be_shown(
    shared_server: Server, new_page: Callable[[str], Page]
):
    page = new_page(shared_server.url)  # not `open_page`, which minds that another host is asked
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    carried: list[str] = []
    session.on(
        "Network.webSocketWillSendHandshakeRequest",
        lambda event: carried.append(event["request"]["headers"].get("Cookie", "")),
    )
    page.goto(shared_server.url)
    page.wait_for_function(CONNECTED)
    (cookie,) = [cookie for cookie in page.context.cookies() if cookie["name"] == "studio_browser"]
    assert len(carried) >= 2
    assert all(f"studio_browser={cookie['value']}" in sent for sent in carried)
    assert "studio_browser" not in page.evaluate("document.cookie")
    assert page.evaluate(REMOTE) == ["img-src", "media-src", "script-src-elem", "style-src-elem"]


@pytest.fixture
def gathering(shared_server: Server, new_page: Callable[[str], Page]) -> tuple[Page, Callable[[], None]]:
    """Open a page that sends what half a second brings in one message; return it, and what tells it news."""
    sockets: list[Any] = []

    def speak(socket: Any) -> None:
        sockets.append(socket)
        socket.send(message(0))

    page = new_page(shared_server.url)
    page.add_init_script(COUNT_ASKED)
    page.route_web_socket(re.compile(r"/live(\?|$)"), speak)
    page.goto(shared_server.url)
    page.wait_for_function(CONNECTED)
    page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for()
    page.evaluate(GATHER_FOR_LONGER)
    return page, lambda: sockets[0].send(message(10**15))


def test_a_click_that_is_sent_together_with_the_news_of_a_change_is_followed(
    gathering: tuple[Page, Callable[[], None]],
):
    page, send_news = gathering
    send_news()
    page.wait_for_function("() => asked > 0")
    page.get_by_role("radiogroup", name="How many").get_by_role("radio", name="2").click()
    expect(page.get_by_role("button", name=re.compile("^Generate 2"))).to_be_visible()


def test_news_waits_while_somebody_is_busy(gathering: tuple[Page, Callable[[], None]]):
    page, send_news = gathering
    page.get_by_role("button", name="Templates", exact=True).click()
    search = page.get_by_role("dialog").get_by_label("Search")
    search.wait_for()
    search.press("r")  # before the news: on a busy machine the first letter may take a while
    send_news()
    search.press_sequentially("amen")
    expect(page.get_by_role("dialog").locator("[class*=st-key-composer-use-] button")).to_have_count(1)
    page.wait_for_function("() => asked > 0")


@pytest.mark.parametrize("path", ["/_stcore/stream", "/live"])
def test_only_its_own_pages_open_a_socket(shared_server: Server, path: str):
    def handshake(origin: str) -> int:
        connection = http.client.HTTPConnection("localhost", shared_server.port)
        upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
        connection.request(
            "GET", path, headers=upgrade | {"Origin": origin, "Sec-WebSocket-Key": "A" * 22 + "=="}
        )
        try:
            return connection.getresponse().status
        finally:
            connection.close()

    assert handshake(shared_server.url) == 101
    for foreign in (
        "http://localhost",
        f"http://localhost:{shared_server.port + 1}",
        "http://evil.example",
        "null",
    ):
        assert handshake(foreign) == 403
