"""The wall of Gallery with 12, 1,000 and 10,000 clips, beside a page of 60 `st.video`, in one run.

    python -m tests.benchmarks.gallery [CLIPS ...]

A server for each size, and a Chromium for each visit, which has Streamlit's scripts from a page before that
shows no clip. The sizes take turns. What is printed are medians: milliseconds from the address to the first
posters (of `st.video`: the first pictures of those in sight), and what browser and server took of the
processor for that, which no other program lengthens; kilobytes over the socket and in answers until the page
is quiet, megabytes that browser and server hold then. Last comes a walk down the whole wall of 1,000 clips by
the wheel: its longest task, by the clock and by the processor.
"""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from kling import TextToVideo
from kling.studio.archive import Archive
from kling.studio.jobs import dump_json, request_cells
from kling.studio.ledger.csv_file import LogFile
from kling.studio.ledger.csv_ledger import CsvLedger
from kling.studio.video_check import probe_file
from tests.e2e.chromium import BROWSER, QUIET
from tests.e2e.conftest import ROOT, free_port
from tests.e2e.takes import draw

SIZES = (12, 1_000, 10_000)
ROUNDS = 5
VIDEOS = 60  # players of the page that is compared with
WALKED = 1_000  # clips of the wall that is scrolled through
SHAPES = ((1280, 720), (720, 1280), (960, 960))
PATIENCE = 300  # seconds
CALM = 3.0  # seconds without a byte, after which a page is quiet
LONGEST = 100  # milliseconds of a task while one scrolls
WINDOW: ViewportSize = {"width": 1440, "height": 900}
# Resolves with the milliseconds since the page was asked for, when all that is in sight is drawn.
DRAWN = """([selector, isThere]) => new Promise((done) => {
  const there = new Function("each", "return " + isThere);
  const look = () => {
    const all = [...document.querySelectorAll(selector)].filter((each) => {
      const { top, bottom } = each.getBoundingClientRect();
      return top < innerHeight && bottom > 0;
    });
    if (!all.length || !all.every(there)) return setTimeout(look, 10);
    requestAnimationFrame(() => setTimeout(() => done(performance.now())));
  };
  look();
})"""
POSTERS = [".wall-open img", "each.complete && each.naturalWidth > 0"]
PLAYERS = ["video", "each.readyState >= 2"]
OF_VIDEOS = """
import streamlit as st
from pathlib import Path

st.set_page_config(layout="wide")
if "none" not in st.query_params:
    columns = st.columns(4)
    for number, path in enumerate(sorted(Path({folder!r}).glob("*.mp4"))):
        with columns[number % 4]:
            st.video(str(path))
st.write("That is all.")
"""
Server = tuple[str, int]  # address, and id of the process
Figures = tuple[float, float, float, float, float]  # see `report`


def main() -> None:
    sizes = tuple(map(int, sys.argv[1:])) or SIZES
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack, sync_playwright() as playwright:
        here = Path(folder)
        clips = drawn(here)
        servers: dict[str, tuple[Server, str, str, list[str]]] = {}
        for count in sizes:
            data = here / str(count)
            fill(data, count, clips)
            run = stack.enter_context(
                serving(["app.py"], {"STUDIO_DATA_DIR": str(data), "SANDBOX_CLIPS": "tiny"})
            )
            servers[f"{count:,} clips"] = run, "/sharing", "/gallery", POSTERS
        script = here / "videos.py"
        script.write_text(OF_VIDEOS.format(folder=str(copies(here / "copies", clips))), encoding="utf-8")
        run = stack.enter_context(serving([str(script)], {}))
        servers[f"{VIDEOS} st.video"] = run, "/?none=1", "/", PLAYERS
        for (address, _), _, path, _ in servers.values():
            wait_for(address + path)

        def launch() -> Browser:
            return playwright.chromium.launch(executable_path=BROWSER, args=QUIET)

        found: dict[str, list[Figures]] = {name: [] for name in servers}
        for number in range(ROUNDS + 1):
            for name, server in servers.items():
                figures = visit(launch, *server)
                if number:  # the first round warms the servers
                    found[name].append(figures)
        report(found)
        walked = next((each for name, each in servers.items() if name == f"{WALKED:,} clips"), None)
        if walked is not None:
            walk(launch, walked[0][0], WALKED)


def drawn(folder: Path) -> list[tuple[Path, Path, str]]:
    """Encode a clip of each shape; return the files, and what is known of them."""
    found = []
    for wide, high in SHAPES:
        clip, poster = folder / f"{wide}.mp4", folder / f"{wide}.jpg"
        draw(clip, (wide, high), seconds=5)
        facts = {"probe": dict(probe_file(clip, poster).facts), "check": "ok"}  # nothing is left to check
        found.append((clip, poster, dump_json(facts)))
    return found


def copies(folder: Path, clips: list[tuple[Path, Path, str]]) -> Path:
    """Write files of their own for the players: `st.video` sends equal ones once. Return the folder."""
    folder.mkdir()
    for number in range(VIDEOS):
        box = (16).to_bytes(4, "big") + b"free" + number.to_bytes(8, "big")  # which players pass over
        (folder / f"{number:02}.mp4").write_bytes(clips[number % len(clips)][0].read_bytes() + box)
    return folder


def fill(data: Path, count: int, clips: list[tuple[Path, Path, str]]) -> None:
    """Write a log of so many clips over thirty days; the files are links to those few."""
    archive, now = Archive(data / "videos"), [0.0]
    ledger = CsvLedger(LogFile(data / "history.csv"), clock=lambda: now[0])
    end = time.time()
    for day in range(30):
        now[0] = end - (30 - day) * 86_400 + 43_200
        changes: list[tuple[str, Mapping[str, str]]] = []
        for number in range(count * day // 30, count * (day + 1) // 30):
            job_id, (clip, poster, facts) = f"v{number:05}", clips[(number * 7 // 3) % len(clips)]
            archive.video(job_id).hardlink_to(clip)
            archive.poster(job_id).hardlink_to(poster)
            request = request_cells(TextToVideo(prompt=f"A fox steps out between the pines, take {number}"))
            known = {"state": "succeed", "account": "sandbox", "person": "Ada", "extra": facts, **request}
            changes.append((job_id, {**known, "file": f"{job_id}.mp4"}))
        if changes:
            ledger.append_many(changes)


@contextmanager
def serving(command: list[str], environment: Mapping[str, str]) -> Iterator[Server]:
    """Run a Streamlit app."""
    port = free_port()
    others = {
        name: value for name, value in os.environ.items() if not name.startswith(("KLINGAI_", "STUDIO_"))
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "streamlit", "run", *command, "--server.port", str(port)],
        cwd=ROOT,
        env={**others, **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield f"http://localhost:{port}", process.pid
    finally:
        process.terminate()
        process.wait()


def wait_for(address: str) -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        with suppress(OSError), urllib.request.urlopen(address, timeout=10) as answer:
            if answer.status == 200:
                return
        time.sleep(0.2)
    raise SystemExit(f"Nothing answers at {address}.")


def visit(
    launch: Callable[[], Browser], server: Server, before: str, path: str, drawn_when: list[str]
) -> Figures:
    """Open a page in a new browser; return what the head of this module says."""
    address, process = server
    browser = launch()
    try:
        context = browser.new_context(viewport=WINDOW)
        page = context.new_page()
        page.goto(address + before)
        page.wait_for_load_state("networkidle")
        received, last = [0], [time.monotonic()]

        def add(count: float) -> None:
            received[0] += int(count)
            last[0] = time.monotonic()

        page.on("websocket", lambda socket: socket.on("framereceived", lambda data: add(len(data))))
        session, cached = context.new_cdp_session(page), set[str]()
        session.send("Network.enable")
        session.on("Network.requestServedFromCache", lambda told: cached.add(told["requestId"]))
        session.on(
            "Network.responseReceived",
            lambda told: cached.add(told["requestId"]) if told["response"].get("fromDiskCache") else None,
        )
        session.on(
            "Network.dataReceived",
            lambda told: (
                add(told["encodedDataLength"] or told["dataLength"])
                if told["requestId"] not in cached
                else None
            ),
        )
        worked = processor_of(browser, process)
        page.goto(address + path, wait_until="commit")
        milliseconds = float(page.evaluate(DRAWN, drawn_when))
        worked = processor_of(browser, process) - worked
        while time.monotonic() - last[0] < CALM:
            page.wait_for_timeout(100)
        return milliseconds, worked, received[0] / 1000, memory_of(browser), rss(process)
    finally:
        browser.close()


def processor_of(browser: Browser, server: int) -> float:
    """Return the milliseconds of processor time that a browser and a server have taken."""
    told = browser.new_browser_cdp_session().send("SystemInfo.getProcessInfo")
    times = Path(f"/proc/{server}/stat").read_text().rpartition(")")[2].split()[11:13]
    ticks = os.sysconf("SC_CLK_TCK")
    return (
        sum(float(each["cpuTime"]) for each in told["processInfo"]) * 1000
        + sum(map(int, times)) * 1000 / ticks
    )


def memory_of(browser: Browser) -> float:
    """Return the megabytes that all processes of a browser hold, what they share counted once."""
    told = browser.new_browser_cdp_session().send("SystemInfo.getProcessInfo")
    return sum(pss(int(each["id"])) for each in told["processInfo"])


def pss(process: int) -> float:
    with suppress(OSError):
        for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) / 1024
    return 0.0


def rss(process: int) -> float:
    pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


def report(found: Mapping[str, list[Figures]]) -> None:
    print(f"{'':>16}{'first ms':>10}{'CPU ms':>9}{'kB':>10}{'browser MB':>12}{'server MB':>11}")
    medians = {}
    for name, rounds in found.items():
        medians[name] = [statistics.median(each) for each in zip(*rounds, strict=True)]
        first, worked, size, browser, server = medians[name]
        print(f"{name:>16}{first:>10,.0f}{worked:>9,.0f}{size:>10,.0f}{browser:>12,.0f}{server:>11,.0f}")
    walls = [each for name, each in medians.items() if "clips" in name]
    players = next(each for name, each in medians.items() if "st.video" in name)
    for number, what in ((0, "time"), (1, "processor time")):
        grown, part = (walls[-1][number] / each[number] for each in (walls[0], players))
        print(f"{what}: the largest wall takes {grown:.2f} times that of the smallest (aim: 1.3),", end=" ")
        print(f"and {part:.2f} of the page of players (aim: 0.5)")
    print(f"the page of players loads {players[2] / walls[-1][2]:.1f} times as many bytes (aim: 5)")


def walk(launch: Callable[[], Browser], address: str, count: int) -> None:
    """Scroll through a whole wall by the wheel, and print the longest task."""
    browser = launch()
    try:
        page = browser.new_context(viewport=WINDOW).new_page()
        page.goto(f"{address}/gallery")
        page.locator(".wall-open").first.wait_for()
        page.wait_for_timeout(2000)
        page.mouse.move(700, 500)
        browser.start_tracing(page=page, categories=["toplevel", "disabled-by-default-devtools.timeline"])
        steps, end = 0, time.monotonic() + PATIENCE
        while time.monotonic() < end and not is_down(page, count):
            page.mouse.wheel(0, 700)
            page.wait_for_timeout(120)
            steps += 1
        trace = json.loads(browser.stop_tracing())
        memory = memory_of(browser)
    finally:
        browser.close()
    events = trace["traceEvents"]
    mains = {
        (each["pid"], each["tid"])
        for each in events
        if each["name"] == "thread_name" and each["args"]["name"] == "CrRendererMain"
    }
    tasks = [each for each in events if each["name"] == "RunTask" and (each["pid"], each["tid"]) in mains]
    by_clock = sorted((each.get("dur", 0) / 1000 for each in tasks), reverse=True)
    by_processor = sorted((each.get("tdur", 0) / 1000 for each in tasks), reverse=True)
    print(f"scrolling through {count:,} clips in {steps} turns of the wheel:")
    print(
        f"the longest task {by_clock[0]:.0f} ms, {by_processor[0]:.0f} ms of the processor (aim: {LONGEST});",
        end=" ",
    )
    print(f"the browser holds {memory:,.0f} MB at the end")


def is_down(page: Page, count: int) -> bool:
    """Whether the end of the wall is in sight, and all of it is there."""
    return bool(
        page.evaluate(
            """(count) => document.querySelectorAll(".wall-open").length >= count &&
              document.querySelector(".wall-end").getBoundingClientRect().top < innerHeight""",
            count,
        )
    )


if __name__ == "__main__":
    main()
