"""Pictures in Compose: chosen, dropped, pasted and taken from a clip; on a desktop and on a phone."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from typing import Any

from PIL import Image
from playwright.sync_api import JSHandle, Page, Response, expect
from playwright.sync_api import TimeoutError as NothingCame

from tests.e2e.conftest import LONG, Server, on_phone
from tests.e2e.test_accessibility import findings
from tests.e2e.test_compose import settled
from tests.e2e.test_first_video import order, rows

Open = Callable[..., Page]
SIDEWAYS = "() => document.documentElement.scrollWidth - innerWidth"
TRANSFER = """([name, type, data]) => {
  const bytes = Uint8Array.from(atob(data), (each) => each.charCodeAt(0)), transfer = new DataTransfer();
  transfer.items.add(new File([bytes], name, { type }));
  return transfer;
}"""

HEAR_BUSY = """() => {
  window.busy = [];
  const heard = (changes) => window.busy.push(...changes.map(({ target }) => target.dataset.busy ?? ""));
  new MutationObserver(heard).observe(document.body, { subtree: true, attributeFilter: ["data-busy"] });
}"""

PASTE = """(body, data) => body.dispatchEvent(
  new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }))"""


def is_handed_in(answer: Response) -> bool:
    return answer.url.endswith("/pictures") and answer.request.method == "PUT"


def arrives(page: Page, act: Callable[[], object]) -> None:
    """Do something that hands in a picture, again where the page was not there to hear of it."""
    for _ in range(20):
        try:
            with page.expect_response(is_handed_in, timeout=3000):
                act()
        except NothingCame:
            continue
        return
    raise AssertionError("No picture was handed in.")


HEARS = "() => window.__studioPictures?.isHeard"  # the script comes a moment after the page


def picture(width: int = 600, height: int = 400, colour: str = "red") -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(file, "PNG")
    return file.getvalue()


def carried(page: Page, content: bytes) -> JSHandle:
    """Return a picture as a browser carries one that is dropped or pasted."""
    return page.evaluate_handle(TRANSFER, ["a.png", "image/png", base64.b64encode(content).decode()])


def give(page: Page, slot: str, content: bytes, name: str = "a.png") -> None:
    kind: Any = {"name": name, "mimeType": "image/png", "buffer": content}

    def choose() -> None:
        with page.expect_file_chooser(timeout=2000) as chooser:
            page.locator(f"[data-choose-picture={slot}]").click()
        chooser.value.set_files(kind)

    arrives(page, choose)


def test_a_picture_becomes_a_clip_in_its_own_shape(shared_server: Server, open_page: Open):
    page = open_page(shared_server.url)
    give(page, "first_frame", b"<svg></svg>", "a.svg")
    expect(page.get_by_text("Save it as PNG")).to_be_visible()
    page.evaluate(HEAR_BUSY)
    give(page, "first_frame", picture(1200, 300))
    expect(page.get_by_text("more than 2.5 times the shorter one")).to_be_visible()
    expect(page.get_by_text("Save it as PNG")).to_have_count(0)
    assert page.evaluate("() => window.busy").count("Looking at it…") > 0
    first = page.locator("[data-frame=first_frame] img")
    expect(first).to_have_count(0)
    expect(page.get_by_role("img", name="Its middle")).to_be_visible()
    page.get_by_role("button", name="Use its middle, 5:2").click()
    expect(first).to_be_visible()
    give(page, "first_frame", picture())
    expect(page.get_by_text("Only its middle is kept")).to_have_count(0)
    expect(page.locator(".studio-fact", has_text="of the picture")).to_contain_text("3:2")
    settled(page)
    order(page, "The ball rolls away")
    page.locator("[class*=st-key-clip-] video").wait_for(timeout=LONG)
    made = rows(shared_server)[0]
    assert made["endpoint"] == "image2video"
    assert (first.get_attribute("src") or "").endswith(made["image"])
    # Another visit has the picture, as the draft has it.
    page.reload()
    expect(first).to_be_visible()
    # Frames of clips are offered too. Those of this sandbox are too small, and the form says so.
    page.wait_for_function(HEARS)
    settled(page)
    page.locator("[data-frame-act='clip:last_frame']").click()
    page.get_by_role("dialog").get_by_role("button", name="Last frame").first.click()
    expect(page.get_by_text("Kling takes no side below 300 pixels")).to_be_visible()


def test_pictures_are_dropped_pasted_swapped_and_removed(shared_server: Server, open_page: Open):
    page = open_page(shared_server.url)
    settled(page)
    frames, hint = page.locator(".studio-frames"), page.locator(".compose-drop")
    held = {"dataTransfer": carried(page, picture())}
    # A browser tells of a file again and again, too, while it is held over a page.
    while not hint.is_visible():
        frames.dispatch_event("dragover", held)
    expect(hint).to_have_text("Drop the picture: the video begins with it")
    arrives(page, lambda: frames.dispatch_event("drop", held))
    first, last = (page.locator(f"[data-frame={name}] img") for name in ("first_frame", "last_frame"))
    expect(first).to_be_visible()
    settled(page)
    page.locator("[data-frame=first_frame]").dispatch_event("dragover", held)
    expect(hint).to_have_text("Drop the picture: the video begins with it")
    frames.dispatch_event("dragover", held)
    expect(hint).to_have_text("Drop the picture: the video ends with it")
    frames.dispatch_event("dragleave")
    pasted = carried(page, picture(400, 600, "blue"))
    arrives(page, lambda: page.locator("body").evaluate(PASTE, pasted))
    expect(last).to_be_visible()
    expect(page.get_by_text("has another shape than the first")).to_be_visible()
    expect(page.locator(".st-key-pictures").get_by_text("Quality 720p → 1080p")).to_be_visible()
    settled(page)
    before = first.get_attribute("src")
    assert findings(page) == []
    with on_phone(page):
        assert page.evaluate(SIDEWAYS) == 0
        page.get_by_role("button", name="Swap the two").click()
        expect(last).to_have_attribute("src", before or "")
        settled(page)
        page.get_by_role("button", name="Remove the first frame").click()
        expect(first).to_have_attribute("src", before or "")  # what is left is the beginning
        expect(last).to_have_count(0)
