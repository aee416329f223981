"""The wall of Gallery in a browser: it plays under the pointer, goes on below, and is used by keys."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from kling import TextToVideo
from kling.studio.archive import Archive
from kling.studio.jobs import request_cells
from kling.studio.ledger.csv_file import LogFile
from kling.studio.ledger.csv_ledger import CsvLedger
from tests.e2e.chromium import WAIT
from tests.e2e.conftest import DESKTOP, ROOT, Server, on_phone
from tests.e2e.takes import draw
from tests.e2e.test_accessibility import findings_here
from tests.e2e.test_first_video import order, rows
from tests.studio.clips import examined

Open = Callable[..., Page]
SHAPES = ((128, 72), (72, 128), (96, 96))
MANY = 150  # clips, of which 40 come with the page
SCROLLER = "document.querySelector('[data-testid=stMain]')"
FOCUS = "() => document.activeElement.closest('.wall-tile')?.dataset.clip ?? ''"
TOP = "element => Math.round(element.getBoundingClientRect().top)"
# How far rows miss the right edge of the wall, in pixels, and how high they are.
ROWS = """() => [...document.querySelectorAll(".wall-box")].map((box) => {
  const rows = new Map(), whole = box.getBoundingClientRect();
  for (const tile of box.children) {
    const { top, right, height } = tile.getBoundingClientRect();
    rows.set(Math.round(top), [Math.round(whole.right - right), Math.round(height)]);
  }
  return [...rows.values()];
})"""

LOWER = """() => [...document.querySelectorAll(".wall-tile")]
  .find((each) => each.getBoundingClientRect().top > 300).dataset.clip"""
IN_SIGHT = """() => [...document.querySelectorAll(".wall-tile")]
  .filter((each) => each.getBoundingClientRect().top < innerHeight).length"""
# A wall of a hundred clips; two that come in front, one whose row may not change, and one that goes.
GROUPS = """
  const shapes = [16 / 9, 9 / 16, 1], ids = Array.from({ length: 100 }, (_, at) => `c${at}`);
  const ratio = (id) => shapes[Number(id.slice(1)) * 7 % 3];
  const group = (now, last, held = []) => regroup(now, last, ratio, 1392, 184, new Set(held));
  const before = group(ids, []), [places] = placed(before, ratio, 1392, 184);
  const last = (row) => places.find(([id]) => id === row.at(-1)), end = (row) => last(row)[1] + last(row)[3];
  return {
    before, ends: before.map(end), heights: [...new Set(places.map((each) => each[4]))],
    after: group(["c201", "c202", ...ids], before), held: group(["c201", ...ids], before, ["c0"]),
    gone: group(ids.filter((id) => id !== "c50"), before),
    few: divide([1, 1], 1392, 184), none: divide([], 1392, 184),
  };
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    data = tmp_path_factory.mktemp("wall") / "data"
    archive = Archive(data / "videos")
    now = time.time()
    ledger = CsvLedger(LogFile(data / "history.csv"), clock=lambda: now)
    drawn: list[tuple[Path, Path, str]] = []
    for size in SHAPES:
        clip = archive.video(f"shape{size[0]}")
        draw(clip, size, seconds=1)
        poster = archive.poster(f"shape{size[0]}")
        drawn.append((clip, poster, examined(clip, poster)))
    for number in range(MANY):
        job_id, (clip, poster, facts) = f"v{number:04}", drawn[number % 3 if number % 7 else 0]
        archive.video(job_id).hardlink_to(clip)
        archive.poster(job_id).hardlink_to(poster)
        now = time.time() - 86_400 * 3 * (MANY - number) / MANY
        known = {"account": "sandbox", "person": "Ada", **request_cells(TextToVideo(prompt=f"Clip {number}"))}
        ledger.append(job_id, state="succeed", file=f"{job_id}.mp4", extra=facts, **known)
    server = Server(data, {"SANDBOX_CLIPS": "tiny", "SANDBOX_PACE": "seconds:1"})
    server.start()
    yield server
    server.close()


def tile(page: Page, number: int) -> Locator:
    return page.locator(f'.wall-tile[data-clip="v{number:04}"]')


def pictures(page: Page) -> Locator:
    return page.locator(".wall-open")


def recorded(server: Server, name: str, ids: list[str]) -> None:
    """Wait until the log says this of these clips."""
    missing, until = set(ids), time.monotonic() + WAIT / 1000
    while missing and time.monotonic() < until:
        time.sleep(0.05)
        missing = set(ids) - {row["external_task_id"] for row in rows(server) if row[name] == "1"}
    assert not missing


def scroll_on(page: Page) -> None:
    """Go to the end of what is there, until all of it is."""
    page.wait_for_function(
        f"() => {{ {SCROLLER}.scrollTop = 1e6; "
        f"return document.querySelectorAll('.wall-open').length >= {MANY}; }}",
        polling=100,
    )


@contextmanager
def touched(page: Page, picture: Locator) -> Iterator[None]:
    """Have a finger on a picture."""
    touch, box = page.context.new_cdp_session(page), picture.bounding_box()
    assert box is not None
    at = {"x": box["x"] + 20, "y": box["y"] + 20}
    touch.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [at]})
    yield
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    touch.detach()


def test_what_is_under_the_pointer_plays_alone_and_goes_on_while_others_come(server: Server, open_page: Open):
    order(open_page(server.url), "One of today")  # soon after midnight there is none, and so no heading
    page = open_page(
        f"{server.url}/gallery", viewport={"width": 1440, "height": 900}, reduced_motion="no-preference"
    )
    page.locator(".wall-open[aria-label^='One of today']").wait_for(state="attached")
    newest = tile(page, MANY - 1)
    newest.wait_for()
    assert page.evaluate(IN_SIGHT) >= 18
    assert page.locator("video").count() == 0
    assert all(abs(gap) <= 1 for day in page.evaluate(ROWS) for gap, _ in day[:-1])
    newest.hover()
    video = page.locator(".wall video[data-on]")
    expect(video).to_have_count(1)
    expect(newest.locator(".wall-words")).to_have_text(f"Clip {MANY - 1}")
    tile(page, MANY - 4).hover()
    expect(tile(page, MANY - 4).locator("video[data-on]")).to_have_count(1)
    assert page.locator(".wall video").count() == 1
    page.evaluate(f"() => {{ {SCROLLER}.scrollTop = 500; }}")
    held = page.locator(f'.wall-tile[data-clip="{page.evaluate(LOWER)}"]')
    held.hover()
    expect(held.locator("video[data-on]")).to_have_count(1)
    held.locator("video").evaluate("video => { video.dataset.mine = 'yes'; }")
    box = held.bounding_box()
    order(open_page(server.url), "Another one")
    page.locator(".wall-open[aria-label^='Another one']").wait_for(state="attached")
    mine = page.locator("video[data-mine=yes]")
    assert not mine.evaluate("video => video.paused")
    assert held.bounding_box() == box
    scroll_on(page)
    names = pictures(page).evaluate_all("all => all.map(each => each.ariaLabel)")  # all at one moment
    assert [name.partition(",")[0] for name in names[-MANY:]] == [
        f"Clip {each}" for each in reversed(range(MANY))
    ]
    expect(page.locator(".wall-heading h2").first).to_have_text("Today")
    assert all(gap <= 1 for day in page.evaluate(ROWS) for gap, _ in day[:-1])


def test_by_keys_alone_clips_are_found_selected_starred_and_hidden(server: Server, open_page: Open):
    page = open_page(f"{server.url}/gallery?q=clip", viewport=DESKTOP)
    first = pictures(page).first
    first.wait_for()
    assert page.locator(".wall [tabindex='0']").count() == 1
    first.focus()
    ids = page.locator(".wall-tile").evaluate_all("tiles => tiles.map((tile) => tile.dataset.clip)")
    page.keyboard.press("ArrowRight")
    assert page.evaluate(FOCUS) == ids[1]
    page.keyboard.press("ArrowDown")
    below = page.evaluate(FOCUS)
    assert ids.index(below) > 2
    page.keyboard.press("ArrowUp")
    assert page.evaluate(FOCUS) in ids[:4]
    page.keyboard.press("Home")
    assert page.evaluate(FOCUS) == ids[0]
    bar = page.get_by_role("toolbar", name="Selected clips")
    page.keyboard.press("x")
    expect(bar).to_contain_text("1 selected")
    expect(bar.get_by_role("button", name="Compare")).to_have_attribute("title", re.compile("one more"))
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Shift+ArrowRight")
    expect(bar).to_contain_text("3 selected")
    expect(bar.get_by_role("link", name="Download")).to_have_attribute("href", re.compile(",".join(ids[:3])))
    starred = page.locator(".wall-tile[data-star=mine]")
    if starred.count():  # a first try of this test left them
        page.keyboard.press("s")
        expect(starred).to_have_count(0)
    page.keyboard.press("s")  # all three
    expect(starred).to_have_count(3)
    page.keyboard.press("Escape")
    expect(bar).to_be_hidden()
    assert page.evaluate(FOCUS) == ids[2]
    page.keyboard.press("h")
    expect(page.locator(f'[data-clip="{ids[2]}"]')).to_have_count(0)
    assert page.evaluate(FOCUS) == ids[3]  # the next one
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(f'[data-clip="{ids[2]}"]')).to_have_count(1)
    assert {row["external_task_id"] for row in rows(server) if row["star"] == "1"} == set(ids[:3])
    page.locator(f'[data-clip="{ids[1]}"] > button').press("x")
    page.locator(f'[data-clip="{ids[4]}"] > button').press("x")
    page.keyboard.press("c")
    page.wait_for_url(re.compile(rf"/compare\?ids={ids[1]},{ids[4]}"))
    expect(page.locator(".deck-player")).to_have_count(2)  # the wall that was left is gone
    page.go_back()
    expect(page.locator(".wall-tile[data-chosen]")).to_have_count(2)  # it is as it was left
    page.wait_for_function(f"id => ({FOCUS})() === id", arg=ids[4])


def test_on_a_phone_a_long_press_selects_and_further_ones_are_tapped(server: Server, open_page: Open):
    page = open_page(f"{server.url}/gallery?q=clip", viewport=DESKTOP)
    pictures(page).first.wait_for()
    with on_phone(page):
        page.wait_for_function("() => document.querySelector('.wall-box').offsetWidth < 390", polling=50)
        bar = page.get_by_role("toolbar", name="Selected clips")
        for number in (0, 1):
            with touched(page, pictures(page).nth(number)):
                if not number:
                    expect(bar).to_contain_text("1 selected")
        expect(bar).to_contain_text("2 selected")
        below, foot = bar.bounding_box(), page.get_by_role("navigation", name="Pages").bounding_box()
        assert below is not None
        assert foot is not None
        assert below["y"] + below["height"] <= foot["y"]
        assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
        assert findings_here(page, ".wall-bar-below", alone=True) == []


def test_the_size_is_kept_and_a_part_that_does_not_come_is_asked_for_again(server: Server, open_page: Open):
    page = open_page(f"{server.url}/gallery", viewport=DESKTOP)
    pictures(page).first.wait_for()
    high = "element => Math.round(element.getBoundingClientRect().height)"
    middle = pictures(page).nth(20).evaluate(high)
    page.get_by_role("button", name="Small pictures").click()
    assert pictures(page).nth(20).evaluate(high) < middle
    fails = [True]

    def answer(route: Route) -> None:
        route.abort() if fails[0] else route.continue_()

    page.route("**/wall?*", answer)
    page.reload()
    pictures(page).first.wait_for()
    assert pictures(page).nth(20).evaluate(high) < middle
    page.evaluate(f"() => {{ {SCROLLER}.scrollTop = 1e6; }}")
    again = page.get_by_role("button", name="The next clips did not come. Try again")
    again.wait_for()
    fails[0] = False
    again.click()
    scroll_on(page)


def test_no_press_is_lost_without_a_pause_or_while_nobody_takes_it(server: Server, open_page: Open):
    page = open_page(f"{server.url}/gallery?q=clip", viewport=DESKTOP)
    pictures(page).first.wait_for()
    ids = page.locator(".wall-tile").evaluate_all("tiles => tiles.map((tile) => tile.dataset.clip)")
    starred = page.locator(".wall-tile[data-star=mine]")
    before = starred.count()
    for pause, some in ((0, ids[5:11]), (150, ids[11:17])):
        page.locator(f'[data-clip="{some[0]}"] > button').focus()
        with server.asleep() if pause else nullcontext():
            for _ in some:
                page.keyboard.press("s")
                page.keyboard.press("ArrowRight")
                page.wait_for_timeout(pause)
        recorded(server, "star", some)
    expect(starred).to_have_count(before + 12)
    page.locator(f'[data-clip="{ids[20]}"] > button').focus()
    for _ in range(4):
        page.keyboard.press("h")
    recorded(server, "hidden", ids[20:24])
    page.get_by_role("button", name="Undo").wait_for()
    expect(page.locator(", ".join(f'[data-clip="{each}"]' for each in ids[20:24]))).to_have_count(0)
    expect(starred).to_have_count(before + 12)


# -- the rows, without a page ------------------------------------------------------------------------------


def test_rows_are_nearly_of_one_height_and_stay_where_nothing_has_changed(new_page: Callable[[str], Page]):
    page = new_page("about:blank")
    script = (ROOT / "pages" / "_ui" / "wall" / "rows.js").read_text(encoding="utf-8")
    found: dict[str, Any] = page.evaluate(f"() => {{ {script}\n{GROUPS} }}")
    assert all(0.75 * 184 < high < 1.35 * 184 for high in found["heights"])
    assert all(abs(end - 1392) < 0.01 for end in found["ends"])
    assert (found["few"], found["none"]) == ([2], [])
    before = [json.dumps(row) for row in found["before"]]
    assert found["held"] == [["c201"], *found["before"]]
    for name in ("after", "gone"):
        assert len([row for row in found[name] if json.dumps(row) not in before]) <= 3
    assert [each for row in found["after"] for each in row][:3] == ["c201", "c202", "c0"]
    assert len([each for row in found["gone"] for each in row]) == 99
