"""What a page costs the server with 90,000 jobs that ended without a file, against the same page with none.

    python tests/benchmarks/pages.py

An old account that was taken in, or years of cleared clips. Each page is run alone, without a browser; the
two studios take turns, each pair gives a ratio, and what is printed is the median, with the middle half in
brackets.
"""

from __future__ import annotations

import logging
import statistics
import sys
import tempfile
import time
from pathlib import Path

from streamlit.testing.v1 import AppTest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from kling import ApiKey, Client, TextToVideo  # noqa: E402
from kling.studio.connection import KlingConnection  # noqa: E402
from kling.studio.jobs import COLUMNS, request_cells  # noqa: E402
from kling.studio.ledger.csv_text import encode_row  # noqa: E402
from kling.studio.service import Studio  # noqa: E402
from kling.studio.settings import Settings  # noqa: E402
from pages._ui import context  # noqa: E402

JOBS = 90_000
SHOWN = 100  # jobs that failed, the newest, in both studios
ROUNDS = 25
PAGES = ("pages/compose.py", "pages/history.py", "pages/gallery.py")
ACCOUNT = Settings(credentials=ApiKey("key"), base_url="http://127.0.0.1:9").account


def make(folder: Path, jobs: int) -> Studio:
    """Open a studio whose log has so many jobs that succeeded long ago and whose videos are not here."""
    folder.mkdir()
    cells = request_cells(TextToVideo(prompt="A red fox crosses the snow."))
    with (folder / "history.csv").open("wb") as file:
        file.write(encode_row(COLUMNS))
        for number in range(jobs + SHOWN):
            row = {
                "external_task_id": f"v019ab1c2d3e4{number:011x}f",
                "time": "2025-11-22T10:00:00.000+00:00",
                "updated_at": "2025-11-22T10:00:00.000+00:00",
                "state": "succeed" if number < jobs else "failed",
                "account": ACCOUNT,
                "task_id": f"8{number:017}",
                **cells,
            }
            file.write(encode_row([row.get(name, "") for name in COLUMNS]))
    connection = KlingConnection(Client(ApiKey("key"), base_url="http://127.0.0.1:9", connect_timeout=1))
    settings = Settings(data_dir=folder, credentials=ApiKey("key"), base_url="http://127.0.0.1:9")
    studio = Studio(settings, connection=connection)
    while studio.ledger.opening:
        time.sleep(0.1)
    studio.poller.step()
    return studio


def run_once(studio: Studio, page: str) -> float:
    context.install(studio)
    app = AppTest.from_file(str(ROOT / "pages" / "main.py"), default_timeout=60)
    app.run()
    start = time.perf_counter()
    app.switch_page(page.removeprefix("pages/")) if "compose" not in page else None
    app.run()
    return time.perf_counter() - start


def main() -> None:
    logging.disable(logging.CRITICAL)
    with tempfile.TemporaryDirectory() as name:
        many, none = make(Path(name) / "many", JOBS), make(Path(name) / "none", 0)
        for page in PAGES:
            pairs = [(run_once(many, page), run_once(none, page)) for _ in range(ROUNDS)]
            ratios = sorted(first / second for first, second in pairs)
            quarter = ROUNDS // 4
            print(
                f"{page:20} {statistics.median(first for first, _ in pairs) * 1e3:7.0f} ms with {JOBS:,}   "
                f"{statistics.median(second for _, second in pairs) * 1e3:7.0f} ms with none   "
                f"{statistics.median(ratios):.2f} x [{ratios[quarter]:.2f} to {ratios[-quarter - 1]:.2f}]"
            )
        many.stop()
        none.stop()


if __name__ == "__main__":
    main()
