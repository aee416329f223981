"""A real server and a real browser. Without a browser these tests skip; in CI a missing one is a failure."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import time
import urllib.request
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, cast

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, expect
from playwright.sync_api import TimeoutError as NothingCame

from tests.e2e.chromium import WAIT, Chromium
from tests.e2e.forked import Streamlit

ROOT = Path(__file__).parents[2]
DESKTOP: ViewportSize = {"width": 1400, "height": 1000}
PHONE: dict[str, Any] = {
    "viewport": {"width": 390, "height": 844},
    "has_touch": True,
    "is_mobile": True,
    "user_agent": "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/140.0 Mobile Safari/537.36",
}
# A busy machine is no failure: what these waits are for comes at once where there is time, so their length
# matters only where it never comes.
PATIENCE = 180  # seconds, for processes
LONG = 400_000  # milliseconds, for clips that are drawn meanwhile, at low priority
expect.set_options(timeout=WAIT)
AT_WORK = "[data-testid=stApp][data-test-script-state=running]"
# Whether a button is whole on the screen, and nothing lies on its middle.
IN_SIGHT = """(button) => {
  const box = button.getBoundingClientRect(), x = box.left + box.width / 2, y = box.top + box.height / 2;
  return box.top >= 0 && box.bottom <= innerHeight && button.contains(document.elementFromPoint(x, y));
}"""
# What offers to undo something goes after ten seconds, which a busy machine may need for less.
UNHURRIED = """addEventListener("DOMContentLoaded", () => document.head.insertAdjacentHTML("beforeend",
  "<style>[class*=st-key-undo-] { animation-duration: 900s !important; }</style>"))"""
OURS = ("http://localhost:", "http://127.0.0.1:", "ws://localhost:", "data:", "blob:")


@dataclass
class Server:
    """`streamlit run app.py` on a folder of its own; can be stopped and started again on the same port.

    Args:
        data: the folder.
        environment: its settings.
        port: 0 for one that is free.
        is_called_back: tasks carry its address, so that it hears of a change at once and not at its next
            look, which is seconds later where it asks with a key.
    """

    data: Path
    environment: dict[str, str] = field(default_factory=dict)
    port: int = 0
    is_called_back: bool = False
    process: Streamlit | None = None

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    @property
    def log(self) -> str:
        return (self.data / "history.csv").read_text(encoding="utf-8")

    @contextmanager
    def asleep(self) -> Iterator[None]:
        """Have it do nothing for a while; what browsers send waits for it."""
        assert self.process is not None
        os.kill(self.process.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self.process.pid, signal.SIGCONT)

    def start(self) -> None:
        self.port = self.port or PORTS.take()
        clean = {
            name: value for name, value in os.environ.items() if not name.startswith(("KLINGAI_", "STUDIO_"))
        }
        public = {"STUDIO_PUBLIC_URL": f"http://127.0.0.1:{self.port}"} if self.is_called_back else {}
        self.process = Streamlit(
            ["run", "app.py", "--server.port", str(self.port)],
            {**clean, "STUDIO_DATA_DIR": str(self.data), **public, **self.environment},
        )
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            with (
                contextlib.suppress(OSError),
                urllib.request.urlopen(f"{self.url}/_stcore/health", timeout=10),
            ):
                return
            if not self.process.is_running:
                break
            time.sleep(0.05)
        raise AssertionError("The server did not start.")

    def stop(self, sign: signal.Signals = signal.SIGTERM) -> None:
        if self.process is not None:
            self.process.end(sign, PATIENCE)
            self.process = None

    def close(self) -> None:
        """Stop for good: another server may have the port."""
        self.stop()
        PORTS.give_back(self.port)


def pytest_collection_modifyitems(items: Sequence[pytest.Item]) -> None:
    """Let a browser test that failed run once more; the summary names it as rerun.

    A real browser on a busy machine now and then misses a press or a page. What the studio promises about
    money, files and crashes is tested without a browser too, and never twice.
    """
    for item in items:
        if {"open_page", "new_page", "browser"} & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.flaky(reruns=1))


class Ports:
    """Ports for servers, one after the other on the same few: a browser keeps the scripts of an address.

    They lie below those that a system gives to connections, so nobody takes one between two servers.
    """

    def __init__(self) -> None:
        self._free: list[int] = []
        self._next = 20_000 + os.getpid() * 50 % 12_000

    def take(self) -> int:
        while not self._free:
            self._next += 1
            with contextlib.suppress(OSError), socket.socket() as probe:
                probe.bind(("127.0.0.1", self._next))
                self._free.append(self._next)
        return self._free.pop()

    def give_back(self, port: int) -> None:
        self._free.append(port)


PORTS = Ports()
HAS_FAILED = pytest.StashKey[bool]()
CHROMIUM = Chromium()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def start_server(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    servers: list[Server] = []

    def start(*, is_called_back: bool = False, **environment: str) -> Server:
        folder = tmp_path / f"data{len(servers)}"
        server = Server(folder, environment, is_called_back=is_called_back)
        servers.append(server)
        server.start()
        return server

    yield start
    for server in reversed(servers):
        server.close()


@pytest.fixture(scope="module")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    # Its tests look at pages: nobody has to draw for them, or to wait for what is being made.
    quick = {"SANDBOX_CLIPS": "tiny", "SANDBOX_PACE": "seconds:1"}
    server = Server(tmp_path_factory.mktemp("studio") / "data", quick)
    server.start()
    yield server
    server.close()


@pytest.fixture
def browser() -> Browser:
    return CHROMIUM.browser


@pytest.fixture
def new_page() -> Iterator[Callable[[str], Page]]:
    """Make a page that shows nothing yet, in a browser of its own; what it asks for is not watched."""
    contexts: list[BrowserContext] = []

    def make(url: str) -> Page:
        contexts.append(CHROMIUM.context(url))
        return contexts[-1].new_page()

    yield make
    for context in contexts:
        CHROMIUM.give_back(context)


@contextmanager
def on_phone(page: Page, height: int = 844) -> Iterator[None]:
    """Show a page that is loaded on a phone's screen, as if it had been turned into one: touched, narrow.

    It then looks as it does where it was loaded on a phone, `hover: none` included.

    Args:
        page: made by `open_page` without a device of its own.
        height: of the screen, in pixels.
    """
    before = page.viewport_size
    session = page.context.new_cdp_session(page)  # what it emulates ends with it
    metrics = {"width": PHONE["viewport"]["width"], "height": height, "deviceScaleFactor": 1, "mobile": True}
    session.send("Emulation.setDeviceMetricsOverride", metrics)
    session.send("Emulation.setTouchEmulationEnabled", {"enabled": True})
    page.wait_for_function("() => matchMedia('(hover: none)').matches && innerWidth === 390", polling=50)
    yield
    session.detach()
    page.set_viewport_size(before or DESKTOP)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.when == "call":
        item.stash[HAS_FAILED] = report.failed
    return report


@pytest.hookimpl(tryfirst=True, specname="pytest_runtest_teardown")  # before reruns keep what is shared
def pytest_runtest_teardown_after_a_failure(item: pytest.Item) -> None:
    """End the servers that tests of a file share: the next try must not meet what this one left there."""
    if item.stash.get(HAS_FAILED, False):
        item.session._setupstate.teardown_exact(cast("pytest.Item", item.session))  # noqa: SLF001 - no public way


@pytest.hookimpl(trylast=True)  # after the fixtures
def pytest_runtest_teardown(nextitem: pytest.Item | None) -> None:
    # As long as Playwright runs, no other test of this thread can run an event loop.
    if nextitem is None or Path(__file__).parent not in nextitem.path.parents:
        CHROMIUM.close()


@pytest.fixture
def open_page() -> Iterator[Callable[..., Page]]:
    """Open a page in a browser of its own; at the end nothing may have been asked of another host.

    Nothing moves by itself, and no clip plays, unless a test asks for `reduced_motion="no-preference"`.
    `asked` is a list that gets the addresses of all that the page asks for, before they have come.
    """
    contexts: list[tuple[BrowserContext, dict[str, object]]] = []
    outside: list[str] = []

    def note(url: str) -> None:
        if not url.startswith(OURS):
            outside.append(url)

    def open_it(
        url: str,
        *,
        viewport: ViewportSize = DESKTOP,
        color_scheme: Literal["light", "dark"] | None = None,
        reduced_motion: Literal["reduce", "no-preference"] = "reduce",
        cookies: Sequence[Any] = (),
        asked: list[str] | None = None,
        **device: object,
    ) -> Page:
        context = CHROMIUM.context(url, **device)
        contexts.append((context, device))
        context.add_cookies(cookies)
        page = context.new_page()
        page.set_viewport_size(viewport)
        page.emulate_media(color_scheme=color_scheme, reduced_motion=reduced_motion)
        page.add_init_script(UNHURRIED)
        page.on("request", lambda request: note(request.url))
        if asked is not None:
            page.on("request", lambda request: asked.append(request.url))
        page.on("websocket", lambda socket: note(socket.url))
        # As a person does, who sees that the page still moves. Tests about haste say so: in one action, or by
        # a page of their own.
        page.add_locator_handler(page.locator(AT_WORK), lambda: None)
        try:
            page.goto(url, timeout=WAIT / 2)
        except NothingCame:  # seen twice in some 2,000 visits, on an idle server; the cause is not known
            page.goto(url)
        page.locator("h1").first.wait_for()
        return page

    yield open_it
    for context, device in contexts:
        CHROMIUM.give_back(context, **device)
    assert outside == []
