"""The page of a shared link with four clips of 720p: when all of them play, and what is loaded.

python -m tests.benchmarks.share
"""

from __future__ import annotations

import shutil
import tempfile
import time
from contextlib import closing
from pathlib import Path

from playwright.sync_api import sync_playwright

from kling import TextToVideo
from kling.studio.archive import Archive
from kling.studio.identity.roles import LOCAL, User
from kling.studio.jobs import dump_json, request_cells
from kling.studio.ledger.csv_file import LogFile
from kling.studio.ledger.csv_ledger import CsvLedger
from kling.studio.shares import Shares
from kling.studio.state.database import Database
from kling.studio.state.faults import FILE
from kling.studio.video_check import probe_file
from tests.e2e.conftest import Server

ROUNDS = 3
ALL_PLAY = """() => {
  const plays = (video) => !video.paused && video.currentTime > 0;
  const check = () => {
    const videos = [...document.querySelectorAll(".wall video")];
    if (videos.filter(plays).length === 4) window.allPlay = performance.now();
    else requestAnimationFrame(check);
  };
  addEventListener("DOMContentLoaded", check);
}"""
LOADED = """() => performance.getEntriesByType("resource").concat(performance.getEntriesByType("navigation"))
  .map((each) => [each.name.split("?")[0], each.transferSize])"""
DRIFT = """() => { const at = [...document.querySelectorAll(".wall video")].map((video) => video.currentTime);
  return Math.max(...at) - Math.min(...at) }"""  # a clip lasts longer than the page is looked at


def clip_of_720p(path: Path) -> None:
    """Encode ten seconds in which something moves."""
    import av
    import numpy as np

    x, y = np.meshgrid(np.arange(1280), np.arange(720))
    with av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"}) as container:
        stream = container.add_stream("libx264", rate=30, options={"preset": "ultrafast", "crf": "30"})
        stream.width, stream.height, stream.pix_fmt = 1280, 720, "yuv420p"
        for number in range(300):
            waves = (127 + 120 * np.sin((x + 8 * number) / 90) * np.cos(y / 70)).astype(np.uint8)
            picture = np.stack([waves, waves // 2, 255 - waves], axis=2)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())


def fill(data: Path) -> str:
    """Write a log of four clips and a link to them; return its token."""
    archive = Archive(data / "videos")
    ledger = CsvLedger(LogFile(data / "history.csv"), clock=time.time)
    ids = [f"v{number}" for number in range(4)]
    for job_id in ids:
        path = archive.video(job_id)
        if job_id == ids[0]:
            clip_of_720p(path)
        else:
            shutil.copy(archive.video(ids[0]), path)
        facts = dump_json({"probe": dict(probe_file(path, archive.poster(job_id)).facts)})
        cells = request_cells(TextToVideo(prompt=f"A white running shoe, take {job_id}"))
        ledger.append(job_id, state="succeed", file=path.name, extra=facts, **cells)
    with closing(Database(data / FILE)) as database:
        shares = Shares(database, clock=time.time, monotonic=time.monotonic)
        _, token = shares.add(User(LOCAL, "Ada", "admin"), ids, audience="anyone", ends=time.time() + 9000)
    print(f"{archive.video(ids[0]).stat().st_size / 2**20:.2f} MB a clip")
    return token


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        token = fill(data)
        server = Server(data, {"STUDIO_SHARING": "anyone"})
        server.start()
        try:
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(
                    executable_path="/usr/bin/chromium", args=["--no-sandbox"]
                )
                for _ in range(ROUNDS):
                    page = browser.new_page(viewport={"width": 1440, "height": 900})
                    page.add_init_script(f"({ALL_PLAY})()")
                    page.goto(f"{server.url}/share/{token}")
                    page.wait_for_function("() => window.allPlay")
                    loaded = page.evaluate(LOADED)
                    ours = sum(size for name, size in loaded if not name.endswith((".mp4", ".jpg")))
                    page.wait_for_timeout(2000)
                    after = page.evaluate("window.allPlay")
                    print(
                        f"all four play after {after:.0f} ms; {len(loaded)} requests, "
                        f"{ours / 1000:.1f} kB without clips and posters; "
                        f"{1000 * page.evaluate(DRIFT):.0f} ms apart after 2 s"
                    )
                    assert all(token in name for name, _ in loaded)
                    page.close()
                browser.close()
        finally:
            server.close()


if __name__ == "__main__":
    main()
