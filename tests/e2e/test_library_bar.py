"""The bar of History and Gallery in a browser: Back walks through what was asked, also by keys."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Locator, Page, expect

from kling import TextToVideo
from kling.studio.jobs import FAILED, SUCCEED
from tests.e2e.conftest import Server, on_phone
from tests.e2e.prepared import Past, cookies, server_of
from tests.e2e.test_accessibility import findings, findings_here
from tests.e2e.test_compose import settled

Open = Callable[..., Page]
ADA = cookies({"studio_person": "Ada"})


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    data = tmp_path_factory.mktemp("library") / "data"
    past = Past(data)
    for hour in ("dawn", "noon", "dusk", "night"):
        past.task(SUCCEED, TextToVideo(prompt=f"A red fox at {hour}", model_name="kling-v2-6"))
        past.task(FAILED, TextToVideo(prompt=f"A grey owl at {hour}", model_name="kling-v1-6"), person="Bob")
    here = server_of(data)
    here.start()
    yield here
    here.close()


def found(page: Page, words: str) -> None:
    expect(page.locator(".library-totals b")).to_have_text(words)


def asked(page: Page, **asks: str) -> None:
    """Expect an address, by the names of its parameters."""
    page.wait_for_url(
        lambda url: {name: value for name, (value,) in parse_qs(urlsplit(url).query).items()} == asks
    )


def entries(page: Page) -> int:
    return int(page.evaluate("() => history.length"))


def chip(page: Page, name: str) -> Locator:
    return page.locator(f".st-key-chip-{name}")


def test_back_walks_through_what_was_asked_and_typing_adds_no_step(server: Server, open_page: Open):
    page = open_page(f"{server.url}/history", **ADA)
    found(page, "8 jobs")
    start = entries(page)
    page.wait_for_function("() => window.__studioSearch", polling=50)
    page.keyboard.press("/")
    search = page.get_by_label("Search")
    expect(search).to_be_focused()
    for letters in ("re", "d f", "ox"):
        search.press_sequentially(letters)
        settled(page)
    asked(page, q="red fox")
    found(page, "4 jobs")
    assert entries(page) == start
    search.press("Enter")
    page.wait_for_function("before => history.length === before + 1", arg=start, polling=50)
    search.fill("fox dusk")
    search.press("Enter")  # before the server has heard of the letters
    asked(page, q="fox dusk")
    page.wait_for_function("before => history.length === before + 2", arg=start, polling=50)
    found(page, "1 job")
    page.get_by_role("radio", name="Mine").click()
    asked(page, person="Ada", q="fox dusk")
    chip(page, "days").get_by_role("button", name="Date").click()
    page.get_by_role("radio", name="Today", exact=True).click()
    asked(page, person="Ada", q="fox dusk", when="today")
    expect(page.get_by_test_id("stPopoverBody")).to_have_count(0)
    assert entries(page) == start + 4
    steps: tuple[dict[str, str], ...] = (
        {"person": "Ada", "q": "fox dusk"},
        {"q": "fox dusk"},
        {"q": "red fox"},
        {},
    )
    for asks in steps:  # faster than the server answers
        page.go_back()
        asked(page, **asks)
    found(page, "8 jobs")
    for asks in (*steps[-2::-1], {"person": "Ada", "q": "fox dusk", "when": "today"}):
        page.go_forward()
        asked(page, **asks)
        expect(search).to_have_value(asks["q"])
    assert entries(page) == start + 4
    for asks in steps:
        page.go_back()
        asked(page, **asks)
        expect(search).to_have_value(asks.get("q", ""))
    found(page, "8 jobs")
    expect(page.get_by_role("radio", name="Mine")).not_to_be_checked()
    assert page.locator("#library-recent option").evaluate_all("all => all.map(each => each.value)") == [
        "fox dusk",
        "red fox",
    ]


def test_steps_back_faster_than_pages_come_leave_every_entry_as_it_was(server: Server, open_page: Open):
    page = open_page(f"{server.url}/history", **ADA)
    page.locator(".lib-row a").first.click()
    page.wait_for_url("**/job?id=*")
    for name, there in (("Compose", "**/?draft=*"), ("Gallery", "**/gallery")):
        page.get_by_role("navigation", name="Pages").get_by_role("link", name=name).click()
        page.wait_for_url(there)
        expect(page.get_by_role("heading", name=name)).to_be_attached()
        settled(page)
    all_entries = "() => [navigation.currentEntry.index, ...navigation.entries().map(({ url }) => url)]"
    last, *before = page.evaluate(all_entries)
    for pause in (0, 40, 150):
        for step in ("back", "forward"):
            page.evaluate(
                "async ([step, pause]) => { for (let left = 3; left; left -= 1) { history[step](); "
                "await new Promise((go) => setTimeout(go, pause)); } }",
                [step, pause],
            )
            page.wait_for_function(
                "at => navigation.currentEntry.index === at", arg=last - 3 * (step == "back"), polling=50
            )
            name = "History" if step == "back" else "Gallery"
            expect(page.get_by_role("heading", name=name)).to_be_attached()
            settled(page)
            assert page.evaluate(all_entries)[1:] == before, (step, pause)


def test_the_keyboard_is_enough_and_axe_finds_nothing(server: Server, open_page: Open):
    page = open_page(f"{server.url}/history?when=30d", viewport={"width": 1400, "height": 2000}, **ADA)
    found(page, "8 jobs")
    chip(page, "models").get_by_role("button", name="Model").focus()
    page.keyboard.press("Enter")
    page.get_by_test_id("stPopoverBody").get_by_text("Kling 2.6").wait_for()
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    asked(page, model="kling-v2-6", when="30d")
    found(page, "4 jobs")
    assert findings_here(page, "[data-testid=stPopoverBody]", alone=True) == []
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("stPopoverBody")).to_have_count(0)
    assert findings(page, ".st-key-library_bar", alone=True) == []
    chip(page, "models").get_by_role("button", name="Kling 2.6").press("Enter")
    asked(page, when="30d")
    page.get_by_role("button", name="Clear").press("Enter")
    asked(page)


def test_narrow_screens_keep_what_was_chosen_in_sight(server: Server, open_page: Open):
    page = open_page(f"{server.url}/history?q=fox&rating=1&model=kling-v2-6", **ADA)
    expect(page.get_by_text("No job matches “fox” with these filters.")).to_be_visible()
    page.set_viewport_size({"width": 820, "height": 1180})
    expect(chip(page, "rating")).to_be_visible()
    expect(chip(page, "tags")).to_be_hidden()
    chip(page, "filters").get_by_role("radio", name="Filter").click()
    expect(chip(page, "tags")).to_be_visible()
    page.get_by_role("button", name=re.compile("^Without “1 stars and more”: 4")).click()
    found(page, "4 jobs")
    with on_phone(page):
        first, second = chip(page, "models"), chip(page, "days")
        boxes = [each.bounding_box() for each in (page.get_by_label("Search"), first, second)]
        assert all(boxes)
        top, chosen, other = (box for box in boxes if box)
        assert top["y"] < 20 < chosen["y"] == other["y"]
        assert chosen["x"] < other["x"]
        expect(page.get_by_role("link", name="History").first).to_be_in_viewport()
        assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")


def test_the_gallery_asks_in_the_same_way(server: Server, open_page: Open):
    page = open_page(f"{server.url}/gallery", **ADA)
    found(page, "4 clips")
    page.get_by_label("Search").fill("owl")
    expect(page.get_by_text("No clip matches “owl”.")).to_be_visible()
    found(page, "0 clips")
    page.get_by_label("Search").fill("fox noon")
    found(page, "1 clip")
    expect(page.locator("[class*=st-key-clip-] > button")).to_have_count(1)
