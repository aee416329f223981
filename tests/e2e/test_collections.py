"""Collections, links to them, and files to take away, in a browser: by mouse, by keyboard, on a phone."""

from __future__ import annotations

import base64
import json
import re
import shutil
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from hashlib import sha256
from types import SimpleNamespace
from typing import Literal

import pytest
from playwright.sync_api import Locator, Page, expect

from kling import TextToVideo
from kling.studio.archive import Archive
from kling.studio.jobs import request_cells
from kling.studio.ledger.csv_file import LogFile
from kling.studio.ledger.csv_ledger import CsvLedger
from kling.studio.prompting.templates import POSTERS
from tests.e2e.conftest import IN_SIGHT, Server, on_phone
from tests.e2e.test_share import axe
from tests.studio.clips import examined

Open = Callable[..., Page]
CLIPS = ("fox-snow", "coast-drone", "espresso-pour")
ORDER = (
    "() => [...document.querySelectorAll('.st-key-collection [data-clip]')].map((each) => each.dataset.clip)"
)
DROP = """async ([content, name]) => {
  const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0)), held = new DataTransfer();
  held.items.add(new File([bytes], name, { type: "video/mp4" }));
  const at = document.querySelector("[data-testid=stMain]");
  const event = (kind) => new DragEvent(kind, { dataTransfer: held, bubbles: true, cancelable: true });
  at.dispatchEvent(event("dragover"));
  const hint = document.querySelector(".compose-drop")?.textContent;
  at.dispatchEvent(event("drop"));
  return hint;
}"""


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimpleNamespace]:
    """A server with three clips; the newest is the last one."""
    data = tmp_path_factory.mktemp("collections") / "data"
    archive = Archive(data / "videos")
    ledger = CsvLedger(LogFile(data / "history.csv"), clock=time.time)
    ids = [f"clip{number}" for number in range(len(CLIPS))]
    for job_id, name in zip(ids, CLIPS, strict=True):
        path = archive.video(job_id)
        shutil.copy(POSTERS / f"{name}.mp4", path)
        probe = examined(path, archive.poster(job_id))
        cells = request_cells(TextToVideo(prompt=f"A {name} <b>at dawn</b>", mode="pro", duration="10"))
        ledger.append(job_id, state="succeed", file=path.name, person="Ada", extra=probe, **cells)
    server = Server(data, {"STUDIO_SHARING": "anyone"})
    server.start()
    yield SimpleNamespace(server=server, url=server.url, ids=ids)
    server.close()


def select(page: Page, *places: int) -> None:
    """Select rows of History by their keys."""
    page.locator(".lib-row").first.wait_for()
    for place in places:
        page.locator(".lib-link").nth(place).focus()
        page.keyboard.press("x")


def waits_for(page: Page, *ids: str) -> None:
    page.wait_for_function(
        f"(wanted) => JSON.stringify(({ORDER})()) === wanted", arg=json.dumps(ids, separators=(",", ":"))
    )


def test_clips_are_collected_put_in_order_and_shown_to_whoever_has_the_link(
    open_page: Open, past: SimpleNamespace
):
    first, second, third = past.ids
    page = open_page(f"{past.url}/history")
    select(page, 0, 1, 2)
    bar = page.get_by_role("toolbar", name="Selected jobs")
    expect(bar.get_by_role("button", name="Compare")).not_to_have_attribute("aria-disabled", "true")
    bar.get_by_role("button", name="Collect").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Title of a new collection").fill("First <i>cuts</i>")
    page.keyboard.press("Enter")
    expect(page.get_by_text("3 clips are now in “First <i>cuts</i>”.")).to_be_visible()
    for button in (
        page.get_by_role("button", name="Export"),
        bar.get_by_role("button", name="Select nothing"),
    ):
        assert button.evaluate(IN_SIGHT)  # these words lie on no button
    page.keyboard.press("Escape")
    page.get_by_role("link", name="Open the collection").click()
    expect(page).to_have_url(re.compile(r"/collections\?id="))  # this page: no tab of its own
    waits_for(page, third, second, first)

    page.goto(f"{past.url}/gallery")
    page.locator(".st-key-to_collections a").click()
    page.locator("a", has_text="First <i>cuts</i>").click()
    waits_for(page, third, second, first)  # as they stood in the list
    other = page.context.new_page()  # somebody else looks at it too
    other.goto(page.url)
    waits_for(other, third, second, first)
    assert page.title().startswith("First <i>cuts</i>")
    tiles = page.locator(".wall-open")
    tiles.first.focus()
    page.keyboard.press("Alt+ArrowRight")
    waits_for(page, second, third, first)
    tiles.nth(2).drag_to(tiles.nth(0))
    waits_for(page, first, second, third)
    waits_for(other, first, second, third)
    several_moves(page, other, past)
    other.close()
    for words, order in (("Move later", (second, first, third)), ("Move earlier", (first, second, third))):
        moved = page.locator(f".st-key-collection [data-clip='{first}']")
        moved.hover()
        moved.get_by_role("button", name="More").click()
        page.get_by_role("menuitem", name=words).click()
        waits_for(page, *order)
    tiles.nth(1).focus()
    page.keyboard.press("x")
    page.get_by_role("button", name="Take out").click()
    waits_for(page, first, third)

    share_and_end(page, dialog, there=(first, third), gone=second)


def several_moves(page: Page, other: Page, past: SimpleNamespace) -> None:
    """Move clips without a pause, and while nobody takes the moves; none is lost."""
    first, second, third = past.ids
    for pause in (0, 150):
        page.locator(".wall-open").first.focus()
        with past.server.asleep() if pause else nullcontext():
            for key in ("Alt+ArrowRight", "Alt+ArrowRight", "ArrowLeft", "Alt+ArrowLeft"):
                page.keyboard.press(key)
                page.wait_for_timeout(pause)
            waits_for(page, third, second, first)
        waits_for(other, third, second, first)
        waits_for(page, third, second, first)
        page.keyboard.press("Alt+ArrowRight")
        page.keyboard.press("End")
        page.keyboard.press("Alt+ArrowLeft")
        page.keyboard.press("Alt+ArrowLeft")
        waits_for(other, first, second, third)
        waits_for(page, first, second, third)


def share_and_end(page: Page, dialog: Locator, *, there: tuple[str, ...], gone: str) -> None:
    """Share the collection that is open, look at the link as a stranger, and end it."""
    page.get_by_role("button", name="Share", exact=True).first.click()
    dialog.get_by_text("Anyone who has the link").click()
    expect(dialog.get_by_label("Anyone who has the link")).to_be_checked()
    dialog.get_by_role("button", name="Make the link").click()
    link = dialog.locator("code").inner_text()
    page.evaluate(
        "() => Object.defineProperty(navigator, 'clipboard', { value: undefined, configurable: true })"
    )
    dialog.get_by_role("button", name="Copy link").click()
    expect(dialog.get_by_role("button", name="Copied")).to_be_visible()
    dialog.get_by_role("button", name="Done").click()
    stranger = page.context.request
    shown = stranger.get(link)
    assert shown.status == 200
    assert "First &lt;i&gt;cuts&lt;/i&gt;" in shown.text()
    for job_id in there:
        assert stranger.get(f"{link}/{job_id}.mp4", headers={"Range": "bytes=0-9"}).status == 206
    assert stranger.get(f"{link}/{gone}.mp4").status == 404  # it was taken out

    page.goto(link.partition("/share/")[0] + "/sharing")
    row = page.locator(".sharing-row").first
    expect(row).to_contain_text("First <i>cuts</i>")
    expect(row).to_contain_text("Opened 1 time")
    page.get_by_role("button", name="End", exact=True).click()
    dialog.get_by_role("button", name="End the link").click()
    expect(page.get_by_text("The link has ended.")).to_be_visible()
    assert stranger.get(link).status == 404
    assert stranger.get(f"{link}/{there[0]}.mp4").status == 404


def test_a_selection_is_taken_away_with_progress_and_a_clip_of_it_fills_the_form_again(
    open_page: Open, past: SimpleNamespace
):
    page = open_page(f"{past.url}/history")
    select(page, 0, 2)
    with page.expect_download() as coming:
        page.get_by_role("toolbar").get_by_role("link", name="Download").click()
    assert coming.value.suggested_filename == "clips_2.zip"
    expect(page.locator(".taking")).to_contain_text("2 clips saved")
    bundle = zipfile.ZipFile(coming.value.path())
    lines = bundle.read("SHA256SUMS").decode().splitlines()
    manifest = {name: digest for digest, name in (line.split("  ", 1) for line in lines)}
    assert {name: sha256(bundle.read(name)).hexdigest() for name in manifest} == manifest
    clip = next(name for name in manifest if name.endswith(".mp4"))
    assert re.fullmatch(r"\d{4}-\d\d-\d\d_espresso-pour-b-at-dawn-b_16x9\.mp4", clip)

    page.goto(past.url)
    prompt = page.get_by_label("Prompt", exact=True)
    prompt.fill("something else")
    prompt.blur()
    hint = page.evaluate(DROP, [base64.b64encode(bundle.read(clip)).decode(), clip])
    assert "its settings come into the form" in hint
    expect(prompt).to_have_value("A espresso-pour <b>at dawn</b>")
    expect(page.get_by_role("radio", name="1080p")).to_be_checked()
    expect(page.get_by_role("radio", name="10 s")).to_be_checked()
    foreign = (POSTERS / "fox-snow.mp4").read_bytes()
    page.evaluate(DROP, [base64.b64encode(foreign).decode(), "<img src=x>.mp4"])
    expect(page.get_by_role("alert").filter(has_text="<img src=x>.mp4")).to_contain_text(
        "does not say what it was made from"
    )
    expect(prompt).to_have_value("A espresso-pour <b>at dawn</b>")


def fine(page: Page, scheme: Literal["light", "dark"]) -> None:
    """Check that axe finds nothing in this theme; it takes long, so not each place is seen in both."""
    page.emulate_media(color_scheme=scheme)
    assert axe(page) == []


def test_the_dialogs_and_pages_fit_a_phone_and_axe_finds_nothing(open_page: Open, past: SimpleNamespace):
    page = open_page(f"{past.url}/history")
    select(page, 0)
    bar, dialog = page.get_by_role("toolbar"), page.get_by_role("dialog")
    bar.get_by_role("button", name="Share").click()
    dialog.get_by_role("button", name="Make the link").wait_for()
    fine(page, "dark")
    dialog.get_by_role("button", name="Make the link").click()
    dialog.locator("code").wait_for()
    fine(page, "light")
    dialog.get_by_role("button", name="Done").click()
    bar.get_by_role("button", name="Collect").click()
    dialog.get_by_label("new").fill("For the phone")
    page.keyboard.press("Enter")
    expect(page.get_by_text("1 clip is now in “For the phone”.")).to_be_visible()
    page.goto(f"{past.url}/sharing")
    page.locator(".sharing-row").first.wait_for()
    fine(page, "light")
    page.goto(f"{past.url}/collections")
    page.locator(".collections a", has_text="For the phone").first.wait_for()
    fine(page, "dark")
    page.locator(".collections a", has_text="For the phone").first.click()
    page.locator(".wall-open").first.wait_for()
    with on_phone(page):
        expect(page.get_by_role("button", name="Present")).to_be_in_viewport()
        assert page.evaluate("() => document.documentElement.scrollWidth") == 390
    page.locator(".st-key-collection").get_by_role("button", name="More").click()
    page.get_by_role("button", name="Delete the collection").click()
    asked = page.get_by_role("dialog", name="Delete the collection")  # the menu is a dialog as well
    asked.get_by_role("button", name="Delete the collection").click()
    expect(page).to_have_url(f"{past.url}/collections")
    expect(page.get_by_text("“For the phone” is deleted.")).to_be_visible()
