"""The lightbox and Present in a browser: opened from anywhere, and keys or fingers are enough."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from types import SimpleNamespace

import pytest
from playwright.sync_api import Locator, Page, expect

from kling import TextToVideo
from kling.studio.jobs import FAILED, SUCCEED, dump_json
from tests.e2e.conftest import PHONE
from tests.e2e.prepared import MINE, Past, server_of
from tests.e2e.test_accessibility import findings_here
from tests.e2e.test_compose import settled

Open = Callable[..., Page]
HOSTILE = '<img src=x onerror="alert(1)"> **bold** \u202eright to left'
PLAYS = (
    "() => { const v = document.querySelector('dialog.viewer video'); return v.currentTime > 0 && !v.paused }"
)
FOCUS_IN = "() => document.querySelector('dialog.viewer').contains(document.activeElement)"
ROW = "() => document.activeElement.closest('.lib-row')?.dataset.job ?? ''"
ON = ".present video[data-on]"
SWIPE = """([selector, x, y]) => {
  const on = document.querySelector(selector);
  const finger = (clientX, clientY) => new Touch({ identifier: 1, target: on, clientX, clientY });
  const of = (point) => ({ bubbles: true, touches: [point], changedTouches: [point] });
  const fire = (kind, point) => on.dispatchEvent(new TouchEvent(kind, of(point)));
  fire("touchstart", finger(200, 300)); fire("touchend", finger(200 + x, 300 + y)); }"""


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimpleNamespace]:
    """A server that knows six clips, the newest last, and a failed job among them."""
    data = tmp_path_factory.mktemp("viewer") / "data"
    here = Past(data)
    sound = {"width": 320, "height": 180, "seconds": 1, "audio": True}
    heard = dump_json({"probe": sound, "check": "ok"})
    ids = [here.task(SUCCEED, TextToVideo(prompt=f"A fox, number {number}")) for number in range(4)]
    here.task(FAILED, TextToVideo(prompt="A fox that failed"), code="1301", message="Kling refused it.")
    ids.append(here.task(SUCCEED, TextToVideo(prompt="A fox that sings"), extra=heard))
    ids.append(here.task(SUCCEED, TextToVideo(prompt=HOSTILE)))
    for number in range(2):  # in no list that does not ask for what is hidden
        here.task(SUCCEED, TextToVideo(prompt=f"A hidden cat, number {number}"), hidden="1")
    server = server_of(data)
    server.start()
    yield SimpleNamespace(server=server, url=server.url, ids=ids[::-1])
    server.close()


def box(page: Page) -> Locator:
    return page.locator("dialog.viewer[open]")


def shows(page: Page, place: str) -> None:
    """Wait for the clip at a place, with what only the server knows of it."""
    expect(box(page).locator(".viewer-place")).to_have_text(place)
    expect(box(page).locator(".viewer-facts").first).to_contain_text("Model")


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def test_the_keyboard_alone_does_all_of_it_over_a_page_that_is_not_run_again(
    past: SimpleNamespace, open_page: Open
):
    page = open_page(f"{past.url}/history?q=fox", **MINE)
    row = page.locator(f'.lib-row[data-job="{past.ids[1]}"]')
    row.locator(".lib-link").focus()
    settled(page)
    runs = "() => document.querySelectorAll('[data-testid=stApp]').length && performance.timeOrigin"
    loaded = page.evaluate(runs)
    press(page, "Space")
    shows(page, "1 of 5, “fox”")
    expect(page).to_have_url(re.compile(rf"/history\?q=fox&clip={past.ids[1]}$"))
    expect(box(page).locator("video")).to_have_count(1)
    expect(box(page)).to_have_attribute("aria-label", "Clip: A fox that sings")
    assert box(page).locator("video").evaluate("video => video.paused")  # nothing moves by itself here
    press(page, "Space")
    page.wait_for_function(PLAYS, polling=50)
    press(page, "m")
    expect(box(page).get_by_role("button", name="Sound off")).to_be_visible()
    # Star and rating are seen at once, and kept.
    press(page, "s", "4")
    expect(box(page).get_by_role("button", name="Take the star back")).to_have_attribute(
        "aria-pressed", "true"
    )
    expect(box(page).locator(".viewer-rating [aria-pressed=true]")).to_have_count(4)
    expect(row.get_by_role("img", name=re.compile("Starred"))).to_have_count(1)  # the row below hears of it
    # The script has taken both presses.
    page.locator(".st-key-viewer [data-did$=' 2']").wait_for(state="attached")
    assert ",4," in past.server.log
    # Through the list, which skips what has no clip; the focus stays inside.
    press(page, "ArrowRight")
    shows(page, "2 of 5, “fox”")
    expect(page).to_have_url(re.compile(rf"clip={past.ids[2]}$"))
    expect(box(page).get_by_role("button", name="Star", exact=True)).to_be_visible()
    for _ in range(24):
        press(page, "Tab")
        assert page.evaluate(FOCUS_IN) or page.evaluate("() => document.activeElement === document.body")
    press(page, "?")
    keys = page.locator("dialog.studio-keys")
    expect(keys.get_by_text("Present from this clip on")).to_be_in_viewport()
    press(page, "Escape")
    expect(keys).to_be_hidden()
    press(page, "Escape")
    expect(box(page)).to_have_count(0)
    expect(page).to_have_url(re.compile(r"/history\?q=fox$"))
    page.wait_for_function(f"() => ({ROW})() === '{past.ids[2]}'", polling=50)  # the one that was shown last
    # Forward opens it again, Back closes it.
    page.go_forward()
    shows(page, "2 of 5, “fox”")
    page.go_back()
    expect(box(page)).to_have_count(0)
    assert page.evaluate(runs) == loaded


def test_pictures_of_history_of_the_stage_and_of_a_job_open_it(past: SimpleNamespace, open_page: Open):
    page = open_page(f"{past.url}/history", **MINE)
    page.on("dialog", lambda dialog: pytest.fail(f"a text ran as a script: {dialog.message}"))
    page.locator(f'.lib-row[data-job="{past.ids[0]}"] .lib-thumb').click()
    shows(page, "1 of 6")
    expect(box(page).locator(".viewer-prompt")).to_have_text(HOSTILE)
    assert box(page).locator("img[src=x]").count() == 0
    # All about it leads to the job's page; its picture opens the lightbox, with the list that one came from.
    box(page).get_by_role("button", name="More").click()
    page.get_by_role("menuitem", name="All about it").click()
    picture = page.locator(".st-key-job_player video")
    expect(box(page)).to_have_count(0)
    settled(page)
    picture.click()
    shows(page, "1 of 6")
    press(page, "Escape")
    expect(box(page)).to_have_count(0)
    # Remix leads to the form, whose stage shows the newest clip of all.
    picture.click()
    shows(page, "1 of 6")
    press(page, "r")
    expect(page.get_by_label("Prompt", exact=True).first).to_have_value(HOSTILE)
    expect(box(page)).to_have_count(0)
    settled(page)
    thumb = page.locator(".stage-thumb").nth(1)
    thumb.click()
    expect(thumb).to_have_attribute("aria-current", "true")
    page.locator(".stage-tile video").click()
    shows(page, "2 of 6")
    expect(page).to_have_url(re.compile(rf"[?&]clip={past.ids[1]}$"))


def test_what_is_asked_or_decided_stands_over_the_clip(past: SimpleNamespace, open_page: Open):
    page = open_page(f"{past.url}/gallery?clip={past.ids[2]}", **MINE)
    shows(page, "3 of 6")
    settled(page)
    box(page).get_by_role("button", name="Add tags").click()
    field = page.get_by_role("textbox", name="New tags")
    field.fill("winter")
    press(page, "Enter")
    expect(box(page).locator(".viewer-tag")).to_have_text("winter")
    expect(field).to_have_count(0)
    # Hidden: the next one comes, and it can be undone.
    press(page, "h")
    expect(page).to_have_url(re.compile(rf"clip={past.ids[3]}$"))
    shows(page, "3 of 5")
    page.get_by_role("button", name="Undo").click()
    shows(page, "3 of 6")
    expect(page).to_have_url(re.compile(rf"clip={past.ids[2]}$"))
    assert findings_here(page, "dialog.viewer") == []
    # Two clips to compare; the link to one.
    page.evaluate("() => { navigator.clipboard.writeText = async (text) => { window.copied = text } }")
    box(page).get_by_role("button", name="Copy link").click()
    page.wait_for_function("() => window.copied", polling=50)
    assert page.evaluate("() => window.copied") == f"{past.url}/gallery?clip={past.ids[2]}"
    assert (
        box(page).get_by_role("link", name="Download").get_attribute("href")
        == f"/take-away?ids={past.ids[2]}"
    )
    press(page, "c", "ArrowRight")
    shows(page, "4 of 6")
    press(page, "c")
    page.wait_for_url(f"**/compare?ids={past.ids[2]},{past.ids[3]}*")
    expect(box(page)).to_have_count(0)


def test_a_clip_that_is_not_there_is_said_in_words(past: SimpleNamespace, open_page: Open):
    page = open_page(f"{past.url}/history?clip=none", **MINE)
    expect(box(page).get_by_text("There is no such clip.")).to_be_visible()
    press(page, "s", "h", "c", "Escape")
    expect(box(page)).to_have_count(0)
    expect(page).to_have_url(re.compile("/history$"))
    expect(page.locator(".lib-row").first).to_be_visible()


def test_what_was_hidden_or_deleted_makes_room_for_the_next_one_until_none_is_left(
    past: SimpleNamespace, open_page: Open
):
    page = open_page(f"{past.url}/gallery?q=cat&hidden=only", **MINE)
    page.locator(".wall-open").first.click()
    shows(page, "1 of 2, “cat”, filtered")
    for number in (1, 0):
        expect(box(page)).to_have_attribute("aria-label", f"Clip: A hidden cat, number {number}")
        box(page).get_by_role("button", name="More").click()
        page.get_by_role("menuitem", name="Delete the file…").click()
        page.get_by_role("button", name="Delete 1 clip").click()
        if number:
            shows(page, "1 of 1, “cat”, filtered")
    expect(box(page)).to_have_count(0)
    expect(page).to_have_url(re.compile(r"/gallery\?q=cat&hidden=only$"))
    # The only one of a list is hidden: the page below offers to undo that.
    page.goto(f"{past.url}/gallery?q=sings&clip={past.ids[1]}")
    shows(page, "1 of 1, “sings”")
    press(page, "h")
    expect(box(page)).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".wall-open")).to_have_count(1)


def test_fingers_are_enough_on_a_phone(past: SimpleNamespace, open_page: Open):
    page = open_page(f"{past.url}/gallery?clip={past.ids[1]}", **MINE, **PHONE)
    shows(page, "2 of 6")
    room, panel = ".viewer-room", box(page).locator(".viewer-panel")
    page.evaluate(SWIPE, [room, -120, 0])
    shows(page, "3 of 6")
    page.evaluate(SWIPE, [room, 120, 0])
    shows(page, "2 of 6")
    # The sheet shows the prompt and the buttons, and the rest when it is drawn up.
    expect(panel.get_by_role("link", name="Remix")).to_be_in_viewport()
    expect(panel.locator(".viewer-facts").first).to_be_hidden()
    page.evaluate(SWIPE, [".viewer-panel", 0, -80])
    expect(panel.get_by_text("Model")).to_be_in_viewport()
    assert findings_here(page, "dialog.viewer") == []
    panel.get_by_role("button", name="Show less about this clip").tap()
    expect(panel.locator(".viewer-facts").first).to_be_hidden()
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    # On what is zoomed a finger moves the picture.
    session, at = page.context.new_cdp_session(page), {"x": 80, "y": 200}
    session.send("Input.synthesizePinchGesture", {**at, "scaleFactor": 2.5})
    expect(box(page).locator(room)).to_have_css("touch-action", "auto")
    page.evaluate(SWIPE, [room, 0, 160])
    page.evaluate(SWIPE, [room, -120, 0])
    shows(page, "2 of 6")
    session.send("Input.synthesizePinchGesture", {**at, "scaleFactor": 0.4})
    expect(box(page).locator(room)).to_have_css("touch-action", "pinch-zoom")
    page.evaluate(SWIPE, [room, 0, 160])
    expect(box(page)).to_have_count(0)


def presented_from_the_page(page: Page, show: Locator) -> None:
    """See that Back and Escape end it, and leave the page where it is."""
    settled(page)
    loaded = page.evaluate("() => history.length")
    for ends in (page.go_back, lambda: press(page, "Escape", "Escape")):
        page.get_by_role("button", name="Present").click()
        expect(show.locator(".viewer-place")).not_to_be_empty()
        assert page.locator(ON).evaluate("video => video.muted")
        press(page, "m")
        ends()
        expect(show).to_have_count(0)
        page.wait_for_function("() => !history.state?.studioPresent", polling=50)
        expect(page).to_have_url(re.compile(r"gallery\?q=fox$"))
    assert page.evaluate("() => history.length") <= loaded + 1


def test_clips_are_presented_on_the_whole_screen(past: SimpleNamespace, open_page: Open):
    page = open_page(f"{past.url}/gallery?clip={past.ids[0]}&q=fox", **MINE)
    expect(box(page).locator(".viewer-facts").first).to_contain_text("Model")
    ids = [past.ids[each] for each in (3, 1, 2)]
    page.evaluate(
        "ids => document.dispatchEvent(new CustomEvent('studio:present', { detail: { ids } }))", ids
    )
    show = page.locator("dialog.present[open]")
    place, caption = show.locator(".viewer-place"), show.locator(".present-caption")
    expect(place).to_have_text("1 of 3")
    expect(box(page)).to_have_count(0)
    expect(caption).to_contain_text("A fox, number 2")
    # By itself, at the end of the clip; the controls have gone.
    expect(page.locator(".present[data-idle] .viewer-place")).to_have_text("2 of 3")
    page.evaluate("() => document.activeElement.blur()")  # as the page does that a restart draws anew
    press(page, "a", "Home")
    expect(place).to_have_text("1 of 3")
    assert page.locator(ON).get_attribute("src") == f"/clips/{ids[0]}.mp4"
    # Captions: with prompts, without, none.
    press(page, "c")
    expect(caption).not_to_contain_text("number 2")
    expect(caption).to_contain_text("Ada")
    press(page, "c")
    expect(caption).to_be_hidden()
    for key, colour in (("b", "rgb(0, 0, 0)"), ("w", "rgb(255, 255, 255)")):
        press(page, key)
        expect(show.locator(".present-shade")).to_have_css("background-color", colour)
    assert page.locator(ON).evaluate("video => video.paused")
    press(page, "Home")  # as the arrows: it only shows the clip again
    expect(show.locator(".present-shade")).to_be_hidden()
    press(page, "End", "w")
    expect(place).to_have_text("3 of 3")
    press(page, "w")
    expect(show.locator(".present-shade")).to_be_hidden()
    press(page, "End", "ArrowRight")  # from the last to the first, as it begins again
    expect(place).to_have_text("1 of 3")
    press(page, "ArrowLeft", "?")
    expect(place).to_have_text("3 of 3")
    expect(show.get_by_text("Black or white screen")).to_be_visible()
    assert findings_here(page, "dialog.present") == []
    # The end: the lightbox is back, with the clip that was shown last.
    show.get_by_role("button", name="End", exact=True).click()
    expect(show).to_have_count(0)
    expect(box(page)).to_have_attribute("aria-label", "Clip: A fox, number 3")
    expect(page).to_have_url(re.compile(rf"clip={ids[2]}"))
    # The browser's Back ends it too, and with it what it lies over.
    press(page, "Escape")
    expect(box(page)).to_have_count(0)
    page.evaluate("id => document.dispatchEvent(new CustomEvent('studio:clip', { detail: { id } }))", ids[0])
    expect(box(page)).to_be_visible()
    press(page, "p")
    expect(place).not_to_be_empty()
    page.go_back()
    expect(show).to_have_count(0)
    expect(box(page)).to_have_count(0)
    expect(page).to_have_url(re.compile(r"gallery\?q=fox$"))
    expect(page.locator("[inert]")).to_have_count(0)
    presented_from_the_page(page, show)
