"""Compare in a browser: clips in step, the keys, other takes, the decision; on a phone, and with axe."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from kling import TextToVideo
from tests.e2e.conftest import IN_SIGHT, Server, on_phone
from tests.e2e.takes import Takes, draw
from tests.e2e.test_share import axe

Open = Callable[..., Page]
FOX = "A red fox lifts one paw. <b>Snow</b> falls."
# What the players do, once each of them shows a picture.
PLACES = """() => { const all = [...document.querySelectorAll(".deck video")];
  return all.every((each) => each.readyState > 1 && !each.seeking) && all.map((each) => each.currentTime) }"""
PLAYING = """() => { const all = [...document.querySelectorAll(".deck video")];
  return all.length > 0 && all.every((each) => !each.paused && each.currentTime > 0) }"""
STANDING = """() => { const all = [...document.querySelectorAll(".deck video")];
  return all.every((each) => each.paused && !each.seeking && each.readyState > 1) }"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A studio with four takes of one prompt: wide with sound, longer, upright and shorter, square."""
    folder = tmp_path_factory.mktemp("compare")
    takes = Takes(folder / "data")
    drawn: list[Path] = [folder / f"{number}.mp4" for number in range(4)]
    draw(drawn[0], seconds=4, tone=440)
    draw(drawn[1], seconds=5, tone=660)
    draw(drawn[2], (180, 320), seconds=2)
    draw(drawn[3], (240, 240), seconds=4, fps=30)
    requests = [
        TextToVideo(prompt=FOX, mode="std"),
        TextToVideo(prompt=FOX.replace("one paw", "its head"), mode="pro"),
        TextToVideo(prompt=FOX, aspect_ratio="9:16"),
        TextToVideo(prompt=FOX, aspect_ratio="1:1"),
    ]
    people = "Ada", "فاطمة", "Ada", "Ada"
    for number, (request, clip, person) in enumerate(zip(requests, drawn, people, strict=True), 1):
        takes.add(f"take{number}", request, clip, batch="b1", person=person)
    here = Server(folder / "data", {"SANDBOX_CLIPS": "tiny"})
    here.start()
    yield here
    here.close()


def compare(open_page: Open, server: Server, query: str, **options: object) -> Page:
    page = open_page(f"{server.url}/compare?{query}", **options)
    page.locator(".deck video").first.wait_for()
    page.wait_for_function(f"() => ({PLACES})()")
    return page


def times(page: Page, number: int) -> list[float]:
    """Wait until so many players show the same moment, and return where they are, in hundredths."""
    page.wait_for_function(f"() => ({STANDING})()")
    places: list[float] = page.evaluate(PLACES)
    assert len(places) == number
    return [round(each, 2) for each in places]


def test_two_clips_play_in_step_and_every_key_moves_both(open_page: Open, server: Server):
    page = compare(open_page, server, "ids=take1,take2&in=1&out=2", reduced_motion="no-preference")
    page.wait_for_function(f"() => ({PLAYING})()")
    expect(page.get_by_role("button", name="Loop 0:01.0 to 0:02.0")).to_be_visible()
    one, other = page.evaluate(PLACES) or [0, 1]
    assert abs(one - other) < 1
    box = page.locator(".deck-box").first.bounding_box()
    assert box is not None
    assert box["width"] > 600
    page.keyboard.press("Space")
    times(page, 2)
    page.keyboard.press("l")  # the marks are gone
    expect(page.get_by_role("button", name="Loop", exact=True)).to_be_visible()
    page.keyboard.press("Home")
    assert times(page, 2) == [0, 0]
    page.keyboard.press(".")
    page.keyboard.press(".")
    page.wait_for_function(f"() => Math.abs((({PLACES})() || [0])[0] - 2.5 / 24) < 0.001")
    assert times(page, 2) == [0.10, 0.10]
    page.keyboard.press(",")
    page.wait_for_function(f"() => Math.abs((({PLACES})() || [0])[0] - 1.5 / 24) < 0.001")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("i")
    page.keyboard.press("End")
    expect(page.locator(".deck-over:visible")).to_have_text("Ended at 0:04.0")  # the other one is longer
    page.keyboard.press("ArrowLeft")
    expect(page.locator(".deck-over:visible")).to_have_count(0)
    page.keyboard.press("o")
    expect(page.get_by_role("button", name="Loop 0:01.1 to 0:04.0")).to_be_visible()
    assert times(page, 2) == [3.98, 3.98]
    assert page.url.endswith("?ids=take1,take2&in=1.06&out=3.98&at=3.98")

    muted = "() => [...document.querySelectorAll('.deck video')].map((each) => each.muted)"
    page.keyboard.press("1")
    assert page.evaluate(muted) == [False, True]
    page.keyboard.press("2")
    assert page.evaluate(muted) == [True, False]
    page.get_by_role("button", name="Hear B").click()
    assert page.evaluate(muted) == [True, True]
    page.evaluate("() => { document.querySelector('.deck video').muted = false; }")  # WebKitGTK does so
    page.wait_for_function(f"() => ({muted})().every(Boolean)")

    page.set_viewport_size({"width": 700, "height": 900})
    page.keyboard.press("z")
    expect(page.get_by_role("button", name="1:1", exact=True)).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("z")
    expect(page.get_by_role("button", name="Fit")).to_have_attribute("aria-pressed", "true")
    page.get_by_label("Speed").select_option("2")
    page.locator(".deck video").first.click()
    page.wait_for_function("() => document.querySelector('.deck video').playbackRate > 1.4")


def test_what_differs_other_takes_and_the_decision(open_page: Open, server: Server):
    page = compare(open_page, server, "ids=take1,take2", color_scheme="dark")
    assert page.locator("del").all_inner_texts()[0] == "one paw"
    assert page.locator("ins").all_inner_texts()[0] == "its head"
    expect(page.get_by_text("<b>Snow</b> falls.")).to_be_visible()
    expect(page.locator(".compare-setting").first).to_have_text("Quality 720p 1080p")
    assert axe(page) == []
    places = "(all) => all.map((each) => each.getBoundingClientRect().x)"
    who, when = page.locator(".deck-words").last.locator("b, span").evaluate_all(places)
    assert who < when  # a name from right to left moves nothing else

    page.locator(".deck-player").first.click(position={"x": 300, "y": 100})  # used last, and plays
    page.wait_for_function(f"() => ({PLAYING})()")
    page.locator("[data-take=take3]").drag_to(page.locator(".deck-box").first)
    expect(page.locator(".compare-setting").filter(has_text="Shape")).to_have_text("Shape 9:16 16:9")
    assert "ids=take3,take2" in page.url
    page.get_by_role("button", name="Add a clip").click()
    page.locator(".compare-strip").first.locator("[data-take=take4]").click()
    expect(page.locator(".deck-player")).to_have_count(3)
    expect(page.get_by_text("Prompt, A and C")).to_be_visible()
    page.get_by_role("button", name="Take C out").click()
    expect(page.locator(".deck-player")).to_have_count(2)
    page.locator(".deck-words").first.click()  # what was used last is exchanged
    page.locator("[data-take=take1]").click()
    expect(page.locator(".compare-setting").first).to_have_text("Quality 720p 1080p")
    assert "ids=take1,take2" in page.url

    page.get_by_role("button", name="Keep this one: A").click()
    expect(page.get_by_role("button", name="Undo")).to_be_visible()
    other = page.get_by_role("button", name="Keep this one: B")
    assert other.evaluate(IN_SIGHT)  # the notice does not lie on it
    other.click()
    expect(page.get_by_role("button", name="Keep this one: A")).to_be_visible()
    expect(page.get_by_role("button", name="Kept: B")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("button", name="Kept: A")).to_be_visible()
    page.get_by_role("button", name="Keep this one: B").click()
    expect(page.get_by_text("Kept. 1 other clip is hidden.")).to_be_visible()
    expect(page.get_by_role("button", name="Kept: B")).to_be_visible()
    expect(page.locator(".deck-player").first.get_by_text("Hidden")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("button", name="Kept: A")).to_be_visible()

    page.keyboard.press("?")
    expect(page.get_by_text("One frame back, or on")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_text("One frame back, or on")).to_be_hidden()
    page.keyboard.press("Escape")
    page.wait_for_url("**/gallery")
    expect(page.locator(".deck")).to_have_count(0)
    expect(page.get_by_role("link", name="History")).to_be_visible()


def test_four_clips_of_any_shape_and_length_and_one_that_is_not_there(open_page: Open, server: Server):
    page = compare(open_page, server, "ids=take1,take2,take3,nothing,take4")
    expect(page.get_by_text("The log has no clip nothing.")).to_be_in_viewport()
    expect(page.get_by_text("1 clip more than four")).to_be_visible()
    expect(page.locator(".deck-player")).to_have_count(3)
    page.keyboard.press("End")  # a shorter clip shows its last picture
    page.wait_for_function(f"() => ((({PLACES})() || [0]).at(1)) > 4.9")
    short, long = times(page, 3)[2], times(page, 3)[1]
    assert short == pytest.approx(1.98, abs=0.02)
    assert long == pytest.approx(4.98, abs=0.02)
    ended = page.locator(".deck-player").last.locator(".deck-over")
    expect(ended).to_have_text("Ended at 0:02.0")
    page.keyboard.press("i")  # something is left to be played
    expect(page.get_by_role("button", name="Loop 0:04.9 to 0:05.0")).to_be_visible()
    page.locator(".deck-words").last.click()
    expect(page.locator(".deck-player[data-used]")).to_have_attribute("data-letter", "C")
    page.locator("[data-take=take4]").click()
    expect(ended).to_have_text("Ended at 0:04.0")
    page.keyboard.press("2")
    with on_phone(page):
        page.wait_for_function(
            "() => document.querySelector('.deck-bar').getBoundingClientRect().bottom === innerHeight"
        )
        assert page.evaluate("() => document.querySelector('.st-key-compare').scrollWidth") == 390
        for width in (390, 320):
            page.set_viewport_size({"width": width, "height": 844})
            assert page.locator(".deck-time").evaluate("(each) => each.scrollWidth - each.clientWidth") <= 0
        page.get_by_role("button", name="Add a clip").click()
        bar, strip = (page.locator(each).bounding_box() for each in (".deck-bar", ".compare-strip:visible"))
        assert bar is not None
        assert strip is not None
        assert strip["y"] + strip["height"] <= bar["y"]
        assert axe(page) == []
    page.get_by_role("button", name="Take A out").click()  # what is heard and named moves with its clip
    expect(page.locator(".deck-player")).to_have_count(2)
    said = "(all) => all.map((each) => [each.muted, each.getAttribute('aria-label')])"
    heard = page.locator(".deck video").evaluate_all(said)
    assert [muted for muted, _ in heard] == [False, True]
    assert heard[0][1] == f"Clip A: {FOX.replace('one paw', 'its head')}"


def test_whoever_has_left_before_it_is_drawn_is_not_asked_about_clips(open_page: Open, server: Server):
    page = compare(open_page, server, "ids=take1,take2")
    leave = """() => {
      window.sent = [];
      const { send } = WebSocket.prototype;
      WebSocket.prototype.send = function (data) {
        if (new TextDecoder().decode(data).includes("compare.view")) window.sent.push(data);
        return send.call(this, data);
      };
      history.replaceState(history.state, "", "/gallery"); // as after Back, while Compare is still coming
      const told = document.querySelector("[data-compare]");
      told.dataset.compare = told.dataset.compare.replace('"asked"', ' "asked"');
    }"""
    page.evaluate(leave)
    page.wait_for_timeout(500)
    assert page.evaluate("() => window.sent.length") == 0
