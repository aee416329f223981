"""A job's page in a browser: its family, its keys, what people say of it, on every screen, and axe."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from types import SimpleNamespace

import pytest
from playwright.sync_api import Page, expect

from kling import TextToVideo
from kling.studio.jobs import FAILED, PROCESSING, SUCCEED
from tests.e2e.conftest import LONG, on_phone
from tests.e2e.prepared import MINE, Past, server_of
from tests.e2e.test_accessibility import findings
from tests.e2e.test_compose import settled
from tests.e2e.test_first_video import rows

Open = Callable[..., Page]
SIDEWAYS = "() => document.documentElement.scrollWidth - innerWidth"
PROMPT = "A red fox with a thick coat lifts {}. Snow falls in {} flakes."


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimpleNamespace]:
    data = tmp_path_factory.mktemp("job") / "data"
    here = Past(data)

    def task(words: tuple[str, str], parent: str = "", state: str = SUCCEED, **cells: str) -> str:
        return here.task(state, TextToVideo(prompt=PROMPT.format(*words)), parent=parent, **cells)

    first = task(("one paw", "large slow"))
    second = task(("one paw", "small"), first, rating="3", by_name="Ada")
    third = task(("its head", "small"), second, tags="winter, mascot", note="For the page.", by_name="Ada")
    failed = task(("a", "b"), state=FAILED, task_status_msg="Failure to pass the risk control system")
    made = task(("c", "d"), state=PROCESSING, task_id="7")
    server = server_of(data)
    server.start()
    yield SimpleNamespace(
        server=server, url=server.url, first=first, second=second, third=third, failed=failed, made=made
    )
    server.close()


def words(page: Page, text: str) -> None:
    expect(page.locator(".job-prompt")).to_contain_text(text)
    settled(page)


def test_an_old_link_leads_there_and_the_keyboard_does_all_without_loading_the_page_anew(
    past: SimpleNamespace, open_page: Open
):
    page = open_page(f"{past.url}/history?task={past.third}&q=fox", **MINE)
    words(page, "its head")
    expect(page).to_have_url(re.compile(rf"/job\?id={past.third}&q=fox$"))
    expect(page).to_have_title(re.compile("^A red fox with a thick coat lifts"))
    expect(page.get_by_role("link", name="5 jobs with “fox”")).to_be_visible()
    page.evaluate("() => { window.same = true }")
    # Play, star, rate, hide and undo.
    video = page.locator(".st-key-job_player video")
    page.keyboard.press("Space")
    page.wait_for_function(
        "() => document.querySelector('.st-key-job_player video').currentTime > 0", polling=50
    )
    page.keyboard.press("Space")
    expect(video).to_have_js_property("paused", value=True)
    page.keyboard.press("s")
    expect(page.get_by_role("button", name="Take the star back")).to_be_visible(timeout=LONG)
    page.keyboard.press("4")
    expect(page.locator(".job-row[data-here] .job-stars")).to_have_attribute(
        "aria-label", "rated 4 of 5, starred"
    )
    page.keyboard.press("h")
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("button", name="Undo")).to_have_count(0)
    settled(page)
    said = [
        (row["star"], row["rating"], row["hidden"])
        for row in rows(past.server)
        if row["external_task_id"] == past.third
    ]
    assert [each for each in said if any(each)] == [
        ("1", "", ""),
        ("", "4", ""),
        ("", "", "1"),
        ("", "", "'-"),
    ]
    # Along the list, up the family, and back.
    page.keyboard.press("j")
    words(page, "one paw. Snow falls in small")
    page.locator(".job-family").get_by_role("link").first.click()
    words(page, "large slow")
    assert page.evaluate("() => window.same")
    page.go_back()
    words(page, "one paw. Snow falls in small")
    page.get_by_role("link", name="5 jobs with “fox”").click()
    expect(page.get_by_role("heading", name="History")).to_be_attached()
    expect(page).to_have_url(re.compile(r"/history\?q=fox$"))


def test_the_note_and_the_tags_are_changed_in_dialogs_and_the_file_is_deleted_after_a_question(
    past: SimpleNamespace, open_page: Open
):
    page = open_page(f"{past.url}/job?id={past.second}", **MINE)
    words(page, "one paw")
    dialog = page.get_by_role("dialog")
    page.get_by_role("button", name="Add a note").click()
    dialog.get_by_role("textbox").fill("The coat is right. <b>")
    dialog.get_by_role("button", name="Save").click()
    expect(page.locator(".job-note")).to_have_text("The coat is right. <b>")
    expect(dialog).to_have_count(0)
    settled(page)
    page.get_by_role("button", name="More", exact=True).click()
    page.get_by_role("button", name="Delete the file").click()
    dialog.get_by_role("button", name="Delete 1 clip").click()
    expect(page.get_by_role("heading", name="Its file was deleted")).to_be_visible()
    expect(page.get_by_text("1 clip is deleted.")).to_be_visible()
    assert page.request.get(f"{past.url}/clips/{past.second}.mp4").status == 404


def test_a_rating_in_another_tab_is_seen_the_clip_that_plays_goes_on_and_a_phone_has_one_menu_in_sight(
    past: SimpleNamespace, open_page: Open
):
    mine = open_page(f"{past.url}/job?id={past.first}", **MINE)
    words(mine, "large slow")
    other = mine.context.new_page()
    other.goto(mine.url)
    words(other, "large slow")
    video = mine.locator(".st-key-job_player video")
    video.evaluate(
        "video => { video.muted = video.loop = true; video.dataset.mine = 'yes'; return video.play() }"
    )
    other.locator(".st-key-job_opinions").get_by_test_id("stFeedback").locator("button").nth(4).click()
    expect(mine.locator(".job-row[data-here] .job-stars")).to_have_attribute("aria-label", "rated 5 of 5")
    assert mine.locator("video[data-mine=yes]").evaluate("video => !video.paused")
    with on_phone(mine):
        mine.get_by_role("button", name="More", exact=True).click()
        for name in ("Hide", "Generate again", "Delete the file"):
            button = mine.get_by_test_id("stPopoverBody").get_by_role("button", name=name)
            expect(button).to_be_in_viewport()


def test_it_fits_every_screen_and_axe_finds_nothing(past: SimpleNamespace, open_page: Open):
    page = open_page(f"{past.url}/job?id={past.third}", **MINE)
    words(page, "its head")
    page.get_by_text("Request, answers and ids").click()
    page.get_by_text("Sent to Kling").wait_for()
    settled(page)
    assert findings(page, ".st-key-job") == []
    for width, height in ((320, 700), (390, 844), (820, 1180), (1101, 720), (1280, 720), (1920, 1080)):
        page.set_viewport_size({"width": width, "height": height})
        assert page.evaluate(SIDEWAYS) <= 0, width
        remix = page.get_by_role("link", name="Remix").bounding_box()
        assert remix is not None
        if width <= 640:  # above the pages, within reach of the thumb
            assert height - 140 < remix["y"] < height - 60
    for job, text in ((past.failed, "Kling refused this prompt"), (past.made, "Being made")):
        page.goto(f"{past.url}/job?id={job}")
        expect(page.get_by_text(text).first).to_be_visible()
        settled(page)
        assert findings(page, ".st-key-job_picture", alone=True) == []
