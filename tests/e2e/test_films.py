"""After a clip, in a browser: it goes on, both are one film, and it gets sound."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect

from kling import TextToVideo
from kling.studio.archive import Archive
from kling.studio.jobs import SUCCEED, dump_json, request_cells
from kling.studio.ledger.csv_file import LogFile
from kling.studio.ledger.csv_ledger import CsvLedger
from kling.studio.video_check import probe_file
from tests.e2e.conftest import LONG, Server, on_phone
from tests.e2e.test_accessibility import findings
from tests.e2e.test_compose import settled
from tests.e2e.test_first_video import order, rows
from tests.studio.films.reels import reel

Open = Callable[..., Page]
SIDEWAYS = "() => document.documentElement.scrollWidth - innerWidth"
QUICK = {"SANDBOX_CLIPS": "tiny", "SANDBOX_PACE": "seconds:1"}
PROBE = {"width": 640, "height": 360, "seconds": 2.0, "fps": 24, "audio": False}


def folder(tmp_path: Path) -> Path:
    """Return a data folder with one clip, whose frames are large enough to begin another one with."""
    data = tmp_path / "films"
    archive, ledger = (
        Archive(data / "videos"),
        CsvLedger(LogFile(data / "history.csv"), clock=time.time),
    )
    path = reel(archive.video("first"), frames=48, size=(640, 360))
    probe_file(path, archive.poster("first"))
    request = request_cells(TextToVideo(prompt="A red fox lifts one paw", model_name="kling-v2-6"))
    ledger.append("first", state="intent", account="sandbox", person="Ada", **request)
    ledger.append("first", state=SUCCEED, file=path.name, extra=dump_json({"probe": PROBE}))
    return data


def presented_and_shared(page: Page) -> None:
    """Present the film of a job's page, share it, and see that both show it as one."""
    page.get_by_role("button", name="Present the film").click()
    expect(page.locator("dialog.present video[data-on]")).to_have_attribute("src", re.compile("^/films/"))
    page.keyboard.press("Escape")
    expect(page.locator("dialog.present")).to_be_hidden()
    page.get_by_role("button", name="Share the film").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Make the link").click()
    shared = page.context.new_page()
    shared.goto(str(dialog.get_by_role("link", name="Open").get_attribute("href")))
    shared.locator(".tile").click()
    shared.wait_for_function("() => document.querySelector('#room video').duration > 6", polling=100)
    shared.close()
    dialog.get_by_role("button", name="Done").click()
    expect(dialog).to_have_count(0)


def test_a_clip_goes_on_becomes_a_film_and_gets_sound(tmp_path: Path, open_page: Open):
    server = Server(folder(tmp_path), QUICK)
    server.start()
    try:
        page = open_page(f"{server.url}/job?id=first")
        # No sound: Kling does not have this one. The last frame begins the next clip.
        expect(page.get_by_role("button", name="Add sound")).to_be_disabled()
        page.get_by_role("link", name="Continue").click()
        expect(page.get_by_role("heading", name="Compose")).to_be_attached()
        settled(page)
        order(page, "It runs to the left")
        page.locator("[class*=st-key-clip-]:not(.st-key-clip-first) video").first.wait_for(timeout=LONG)
        made = next(row for row in rows(server) if row["parent"] == "first")
        assert json.loads(made["extra"])["continues"] is True
        second = made["external_task_id"]
        # Sound can be ordered from the stage.
        dialog = page.get_by_role("dialog")
        page.locator(".st-key-stage_buttons").get_by_role("button", name="Add sound").click()
        expect(dialog.get_by_role("textbox", name="Music")).to_be_visible()
        dialog.get_by_role("button", name="Cancel").click()
        expect(dialog).to_have_count(0)
        # Both are one film on the page of either.
        page.goto(f"{server.url}/job?id={second}")
        film = page.locator(".st-key-job_film video")
        film.wait_for(timeout=LONG)
        expect(page.get_by_text("2 clips that go on with each other")).to_be_visible()
        page.wait_for_function(
            "() => document.querySelector('.st-key-job_film video').duration > 6", polling=100
        )
        answer = page.request.get(
            f"{server.url}{page.get_by_role('link', name='Download the film').get_attribute('href')}"
        )
        assert "_film.mp4" in answer.headers["content-disposition"]
        settled(page)
        assert findings(page, ".st-key-job_left") == []
        presented_and_shared(page)
        page.get_by_role("button", name="Add sound").click()
        dialog.get_by_role("textbox", name="Sounds").fill("Paws in snow")
        with on_phone(page):
            assert page.evaluate(SIDEWAYS) <= 0
        dialog.get_by_role("button", name=re.compile("Add sound · free")).click()
        expect(dialog).to_have_count(0)
        loud = page.locator(".job-row", has_text="with sound: Paws in snow")
        loud.locator("img").wait_for(timeout=LONG)
        # The lightbox plays the film in the place of the clip.
        page.locator(".st-key-job_player video").click()
        page.get_by_role("button", name="Play the film").click()
        expect(page.locator("dialog.viewer video")).to_have_attribute("src", re.compile("^/films/"))
        expect(page.locator("dialog.viewer").get_by_role("link", name="Continue")).to_have_attribute(
            "href", f"/?from={second}&frame=last"
        )
        # It is shared, and sound can be ordered, over it, too.
        page.get_by_role("button", name="More", exact=True).last.click()
        page.get_by_role("menuitem", name="Share the film…").click()
        expect(dialog.get_by_text("The link shows the film of 2 clips.")).to_be_visible()
        dialog.get_by_role("button", name="Cancel").click()
        page.get_by_role("button", name="More", exact=True).last.click()
        page.get_by_role("menuitem", name="Add sound…").click()
        expect(dialog.get_by_role("textbox", name="Music")).to_be_visible()
    finally:
        server.close()
