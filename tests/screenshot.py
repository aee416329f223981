"""Take the pictures of README again: a studio of its own, three clips, two pages.

python tests/screenshot.py
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from playwright.sync_api import Page, sync_playwright  # noqa: E402

from tests.e2e.chromium import BROWSER, QUIET  # noqa: E402
from tests.e2e.conftest import Server  # noqa: E402

PROMPTS = (
    "A lighthouse on a cliff in a storm at night, waves below, slow push in",
    "Autumn forest in golden morning light, mist between the trees, birds",
    "Neon city in the rain at night, reflections on the street, camera pans left",
)


def main() -> None:
    pictures = ROOT / "tests" / "screenshots"
    pictures.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as data, sync_playwright() as playwright:
        server = Server(Path(data))
        server.start()
        try:
            with playwright.chromium.launch(executable_path=BROWSER, args=QUIET) as browser:
                page = browser.new_page(viewport={"width": 1400, "height": 900}, color_scheme="light")
                page.goto(server.url)
                for number, prompt in enumerate(PROMPTS, 1):
                    page.get_by_label("Prompt", exact=True).fill(prompt)
                    page.get_by_role("button", name="Generate").click()
                    wait_for_clips(page, number)
                take(page, pictures / "compose.png")
                page.get_by_role("link", name="Gallery").first.click()
                wait_for_clips(page, len(PROMPTS))
                take(page, pictures / "gallery.png")
        finally:
            server.stop()


def wait_for_clips(page: Page, count: int) -> None:
    page.locator("[class*=st-key-clip-]").nth(count - 1).wait_for(timeout=180_000)  # drawn at low priority


def take(page: Page, path: Path) -> None:
    page.mouse.move(0, 0)
    page.wait_for_timeout(2500)  # pictures and fonts settle
    page.screenshot(path=path, type="png")


if __name__ == "__main__":
    main()
