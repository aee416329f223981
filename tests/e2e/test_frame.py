"""The frame of every page: the bar, the account menu, the list of keys, and that nothing is cut anywhere."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from kling import TextToVideo
from kling.studio.jobs import FAILED, NOT_SENT, PROCESSING, SUCCEED, WAITING
from tests.e2e.conftest import PHONE, PORTS, Server
from tests.e2e.prepared import MINE, Past, server_of
from tests.e2e.team import sign_in
from tests.e2e.test_accessibility import findings
from tests.e2e.test_compose import prompt, settled

Open = Callable[..., Page]

WIDTHS = (320, 390, 640, 641, 820, 1024, 1100, 1101, 1360, 2560)
# What hides a part of its words, which is wider than itself. Fields scroll, and lists are cut on purpose.
CUT = """() => [...document.querySelectorAll(
    "[role=radio], .st-key-bar a, .st-key-bar button, [data-testid^=stBaseButton-], a.studio-download")]
  .filter((each) => each.checkVisibility() && each.clientWidth > 2)
  .filter((each) => [each, ...each.querySelectorAll("p")].some((part) => part.clientWidth > 2 &&
    part.scrollWidth > part.clientWidth + 1 && !/^(inline|contents)$/.test(getComputedStyle(part).display)))
  .map((each) => each.innerText)"""
SIDEWAYS = "() => document.documentElement.scrollWidth - innerWidth"


@dataclass
class Studio:
    """A server with two pages of clips."""

    server: Server
    done: str
    failed: str

    @property
    def url(self) -> str:
        return self.server.url


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    data = tmp_path_factory.mktemp("frame") / "data"
    past = Past(data)
    done = [
        past.task(SUCCEED, TextToVideo(prompt=f"A lighthouse {number} above the sea")) for number in range(14)
    ]
    refused = {"code": "1301", "message": "Kling refused the prompt.", "request_id": "r-1"}
    failed = past.task(FAILED, TextToVideo(prompt="Two foxes fighting"), **refused)
    for state in (WAITING, PROCESSING, NOT_SENT):
        past.task(state, TextToVideo(prompt=f"A fox that is {state}"), batch="b1")
    server = server_of(data)
    server.start()
    yield Studio(server, done[0], failed)
    server.close()


def box(element: Locator) -> Any:
    found = element.bounding_box()
    assert found is not None
    return found


def links(page: Page) -> Locator:
    return page.get_by_role("navigation", name="Pages").get_by_role("link")


def test_no_page_scrolls_sideways_and_nothing_is_cut_at_any_width(studio: Studio, open_page: Open):
    page = open_page(studio.url, **MINE)
    found = []
    for address in ("", "history", f"job?id={studio.done}", f"job?id={studio.failed}", "gallery"):
        page.goto(f"{studio.url}/{address}")
        page.locator("h1").first.wait_for()
        settled(page)
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 800})
            if (over := page.evaluate(SIDEWAYS)) > 0:
                found.append(f"/{address} at {width}: {over} px sideways")
            found += [f"/{address} at {width}: {each!r} is cut" for each in page.evaluate(CUT)]
    assert found == []


def test_the_bar_is_at_the_top_and_its_pages_are_at_the_bottom_of_a_phone(studio: Studio, open_page: Open):
    page = open_page(f"{studio.url}/gallery", **MINE)
    for width, height in ((320, 700), (390, 844), (820, 1180), (1280, 720), (1920, 1080)):
        page.set_viewport_size({"width": width, "height": height})
        expect(links(page)).to_have_count(4)
        expect(page.get_by_role("navigation", name="Pages").locator("[aria-current=page]")).to_have_text(
            re.compile("Gallery")
        )
        boxes = [box(link) for link in links(page).all()]
        account = box(page.get_by_role("button", name="Account"))
        assert account["y"] + account["height"] <= 52
        assert account["x"] + account["width"] <= width
        if width <= 640:
            assert [each for each in boxes if each["y"] < height - 61 or each["height"] < 44] == []
            assert sum(each["width"] for each in boxes) == pytest.approx(width, abs=2)
        else:
            assert [each for each in boxes if each["y"] + each["height"] > 52] == []


def test_on_a_phone_a_choice_shows_the_page_and_no_drawer(studio: Studio, open_page: Open):
    page = open_page(studio.url, **PHONE)
    links(page).filter(has_text="Gallery").tap()
    expect(page.get_by_role("heading", name="Gallery")).to_be_visible()
    expect(page).to_have_title("Gallery · Kling studio")
    picture = page.locator("[class*=st-key-clip-] > button").first
    picture.wait_for()
    page.reload()
    picture.wait_for()
    for x in (20, 200, 370):
        assert page.evaluate(
            "(x) => !document.elementFromPoint(x, 420).closest('[data-testid=stSidebar]')", x
        )
    expect(page.get_by_test_id("stSidebar")).to_have_count(0)


def test_the_keyboard_skips_to_the_prompt_lists_the_keys_and_opens_the_menu(studio: Studio, open_page: Open):
    page = open_page(studio.url, **MINE)
    prompt(page).wait_for()
    page.keyboard.press("Tab")
    expect(page.locator(":focus")).to_have_text("Skip to the prompt")
    page.keyboard.press("Enter")
    expect(prompt(page)).to_be_focused()
    keys = page.get_by_role("dialog", name="Keys")
    page.keyboard.type("?")
    expect(prompt(page)).to_have_value("?")
    expect(keys).not_to_be_visible()
    prompt(page).fill("")
    prompt(page).blur()
    page.keyboard.press("?")
    expect(keys.get_by_text("Generate", exact=True)).to_be_visible()
    page.keyboard.press("Escape")
    expect(keys).not_to_be_visible()
    page.get_by_role("button", name="Account").focus()
    page.keyboard.press("Enter")
    field = page.get_by_label("Your name")
    field.fill("Anna Becker")
    field.press("Enter")
    expect(page.get_by_role("button", name="Account of Anna Becker")).to_contain_text("AB")
    page.keyboard.press("Escape")
    expect(field).to_have_count(0)
    page.reload()
    expect(page.get_by_role("button", name="Account of Anna Becker")).to_be_visible()


def test_what_opens_from_the_bar_has_names_and_contrast(studio: Studio, open_page: Open):
    page = open_page(f"{studio.url}/history", **MINE)
    page.get_by_role("button", name="Account").click()
    page.get_by_text("A sound when a video is done").wait_for()
    assert findings(page, "[data-testid=stPopoverBody]") == []
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    assert findings(page, ".studio-keys") == []


def test_a_press_on_a_picture_of_the_gallery_plays_it(studio: Studio, open_page: Open):
    page = open_page(f"{studio.url}/gallery?page=2", **MINE)  # an address of a time when it had pages
    settled(page)
    pictures = page.locator("[class*=st-key-clip-] > button")
    expect(pictures).to_have_count(14)
    player = page.locator("dialog[open] video")
    for number in (0, 1):
        pictures.nth(number).press("Enter") if number else pictures.nth(number).click()
        player.evaluate("video => video.play()")  # nothing plays by itself for who wants less motion
        page.keyboard.press("Escape")
        expect(player).to_have_count(0)


def test_a_theme_that_is_chosen_holds_on_every_page_and_in_menus(studio: Studio, open_page: Open):
    page = open_page(f"{studio.url}/gallery", **MINE, color_scheme="light")
    dark = "() => getComputedStyle(document.querySelector('.stApp')).colorScheme === 'dark'"
    assert not page.evaluate(dark)
    page.get_by_role("button", name="Account").click()
    group = page.get_by_role("group", name="Theme")
    expect(group.locator("[aria-pressed=true]")).to_have_text("System")  # the script of the bar is there
    group.get_by_role("button", name="Dark").click()
    page.wait_for_function(dark, polling=100)
    page.goto(f"{studio.url}/history")
    page.wait_for_function(dark, polling=100)
    page.get_by_role("button", name="Account").click()
    group = page.get_by_role("group", name="Theme")
    expect(group.locator("[aria-pressed=true]")).to_have_text("Dark")
    assert group.evaluate("(element) => getComputedStyle(element).colorScheme") == "dark"


def test_every_page_and_every_job_has_a_title_of_its_own(studio: Studio, open_page: Open):
    page = open_page(studio.url, **MINE)
    expect(page).to_have_title("Compose · Kling studio")
    links(page).filter(has_text="History").click()
    expect(page).to_have_title("History · Kling studio")
    page.goto(f"{studio.url}/job?id={studio.done}")
    expect(page).to_have_title("A lighthouse 0 above the sea · Kling studio")


def test_a_prompt_is_copied_also_where_a_browser_has_no_clipboard(
    tmp_path: Path, new_page: Callable[[str], Page]
):
    task = Past(tmp_path / "data").task(SUCCEED, TextToVideo(prompt="A lighthouse above the sea"))
    cookie: Any = sign_in(tmp_path / "data")["Mia Maker"][0]
    port = PORTS.take()
    server = Server(tmp_path / "data", {"STUDIO_PUBLIC_URL": f"http://studio.test:{port}"}, port)
    server.start()
    try:
        page = new_page(server.url)
        page.context.add_cookies([cookie | {"domain": "studio.test"}])
        page.goto(f"http://studio.test:{port}/job?id={task}")
        page.get_by_text("Request, answers and ids").click()
        code = page.get_by_test_id("stCode").first
        code.hover()
        assert not page.evaluate("() => isSecureContext")
        code.get_by_role("button", name="Copy to clipboard").click()
        links(page).filter(has_text="Compose").click()
        prompt(page).focus()
        page.keyboard.press("Control+V")
        expect(prompt(page)).to_have_value("A lighthouse above the sea")
    finally:
        server.close()
