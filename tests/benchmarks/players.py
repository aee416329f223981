"""Four clips of 720p on the page Compare: how far apart they are, by the pictures that the browser shows.

Started 150 ms apart, with one held for half a second, and with one whose file comes too late. The first case
also without anything that leads them back, to show what is measured.

python -m tests.benchmarks.players
"""

from __future__ import annotations

import json
import os
import statistics
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Browser, Page, Route, sync_playwright

from kling import TextToVideo
from tests.e2e.conftest import Server
from tests.e2e.takes import Takes, draw

SECONDS, FPS = 15, 30
FRAME = 42  # milliseconds, of a clip of 24 pictures a second
HELD = 500  # milliseconds
SETTLE, LOOK = 2000, 10_000  # milliseconds: until they have to be in step, and for which they are looked at
LATE = 4  # seconds until the rest of a file comes
IDS = [f"take{number}" for number in range(1, 5)]

# Starts each player 150 ms after the one before, as long as that is wanted, and notes what each shows.
WATCH = """(options) => {
  const play = HTMLMediaElement.prototype.play, held = new Set();
  const videos = () => [...document.querySelectorAll(".deck video")];
  let begun = null;
  HTMLMediaElement.prototype.play = function () {
    const index = videos().indexOf(this);
    if (held.has(this)) return Promise.resolve();
    if (index < 0 || !options.apart || (begun !== null && performance.now() - begun > options.apart * 3)) {
      return play.call(this);
    }
    begun ??= performance.now();
    const left = Math.max(begun + index * options.apart - performance.now(), 0);
    return new Promise((done) => setTimeout(() => done(play.call(this)), left));
  };
  if (options.free) {
    const rate = Object.getOwnPropertyDescriptor(HTMLMediaElement.prototype, "playbackRate");
    Object.defineProperty(HTMLMediaElement.prototype, "playbackRate", { ...rate, set() {} });
  }
  window.seen = [];
  const last = new Map();
  const look = (video) => {
    const frame = (_now, { mediaTime, expectedDisplayTime }) => {
      last.set(video, { mediaTime, at: expectedDisplayTime });
      video.requestVideoFrameCallback(frame);
    };
    video.requestVideoFrameCallback(frame);
  };
  setInterval(() => {
    const all = videos(), now = performance.now();
    for (const video of all) if (!video.seenBy) { video.seenBy = true; look(video); }
    if (all.length < 4 || all.some((video) => !last.has(video))) return;
    const places = all.map((video) => {
      const { mediaTime, at } = last.get(video);
      return mediaTime + (video.paused ? 0 : ((now - at) / 1000) * video.playbackRate);
    });
    const plays = all.every((each) => !each.paused);
    window.seen.push([now, 1000 * (Math.max(...places) - Math.min(...places)), plays]);
  }, 100);
  window.hold = (index, time) => {
    const video = videos()[index];
    held.add(video);
    video.pause();
    setTimeout(() => { held.delete(video); window.freed = performance.now(); play.call(video); }, time);
  };
}"""
FIRST_MOVES = "() => [...document.querySelectorAll('.deck video')].some((each) => each.currentTime > 0.02)"
DROPPED = """() => [...document.querySelectorAll('.deck video')].map((each) => each.getVideoPlaybackQuality())
  .reduce(([lost, all], each) => [lost + each.droppedVideoFrames, all + each.totalVideoFrames], [0, 0])"""


def opened(browser: Browser, url: str, **options: object) -> Page:
    page = browser.new_page(viewport={"width": 1440, "height": 900}, reduced_motion="no-preference")
    page.add_init_script(f"({WATCH})({json.dumps(options)})")
    page.goto(url)
    page.wait_for_function(FIRST_MOVES, polling=20)
    return page


def spreads(page: Page, start: float, end: float) -> list[float]:
    """Return how far apart the clips were between two times of the page's clock, in milliseconds."""
    seen: list[tuple[float, float, bool]] = page.evaluate("window.seen")
    return [spread for at, spread, _ in seen if start <= at <= end]


def told(name: str, found: list[float], more: str = "") -> None:
    if not found:
        print(f"{name}: nothing was seen{more}; load {os.getloadavg()[0]:.1f}")
        return
    ordered = sorted(found)
    p95 = ordered[int(0.95 * (len(ordered) - 1))]
    print(
        f"{name}: median {statistics.median(found):.1f}, p95 {p95:.1f}, most {ordered[-1]:.1f} ms apart "
        f"({len(found)} looks){more}; load {os.getloadavg()[0]:.1f}"
    )


def started_apart(browser: Browser, url: str, *, free: bool) -> None:
    page = opened(browser, url, apart=150, free=free)
    begin = page.evaluate("performance.now()")
    page.wait_for_timeout(SETTLE + LOOK)
    first = spreads(page, begin, begin + SETTLE)
    lost, total = page.evaluate(DROPPED)
    name = "started 150 ms apart, nothing leads them back" if free else "started 150 ms apart"
    told(
        name,
        spreads(page, begin + SETTLE, begin + SETTLE + LOOK),
        f", {max(first):.0f} at first, {lost}/{total} dropped",
    )
    page.close()


def healed(page: Page, since: float) -> float:
    """Return after how many milliseconds the clips begin to be in step for half a second."""
    seen: list[tuple[float, float, bool]] = page.evaluate("window.seen")
    later = [(at, plays and spread <= FRAME) for at, spread, plays in seen if at >= since]
    steady = (
        at for number, (at, _) in enumerate(later) if all(good for _, good in later[number : number + 5])
    )
    return next(steady, float("inf")) - since


def held(browser: Browser, url: str) -> None:
    page = opened(browser, url)
    page.wait_for_timeout(2000)
    page.evaluate(f"window.hold(2, {HELD})")
    page.wait_for_timeout(HELD + 4000)
    freed: float = page.evaluate("window.freed")
    told(
        "one held for half a second",
        spreads(page, freed + 2000, freed + 4000),
        f", in step {healed(page, freed):.0f} ms after it was freed",
    )
    page.close()


def late(browser: Browser, url: str, clip: bytes) -> None:
    """One file stops in the middle, as over a bad line."""
    page = browser.new_page(viewport={"width": 1440, "height": 900}, reduced_motion="no-preference")
    came: list[float] = []

    def answer(route: Route) -> None:
        asked = route.request.headers.get("range", "bytes=0-")
        start = int(asked.removeprefix("bytes=").split("-")[0])
        stop = len(clip) if start else len(clip) // 10
        if start and not came:
            time.sleep(LATE)
        if start:
            came.append(time.monotonic())
        headers = {
            "Content-Type": "video/mp4",
            "Accept-Ranges": "bytes",
            "Content-Range": f"bytes {start}-{stop - 1}/{len(clip)}",
        }
        route.fulfill(status=206, headers=headers, body=clip[start:stop])

    page.add_init_script(f"({WATCH})({{}})")
    page.route(f"**/{IDS[2]}.mp4", answer)
    page.goto(url)
    page.wait_for_function(FIRST_MOVES, polling=20)
    page.wait_for_timeout(1000 * LATE + 7000)
    clock: float = page.evaluate("performance.now()") - 1000 * time.monotonic()
    there = clock + 1000 * came[0]
    seen: list[tuple[float, float, bool]] = page.evaluate("window.seen")
    stood = sum(not plays for at, _, plays in seen if there - 1000 * LATE <= at <= there + 1000)
    told(
        "one waits for its file",
        spreads(page, there + 2000, there + 4000),
        f", all stood for {stood / 10:.1f} s, in step {healed(page, there):.0f} ms after the file had come",
    )
    page.close()


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        data, clip = Path(folder) / "data", Path(folder) / "clip.mp4"
        draw(clip, (1280, 720), seconds=SECONDS, fps=FPS)
        takes = Takes(data)
        for job_id in IDS:
            takes.add(job_id, TextToVideo(prompt=f"A white running shoe, {job_id}"), clip, batch="b1")
        print(f"{clip.stat().st_size / 2**20:.2f} MB a clip")
        server = Server(data, {})
        server.start()
        url = f"{server.url}/compare?ids={','.join(IDS)}"
        try:
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(
                    executable_path="/usr/bin/chromium", args=["--no-sandbox"]
                )
                opened(browser, url).close()  # the first visit fills the caches
                for _ in range(2):
                    started_apart(browser, url, free=False)
                    held(browser, url)
                    late(browser, url, clip.read_bytes())
                started_apart(browser, url, free=True)
                browser.close()
        finally:
            server.close()


if __name__ == "__main__":
    main()
