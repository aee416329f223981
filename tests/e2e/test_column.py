"""The control column of Compose: in sight at every size, nothing cut, and usable by the keyboard alone."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Locator, Page, expect

from tests.e2e.conftest import DESKTOP, IN_SIGHT, PHONE, Server
from tests.e2e.test_compose import choose, panel, prompt, settled, shots_are
from tests.e2e.test_first_video import jobs_ordered

Open = Callable[..., Page]

SIZES = [(320, 640), (390, 844), (700, 900), (820, 1180), (1024, 700), (1280, 720), (1440, 900), (1920, 1080)]
WIDTHS = [360, 480, 600, 641, 741, 1100, 1101, 1360, 2560]  # beside those

# What a person cannot see of the words of a control: cut by its own box, by the column or by the window.
CUT = """() => {
  const box = document.querySelector(".st-key-column").getBoundingClientRect(), found = [];
  const column = box.width ? box : { left: 0, right: innerWidth };
  const controls = document.querySelectorAll(".st-key-column :is(button, [role=radio], textarea, input)");
  const shown = [...controls].filter((each) => each.checkVisibility({ visibilityProperty: true }));
  for (const each of shown) {
    const at = each.getBoundingClientRect(), name = each.getAttribute("aria-label") || each.textContent;
    if (at.width < 2) continue;
    if (at.left < column.left - 1 || at.right > column.right + 1) found.push("outside: " + name);
    for (const words of each.querySelectorAll("p")) {
      const hidden = getComputedStyle(words.parentElement).clipPath !== "none";
      if (!hidden && words.scrollWidth > words.clientWidth + 1) found.push("cut: " + name);
    }
  }
  const page = document.documentElement;
  if (page.scrollWidth > innerWidth) found.push("the page scrolls sideways: " + page.scrollWidth);
  return found;
}"""

# Whether the open panel lies above the button that is always in sight.
SHOWN = """() => document.querySelector("[class*=st-key-panel-]").getBoundingClientRect().bottom
  <= document.querySelector(".st-key-pinned").getBoundingClientRect().top"""


def generate(page: Page) -> Locator:
    return page.get_by_role("button", name=re.compile("^Generate"))


def test_generate_is_in_sight_and_nothing_is_cut_from_320_to_2560_pixels(
    shared_server: Server, open_page: Open
):
    page = open_page(shared_server.url, viewport={"width": 1280, "height": 720})
    panel(page, "camera")
    page.wait_for_function(SHOWN, polling=50)
    page.set_viewport_size(DESKTOP)
    prompt(page).fill("A red fox crosses the snow. " * 40)
    choose(page, "Sound", "On 1080p")
    page.get_by_text("Sound needs 1080p").wait_for()
    panel(page, "avoid").get_by_label("Negative prompt").fill("hands, stains")
    panel(page, "camera")
    settled(page)

    def walk(narrowest: int = 0) -> None:
        for width, height in SIZES:
            if width >= narrowest:
                page.set_viewport_size({"width": width, "height": height})
                assert (width, page.evaluate(CUT)) == (width, [])
                assert (width, height, generate(page).evaluate(IN_SIGHT)) == (width, height, True)
        for width in filter(narrowest.__le__, WIDTHS):
            page.set_viewport_size({"width": width, "height": 800})
            assert (width, page.evaluate(CUT)) == (width, [])

    walk(narrowest=641)  # on a phone the open panel is a sheet over the page
    page.set_viewport_size({"width": 1440, "height": 900})
    page.locator(".st-key-composer-panel_camera button").click()
    page.locator(".st-key-panel-camera").wait_for(state="detached")
    walk()
    page.set_viewport_size({"width": 1440, "height": 900})
    page.get_by_role("radio", name="Storyboard").click()
    page.get_by_role("button", name="Add a shot").click()
    page.get_by_label("Shot 3", exact=True).wait_for()
    settled(page)
    walk()


def test_on_a_phone_the_form_is_one_screen_and_its_panels_are_sheets(shared_server: Server, open_page: Open):
    page = open_page(shared_server.url, **PHONE)
    prompt(page).fill("A red fox crosses the snow.")
    prompt(page).blur()
    settled(page)
    last = page.locator(".st-key-composer-tool_import_export button")
    last.scroll_into_view_if_needed()
    high = page.evaluate(
        """() => document.querySelector(".st-key-fields").getBoundingClientRect().height
          + document.querySelector(".st-key-pinned").getBoundingClientRect().height"""
    )
    assert high < 844 - 52 - 60
    page.locator(".st-key-composer-panel_avoid button").tap()
    field = page.get_by_label("Negative prompt")
    field.fill("hands")
    page.mouse.click(200, 90)  # beside the sheet
    expect(field).to_be_hidden()
    expect(page.get_by_role("button", name="Avoid · hands")).to_be_visible()
    page.locator(".st-key-composer-panel_more button").tap()
    page.get_by_role("button", name="Close", exact=True).tap()
    expect(page.locator(".st-key-panel-more")).to_be_hidden()


def test_the_storyboard_is_a_tab_on_every_model_and_one_press_leads_back(
    shared_server: Server, open_page: Open
):
    page = open_page(shared_server.url)
    prompt(page).fill("A fox wakes")
    page.get_by_role("radio", name="Storyboard").click()
    first = page.get_by_label("Shot 1", exact=True)
    expect(first).to_have_value("A fox wakes")
    expect(prompt(page)).to_have_count(0)
    expect(page.get_by_text("Switched from Kling 2.6, which makes single shots only.")).to_be_visible()
    expect(generate(page)).to_contain_text("$0.42")
    second = page.get_by_label("Shot 2", exact=True)
    second.press_sequentially("A fox runs")
    expect(page.get_by_text(re.compile("to apply")).filter(visible=True)).to_have_count(0)
    expect(generate(page)).to_contain_text("Ctrl")
    page.get_by_label("Seconds 2").fill("4")
    page.get_by_label("Seconds 2").press("Enter")
    expect(page.get_by_text("7 of 15 s")).to_be_visible()

    second.press("Alt+ArrowUp")
    shots_are(page, "A fox runs", "A fox wakes")
    expect(first).to_be_focused()
    page.get_by_role("button", name="Add a shot").click()
    third = page.get_by_label("Shot 3", exact=True)
    third.press("Delete")
    shots_are(page, "A fox runs", "A fox wakes")
    expect(second).to_be_focused()

    page.get_by_role("button", name="Undo").click()
    expect(prompt(page)).to_have_value("A fox wakes")
    expect(page.get_by_label("Model", exact=True)).to_have_value(re.compile("^Kling 2.6"))
    expect(generate(page)).to_contain_text("$0.21")


def order_without_a_prompt(page: Page) -> None:
    """Try it by the keys and by the button: what is missing is said, and the focus goes there."""
    missing = page.get_by_text("Write what the video should show")

    def is_said_and_focused() -> None:
        expect(missing).to_be_visible()
        expect(page.get_by_text("Nothing was sent: fix the marked fields.")).to_be_in_viewport()
        expect(prompt(page)).to_be_focused()

    page.locator("[data-keys]").click()
    page.get_by_role("dialog", name="Keys").wait_for()
    page.keyboard.press("Control+Enter")  # nothing is ordered from behind a dialog
    page.keyboard.press("Escape")
    settled(page)
    expect(missing).to_have_count(0)
    page.get_by_label("Model", exact=True).press("Control+Enter")
    is_said_and_focused()
    prompt(page).fill("fox")
    prompt(page).blur()
    expect(missing).to_have_count(0)
    prompt(page).fill("")
    generate(page).click()
    is_said_and_focused()


def choose_what_gives_way(page: Page) -> None:
    """A choice that gives way says so, and what it does to the price."""
    choose(page, "Sound", "On 1080p")
    expect(page.get_by_text("Sound needs 1080p. Now $0.70, was $0.21.")).to_be_visible()
    choose(page, "Quality", "720p std")
    expect(page.get_by_text("To fit Kling 2.6: Sound on → off.")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("radio", name="1080p pro")).to_be_checked()
    choose(page, "Quality", "720p std")
    expect(generate(page)).to_contain_text("$0.21")


def test_the_form_says_what_is_missing_and_what_gives_way_and_the_chip_teaches_variations(
    shared_server: Server, open_page: Open
):
    page = open_page(shared_server.url)
    order_without_a_prompt(page)
    prompt(page).press_sequentially("fox")
    expect(page.get_by_text(re.compile("to apply")).filter(visible=True)).to_have_count(0)
    panel(page, "avoid").get_by_label("Negative prompt", exact=True).press_sequentially("fox")
    expect(page.get_by_text(re.compile("to apply")).filter(visible=True)).to_have_count(0)
    choose_what_gives_way(page)
    chip = page.get_by_role("button", name="Variations", exact=True)
    prompt(page).fill("A red fox")
    prompt(page).evaluate("field => field.setSelectionRange(2, 5)")
    chip.click()
    expect(prompt(page)).to_have_value("A {red|another choice} fox")
    page.keyboard.type("grey|white")
    expect(prompt(page)).to_have_value("A {red|grey|white} fox")
    expect(page.locator("[data-vary]")).to_have_text(re.compile("3 clips"))  # the field has not been left
    page.keyboard.press("End")
    page.keyboard.type(" in {snow|{rain|hail}}")
    expect(page.locator("[data-vary]")).to_have_text(re.compile("9 clips"))
    page.keyboard.press("ArrowLeft")
    expect(generate(page)).to_have_text(re.compile("^Generate 9 "))  # it follows what is typed
    page.keyboard.type("|fog")
    expect(generate(page)).to_have_text(re.compile("^Generate 12 "))
    expect(prompt(page)).to_have_value("A {red|grey|white} fox in {snow|{rain|hail}|fog}")
    prompt(page).press("Control+z")
    prompt(page).fill("A {red|grey|white} fox in {snow|rain|fog} at {dawn|noon|night}")
    prompt(page).blur()
    expect(generate(page)).to_have_text(re.compile(r"^Generate 27 · free \(Kling: \$5\.67\)"))
    expect(page.get_by_role("button", name="Variations · 27 clips").last).to_be_visible()
    before = jobs_ordered(shared_server)
    generate(page).click()
    page.get_by_text("This generates 27 clips at once").wait_for()
    page.get_by_role("button", name="Not now").click()
    expect(page.get_by_text("This generates 27 clips at once")).to_have_count(0)
    assert jobs_ordered(shared_server) == before
    page.get_by_role("button", name="Send as typed").click()
    expect(generate(page)).to_have_text(re.compile(r"^Generate · free \(Kling: \$0\.21\)"))
