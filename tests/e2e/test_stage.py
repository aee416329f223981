"""The stage of Compose in a browser: sizes, nothing that jumps, batches, upright clips, keys, phones."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from types import SimpleNamespace

import pytest
from axe_playwright_python.base import AXE_SCRIPT  # type: ignore[import-untyped]
from playwright.sync_api import Locator, Page, ViewportSize, expect

from kling import TextToVideo
from kling.studio.jobs import FAILED, PROCESSING, SUCCEED, WAITING
from kling.studio.prompting.draft import Draft
from tests.e2e.conftest import IN_SIGHT, Server, on_phone
from tests.e2e.prepared import MINE, Past, server_of
from tests.e2e.test_accessibility import STILL
from tests.e2e.test_first_video import order
from tests.e2e.test_hostile import INJECTED, MIXED, shows

Open = Callable[..., Page]
LARGE: ViewportSize = {"width": 1440, "height": 900}
SMALL: ViewportSize = {"width": 1280, "height": 720}
PLAYS = "() => { const v = document.querySelector('.stage-tile video'); return v && v.currentTime > 0.1 }"
# Shifts within half a second of a press do not count: they answer it.
WATCH = """() => {
  window.shift = 0;
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shift += entry.value;
  }).observe({ type: "layout-shift" });
}"""
SOUND = {"width": 720, "height": 1280, "fps": 24.0, "seconds": 1.0, "audio": True}
# Of the first tile, as if the browser could tell when it is done: until the next tick hides that again.
SMALL_TILE = """() => {
  document.querySelector(".stage-tell").hidden = false;
  return ["", " .stage-own", " .stage-time", " .stage-tell"].map(
    (each) => document.querySelector(".stage-tile" + each).getBoundingClientRect().toJSON());
}"""
SERIOUS = """() => axe.run(document.querySelector(".st-key-stage"), { resultTypes: ["violations"] })
  .then(({ violations }) => violations.filter(({ impact }) => ["serious", "critical"].includes(impact))
    .map(({ id, nodes }) => `${id}: ${nodes[0].html}`))"""


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimpleNamespace]:
    """A server at which nothing moves, with a job of each look."""
    data = tmp_path_factory.mktemp("past") / "data"
    here = Past(data)

    def fox(shape: str = "16:9") -> TextToVideo:
        return TextToVideo(prompt="A red fox in the snow", aspect_ratio=shape)

    refused = {"code": "1301", "message": "Its rules stopped it.", "request_id": "r-1"}
    upright = [
        here.task(SUCCEED, fox("9:16"), batch="up", extra=json.dumps({"probe": SOUND, "check": "ok"})),
        here.task(PROCESSING, fox("9:16"), batch="up"),
    ]
    labelled = [
        here.task(PROCESSING, TextToVideo(prompt=f"A {colour} fox in the snow"), batch="six")
        for colour in ("red", "grey", "white", "black", "blue", "brown")
    ]
    jobs = SimpleNamespace(
        upright=upright[0],
        made=here.task(PROCESSING, fox(), task_id="1"),
        failed=here.task(FAILED, fox(), **refused),
        waits=here.task(WAITING, fox()),
        done=here.task(SUCCEED, fox()),
    )
    made = (*upright, jobs.made, jobs.failed, jobs.waits, jobs.done, *labelled)
    server = server_of(data)
    server.start()
    yield SimpleNamespace(url=f"{server.url}/{here.draft(Draft(), made=made)}", **vars(jobs))
    server.close()


def box(page: Page, selector: str) -> dict[str, float]:
    found: dict[str, float] = page.locator(selector).first.evaluate(
        "each => { const { x, y, width, height, right, bottom } = each.getBoundingClientRect();"
        " return { x, y, width, height, right, bottom } }"
    )
    return found


def card(page: Page, job_id: str) -> Locator:
    return page.locator(f".st-key-task-{job_id} .stage-thumb")


def show(page: Page, key: str, words: str | re.Pattern[str]) -> None:
    """Put a card onto the stage; the server's words come after the picture."""
    card(page, key).click()
    expect(page.locator(".st-key-stage_body")).to_contain_text(words)


def serious(page: Page) -> list[str]:
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    page.evaluate(STILL)
    found: list[str] = page.evaluate(SERIOUS)
    return found


def test_from_six_templates_to_a_playing_clip_nothing_jumps(shared_server: Server, open_page: Open):
    page = open_page(
        shared_server.url, viewport={"width": 820, "height": 1180}, reduced_motion="no-preference"
    )
    first = page.get_by_role("button", name="A fox in first snow")
    first.wait_for()
    assert box(page, ".stage-first h2")["y"] < 100
    page.set_viewport_size(LARGE)
    first.focus()
    expect(first.locator(".stage-use")).to_have_css("opacity", "1")
    expect(first.locator("video")).to_have_count(1)  # its preview plays
    assert serious(page) == []
    first.click()
    prompt = page.get_by_label("Prompt", exact=True)
    expect(prompt).to_have_value(re.compile("^A red fox with a thick winter coat"))
    generate = page.get_by_role("button", name=re.compile("^Generate"))
    expect(generate).to_be_focused()
    expect(page.get_by_role("button", name="Back to the draft you had")).to_have_count(0)  # it was empty
    page.evaluate(WATCH)
    order(page, "A red fox in the snow at dawn")
    skeleton = page.locator(".stage-tile")
    expect(skeleton).to_be_visible()
    before = box(page, ".stage-tile")
    page.wait_for_function(PLAYS)
    assert box(page, ".stage-tile") == before
    assert page.evaluate("() => window.shift") < 0.02
    assert page.evaluate("() => document.querySelector('.stage-tile video').muted")
    assert before["width"] >= 850
    page.set_viewport_size(SMALL)
    assert box(page, ".stage-tile video")["width"] >= 600
    assert box(page, ".st-key-stage_buttons")["bottom"] <= SMALL["height"]
    assert serious(page) == []


def test_takes_are_tiles_that_fill_in_one_can_be_enlarged_and_what_is_said_of_a_job_is_what_was_written(
    shared_server: Server, open_page: Open
):
    page = open_page(shared_server.url, viewport=LARGE, reduced_motion="no-preference")
    page.on("dialog", lambda dialog: pytest.fail(f"a text ran as a script: {dialog.message}"))
    page.get_by_role("radiogroup", name="How many").get_by_text("4", exact=True).click()
    order(page, "Four shoes")
    tiles = page.locator(".stage-tile")
    expect(tiles).to_have_count(4)
    expect(page.locator(".stage-tile[class*=st-key-clip-] video")).to_have_count(4)
    expect(page.locator(".stage-strip [data-look=batch]").first).to_be_visible()
    across = {round(tile.bounding_box()["x"]) for tile in tiles.all()}  # type: ignore[index]
    assert len(across) == 2  # two by two
    places: list[str] = page.locator("[class*=st-key-clip-]").evaluate_all(
        "all => all.map(({ className }) => className.match(/st-key-clip-\\S+/)[0])"
    )
    assert len(set(places)) == len(places)  # one place of each clip on the page
    page.wait_for_function(PLAYS)
    mine = tiles.nth(0).locator("video")
    mine.evaluate("video => { video.dataset.mine = 'yes' }")
    mine.click()
    expect(tiles).to_have_count(1)
    expect(page.locator("video[data-mine=yes]")).to_be_visible()  # the same one, larger
    assert not page.locator("video[data-mine=yes]").evaluate("video => video.paused")
    expect(page.locator(".stage-facts")).to_contain_text("Done in")
    page.emulate_media(reduced_motion="reduce")
    with on_phone(page):
        answer_without_a_name(page)
        order(page, MIXED)
        shows(page, ("[role=status]", f"Clip done: {MIXED[:80]}"))
        shows(page, (".stage-prompt", MIXED))  # the newest order takes the place of the others
        expect(page.get_by_label("Prompt", exact=True)).to_have_value(MIXED)
    expect(tiles).to_have_count(4)
    assert page.locator(INJECTED).count() == 0


def answer_without_a_name(page: Page) -> None:
    """The question takes two lines, its controls are in sight; once answered, nothing is out of place."""
    assert box(page, ".st-key-who")["height"] < 90
    for control in page.locator(".st-key-who :is(button, input)").all():
        assert control.evaluate(IN_SIGHT)
    page.get_by_role("button", name="Without a name").click()
    page.locator(".st-key-app-remember-studio_person_asked").wait_for(state="attached")
    takes, generate = (
        box(page, ".st-key-composer-takes"),
        box(page, "[class*=st-key-composer-generate-] button"),
    )
    assert (generate["height"], generate["bottom"]) == (48, takes["bottom"])


def nothing_is_cut_off_or_hidden_on_small_tiles(page: Page) -> None:
    """The last control of an upright clip with sound, and what is said of the first clip of six."""
    tile, last = box(page, ".stage-tile"), box(page, ".stage-tile [title='Full screen']")
    assert last["right"] <= tile["right"]
    show(page, "six", "0 of 6 clips done")
    tile, own, time, tell = page.evaluate(SMALL_TILE)
    assert own["bottom"] <= time["top"]
    assert tell["bottom"] <= tile["bottom"]


def test_without_motion_nothing_starts_and_clips_of_each_shape_have_their_buttons_a_file_and_a_link(
    past: SimpleNamespace, open_page: Open
):
    page = open_page(past.url, viewport=LARGE, reduced_motion="reduce", **MINE)
    show(page, past.done, "Done")
    player = page.locator(f".st-key-clip-{past.done} video")
    expect(player).to_be_visible()
    assert player.evaluate("video => video.paused && !video.autoplay")
    page.get_by_role("button", name="Play", exact=True).click()
    page.wait_for_function(PLAYS, polling=100)
    with page.expect_download() as kept:
        page.get_by_role("link", name="Download").click()
    assert re.fullmatch(r"\d{4}-\d\d-\d\d_red-fox-in-the-snow_16x9\.mp4", kept.value.suggested_filename)
    # As on plain http.
    page.evaluate("() => Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    page.evaluate(
        "() => document.addEventListener('copy', (event) => setTimeout(() => {"
        " window.copied = event.clipboardData?.getData('text/plain') }), false)"
    )
    page.get_by_role("link", name="Copy link").click()
    expect(page.get_by_role("link", name="Copied")).to_be_visible()

    # Upright clips are high, and have their buttons beside them.
    show(page, "up", "1 of 2 clips done")
    for size, least in ((LARGE, 640), (SMALL, 480)):
        page.set_viewport_size(size)
        page.wait_for_function("() => document.querySelector('.st-key-stage_body').dataset.side === 'right'")
        assert box(page, ".stage-tile video")["height"] >= least
        assert page.locator(".stage-tile").count() == 2
        buttons = box(page, ".st-key-stage_buttons")
        assert buttons["x"] > box(page, ".stage-box")["right"]
        assert buttons["bottom"] <= size["height"]
    hear = page.get_by_role("button", name="Hear it")
    expect(hear).to_have_count(1)
    hear.click()
    expect(hear).to_be_hidden()
    assert not page.locator(f".st-key-clip-{past.upright} video").evaluate("video => video.muted")
    nothing_is_cut_off_or_hidden_on_small_tiles(page)


def test_everything_is_reached_by_keys(past: SimpleNamespace, open_page: Open):
    page = open_page(past.url, viewport=LARGE, reduced_motion="no-preference", **MINE)
    show(page, past.done, "A red fox in the snow")
    player = page.locator(f".st-key-clip-{past.done} video")
    page.wait_for_function(PLAYS)
    page.locator("body").evaluate("body => document.activeElement.blur()")
    page.keyboard.press("Space")
    assert player.evaluate("video => video.paused")
    expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible()
    for word in ("Take the star back", "Star"):
        page.keyboard.press("s")
        expect(page.get_by_role("button", name=word, exact=True)).to_be_visible()
    page.keyboard.press("j")
    page.keyboard.press("k")
    assert page.locator(".stage-thumb[tabindex='0']").count() == 1  # one stop for the whole strip
    page.keyboard.press("Home")
    expect(page.locator(".stage-thumb").first).to_be_focused()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page.locator(".stage-thumb").nth(1)).to_have_attribute("aria-current", "true")
    show(page, past.done, "Done")
    page.keyboard.press("r")
    expect(page.get_by_label("Prompt", exact=True)).to_have_value("A red fox in the snow")
    expect(page.get_by_label("Prompt", exact=True)).to_be_focused()


def test_what_is_made_waits_and_failed_says_so_on_every_screen_and_hints_never_come_back(
    past: SimpleNamespace, open_page: Open
):
    page = open_page(past.url, viewport=LARGE, color_scheme="light", **MINE)
    show(page, past.made, "Being made at Kling")
    hint = page.locator(".stage-hint")
    expect(hint).to_be_visible()
    words = hint.inner_text()
    page.reload()
    page.locator(".stage-thumb").first.wait_for()
    show(page, past.waits, "Next in line")
    expect(
        page.locator(".st-key-stage_note").get_by_role("button", name="Cancel (nothing spent)")
    ).to_be_visible()
    show(page, past.made, "Being made at Kling")
    assert not hint.is_visible() or hint.inner_text() != words
    expect(page.locator(".stage-time")).to_have_text(re.compile(r"^\d+:\d\d$"))
    expect(page.locator(".stage-bar").first).to_be_hidden()  # no usual time is known
    assert serious(page) == []
    with on_phone(page):
        mini = page.get_by_role("button", name="Show the clip")
        expect(mini).to_be_visible()
        expect(mini).to_contain_text(re.compile(r"\d+:\d\d"))
        assert 56 <= box(page, ".stage-mini")["height"] <= 64
        button = page.get_by_role("button", name=re.compile("^Generate"))
        assert box(page, ".stage-mini")["bottom"] <= (button.bounding_box() or {"y": 0})["y"]
        mini.click()
        expect(page.locator(".stage-tile")).to_have_css("pointer-events", "auto")
        assert box(page, ".stage-box")["width"] > 340
        expect(page.locator(".st-key-column")).to_have_attribute("inert", "")
        assert serious(page) == []
        page.go_back()
        expect(mini).to_be_visible()
        expect(page.get_by_label("Prompt", exact=True)).to_be_visible()
        assert page.evaluate("() => document.documentElement.scrollWidth") <= 390
    show(page, past.failed, "Kling refused this prompt")
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        page.wait_for_function(
            f"() => getComputedStyle(document.querySelector('.stApp')).colorScheme === '{scheme}'"
        )
        assert serious(page) == []
    page.get_by_role("button", name="Edit and try again").click()
    prompt = page.get_by_label("Prompt", exact=True)
    expect(prompt).to_be_focused()
    expect(page.locator("[data-mend=yes]")).to_have_count(1)
    prompt.press("End")
    prompt.type("!")
    expect(page.locator("[data-mend=yes]")).to_have_count(0)
