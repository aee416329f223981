"""Prompting in a browser: variations, the camera with its preview, the storyboard."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress

import pytest
from playwright.sync_api import Page, expect
from playwright.sync_api import TimeoutError as TooLate

from tests.e2e.conftest import PHONE, Server
from tests.e2e.test_first_video import order, rows, wishes

both_sizes = pytest.mark.parametrize("size", [{}, PHONE], ids=["desktop", "phone"])
Open = Callable[..., Page]


def prompt(page: Page, words: str) -> None:
    page.get_by_label("Prompt", exact=True).fill(words)
    page.get_by_label("Prompt", exact=True).press("Tab")


def unfold(page: Page, panel: str) -> None:
    """Open a panel; a click that meets the answer to what was typed before is made again."""
    details = page.locator(f".st-key-composer-open_{panel} details").first
    page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for()
    for _ in range(3):
        details.locator("summary").first.click(delay=100)
        with suppress(AssertionError):
            expect(details).to_have_attribute("open", "", timeout=5000)
            return


def choose(page: Page, label: str, option: str) -> None:
    """Choose; a list that a page still scrolling has closed is opened again."""
    for _ in range(3):
        page.get_by_label(label, exact=True).click()
        with suppress(TooLate):
            page.get_by_role("option", name=option, exact=True).click(timeout=5000)
            return


def generate(page: Page, label: str) -> None:
    page.get_by_role("button", name=re.compile(label)).click()


@both_sizes
def test_a_table_of_variations_is_ordered_by_one_press_as_one_batch(
    shared_server: Server, open_page: Open, size: dict[str, object]
):
    before = wishes(shared_server)
    page = open_page(shared_server.url, **size)
    prompt(page, "A {red|grey} fox")
    page.get_by_role("button", name="Make a table of variations").click()
    page.locator(".st-key-composer-aspect_ratios").get_by_text("9:16", exact=True).click()
    page.locator(".st-key-composer-aspect_ratios").get_by_text("16:9", exact=True).click()
    expect(page.get_by_text("4 videos of 4 ticked: $0.84 (6 Units)")).to_be_visible()
    generate(page, r"^Generate 4 · \$0\.84 \(6 Units\)")
    batch = page.locator(".stage-facts")
    expect(batch).to_contain_text("of 4 videos done")
    made = wishes(shared_server) - before
    assert len(made) == 4
    assert len({row["batch"] for row in rows(shared_server) if row["external_task_id"] in made} - {""}) == 1
    expect(batch).to_contain_text("4 of 4 videos done", timeout=90_000)


def test_a_row_that_is_unticked_is_not_ordered(shared_server: Server, open_page: Open):
    before = wishes(shared_server)
    page = open_page(shared_server.url)
    prompt(page, "A {red|grey|black} fox")
    page.get_by_role("button", name="Make a table of variations").click()
    table = page.locator(".st-key-composer-open_variations [data-testid=stDataFrame] canvas").first
    table.wait_for()
    expect(page.get_by_text("3 videos of 3 ticked")).to_be_visible()
    table.scroll_into_view_if_needed()
    table.click(position={"x": 15, "y": 35 + 17}, force=True)  # the box of the first row
    expect(page.get_by_text("2 videos of 3 ticked")).to_be_visible()
    generate(page, "^Generate 2 · 3 Units")
    expect(page.locator(".stage-facts")).to_contain_text("of 2 videos done")
    made = wishes(shared_server) - before
    assert {row["prompt"] for row in rows(shared_server) if row["external_task_id"] in made} - {""} == {
        "A grey fox",
        "A black fox",
    }


@both_sizes
def test_a_move_of_the_camera_is_previewed_and_written_into_the_prompt(
    shared_server: Server, open_page: Open, size: dict[str, object]
):
    before = wishes(shared_server)
    page = open_page(shared_server.url, **size)
    prompt(page, "A fox")
    unfold(page, "camera")
    choose(page, "Camera move", "forward and up")
    said = "A fox. The camera moves forward and tilts up steadily."
    expect(page.get_by_label("Prompt", exact=True)).to_have_value(said)
    preview = page.get_by_label("Preview of the camera move")
    preview.wait_for()
    page.wait_for_function(
        "() => document.querySelector('.st-key-composer-open_camera video').currentTime > 0.1"
    )
    assert wishes(shared_server) == before  # it is no task and costs nothing
    choose(page, "Camera move", "left to Kling")
    expect(page.get_by_label("Prompt", exact=True)).to_have_value("A fox.")


@both_sizes
def test_a_storyboard_is_made_on_the_strip_and_always_adds_up(
    shared_server: Server, open_page: Open, size: dict[str, object]
):
    before = wishes(shared_server)
    page = open_page(shared_server.url, **size)
    choose(page, "Model", "Kling 3.0")
    unfold(page, "shots")
    page.locator(".st-key-composer-cut").get_by_text("storyboard", exact=True).click()
    page.get_by_label("Shot 1", exact=True).fill("A fox wakes")
    page.get_by_label("Shot 2", exact=True).fill("A fox runs")
    page.get_by_label("Shot 2", exact=True).press("Tab")
    expect(page.get_by_text("5 s of 5 s")).to_be_visible()
    page.locator(".st-key-shot-1").get_by_role("button", name="Split").click()
    expect(page.get_by_label("Shot 3", exact=True)).to_have_value("A fox runs")
    page.locator(".st-key-shot-1").get_by_role("button", name="Later").click()
    page.get_by_label("Shot 2", exact=True).wait_for()
    seconds = page.get_by_label("Seconds 3", exact=True)
    seconds.fill("6")
    seconds.press("Enter")
    expect(page.get_by_text("9 s of 9 s")).to_be_visible()
    page.locator(".st-key-shot-1").get_by_role("button", name="Remove").click()
    expect(page.get_by_label("Shot 3", exact=True)).to_have_count(0)
    unfold(page, "cut")
    page.get_by_label("Preview of the cut").wait_for()
    generate(page, "^Generate")
    expect(page.locator("[class*=st-key-task-]")).not_to_have_count(0)
    (made,) = wishes(shared_server) - before
    row = next(row for row in rows(shared_server) if row["external_task_id"] == made)
    assert row["shot_type"] == "customize"
    assert "A fox wakes" in row["multi_prompt"]
    assert "A fox runs" in row["multi_prompt"]


def test_a_problem_in_a_panel_that_is_closed_opens_it(shared_server: Server, open_page: Open):
    before = wishes(shared_server)
    page = open_page(shared_server.url)
    choose(page, "Model", "Kling 3.0")
    unfold(page, "shots")
    page.locator(".st-key-composer-cut").get_by_text("storyboard", exact=True).click()
    page.get_by_label("Shot 1", exact=True).wait_for()
    page.locator(".st-key-composer-open_shots summary").first.click(delay=100)
    page.get_by_label("Shot 1", exact=True).wait_for(state="hidden")
    order(page, "")
    expect(page.get_by_text("Write what shot 1 shows.")).to_be_visible()
    assert wishes(shared_server) == before
