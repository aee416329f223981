"""From `streamlit run` to a usable Prompt field, against a one-line Streamlit app in the same run.

python tests/benchmarks/startup.py [rounds]
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from playwright.sync_api import Browser, Error, sync_playwright  # noqa: E402

from tests.e2e.chromium import BROWSER, QUIET  # noqa: E402
from tests.e2e.conftest import free_port  # noqa: E402

ONE_LINE = 'import streamlit as st; st.text_area("Prompt")\n'
IS_THERE = """() => document.querySelector("textarea[aria-label='Prompt']:enabled")"""


def seconds_to_prompt(browser: Browser, folder: Path, script: str, data: Path) -> float:
    """Start a server and a fresh browser context at once; return when the field takes text."""
    port = free_port()
    context = browser.new_context()
    page = context.new_page()
    # As elsewhere: Streamlit lies compiled in the environment, and so does the studio after its first start.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    started = time.perf_counter()
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "streamlit",
            "run",
            script,
            "--server.port",
            str(port),
            "--server.headless",
            "true",
        ],
        cwd=folder,
        env={**environment, "STUDIO_DATA_DIR": str(data)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        while True:
            try:
                page.goto(f"http://localhost:{port}")
                break
            except Error:
                time.sleep(0.02)
        page.wait_for_function(IS_THERE, timeout=60_000)  # asks each frame, `fill` seldom
        page.get_by_label("Prompt", exact=True).fill("A fox")
        return time.perf_counter() - started
    finally:
        context.close()
        process.terminate()
        process.wait()


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    studio: list[float] = []
    bare: list[float] = []
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        (folder / "one.py").write_text(ONE_LINE)
        (folder / ".streamlit").mkdir()  # the same settings: only the page differs
        (folder / ".streamlit" / "config.toml").write_text((ROOT / ".streamlit" / "config.toml").read_text())
        with playwright.chromium.launch(executable_path=BROWSER, args=QUIET) as browser:
            for number in range(-1, rounds):
                pair = (
                    seconds_to_prompt(browser, ROOT, "app.py", folder / f"data{number}"),
                    seconds_to_prompt(browser, folder, "one.py", folder),
                )
                if number >= 0:  # the first pair warms the disk
                    studio.append(pair[0])
                    bare.append(pair[1])
    ratio = statistics.median(a / b for a, b in zip(studio, bare, strict=True))
    print(f"studio    {statistics.median(studio):.2f} s to a usable Prompt field (median of {rounds})")
    print(f"one line  {statistics.median(bare):.2f} s")
    print(f"ratio     {ratio:.2f} (median of the pairs; aim: 1.2 at most)")


if __name__ == "__main__":
    main()
