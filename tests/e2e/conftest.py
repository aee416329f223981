"""A real server and a real browser. Without a browser these tests skip; in CI a missing one is a failure."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

ROOT = Path(__file__).parents[2]
BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
PHONE: dict[str, object] = {
    "viewport": {"width": 390, "height": 844},
    "has_touch": True,
    "is_mobile": True,
    "user_agent": "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/140.0 Mobile Safari/537.36",
}
QUIET = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
expect.set_options(timeout=30_000)  # a busy machine is no failure
AT_WORK = "[data-testid=stApp][data-test-script-state=running]"
OURS = ("http://localhost:", "http://127.0.0.1:", "ws://localhost:", "data:", "blob:")


@dataclass
class Server:
    """`streamlit run app.py` on a folder of its own; can be stopped and started again on the same port."""

    data: Path
    environment: dict[str, str] = field(default_factory=dict)
    port: int = 0
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    @property
    def log(self) -> str:
        return (self.data / "history.csv").read_text(encoding="utf-8")

    def start(self) -> None:
        self.port = self.port or free_port()
        clean = {
            name: value for name, value in os.environ.items() if not name.startswith(("KLINGAI_", "STUDIO_"))
        }
        self.process = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(self.port)],
            cwd=ROOT,
            env={**clean, "STUDIO_DATA_DIR": str(self.data), **self.environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            with (
                contextlib.suppress(OSError),
                urllib.request.urlopen(f"{self.url}/_stcore/health", timeout=1),
            ):
                return
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        raise AssertionError("The server did not start.")

    def stop(self, sign: signal.Signals = signal.SIGTERM) -> None:
        if self.process is not None:
            self.process.send_signal(sign)
            self.process.wait(30)
            self.process = None


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def start_server(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    servers: list[Server] = []

    def start(**environment: str) -> Server:
        server = Server(tmp_path / f"data{len(servers)}", environment)
        servers.append(server)
        server.start()
        return server

    yield start
    for server in servers:
        server.stop()


@pytest.fixture(scope="module")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    # Its tests look at pages: nobody has to draw for them.
    server = Server(tmp_path_factory.mktemp("studio") / "data", {"SANDBOX_CLIPS": "tiny"})
    server.start()
    yield server
    server.stop()


# Of a module: as long as Playwright runs, no other test of this thread can run an event loop.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if BROWSER is None:
        if os.environ.get("CI"):
            pytest.fail("CI has to have a browser: .ci/run installs chromium.")
        pytest.skip("no chromium on this machine: apt-get install chromium")
    with (
        sync_playwright() as playwright,
        playwright.chromium.launch(executable_path=BROWSER, args=QUIET) as launched,
    ):
        yield launched


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Open a page in a browser of its own; at the end nothing may have been asked of another host."""
    contexts: list[BrowserContext] = []
    outside: list[str] = []

    def note(url: str) -> None:
        if not url.startswith(OURS):
            outside.append(url)

    def open_it(url: str, **options: object) -> Page:
        context = browser.new_context(**{"viewport": {"width": 1400, "height": 1000}, **options})  # type: ignore[arg-type]
        context.set_default_timeout(30_000)
        contexts.append(context)
        page = context.new_page()
        page.on("request", lambda request: note(request.url))
        page.on("websocket", lambda socket: note(socket.url))
        # As a person does, who sees that the page still moves. Tests about haste say so: in one action, or by
        # a page of their own.
        page.add_locator_handler(page.locator(AT_WORK), lambda: None)
        page.goto(url)
        page.locator("h1").first.wait_for()
        return page

    yield open_it
    for context in contexts:
        context.close()
    assert outside == []
