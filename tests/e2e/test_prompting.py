"""Prompting in a browser: variations, the camera with its preview, the storyboard."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.e2e.conftest import LONG, PHONE, Server, on_phone
from tests.e2e.test_compose import choose, close_sheet, panel, prompt, settled, shots_are
from tests.e2e.test_first_video import jobs_ordered, order, rows

Open = Callable[..., Page]


def write(page: Page, words: str) -> None:
    prompt(page).fill(words)
    prompt(page).press("Tab")
    settled(page)


def pick(page: Page, label: str, option: str) -> None:
    page.get_by_label(label, exact=True).click()
    page.get_by_role("option", name=option).click()
    settled(page)


def generate(page: Page, label: str) -> None:
    close_sheet(page)
    page.locator(".st-key-pinned").get_by_role("button", name=re.compile(label)).click()


def test_a_problem_in_a_closed_panel_opens_it_and_of_a_table_only_ticked_rows_are_ordered(
    shared_server: Server, open_page: Open
):
    before = jobs_ordered(shared_server)
    page = open_page(shared_server.url)
    negative = panel(page, "avoid").get_by_label("Negative prompt")
    negative.fill("y" * 2600)
    page.keyboard.press("Tab")
    settled(page)
    panel(page, "camera")
    settled(page)
    order(page, "A fox")
    expect(negative).to_be_visible()
    expect(page.locator(".st-key-panel-avoid").get_by_role("alert")).to_be_visible()
    assert jobs_ordered(shared_server) == before
    negative.fill("")
    page.keyboard.press("Tab")

    write(page, "A {red|grey|black} fox")
    table = panel(page, "variations").locator("[data-testid=stDataFrame] canvas").first
    table.wait_for()
    expect(page.get_by_text("3 clips of 3 ticked")).to_be_visible()
    table.locator("td", has_text="A red fox").first.wait_for(state="attached")  # the table hears presses now
    settled(page)
    table.scroll_into_view_if_needed()
    table.click(position={"x": 15, "y": 35 + 17}, force=True)  # the box of the first row
    expect(page.get_by_text("2 clips of 3 ticked")).to_be_visible()
    generate(page, "^Generate 2 ·")
    expect(page.locator(".stage-facts")).to_contain_text("of 2 clips done")
    made = jobs_ordered(shared_server) - before
    assert {row["prompt"] for row in rows(shared_server) if row["external_task_id"] in made} - {""} == {
        "A grey fox",
        "A black fox",
    }


def test_on_a_phone_a_table_of_variations_is_ordered_by_one_press_as_one_batch(
    shared_server: Server, open_page: Open
):
    before = jobs_ordered(shared_server)
    page = open_page(shared_server.url, **PHONE)
    write(page, "A {red|grey} fox")
    panel(page, "variations")
    for shape in ("9:16", "16:9"):
        page.locator(".st-key-composer-aspect_ratios").get_by_text(shape, exact=True).click()
    expect(page.get_by_text("4 clips of 4 ticked: $0.84 (6 Units)")).to_be_visible()
    generate(page, r"^Generate 4 · free")
    batch = page.locator(".stage-facts")
    expect(batch).to_contain_text("of 4 clips done")
    made = jobs_ordered(shared_server) - before
    assert len(made) == 4
    assert len({row["batch"] for row in rows(shared_server) if row["external_task_id"] in made} - {""}) == 1
    expect(batch).to_contain_text("4 of 4 clips done", timeout=LONG)


def test_on_a_phone_a_move_of_the_camera_is_previewed_and_a_storyboard_is_made_and_always_adds_up(
    shared_server: Server, open_page: Open
):
    before = jobs_ordered(shared_server)
    page = open_page(shared_server.url, reduced_motion="no-preference")
    with on_phone(page):
        write(page, "A fox")
        panel(page, "camera")
        pick(page, "Camera move", "forward and up")
        expect(prompt(page)).to_have_value("A fox. The camera moves forward and tilts up steadily.")
        page.get_by_label("Preview of the camera move").wait_for(timeout=LONG)
        playing = "() => document.querySelector('.st-key-panel-camera video').currentTime > 0.1"
        page.wait_for_function(playing, polling=100)
        assert jobs_ordered(shared_server) == before  # it is no task and costs nothing
        pick(page, "Camera move", "Automatic")
        expect(prompt(page)).to_have_value("A fox.")
        close_sheet(page)

        choose(page, "How the video is described", "Storyboard")
        page.get_by_label("Shot 1", exact=True).fill("A fox wakes")
        page.get_by_label("Shot 2", exact=True).fill("A fox runs")
        page.get_by_label("Shot 2", exact=True).press("Tab")
        settled(page)
        expect(page.get_by_text("5 of 15 s")).to_be_visible()
        tools = page.locator(".st-key-shot-1")
        page.get_by_label("Shot 1", exact=True).focus()
        tools.get_by_role("button", name="Split").click()
        shots_are(page, "A fox wakes", "A fox wakes", "A fox runs")
        settled(page)
        page.get_by_label("Shot 1", exact=True).fill("A fox yawns")
        tools.get_by_role("button", name="Later").click()
        shots_are(page, "A fox wakes", "A fox yawns", "A fox runs")
        page.get_by_label("Seconds 3", exact=True).fill("6")
        page.get_by_label("Seconds 3", exact=True).press("Enter")
        expect(page.get_by_text("9 of 15 s")).to_be_visible()
        page.get_by_label("Shot 1", exact=True).focus()
        tools.get_by_role("button", name="Remove").click()
        shots_are(page, "A fox yawns", "A fox runs")
        page.get_by_role("button", name="Preview").click()
        page.get_by_label("Preview of the cut").wait_for(timeout=LONG)
        page.keyboard.press("Escape")
        generate(page, "^Generate")
        expect(page.locator(".stage-prompt")).to_have_text("A fox.")
        expect(page.locator("[class*=st-key-task-]")).not_to_have_count(0)
    (made,) = jobs_ordered(shared_server) - before
    row = next(row for row in rows(shared_server) if row["external_task_id"] == made)
    assert row["shot_type"] == "customize"
    assert "A fox yawns" in row["multi_prompt"]
    assert "A fox runs" in row["multi_prompt"]
