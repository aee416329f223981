"""What the pages of the library cost with 1,000, 10,000 and 100,000 jobs, from the press to what is painted.

    python -m tests.benchmarks.library_pages [JOBS ...]

A server for each size, and Chromium. The sizes take turns; what is printed are medians: milliseconds until
the new rows are painted, milliseconds of processor time that the server's runs of the page took for it,
kilobytes that came over the socket and in answers; and how often as much the largest log takes as the
smallest. Last comes what each server holds in memory. The aim for all of them is 1.5.

The logs speak of clips that are not there. The studio looks after them one by one meanwhile, for hours where
there are many, and each that is found lost is news to the open page: the largest log pays for that here.
"""

from __future__ import annotations

import os
import resource
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from kling.studio.library.library import FILE
from tests.benchmarks import compose
from tests.benchmarks.library import SIZES, make
from tests.e2e.chromium import BROWSER, QUIET
from tests.e2e.conftest import free_port

ROUNDS = 7
PATIENCE = 1800  # seconds; on a busy machine an index is built slowly
LONGEST = 20  # seconds of an action
ROWS = ".lib-row .lib-link[aria-label]"
# Waits until the page shows something and has painted it; returns the milliseconds since a moment.
PAINTED = """([selector, text, start]) => new Promise((done) => {
  const look = () => {
    const first = document.querySelector(selector);
    if (!first || (text && !first.textContent.includes(text))) return requestAnimationFrame(look);
    requestAnimationFrame(() => setTimeout(() => done(performance.now() - start)));
  };
  setTimeout(() => done(null), 60000);
  look();
})"""
STILL = "[data-testid=stApp][data-test-script-state=notRunning]"
QUIET_FOR = 300  # milliseconds without a run, after which an action is over


class Taken(Protocol):
    """One action; returns the milliseconds until it was painted."""

    def __call__(self, side: Side) -> float: ...


@dataclass
class Side:
    """A server with a log of one size, and pages in a browser of its own.

    Args:
        jobs: in the log.
        url, process, times: of the server; the file has the milliseconds of each run of a page.
        context: of the browser.
        page: that acts.
        received: bytes over the sockets and in answers so far.
    """

    jobs: int
    url: str
    process: subprocess.Popen[bytes]
    times: Path
    context: BrowserContext
    page: Page
    received: list[int]

    def runs(self) -> list[float]:
        return [float(line) for line in self.times.read_text().splitlines()] if self.times.exists() else []

    def settle(self) -> None:
        """Wait until no page runs any more."""
        before, end = -1, time.monotonic() + LONGEST
        while before != len(self.runs()) and time.monotonic() < end:
            before = len(self.runs())
            self.page.wait_for_timeout(QUIET_FOR)
            self.page.locator(STILL).wait_for()

    def memory(self) -> float:
        pages = Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]
        return int(pages) * resource.getpagesize() / 2**20


@contextmanager
def side_of(browser: Browser, folder: Path, jobs: int) -> Iterator[Side]:
    """Serve a log of so many jobs, and wait until its index is whole."""
    folder.mkdir()
    make(folder / "history.csv", jobs)
    port, times = free_port(), folder / "times"
    command = [sys.executable, "-m", "tests.benchmarks.library_pages", "--serve", str(times), "run", "app.py"]
    others = {
        name: value for name, value in os.environ.items() if not name.startswith(("KLINGAI_", "STUDIO_"))
    }
    process = subprocess.Popen(
        [*command, "--server.port", str(port)],
        cwd=compose.ROOT,
        env={**others, "STUDIO_DATA_DIR": str(folder), "SANDBOX_CLIPS": "tiny"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    context.set_default_timeout(60_000)
    received = [0]

    def watch(page: Page) -> Page:
        def add(data: str | bytes) -> None:
            received[0] += len(data)

        page.on("websocket", lambda socket: socket.on("framereceived", add))
        session = context.new_cdp_session(page)
        session.send("Network.enable")
        session.on("Network.loadingFinished", lambda told: add(b" " * int(told["encodedDataLength"])))
        return page

    try:
        wait_until(lambda: is_whole(folder))
        page = watch(context.new_page())
        yield Side(jobs, f"http://localhost:{port}", process, times, context, page, received)
    finally:
        context.close()
        process.terminate()
        process.wait()


def is_whole(folder: Path) -> bool:
    """Whether the index of a folder has all jobs, and says of which log it is."""
    with (
        suppress(sqlite3.Error),
        closing(sqlite3.connect(f"file:{folder / FILE}?mode=ro", uri=True)) as index,
    ):
        return bool(index.execute("SELECT value FROM meta WHERE name = 'stamp'").fetchone()[0])
    return False


def wait_until(is_so: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not is_so():
        if time.monotonic() > end:
            raise SystemExit("The server did not start, or did not make its index.")
        time.sleep(0.2)


# -- actions ---------------------------------------------------------------------------------------------


def opening(path: str, selector: str) -> Taken:
    """Return the action that loads a page anew."""

    def act(side: Side) -> float:
        side.page.goto(f"{side.url}/{path}", wait_until="commit")
        return painted(side.page, selector)

    return act


def painted(page: Page, selector: str, text: str = "", start: float = 0.0) -> float:
    taken = page.evaluate(PAINTED, [selector, text, start])
    if taken is None:
        page.screenshot(path="library_pages.png")
        raise SystemExit(f"{page.url} shows no {selector}: see library_pages.png.")
    return float(taken)


def now(page: Page) -> float:
    return float(page.evaluate("() => performance.now()"))


def turn(side: Side) -> float:
    """Turn to the next page of the list."""
    button = side.page.get_by_role("link", name="Next page")
    last = side.page.locator(ROWS).last.text_content() or ""
    start = side.page.evaluate(
        "(link) => { link.click(); return performance.now(); }", button.element_handle()
    )
    side.page.wait_for_function(
        "([rows, last]) => { const all = document.querySelectorAll(rows);"
        " return all.length && ![...all].some((row) => row.textContent === last); }",
        arg=[ROWS, last],
    )
    return painted(side.page, ROWS, "", start)


def searching(text: str) -> Taken:
    """Return the action that looks for a text, in a field that was empty."""

    def act(side: Side) -> float:
        field = side.page.get_by_label("Search", exact=True)
        start = now(side.page)
        field.fill(text)
        return painted(side.page, f"{ROWS} mark", "", start)

    return act


def clearing(side: Side) -> None:
    side.page.goto(f"{side.url}/history")
    painted(side.page, ROWS)
    side.settle()


# -- measuring and saying --------------------------------------------------------------------------------


def compare(
    name: str, sides: list[Side], act: Taken, prepare: Callable[[Side], object] = lambda _: None
) -> None:
    taken: dict[int, list[tuple[float, float, float]]] = {side.jobs: [] for side in sides}
    for number in range(-1, ROUNDS):
        for side in sides:
            prepare(side)
            runs, before = len(side.runs()), side.received[0]
            shown = act(side)
            side.settle()
            if number >= 0:
                spent = sum(side.runs()[runs:])
                taken[side.jobs].append((shown, spent, (side.received[0] - before) / 1000))
    print(name, flush=True)
    for place, what in enumerate(("painted, ms", "server, ms", "received, kB")):
        middle = [statistics.median(each[place] for each in taken[side.jobs]) for side in sides]
        numbers = "  ".join(f"{each:9.0f}" for each in middle)
        print(f"    {what:<14} {numbers}   {middle[-1] / middle[0] if middle[0] else 0:6.2f} x", flush=True)


def measure(browser: Browser, folder: Path, sizes: tuple[int, ...]) -> None:
    """Measure all pages at these sizes."""
    with ExitStack() as stack:
        sides = [stack.enter_context(side_of(browser, folder / f"pages{jobs}", jobs)) for jobs in sizes]
        print(f"{'jobs:':<18} " + "  ".join(f"{side.jobs:>9,}" for side in sides))
        for side in sides:
            print(f"    {side.jobs:,}: {side.memory():.0f} MB before the first page")
        compare("History is opened", sides, opening("history", ROWS))
        compare("a page turn", sides, turn, clearing)
        for title, text in (
            ("a word is looked for", "lighthouse"),
            ("a rare word", "zeppelin"),
            ("a usual word", "light"),
            ("two characters", "夜景"),
        ):
            compare(title, sides, searching(text), clearing)
        compare("Gallery is opened", sides, opening("gallery", ".wall-open"))
        compare("Spend is opened", sides, opening("spend", ".st-key-spend table, .st-key-spend svg"))
        for side in sides:
            print(f"    {side.jobs:,}: {side.memory():.0f} MB at the end")


def main() -> None:
    sizes = tuple(map(int, sys.argv[1:])) or SIZES
    print(f"load of the machine {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    with (
        tempfile.TemporaryDirectory() as name,
        sync_playwright() as playwright,
        playwright.chromium.launch(executable_path=BROWSER, args=QUIET) as browser,
    ):
        measure(browser, Path(name), sizes)
    print(f"load of the machine {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--serve"]:
        compose.serve(sys.argv[2], sys.argv[3:], clock=time.thread_time, triggers=True)
    else:
        main()
