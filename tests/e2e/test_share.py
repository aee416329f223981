"""The page of a shared link in a browser: at a desk, on a phone, with the keyboard alone, after its end."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import pytest
from axe_playwright_python.base import AXE_SCRIPT  # type: ignore[import-untyped]
from playwright.sync_api import Page, expect

from kling import TextToVideo
from kling.studio.archive import Archive
from kling.studio.identity.roles import LOCAL, User
from kling.studio.jobs import request_cells
from kling.studio.ledger.csv_file import LogFile
from kling.studio.ledger.csv_ledger import CsvLedger
from kling.studio.prompting.templates import POSTERS
from kling.studio.shares import Shares
from kling.studio.state.clip_collections import Collections
from kling.studio.state.database import Database
from kling.studio.state.faults import FILE
from tests.e2e.conftest import Server, on_phone
from tests.studio.clips import examined

Open = Callable[..., Page]
CLIPS = ("fox-snow", "coast-drone", "espresso-pour", "ink-abstract")
ADA = User(LOCAL, "Ada", "admin")
PLAYING = """() => [...document.querySelectorAll(".wall video")].filter(
  (video) => !video.paused && video.currentTime > 0).length"""
COMPARED = PLAYING.replace(".wall", ".deck")
IN_ROOM = """() => { const video = document.querySelector("#room video");
  return !video.paused && video.currentTime > 0 && video.currentSrc.split("/").pop() }"""
SHADE = "() => { const shade = document.querySelector('.shade'); return !shade.hidden && shade.className }"


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimpleNamespace]:
    """A server with a collection of four clips and a link to it for anyone."""
    data = tmp_path_factory.mktemp("share") / "data"
    archive = Archive(data / "videos")
    ledger = CsvLedger(LogFile(data / "history.csv"), clock=time.time)
    ids = [f"shared{number}" for number in range(len(CLIPS))]
    for job_id, name in zip(ids, CLIPS, strict=True):
        path = archive.video(job_id)
        shutil.copy(POSTERS / f"{name}.mp4", path)
        facts = examined(path, archive.poster(job_id))
        cells = request_cells(TextToVideo(prompt=f"A {name} <b>at dawn</b>"))
        ledger.append(job_id, state="succeed", file=path.name, person="Ada", extra=facts, **cells)
    with closing(Database(data / FILE)) as database:
        made = Collections(database, clock=time.time).add(ADA, title="Four takes", text="Choose", clips=ids)
        shares = Shares(database, clock=time.time, monotonic=time.monotonic)
        share, token = shares.add(
            ADA, ids, collection_id=made.id, audience="anyone", ends=time.time() + 10_000
        )
    server = Server(data, {"STUDIO_SHARING": "anyone"})
    server.start()
    yield SimpleNamespace(
        url=f"{server.url}/share/{token}", data=data, share=share.id, ids=ids, path=f"/share/{token}"
    )
    server.close()


def axe(page: Page) -> list[str]:
    page.evaluate(AXE_SCRIPT)
    found = page.evaluate("() => axe.run(document, { resultTypes: ['violations'] })")
    return [
        f"{each['id']}: {each['nodes'][0]['html']}"
        for each in found["violations"]
        if each["impact"] in {"serious", "critical"}
    ]


def test_four_clips_play_together_and_nothing_outside_of_the_link_is_asked_for(
    open_page: Open, shared: SimpleNamespace
):
    asked: list[str] = []
    page = open_page(shared.url, reduced_motion="no-preference", asked=asked)
    page.wait_for_function(f"() => ({PLAYING})() === 4")
    page.wait_for_function("() => [...document.images].every((image) => image.naturalWidth)")
    files = {f"{shared.url}/{job_id}.{kind}" for job_id in shared.ids for kind in ("jpg", "mp4")}
    assert set(asked) == {shared.url, *files}
    assert page.context.cookies() == []
    assert len(page.content().encode()) < 50_000
    assert "<b>at dawn</b>" in page.locator(".tile .words").first.inner_text()
    tile = page.get_by_role("button", name="A fox-snow")
    box = tile.bounding_box()
    assert box is not None
    assert box["width"] > 500

    tile.click()
    page.wait_for_function(f"() => ({IN_ROOM})() === 'shared0.mp4'")
    expect(page.locator(".wall video")).to_have_count(0)
    page.get_by_role("button", name="Next clip").click()
    page.wait_for_function(f"() => ({IN_ROOM})() === 'shared1.mp4'")
    expect(page.get_by_role("status")).to_have_text("2 of 4")
    page.get_by_role("button", name="Close").click()
    expect(page.locator("#room")).to_be_hidden()
    page.wait_for_function(f"() => ({PLAYING})() === 4")


def test_the_clips_of_a_link_are_compared_without_a_request_outside_of_it(
    open_page: Open, shared: SimpleNamespace
):
    asked: list[str] = []
    page = open_page(shared.url, reduced_motion="no-preference", asked=asked)
    page.get_by_role("button", name="Compare").click()
    page.wait_for_function(f"() => ({COMPARED})() === 4")
    expect(page.locator(".wall video")).to_have_count(0)
    assert page.locator(".deck-player").count() == 4
    expect(page.get_by_role("button", name="Keep this one")).to_have_count(0)
    expect(page.get_by_text("A fox-snow <b>at dawn</b>").last).to_be_visible()
    assert axe(page) == []
    rows = page.locator("#compare .deck-row")
    expect(rows).to_have_count(3)
    expect(rows.first).to_have_text(re.compile("Prompt, A and B.*<b>at dawn</b>"))
    page.keyboard.press("Space")
    page.keyboard.press("Home")
    page.keyboard.press(".")
    page.wait_for_function(
        "() => [...document.querySelectorAll('.deck video')]"
        ".every((each) => Math.abs(each.currentTime - 1.5 / 24) < 0.01)"
    )
    page.get_by_role("button", name="Take D out").click()
    expect(page.locator(".deck-player")).to_have_count(3)
    expect(rows).to_have_count(2)
    page.get_by_role("button", name="Add a clip").click()
    expect(page.locator(".deck-player")).to_have_count(4)
    page.keyboard.press("z")  # the button that had the focus is disabled now
    expect(page.get_by_role("button", name="1:1", exact=True)).to_have_attribute("aria-pressed", "true")
    assert [name for name in asked if not name.startswith(shared.url)] == []
    page.go_back()
    expect(page.locator("#compare")).to_be_hidden()
    page.wait_for_function(f"() => ({PLAYING})() === 4")


def test_the_keyboard_alone_is_enough_and_axe_finds_nothing(open_page: Open, shared: SimpleNamespace):
    page = open_page(shared.url)
    assert page.locator("video:not(#room video)").count() == 0  # nothing moves by itself
    assert axe(page) == []
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Compare")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Present")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_function(f"() => ({IN_ROOM})() === 'shared1.mp4'")
    assert axe(page) == []
    page.keyboard.press("Space")
    expect(page.get_by_role("button", name="Play")).to_be_focused()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    page.wait_for_function(f"() => ({IN_ROOM})() === 'shared3.mp4'")
    expect(page.get_by_text("A ink-abstract <b>at dawn</b>").last).to_be_visible()
    page.keyboard.press("c")
    expect(page.locator(".caption")).to_be_hidden()
    page.keyboard.press("?")
    expect(page.get_by_text("B black, W white screen")).to_be_visible()
    page.keyboard.press("b")
    assert page.evaluate(SHADE) == "shade"
    assert page.evaluate(IN_ROOM) is False
    page.keyboard.press("w")
    assert page.evaluate(SHADE) == "shade white"
    page.keyboard.press("x")
    assert page.evaluate(SHADE) is False
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="A ink-abstract")).to_be_focused()

    page.get_by_role("button", name="Present").press("Enter")
    page.wait_for_function("() => document.fullscreenElement !== null")
    page.wait_for_function(f"() => ({IN_ROOM})() === 'shared0.mp4'")
    expect(page.get_by_role("button", name="Go on by itself")).to_have_attribute("aria-pressed", "true")
    page.evaluate(
        "() => { const video = document.querySelector('#room video');"
        " video.currentTime = video.duration - 0.1 }"
    )
    page.wait_for_function(f"() => ({IN_ROOM})() === 'shared1.mp4'")
    page.route("**/shared2.mp4", lambda route: route.fulfill(status=503))
    page.keyboard.press("ArrowRight")
    expect(page.get_by_text("This clip cannot be played now.")).to_be_visible()
    page.wait_for_function(f"() => ({IN_ROOM})() === 'shared3.mp4'")  # it goes on by itself
    page.keyboard.press("f")
    page.wait_for_function("() => document.fullscreenElement === null")
    page.go_back()
    expect(page.locator("#room")).to_be_hidden()
    assert page.url == shared.url


def test_on_a_phone_one_clip_fills_the_width_and_a_swipe_leads_on(open_page: Open, shared: SimpleNamespace):
    page = open_page(shared.url)
    with on_phone(page):
        box = page.locator(".tile").first.bounding_box()
        assert box is not None
        assert (box["x"], round(box["width"])) == (16, 358)
        assert page.evaluate("() => document.documentElement.scrollWidth") == 390
        assert axe(page) == []
        page.locator(".tile").first.click()
        page.wait_for_function(f"() => ({IN_ROOM})() === 'shared0.mp4'")
        touch = """(by) => { const at = (x) => ({ bubbles: true, changedTouches: [x], touches: [x] });
          const point = (x) => new Touch({ identifier: 1, target: document.querySelector("#room .stage"),
            clientX: x, clientY: 300 });
          const stage = document.querySelector("#room .stage");
          stage.dispatchEvent(new TouchEvent("touchstart", at(point(200))));
          stage.dispatchEvent(new TouchEvent("touchend", at(point(200 + by)))); }"""
        page.evaluate(touch, -120)
        page.wait_for_function(f"() => ({IN_ROOM})() === 'shared1.mp4'")
        page.evaluate(touch, 120)
        page.wait_for_function(f"() => ({IN_ROOM})() === 'shared0.mp4'")
        page.reload()
        page.locator(".tile").first.click()
        page.go_back()
        expect(page.locator("#room")).to_be_hidden()


def test_after_its_end_a_link_shows_nothing_and_no_cache_has_it(open_page: Open, shared: SimpleNamespace):
    page = open_page(shared.url, reduced_motion="no-preference")
    page.wait_for_function(f"() => ({PLAYING})() === 4")
    page.route("**/deck.js", lambda route: route.abort())  # as where the server is away
    with page.expect_response(lambda answer: answer.request.method == "HEAD"):  # it asks whether it has ended
        page.get_by_role("button", name="Compare").click()
    expect(page.get_by_role("alert")).to_have_text("Compare cannot be loaded now. Try again in a moment.")
    fetched = "(url) => fetch(url, { cache: 'force-cache' }).then((answer) => answer.status)"
    with closing(Database(Path(shared.data) / FILE)) as database:
        Shares(database, clock=time.time, monotonic=time.monotonic).end(shared.share)
    page.get_by_role("button", name="A fox-snow").click()  # the tab has the clip, and shows it no more
    expect(page.get_by_role("heading")).to_have_text("Nothing to see here")
    expect(page.get_by_role("button")).to_have_count(0)
    page.goto(shared.url.rpartition("/share")[0] + "/healthz")  # whose policy lets a test fetch
    for name in ("shared0.mp4", "shared0.jpg", ""):
        assert page.evaluate(fetched, f"{shared.url}/{name}".rstrip("/")) == 404
