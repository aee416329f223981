"""The frame of every page: the bar, the account menu, the list of keys, and that nothing is cut anywhere."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from kling import TextToVideo
from kling.studio.jobs import FAILED, NOT_SENT, PROCESSING, SUCCEED, WAITING
from tests.e2e.conftest import DESKTOP, PHONE, Server
from tests.e2e.prepared import MINE, Past, server_of
from tests.e2e.test_accessibility import IN_SCHEME, findings
from tests.e2e.test_compose import prompt, settled

Open = Callable[..., Page]

WIDTHS = (320, 390, 640, 641, 820, 1024, 1100, 1101, 1360, 2560)
# What hides a part of its words, which is wider than itself. Fields scroll, and lists are cut on purpose.
CUT = """() => [...document.querySelectorAll(
    "[role=radio], .st-key-bar a, .st-key-bar button, [data-testid^=stBaseButton-]")]
  .filter((each) => each.checkVisibility() && each.clientWidth > 2)
  .filter((each) => [each, ...each.querySelectorAll("p")].some((part) => part.clientWidth > 2 &&
    part.scrollWidth > part.clientWidth + 1 && !/^(inline|contents)$/.test(getComputedStyle(part).display)))
  .map((each) => each.innerText)"""
SIDEWAYS = "() => document.documentElement.scrollWidth - innerWidth"
BEYOND = """() => [...document.querySelectorAll(".st-key-bar > *")]
  .filter((each) => each.getBoundingClientRect().right > innerWidth).map((each) => each.innerText)"""


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


# Whether a press is the element's as far above and below its middle as a target of this height reaches.
IS_HIT = """(element, height) => {
  const { left, top, width, height: own } = element.getBoundingClientRect(), middle = top + own / 2;
  return [1 - height / 2, height / 2 - 1].every((away) => {
    const hit = document.elementFromPoint(left + width / 2, middle + away);
    return element.contains(hit) || hit?.contains(element) && hit.matches("label, .stPageLink *");
  });
}"""


def box(element: Locator) -> Any:
    found = element.bounding_box()
    assert found is not None
    return found


def links(page: Page) -> Locator:
    return page.get_by_role("navigation", name="Pages").get_by_role("link")


def bar_is_in_place(page: Page, width: int, height: int) -> None:
    """The bar is at the top; on a phone its pages are at the bottom."""
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


def test_a_finger_has_targets_of_44_px_also_on_a_tablet(studio: Studio, open_page: Open):
    page = open_page(studio.url, **{**PHONE, **MINE, "viewport": {"width": 820, "height": 1180}})
    settled(page)
    for target in (
        page.get_by_role("radio", name="Storyboard"),
        page.get_by_role("radiogroup", name="Shape").get_by_role("radio", name="9:16"),
        page.get_by_role("button", name="Recent"),
        page.get_by_role("button", name="Keys"),
        links(page).first,
    ):
        target.scroll_into_view_if_needed()
        assert target.evaluate(IS_HIT, 44), target


def test_each_page_has_a_title_and_a_bar_scrolls_not_sideways_and_cuts_nothing_at_any_width(
    studio: Studio, open_page: Open
):
    page = open_page(studio.url, **MINE)
    found = []
    for address, title in (
        ("", "Compose"),
        ("history", "History"),
        (f"job?id={studio.done}", "A lighthouse 0 above the sea"),
        (f"job?id={studio.failed}", "Two foxes fighting"),
        ("gallery", "Gallery"),
    ):
        if address == title.lower():
            page.set_viewport_size(DESKTOP)
            links(page).filter(has_text=title).click()
        elif address:
            page.goto(f"{studio.url}/{address}")
        expect(page).to_have_title(f"{title} · Kling studio")
        page.locator("h1").first.wait_for()
        settled(page)
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 800})
            if (over := page.evaluate(SIDEWAYS)) > 0:
                found.append(f"/{address} at {width}: {over} px sideways")
            found += [f"/{address} at {width}: {each!r} is cut" for each in page.evaluate(CUT)]
    assert found == []
    page.locator(".studio-counts").evaluate("counts => { counts.textContent = '4 being made'; }")
    for width, height in ((320, 700), (390, 844), (820, 1180), (1280, 720), (1920, 1080)):
        page.set_viewport_size({"width": width, "height": height})
        bar_is_in_place(page, width, height)
        assert page.evaluate(BEYOND) == []


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
    page.locator(".st-key-pages [aria-current=page]").wait_for()  # by the script that has the keys
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


def test_what_opens_from_the_bar_has_names_and_contrast_and_a_theme_holds_on_every_page(
    studio: Studio, open_page: Open
):
    page = open_page(f"{studio.url}/history", **MINE, color_scheme="light")
    page.get_by_role("button", name="Account").click()
    page.get_by_text("A sound when a clip is done").wait_for()
    assert findings(page, "[data-testid=stPopoverBody]") == []
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    page.get_by_role("dialog", name="Keys").wait_for()
    assert findings(page, ".studio-keys", alone=True) == []
    page.keyboard.press("Escape")
    page.emulate_media(color_scheme="light")
    page.get_by_role("button", name="Account").click()
    page.wait_for_function(IN_SCHEME, arg="light", polling=100)
    group = page.get_by_role("group", name="Theme")
    expect(group.locator("[aria-pressed=true]")).to_have_text("System")  # the script of the bar is there
    group.get_by_role("button", name="Dark").click()
    page.wait_for_function(IN_SCHEME, arg="dark", polling=100)
    page.goto(f"{studio.url}/gallery?page=2")  # an address of a time when it had pages
    page.wait_for_function(IN_SCHEME, arg="dark", polling=100)
    page.get_by_role("button", name="Account").click()
    expect(group.locator("[aria-pressed=true]")).to_have_text("Dark")
    assert group.evaluate("(element) => getComputedStyle(element).colorScheme") == "dark"
    page.keyboard.press("Escape")
    expect(group).to_have_count(0)
    play_by_press_and_by_key(page)


def play_by_press_and_by_key(page: Page) -> None:
    """A press on a picture of the gallery plays it."""
    settled(page)
    pictures = page.locator("[class*=st-key-clip-] > button")
    expect(pictures).to_have_count(14)
    player = page.locator("dialog[open] video")
    for number in (0, 1):
        pictures.nth(number).press("Enter") if number else pictures.nth(number).click()
        player.evaluate("video => video.play()")  # nothing plays by itself for who wants less motion
        page.keyboard.press("Escape")
        expect(player).to_have_count(0)
